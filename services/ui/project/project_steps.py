"""The steps of a project: how far each is, what it waits for or why it failed, and the way on."""

import streamlit as st

from models.project import Project, ProjectStep, Step, StepState
from services import projects
from services.ui import errors
from services.ui.badges import STEP_STYLES, STEP_WORDS, badge
from services.ui.words import between, duration, plain

_LIVE_SECONDS = 0.7


def steps_panel(project: Project) -> None:
    """Draw the steps, by themselves as long as one is running; the page follows each change."""
    drawn = projects.steps_of(project)
    st.fragment(_panel, run_every=_LIVE_SECONDS if _is_live(drawn) else None)(project, _states(drawn))


def _panel(project: Project, drawn: list[StepState]) -> None:
    steps = projects.steps_of(project)
    if _states(steps) != drawn:
        st.rerun()
    with st.container(border=True):
        st.header("Steps", anchor=False)
        for number, step in enumerate(steps, start=1):
            _draw(project, number, step, may_repeat=not _is_live(steps) and _may_repeat(steps, step))


def _states(steps: list[ProjectStep]) -> list[StepState]:
    return [step.state for step in steps]


def _is_live(steps: list[ProjectStep]) -> bool:
    return any(step.state is StepState.RUNNING for step in steps)


def _may_repeat(steps: list[ProjectStep], step: ProjectStep) -> bool:
    """A step may be repeated when all before it are done."""
    before = steps[: steps.index(step)]
    return all(each.state is StepState.DONE for each in before)


def _draw(project: Project, number: int, step: ProjectStep, *, may_repeat: bool) -> None:
    left, right = st.columns([5, 2], vertical_alignment="center")
    with left.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**{number}. {STEP_WORDS[step.step]}**", width="content")
            badge(STEP_STYLES[step.state])
            if step.state is StepState.DONE and step.step is not Step.SAVED:
                st.caption(duration(between(step.started_at, step.finished_at)), width="content")
        _say(step)
    if may_repeat:
        _repeat_button(project, step, right.container(horizontal_alignment="right"))


def _say(step: ProjectStep) -> None:
    if step.state is StepState.FAILED:
        text = f":red[{plain(step.message)}]"
        st.markdown(text + (f"  \n{plain(step.hint)}" if step.hint else ""))
    elif step.message:
        st.caption(plain(step.message))


def _repeat_button(project: Project, step: ProjectStep, place: st.delta_generator.DeltaGenerator) -> None:
    undone = step.state is not StepState.DONE
    words = "Try again from here" if step.state is StepState.FAILED else "Go on" if undone else "Repeat"
    clicked = place.button(
        words,
        key=f"repeat_{step.step}",
        type="primary" if undone else "tertiary",
        icon=":material/play_arrow:" if words == "Go on" else ":material/replay:",
        help=None if undone else "Do this step and all after it again. Nothing is done twice.",
    )
    if clicked:
        with errors.guarded():
            projects.start(project.name, from_step=step.step)
            st.rerun()
