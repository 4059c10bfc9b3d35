"""What a run's own manifest.json says of the project's code: graph, and a fingerprint of each node and macro.

A manifest may be large: it is read once a process, and only what pages need of it stays in memory.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.run import Invocation
from services import logs

_KEPT = 8
_RUN_BESIDE_NODES = ("exposures", "saved_queries", "functions")
"""What `dbt build` runs too, in sections of their own."""
_OF_DBT = ("dbt", "dbt_postgres", "dbt_spark")
"""Packages of macros that come with dbt and its adapters; the adapter's own is the third kind."""


@dataclass(frozen=True)
class Code:
    """One node or macro as it was in a run. `text` and `config` are fingerprints."""

    unique_id: str
    name: str
    kind: str
    file: str
    text: str
    config: str


@dataclass(frozen=True)
class Manifest:
    """A project as one run of dbt read it."""

    code: dict[str, Code] = field(default_factory=dict)
    depends_on: dict[str, list[str]] = field(default_factory=dict)
    """What each node reads; of macros, what they call."""
    calls: dict[str, list[str]] = field(default_factory=dict)
    """The macros that each node and macro calls."""


def manifest_of(invocation: Invocation) -> Manifest | None:
    """The manifest that the invocation left; None when it is not kept or cannot be read."""
    path = logs.artifacts_of(invocation) / "manifest.json"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=_KEPT)
def _read(path: Path, _changed_ns: int) -> Manifest:
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} holds no object")
    return read_manifest(content)


def read_manifest(content: Mapping[str, Any]) -> Manifest:
    """The parts of a manifest (v4 and later) that matter here."""
    nodes = {**(content.get("nodes") or {}), **(content.get("unit_tests") or {})}
    adapter = (content.get("metadata") or {}).get("adapter_type")
    ours = {
        name: macro
        for name, macro in (content.get("macros") or {}).items()
        if macro.get("package_name") not in (*_OF_DBT, f"dbt_{adapter}")
    }
    both = {**nodes, **ours}
    beside = {name: each for kind in _RUN_BESIDE_NODES for name, each in (content.get(kind) or {}).items()}
    return Manifest(
        code={name: _code(name, each) for name, each in both.items()},
        depends_on={name: _depends(each, "nodes") for name, each in {**nodes, **beside}.items()},
        calls={name: _depends(each, "macros") for name, each in both.items()},
    )


def _depends(node: Mapping[str, Any], kind: str) -> list[str]:
    return list((node.get("depends_on") or {}).get(kind) or [])


def _code(unique_id: str, node: Mapping[str, Any]) -> Code:
    text = node.get("raw_code") or node.get("macro_sql") or node.get("checksum") or ""  # of a unit test: one word
    config = {name: node.get(name) for name in ("unrendered_config", "test_metadata", "given", "expect", "columns")}
    return Code(
        unique_id,
        str(node.get("name") or unique_id.rpartition(".")[2]),
        str(node.get("resource_type") or unique_id.partition(".")[0]),
        str(node.get("original_file_path") or ""),
        _fingerprint(text),
        _fingerprint(config),
    )


def _fingerprint(value: Any) -> str:
    return hashlib.sha1(json.dumps(value, sort_keys=True, default=str).encode(), usedforsecurity=False).hexdigest()
