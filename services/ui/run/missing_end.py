"""What is said of a log whose end was not to be had: on the run's page and in the log viewer."""

from contracts.dbt_api import Outcome
from contracts.operators import OperatorName
from models.run import Invocation, Run
from models.run_state import RunState
from services import clusters
from services.settings import settings


def missing_end(run: Run, invocation: Invocation) -> str | None:
    """What is missing, why, and who may have the rest, in a sentence; None for a log that is whole.

    Nothing either of a dbt that ended in its midst, as one that was killed: it said no more than there is.
    """
    came_to_its_end = invocation.state is RunState.SUCCEEDED or invocation.outcome == Outcome.MODEL_ERROR
    if not invocation.log_end_missing or not came_to_its_end:
        return None
    what, their = ("The end of dbt's log", "its last nodes") if invocation.log_bytes else ("dbt's log", "its nodes")
    why = "the pod could not be asked for it" if run.operator.runs_in_pods else "the dbt API no longer had it"
    return (
        f"{what} is missing, and with it how {their} ended and dbt's artifacts: {why}; "
        f"{_who_may_have_it(run, invocation)}."
    )


def _who_may_have_it(run: Run, invocation: Invocation) -> str:
    """Airflow's copy of a pod's log was looked through already, as far as it is kept here."""
    is_cut = invocation.task_log_bytes >= settings().task_log_megabytes << 20
    if is_cut or not run.operator.runs_in_pods:
        return "Airflow's log of the task may have it"
    pod = clusters.pod_of(invocation.id or 0)
    who = "Google Cloud Logging" if run.operator is OperatorName.GKE else "whatever collects the cluster's logs"
    return f"{who} may have it" + (f", under the pod {pod.namespace}/{pod.name}" if pod else "")
