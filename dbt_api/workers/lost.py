"""What becomes of an invocation whose worker is gone for good."""

from contracts.dbt_api import InvocationState, Outcome
from dbt_api import store
from dbt_api.running.outcome import Story, failure, judge
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow


def account_for(row: InvocationRow, because: str | None = None) -> None:
    """End it, or let it wait for another attempt; nothing happens when it went on in between."""
    if row.state is InvocationState.STARTED and row.stop_reason is None and is_repeatable(row):
        store.requeue(row)
        return
    told = because or f"The worker '{row.worker}' was lost: it was silent for more than its lease."
    asked = judge(None, Story(), stopped=row.stop_reason, because=row.stop_message)
    verdict = asked if row.stop_reason is not None else failure(Outcome.WORKER_LOST, told)
    store.finish(row.task_id, verdict, attempt=row.attempt)


def is_repeatable(row: InvocationRow) -> bool:
    """Whether its client allows another attempt; by default not, since nobody knows what dbt had already done."""
    return getattr(row, "on_lost", "fail") == "requeue" and row.attempt < getattr(row, "max_attempts", 1)


def is_ours(row: InvocationRow) -> bool:
    """Whether a STARTED invocation was started here, so that its files and processes are to be found here."""
    return not settings().is_shared or row.worker == settings().worker_name
