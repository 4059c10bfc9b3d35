"""What ended long ago is deleted when a setting says so: row, place in the queue, files; nothing else."""

import os
import time
from pathlib import Path

import pytest

from tests.unit.dbt_api import fake_dbt
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server, eventually


def test_old_invocations_go_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """D10: retention."""
    monkeypatch.setenv("DBT_ENV_WITNESS", str(tmp_path / "fake" / "witness"))
    dbt = str(fake_dbt.install(tmp_path / "fake"))
    server = Server(tmp_path / "data", DBT=dbt, RETENTION_DAYS="30").start()
    server.register("shop", write_project(tmp_path / "shop"))
    for task_id in ("old", "young"):
        server.submit(task_id, "run")
        server.ended(task_id)
    server.end()
    server.execute("update invocation set finished_at = '2020-01-01 00:00:00' where task_id = 'old'")
    long_ago = time.time() - 31 * 24 * 3600
    for folder in (server.data / "invocations").iterdir():
        os.utime(folder, (long_ago, long_ago))

    server.start()

    eventually(lambda: server.call("GET", "/api/v1/invocations/old").status_code == 404)
    eventually(lambda: not (server.data / "invocations" / "old").exists())
    assert server.read("young")["state"] == "SUCCESS"
    assert (server.data / "invocations" / "young" / "1" / "events.jsonl").exists()
    server.submit("old", "run")
    assert server.ended("old")["state"] == "SUCCESS", "its name is free again, in the queue too"
    server.end()
