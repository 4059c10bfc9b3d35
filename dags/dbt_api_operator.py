"""The operator that runs one dbt command on the dbt API and never a second copy of it.

The invocation's id is derived from DAG, run, task and try, and is kept in Airflow's task state store *before* the
invocation is submitted. A try that finds an id there has a predecessor that died without seeing the end: it follows
that invocation instead of submitting its own.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.bases.resumablejobmixin import ResumableJobMixin
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowRuntimeError
from pydantic import JsonValue, ValidationError

from contracts.dbt_api import Invocation, InvocationSource, InvocationState, Outcome, SubmitInvocation
from contracts.names import invocation_task_id
from contracts.operators import DbtApiParameters, OperatorName
from contracts.run_conf import RunConf
from dags.dbt_log import DbtLog
from dags.patience import patiently
from services.dbt_api import DbtApi
from services.errors import NotFound, PilothouseError

Answer = TypeVar("Answer")

OUTAGE_SECONDS = 900
"""How long the dbt API may be away before the task gives up."""

POLL_SECONDS = 2
"""How long the dbt API holds its answer while nothing changes; new log lines are fetched in between."""

KILL_TIMEOUT = (1.0, 2.0)
ASK_SECONDS = 1.5
"""Airflow kills a task five seconds after it asked it to end: all that on_kill does has to fit."""

_NEXT_TRY_STATES = (None, "scheduled", "queued", "up_for_retry")
_GONE = "gone"


class DbtApiOperator(ResumableJobMixin, BaseOperator):
    """Runs the dbt command of the DAG run's params for one project, with dbt's log in the task log.

    `parameters` are the project's contracts.operators.DbtApiParameters; a run's own `operator_parameters` go over them.
    """

    ui_color = "#ffe8d9"

    def __init__(self, *, project: str, parameters: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.parameters = dict(parameters or {})

    def execute(self, context: Any) -> dict[str, Any]:
        """Check what is asked for, then submit or re-attach, follow to the end, and tell the outcome in few words."""
        conf, parameters = self._checked(context["params"])
        self._context = context
        self._kill_asked = self._left_to_next_try = False
        self._invocation_id: str | None = None
        self._result: dict[str, Any] = {}
        self._submission = self._submission_of(conf, parameters)
        self._address = _address_of(parameters.connection_id)
        # Clearing a task raises max_tries, a crash doesn't: a cleared task starts afresh, a crashed one is resumed.
        self.external_id_key = f"invocation_id_{context['ti'].max_tries}"
        with DbtApi(*self._address) as self._api:
            try:
                self.execute_resumable(context)
            except PilothouseError as error:
                raise AirflowException(" ".join(filter(None, [error.message, error.hint]))) from error
        return self._result

    def submit_job(self, context: Any) -> str:
        """Submit under an id that is already in the state store, so that no crash can part the two."""
        task_id = str(self._submission.task_id)
        if (store := context.get("task_state_store")) is not None:
            store.set(self.external_id_key, task_id)
        self._invocation_id = task_id
        self.log.info("Submitting to the dbt API as %s: dbt %s", task_id, " ".join(self._submission.command))
        self._patiently(lambda: self._api.submit(self._submission))
        return task_id

    def get_job_status(self, external_id: JsonValue, context: Any) -> str:  # noqa: ARG002
        """The state of the invocation that an earlier try left behind."""
        try:
            return self._patiently(lambda: self._api.invocation(str(external_id))).state
        except NotFound:
            return InvocationState.NOT_FOUND

    def is_job_active(self, status: str) -> bool:
        """Every invocation that exists is followed to its end, be it over: nobody has told that end yet."""
        return status != InvocationState.NOT_FOUND

    def is_job_succeeded(self, status: str) -> bool:
        """Asked only when there is nothing to follow."""
        return status == InvocationState.SUCCESS

    def poll_until_complete(self, external_id: JsonValue, context: Any) -> None:
        """Follow the invocation and copy its log until it ends; raise if it didn't end well."""
        task_id = self._invocation_id = str(external_id)
        context["ti"].xcom_push(key="invocation_id", value=task_id)
        dbt_log = DbtLog(task_id)
        invocation = self._follow(task_id, dbt_log)
        if invocation.state is not InvocationState.SUCCESS:
            self._forget_told_end()
            raise _failure(invocation, may_be_retried=self._kill_asked)
        outcome = invocation.outcome.value if invocation.outcome else None
        self._result = {"invocation_id": task_id, "outcome": outcome, "counts": dbt_log.counts}

    def get_job_result(self, external_id: JsonValue, context: Any) -> dict[str, Any]:  # noqa: ARG002
        """The outcome in few words; log and artifacts stay on the dbt API."""
        return self._result

    def on_kill(self) -> None:
        """Abort the invocation and see it stop, unless Airflow has given it to a next try, which re-attaches."""
        if getattr(self, "_invocation_id", None) is None:
            return
        self._kill_asked = True
        self._left_to_next_try = self._next_try_follows()
        if self._left_to_next_try:
            self.log.warning("Airflow handed this task to a next try: dbt is left running for it.")
            return
        with DbtApi(*self._address, timeout=KILL_TIMEOUT) as api:
            self._abort(api)

    def _checked(self, params: Mapping[str, Any]) -> tuple[RunConf, DbtApiParameters]:
        try:
            conf = RunConf.model_validate(dict(params))
            parameters = DbtApiParameters.model_validate({**self.parameters, **conf.operator_parameters})
        except ValidationError as error:
            reasons = "; ".join(_reason(problem) for problem in error.errors())
            raise AirflowFailException(f"dbt was not started, this run's parameters are wrong: {reasons}") from None
        if conf.operator is not OperatorName.DBT_API:
            raise AirflowFailException(
                f"dbt was not started: this project runs on the dbt API, not on {conf.operator}."
            )
        return conf, parameters

    def _submission_of(self, conf: RunConf, parameters: DbtApiParameters) -> SubmitInvocation:
        ti = self._context["ti"]
        return SubmitInvocation(
            task_id=invocation_task_id(ti.dag_id, ti.run_id, ti.task_id, ti.try_number),
            project=self.project,
            command=conf.dbt_arguments(),
            timeout_seconds=parameters.timeout_seconds,
            priority=parameters.priority,
            requested_by=conf.requested_by,
            source=InvocationSource(
                kind="airflow",
                dag_id=ti.dag_id,
                dag_run_id=ti.run_id,
                task_id=ti.task_id,
                try_number=ti.try_number,
                url=ti.log_url,
            ),
        )

    def _follow(self, task_id: str, dbt_log: DbtLog) -> Invocation:
        position: int | None = None
        while True:
            invocation = self._patiently(lambda: self._api.invocation(task_id, wait_seconds=POLL_SECONDS))
            self._patiently(lambda: dbt_log.copy_new_lines(self._api))
            if invocation.state.is_terminal:
                return invocation
            if self._left_to_next_try:
                raise AirflowException("This try has ended; dbt goes on and a next try follows it.")
            if self._kill_asked:
                self._abort(self._api)
            if invocation.queue_position not in (None, position):
                position = invocation.queue_position
                self.log.info("Waiting in the dbt API's queue at position %s.", position)

    def _abort(self, api: DbtApi) -> None:
        task_id = str(self._invocation_id)
        try:
            invocation = api.abort(task_id, reason="Airflow ended the task.")
            if not invocation.state.is_terminal:
                invocation = api.invocation(task_id, wait_seconds=1)
            self.log.warning("Asked the dbt API to abort %s; its state is %s.", task_id, invocation.state)
        except PilothouseError as error:
            self.log.error("%s could not be aborted: %s", task_id, error.message)

    def _next_try_follows(self) -> bool:
        """Ask Airflow, in a thread: the signal may have caught the main thread amid another question to it."""
        answers: list[bool] = []
        thread = threading.Thread(target=lambda: answers.append(self._is_replaced()), daemon=True)
        thread.start()
        thread.join(ASK_SECONDS)
        return bool(answers and answers[0])

    def _is_replaced(self) -> bool:
        """Whether this try is over for Airflow while the task is not: its scheduler or its heartbeat was lost."""
        ti = self._context["ti"]
        with suppress(Exception):  # Airflow is away or refuses: then nobody would look after dbt
            states = ti.get_task_states(ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
            state = states.get(ti.run_id, {}).get(ti.task_id, _GONE)
            if state == "running":  # ours, or already the next try's: only the current try can read the store
                return self._context["task_state_store"].get(self.external_id_key) is None
            return state in _NEXT_TRY_STATES
        return False

    def _forget_told_end(self) -> None:
        """A failure that was told is over: Airflow's retry starts a new invocation."""
        if (store := self._context.get("task_state_store")) is not None:
            with suppress(AirflowRuntimeError):  # a cleared task has lost its store; dbt's message matters more
                store.delete(self.external_id_key)

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        return patiently(call, seconds=OUTAGE_SECONDS)


def _address_of(connection_id: str) -> tuple[str, str]:
    """URL and token from an Airflow HTTP connection: host with or without scheme, port, password."""
    connection = BaseHook.get_connection(connection_id)
    host = (connection.host or "").rstrip("/")
    if not host or not connection.password:
        raise AirflowFailException(f"The Airflow connection '{connection_id}' needs a host and, as password, a token.")
    url = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    return f"{url}:{connection.port}" if connection.port else url, connection.password


def _reason(problem: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


def _failure(invocation: Invocation, *, may_be_retried: bool) -> AirflowException:
    """dbt's own message; no retry where it could change nothing or where somebody wanted the end.

    An abort that Airflow itself caused may be retried: when a person did it, Airflow has decided already.
    """
    command = f"dbt {' '.join(invocation.command)}"
    message = invocation.exc_message or "no reason given"
    if invocation.state is InvocationState.ABORTED:
        return (AirflowException if may_be_retried else AirflowFailException)(f"{command} was aborted: {message}")
    if invocation.outcome is Outcome.USAGE_ERROR:
        return AirflowFailException(f"{command} could not start: {message}")
    return AirflowException(f"{command} failed ({invocation.outcome or invocation.state}): {message}")
