"""How much of Airflow is in use: several of its answers put together. Part of the facade."""

from datetime import datetime
from typing import Any

import airflow_client.client as rest
from pydantic import ValidationError

from contracts.airflow_facts import FACTS_PARAM, AirflowFacts
from contracts.dbt_values import moment
from contracts.names import ANCHOR_DAG_ID, DAG_ID_PREFIX
from services.airflow.news import ActiveTask, Capacity, DagLimits, PoolNews
from services.airflow.transport import TIMEOUT, Transport
from services.errors import BackendRejected

_MOST = 100
"""Airflow's largest page: more tasks or projects at once are counted, not listed."""
_STATES = ["running", "queued", "scheduled", "restarting", "deferred"]


def read_capacity(transport: Transport, pools: list[PoolNews]) -> Capacity:
    """Ask for schedulers, tasks and DAGs, and put them together. Raises as Transport.call does."""
    api = transport.api
    scheduler = transport.call("tell its health", lambda: rest.MonitorApi(api).get_health(_request_timeout=TIMEOUT))
    tasks = transport.call(
        "list its active tasks",
        lambda: rest.TaskInstanceApi(api).get_task_instances(
            "~", "~", state=_STATES, limit=_MOST, order_by=["run_after"], _request_timeout=TIMEOUT
        ),
    )
    dags = transport.call(
        "list its DAGs",
        lambda: rest.DAGApi(api).get_dags(
            dag_id_prefix_pattern=DAG_ID_PREFIX, exclude_stale=True, limit=_MOST, _request_timeout=TIMEOUT
        ),
    )
    facts = _facts(transport)
    return Capacity(
        scheduler_is_healthy=scheduler.scheduler is not None and scheduler.scheduler.status == "healthy",
        scheduler_seen_at=moment(scheduler.scheduler.latest_scheduler_heartbeat) if scheduler.scheduler else None,
        schedulers=_schedulers(transport),
        executors=facts.executors,
        parallelism=facts.parallelism,
        pools=pools,
        tasks=[_task(item) for item in tasks.task_instances],
        tasks_in_all=int(tasks.total_entries or len(tasks.task_instances)),
        dags=[DagLimits(dag.dag_id, dag.is_paused, dag.max_active_runs) for dag in dags.dags],
    )


def pool_news(pool: rest.PoolResponse) -> PoolNews:
    """A pool as Airflow tells of it."""
    return PoolNews(
        name=pool.name,
        slots=pool.slots,
        open_slots=pool.open_slots,
        description=pool.description or "",
        running=pool.running_slots,
        queued=pool.queued_slots,
        scheduled=pool.scheduled_slots,
        deferred=pool.deferred_slots,
    )


def _schedulers(transport: Transport) -> int | None:
    api = rest.JobApi(transport.api)
    try:
        answer = transport.call(
            "list its schedulers",
            lambda: api.get_jobs(
                is_alive=True, job_type="SchedulerJob", job_state="running", limit=_MOST, _request_timeout=TIMEOUT
            ),
        )
    except BackendRejected as refusal:
        if refusal.status == 403:
            return None
        raise
    return len(answer.jobs)


def _facts(transport: Transport) -> AirflowFacts:
    """What the factory shows on the anchor DAG; nothing where that is not there, or of an older version."""
    api = rest.DAGApi(transport.api)
    try:
        anchor = transport.call(
            "show the DAG factory", lambda: api.get_dag_details(ANCHOR_DAG_ID, _request_timeout=TIMEOUT)
        )
        return AirflowFacts.model_validate(_value((anchor.params or {}).get(FACTS_PARAM) or {}))
    except ValidationError:
        return AirflowFacts()
    except BackendRejected as refusal:
        if refusal.status == 404:
            return AirflowFacts()
        raise


def _value(param: Any) -> Any:
    """The value of a Param as Airflow serializes it."""
    return param["value"] if isinstance(param, dict) and "value" in param else param


def _task(item: rest.TaskInstanceResponse) -> ActiveTask:
    since: datetime | None = item.start_date or item.queued_when or item.scheduled_when or item.run_after
    return ActiveTask(
        dag_id=item.dag_id,
        dag_run_id=item.dag_run_id,
        task_id=item.task_id,
        state=item.state.value if item.state else "scheduled",
        executor=item.executor,
        queue=item.queue,
        pool=item.pool,
        pool_slots=item.pool_slots,
        hostname=item.hostname or None,
        since=since,
    )
