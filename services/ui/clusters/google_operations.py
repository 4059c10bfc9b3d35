"""What Google is doing for us, with its own progress and words; and what it did before."""

import streamlit as st

from services import google as gke
from services.google import GoogleOperation, OperationKind, OperationState
from services.google.words import progress, stage_words
from services.ui.words import ago, between, duration, listed, moment, plain

_A_DAY = 86_400
_DOING = {OperationKind.CREATE: "Creating", OperationKind.DELETE: "Deleting"}
_WORDS = {
    OperationState.ASKED: "◔ Google's answer is not known yet",
    OperationState.RUNNING: "◔ Under way",
    OperationState.DONE: "✔ Done",
    OperationState.FAILED: "✖ Failed",
}


def operations_under_way() -> None:
    """Draw what is not over, again every two seconds; the page is drawn anew when something ends."""
    if gke.open_operations():
        st.fragment(_under_way, run_every="2s")([each.id for each in gke.open_operations()])
    _last_failure()


def _under_way(known: list[int | None]) -> None:
    found = gke.open_operations()
    if [each.id for each in found] != known:
        st.rerun()
    for operation in found:
        with st.container(border=True):
            _operation(operation)


def _operation(operation: GoogleOperation) -> None:
    elapsed = duration(between(operation.asked_at, None))
    st.markdown(f"**{_DOING[operation.kind]} {plain(operation.cluster)}** in {plain(operation.location)} · {elapsed}")
    if operation.state is OperationState.ASKED:
        st.caption("Google has not answered yet. If its answer got lost, the collector finds out what came of it.")
        return
    share, stage = progress(operation), stage_words(operation)
    if share is not None:
        st.progress(share, text=plain(stage))
    told = plain(operation.message)
    asked = f"asked by {plain(operation.asked_by)}, Google last told {ago(operation.checked_at)}"
    st.caption(listed([told, asked]))


def _last_failure() -> None:
    """The newest operation if it failed: said where nobody overlooks it, for a day or until something else is asked."""
    newest = next(iter(gke.recent_operations(most=1)), None)
    if newest is None or newest.state is not OperationState.FAILED or (between(newest.asked_at, None) or 0) > _A_DAY:
        return
    text = (
        f"**{_DOING[newest.kind]} {plain(newest.cluster)} failed** {ago(newest.finished_at)}. {plain(newest.message)}"
    )
    left = gke.cluster_at(newest.address) if newest.kind is OperationKind.CREATE else None
    is_broken = left is not None and left.status == "ERROR"
    rest = "What Google made of it is still there: delete it before you create it again." if is_broken else ""
    hint = " ".join(filter(None, [newest.hint, rest]))
    st.error(f"{text}  \n:small[{plain(hint)}]" if hint else text, icon=":material/error:")


def operation_history() -> None:
    """Draw what was asked before, newest first."""
    past = [each for each in gke.recent_operations() if each.state.is_over]
    if not past:
        return
    with st.expander("What was asked before", icon=":material/history:"):
        st.dataframe([_row(each) for each in past], hide_index=True, height="content", alt="Past operations at Google")


def _row(operation: GoogleOperation) -> dict[str, str]:
    return {
        "What": f"{_DOING[operation.kind]} {operation.cluster}",
        "State": _WORDS[operation.state],
        "Project": operation.project_id,
        "Location": operation.location,
        "Asked by": operation.asked_by,
        "When": moment(operation.asked_at),
        "Took": duration(between(operation.asked_at, operation.finished_at)),
        "Google's words": operation.message,
    }
