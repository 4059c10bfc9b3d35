"""Parameters that several routes take."""

from typing import Annotated

from fastapi import Header, Path

from contracts.dbt_api import NO_NUL

TaskIdInPath = Annotated[str, Path(max_length=200, pattern=NO_NUL, description="An invocation's `task_id`.")]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="Instead of `task_id`, for repeating."),
]
