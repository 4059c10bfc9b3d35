"""What changed in a project's code between two runs, by the manifests that the runs left."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.run import Invocation
from services.run.manifests import Code, Manifest, manifest_of


class How(StrEnum):
    """What became of a node's or macro's code."""

    CHANGED = "changed"
    CONFIGURED = "configured differently"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class CodeChange:
    """One node or macro that is not as it was."""

    unique_id: str
    name: str
    kind: str
    file: str
    how: How
    concerns_failure: bool = False
    """It failed, or what failed reads it, directly or through others."""


def code_changes(before: Invocation, after: Invocation, *, failed: Iterable[str] = ()) -> list[CodeChange] | None:
    """What changed, what concerns the failed nodes first; None when one of the manifests is not kept."""
    old, new = manifest_of(before), manifest_of(after)
    return None if old is None or new is None else compared(old, new, failed=failed)


def compared(old: Manifest, new: Manifest, *, failed: Iterable[str] = ()) -> list[CodeChange]:
    """The same from the manifests. Pure."""
    concerned = _above(failed, new)
    changes = []
    for unique_id in dict.fromkeys([*new.code, *old.code]):
        how = _how(old.code.get(unique_id), new.code.get(unique_id))
        if how:
            code = new.code.get(unique_id) or old.code[unique_id]
            changes.append(CodeChange(unique_id, code.name, code.kind, code.file, how, unique_id in concerned))
    return sorted(changes, key=lambda change: (not change.concerns_failure, change.kind, change.name))


def _how(old: Code | None, new: Code | None) -> How | None:
    if old is None or new is None:
        return How.ADDED if old is None else How.REMOVED
    if old.text != new.text:
        return How.CHANGED
    return How.CONFIGURED if old.config != new.config else None


def _above(starts: Iterable[str], manifest: Manifest) -> set[str]:
    """These nodes, all that they read, and the macros that any of them calls."""
    seen: set[str] = set()
    ring = set(starts)
    while ring:
        seen |= ring
        ring = {above for name in ring for above in _next(name, manifest)} - seen
    return seen


def _next(name: str, manifest: Manifest) -> Iterable[str]:
    both: tuple[Mapping[str, list[str]], ...] = (manifest.depends_on, manifest.calls)
    return [each for graph in both for each in graph.get(name, ())]
