"""Follows DAG runs in Airflow: discovers them, takes over their states, keeps their task logs, says why they wait."""

import time
from datetime import timedelta

from sqlmodel import Session

from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import health, logs
from services.airflow import Airflow, DagRunNews, TaskNews
from services.collector import run_cluster, store, verdict
from services.collector.closing import conclude
from services.collector.discovery import discovered, run_of
from services.collector.loop import each, is_due
from services.collector.swept import is_abandoned
from services.collector.waiting import CapacityWatch, why_waiting
from services.errors import BackendRejected
from services.settings import settings

_ACTIVE_SECONDS = 1.0
_IDLE_SECONDS = 2.0
_DISCOVERY_SECONDS = 5.0
_RUNS_PER_TICK = 8
_OVERLAP = timedelta(minutes=2)
"""Asked for again each time: two machines' clocks may differ, and an answer may have been on its way."""
_FIRST_LOOK_BACK = timedelta(days=7)
_LOST = timedelta(minutes=3)
"""A run that Airflow does not know so long after its launch, or after it last knew it, is not there."""
_UNANSWERED = timedelta(seconds=15)
"""How long a launch is left alone with Airflow. After it the order was lost, and is given again."""
_LATE = timedelta(seconds=15)
_SETTLING = timedelta(seconds=1.5)
_OVER = ("success", "failed", "skipped", "removed", "upstream_failed", "up_for_retry")
_WAITING = (None, "scheduled", "queued", "up_for_retry")


class AirflowSide:
    """The collector's loop over Airflow."""

    system = health.AIRFLOW

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow
        self._seen_until = (health.collected_until() or now() - _FIRST_LOOK_BACK) - _OVERLAP
        self._discovered = -_DISCOVERY_SECONDS
        self._visited: dict[int, float] = {}
        self._ordered: dict[int, float] = {}
        self._capacity = CapacityWatch(airflow)

    def check_health(self) -> None:
        """Ask Airflow how it is."""
        answer = self._airflow.health()
        health.report(
            self.system,
            reachable=True,
            message=" ".join(answer.problems),
            version=answer.version,
            scheduler_is_healthy=answer.scheduler_is_healthy,
        )

    def tick(self) -> float:
        """Discover now and then; follow the open runs, the longest unvisited first."""
        if time.monotonic() - self._discovered >= _DISCOVERY_SECONDS:
            self._discover()
        runs = sorted(store.open_runs(), key=lambda run: self._visited.get(run.id or 0, 0))
        each(runs[:_RUNS_PER_TICK], self._follow, visited=self._visited)
        self._capacity.known(hurried=bool(runs))
        store.forget_all_but(runs, self._visited, self._ordered)
        return _ACTIVE_SECONDS if runs else _IDLE_SECONDS

    def _discover(self) -> None:
        asked_at = now()
        for news in self._airflow.recent_dag_runs(self._seen_until):
            with store.writing() as opened:
                run = run_of(opened, news) or discovered(opened, news)
                _take_over(opened, run, news)
        self._seen_until, self._discovered = asked_at - _OVERLAP, time.monotonic()

    def _follow(self, run: Run) -> None:
        news = self._airflow.dag_run(run.dag_id, run.dag_run_id)
        if news is None:
            if not self._hand_over_again(run):
                _note_absence(run)
            return
        with store.writing() as opened:
            fresh = opened.get_one(Run, run.id)
            _take_over(opened, fresh, news)
        if fresh.cancel_requested_at and not fresh.state.is_terminal:
            self._cancel_again(fresh)
        tries = self._airflow.task_tries(run.dag_id, run.dag_run_id) if news.state != "queued" else []
        for one in tries:
            self._follow_try(fresh, one)
        self._say_why_waiting(fresh, tries[-1].state if tries else None)
        said = self._told_of_cluster(fresh) if run_cluster.makes_cluster(fresh) else None
        with store.writing() as opened:
            run_now = opened.get_one(Run, run.id)
            conclude(opened, run_now)
            run_now.message = said or run_now.message
            store.finish_if_whole(opened, run_now)

    def _follow_try(self, run: Run, news: TaskNews) -> None:
        with store.writing() as opened:
            if _follows_predecessor(opened, run, news):
                return
            invocation = store.invocation_of_try(opened, run, news.try_number)
            fresh = opened.get_one(Run, run.id)
            if fresh.state.is_terminal:
                fresh.started_at = fresh.started_at or news.started_at
        if invocation.task_log_complete or (news.started_at is None and not run.state.is_terminal):
            return
        while self._keep_task_log(run, invocation, news):
            pass

    def _keep_task_log(self, run: Run, invocation: Invocation, news: TaskNews) -> bool:
        """Keep the next lines of Airflow's task log; answers whether there may be more at once.

        Airflow gives no token when a try's log has ended. Without one before the try's end the next answer would
        begin at the beginning again, so such an answer is not taken.
        """
        if invocation.task_log_bytes >= settings().task_log_megabytes << 20:
            _end_task_log(invocation)
            return False
        chunk = self._airflow.task_log(run.dag_id, run.dag_run_id, news.try_number, invocation.task_log_token)
        over = news.state in _OVER or run.state.is_terminal
        if chunk.complete and not (over and _has_settled(news)):
            return False
        text = "".join(f"{line}\n" for line in chunk.lines).encode()
        path = logs.path_of(invocation, "airflow")
        if text:
            logs.append(path, min(invocation.task_log_bytes, logs.size_of(path)), text)
        silent = not chunk.lines and run.finished_at is not None and now() - run.finished_at > _LATE
        with store.writing() as opened:
            row = opened.get_one(Invocation, invocation.id)
            row.task_log_bytes = invocation.task_log_bytes = logs.size_of(path) if text else row.task_log_bytes
            row.task_log_token = invocation.task_log_token = chunk.token
            row.task_log_complete = chunk.complete or (over and run.state.is_terminal and silent)
        return bool(text) and not chunk.complete

    def _hand_over_again(self, run: Run) -> bool:
        """Launch a run whose order Airflow did not take in time. Twice is once: Airflow knows the run by its id."""
        if run.handed_over_at or run.state.is_terminal or run.cancel_requested_at:
            return False
        age = now() - run.created_at
        if age > _LOST:
            return False
        if age > _UNANSWERED and is_due(self._ordered, run):
            self._launch(run)
        return True

    def _launch(self, run: Run) -> None:
        try:
            self._airflow.trigger(run.dag_id, run.dag_run_id, run.conf, note=f"Launched by {run.launched_by}")
        except BackendRejected as error:
            _write_off(run, RunState.FAILED, error.message)

    def _cancel_again(self, run: Run) -> None:
        """The order may have been given while Airflow was down, or before it had the run."""
        if is_due(self._ordered, run):
            self._airflow.fail_dag_run(run.dag_id, run.dag_run_id, f"Cancelled by {run.cancel_requested_by}")

    def _say_why_waiting(self, run: Run, task_state: str | None) -> None:
        if run.state not in (RunState.QUEUED, RunState.STARTING):
            return
        known = self._capacity.known(hurried=True) if task_state in _WAITING else None
        with store.writing() as opened:
            fresh = opened.get_one(Run, run.id)
            known_to_dbt = (
                (newest := store.newest(opened, run.id)) and not newest.log_complete and store.was_seen(newest)
            )
            if fresh.state in (RunState.QUEUED, RunState.STARTING) and not known_to_dbt:
                waits = task_state in _WAITING
                fresh.message = why_waiting(opened, fresh, task_state, known) if waits else None

    def _told_of_cluster(self, run: Run) -> str | None:
        """What is to be said of the cluster that is made for the run, over what is said of dbt."""
        if run.state is RunState.FAILED:
            return run_cluster.why_not_made(run, self._airflow)
        if run.state.is_terminal:
            return None
        return run_cluster.what_goes_on(run, self._airflow.tasks(run.dag_id, run.dag_run_id))


def _end_task_log(invocation: Invocation) -> None:
    """Keep no more of a task log that is very long, and say so at its end."""
    text = f"WARNING Only the first {settings().task_log_megabytes} MB of this log are kept; Airflow has the rest.\n"
    logs.append(logs.path_of(invocation, "airflow"), invocation.task_log_bytes, text.encode())
    with store.writing() as opened:
        row = opened.get_one(Invocation, invocation.id)
        row.task_log_bytes = invocation.task_log_bytes = invocation.task_log_bytes + len(text)
        row.task_log_complete = True


def _take_over(opened: Session, run: Run, news: DagRunNews) -> None:
    """Write what Airflow says of a run. One that was over and lives again was cleared there: it is followed again."""
    state = verdict.state_of(news.state, run, store.newest(opened, run.id))
    if run.handed_over_at is None or (run.state is not state and not is_abandoned(run)):
        run.collected = False
    run.handed_over_at = run.handed_over_at or now()
    run.collected_at = now()
    if run.state is state or (run.state.is_terminal and not state.is_terminal and is_abandoned(run)):
        return
    if run.state.is_terminal and not state.is_terminal:
        run.finished_at = run.message = None
    run.state = state
    if state.is_terminal:
        run.finished_at = news.finished_at or now()
        run.started_at = run.started_at or news.started_at
        conclude(opened, run)


def _follows_predecessor(opened: Session, run: Run, news: TaskNews) -> bool:
    """Whether this try follows the dbt of a try before it, whose worker died: then it submits none of its own."""
    tries = store.invocations(opened, run.id)
    before = [one for one in tries if one.try_number < news.try_number]
    if not before or any(one.try_number == news.try_number for one in tries):
        return False
    dbt_goes_on = store.was_seen(before[-1]) and not before[-1].log_complete
    return dbt_goes_on or news.try_number <= store.last_joined_try(before[-1])


def _has_settled(news: TaskNews) -> bool:
    """A task's last lines may arrive a moment after its state."""
    return news.finished_at is None or now() - news.finished_at > _SETTLING


def _note_absence(run: Run) -> None:
    """Airflow has no such run: it never arrived, was cancelled before it did, or was deleted there."""
    if run.state.is_terminal:
        _write_off(run, run.state, run.message)
    elif run.cancel_requested_at:
        _write_off(run, RunState.CANCELLED, f"Cancelled by {run.cancel_requested_by} before Airflow had it.")
    elif now() - (run.handed_over_at or run.created_at) > _LOST:
        what = "no longer has this run: it was deleted there." if run.handed_over_at else "never got this run."
        _write_off(run, RunState.FAILED, f"Airflow {what} Launch it again.")


def _write_off(run: Run, state: RunState, message: str | None) -> None:
    with store.writing() as opened:
        fresh = opened.get_one(Run, run.id)
        fresh.state, fresh.message = state, message
        fresh.finished_at = fresh.finished_at or now()
        for invocation in store.invocations(opened, run.id):
            invocation.task_log_complete = True
        store.finish_if_whole(opened, fresh)
