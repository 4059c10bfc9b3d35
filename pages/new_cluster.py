"""A new cluster in Google: the form, what is asked of Google, what that means, and the confirmation."""

import json

import streamlit as st

from contracts.gke.clusters import ClusterSpec
from contracts.gke.request import cluster_request, gcloud_command
from services import google as gke
from services.errors import InvalidInput, NotAllowed
from services.google.projects import watched_projects
from services.google.words import consequences
from services.rights import WHOM_TO_ASK, WHY_NOT, may_change_clusters
from services.ui import errors, shell
from services.ui.clusters.google_form import ClusterForm
from services.ui.words import plain

shell.require()

_REVIEWED = "gke_reviewed"
_BACK = {"tab": "Google"}


def meaning(spec: ClusterSpec) -> None:
    """Draw what creating it means."""
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in consequences(spec)))


def asked(spec: ClusterSpec) -> None:
    """Draw what Google is sent."""
    command, request = st.tabs(["gcloud", "Request"])
    command.code(gcloud_command(spec).replace(" --", " \\\n  --"), language=None, wrap_lines=True)
    request.code(json.dumps(cluster_request(spec), indent=2), language="json")


def confirmed(spec: ClusterSpec) -> None:
    """Ask once more; on a yes, ask Google and show how it goes."""
    with st.container(border=True):
        st.markdown(f"**Create {plain(spec.name)} now?**")
        meaning(spec)
        with st.container(horizontal=True):
            sure = st.button("Create cluster", type="primary", icon=":material/cloud_upload:")
            if st.button("Back to the form", type="tertiary"):
                st.session_state.pop(_REVIEWED, None)
                st.rerun()
    if sure:
        with errors.guarded():
            with st.spinner("Asking Google…"):
                gke.create(spec, by=shell.current_user())
            st.session_state.pop(_REVIEWED, None)
            st.switch_page("pages/clusters.py", query_params=_BACK)


st.title("Create a cluster in Google", anchor=False)
st.caption("A cluster that stays until it is deleted. One for each run is a matter of the project's operator instead.")
if not watched_projects():
    errors.show(NotAllowed("No Google project is configured.", hint="Set PILOTHOUSE_GOOGLE_PROJECTS."))
    st.stop()
if not may_change_clusters(shell.current_user()):
    errors.show(NotAllowed(WHY_NOT, hint=WHOM_TO_ASK))
    st.stop()

left, right = st.columns([3, 2], gap="large")
with left:
    form = ClusterForm()
    values = form.draw()
    with st.container(horizontal=True):
        clicked = st.button("Review", type="primary", icon=":material/fact_check:")
        if st.button("Cancel", type="tertiary"):
            st.session_state.pop(_REVIEWED, None)
            st.switch_page("pages/clusters.py", query_params=_BACK)
found = gke.problems(values)
if clicked:
    st.session_state[_REVIEWED] = values
is_reviewed = st.session_state.get(_REVIEWED) == values

with right:
    st.header("What is asked of Google", anchor=False)
    if found:
        st.caption("The request, the gcloud command and what they mean stand here when the form is complete.")
    else:
        spec = ClusterSpec.model_validate(values)
        meaning(spec)
        asked(spec)
        if is_reviewed:
            with left:
                confirmed(spec)
if found and (clicked or _REVIEWED in st.session_state):
    form.show(found)
    with left:
        words = f"{len(found)} fields need" if len(found) > 1 else "One field needs"
        errors.show(InvalidInput(f"{words} your attention: the reason stands below each.", field=next(iter(found))))
