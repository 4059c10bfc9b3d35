"""The example project does what its overview promises, run by the dbt API as its users run it."""

import itertools
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from contracts.run_conf import DbtCommand, RunConf
from tests.unit.dbt_api.server import ROOT, Server, eventually

EXAMPLE = ROOT / "example"
URL = "/api/v1/invocations"
_numbers = itertools.count()


class Example:
    """The example project on a server, where it was built once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.folder = Path(shutil.copytree(EXAMPLE, server.data.parent / "harbour"))
        server.register("harbour", self.folder)

    def submit(self, conf: RunConf) -> str:
        return str(self.server.submit(f"harbour-{next(_numbers)}", *conf.dbt_arguments(), project="harbour")["task_id"])

    def run(self, conf: RunConf) -> dict[str, Any]:
        return self.server.ended(self.submit(conf))

    def printed(self, ended: dict[str, Any]) -> str:
        return self.server.call("GET", f"{URL}/{ended['task_id']}/logs?format=text&level=info").text

    def statuses(self, ended: dict[str, Any]) -> dict[str, str]:
        answer = self.server.call("GET", f"{URL}/{ended['task_id']}/artifacts/run_results.json")
        return {result["unique_id"].split(".")[2]: result["status"] for result in answer.json()["results"]}


def assert_well(example: Example, ended: dict[str, Any]) -> None:
    printed = example.printed(ended)
    assert (ended["state"], ended["exit_code"]) == ("SUCCESS", 0), printed
    assert not re.search(r"deprecat|WARN=[1-9]|\[WARNING\]", printed, re.IGNORECASE), printed


@pytest.fixture(scope="module")
def built(server: Server) -> Example:
    example = Example(server)
    assert_well(example, example.run(RunConf()))
    return example


@pytest.mark.parametrize(
    "conf",
    [
        RunConf(target="prod", full_refresh=True),
        *(RunConf(command=command) for command in DbtCommand if command.takes_selection),
        RunConf(command=DbtCommand.DEBUG),
        RunConf(command=DbtCommand.RUN_OPERATION, macro="count_rows", macro_arguments={"model": "berth_use"}),
    ],
    ids=lambda conf: " ".join(conf.dbt_arguments()[:2]),
)
def test_every_command_succeeds_again_and_warns_of_nothing(built: Example, conf: RunConf) -> None:
    assert_well(built, built.run(conf))


def test_running_wrote_nothing_into_the_project(built: Example) -> None:
    tracked = {path.name for path in built.folder.iterdir()}
    assert tracked == {"dbt_project.yml", "profiles.yml", "macros", "models", "seeds", "snapshots", "tests"}


def test_nightly_tag_selects_the_marts(built: Example) -> None:
    listed = built.printed(built.run(RunConf(command=DbtCommand.LIST, select=["tag:nightly"])))
    for name in ("berth_use", "call_fees", "monthly_income", "tide_hours"):
        assert f"harbour.marts.{name}" in listed
    assert "harbour.customs" not in listed


def test_one_test_fails_with_three_rows_on_purpose(built: Example) -> None:
    ended = built.run(RunConf(command=DbtCommand.TEST, vars={"fail_on_purpose": True}))
    assert (ended["exit_code"], ended["outcome"]) == (1, "test_failure")
    assert "Got 3 results" in built.printed(ended)
    assert [name for name, status in built.statuses(ended).items() if status == "fail"] == ["no_call_stays_too_long"]


def test_a_model_fails_on_purpose_and_what_needs_it_is_skipped(built: Example) -> None:
    ended = built.run(RunConf(vars={"break_on_purpose": True}))
    assert ended["exit_code"] == 1
    assert "customs_stamp" in built.printed(ended)
    statuses = built.statuses(ended)
    assert statuses["customs_declarations"] == "error"
    assert {name for name, status in statuses.items() if status == "skipped"} == {"goods_landed", "busiest_goods"}


def test_the_slow_model_can_be_interrupted(built: Example) -> None:
    task_id = built.submit(RunConf(select=["depth_soundings+"], vars={"slow_seconds": 600}))
    log = built.server.attempt(task_id) / "events.jsonl"
    eventually(lambda: log.exists() and b"START sql table model main.depth_soundings" in log.read_bytes())
    built.server.call("POST", f"{URL}/{task_id}/abort")
    ended = built.server.ended(task_id)
    assert (ended["state"], ended["outcome"]) == ("ABORTED", "aborted")
    assert "shallow_berths" not in built.statuses(ended)


def test_the_rows_of_a_failed_test_are_shown_with_the_runs_variables(built: Example) -> None:
    body = {
        "project": "harbour",
        "unique_id": "test.harbour.no_call_stays_too_long",
        "name": "no_call_stays_too_long",
        "vars": {"fail_on_purpose": True},
        "limit": 2,
    }
    answer = built.server.call("POST", "/api/v1/rows", json=body).json()
    assert answer["ok"], answer
    assert [set(row) for row in answer["rows"]] == [{"call_id", "ship_id", "hours_in_port"}] * 2
    assert all(row["hours_in_port"] > 72 for row in answer["rows"])
    good = built.server.call("POST", "/api/v1/rows", json=body | {"vars": {}}).json()
    assert (good["ok"], good["rows"]) == (True, []), "no call stays for 240 hours"
    unknown = built.server.call("POST", "/api/v1/rows", json=body | {"name": "nothing", "vars": {}}).json()
    assert not unknown["ok"]
    assert unknown["message"]
    wrong = built.server.call("POST", "/api/v1/rows", json=body | {"name": "--inline"})
    assert wrong.status_code == 422
