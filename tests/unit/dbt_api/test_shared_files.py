"""Logs and artifacts on storage that hosts share: a real S3 wire protocol, by moto."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dbt_api.records import shared_files
from dbt_api.records.files import LOG
from dbt_api.records.shared_files import SharedFiles
from dbt_api.running.attempt import Attempt
from dbt_api.running.dbt_process import DbtCall
from dbt_api.settings import settings
from dbt_api.storage import storage as storage_of
from tests.unit.dbt_api.cluster import Cluster, slow
from tests.unit.dbt_api.server import ROOT, eventually


@pytest.mark.usefixtures("storage")
def test_a_log_is_read_by_range_from_its_pieces_and_then_from_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt, files = Attempt("run", 1), SharedFiles("run", 1)
    assert (files.size(LOG), files.read(LOG, 0, 10), list(files.list("target"))) == (0, b"", [])
    attempt.target.mkdir(parents=True)
    for text in ("0123", "4567", "", "89"):
        with attempt.log.open("a") as log:
            log.write(text)
        assert files.add_piece(attempt.log) == len(text)
    ranges = [(0, 10), (2, 6), (3, 4), (4, 5), (7, 99), (10, 20), (0, 0)]

    with monkeypatch.context() as patched:
        real, looks = storage_of()[0]._lsdir, iter([list[Any]()])

        async def too_early(*words: Any, **options: Any) -> Any:
            nothing = next(looks, None)
            return nothing if nothing is not None else await real(*words, **options)

        patched.setattr(storage_of()[0], "_lsdir", too_early)
        assert files.size(LOG) in (0, 10), "the first piece came while its folder was listed"

    def assert_whole() -> None:
        assert files.size(LOG) == 10
        for start, end in ranges:
            assert files.read(LOG, start, end) == b"0123456789"[start:end], (start, end)

    assert_whole()
    (attempt.target / "compiled").mkdir()
    (attempt.target / "compiled" / "a.sql").write_text("select 1")
    (attempt.target / "partial_parse.msgpack").write_text("a cache")
    (attempt.target / "secret").symlink_to("/etc/passwd")
    files.add_all(attempt)
    files.add_all(attempt)
    assert_whole()
    assert [(each.name, each.size) for each in files.list("target")] == [("target/compiled/a.sql", 8)]
    assert list(files.list("log")) == []
    stored = files.find("target/compiled/a.sql")
    assert stored is not None
    assert stored.changed_ns > 1e18
    assert files.read("target/compiled/a.sql", 0, 6) == b"select"
    for name in ("../../other/1/events.jsonl", "/etc/passwd", "nope", "target", "target/../events.jsonl", "a\0b"):
        assert files.find(name) is None, name
    shared_files.forget(["run", "unknown"])
    assert files.size(LOG) == 0


@pytest.mark.usefixtures("storage")
def test_two_workers_with_folders_of_their_own_leave_everything_on_one_bucket(cluster: Cluster) -> None:
    for name in ("one", "two"):
        cluster.worker(name, SLOTS="1")
    for target in ("dev", "prod"):
        cluster.server.submit(target, *slow(600, "--target", target))
    for target in ("dev", "prod"):
        files = SharedFiles(target, 1)
        eventually(lambda files=files: b"START sql" in files.read(LOG, 0, 1 << 20))  # type: ignore[misc]
        assert cluster.server.read(target)["state"] == "STARTED", "the log is there while dbt runs"
    assert {cluster.server.read(target)["worker"] for target in ("dev", "prod")} == {"one", "two"}
    for target in ("dev", "prod"):
        cluster.server.call("POST", f"/api/v1/invocations/{target}/abort")
        assert cluster.server.ended(target)["state"] == "ABORTED"
        files = SharedFiles(target, 1)
        results = files.find("target/run_results.json")
        assert results is not None, "the artifacts were there before the end was told"
        assert results.size == 2
        own = cluster.worker_of(target).attempt(target) / LOG
        log = files.read(LOG, 0, 1 << 20)
        assert log == own.read_bytes()
        assert cluster.server.call("GET", f"/api/v1/invocations/{target}/logs").content == log
        assert cluster.server.call("GET", f"/api/v1/invocations/{target}/artifacts/run_results.json").content == b"{}"
        assert all(json.loads(line) for line in log.splitlines())


@pytest.mark.parametrize(
    ("given", "gets"),
    [
        ({}, False),
        ({"PILOTHOUSE_DBT_API_ENVIRONMENT_ALLOWED": '["PATH", "AWS_*"]'}, True),
        ({"FSSPEC_S3_KEY": "key", "FSSPEC_S3_SECRET": "secret"}, True),
        ({"PILOTHOUSE_DBT_API_FILES_URL": ""}, True),
        ({"PILOTHOUSE_DBT_API_FILES_URL": "gs://elsewhere"}, True),
    ],
)
@pytest.mark.usefixtures("storage")
def test_the_storages_keys_are_not_dbts_unless_somebody_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], gets: bool
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    seen = DbtCall("shop", tmp_path, ["ls"], "dev", "default").variables(tmp_path)
    assert ("AWS_SECRET_ACCESS_KEY" in seen) is gets
    assert "PATH" in seen
    assert not [name for name in seen if name.startswith("FSSPEC")]


@pytest.mark.usefixtures("storage")
def test_the_storage_may_have_keys_of_its_own() -> None:
    """fsspec's own variables, in a process of its own: fsspec reads them once."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"KEY": "key", "SECRET": "secret", "ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]}
    environment |= {f"FSSPEC_S3_{name}": value for name, value in keys.items()}
    program = "from dbt_api import storage; storage.check(); print('written')"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "written", done.stderr
