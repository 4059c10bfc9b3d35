"""The history: figures, projects and their last runs, and runs of all projects, filtered, a page at a time."""

from typing import Any

import streamlit as st

from services import health
from services.runs import exporting, history
from services.ui import shell
from services.ui.runs import no_runs
from services.ui.runs.run_figures import run_figures
from services.ui.runs.run_filters import chosen_values, is_filtered, meaning, offered, rarer_filters, window
from services.ui.runs.run_history import PAGE, TAB, run_history, wants_another_page
from services.ui.runs.run_strips import strips
from services.ui.runs.run_table import rows_of
from services.ui.runs.run_trends import node_trends, operator_trends, run_trends
from services.ui.runs.view_menu import view_from_address, view_menu
from services.ui.stale import stale_notice
from services.ui.words import count

PAGE_SIZE = 40
RUNS = "Runs"
TABS = {"Trends": run_trends, "Nodes": node_trends, "Operators": operator_trends}
STRIPS, STRIP_RUNS = 9, 20

shell.require()
view_from_address()
people = history.known_people()


def csv_button() -> None:
    """Draw the download of all runs that fit, not only of those on the page."""
    st.download_button(
        "CSV",
        data=lambda: exporting.runs_as_csv(chosen),
        file_name="runs.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help=f"All runs that fit, the newest {exporting.MOST_ROWS:,} at most, with exact times",
    )


with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Runs", anchor=False)
    rarer_filters(history.known_projects(), people)
    chosen = meaning(chosen_values())
    found = history.list_runs(chosen, page=1, page_size=1)
    view_menu()  # after the filters: it offers to save them
    if found.total:
        csv_button()
    if st.button("Launch", type="primary", icon=":material/rocket_launch:"):
        st.switch_page("pages/launch.py")

opened = tab if (tab := st.query_params.get(TAB)) in TABS else RUNS


def nothing_to_show() -> None:
    """Say why there is no run, and the way on."""
    if is_filtered():
        no_runs.nothing_fits()
    elif health.of_system(health.COLLECTOR).reachable:
        no_runs.never_ran()
    else:
        no_runs.nobody_tells()


def above() -> dict[str, Any]:
    """What stands above the table: figures, the last runs of the chosen projects, or of those that ran last, tabs."""
    names = chosen.projects or history.recent_projects(most=STRIPS)
    return {
        "figures": run_figures(chosen, window=window(chosen_values())),
        "strips": strips(history.last_runs(names[:STRIPS], most=STRIP_RUNS)),
        "tabs": {"names": [RUNS, *TABS], "open": opened},
    }


def table() -> dict[str, Any]:
    """One page of runs."""
    pages = max(1, -(-found.total // PAGE_SIZE))
    asked = st.query_params.get(PAGE, "1")
    page = min(int(asked), pages) if asked.isdecimal() and len(asked) < 18 and int(asked) else 1
    now = history.list_runs(chosen, page=page, page_size=PAGE_SIZE)
    if found.live and not now.live:
        st.rerun()
    live = f", {now.live:,} under way, refreshed every 3 seconds" if now.live else ""
    return {"said": count(now.total, "run") + live, "page": page, "pages": pages, "table": rows_of(now.runs)}


@st.fragment(run_every="3s" if found.live and opened == RUNS else None)
def runs() -> None:
    """Draw the history, again and again while a run lives."""
    if wants_another_page():
        st.rerun()
    if found.total:
        stale_notice()
    run_history(
        {
            "filters": offered(shell.current_user(), people),
            **(above() if found.total else {}),
            "list": table() if found.total and opened == RUNS else None,
        }
    )


runs()
if not found.total:
    nothing_to_show()
elif opened != RUNS:
    TABS[opened](chosen)
