"""What an operator is to the console: words to choose it by, parameters, and a check before it is published."""

from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel

from contracts.operators import OperatorName
from models.project import Project


@dataclass(frozen=True)
class Advice:
    """What an analyst needs to choose an operator, one sentence each."""

    choose_when: str
    google: str
    """How it goes together with Google Cloud."""
    clusters: str
    """How free one is in choosing where dbt runs."""
    resources: str
    start_up: str
    isolation: str
    cost: str


@dataclass(frozen=True)
class Check:
    """One thing that must hold before a project can be published. `passed` None: it cannot be checked from here."""

    title: str
    passed: bool | None
    message: str
    hint: str | None = None


class Operator(Protocol):
    """One way of running dbt."""

    @property
    def name(self) -> OperatorName:
        """Its key, as contracts know it."""

    @property
    def label(self) -> str:
        """Its name for people."""

    @property
    def icon(self) -> str:
        """A Material icon."""

    @property
    def description(self) -> str:
        """What it does, in a sentence."""

    @property
    def advice(self) -> Advice:
        """What to choose it by."""

    @property
    def parameters(self) -> type[BaseModel]:
        """The parameters per project."""

    def preflight(self, project: Project) -> list[Check]:
        """Ask everything that can be asked before publishing; never raises because a system is down."""
