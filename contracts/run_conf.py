"""The conf of one run: what may be chosen at launch, and the dbt arguments that it means.

Airflow accepts unknown conf keys silently, so this model is the gate: the console builds conf only from it and
the operator validates against it again before dbt starts.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from contracts.operators import OperatorName
from contracts.secret_names import SECRET_KEY

SELECTOR_PATTERN = r"^[^\s\x00\-`$;&|<>'\"\\(){}][^\s\x00`$;&|<>'\"\\(){}]*$"
"""One dbt selector: no blanks (they separate selectors), no shell characters, no leading dash (it would be a flag)."""

Selector = Annotated[str, StringConstraints(pattern=SELECTOR_PATTERN, max_length=500)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$", max_length=200)]


class DbtCommand(StrEnum):
    """The dbt commands that a run may execute."""

    BUILD = "build"
    RUN = "run"
    TEST = "test"
    SEED = "seed"
    SNAPSHOT = "snapshot"
    COMPILE = "compile"
    DOCS_GENERATE = "docs generate"
    SOURCE_FRESHNESS = "source freshness"
    LIST = "list"
    RUN_OPERATION = "run-operation"
    DEBUG = "debug"

    @property
    def takes_selection(self) -> bool:
        """Whether dbt takes --select and --exclude for this command."""
        return self not in (DbtCommand.RUN_OPERATION, DbtCommand.DEBUG)

    @property
    def takes_full_refresh(self) -> bool:
        """Whether dbt takes --full-refresh for this command."""
        return self in (DbtCommand.BUILD, DbtCommand.RUN, DbtCommand.SEED, DbtCommand.COMPILE)

    @property
    def takes_threads(self) -> bool:
        """Whether dbt takes --threads for this command."""
        return self not in (DbtCommand.LIST, DbtCommand.RUN_OPERATION, DbtCommand.DEBUG)


class RunConf(BaseModel):
    """Everything that one run may choose. Version 1 of what travels in an Airflow DAG run's conf."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    command: DbtCommand = DbtCommand.BUILD
    select: list[Selector] = Field(default_factory=list, max_length=5000)
    exclude: list[Selector] = Field(default_factory=list, max_length=5000)
    full_refresh: bool = False
    vars: dict[str, JsonValue] = Field(default_factory=dict)
    target: Identifier | None = None
    threads: int | None = Field(default=None, ge=1, le=64)
    macro: Identifier | None = Field(default=None, description="The macro of run-operation.")
    macro_arguments: dict[str, JsonValue] = Field(default_factory=dict)
    operator: OperatorName = OperatorName.DBT_API
    operator_parameters: dict[str, Any] = Field(default_factory=dict)
    requested_by: str | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _options_fit_the_command(self) -> "RunConf":
        command = self.command
        if (self.select or self.exclude) and not command.takes_selection:
            raise ValueError(f"dbt {command} takes no selection")
        if self.full_refresh and not command.takes_full_refresh:
            raise ValueError(f"dbt {command} takes no full refresh")
        if self.threads is not None and not command.takes_threads:
            raise ValueError(f"dbt {command} takes no threads")
        if (command is DbtCommand.RUN_OPERATION) != (self.macro is not None):
            raise ValueError("run-operation needs a macro, and only run-operation takes one")
        if self.macro_arguments and self.macro is None:
            raise ValueError("macro arguments need a macro")
        return self

    @model_validator(mode="after")
    def _no_secret_in_vars(self) -> "RunConf":
        for name in [*self.vars, *self.macro_arguments]:
            if SECRET_KEY.search(name):
                raise ValueError(
                    f"'{name}' looks like a secret, and dbt writes vars to its log in clear: "
                    "set it as an environment variable DBT_ENV_SECRET_… where dbt runs instead"
                )
        return self

    def dbt_arguments(self) -> list[str]:
        """The words after `dbt`, without the flags that belong to the place where it runs."""
        words = [*self.command.value.split(" ")]
        if self.macro is not None:
            words += [self.macro, "--args", json.dumps(self.macro_arguments)]
        if self.select:
            words += ["--select", *self.select]
        if self.exclude:
            words += ["--exclude", *self.exclude]
        if self.full_refresh:
            words.append("--full-refresh")
        if self.vars:
            words += ["--vars", json.dumps(self.vars)]
        if self.target is not None:
            words += ["--target", self.target]
        if self.threads is not None:
            words += ["--threads", str(self.threads)]
        return words
