"""Launch: a project, a dbt command, the nodes and options of one run, what they mean, and the button."""

import shlex
from collections import Counter
from uuid import uuid4

import streamlit as st

from contracts.dbt_api import Preview
from contracts.pods import PodParameters
from models.project import Project
from services import projects
from services.errors import NotFound
from services.operators import operator
from services.runs import history, orders
from services.ui import errors, shell
from services.ui.check_list import check_button
from services.ui.launch_form import Filled, fill_from, launch_form
from services.ui.right_to_run import right_to_run
from services.ui.words import count, plain

shell.require()
st.title("Launch", anchor=False)


def fill_in_from_run() -> None:
    """Start from an earlier run, once for each address that asks for it."""
    wanted = st.query_params.get("from_run")
    if wanted is None or st.session_state.get("filled_from") == wanted:
        return
    with errors.guarded():
        if not wanted.isdigit():
            raise NotFound(f"There is no run '{wanted}' to start from.")
        run = history.get_run(int(wanted))
        fill_from(run.conf, projects.get_project(run.project))
        st.session_state["project"] = run.project
        st.session_state["filled_from"] = wanted
        st.toast(f"Filled in with run {run.id}.")


def choose_project() -> Project:
    """The project of the URL or of the list; a page that helps on when there is none."""
    names = [project.name for project in projects.list_projects()]
    if not names:
        st.info("There is no project to launch yet.", icon=":material/add_circle:")
        st.page_link("pages/new_project.py", label="Create the first project", icon=":material/add:")
        st.stop()
    asked = st.query_params.get("project")
    if asked and asked not in names:
        st.warning(f"There is no project {plain(asked)}.", icon=":material/search_off:")
    return projects.get_project(st.selectbox("Project", names, key="project", bind="query-params"))


def draw_preview(project: Project, filled: Filled) -> None:
    """Draw dbt's own answer to the selection, as long as it belongs to what the form says now."""
    asked = (project.name, filled.request.model_dump_json())
    if st.button("Preview nodes", icon=":material/visibility:", disabled=filled.conf is None, width="stretch"):
        with errors.guarded(), st.spinner("dbt is reading the project…"):
            st.session_state["preview"] = (asked, orders.preview(project.name, filled.request))
    answered, preview = st.session_state.get("preview", (None, None))
    if answered == asked and preview is not None:
        _draw_answer(preview)


def _draw_answer(preview: Preview) -> None:
    if not preview.ok:
        st.error("dbt refuses this selection:", icon=":material/error:")
        st.code(preview.message or "dbt gave no reason.", language=None, wrap_lines=True)
        return
    if not preview.unique_ids:
        st.warning("This selection means no node: dbt would do nothing.", icon=":material/filter_alt_off:")
        return
    kinds = Counter(node.resource_type.replace("_", " ") for node in preview.nodes)
    st.markdown(
        f"**{count(len(preview.unique_ids), 'node')}:** "
        + " · ".join(count(n, kind) for kind, n in kinds.most_common())
    )
    st.dataframe(
        {
            "Type": [node.resource_type.replace("_", " ") for node in preview.nodes],
            "Node": [node.name for node in preview.nodes],
            "File": [node.path for node in preview.nodes],
        },
        hide_index=True,
        height=min(300, 37 + 35 * len(preview.nodes)),
        alt="The nodes that this selection means",
    )


def draw_pod(project: Project, filled: Filled) -> None:
    """Draw what a run in a pod adds: the container's own words, and a check of this run's parameters."""
    model = operator(project.operator).parameters
    if filled.conf is None or model is None or not project.operator.runs_in_pods:
        return
    given = filled.conf.operator_parameters
    parameters = model.model_validate(given)
    if isinstance(parameters, PodParameters):
        with st.expander("In the pod", icon=":material/deployed_code:"):
            words = [*parameters.entrypoint, *parameters.container_arguments(filled.conf.dbt_arguments())]
            st.code(shlex.join(words), language="bash", wrap_lines=True)
            behind = "" if parameters.entrypoint else ", behind its own entrypoint"
            st.caption(f"In {plain(parameters.image)}{behind}")
    this_run = Project(**{**project.model_dump(), "operator_parameters": given})
    check_button(this_run, key="launch", told="Ask the cluster and Airflow whether this run could start.")


def launch_key(project: Project, filled: Filled) -> str:
    """The identity of the run that this form launches, made when the form first says so."""
    asked = (project.name, filled.request.model_dump_json())
    if st.session_state.get("launch_key", (None, ""))[0] != asked:
        st.session_state["launch_key"] = (asked, uuid4().hex)
    return str(st.session_state["launch_key"][1])


def draw_launch(project: Project, filled: Filled) -> None:
    """Draw the button. One filled form launches one run, however often it is clicked; a changed form is another run."""
    wrong = f"Mend the field '{filled.problem.field}' first." if filled.problem else None
    if filled.problem and filled.problem.field.startswith("operator_parameters"):
        st.markdown(f":red[:material/error: {plain(f'Parameters for this run: {filled.problem.message}')}]")
    ready = right_to_run(project.operator, project.operator_parameters) and filled.conf is not None
    icon = ":material/rocket_launch:"
    if not st.button("Launch", type="primary", icon=icon, width="stretch", disabled=not ready, help=wrong):
        return
    with errors.guarded(), st.spinner("Handing the run to Airflow…"):
        run = orders.launch(
            project.name, filled.request, launch_key=launch_key(project, filled), by=shell.current_user()
        )
        del st.session_state["launch_key"]
        st.switch_page("pages/run.py", query_params={"run_id": str(run.id)})


fill_in_from_run()
form, summary = st.columns([3, 2], gap="large")
with form:
    project = choose_project()
    filled = launch_form(project, projects.nodes_of(project.name), by=shell.current_user())
with summary, st.container(border=True):
    st.markdown("**This will run**")
    words = filled.conf.dbt_arguments() if filled.conf else filled.request.command.split(" ")
    st.code(shlex.join(["dbt", *words]), language=None, wrap_lines=True)
    draw_launch(project, filled)
    if filled.request.command.takes_selection:
        draw_preview(project, filled)
    draw_pod(project, filled)
