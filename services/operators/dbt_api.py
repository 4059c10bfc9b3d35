"""The dbt API operator: dbt runs on a server that is already up."""

from contracts.operators import DbtApiParameters, OperatorName
from models.project import Project
from services.connections import dbt_api
from services.operators._checks import airflow_checks, asked
from services.operators.base import Advice, Check


class DbtApiOperator:
    """Runs dbt on the dbt API server, through its queue."""

    name = OperatorName.DBT_API
    label = "dbt API"
    icon = ":material/dns:"
    description = "dbt runs on a server that is always up. Airflow hands it the command and follows it."
    advice = Advice(
        choose_when="Most projects: short or frequent runs, development, and anything where waiting annoys.",
        google="None of its own: dbt reaches BigQuery with the server's credentials.",
        clusters="None: dbt runs where the server runs.",
        start_up="About three seconds until dbt speaks: no pod, no image, only dbt's own start.",
        isolation="Each run has its own process and folder, but all share the server's machine and its dbt version.",
        resources="The server's slots and memory, shared by its queue; the warehouse does the heavy work.",
        cost="One small server around the clock, however many runs there are.",
    )
    parameters = DbtApiParameters

    def preflight(self, project: Project) -> list[Check]:
        """The server can take work, Airflow answers, the pool exists; the connection only Airflow itself can see."""
        connection = DbtApiParameters.model_validate(project.operator_parameters).connection_id
        return [
            asked("dbt API", _server),
            *airflow_checks(project),
            Check(
                "Airflow connection",
                None,
                f"Airflow looks up its connection '{connection}' when a run starts; connections that come from its "
                "environment are not shown to the console.",
            ),
        ]


def _server() -> Check:
    health = dbt_api().health()
    if not health.ready:
        return Check(
            "dbt API",
            False,
            f"The dbt API is not ready: {' '.join(health.problems) or 'it gives no reason.'}",
            "Look at the dbt API's own log, then try again.",
        )
    return Check("dbt API", True, f"Ready, dbt {health.dbt_version or 'of unknown version'}.")
