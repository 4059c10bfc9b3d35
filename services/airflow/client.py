"""The facade: everything the console asks of Airflow, in the console's words, by REST alone."""

import json
import time
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

import airflow_client.client as rest
from airflow_client.client.models.dag_run_mutable_states import DagRunMutableStates

from contracts.names import ANCHOR_DAG_ID, DAG_ID_PREFIX, DBT_TASK_ID, PROJECTS_VARIABLE, project_name_of
from contracts.published_project import PublishedProject, PublishedProjects
from services.airflow.capacity import pool_news, read_capacity
from services.airflow.news import AirflowHealth, Capacity, DagRunNews, PoolNews, TaskLogChunk, TaskNews
from services.airflow.task_log import lines_of
from services.airflow.tokens import SYSTEM, TokenSource, token_source
from services.airflow.transport import TIMEOUT, Transport, rejected
from services.errors import BackendRejected, BackendTimeout
from services.settings import Settings, settings

_PAGE = 100
"""Airflow's largest page (`[api] maximum_page_limit`); a higher limit is silently lowered to it."""

_FACTORY_FILE = "pilothouse_projects.py"
_HEALTH_TIMEOUT = (3.05, 10.0)
_KNOWN_POLL_SECONDS = 0.4
_ASK_AGAIN_SECONDS = 4
"""Airflow drops a change that follows another too soon (`[core] min_serialized_dag_update_interval`): ask once more."""


class Airflow:
    """One Airflow. Every method raises BackendUnreachable, BackendTimeout or BackendRejected with system "airflow"."""

    _shared: ClassVar[tuple[Settings, "Airflow"] | None] = None

    def __init__(self, url: str, tokens: TokenSource, *, link: str | None = None) -> None:
        self._transport = Transport(url, tokens)
        self._link = (link or url).rstrip("/")
        api = self._transport.api
        self._dags = rest.DAGApi(api)
        self._runs = rest.DagRunApi(api)
        self._tasks = rest.TaskInstanceApi(api)
        self._variables = rest.VariableApi(api)

    @classmethod
    def from_settings(cls) -> "Airflow":
        """The Airflow of this process's settings; one connection and one token for all its callers."""
        now = settings()
        if cls._shared is None or cls._shared[0] is not now:
            cls._shared = (now, cls(now.airflow_url, token_source(now), link=now.airflow_link))
        return cls._shared[1]

    def health(self) -> AirflowHealth:
        """Airflow's version and what is wrong with the parts that our runs need (not the triggerer)."""
        api = self._transport.api
        health = self._transport.call(
            "tell its health", lambda: rest.MonitorApi(api).get_health(_request_timeout=_HEALTH_TIMEOUT), patient=False
        )
        version = self._transport.call(
            "tell its version",
            lambda: rest.VersionApi(api).get_version(_request_timeout=_HEALTH_TIMEOUT),
            patient=False,
        )
        parts = {
            "database": health.metadatabase,
            "scheduler": health.scheduler,
            "DAG processor": health.dag_processor,
        }
        problems = [f"Airflow's {name} is not healthy." for name, part in parts.items() if not _is_healthy(part)]
        return AirflowHealth(version.version, _is_healthy(health.scheduler), problems)

    # projects

    def publish(self, projects: list[PublishedProject]) -> None:
        """Write the Variable with all published projects and ask for a re-parse of the factory's file."""
        body = rest.VariableBody(
            key=PROJECTS_VARIABLE,
            value=PublishedProjects(projects).model_dump_json(),
            description="Written whole by the Pilothouse console; changes made here are overwritten.",
        )
        try:
            self._transport.call("change the list of projects", lambda: self._patch_variable(body))
        except BackendRejected as refusal:
            if refusal.status != 404:
                raise
            self._transport.call("store the list of projects", lambda: self._post_variable(body))
        self._ask_for_a_parse()

    def wait_until_known(self, project: PublishedProject, *, timeout_seconds: float = 30) -> None:
        """Return when Airflow shows exactly this version of the project.

        Raises BackendRejected when the factory says why it made no DAG of it, BackendTimeout otherwise.
        """
        start = asked = time.monotonic()
        while not self._shows(project):
            if reason := self._refusal_of(project):
                raise _not_made(project, reason)
            now = time.monotonic()
            if now - start > timeout_seconds:
                raise self._not_known(project, timeout_seconds)
            if now - asked > _ASK_AGAIN_SECONDS:
                self._ask_for_a_parse()
                asked = now
            time.sleep(_KNOWN_POLL_SECONDS)

    def set_paused(self, dag_id: str, paused: bool) -> None:
        """Stop or resume a DAG's schedule. A run of a paused DAG stays queued."""
        body = rest.DAGPatchBody(is_paused=paused)
        self._transport.call(
            f"{'pause' if paused else 'resume'} {dag_id}",
            lambda: self._dags.patch_dag(dag_id, body, _request_timeout=TIMEOUT),
        )

    def delete_dag(self, dag_id: str) -> None:
        """Delete a DAG and its runs from Airflow; one that is gone already is fine. Publish without it first."""
        self._ignoring(404, f"delete {dag_id}", lambda: self._dags.delete_dag(dag_id, _request_timeout=TIMEOUT))

    # runs

    def trigger(self, dag_id: str, dag_run_id: str, conf: dict[str, Any], note: str | None = None) -> None:
        """Start a DAG run under our own id; an id that Airflow has already means it was handed over before."""
        body = rest.TriggerDAGRunPostBody(dag_run_id=dag_run_id, conf=conf, note=note)
        self._ignoring(
            409, f"start a run of {dag_id}", lambda: self._runs.trigger_dag_run(dag_id, body, _request_timeout=TIMEOUT)
        )

    def dag_run(self, dag_id: str, dag_run_id: str) -> DagRunNews | None:
        """One DAG run, or None when Airflow has none of this id."""
        run = self._ignoring(
            404,
            f"show run {dag_run_id}",
            lambda: self._runs.get_dag_run(dag_id, dag_run_id, _request_timeout=TIMEOUT),
        )
        return None if run is None else _run_news(run)

    def recent_dag_runs(self, since: datetime) -> list[DagRunNews]:
        """All runs of published projects that changed since then, the latest change first.

        Newest first, because a run that changes while we page moves to the front: it may come twice (and is taken
        once), but none is skipped.
        """
        found: dict[tuple[str, str], DagRunNews] = {}
        offset, total = 0, 1
        while offset < total:
            page = self._transport.call("list runs", partial(self._page_of_runs, since, offset))
            for run in page.dag_runs:
                if project_name_of(run.dag_id) is not None:
                    found.setdefault((run.dag_id, run.dag_run_id), _run_news(run))
            offset, total = offset + _PAGE, int(page.total_entries or 0)
        return list(found.values())

    def fail_dag_run(self, dag_id: str, dag_run_id: str, note: str | None = None) -> None:
        """Set a DAG run to failed: Airflow ends its running task within seconds. Unknown runs are fine."""
        body = rest.DAGRunPatchBody(state=DagRunMutableStates.FAILED, note=note)
        mask = ["state"] if note is None else ["state", "note"]
        self._ignoring(
            404,
            f"cancel run {dag_run_id}",
            lambda: self._runs.patch_dag_run(dag_id, dag_run_id, body, update_mask=mask, _request_timeout=TIMEOUT),
        )

    def task_tries(self, dag_id: str, dag_run_id: str) -> list[TaskNews]:
        """Every try of the project's task, oldest first; empty while none was scheduled."""
        answer = self._ignoring(
            404,
            f"show the task of run {dag_run_id}",
            lambda: self._tasks.get_task_instance_tries(dag_id, dag_run_id, DBT_TASK_ID, _request_timeout=TIMEOUT),
        )
        tries = [] if answer is None else [_task_news(item) for item in answer.task_instances if item.try_number > 0]
        return sorted(tries, key=lambda item: item.try_number)

    def tasks(self, dag_id: str, dag_run_id: str) -> dict[str, TaskNews]:
        """The newest try of every task of a run, by the task's id; empty for a run that Airflow does not know."""
        answer = self._ignoring(
            404,
            f"show the tasks of run {dag_run_id}",
            lambda: self._tasks.get_task_instances(dag_id, dag_run_id, limit=_PAGE, _request_timeout=TIMEOUT),
        )
        return {} if answer is None else {item.task_id: _task_news(item) for item in answer.task_instances}

    def task_log(
        self, dag_id: str, dag_run_id: str, try_number: int, token: str | None = None, *, task_id: str = DBT_TASK_ID
    ) -> TaskLogChunk:
        """The lines since `token` (None: from the beginning). A try that has not started has no lines yet."""
        action = f"show the task log of run {dag_run_id}"
        answer = self._ignoring(
            404, action, lambda: self._raw_log(action, dag_id, dag_run_id, task_id, try_number, token)
        )
        if answer is None:
            return TaskLogChunk(lines=[], token=token, complete=False)
        following = answer.get("continuation_token")
        return TaskLogChunk(lines=lines_of(answer.get("content") or []), token=following, complete=following is None)

    def run_link(self, dag_id: str, dag_run_id: str) -> str:
        """The run in Airflow's own pages."""
        return f"{self._link}/dags/{quote(dag_id, safe='')}/runs/{quote(dag_run_id, safe='')}"

    # the rest

    def pools(self) -> list[PoolNews]:
        """Airflow's pools, by name (the first hundred)."""
        api = rest.PoolApi(self._transport.api)
        answer = self._transport.call(
            "list its pools", lambda: api.get_pools(limit=_PAGE, order_by=["name"], _request_timeout=TIMEOUT)
        )
        return [pool_news(pool) for pool in answer.pools]

    def capacity(self) -> Capacity:
        """How much of Airflow is in use, and by what."""
        return read_capacity(self._transport, self.pools())

    def import_errors(self) -> list[str]:
        """Why the factory's file could not be imported, in Airflow's words; empty when it could."""
        api = rest.ImportErrorApi(self._transport.api)
        answer = self._transport.call(
            "list its import errors",
            lambda: api.get_import_errors(limit=_PAGE, filename_pattern=_FACTORY_FILE, _request_timeout=TIMEOUT),
        )
        return [error.stack_trace.strip() for error in answer.import_errors]

    def _ignoring(self, status: int, action: str, request: Any) -> Any:
        try:
            return self._transport.call(action, request)
        except BackendRejected as refusal:
            if refusal.status == status:
                return None
            raise

    def _patch_variable(self, body: rest.VariableBody) -> object:
        return self._variables.patch_variable(PROJECTS_VARIABLE, body, _request_timeout=TIMEOUT)

    def _post_variable(self, body: rest.VariableBody) -> object:
        return self._variables.post_variable(body, _request_timeout=TIMEOUT)

    def _ask_for_a_parse(self) -> None:
        """Without the anchor DAG the file was never parsed: its first parse will read the Variable anyway."""
        anchor = self._ignoring(
            404, "find the DAG factory", lambda: self._dags.get_dag(ANCHOR_DAG_ID, _request_timeout=TIMEOUT)
        )
        if anchor is not None:
            api = rest.DAGParsingApi(self._transport.api)
            self._ignoring(  # 409: the same request is waiting already
                409,
                "parse the list of projects again",
                lambda: api.reparse_dag_file(anchor.file_token, _request_timeout=TIMEOUT),
            )

    def _documentation_of(self, dag_id: str) -> str:
        details = self._ignoring(
            404, f"show {dag_id}", lambda: self._dags.get_dag_details(dag_id, _request_timeout=TIMEOUT)
        )
        return "" if details is None or details.is_stale else details.doc_md or ""

    def _shows(self, project: PublishedProject) -> bool:
        return project.fingerprint in self._documentation_of(project.dag_id)

    def _refusal_of(self, project: PublishedProject) -> str | None:
        """The reason that the anchor DAG's documentation gives for this very version of the project."""
        for line in self._documentation_of(ANCHOR_DAG_ID).splitlines():
            if f"`{project.name}`" in line and project.fingerprint in line:
                return line.partition(": ")[2] or line
        return None

    def _not_known(self, project: PublishedProject, seconds: float) -> BackendTimeout:
        errors = self.import_errors()
        reason = f" Its file cannot be imported: {errors[0].splitlines()[-1]}" if errors else ""
        return BackendTimeout(
            f"Airflow has not shown this version of {project.dag_id} within {seconds:.0f} s.{reason}",
            system=SYSTEM,
            hint=f"Check that dags/{_FACTORY_FILE} lies in Airflow's DAGs folder and that its DAG processor runs.",
        )

    def _page_of_runs(self, since: datetime, offset: int) -> rest.DAGRunCollectionResponse:
        return self._runs.get_dag_runs(
            "~",
            updated_at_gte=since,
            dag_id_prefix_pattern=DAG_ID_PREFIX,
            order_by=["-updated_at"],
            limit=_PAGE,
            offset=offset,
            _request_timeout=TIMEOUT,
        )

    def _raw_log(
        self, action: str, dag_id: str, dag_run_id: str, task_id: str, try_number: int, token: str | None
    ) -> dict[str, Any]:
        answer = self._tasks.get_log_without_preload_content(
            dag_id,
            dag_run_id,
            task_id,
            try_number,
            full_content=False,
            token=token,
            accept="application/json",
            _request_timeout=TIMEOUT,
        )
        if answer.status != 200:  # this call doesn't raise by itself
            raise rejected(action, answer.status, answer.data)
        content: dict[str, Any] = json.loads(answer.data)
        return content


def _not_made(project: PublishedProject, reason: str) -> BackendRejected:
    return BackendRejected(
        f"Airflow could not make a DAG of project '{project.name}': {reason}.",
        system=SYSTEM,
        status=200,
        detail=reason,
        hint="Change what it objects to in the project, then publish again.",
    )


def _is_healthy(part: Any) -> bool:
    return part is not None and part.status == "healthy"


def _run_news(run: rest.DAGRunResponse) -> DagRunNews:
    moments = [run.queued_at, run.start_date, run.last_scheduling_decision, run.end_date]
    door = run.triggered_by.value if run.triggered_by else None
    return DagRunNews(
        dag_id=run.dag_id,
        dag_run_id=run.dag_run_id,
        state=run.state.value,
        run_type=run.run_type.value,
        conf=run.conf or {},
        triggered_by=run.triggering_user_name or door,
        queued_at=run.queued_at,
        started_at=run.start_date,
        finished_at=run.end_date,
        updated_at=max((moment for moment in moments if moment), default=None),
        note=run.note,
    )


def _task_news(item: rest.TaskInstanceHistoryResponse | rest.TaskInstanceResponse) -> TaskNews:
    return TaskNews(
        state=item.state.value if item.state else None,
        try_number=item.try_number,
        queued_at=item.queued_when,
        started_at=item.start_date,
        finished_at=item.end_date,
        hostname=item.hostname or None,
    )
