"""Requests and answers of the dbt API, as `/api/v1` speaks them. Times are UTC, durations milliseconds.

The four unversioned routes that existing clients speak answer with a subset of the same fields.
"""

from contracts.dbt_api.invocations import (
    TASK_ID_PATTERN,
    AbortRequest,
    Artifact,
    Engine,
    Invocation,
    InvocationPage,
    InvocationSource,
    InvocationState,
    LogSize,
    Outcome,
    SubmitInvocation,
    TaskId,
)
from contracts.dbt_api.projects import (
    FolderSource,
    GitSource,
    ParsedNode,
    ParsedProject,
    ParseProblem,
    Preview,
    PreviewRequest,
    ProjectName,
    ProjectSource,
    RegisteredProject,
    RegisterProject,
    TemplateSource,
    Warehouse,
)
from contracts.dbt_api.system import (
    Health,
    Problem,
)

__all__ = [
    "TASK_ID_PATTERN",
    "AbortRequest",
    "Artifact",
    "Engine",
    "FolderSource",
    "GitSource",
    "Health",
    "Invocation",
    "InvocationPage",
    "InvocationSource",
    "InvocationState",
    "LogSize",
    "Outcome",
    "ParseProblem",
    "ParsedNode",
    "ParsedProject",
    "Preview",
    "PreviewRequest",
    "Problem",
    "ProjectName",
    "ProjectSource",
    "RegisterProject",
    "RegisteredProject",
    "SubmitInvocation",
    "TaskId",
    "TemplateSource",
    "Warehouse",
]
