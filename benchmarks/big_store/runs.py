"""Made-up runs: when they came, how long they waited and took, how they ended."""

import math
from bisect import bisect
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha1
from itertools import accumulate
from random import Random
from typing import Any

from benchmarks.big_store.habits import (
    BAD_TIMES_FAILURES,
    DAYS,
    HABITS,
    PEOPLE,
    USUAL_FAILURES,
    BadTime,
    Habit,
    bad_times,
)
from contracts.names import dag_id_of
from contracts.operators import OperatorName
from contracts.run_conf import RunConf
from models.run import Run, Trigger
from models.run_state import RunState

LIVE = (RunState.QUEUED, RunState.STARTING, RunState.RUNNING, RunState.RUNNING)
"""The newest runs, which are under way."""
_START_UP_SECONDS = {OperatorName.DBT_API: 2.0, OperatorName.KUBERNETES: 19.0, OperatorName.GKE: 64.0}
_TRIGGERS = (*([Trigger.SCHEDULE] * 13), *([Trigger.MANUAL] * 5), Trigger.AIRFLOW, Trigger.RETRY)


class RunMaker:
    """Makes one run after the other, always the same ones for a seed."""

    def __init__(self, until: datetime, seed: int) -> None:
        self._until = until
        self._random = Random(seed)
        self._shares = list(accumulate(habit.share for habit in HABITS))
        self._bad_times = {habit.name: bad_times(habit, until, self._random) for habit in HABITS}
        self._blank = Run(project="", dag_id="", dag_run_id="", operator=OperatorName.DBT_API, command="").model_dump()
        self._confs: dict[tuple[str, OperatorName, str], dict[str, Any]] = {}

    def rows(self, count: int) -> Iterator[dict[str, Any]]:
        """Rows of the table, oldest first, numbered from 1; those under way come last."""
        span = timedelta(days=DAYS)
        ages = sorted((self._random.random() ** 1.3 for _ in range(count)), reverse=True)
        for number, age in enumerate(ages, start=1):
            left = count - number
            live = LIVE[left] if left < len(LIVE) else None
            created = self._until - (timedelta(minutes=left + 1) if live else max(timedelta(minutes=9), span * age))
            habit = HABITS[min(bisect(self._shares, self._random.random() * self._shares[-1]), len(HABITS) - 1)]
            yield self._row(number, habit, created, age, live)

    def _row(self, number: int, habit: Habit, created: datetime, age: float, live: RunState | None) -> dict[str, Any]:
        random = self._random
        command, conf = random.choice(habit.commands)
        operator = habit.operator_at(age)
        trigger = random.choice(_TRIGGERS)
        return {
            **self._blank,
            "id": number,
            "project": habit.name,
            "dag_id": dag_id_of(habit.name),
            "dag_run_id": f"{trigger}__{number}",
            "operator": operator,
            "command": command,
            "conf": self._conf(habit, operator, command, conf),
            "target": conf.target,
            "trigger": trigger,
            "launched_by": random.choice(PEOPLE) if trigger in (Trigger.MANUAL, Trigger.RETRY) else None,
            "git_sha": sha1(f"{habit.name} {created.toordinal() // 3}".encode(), usedforsecurity=False).hexdigest(),
            "created_at": created,
            "handed_over_at": created + timedelta(seconds=0.4),
            "collected_at": created,
            **(self._under_way(habit, created, live) if live else self._over(habit, operator, created)),
        }

    def _conf(self, habit: Habit, operator: OperatorName, command: str, conf: RunConf) -> dict[str, Any]:
        key = (habit.name, operator, command)
        if key not in self._confs:
            whole = conf.model_copy(update={"operator": operator, "operator_parameters": habit.parameters(operator)})
            self._confs[key] = whole.model_dump(mode="json")
        return self._confs[key]

    def _under_way(self, habit: Habit, created: datetime, state: RunState) -> dict[str, Any]:
        if state is not RunState.RUNNING:
            return {"state": state}
        return {
            "state": state,
            "started_at": created + timedelta(seconds=5),
            "nodes_total": habit.nodes,
            "nodes_ok": habit.nodes // 3,
        }

    def _over(self, habit: Habit, operator: OperatorName, created: datetime) -> dict[str, Any]:
        random = self._random
        bad_time = next((time for time in self._bad_times[habit.name] if time.since <= created < time.until), None)
        draw = random.random()
        failed = draw < (BAD_TIMES_FAILURES if bad_time else USUAL_FAILURES)
        cancelled = draw > 0.992
        waited = _START_UP_SECONDS[operator] * math.exp(random.gauss(0, 0.5)) * (30 if random.random() < 0.01 else 1)
        lasted = habit.seconds * math.exp(random.gauss(0, 0.22)) * (random.choice([2, 4, 30]) if draw > 0.97 else 1)
        lasted = lasted * random.uniform(0.05, 0.9) if failed or cancelled else lasted
        started = created + timedelta(seconds=waited)
        return {
            "state": RunState.FAILED if failed else RunState.CANCELLED if cancelled else RunState.SUCCEEDED,
            "started_at": started,
            "finished_at": min(started + timedelta(seconds=lasted), self._until),
            "message": _message(bad_time) if failed else "Cancelled by anna" if cancelled else None,
            "collected": True,
            "announced": True,
            **self._counts(habit, failed=failed, cancelled=cancelled),
        }

    def _counts(self, habit: Habit, *, failed: bool, cancelled: bool) -> dict[str, int]:
        warned = self._random.choice([0, 0, 0, 1])
        bad = self._random.choice([1, 1, 2]) if failed else 0
        skipped = self._random.randrange(1, habit.nodes // 2) if failed or cancelled else 0
        good = habit.nodes - warned - bad - skipped
        return {
            "nodes_total": habit.nodes,
            "nodes_ok": good,
            "nodes_warn": warned,
            "nodes_error": bad,
            "nodes_skipped": skipped,
        }


def _message(bad_time: BadTime | None) -> str:
    return bad_time.message if bad_time else "Database Error: could not serialize access due to concurrent update"
