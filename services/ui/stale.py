"""Says so when what a page shows may be old: the collector, Airflow or the dbt API has not answered."""

import streamlit as st

from models.system import SystemHealth
from services import health
from services.ui.words import ago, plain

SYSTEM_WORDS = {health.AIRFLOW: "Airflow", health.DBT_API: "dbt API", health.COLLECTOR: "Collector"}


def stale_notice() -> None:
    """Draw a warning for each system whose news is missing, with the age of the last good news."""
    systems = {row.system: row for row in health.systems()}
    collector = systems.pop(health.COLLECTOR)
    silent = [row for row in systems.values() if not row.reachable and row.last_good_at]
    for row in [collector] if not collector.reachable else silent:
        st.warning(_sentence(row), icon=":material/sync_problem:")


def _sentence(row: SystemHealth) -> str:
    age = f"last heard of {ago(row.last_good_at)}" if row.last_good_at else "not heard of yet"
    if row.system == health.COLLECTOR:
        return (
            f"**The collector is not running** ({age}): nothing on this page changes until it runs again. "
            "Start it with `python -m services.collector`, or everything with `python3 -m stack up`."
        )
    name = SYSTEM_WORDS[row.system]
    return f"**{name} doesn't answer** ({age}): what you see may be as old as that. {plain(row.message)}"
