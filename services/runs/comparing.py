"""Two runs side by side: what was asked differently, and how each node fared in the one and in the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.run import Invocation, NodeResult, Run
from services.clusters import pod_of
from services.run.code_changes import CodeChange, code_changes
from services.run.run_nodes import outline
from services.run.run_stages import stages
from services.runs.history import get_run, invocations_of


@dataclass(frozen=True)
class Difference:
    """One fact of the runs that is not the same."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class NodePair:
    """One node in both runs; None where it did not take part."""

    name: str
    resource_type: str
    before: NodeResult | None
    after: NodeResult | None

    @property
    def slower_by(self) -> float | None:
        """Seconds that the node took longer in the second run."""
        if not self.before or not self.after or self.before.seconds is None or self.after.seconds is None:
            return None
        return self.after.seconds - self.before.seconds

    @property
    def change(self) -> str:
        """What became of the node: added, removed, changed or the same."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "removed"
        return "same" if self.before.status is self.after.status else "changed"


@dataclass(frozen=True)
class StagePair:
    """One stage in both runs, in seconds; None where the run had none of it."""

    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Comparison:
    """The earlier run and the later one."""

    before: Run
    after: Run
    differences: list[Difference]
    code: list[CodeChange] | None
    """None when it cannot be told: a run left no manifest, or they are of two projects."""
    stages: list[StagePair]
    nodes: list[NodePair]
    """Added, removed and changed nodes first, then by how much slower they became."""


def compare(one: int, other: int) -> Comparison:
    """Compare two runs, whichever is named first; their last tries count. Raises NotFound."""
    before, after = sorted((get_run(one), get_run(other)), key=lambda run: (run.created_at, run.id))
    earlier, later = (_last_try(run) for run in (before, after))
    old, new = _nodes(earlier), _nodes(later)
    is_one_project = before.project == after.project
    failed = [name for name, node in new.items() if node.status.is_bad]
    code = code_changes(earlier, later, failed=failed) if earlier and later and is_one_project else None
    spent = _stage_pairs(_stages(before, earlier, old), _stages(after, later, new))
    return Comparison(before, after, differences_of(before, after), code, spent, _pairs(old, new))


def _stages(run: Run, last: Invocation | None, nodes: Mapping[str, NodeResult]) -> dict[str, float]:
    pod = pod_of(last.id or 0) if last and run.operator.runs_in_pods else None
    found: dict[str, float] = {}
    for stage in stages(run, nodes.values(), last, pod):
        found[stage.name] = found.get(stage.name, 0) + stage.seconds
    return found


def _stage_pairs(before: Mapping[str, float], after: Mapping[str, float]) -> list[StagePair]:
    return [StagePair(name, before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])]


def differences_of(before: Run, after: Run) -> list[Difference]:
    """The facts and parameters that are not the same."""
    return _differences(_facts(before, _last_try(before)), _facts(after, _last_try(after)))


def _last_try(run: Run) -> Invocation | None:
    tries = invocations_of(run.id or 0)
    return tries[-1] if tries else None


def _nodes(invocation: Invocation | None) -> dict[str, NodeResult]:
    return {node.unique_id: node for node in outline(invocation.id or 0)} if invocation else {}


def _facts(run: Run, last: Invocation | None) -> dict[str, str]:
    about = {
        "State": run.state.style.word,
        "Project": run.project,
        "Git commit": run.git_sha or "",
        "dbt version": (last.dbt_version if last else None) or "",
        "Launched by": run.launched_by or "",
    }
    left_out = {"version", "requested_by"}
    return about | {name: text for name, text in _flat(run.conf).items() if name not in left_out}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        elif value not in (None, [], {}, ""):
            flat[f"{prefix}{name}"] = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return flat


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys([*before, *after])
    pairs = [Difference(name, before.get(name, ""), after.get(name, "")) for name in names]
    return [pair for pair in pairs if pair.before != pair.after]


def _pairs(before: Mapping[str, NodeResult], after: Mapping[str, NodeResult]) -> list[NodePair]:
    pairs = []
    for unique_id in dict.fromkeys([*before, *after]):
        known = after.get(unique_id) or before[unique_id]
        pairs.append(NodePair(known.name, known.resource_type, before.get(unique_id), after.get(unique_id)))
    return sorted(pairs, key=lambda pair: (pair.change == "same", -abs(pair.slower_by or 0), pair.name))
