"""A project that a manifest zygote holds parsed, and what an invocation does with it instead of parsing.

The zygote itself never parses. A child does, is thrown away, and leaves dbt's parse cache, from which a manifest is
read without a thread being started.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbt.cli.requires
import dbt.parser.manifest
from dbt.cli.main import dbtRunner
from dbt.compilation import Linker
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import BaseNode
from dbt.events.types import ArtifactWritten
from dbt_common.events.functions import fire_event

from dbt_api.zygote.orders import Order
from dbt_api.zygote.patches import dumps, spliced, write_json
from dbt_api.zygote.warming import QUIET, close_database, compile_macros, in_child

CACHE = "partial_parse.msgpack"
MANIFEST = "manifest.json"
ARTIFACTS = {
    MANIFEST: "WritableManifest",
    "semantic_manifest.json": "SemanticManifest",
    "osi_document.json": "OsiDocument",
}
"""What dbt writes after parsing, and what it calls each in its log."""
LINKED = (*("sources", "nodes", "semantic_models", "exposures", "functions", "metrics", "unit_tests", "saved_queries"),)
"""Where a manifest keeps what is linked to a graph."""


@dataclass(frozen=True)
class Parsed:
    """A manifest, and the artifacts that dbt writes after parsing: as bytes, because they are the same every time."""

    manifest: Manifest
    nodes: dict[str, tuple[Any, bytes]]
    """Each node, and what stands of it in manifest.json."""
    parts: dict[str, bytes]
    """The rest of manifest.json, without its metadata."""
    others: dict[str, bytes]
    graph: Any
    """Which node needs which, as dbt's Linker links them."""

    def stand_in(self) -> None:
        """Make dbt's step from project to manifest in this process do what parsing would have done, but for the work.

        The manifest's metadata is this invocation's, and its artifact is written at once: a stopped run has it too.
        """
        setup = dbt.cli.requires.setup_manifest

        def setup_manifest(ctx: Any, write: bool = True, write_perf_info: bool = False) -> None:
            setup(ctx, write=write, write_perf_info=write_perf_info)
            self.manifest.metadata = ctx.obj["runtime_config"].get_metadata()
            if write and ctx.obj["flags"].write_json:
                self._write(Path(ctx.obj["runtime_config"].project_target_path))

        dbt.cli.requires.setup_manifest = setup_manifest
        changed = _note_changes()
        self.manifest.write = lambda path: self._write_again(path, changed)  # type: ignore[method-assign]
        self._link_once()
        if not (self.manifest.semantic_models or self.manifest.metrics or self.manifest.saved_queries):
            dbt.parser.manifest.write_semantic_manifest = self._semantic_is_written

    def _link_once(self) -> None:
        """Linking and the search for cycles are done; not for a manifest that was added to, as `--inline` does."""
        link_graph, linked, size = Linker.link_graph, [self.graph], _size(self.manifest)

        def link(linker: Linker, manifest: Manifest) -> None:
            if linked and manifest is self.manifest and _size(manifest) == size:
                linker.graph = linked.pop()
            else:
                link_graph(linker, manifest)

        Linker.link_graph = link  # type: ignore[assignment]

    def _write(self, target: Path) -> None:
        nodes = {unique_id: spliced(written) for unique_id, (_, written) in self.nodes.items()}
        parts = {name: spliced(written) for name, written in self.parts.items()}
        whole = dumps({"metadata": _artifact(self.manifest.metadata), "nodes": nodes, **parts})
        files = {MANIFEST: whole, **self.others}
        target.mkdir(parents=True, exist_ok=True)
        for name in (each for each in ARTIFACTS if each in files):
            (target / name).write_bytes(files[name])
            _tell(target / name)

    def _write_again(self, path: str, changed: set[int]) -> None:
        """What dbt does at the end of a run, but for turning into JSON again what running did not change.

        That is every macro, and all nodes that are still the zygote's and were given no new attribute.
        """
        writable: Any = self.manifest.writable_manifest()
        same = {
            unique_id: spliced(self.nodes[unique_id][1])
            for unique_id, node in self.manifest.nodes.items()
            if id(node) not in changed and unique_id in self.nodes and node is self.nodes[unique_id][0]
        }
        writable.macros = {}
        writable.nodes = {name: node.to_resource() for name, node in self.manifest.nodes.items() if name not in same}
        written = _artifact(writable)
        written["nodes"] = {name: same.get(name) or written["nodes"][name] for name in self.manifest.nodes}
        write_json(path, written | {"macros": spliced(self.parts["macros"])})
        _tell(Path(path))

    def _semantic_is_written(self, manifest: Manifest, target_path: str) -> None:  # noqa: ARG002
        """A project without semantic models has the same two files before a run and after it."""
        for name in self.others:
            _tell(Path(target_path, name))


def load(order: Order) -> Parsed:
    """Read a project. Raises RuntimeError when dbt cannot parse it or when it changes meanwhile."""
    order.enter()
    target = Path(os.environ["DBT_TARGET_PATH"])
    in_child(lambda: _parse(order.words))
    made = target / CACHE
    words = [*order.words, "--partial-parse-file-path", str(made)] if made.exists() else order.words
    manifest = _parse([*words, "--no-write-json"])
    close_database()
    compile_macros(manifest)
    manifest.get_macros_by_name()  # which keeps them so
    others = {name: (target / name).read_bytes() for name in ARTIFACTS if (target / name).exists()}
    del others[MANIFEST]
    written = _artifact(manifest.writable_manifest())  # here, so that its serialisers are generated once
    del written["metadata"]
    nodes = {name: (manifest.nodes[name], dumps(node)) for name, node in written.pop("nodes").items()}
    linker = Linker()
    linker.link_graph(manifest)
    return Parsed(manifest, nodes, {name: dumps(part) for name, part in written.items()}, others, linker.graph)


def _note_changes() -> set[int]:
    """The nodes, by their identity in memory, that are given an attribute from now on."""
    changed: set[int] = set()
    node_class: Any = BaseNode

    def set_attribute(node: Any, name: str, value: Any) -> None:
        changed.add(id(node))
        object.__setattr__(node, name, value)

    node_class.__setattr__ = set_attribute
    return changed


def _size(manifest: Manifest) -> list[int]:
    return [len(getattr(manifest, name)) for name in LINKED]


def _tell(written: Path) -> None:
    fire_event(ArtifactWritten(artifact_type=ARTIFACTS[written.name], artifact_path=str(written)))


def _artifact(part: Any) -> dict[str, Any]:
    written: dict[str, Any] = part.to_dict(omit_none=False, context={"artifact": True})
    return written


def _parse(words: list[str]) -> Manifest:
    done = dbtRunner().invoke(["parse", *QUIET, *words])
    if not isinstance(done.result, Manifest) or not done.success:
        raise RuntimeError(f"dbt does not parse the project: {done.exception}")
    return done.result
