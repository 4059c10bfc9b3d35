"""The form of a project: new, `?project=` to edit one, `?copy=` to start from one."""

import streamlit as st

from services import projects
from services.errors import InvalidInput
from services.projects import InvalidDraft, ProjectDraft
from services.ui import errors, shell
from services.ui.project.project_form import ProjectForm
from services.ui.right_to_run import right_to_run
from services.ui.words import plain

shell.require()

editing = st.query_params.get("project")
copied = st.query_params.get("copy")


def initial() -> ProjectDraft:
    """What the form starts with. Raises NotFound."""
    if editing:
        return ProjectDraft.of(projects.get_project(editing))
    if copied:
        draft = ProjectDraft.of(projects.get_project(copied))
        return draft.model_copy(update={"name": f"{copied}_copy"[:50]})
    return ProjectDraft(owner=shell.current_user())


def problems(draft: ProjectDraft) -> dict[str, str]:
    """Everything that keeps the draft from being saved."""
    try:
        _ = projects.checked(draft) if editing else projects.checked_new(draft)
        if form.archive is not None:
            projects.check_archive(form.archive)
    except InvalidDraft as error:
        return error.problems
    except InvalidInput as error:
        return {error.field: error.message}
    return {}


def save(draft: ProjectDraft) -> None:
    """Save, start the steps in the background, and show them."""
    by = shell.current_user()
    if form.archive is not None:
        projects.keep_archive(form.archive)
    project = projects.update(editing, draft, by=by) if editing else projects.create(draft, by=by)
    projects.start(project.name)
    st.session_state.pop(tried, None)
    st.switch_page("pages/project.py", query_params={"name": project.name})


with errors.stopping():
    start = initial()
title = f"Edit {plain(start.name)}" if editing else (f"Duplicate {plain(copied)}" if copied else "New project")
st.title(title, anchor=False)
if editing:
    st.caption("Saving repeats only the steps that your changes concern. Runs under way are not touched.")
elif copied:
    st.caption("A copy with its own DAG. A template or upload is made anew; a folder or repository is shared.")
else:
    st.caption("Describe the project. Saving it fetches the source, lets dbt parse it, and publishes it to Airflow.")

form = ProjectForm(start, key=editing or f"copy_{copied or ''}", is_new=not editing)
tried = f"tried_{form.key}"
draft = form.draw()

right_to_run(draft.operator, draft.operator_parameters)
with st.container(horizontal=True):
    clicked = st.button("Save changes" if editing else "Create project", type="primary", icon=":material/check:")
    if st.button("Cancel", type="tertiary"):
        target = "pages/project.py" if editing or copied else "pages/projects.py"
        st.switch_page(target, query_params={"name": editing or copied or ""} if editing or copied else None)

if clicked:
    st.session_state[tried] = True
if st.session_state.get(tried):
    found = problems(draft)
    if found:
        form.show(found)
        count = f"{len(found)} fields need" if len(found) > 1 else "One field needs"
        errors.show(InvalidInput(f"{count} your attention: the reason stands below each.", field=next(iter(found))))
    elif clicked:
        with errors.guarded():
            save(draft)
