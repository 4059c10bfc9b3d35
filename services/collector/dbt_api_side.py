"""Follows invocations on the dbt API: state, place in the queue, log, and their end."""

from datetime import timedelta

from contracts import dbt_api as api_contract
from contracts.operators import OperatorName
from models.run import Invocation, Run
from models.run_state import FROM_DBT_API, RunState
from models.types import now
from services import health
from services.collector import store, verdict
from services.collector.closing import close_invocation, close_without_news
from services.collector.log_keeper import keep_next_piece
from services.collector.loop import each, is_due
from services.dbt_api import DbtApi
from services.errors import NotFound
from services.settings import settings

_IDLE_SECONDS = 1.0
_WAITING_RUNS_PER_TICK = 10
_PIECES_PER_TICK = 16
_LATE = timedelta(seconds=5)
"""An invocation that the dbt API does not know so long after its run's end will not come any more."""


class DbtApiSide:
    """The collector's loop over the dbt API."""

    system = health.DBT_API

    def __init__(self, api: DbtApi) -> None:
        self._api = api
        self._visited: dict[int, float] = {}
        self._cancelled: dict[int, float] = {}
        self._more = False

    def check_health(self) -> None:
        """Ask the server whether it can take work."""
        answer = self._api.health()
        version = f"{answer.version}, dbt {answer.dbt_version}" if answer.dbt_version else answer.version
        health.report(self.system, reachable=True, message=" ".join(answer.problems), version=version)

    def tick(self) -> float:
        """Follow what runs, and a fair share of what waits."""
        runs = [run for run in store.open_runs() if _is_ours(run)]
        running = [run for run in runs if run.state is RunState.RUNNING]
        waiting = sorted((run for run in runs if run not in running), key=lambda run: self._visited.get(run.id or 0, 0))
        self._more = False
        each([*running, *waiting[:_WAITING_RUNS_PER_TICK]], self._follow, visited=self._visited)
        store.forget_all_but(runs, self._visited, self._cancelled)
        if self._more:
            return 0
        return settings().collector_interval_seconds if runs else _IDLE_SECONDS

    def _follow(self, run: Run) -> None:
        """Follow all tries of a run that are not complete, and look for the next."""
        with store.writing() as opened:
            known = store.invocations(opened, run.id)
        following = [one for one in known if not one.log_complete]
        for invocation in following:
            self._follow_invocation(run, invocation)
        if not following and not run.state.is_terminal:
            self._look_for_try(run, max((one.try_number for one in known), default=0) + 1)

    def _look_for_try(self, run: Run, try_number: int) -> None:
        """The operator submits under an id that we know too, so there is no need to ask Airflow."""
        try:
            self._api.invocation(store.task_id_of(run, try_number))
        except NotFound:
            return
        with store.writing() as opened:
            invocation = store.invocation_of_try(opened, run, try_number)
        self._follow_invocation(run, invocation)

    def _follow_invocation(self, run: Run, invocation: Invocation) -> None:
        try:
            news = self._api.invocation(invocation.task_id)
        except NotFound:
            _note_absence(run, invocation)
            return
        if run.cancel_requested_at and not news.state.is_terminal:
            self._cancel_again(run, invocation)
        _note_news(invocation, news)
        if news.state is api_contract.InvocationState.PENDING:
            return
        more, complete = self._keep_log(invocation)
        self._more |= more
        if complete and news.state.is_terminal:
            close_invocation(self._api, invocation, news)

    def _keep_log(self, invocation: Invocation) -> tuple[bool, bool]:
        """Fetch what there is, but not so much at once that other runs wait."""
        more = complete = False
        for _ in range(_PIECES_PER_TICK):
            more, complete = keep_next_piece(self._api, invocation)
            if not more:
                break
        return more, complete

    def _cancel_again(self, run: Run, invocation: Invocation) -> None:
        """The order may have been given while the dbt API was down, or before it knew the invocation."""
        if is_due(self._cancelled, run):
            self._api.abort(invocation.task_id, reason=f"Cancelled by {run.cancel_requested_by}")


def _is_ours(run: Run) -> bool:
    """Runs that never reached Airflow have no invocation to look for."""
    never_came = run.handed_over_at is None and run.state.is_terminal
    return run.operator is OperatorName.DBT_API and not never_came


def _note_news(invocation: Invocation, news: api_contract.Invocation) -> None:
    """Take in where the invocation stands. Its terminal state is written at its close, with the whole log."""
    with store.writing() as opened:
        row, run = opened.get_one(Invocation, invocation.id), opened.get_one(Run, invocation.run_id)
        row.submitted_at, row.started_at = news.created_at, news.started_at or row.started_at
        row.queue_position = news.queue_position
        if not news.state.is_terminal:
            row.state = FROM_DBT_API[news.state]
        run.started_at = run.started_at or row.started_at
        run.collected_at = now()
        if run.state.is_terminal:
            return
        if news.state is api_contract.InvocationState.PENDING:
            run.message = verdict.why_queued(news.queue_position)
        elif run.state is not RunState.RUNNING:
            run.state, run.message = RunState.RUNNING, None


def _note_absence(run: Run, invocation: Invocation) -> None:
    """Unknown to the dbt API: too early while the run lives, and final some time after its end."""
    if run.state.is_terminal and run.finished_at and now() - run.finished_at > _LATE:
        close_without_news(invocation)
