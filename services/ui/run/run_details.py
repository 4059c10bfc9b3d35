"""The configuration tab of a run's page: what was asked exactly, how to do it again elsewhere, names and times."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from models.run import Invocation, Run
from services import projects
from services.errors import NotFound
from services.run import reproducing
from services.ui.words import between, duration, moment


def configuration(run: Run, invocations: Sequence[Invocation]) -> None:
    """Draw exactly what was launched, and the names that it has in the other systems."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**dbt command**")
        st.code(f"dbt {run.command}", language=None, wrap_lines=True)
        _again(run, invocations)
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


def _again(run: Run, invocations: Sequence[Invocation]) -> None:
    """The same elsewhere. Logins are left to the reader's environment."""
    try:
        source = projects.get_project(run.project).source
    except NotFound:
        source = {}
    st.markdown("**On your own machine**")
    version = invocations[-1].dbt_version if invocations else None
    st.code(reproducing.local_commands(run, source, dbt_version=version), language=None, wrap_lines=True)
    st.markdown("**By Airflow's REST API**")
    st.code(reproducing.airflow_call(run), language=None, wrap_lines=True)
    if not run.operator.runs_in_pods:
        st.markdown("**By the dbt API alone**, past Airflow and this history")
        st.code(reproducing.dbt_api_call(run), language=None, wrap_lines=True)


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
            (f"Try {invocation.try_number}: threads", str(invocation.threads or "")),
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
