"""Why a node was skipped: the failed node above it, which dbt's own event of the skip does not name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contracts.dbt_api import InvocationNode

DependsOn = Mapping[str, Sequence[str]]
"""What each node depends on, by unique_id."""
BAD = {"fail", "error", "runtime error", "partial success"}


def is_bad(status: str) -> bool:
    """Whether a node with this status failed itself."""
    return status in BAD


def read_graph(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """The graph in manifest.json (v4 and later)."""
    nodes = {**(manifest.get("nodes") or {}), **(manifest.get("unit_tests") or {})}
    return {name: (node.get("depends_on") or {}).get("nodes") or [] for name, node in nodes.items()}


def first_failure_above(
    unique_id: str, nodes: Mapping[str, InvocationNode], depends_on: DependsOn, *, failed_tests: Iterable[str]
) -> str | None:
    """The nearest ancestor that failed or was interrupted, or whose failed test made dbt build skip what follows.

    A skipped parent that knows its cause answers for all above it.
    """
    tested = {parent: test for test in failed_tests for parent in depends_on.get(test, ())}
    seen, ring = {unique_id}, list(depends_on.get(unique_id, ()))
    while ring:
        for parent in ring:
            if cause := _cause_in(parent, nodes.get(parent), tested):
                return cause
        seen.update(ring)
        ring = [above for parent in ring for above in depends_on.get(parent, ()) if above not in seen]
    return None


def _cause_in(parent: str, node: InvocationNode | None, tested: Mapping[str, str]) -> str | None:
    if node is not None and (is_bad(node.status) or node.status == "interrupted"):
        return parent
    return tested.get(parent) or (node.skip_cause if node is not None else None)
