"""Two runs side by side, `?runs=12-15`: what was asked differently, and how each node fared."""

import re

import streamlit as st

from services.errors import NotFound
from services.runs import comparing
from services.ui import errors, shell
from services.ui.runs import comparison

shell.require()
st.title("Compare runs", anchor=False)

numbers = re.fullmatch(r"(\d{1,18})-(\d{1,18})", st.query_params.get("runs", ""))
if numbers is None:
    errors.show(NotFound("This address names no two runs.", hint="Choose them here, or two in the history."))
    comparison.choose()
    st.stop()
with errors.stopping():
    found = comparing.compare(int(numbers[1]), int(numbers[2]))

comparison.heads(found)
comparison.differences(found)
comparison.code(found)
comparison.times(found)
comparison.nodes(found)
