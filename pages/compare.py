"""Two runs side by side, `?runs=12-15`: what was asked differently, and how each node fared."""

import re

import streamlit as st

from services import comparing
from services.errors import NotFound
from services.ui import comparison, errors, shell

shell.require()
st.title("Compare runs", anchor=False)

with errors.stopping():
    numbers = re.fullmatch(r"(\d{1,18})-(\d{1,18})", st.query_params.get("runs", ""))
    if numbers is None:
        raise NotFound("This address names no two runs.", hint="Choose two runs in the history, then Compare.")
    found = comparing.compare(int(numbers[1]), int(numbers[2]))

comparison.heads(found)
comparison.differences(found)
comparison.nodes(found)
