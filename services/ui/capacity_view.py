"""Airflow's capacity in one view: a verdict, what waits and why, then places, pools, executors, queues and tasks."""

from datetime import datetime

import streamlit as st

from contracts.names import project_name_of
from models.run_state import RunState
from services import capacity
from services.airflow import ActiveTask, Capacity, PoolNews
from services.runs import history
from services.runs.history import RunFilter
from services.ui.words import ago, between, count, duration, plain

_SHOWN = 20
_NO_LIMIT = "no limit"


def waiting_runs() -> None:
    """Draw the runs that have not begun, each with what holds it back."""
    found = history.list_runs(RunFilter(states=(RunState.QUEUED, RunState.STARTING)), page_size=_SHOWN)
    if not found.runs:
        return
    with st.container(border=True):
        st.markdown(f"**{count(found.total, 'run')} waiting**")
        for run in reversed(found.runs):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.page_link("pages/run.py", label=f"Run {run.id}", query_params={"run_id": str(run.id)})
                waited = duration(between(run.created_at, None))
                told = plain(run.message or "It is about to start.")
                st.markdown(f"**{plain(run.project)}** for {waited}. {told}", width="content")


def draw_capacity(known: Capacity, taken_at: datetime) -> None:
    """Draw the snapshot with its age, and the runs that wait."""
    _verdict(known, taken_at)
    waiting_runs()
    _places(known)
    st.subheader("Pools", anchor=False)
    st.dataframe(
        [_pool(pool) for pool in known.pools],
        hide_index=True,
        height="content",
        column_config={
            "Used": st.column_config.ProgressColumn("Used", min_value=0, max_value=100, format="%d%%", width="small")
        },
        alt="Airflow's pools with used and open slots",
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _executors(known)
    with right:
        _queues(known)
    _tasks(known)


def _verdict(known: Capacity, taken_at: datetime) -> None:
    state, sentence = capacity.overall(known)
    draw, icon = {
        "free": (st.success, ":material/check_circle:"),
        "full": (st.warning, ":material/hourglass_top:"),
        "down": (st.error, ":material/error:"),
    }[state]
    draw(plain(sentence), icon=icon)
    st.caption(f"As Airflow told {ago(taken_at)}.")


def _places(known: Capacity) -> None:
    queued = sum(task.state == "queued" for task in known.tasks)
    running = known.occupied - queued
    waiting = sum(task.state == "scheduled" for task in known.tasks)
    places = "not told" if known.places is None else f"{known.occupied} of {known.places}"
    metrics = (
        ("Tasks running", str(running), "An executor runs them now."),
        ("Queued", str(queued), "An executor has them, and no worker yet."),
        ("Waiting", str(waiting), "Due, and held back by a pool or by Airflow's parallelism."),
        ("Places used", places, "Tasks that run or are queued, of those that [core] parallelism allows."),
        ("Schedulers", "not told" if known.schedulers is None else str(known.schedulers), "How many are alive."),
    )
    for column, (label, value, told) in zip(st.columns(len(metrics)), metrics, strict=True):
        column.metric(label, value, help=told, border=True)
    if known.places is None:
        st.caption(
            "Parallelism and executors are told by the DAG factory: it shows them once Airflow has parsed it anew."
        )


def _pool(pool: PoolNews) -> dict[str, object]:
    used = pool.running + pool.queued
    is_limited = pool.slots >= 0
    return {
        "Pool": pool.name,
        "Used": min(100, round(100 * used / pool.slots)) if pool.slots > 0 else None,
        "Slots": str(pool.slots) if is_limited else _NO_LIMIT,
        "Open": str(max(0, pool.open_slots)) if is_limited else _NO_LIMIT,
        "Running": pool.running,
        "Queued": pool.queued,
        "Waiting": pool.scheduled,
        "What it is for": pool.description,
    }


def _executors(known: Capacity) -> None:
    st.subheader("Executors", anchor=False)
    loads = capacity.by_executor(known)
    if not loads:
        st.caption("The DAG factory has not told Airflow's executors yet.")
        return
    st.dataframe(
        [
            {
                "Executor": load.executor,
                "Default": load.executor == (known.executors or [""])[0],
                "Running": load.running,
                "Queued": load.queued,
            }
            for load in loads
        ],
        hide_index=True,
        height="content",
        alt="Airflow's executors and what they have to do",
    )


def _queues(known: Capacity) -> None:
    st.subheader("Workers by queue", anchor=False)
    loads = capacity.by_queue(known)
    if not loads:
        st.caption("No worker has anything to do.")
        return
    st.dataframe(
        [
            {
                "Queue": load.queue,
                "Executor": load.executor,
                "Running": load.running,
                "Queued": load.queued,
                "Workers": load.workers,
            }
            for load in loads
        ],
        hide_index=True,
        height="content",
        alt="Queues with their tasks and workers; of the KubernetesExecutor each worker is a pod",
    )


def _tasks(known: Capacity) -> None:
    st.subheader("Active tasks", anchor=False)
    if not known.tasks:
        st.caption("Nothing runs or waits in Airflow.")
        return
    if known.tasks_in_all > len(known.tasks):
        st.caption(f"The first {len(known.tasks)} of {known.tasks_in_all:,}; the figures above count these.")
    st.dataframe([_task(known, task) for task in known.tasks], hide_index=True, alt="Tasks that run or wait in Airflow")


def _task(known: Capacity, task: ActiveTask) -> dict[str, object]:
    return {
        "State": task.state,
        "Project or DAG": project_name_of(task.dag_id) or task.dag_id,
        "Task": task.task_id,
        "Airflow's run": task.dag_run_id,
        "Pool": task.pool,
        "Queue": task.queue or "",
        "Executor": known.executor_of(task.executor) or "",
        "Worker": task.hostname or "",
        "For": duration(between(task.since, None)),
    }
