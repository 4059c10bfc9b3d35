"""Checks that every operator makes alike."""

from collections.abc import Callable

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
    return Check("Airflow pool", True, f"'{name}' has {known[name].slots} slots, {known[name].open_slots} free now.")
