"""How long from the click on Launch to the first node's result on the page, part by part, against dbt by hand.

Needs a running stack (`python3 -m stack up`) that does nothing else, and Debian's chromium. Run in the environment of
tests/requirements.txt, with the settings that the stack was started with:

    .pilothouse/environments/test/bin/python -m benchmarks.launch_to_first_node --repeat 5
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from contracts.names import DBT_TASK_ID, invocation_task_id
from models.run import Run
from stack.places import ROOT, Places

PROJECT = "harbour"
BAR_SECONDS = 8.0
LIMIT_SECONDS = 180.0
LOOK_SECONDS = 0.03
DONE = re.compile(r"\b[1-9][\d,]* of [\d,]+ nodes? done")

Moments = list[tuple[str, float]]
"""What has happened, and when (seconds of the epoch), in the order in which it happens."""


def main() -> None:
    """Measure as often as asked, by hand and by launching in turn, and print medians."""
    options = _options()
    places = Places.from_settings()
    _point_services_at(places)
    by_hand: list[float] = []
    launches: list[Moments] = []
    if (load := os.getloadavg()[0]) > (os.cpu_count() or 1) / 2:
        print(f"This machine is busy (load {load:.1f}): only the ratio will mean something.")
    with _browser(options.chromium) as page:
        for number in range(options.repeat):
            by_hand.append(first_node_by_hand(places))
            launches.append(first_node_by_launching(page, places))
            print(f"{number + 1}: by hand {by_hand[-1]:.2f} s, launched {_total(launches[-1]):.2f} s", flush=True)
    report(by_hand, launches)


def first_node_by_hand(places: Places) -> float:
    """Seconds from starting `dbt build` cold (nothing parsed before) to its first finished node."""
    with tempfile.TemporaryDirectory() as folder:
        words = "build --log-format json --log-level debug --log-level-file none --no-send-anonymous-usage-stats"
        example = str(ROOT / "example")
        command = [str(places.python("dbt").with_name("dbt")), *words.split()]
        command += ["--project-dir", example, "--profiles-dir", example]
        command += ["--target-path", f"{folder}/target", "--log-path", f"{folder}/logs"]
        began = time.time()
        process = subprocess.Popen(
            command,
            env={**os.environ, "PILOTHOUSE_PROJECT_DATA": folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        seconds = next((time.time() - began for line in process.stdout if '"NodeFinished"' in line), None)
        process.communicate()
        if seconds is None or process.returncode:
            raise SystemExit(f"dbt by hand failed with exit code {process.returncode}.")
        return seconds


def first_node_by_launching(page: Page, places: Places) -> Moments:
    """Launch the example from the page and note every moment up to the first result on the page."""
    page.goto(f"{places.console.url}/launch?project={PROJECT}")
    button = page.get_by_role("button", name="Launch", exact=True)
    button.wait_for()
    page.wait_for_timeout(1500)  # a person reads the page; its script has ended by then
    clicked = time.time()
    button.click()
    page.wait_for_url("**/run?*run_id=*", timeout=LIMIT_SECONDS * 1000)
    found = re.search(r"run_id=(\d+)", page.url)
    assert found is not None
    stored, shown = _watch(page, int(found[1]), until=clicked + LIMIT_SECONDS)
    return _moments(int(found[1]), clicked=clicked, stored=stored, shown=shown)


def _watch(page: Page, run_id: int, *, until: float) -> tuple[float, float]:
    """When the store had the first result, and when the page showed it."""
    stored = 0.0
    while time.time() < until:
        stored = stored or (time.time() if _finished_nodes(run_id) else 0.0)
        if DONE.search(page.locator("body").inner_text()):
            return stored or time.time(), time.time()
        time.sleep(LOOK_SECONDS)
    raise SystemExit(f"Run {run_id} showed no node's result within {LIMIT_SECONDS:.0f} s.")


def _finished_nodes(run_id: int) -> list[datetime]:
    from services import results
    from services.runs import history

    nodes = [node for each in history.invocations_of(run_id) for node in results.node_results(each.id or 0)]
    return sorted(node.finished_at for node in nodes if node.finished_at is not None)


def _moments(run_id: int, *, clicked: float, stored: float, shown: float) -> Moments:
    """Every moment of a run, from the store, Airflow and the dbt API. Waits for the run's end first."""
    from services.airflow import Airflow
    from services.dbt_api import DbtApi
    from services.settings import settings

    run = _ended(run_id)
    task = Airflow.from_settings().task_tries(run.dag_id, run.dag_run_id)[0]
    token = settings().dbt_api_token
    assert token is not None
    with DbtApi(settings().dbt_api_url, token.get_secret_value()) as api:
        invocation = api.invocation(invocation_task_id(run.dag_id, run.dag_run_id, DBT_TASK_ID, 1))
    return [
        ("click", clicked),
        ("run stored by the console", _epoch(run.created_at)),
        ("DAG run taken by Airflow", _epoch(run.handed_over_at)),
        ("task started by Airflow", _epoch(task.started_at)),
        ("submitted to the dbt API", _epoch(invocation.created_at)),
        ("dbt's process started", _epoch(invocation.started_at)),
        ("first line of dbt's log", _first_log_line(run_id)),
        ("first node finished by dbt", _epoch(_finished_nodes(run_id)[0])),
        ("result in the store (collector)", stored),
        ("result on the page", shown),
    ]


def _ended(run_id: int) -> Run:
    from services.runs import history

    deadline = time.time() + LIMIT_SECONDS
    while time.time() < deadline:
        run = history.get_run(run_id)
        if run.state.is_terminal and run.collected:
            return run
        time.sleep(0.5)
    raise SystemExit(f"Run {run_id} did not end within {LIMIT_SECONDS:.0f} s.")


def _first_log_line(run_id: int) -> float:
    from services import logs
    from services.runs import history

    path = logs.path_of(history.invocations_of(run_id)[0])
    with path.open() as log:
        return datetime.fromisoformat(json.loads(log.readline())["info"]["ts"]).timestamp()


def _epoch(moment: datetime | None) -> float:
    if moment is None:
        raise SystemExit("A moment of the run is not known: its records are not complete.")
    return moment.timestamp()


def report(by_hand: list[float], launches: list[Moments]) -> None:
    """Print the median of every part, of the whole, and the ratio to dbt by hand."""
    print("\nuntil                                 median s   worst s")
    for position in range(1, len(launches[0])):
        parts = [each[position][1] - each[position - 1][1] for each in launches]
        print(f"{launches[0][position][0]:36} {statistics.median(parts):9.2f} {max(parts):9.2f}")
    totals = [_total(each) for each in launches]
    total, hand = statistics.median(totals), statistics.median(by_hand)
    print(f"{'click to first result on the page':36} {total:9.2f} {max(totals):9.2f}")
    print(f"{'dbt build by hand, to first result':36} {hand:9.2f} {max(by_hand):9.2f}")
    print(f"\nLaunched takes {total / hand:.2f} times as long as by hand, {total - hand:+.2f} s.")
    print(f"Bar of {BAR_SECONDS:.0f} s: {'met' if total <= BAR_SECONDS else 'MISSED'}.")


def _total(moments: Moments) -> float:
    return moments[-1][1] - moments[0][1]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    return parser.parse_args()


def _point_services_at(places: Places) -> None:
    os.environ["PILOTHOUSE_DATA"] = str(places.data)
    os.environ.setdefault("PILOTHOUSE_AIRFLOW_URL", places.airflow.url)
    os.environ.setdefault("PILOTHOUSE_DBT_API_URL", places.dbt_api.url)


@contextmanager
def _browser(chromium: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser.new_page(viewport={"width": 1400, "height": 1000})
        finally:
            browser.close()


if __name__ == "__main__":
    main()
