"""Answers about a project's nodes from its newest good manifest: lists, one node, the graph. dbt is not asked."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from contracts.dbt_api import (
    Column,
    Lineage,
    LineageEdge,
    ModelDetail,
    ModelPage,
    ModelSummary,
    NodeHistory,
    NodeType,
    ParsedNode,
)
from dbt_api import store
from dbt_api.errors import ApiError, not_found
from dbt_api.projects import history
from dbt_api.projects.manifests import Kept, get_newest
from dbt_api.projects.parse import COLLECTIONS, parsed_node
from dbt_api.records.record import record_of

TESTS = ("test", "unit_test")
MANIFESTS_IN_MEMORY = 4


@dataclass(frozen=True)
class Graph:
    """A manifest's nodes, as dbt wrote them and as we show them, and who reads whom."""

    raw: dict[str, dict[str, Any]]
    nodes: dict[str, ParsedNode]
    children: dict[str, list[str]]

    def parents(self, unique_id: str) -> list[str]:
        """What a node reads, of what is in the manifest."""
        return [each for each in self.nodes[unique_id].depends_on if each in self.nodes]

    def readers(self, unique_id: str, *, tests: bool) -> list[str]:
        """The tests on a node, or everything else that reads it."""
        return [each for each in self.children.get(unique_id, []) if (self.nodes[each].resource_type in TESTS) == tests]


@lru_cache(maxsize=MANIFESTS_IN_MEMORY)
def _read(manifest: Path) -> Graph:
    """Kept manifests never change, so their path is all there is to know."""
    whole = orjson.loads(manifest.read_bytes())
    raw = {key: node for name in COLLECTIONS for key, node in sorted((whole.get(name) or {}).items())}
    nodes = {key: parsed_node(key, node) for key, node in raw.items()}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for key, node in nodes.items():
        for parent in dict.fromkeys(node.depends_on):
            children[parent].append(key)
    return Graph(raw, nodes, dict(children))


def graph_of(project: str, target: str | None) -> tuple[Kept, Graph]:
    """The newest good manifest and its graph. Raises ApiError 404."""
    kept = get_newest(project, target)
    return kept, _read(kept.manifest)


def page(
    project: str,
    *,
    target: str | None,
    text: str,
    tag: str | None,
    types: list[NodeType],
    limit: int,
    after: str | None,
) -> ModelPage:
    """One page of the nodes that fit, by unique_id."""
    kept, graph = graph_of(project, target)
    fitting = sorted(
        (node for node in graph.nodes.values() if node.resource_type in types and _fits(node, text.lower(), tag)),
        key=lambda node: node.unique_id,
    )
    rest = [node for node in fitting if after is None or node.unique_id > after]
    shown = rest[:limit]
    last = history.last(project, [node.unique_id for node in shown])
    return ModelPage(
        models=[ModelSummary(**node.model_dump(), last=last.get(node.unique_id)) for node in shown],
        total=len(fitting),
        next_cursor=shown[-1].unique_id if len(rest) > limit else None,
        manifest=kept.facts,
    )


def _fits(node: ParsedNode, text: str, tag: str | None) -> bool:
    if tag is not None and tag not in node.tags:
        return False
    return not text or any(text in each.lower() for each in (node.name, node.description, node.path, *node.tags))


def detail(project: str, unique_id: str, *, target: str | None) -> ModelDetail:
    """One node. Raises ApiError 404."""
    kept, graph = graph_of(project, target)
    if unique_id not in graph.nodes:
        raise not_found("node", unique_id)
    node, raw = graph.nodes[unique_id], graph.raw[unique_id]
    return ModelDetail(
        **node.model_dump(),
        last=history.last(project, [unique_id]).get(unique_id),
        columns=[_column(each) for each in (raw.get("columns") or {}).values()],
        relation=raw.get("relation_name"),
        raw_sql=raw.get("raw_code") or None,
        compiled_sql=raw.get("compiled_code") or _compiled_before(project, node),
        referenced_by=graph.readers(unique_id, tests=False),
        tests=graph.readers(unique_id, tests=True),
        config=raw.get("config") or {},
        manifest=kept.facts,
    )


def _column(raw: dict[str, Any]) -> Column:
    return Column(name=raw["name"], description=raw.get("description") or "", data_type=raw.get("data_type"))


def _compiled_before(project: str, node: ParsedNode) -> str | None:
    """A parse compiles nothing: then the SQL is the file that the node's last invocation left, while it is kept."""
    for result in history.page(project, node.unique_id, limit=1):
        row = store.find(result.task_id)
        if row is not None:
            with suppress(ApiError, UnicodeError):
                record = record_of(row)
                found = record.artifact(f"compiled/{node.package}/{node.path}")
                return b"".join(record.read_artifact(found.name, 0, found.bytes)).decode()
    return None


def node_history(project: str, unique_id: str, *, limit: int, before: int | None, target: str | None) -> NodeHistory:
    """Its results. Raises ApiError 404 for a node that neither the manifest nor the history knows."""
    rows = history.page(project, unique_id, limit=limit + 1, before=before, target=target)
    if not rows and before is None and unique_id not in graph_of(project, None)[1].nodes:
        raise not_found("node", unique_id)
    return NodeHistory(
        unique_id=unique_id,
        results=[history.shown(row) for row in rows[:limit]],
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


def lineage(project: str, *, select: str | None, upstream: int, downstream: int, target: str | None) -> Lineage:
    """The graph around a node, named by unique_id or name, or all of it. Raises ApiError 404 for an unknown one."""
    kept, graph = graph_of(project, target)
    drawn = {key for key, node in graph.nodes.items() if node.resource_type not in TESTS}
    if select is not None:
        start = [key for key in sorted(drawn) if select in (key, graph.nodes[key].name)]
        if not start:
            raise not_found("node", select)
        drawn &= _walk(start, graph.parents, upstream) | _walk(
            start, lambda key: graph.children.get(key, []), downstream
        )
    edges = [
        LineageEdge(parent=parent, child=child)
        for child in sorted(drawn)
        for parent in dict.fromkeys(graph.parents(child))
        if parent in drawn
    ]
    return Lineage(nodes=[graph.nodes[key] for key in sorted(drawn)], edges=edges, manifest=kept.facts)


def _walk(start: Iterable[str], following: Callable[[str], list[str]], depth: int) -> set[str]:
    seen = set(start)
    ring = set(seen)
    for _ in range(depth):
        ring = {each for key in ring for each in following(key)} - seen
        if not ring:
            break
        seen |= ring
    return seen
