"""One project, `?name=`: its steps as they happen, what dbt found in it, its settings and its runs."""

import streamlit as st

from models.project import Step, StepState
from services import projects
from services.runs import history
from services.runs.history import RunFilter
from services.ui import errors, shell
from services.ui.check_list import check_button
from services.ui.project.project_actions import project_actions
from services.ui.project.project_contents import contents, problems
from services.ui.project.project_docs import docs
from services.ui.project.project_notifications import project_notifications
from services.ui.project.project_settings import settings_card
from services.ui.project.project_steps import steps_panel
from services.ui.runs.run_table import run_table
from services.ui.words import plain

RUNS_SHOWN = 20

shell.require()

with errors.stopping():
    project = projects.get_project(st.query_params.get("name", ""))
steps = {step.step: step for step in projects.steps_of(project)}
is_ready = all(step.state is StepState.DONE for step in steps.values())
parsed = steps[Step.PARSED]

title, actions = st.columns([2, 3], vertical_alignment="center")
with title.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title(plain(project.name), anchor=False, width="content")
    if project.paused:
        st.badge("Paused", icon=":material/pause_circle:", color="gray")
with actions:
    project_actions(project, is_ready=is_ready)
if project.description:
    st.markdown(plain(project.description))

left, right = st.columns([3, 2], gap="medium")
with left:
    steps_panel(project)
    if parsed.state in (StepState.DONE, StepState.FAILED):
        problems(parsed)
    with st.container(border=True):
        st.markdown("**Preflight**", help="The same is asked before the project is published.")
        check_button(
            project, key=f"project_{project.name}", told="Ask the operator's systems whether a run could start."
        )
with right:
    settings_card(project, is_ready=is_ready)
    link = steps[Step.KNOWN_TO_AIRFLOW].detail.get("link")
    if link and is_ready:
        st.link_button("Open the DAG in Airflow", link, icon=":material/open_in_new:")

tabs = ["Contents", "Documentation", "Last runs", "Notifications"]
nodes_tab, docs_tab, runs_tab, told_tab = st.tabs(tabs, key="tab", bind="query-params")
with nodes_tab:
    contents(project, parsed, projects.nodes_of(project.name))
with docs_tab:
    docs(project)
with runs_tab:
    last = history.list_runs(RunFilter(projects=[project.name]), page_size=RUNS_SHOWN)
    if not last.runs:
        st.caption("It has not run yet." + (" Launch it to see its first run here." if is_ready else ""))
    else:
        run_table(last.runs, key="project_runs")
        st.page_link(
            "pages/runs.py",
            label=f"All {last.total:,} runs",
            icon=":material/history:",
            query_params={"project": project.name},
        )
with told_tab:
    project_notifications(project)
