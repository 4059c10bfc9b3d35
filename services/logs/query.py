"""What a reader wants to see of the logs of one invocation."""

from dataclasses import dataclass
from typing import Literal, cast, get_args

from services.errors import InvalidInput
from services.logs.files import Source
from services.logs.lines import AIRFLOW, COPY, EVENT, INIT, LEVELS, OUTPUT

Shown = Literal["dbt", "init", "airflow", "all"]
"""dbt with what was printed beside it, a pod's init container, Airflow's task, or all of them merged by time."""

LONGEST_SEARCH = 300


@dataclass(frozen=True)
class Query:
    """A choice of lines: source, levels, node, and a text or regular expression looked for."""

    source: Shown = "dbt"
    hidden: frozenset[str] = frozenset()
    """Levels that are not shown."""
    node: str = ""
    """unique_id of a node; empty for all lines."""
    find: str = ""
    regex: bool = False
    only: bool = False
    """Show only lines where `find` is found."""

    def __post_init__(self) -> None:
        if unknown := self.hidden - set(LEVELS):
            raise InvalidInput(f"There is no level {sorted(unknown)[0]!r}.", field="hide")
        if len(self.find) > LONGEST_SEARCH:
            raise InvalidInput(f"A search has at most {LONGEST_SEARCH} characters.", field="find")

    @property
    def files(self) -> dict[Source, tuple[int, ...]]:
        """The files to read, and the origins of the lines shown of each. Merged, Airflow's copies are left out."""
        return _FILES[self.source]


def shown_of(text: str) -> Shown:
    """The source of this name. Raises InvalidInput when there is none."""
    for name in get_args(Shown):
        if name == text:
            return cast(Shown, name)
    raise InvalidInput(f"There is no log source {text[:20]!r}.", field="source")


_FILES: dict[str, dict[Source, tuple[int, ...]]] = {
    "dbt": {"dbt": (EVENT, OUTPUT)},
    "init": {"dbt": (INIT,)},
    "airflow": {"airflow": (AIRFLOW, COPY)},
    "all": {"dbt": (EVENT, OUTPUT, INIT), "airflow": (AIRFLOW,)},
}
