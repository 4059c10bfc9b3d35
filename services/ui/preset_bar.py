"""An operator's parameters: the fields, and above them what applies, saves and deletes presets, and known clusters."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pydantic import BaseModel

from contracts.operators import OperatorName
from models.preset import Preset
from services import presets
from services.ui import errors
from services.ui.cluster_picker import cluster_picker
from services.ui.parameter_fields import parameter_fields
from services.ui.shell import current_user
from services.ui.words import ago, count, plain


@dataclass(frozen=True)
class Filled:
    """What was put into a form's fields at once. Each filling draws fields of its own, which begin with its values."""

    number: int
    values: dict[str, Any]


@dataclass(frozen=True)
class PresetFields:
    """The parameters of one operator in one form. `key` separates the forms."""

    operator: OperatorName
    model: type[BaseModel]
    key: str
    skip: Collection[str] = ()
    """Parameters that may not be changed here; a preset leaves them alone."""

    def draw(
        self,
        values: Mapping[str, Any],
        *,
        place: Callable[[str], AbstractContextManager[Any]] = lambda _: nullcontext(),
    ) -> dict[str, Any]:
        """Draw the bar and the fields, and return what the fields hold, unchecked."""
        bar = st.container(horizontal=True, horizontal_alignment="right")
        filled = st.session_state.get(self._state, Filled(0, {}))
        drawn = parameter_fields(
            self.model,
            {**values, **filled.values},
            key=lambda name: f"{self.key}_{name}" + (f"_{filled.number}" if filled.number else ""),
            place=place,
            skip=self.skip,
        )
        with bar.popover("Presets", icon=":material/bookmarks:", key=f"{self.key}_presets"):
            self._apply_part({**values, **drawn})
            self._save_part({**values, **drawn}, before=values)
        cluster_picker(bar, self.operator, key=self.key, use=lambda found: self._put({**values, **drawn}, found))
        return drawn

    def _put(self, values: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        """Fill in parameters that may be changed here, and keep what the others hold."""
        self.fill({name: value for name, value in {**values, **found}.items() if name not in self.skip})

    def fill(self, values: Mapping[str, Any]) -> None:
        """Put values into the fields, before they are drawn."""
        before = st.session_state.get(self._state, Filled(0, {}))
        st.session_state[self._state] = Filled(before.number + 1, dict(values))

    @property
    def _state(self) -> str:
        return f"{self.key}_filled"

    def _apply_part(self, values: Mapping[str, Any]) -> None:
        known = {preset.name: preset for preset in presets.presets(self.operator)}
        if not known:
            st.caption("No preset is saved yet. Fill in parameters, and keep them under a name for everybody.")
            return
        name = st.selectbox("Preset", list(known), key=f"{self.key}_preset")
        self._describe(known[name])
        with st.container(horizontal=True):
            if st.button("Apply", icon=":material/check:", type="primary", key=f"{self.key}_apply"):
                with errors.guarded():
                    together, names = presets.applied(self.operator, name, values, without=self.skip)
                    self.fill({each: value for each, value in together.items() if each not in self.skip})
                    st.toast(f"{plain(name)}: {count(len(names), 'parameter')} set.")
                    st.rerun()
            if st.button("Delete", icon=":material/delete:", key=f"{self.key}_delete"):
                _confirm_delete(self.operator, name)

    def _describe(self, preset: Preset) -> None:
        lines = [
            f"- {plain(self._title(name))}: `{value if value not in (None, [], {}) else 'empty'}`"
            + (" (the project's; not changed here)" if name in self.skip else "")
            for name, value in preset.parameters.items()
        ]
        st.markdown("\n".join(lines))
        st.caption(f"Saved by {plain(preset.saved_by)} {ago(preset.saved_at)}")

    def _save_part(self, values: Mapping[str, Any], *, before: Mapping[str, Any]) -> None:
        st.divider()
        names = [name for name in self.model.model_fields if name not in self.skip]
        usual = self.model.model_construct().model_dump(mode="json", warnings=False)
        changed = [name for name in names if values.get(name) != before.get(name, usual.get(name))]
        differing = changed or [name for name in names if values.get(name) != usual.get(name)]
        chosen = st.multiselect(
            "Keep these parameters",
            names,
            default=differing,
            format_func=self._title,
            key=f"{self.key}_names_{'_'.join(differing)}",
            help="Chosen already: what you have changed here, or else what differs from the operator's defaults.",
        )
        name = st.text_input("As the preset", key=f"{self.key}_new", placeholder="big memory", max_chars=60)
        if st.button("Save preset", icon=":material/bookmark_add:", key=f"{self.key}_save"):
            with errors.guarded():
                saved = presets.save_preset(self.operator, name or "", values, names=chosen, by=current_user())
                st.toast(f"Preset {plain(saved.name)} is saved for everybody.")
                st.rerun()

    def _title(self, name: str) -> str:
        known = self.model.model_fields.get(name)
        return known.title or name if known else name


@st.dialog("Delete this preset?", icon=":material/delete:")
def _confirm_delete(operator: OperatorName, name: str) -> None:
    st.markdown(f"**{plain(name)}** goes for everybody. Projects and runs that it was applied to keep their values.")
    if st.button("Delete preset", type="primary", key="confirm_delete_preset"):
        presets.delete_preset(operator, name)
        st.rerun()
