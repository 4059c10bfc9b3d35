"""The configuration and artifacts tabs of a run's page."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from models.run import Invocation, Run
from services import logs
from services.ui.words import between, duration, moment


def configuration(run: Run, invocations: Sequence[Invocation]) -> None:
    """Draw exactly what was launched, and the names that it has in the other systems."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**dbt command**")
        st.code(f"dbt {run.command}", language="bash", wrap_lines=True)
        st.markdown("**Exact configuration**")
        st.json(run.conf)
    with right:
        st.markdown("**Operator parameters**")
        if parameters := run.conf.get("operator_parameters"):
            st.json(parameters)
        else:
            st.caption("All as the operator has them by default.")
        st.markdown("**Names and times**")
        st.dataframe(_names(run, invocations), hide_index=True, alt="Identifiers and times of this run")


def _names(run: Run, invocations: Sequence[Invocation]) -> pd.DataFrame:
    rows = [
        ("Run", str(run.id)),
        ("Airflow DAG", run.dag_id),
        ("Airflow DAG run", run.dag_run_id),
        ("Created", moment(run.created_at)),
        ("Handed to Airflow", moment(run.handed_over_at)),
        ("Started", moment(run.started_at)),
        ("Finished", moment(run.finished_at)),
        ("Git commit", run.git_sha or ""),
    ]
    for invocation in invocations:
        rows += [
            (f"Try {invocation.try_number}: invocation", invocation.task_id),
            (f"Try {invocation.try_number}: ended as", _ending(invocation)),
            (f"Try {invocation.try_number}: dbt", invocation.dbt_version or ""),
        ]
    return pd.DataFrame(rows, columns=["What", "Value"])


def _ending(invocation: Invocation) -> str:
    words = [invocation.state.style.word.lower()]
    if invocation.outcome:
        words.append(invocation.outcome.replace("_", " "))
    if invocation.exit_code is not None:
        words.append(f"exit code {invocation.exit_code}")
    ran = between(invocation.started_at, invocation.finished_at) if invocation.finished_at else None
    return ", ".join([*words, *([f"after {duration(ran)}"] if ran is not None else [])])


def artifacts(invocations: Sequence[Invocation]) -> None:
    """Draw a download for each file that dbt left."""
    found = [(invocation, artifact) for invocation in invocations for artifact in invocation.artifacts]
    if not found:
        st.info("No artifacts: dbt writes them when it ends.", icon=":material/inventory_2:")
        return
    several = len({invocation.id for invocation, _ in found}) > 1
    for invocation, artifact in found:
        path = logs.artifacts_of(invocation) / artifact["name"]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                "Download",
                data=lambda path=path: path.read_bytes(),  # type: ignore[misc]
                file_name=path.name,
                key=f"artifact_{invocation.id}_{artifact['name']}",
                on_click="ignore",
                icon=":material/download:",
                disabled=not path.exists(),
            )
            title = f"`{artifact['name']}` · {_size(artifact.get('bytes', 0))}"
            st.markdown(f"{title} · try {invocation.try_number}" if several else title)


def _size(size: int) -> str:
    return (
        f"{size:,} bytes"
        if size < 10_000
        else f"{size / 1024:,.0f} KB"
        if size < 10_000_000
        else f"{size / 1024**2:,.1f} MB"
    )
