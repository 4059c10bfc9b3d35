"""How a project is set up, in few lines."""

import streamlit as st

from contracts.dbt_api import Warehouse
from models.project import Project
from services import schedules
from services.operators import operator
from services.ui.words import moment, plain

WAREHOUSE_WORDS = {
    Warehouse.DUCKDB: "DuckDB",
    Warehouse.POSTGRES: "Postgres",
    Warehouse.BIGQUERY: "BigQuery",
    Warehouse.SNOWFLAKE: "Snowflake",
    Warehouse.REDSHIFT: "Redshift",
    Warehouse.DATABRICKS: "Databricks",
}


def settings_card(project: Project, *, is_ready: bool) -> None:
    """Draw the settings of a project, as its owner described them."""
    chosen = operator(project.operator)
    rows = {
        "Owner": plain(project.owner),
        "Source": _source(project),
        "Operator": f"{chosen.icon} {chosen.label}",
        "Schedule": _schedule(project, is_running=is_ready and not project.paused),
        "Scheduled command": f"dbt {project.command}" + (f", {project.threads} threads" if project.threads else ""),
        "Target": plain(project.target or "the profile's default"),
        "Airflow": _airflow(project),
        "Created": f"{moment(project.created_at)} by {plain(project.created_by)}",
    }
    with st.container(border=True):
        st.header("Settings", anchor=False)
        for name, value in rows.items():
            left, right = st.columns([2, 5])
            left.caption(name)
            right.markdown(value)


def _source(project: Project) -> str:
    source = project.source
    if source["kind"] == "template":
        return f"Template for {WAREHOUSE_WORDS[Warehouse(source['warehouse'])]}"
    if source["kind"] == "folder":
        return f"Folder {plain(source['path'])}"
    if source["kind"] == "upload":
        return f"Archive {plain(source['filename'])}"
    inside = f", folder {plain(source['subfolder'])}" if source.get("subfolder") else ""
    at = f", commit {project.git_sha[:10]}" if project.git_sha else ""
    return f"{plain(source['url'])}, branch {plain(source['branch'])}{inside}{at}"


def _schedule(project: Project, *, is_running: bool) -> str:
    words = plain(schedules.in_words(project.schedule))
    if not project.schedule:
        return words
    runs = schedules.next_runs(project.schedule, number=1) if is_running else []
    following = f"  \n:small[:gray[Next: {runs[0]:%a %d %b %Y, %H:%M} UTC]]" if runs else ""
    return f"{words} UTC{following}"


def _airflow(project: Project) -> str:
    words = [f"pool {plain(project.pool)}"]
    if project.queue:
        words.append(f"queue {plain(project.queue)}")
    if project.executor:
        words.append(f"executor {plain(project.executor)}")
    if project.worker_pod:
        words.append("worker pod " + plain(", ".join(f"{key} {value}" for key, value in project.worker_pod.items())))
    words.append(f"{project.retries} retries" if project.retries != 1 else "1 retry")
    if project.retries:
        words.append(f"{project.retry_delay_seconds} s apart")
    return ", ".join(words)
