"""The notifications tab of a project's page: which channels are told of what, a test, and what was sent."""

import pandas as pd
import streamlit as st

from models.notification import Delivery, NotificationRule, Occasion
from models.project import Project
from services import notifications
from services.errors import ConfigurationError
from services.ui import errors
from services.ui.shell import current_user
from services.ui.words import ago, plain

_WORDS = {
    Occasion.FAILURE: "a run fails",
    Occasion.RECOVERY: "it is green again",
    Occasion.SLOW: "a run is slower than usual",
}


def project_notifications(project: Project) -> None:
    """Draw the rules of a project and a form for the next one."""
    try:
        known = sorted(notifications.channels().channels)
    except ConfigurationError as error:
        errors.show(error)
        return
    rules = notifications.rules_of(project.name)
    for rule in rules:
        _rule(project, rule, is_known=rule.channel in known)
    unused = [name for name in known if name not in {rule.channel for rule in rules}]
    if unused:
        _new_rule(project, unused)
    elif not known:
        st.info(
            "There is no channel yet. Whoever runs the console adds Slack, Teams, webhook or e-mail channels in "
            "`pilothouse_channels.toml` in the secrets folder.",
            icon=":material/notifications_off:",
        )
    _sent(notifications.deliveries_of(project.name))


def _rule(project: Project, rule: NotificationRule, *, is_known: bool) -> None:
    labels = {words: occasion for occasion, words in _WORDS.items()}
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        missing = "" if is_known else "  \n:red[:material/error: This channel is no longer in the channels file.]"
        st.markdown(f"**{plain(rule.channel)}** is told when{missing}", width="content")
        st.pills(
            f"{rule.channel} is told when",
            list(labels),
            selection_mode="multi",
            default=[words for words, occasion in labels.items() if occasion in rule.occasions],
            key=f"occasions_{rule.id}",
            label_visibility="collapsed",
            width="stretch",
            on_change=_change,
            args=(project.name, rule),
            disabled=not is_known,
        )
        if st.button("Send a test", icon=":material/send:", key=f"test_{rule.id}", disabled=not is_known):
            with errors.guarded(), st.spinner("Sending…"):
                notifications.send_test(project.name, rule.channel, by=current_user())
                st.toast(f"{rule.channel} took the test message.", icon=":material/check:")
        if st.button("Remove", icon=":material/delete:", key=f"remove_{rule.id}"):
            notifications.remove_rule(rule.id or 0)
            st.rerun()


def _change(project: str, rule: NotificationRule) -> None:
    """Keep what is chosen now; a channel that is told of nothing stays, for later."""
    chosen = {occasion for occasion, words in _WORDS.items() if words in st.session_state[f"occasions_{rule.id}"]}
    with errors.guarded():
        notifications.save_rule(
            project,
            rule.channel,
            on_failure=Occasion.FAILURE in chosen,
            on_recovery=Occasion.RECOVERY in chosen,
            on_slow=Occasion.SLOW in chosen,
        )


def _new_rule(project: Project, channels: list[str]) -> None:
    with st.form("new_rule", border=True):
        channel = st.selectbox("Tell the channel", channels)
        ticked = {
            occasion: st.checkbox(f"when {words}", value=occasion is not Occasion.SLOW, key=f"on_{occasion}")
            for occasion, words in _WORDS.items()
        }
        if st.form_submit_button("Add", icon=":material/add:"):
            with errors.guarded():
                notifications.save_rule(
                    project.name,
                    channel,
                    on_failure=ticked[Occasion.FAILURE],
                    on_recovery=ticked[Occasion.RECOVERY],
                    on_slow=ticked[Occasion.SLOW],
                )
                st.rerun()


def _sent(found: list[Delivery]) -> None:
    if not found:
        return
    st.markdown("**Last messages**")
    st.dataframe(
        pd.DataFrame(
            {
                "Run": [each.run_id for each in found],
                "Channel": [each.channel for each in found],
                "Why": [_WORDS[each.occasion] for each in found],
                "What became of it": [_fate(each) for each in found],
            }
        ),
        hide_index=True,
        alt="The last notifications about this project's runs",
    )


def _fate(each: Delivery) -> str:
    if each.sent_at:
        return f"sent {ago(each.sent_at)}"
    if each.due_at is None:
        return f"given up after {each.attempts} attempts: {each.problem}"
    return f"tried again soon: {each.problem}" if each.problem else "about to be sent"
