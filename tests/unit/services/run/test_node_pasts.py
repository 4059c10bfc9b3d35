"""What became of a node in the runs before: same project and target, tries and unfinished runs told apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.run_conf import DbtCommand, RunConf
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus, RunState
from services.database import engine, migrate, session
from services.run.node_pasts import failing_since, pasts
from services.settings import settings
from tests.pages import seeded

NODE = "model.shop.fct_calls"
GOOD, BAD = NodeStatus.SUCCESS, NodeStatus.ERROR


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    engine.cache_clear()
    migrate()
    yield
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


def ran(status: NodeStatus, *, minutes_ago: int, project: str = "shop", conf: RunConf | None = None) -> Run:
    state = RunState.FAILED if status.is_bad else RunState.SUCCEEDED
    made = seeded.run(project, state=state, minutes_ago=minutes_ago, conf=conf)
    seeded.filled(made, statuses={"fct_calls": status})
    return made


def story(run: Run) -> list[NodeStatus]:
    return [each.status for each in pasts(run, [NODE])[NODE]]


def test_the_story_ends_with_the_run_itself_and_knows_nothing_later() -> None:
    ran(GOOD, minutes_ago=60)
    middle = ran(BAD, minutes_ago=40)
    ran(GOOD, minutes_ago=20)
    assert story(middle) == [GOOD, BAD]
    assert pasts(middle, ["model.shop.nobody"]) == {}


def test_other_projects_other_targets_and_what_only_compiles_do_not_count() -> None:
    ran(BAD, minutes_ago=60, project="other")
    ran(GOOD, minutes_ago=55, conf=RunConf(command=DbtCommand.COMPILE))
    elsewhere = ran(BAD, minutes_ago=50)
    with session() as opened:
        opened.get_one(Run, elsewhere.id).target = "prod"
    assert story(ran(GOOD, minutes_ago=40)) == [GOOD]


def test_of_a_runs_tries_the_last_one_counts() -> None:
    made = ran(BAD, minutes_ago=60)
    with session() as opened:
        again = Invocation(run_id=made.id or 0, try_number=2, task_id="again", state=RunState.SUCCEEDED)
        opened.add(again)
        opened.flush()
        node = NodeResult(
            invocation_id=again.id or 0, unique_id=NODE, name="fct_calls", resource_type="model", status=GOOD
        )
        opened.add(node)
    assert story(made) == [GOOD]


@pytest.mark.parametrize(
    ("statuses", "since"),
    [
        ([GOOD, BAD, BAD], 1),
        ([BAD, GOOD], None),
        ([BAD, NodeStatus.SKIPPED, BAD], 0),
        ([GOOD, NodeStatus.INTERRUPTED, BAD], 2),
        ([NodeStatus.WARN, BAD], 1),
    ],
)
def test_a_row_of_failures_begins_after_the_last_good_verdict(statuses: list[NodeStatus], since: int | None) -> None:
    runs = [ran(status, minutes_ago=60 - place) for place, status in enumerate(statuses)]
    first = failing_since(pasts(runs[-1], [NODE])[NODE])
    assert (first and first.run_id) == (None if since is None else runs[since].id)
