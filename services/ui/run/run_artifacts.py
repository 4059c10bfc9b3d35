"""The artifacts tab of a run's page: every file that dbt left, all of them as a zip, and the docs site of the run."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from models.run import Invocation, Run
from services import logs
from services.run import run_docs, run_zip
from services.ui import errors
from services.ui.project.project_docs import HEIGHT, framed
from services.ui.words import size

_ABOUT = {
    "run_results.json": "what became of each node",
    "manifest.json": "the project as dbt read it",
    "catalog.json": "columns and sizes in the warehouse",
    "sources.json": "how fresh the sources were",
}


def run_artifacts(run: Run, invocations: Sequence[Invocation]) -> None:
    """Draw a download for each file that was kept."""
    found = [(invocation, artifact) for invocation in invocations for artifact in invocation.artifacts]
    if not found:
        st.info("No artifacts: dbt writes them when it ends.", icon=":material/inventory_2:")
    else:
        _everything(run, invocations)
    several = len({invocation.id for invocation, _ in found}) > 1
    for invocation, artifact in found:
        _file(invocation, artifact["name"], artifact.get("bytes", 0), with_try=several)
    with_manifest = [one for one in invocations if run_docs.has_site(one)]
    if with_manifest:
        _docs(run, with_manifest[-1])


def _everything(run: Run, invocations: Sequence[Invocation]) -> None:
    st.download_button(
        "Everything as a zip",
        data=lambda: run_zip.zipped(run, invocations),
        file_name=f"run-{run.id}.zip",
        mime="application/zip",
        key="artifacts_zip",
        on_click="ignore",
        icon=":material/folder_zip:",
        help="All artifacts, dbt's log, Airflow's task log, and the run's conf",
    )


def _file(invocation: Invocation, name: str, told_size: int, *, with_try: bool) -> None:
    path = logs.artifacts_of(invocation) / name
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download",
            data=lambda: path.read_bytes() if path.exists() else b"",
            file_name=path.name,
            key=f"artifact_{invocation.id}_{name}",
            on_click="ignore",
            icon=":material/download:",
            disabled=not path.exists(),
            help=None if path.exists() else "The file is no longer there.",
        )
        about = f" · {_ABOUT[name]}" if name in _ABOUT else ""
        tried = f" · try {invocation.try_number}" if with_try else ""
        st.markdown(f"`{name}` · {size(_size_of(path, told_size))}{about}{tried}")


def _size_of(path: Path, told: int) -> int:
    return logs.size_of(path) or told


def _docs(run: Run, invocation: Invocation) -> None:
    st.header("Documentation of this run", anchor=False)
    with_catalog = run_docs.has_catalog(invocation)
    st.caption(
        "dbt's own site with this run's manifest"
        + (" and catalog." if with_catalog else "; columns and sizes come with `dbt docs generate`.")
    )
    buttons = st.container(horizontal=True)
    if buttons.button("Show the documentation", icon=":material/menu_book:", key="run_docs"):
        with errors.guarded(), st.spinner("Putting the site together…"):
            st.session_state["run_docs_site"] = (run.id, run_docs.site_of(run.project, invocation))
    number, site = st.session_state.get("run_docs_site", (None, ""))
    if number == run.id:
        name = f"run-{run.id}-docs.html"
        buttons.download_button("Download as one file", site, name, "text/html", icon=":material/download:")
        st.iframe(framed(site), height=HEIGHT)
