"""A failed run among its like: how long it has been failing, and the last run that was green."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, or_, select

from models.run import Run
from models.run_state import RunState
from services.database import session


@dataclass(frozen=True)
class SinceGreen:
    """What came before a failed run; runs with the same project and dbt command are its like."""

    last_green: Run | None
    first_failed: Run
    """The first failed run after the last green one; the run itself when it is the only one."""
    failed_in_a_row: int
    """How many failed since then, this run among them."""

    @property
    def commit_changed(self) -> bool:
        """Whether the files are of another commit than at the last green run."""
        green, failed = self.last_green, self.first_failed
        return bool(green and green.git_sha and failed.git_sha and green.git_sha != failed.git_sha)


def since_green(run: Run) -> SinceGreen:
    """Look back from a failed run."""
    with session() as opened:
        green = _newest(opened, *_before(run), Run.state == RunState.SUCCEEDED)
        after = [col(Run.id) > green.id] if green else []
        failed = [*_like(run), col(Run.id) <= run.id, Run.state == RunState.FAILED, *after]
        first = opened.exec(select(Run).where(*failed).order_by(col(Run.id)).limit(1)).first()
        count = opened.exec(select(func.count()).select_from(Run).where(*failed)).one()
    return SinceGreen(green, first or run, max(1, count))


def verdict_before(run: Run) -> RunState | None:
    """How the last run of its like ended that succeeded or failed."""
    with session() as opened:
        judged = col(Run.state).in_([RunState.SUCCEEDED, RunState.FAILED])
        before = _newest(opened, *_before(run), judged)
        return before.state if before else None


def neighbours(run: Run) -> tuple[int | None, int | None]:
    """The runs of its like before and after it, whatever became of them."""
    with session() as opened:
        before = opened.exec(select(func.max(Run.id)).where(*_before(run))).one()
        after = opened.exec(select(func.min(Run.id)).where(*_like(run), col(Run.id) > run.id)).one()
        return before, after


def _newest(opened: Session, *conditions: Any) -> Run | None:
    return opened.exec(select(Run).where(*conditions).order_by(col(Run.id).desc()).limit(1)).first()


def _before(run: Run) -> list[Any]:
    return [*_like(run), col(Run.id) < run.id]


def _like(run: Run) -> list[Any]:
    """The same dbt command with any selection and options: a green `debug` says nothing about a red `build`."""
    word = str(run.conf.get("command") or run.command.partition(" ")[0])
    same = or_(col(Run.command) == word, col(Run.command).startswith(f"{word} ", autoescape=True))
    return [Run.project == run.project, same]
