"""The top of a run's page: its state, who launched it with what, how far it is, and why it waits or failed."""

import streamlit as st

from contracts.run_conf import DbtCommand
from models.run import Invocation, Run, Trigger
from models.run_state import RunState
from services.operators import operator
from services.run.since_green import neighbours, since_green
from services.runs.history import usual_seconds
from services.ui.badges import badge
from services.ui.run.missing_end import missing_end
from services.ui.run.run_changes import changed_since
from services.ui.words import ago, between, count, duration, listed, moment, plain

_TRIGGER_WORDS = {
    Trigger.MANUAL: "Launched by hand",
    Trigger.SCHEDULE: "Started by its schedule",
    Trigger.AIRFLOW: "Started in Airflow",
    Trigger.RETRY: "Retry",
}


def run_header(run: Run, invocations: list[Invocation]) -> None:
    """Draw state, facts, command, progress and message of a run."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        badge(run.state.style)
        st.page_link(
            "pages/project.py",
            label=f"**{plain(run.project)}**",
            icon=":material/folder:",
            query_params={"name": run.project},
        )
        st.markdown(_origin(run), width="content")
        if run.retry_of:
            st.page_link(
                "pages/run.py", label=f"Retry of run {run.retry_of}", query_params={"run_id": str(run.retry_of)}
            )
        _neighbours(run)
    _facts(run, invocations)
    st.code(f"dbt {run.command}", language=None, wrap_lines=True)
    _progress(run)
    _message(run, invocations)


def _neighbours(run: Run) -> None:
    """The runs of its like before and after it, and the comparison with the one before."""
    before, after = neighbours(run)
    st.space("stretch")
    if before:
        _link("run", f"← Run {before}", run_id=str(before))
        _link("compare", "Compare with it", runs=f"{before}-{run.id}")
    if after:
        _link("run", f"Run {after} →", run_id=str(after))


def _origin(run: Run) -> str:
    who = f"by **{plain(run.launched_by)}**" if run.launched_by else ""
    how = _TRIGGER_WORDS[run.trigger]
    text = f"{how.removesuffix(' by hand')} {who}" if who and run.trigger is not Trigger.SCHEDULE else how
    return f"{text}, {ago(run.created_at)}"


def _facts(run: Run, invocations: list[Invocation]) -> None:
    ended = run.finished_at or (run.collected_at if run.state.is_terminal else None)
    waited = between(run.created_at, run.started_at or ended)
    ran = between(run.started_at, ended)
    last = invocations[-1] if invocations else None
    facts = [
        ("Queued for", duration(waited), f"Created {moment(run.created_at)}"),
        ("Running for" if not run.state.is_terminal else "Ran for", duration(ran), _compared(run)),
        ("Operator", operator(run.operator).label, None),
        ("Target", plain(run.target or "project's default"), None),
        ("Commit", f"`{run.git_sha[:8]}`" if run.git_sha else "not from git", run.git_sha),
    ]
    if last and last.try_number > 1:
        facts.append(("Try", str(last.try_number), "Airflow started this run's task again."))
    for column, (label, value, hint) in zip(st.columns(len(facts)), facts, strict=True):
        column.markdown(f":small[:gray[{label}]]  \n**{value}**", help=hint)


def _compared(run: Run) -> str:
    usual = usual_seconds(run)
    return f"Started {moment(run.started_at)}" + (f"; runs like this usually take {duration(usual)}" if usual else "")


def _progress(run: Run) -> None:
    done = run.nodes_ok + run.nodes_warn + run.nodes_error + run.nodes_skipped
    parts = [
        f"{run.nodes_ok:,} ok" if run.nodes_ok else "",
        f"{run.nodes_warn:,} warned" if run.nodes_warn else "",
        f"{run.nodes_error:,} failed" if run.nodes_error else "",
        f"{run.nodes_skipped:,} skipped" if run.nodes_skipped else "",
    ]
    if run.nodes_total:
        text = f"**{done:,} of {count(run.nodes_total, 'node')} done**" + (f" · {listed(parts)}" if done else "")
        st.progress(min(1.0, done / run.nodes_total), text=text)
    elif not run.state.is_terminal:
        st.progress(0.0, text=_waits_for(run))


def _waits_for(run: Run) -> str:
    if run.state is RunState.RUNNING:
        is_parsing = run.command.split(" ", 1)[0] not in (DbtCommand.DEBUG, DbtCommand.RUN_OPERATION)
        return "dbt is reading the project; nodes come next" if is_parsing else "dbt is at work"
    if run.handed_over_at is None:
        return "Handing the run to Airflow"
    if run.state is RunState.STARTING:
        return "Airflow has begun the run; dbt has not started yet"
    return "Waiting in Airflow's queue"


def _message(run: Run, invocations: list[Invocation]) -> None:
    position = invocations[-1].queue_position if invocations and not run.state.is_terminal else None
    if run.cancel_requested_at and not run.state.is_terminal:
        by = f" by {plain(run.cancel_requested_by)}" if run.cancel_requested_by else ""
        st.warning(
            f"Cancel asked{by} {ago(run.cancel_requested_at)}. dbt is being stopped.", icon=":material/front_hand:"
        )
    if position:
        st.info(f"Number {position} in the dbt API's queue.", icon=":material/hourglass_top:")
    if invocations and (missing := missing_end(run, invocations[-1])):
        st.warning(plain(missing), icon=":material/content_cut:")
    if not run.message or run.state is RunState.SUCCEEDED:
        return
    if run.state is RunState.FAILED:
        st.error(plain(run.message), icon=":material/error:")
        _before_it(run, invocations[-1].id if invocations else None)
    else:
        st.info(plain(run.message), icon=":material/info:")
        if run.state in (RunState.QUEUED, RunState.STARTING):
            _link("capacity", "See what Airflow is busy with")


def _before_it(run: Run, invocation_id: int | None) -> None:
    """Whether it failed before, since when, and what it can be compared with."""
    past = since_green(run)
    first, green = past.first_failed, past.last_green
    again = f"Failed {past.failed_in_a_row} times in a row, since {ago(first.created_at)}."
    said = "It did not fail the time before." if past.failed_in_a_row == 1 and green else again
    if past.failed_in_a_row == 1 and not green:
        said = "No run like it has succeeded yet."
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":gray[{said}]", width="content")
        if past.failed_in_a_row > 1:
            _link("run", f"First failed: run {first.id}", run_id=str(first.id))
        if green:
            moved = ", other commit" if past.commit_changed else ""
            _link("run", f"Last green: run {green.id}, {ago(green.created_at)}{moved}", run_id=str(green.id))
            _link("compare", "Compare with the green one", runs=f"{green.id}-{run.id}")
    if green and invocation_id:
        changed_since(green, run, invocation_id=invocation_id)


def _link(page: str, label: str, **query: str) -> None:
    st.page_link(f"pages/{page}.py", label=label, query_params=query)
