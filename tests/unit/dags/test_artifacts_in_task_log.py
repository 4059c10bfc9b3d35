"""Artifacts travel in a pod's log, and where the pod cannot be asked, in Airflow's copy of it."""

import json
import random
import runpy
from pathlib import Path

import pytest

pytest.importorskip("airflow.sdk")

from airflow.sdk._shared.logging.structlog import redact_jwt

from contracts.log_artifacts import Artifact, ArtifactReader
from contracts.log_event import parse_log_line
from stack.places import ROOT


def test_what_airflow_hides_in_its_logs_is_not_in_them(tmp_path: Path) -> None:
    """It takes whatever begins as base64 of `{"` for a token, and of a megabyte of base64 some piece always does."""
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(random.Random(0).randbytes(1_000_000))
    entrypoint = runpy.run_path(str(ROOT / "deploy" / "images" / "dbt" / "entrypoint.py"))
    lines = list(entrypoint["lines_of"](manifest, 2_000_000))
    copied = [redact_jwt(None, "info", {"event": line})["event"] for line in lines]
    reader = ArtifactReader()
    found = [artifact for line in copied if (artifact := reader.add(parse_log_line(line)))]
    assert found == [Artifact("manifest.json", manifest.read_bytes())]
    assert all(json.loads(line) for line in copied)
