"""Whether the person at the page may have runs of a project; who may not is told why before trying."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from contracts.operators import OperatorName
from services.rights import WHOM_TO_ASK, WHY_NO_RUN, may_have_run
from services.ui.shell import current_user


def right_to_run(operator: OperatorName, parameters: Mapping[str, Any]) -> bool:
    """Draw why not, and answer whether."""
    if may_have_run(current_user(), operator, parameters):
        return True
    st.warning(f"{WHY_NO_RUN}  \n:small[{WHOM_TO_ASK}]", icon=":material/lock:")
    return False
