"""The form of a new cluster in Google, drawn from its contract; each problem stands below its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo
from streamlit.delta_generator import DeltaGenerator

from contracts.gke.clusters import ClusterMode, ClusterSpec, ReleaseChannel
from services.google.projects import watched_projects
from services.ui.words import plain

_COLUMNS = 3
_FIELDS: Mapping[str, FieldInfo] = ClusterSpec.model_fields
_NETWORK = ("network", "subnetwork", "private_nodes")
_RANGES = ("pod_range", "pod_range_name", "service_range", "service_range_name", "control_plane_range")
_NODES = ("machine_type", "disk_type", "disk_size_gb", "node_count", "min_nodes", "max_nodes")
_SWITCHES_OF_NODES = ("autoscaling", "spot", "workload_identity")
_MORE_OF_NODES = ("node_service_account", "zones")
_CHOICES: dict[str, list[str]] = {
    "disk_type": ["pd-balanced", "pd-standard", "pd-ssd", "hyperdisk-balanced"],
    "release_channel": [each.value for each in ReleaseChannel],
}
_EXAMPLES = {
    "location": "europe-west1",
    "name": "dbt",
    "subnetwork": "the network's own",
    "pod_range": "10.96.0.0/14",
    "service_range": "10.94.0.0/20",
    "control_plane_range": "172.16.0.0/28",
    "authorised_networks": "203.0.113.0/24",
    "labels": "team=finance",
    "zones": "europe-west1-b",
}


@dataclass
class ClusterForm:
    """One form."""

    _slots: dict[str, DeltaGenerator] = field(default_factory=dict)

    def draw(self) -> dict[str, Any]:
        """Draw all fields and return what they hold, unchecked."""
        with _section("What and where"):
            values = self._where()
        is_standard = values["mode"] is ClusterMode.STANDARD
        with _section("Who reaches its control plane"):
            values |= self._row(("dns_endpoint", "open_to_internet"))
            if not values["open_to_internet"]:
                values |= self._row(("authorised_networks",), columns=1)
        with _section("Network"):
            values |= self._row(_NETWORK)
            with st.expander("Address ranges", icon=":material/lan:"):
                values |= self._row(_RANGES)
        if is_standard:
            with _section("Nodes"):
                values |= self._nodes()
        with _section("More"):
            values |= self._row(("release_channel", "labels"), columns=2)
        return {name: value for name, value in values.items() if value is not None}

    def show(self, problems: Mapping[str, str]) -> None:
        """Write each problem below its field."""
        for name, message in problems.items():
            text = f":red[:material/error: {plain(message)}]"
            slot = self._slots.get(name)
            (slot or st).markdown(text)

    def _where(self) -> dict[str, Any]:
        mode = st.segmented_control(
            "Mode",
            list(ClusterMode),
            default=ClusterMode.AUTOPILOT,
            format_func=lambda each: each.value.capitalize(),
            required=True,
            key="gke_mode",
            help=_FIELDS["mode"].description,
        )
        project, *others = st.columns(_COLUMNS)
        with project:
            chosen = st.selectbox("Google project", watched_projects(), key="gke_project_id")
            self._slots["project_id"] = st.empty()
        values: dict[str, Any] = {"mode": ClusterMode(str(mode)), "project_id": chosen}
        for column, name in zip(others, ("location", "name"), strict=True):
            with column:
                values[name] = self._draw(name)
        return values

    def _nodes(self) -> dict[str, Any]:
        values = self._row(_NODES) | self._row(_SWITCHES_OF_NODES)
        return values | self._row(_MORE_OF_NODES, columns=2)

    def _row(self, names: tuple[str, ...], *, columns: int = _COLUMNS) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for start in range(0, len(names), columns):
            for column, name in zip(st.columns(columns), names[start : start + columns], strict=False):
                with column:
                    values[name] = self._draw(name)
        return values

    def _draw(self, name: str) -> Any:
        value = _widget(name, _FIELDS[name])
        self._slots[name] = st.empty()
        return value


def _section(title: str) -> DeltaGenerator:
    box = st.container(border=True)
    box.markdown(f"**{title}**")
    return box


def _widget(name: str, told: FieldInfo) -> Any:
    """The value of a field as its contract wants it; None when it is left empty."""
    label, key, default = str(told.title), f"gke_{name}", told.get_default(call_default_factory=True)
    if name in _CHOICES:
        return st.selectbox(label, _CHOICES[name], index=_CHOICES[name].index(default), key=key, help=told.description)
    if isinstance(default, bool):
        return st.toggle(label, default, key=key, help=told.description)
    if isinstance(default, int):
        return st.number_input(label, value=default, step=1, key=key, help=told.description)
    example = _EXAMPLES.get(name)
    if isinstance(default, list | dict):
        asked = "One a line. " + (told.description or "")
        text = st.text_area(label, key=key, help=asked, height=90, placeholder=example) or ""
        return _pairs(text) if isinstance(default, dict) else _lines(text)
    start = default if isinstance(default, str) else ""
    text = (st.text_input(label, start, key=key, help=told.description, placeholder=example) or "").strip()
    return text if text or told.is_required() else None


def _lines(text: str) -> list[str]:
    return [word for line in text.splitlines() for word in line.replace(",", " ").split()]


def _pairs(text: str) -> dict[str, str]:
    pairs = (line.replace(":", "=", 1).partition("=") for line in text.splitlines() if line.strip())
    return {key.strip(): value.strip() for key, _, value in pairs}
