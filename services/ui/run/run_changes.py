"""What changed since the last green run of its like: commits, parameters, and the code of nodes and macros."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from contracts.dbt_api import Commits
from models.run import Run
from services import projects
from services.connections import dbt_api
from services.errors import NotFound
from services.run import run_nodes
from services.run.changes_since import Changes, changes
from services.run.code_changes import CodeChange
from services.runs.comparing import Difference
from services.ui import errors
from services.ui.words import NOTHING, count, listed, moment

_LEFT_OUT = ("State", "Launched by")
_MOST_FAILED = 200


def changed_since(green: Run, failed: Run, *, invocation_id: int) -> None:
    """Draw what is different from the green run, what concerns the failure first."""
    names = [node.unique_id for node in run_nodes.failed_nodes(invocation_id, most=_MOST_FAILED).nodes]
    found = changes(green, failed, source=_source(failed.project), failed=names)
    parameters = [each for each in found.differences if each.name not in (*_LEFT_OUT, "Git commit")]
    with st.expander(f"Since run {green.id}: {_summary(found, parameters)}", icon=":material/difference:"):
        _commits(found, failed.project)
        code_table(found.code, key="since_green")
        parameter_table(parameters, str(green.id), str(failed.id))


def _source(project: str) -> dict[str, Any] | None:
    try:
        return projects.get_project(project).source
    except NotFound:
        return None


def _summary(found: Changes, parameters: Sequence[Difference]) -> str:
    if found.code is None:
        code = "code unknown"
    elif found.code:
        concerning = sum(change.concerns_failure for change in found.code)
        code = f"{count(len(found.code), 'node')} of other code" + (
            f", {concerning} of them above it" * bool(concerning)
        )
    else:
        code = "same code"
    said = f"{count(len(parameters), 'parameter')} differ" if len(parameters) > 1 else "1 parameter differs"
    return listed(["other commit" if found.commits else "", code, said if parameters else "same parameters"])


def _commits(found: Changes, project: str) -> None:
    """The two commits, and on request what lies between them: that the dbt API has to ask the repository for."""
    if not found.commits:
        return
    before, after = found.commits
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Commit `{before[:8]}` → `{after[:8]}`", width="content")
        wanted = st.button("List the commits", icon=":material/commit:", type="tertiary", key="list_commits")
        if found.commits_link:
            st.link_button(
                "Show them at their host", found.commits_link, icon=":material/open_in_new:", type="tertiary"
            )
    if wanted:
        with errors.guarded(), st.spinner("Asking the repository…"):
            st.session_state["commits"] = (found.commits, dbt_api().commits(project, since=before, until=after))
    asked, listed_commits = st.session_state.get("commits", (None, None))
    if asked == found.commits and listed_commits is not None:
        _commit_table(listed_commits)


def _commit_table(found: Commits) -> None:
    if not found.complete:
        st.caption(f"The newest {len(found.commits)}; there may be more, or the earlier commit is no longer there.")
    st.dataframe(
        pd.DataFrame(
            {
                "Commit": [each.sha[:8] for each in found.commits],
                "Subject": [each.subject for each in found.commits],
                "Author": [each.author for each in found.commits],
                "When": [moment(each.at) for each in found.commits],
            }
        ),
        hide_index=True,
        alt="Commits between the green run and this one",
    )


def code_table(code: Sequence[CodeChange] | None, *, key: str) -> None:
    """Draw the nodes and macros whose code changed."""
    if code is None:
        st.caption("Whether the code changed cannot be told: one of the runs left no manifest.")
        return
    if not code:
        st.caption("The code of all nodes and macros is the same.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Name": [each.name for each in code],
                "Type": [each.kind for each in code],
                "How": [str(each.how) for each in code],
                "Above the failure": ["yes" if each.concerns_failure else "" for each in code],
                "File": [each.file for each in code],
            }
        ),
        key=f"code_{key}",
        hide_index=True,
        height=320 if len(code) > 8 else "content",
        alt="Nodes and macros whose code is not the same",
    )


def parameter_table(parameters: Sequence[Difference], before: str, after: str) -> None:
    """Draw the parameters that differ."""
    if not parameters:
        return
    rows = [(each.name, each.before or NOTHING, each.after or NOTHING) for each in parameters]
    st.dataframe(
        pd.DataFrame(rows, columns=["Parameter", f"Run {before}", f"Run {after}"]),
        hide_index=True,
        alt="Parameters that differ between the runs",
    )
