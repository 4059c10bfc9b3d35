"""The launch form: a dbt command and exactly the options that this command takes, as a LaunchRequest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
import yaml
from streamlit.delta_generator import DeltaGenerator

from contracts.run_conf import DbtCommand, RunConf
from models.project import Project, ProjectNode
from services.errors import InvalidInput, NotAllowed
from services.operators import operator
from services.runs.launching import LaunchRequest, build_conf
from services.ui.node_picker import node_picker
from services.ui.preset_bar import PresetFields
from services.ui.words import plain

COMMAND_WORDS = {
    DbtCommand.BUILD: "Runs models, seeds and snapshots in order, and tests each right after it is built.",
    DbtCommand.RUN: "Builds models only; tests nothing.",
    DbtCommand.TEST: "Runs the tests on what is already in the warehouse.",
    DbtCommand.SEED: "Loads the project's CSV files into the warehouse.",
    DbtCommand.SNAPSHOT: "Records how rows have changed since the last snapshot.",
    DbtCommand.COMPILE: "Renders the SQL without running it.",
    DbtCommand.DOCS_GENERATE: "Compiles, and reads the warehouse's catalog for the documentation.",
    DbtCommand.SOURCE_FRESHNESS: "Checks how old the newest rows of the sources are.",
    DbtCommand.LIST: "Lists the nodes of a selection; touches no data.",
    DbtCommand.RUN_OPERATION: "Calls one macro, for example to grant or to clean up.",
    DbtCommand.DEBUG: "Tests the connection to the warehouse and the project's set-up.",
}
_SELECTOR_HELP = (
    "dbt's selector syntax, blanks between selectors: `stg_orders+` (with children), `+fct_sales` (with parents), "
    "`tag:nightly`, `path:models/marts`, `stg_orders,tag:nightly` (both at once)."
)


@dataclass(frozen=True)
class Filled:
    """What the form says, the conf that it makes, or what is wrong with it."""

    request: LaunchRequest
    conf: RunConf | None
    problem: InvalidInput | None


def launch_form(project: Project, nodes: Sequence[ProjectNode], *, by: str) -> Filled:
    """Draw the form; a wrong value has its message right under its field."""
    command = _command(project)
    values: dict[str, Any] = {"command": command}
    slots: dict[str, Any] = {}
    if command is DbtCommand.RUN_OPERATION:
        values |= _macro(nodes, slots)
    if command.takes_selection:
        values |= _selection(nodes, slots)
    values |= _options(project, command, slots)
    values["operator_parameters"] = _operator_parameters(project, slots)
    request = LaunchRequest(**values)
    try:
        return Filled(request, build_conf(project, request, by=by), None)
    except InvalidInput as error:
        hint = f" {error.hint}" if error.hint else ""
        slot = slots.get(error.field) or slots.get(error.field.split(".")[0]) or st
        slot.markdown(f":red[:material/error: {plain(error.message + hint)}]")
        return Filled(request, None, error)
    except NotAllowed as error:
        st.error(plain(f"{error.message} {error.hint or ''}"), icon=":material/block:")
        return Filled(request, None, InvalidInput(error.message, field="operator"))


def _command(project: Project) -> DbtCommand:
    commands = list(DbtCommand)
    chosen = st.selectbox(
        "dbt command",
        commands,
        index=commands.index(project.command),
        format_func=lambda command: command.value,
        key="launch_command",
    )
    st.caption(COMMAND_WORDS[DbtCommand(chosen)])
    return DbtCommand(chosen)


def _selection(nodes: Sequence[ProjectNode], slots: dict[str, Any]) -> dict[str, Any]:
    with st.container(border=True):
        chosen = node_picker(nodes, key="select", label="Nodes", help_typed=_SELECTOR_HELP)
        slots["select"] = st.container()
        leave_out = st.expander(
            "Leave nodes out", key="launch_exclude_open", expanded=bool(st.session_state.get("exclude_typed"))
        )
        with leave_out:
            left_out = node_picker(nodes, key="exclude", label="Nodes to leave out", help_typed=_SELECTOR_HELP)
            slots["exclude"] = st.container()
    return {"select": chosen, "exclude": left_out}


def _macro(nodes: Sequence[ProjectNode], slots: dict[str, Any]) -> dict[str, Any]:
    macros = sorted(node.name for node in nodes if node.resource_type == "macro")
    macro = st.selectbox(
        "Macro", macros, index=None, key="launch_macro", accept_new_options=True, placeholder="Choose, or type a name"
    )
    slots["macro"] = st.container()
    arguments = st.text_area(
        "Macro arguments (YAML)", key="launch_macro_arguments", placeholder="role: reporter", height=90
    )
    slots["macro_arguments"] = st.container()
    return {"macro": macro, "macro_arguments": arguments or ""}


def _options(project: Project, command: DbtCommand, slots: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    columns = st.columns(3, vertical_alignment="bottom")
    default = f"Project's default ({project.target})" if project.target else "Project's default"
    values["target"] = columns[0].selectbox(
        "Target", project.targets, index=None, placeholder=default, key="launch_target"
    )
    if command.takes_threads:
        values["threads"] = columns[1].number_input(
            "Threads",
            min_value=1,
            max_value=64,
            value=None,
            step=1,
            key="launch_threads",
            placeholder=str(project.threads or "As in the profile"),
        )
    if command.takes_full_refresh:
        values["full_refresh"] = columns[2].toggle(
            "Full refresh", key="launch_full_refresh", help="Rebuilds incremental models and seeds from nothing."
        )
    for name in ("target", "threads", "full_refresh"):
        slots[name] = st.container()
    values["vars"] = (
        st.text_area(
            "Vars (YAML)",
            key="launch_vars",
            placeholder="start_date: 2026-01-01",
            height=90,
            help="dbt writes vars to its log in clear: never put a secret here.",
        )
        or ""
    )
    slots["vars"] = st.container()
    return values


def _operator_parameters(project: Project, slots: dict[str, Any]) -> dict[str, Any]:
    """The parameters that differ from the project's own."""
    runner = operator(project.operator)
    fields = _fields(project)
    usual = fields.model.model_construct(**project.operator_parameters).model_dump(mode="json", warnings=False)
    with st.expander(f"{runner.label} parameters for this run", icon=":material/tune:"):
        values = fields.draw(usual, place=lambda name: _above_a_slot(f"operator_parameters.{name}", slots))
        slots["operator_parameters"] = st.container()
    return {name: value for name, value in values.items() if value != usual[name]}


def _fields(project: Project) -> PresetFields:
    model = operator(project.operator).parameters
    kept = getattr(model, "PER_PROJECT", ())
    return PresetFields(project.operator, model, f"launch_parameter_{project.name}", skip=kept)


def _above_a_slot(name: str, slots: dict[str, Any]) -> DeltaGenerator:
    """A container for a field, with a place for its problem below."""
    outer = st.container(gap="xxsmall")
    inner = outer.container()
    slots[name] = outer.container()
    return inner


def fill_from(conf: dict[str, Any], project: Project) -> None:
    """Put an earlier run's conf into the form, before it is drawn."""
    state = st.session_state
    state["launch_command"] = DbtCommand(conf.get("command", project.command))
    for side in ("select", "exclude"):
        state[f"{side}_typed"] = " ".join(conf.get(side, []))
    state["launch_full_refresh"] = bool(conf.get("full_refresh"))
    state["launch_target"] = conf.get("target") if conf.get("target") in project.targets else None
    state["launch_threads"] = conf.get("threads")
    state["launch_macro"] = conf.get("macro")
    for name, key in (("vars", "launch_vars"), ("macro_arguments", "launch_macro_arguments")):
        state[key] = yaml.safe_dump(conf[name], sort_keys=False) if conf.get(name) else ""
    _fields(project).fill(conf.get("operator_parameters") or {})
