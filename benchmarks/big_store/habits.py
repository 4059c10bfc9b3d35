"""The made-up team behind the store: its projects, what each usually does, and when each had bad times."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, RunConf

PEOPLE = ("anna", "ben", "chidi", "dora", "emil", "fatima", "goran", "hanna", "ines", "jonas", "kaito", "lena")
DAYS = 400
USUAL_FAILURES = 0.02
BAD_TIMES_FAILURES = 0.55
PODS: dict[str, Any] = {"image": "registry.example/dbt:1.12", "namespace": "analytics"}


@dataclass(frozen=True)
class Habit:
    """What a project usually does."""

    name: str
    owner: str
    share: float
    """Of all runs, relative to the others."""
    seconds: float
    nodes: int
    operator: OperatorName
    before: OperatorName | None = None
    """What ran it in the first half of the time, if that was another operator."""
    requests: dict[str, str] = field(default_factory=dict)
    commands: tuple[tuple[str, RunConf], ...] = ()

    def operator_at(self, age: float) -> OperatorName:
        """What ran it then; `age` is 1 for the oldest run and 0 for the newest."""
        return self.before if self.before and age > 0.5 else self.operator

    def parameters(self, operator: OperatorName) -> dict[str, Any]:
        """What the operator was told."""
        return {**PODS, **self.requests} if operator.runs_in_pods else {}


def _commands(*selectors: str) -> tuple[tuple[str, RunConf], ...]:
    confs = [
        *([RunConf(target="prod")] * 8),
        *([RunConf(command=DbtCommand.TEST, target="prod")] * 2),
        *(RunConf(command=DbtCommand.RUN, select=[selector], target="dev") for selector in selectors),
    ]
    return tuple((" ".join(conf.dbt_arguments()), conf) for conf in confs)


_API, _KUBERNETES, _GKE = OperatorName.DBT_API, OperatorName.KUBERNETES, OperatorName.GKE
_SMALL = {"cpu_request": "500m", "memory_request": "1Gi"}
_LARGE = {"cpu_request": "4", "memory_request": "16Gi"}

HABITS = (
    Habit("docks", "anna", 5, 40, 18, _API, commands=_commands("stg_ships+", "tag:nightly")),
    Habit("ledger", "ben", 4, 900, 24, _KUBERNETES, _API, _LARGE, _commands("fct_postings+")),
    Habit("tides", "chidi", 6, 12, 8, _API, commands=_commands("stg_tides+")),
    Habit("customs", "dora", 2, 240, 20, _KUBERNETES, requests=_SMALL, commands=_commands("tag:daily", "goods+")),
    Habit("fleet", "emil", 3, 150, 16, _API, _KUBERNETES, _SMALL, _commands("dim_ships")),
    Habit("tickets", "fatima", 2, 70, 12, _API, commands=_commands("fct_tickets")),
    Habit("weather", "goran", 1, 2400, 14, _GKE, requests=_LARGE, commands=_commands("stg_stations+")),
    Habit("marketing", "hanna", 1, 320, 22, _KUBERNETES, _GKE, _SMALL, _commands("campaigns+")),
)


@dataclass(frozen=True)
class BadTime:
    """When most of a project's runs failed, and with what message."""

    since: datetime
    until: datetime
    message: str


_REASONS = (
    "Database Error in model {model}: connection to the warehouse timed out after 300 s",
    "Compilation Error in model {model}: 'ref' to a node named 'stg_berths_v2', which was not found",
    '1 of {nodes} nodes failed: {model}: Binder Error: Referenced column "berth_no" not found in FROM clause',
    "Test not_null_{model}_id failed: 41 rows",
    "The pod was killed for using more memory than its limit (OOMKilled, exit code 137)",
)


def bad_times(habit: Habit, until: datetime, random: Random) -> list[BadTime]:
    """Some bad times of a project, a few hours to a few days long; the last of every other project is now."""
    found = []
    for _ in range(9):
        since = until - timedelta(days=random.uniform(1, DAYS))
        reason = random.choice(_REASONS).format(model=node_name(random.randrange(habit.nodes)), nodes=habit.nodes)
        found.append(BadTime(since, since + timedelta(days=random.choice([0.2, 0.5, 1, 3])), reason))
    if HABITS.index(habit) % 3 == 1:
        found.append(BadTime(until - timedelta(hours=7), until, _REASONS[2].format(model=node_name(3), nodes=24)))
    return found


_NOUNS = ("ships", "berths", "calls", "tides", "goods", "fees", "crews", "stays", "claims", "pilots", "tugs", "quays")
_LAYERS = ("stg", "int", "fct", "dim", "rpt")


def node_name(number: int) -> str:
    """The name of a project's model by its number: the lower, the nearer to the sources."""
    layer = _LAYERS[number // len(_NOUNS) % len(_LAYERS)]
    generation = number // (len(_NOUNS) * len(_LAYERS))
    return f"{layer}_{_NOUNS[number % len(_NOUNS)]}" + (f"_{generation}" if generation else "")
