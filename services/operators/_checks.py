"""Checks that every operator makes alike."""

from collections.abc import Callable

from models.project import Project
from services import capacity
from services.airflow import Airflow
from services.errors import BackendError, PilothouseError
from services.operators.base import Check


def asked(title: str, question: Callable[[], Check]) -> Check:
    """The check, or what went wrong when its system was asked."""
    try:
        return question()
    except PilothouseError as error:
        where = "Airflow" if isinstance(error, BackendError) and error.system == "airflow" else title
        return Check(where, False, error.message, error.hint)


def airflow_checks(project: Project) -> list[Check]:
    """What Airflow must have for a project: its pool, and its executor if it names one."""
    checks = [pool_check(project.pool)]
    return [*checks, _executor(project.executor)] if project.executor else checks


def _executor(name: str) -> Check:
    known = capacity.latest()
    executors = known[0].executors if known else []
    if not executors:
        return Check("Airflow executor", None, f"It is not known yet whether Airflow has the executor '{name}'.")
    if any(each == name or each.rpartition(".")[2] == name for each in executors):
        return Check("Airflow executor", True, f"Airflow has '{name}'.")
    told = f"Airflow has no executor '{name}', only {', '.join(executors)}."
    return Check("Airflow executor", False, told, "Choose one of these, or add it to [core] executor in Airflow.")


def pool_check(name: str) -> Check:
    """Whether Airflow has the project's pool."""
    return asked("Airflow pool", lambda: _pool(name))


def _pool(name: str) -> Check:
    pools = Airflow.from_settings().pools()
    known = {pool.name: pool for pool in pools}
    if name not in known:
        return Check(
            "Airflow pool",
            False,
            f"Airflow has no pool '{name}'.",
            f"Choose one of: {', '.join(known)}; or make it in Airflow under Admin, Pools.",
        )
    pool = known[name]
    free = "no limit" if pool.slots < 0 else f"{pool.slots} slots, {max(0, pool.open_slots)} free now"
    return Check("Airflow pool", True, f"'{name}' has {free}.")
