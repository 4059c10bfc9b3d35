"""Projects and manifests for workers on other hosts: data folders of their own, one bucket on a real S3 protocol."""

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbt_api.errors import ApiError
from dbt_api.projects import bundles, manifests
from dbt_api.settings import settings
from dbt_api.storage import storage as storage_of
from dbt_api.tables import ProjectRow
from tests.unit.dbt_api.cluster import Cluster
from tests.unit.dbt_api.conftest import running
from tests.unit.dbt_api.postgres import Postgres
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server, eventually
from tests.unit.dbt_api.test_upload import FILES, zipped

pytestmark = pytest.mark.usefixtures("storage")
Host = Callable[[str], Path]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Makes this process a host by its name: its data folder."""

    def become(name: str) -> Path:
        monkeypatch.setenv("PILOTHOUSE_DBT_API_DATA", str(tmp_path / name / "data"))
        settings.cache_clear()
        settings().data.mkdir(parents=True, exist_ok=True)
        return settings().data

    return become


def checkout(folder: Path) -> Path:
    """A repository with a dbt project below its top, a package that dbt has linked, and links that lead elsewhere."""
    project = write_project(folder / "dbt")
    (folder / "package").mkdir()
    (folder / "package" / "macro.sql").write_text("{% macro a() %}{% endmacro %}")
    (folder / "dbt" / "dbt_packages").mkdir()
    (folder / "dbt" / "dbt_packages" / "package").symlink_to(folder / "package")
    (folder / "secret").symlink_to("/etc/passwd")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("not for others")
    return project


def test_a_bundle_is_the_same_everywhere_and_holds_nothing_from_outside(tmp_path: Path, host: Host) -> None:
    checkout(tmp_path / "repository")
    here = host("one")
    bundle = bundles.publish("shop", tmp_path / "repository")
    os.utime(tmp_path / "repository" / "dbt" / "dbt_project.yml", (1, 1))
    assert bundles.publish("shop", tmp_path / "repository") == bundle, "times change nothing"
    project = ProjectRow(name="shop", source={}, path="/nowhere", bundle=bundle, bundle_folder="dbt")
    assert bundles.exists(project)
    for name in ("one", "two"):
        folder = bundles.folder_of(ProjectRow(**project.model_dump())) if host(name) else here
        assert folder == settings().projects / "shop" / "bundle" / bundle / "dbt"
        assert (folder / "models" / "orders.sql").read_text() == "select 1 as id"
        linked = folder / "dbt_packages" / "package"
        assert not linked.readlink().is_absolute()
        assert (linked / "macro.sql").exists(), "within the bundle, whatever the link said"
        assert os.access(folder.parent / "run.sh", os.X_OK)
        assert {each.name for each in folder.parent.iterdir()} == {"dbt", "package", "run.sh"}


def test_files_that_are_damaged_gone_or_out_of_reach_are_told_apart(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host("one")
    bundle = bundles.publish("shop", write_project(tmp_path / "shop"))
    bundles.publish("another", tmp_path / "shop")
    project = ProjectRow(name="shop", source={}, path="/nowhere", bundle=bundle)
    files, root = storage_of()
    stored = f"{root}/projects/shop/{bundle}.tar.gz"
    whole = files.cat_file(stored)

    def refused(said: str) -> int:
        with pytest.raises(ApiError, match=said) as error:
            bundles.folder_of(project)
        assert not (settings().projects / "shop" / "bundle" / bundle).exists()
        return error.value.status

    files.pipe_file(stored, whole[:-10])
    assert refused("damaged") == 503
    files.pipe_file(stored, whole)
    bundles.forget("shop", but={bundle})
    assert bundles.exists(project)
    bundles.forget("shop")
    assert not bundles.exists(project)
    assert refused("gone from the storage") == 409
    monkeypatch.setattr(files, "get_file", lambda *_: (_ for _ in ()).throw(OSError("refused")))
    assert refused("cannot be reached") == 503
    project.bundle = None
    assert refused("not on this host") == 409


def test_a_folder_that_nobody_starts_from_any_more_goes(tmp_path: Path, host: Host) -> None:
    host("one")
    kept = []
    for number in range(3):
        source = write_project(tmp_path / f"v{number}", **{"models/orders.sql": f"select {number} as id"})
        bundle = bundles.publish("shop", source)
        kept.append(bundles.folder_of(ProjectRow(name="shop", source={}, path="", bundle=bundle)))
        if number == 0:
            os.utime(kept[0], (1, 1))
    assert [each.exists() for each in kept] == [False, True, True]


def manifest(folder: Path, second: int, *, catalog: bool = False) -> Path:
    """What dbt leaves in its target path."""
    metadata = {"generated_at": f"2026-01-01T00:00:{second:02}Z", "invocation_id": f"i{second}", "dbt_version": "1"}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"metadata": metadata}))
    if catalog:
        (folder / "catalog.json").write_text(f'{{"of": {second}}}')
    return folder


def test_manifests_are_kept_and_answered_while_the_storage_is_away(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("refused")

    host("one")
    for name in ("put_file", "find", "ls", "rm", "cat_file"):
        monkeypatch.setattr(storage_of()[0], name, away)
    manifests.keep("shop", "dev", manifest(tmp_path / "made", 1, catalog=True), git_sha=None)
    kept = manifests.newest("shop", "dev")
    assert kept is not None
    assert kept.facts.invocation_id == "i1"
    assert manifests.catalog_of("shop", "dev") == b'{"of": 1}'
    with pytest.raises(ApiError, match="cannot be reached"):
        bundles.forget("shop")


def test_the_newest_manifest_of_any_host_answers_on_all(tmp_path: Path, host: Host) -> None:
    def newest(target: str | None = None) -> tuple[str, str] | None:
        kept = manifests.newest("shop", target)
        assert kept is None or json.loads(kept.manifest.read_bytes())["metadata"]["dbt_version"] == "1"
        return (kept.facts.target, str(kept.facts.invocation_id)) if kept is not None else None

    for name, target, second in (("one", "dev", 1), ("two", "prod", 2), ("two", "dev", 3), ("one", "dev", 2)):
        host(name)
        made = manifest(tmp_path / "made" / f"{target}{second}", second, catalog=second == 3)
        manifests.keep("shop", target, made, git_sha=None)
    for name in ("one", "two", "three"):
        host(name)
        assert (newest("dev"), newest("prod"), newest()) == (("dev", "i3"), ("prod", "i2"), ("dev", "i3"))
        assert manifests.catalog_of("shop", "dev") == b'{"of": 3}'
        assert manifests.catalog_of("shop", "prod") is None
    stored = storage_of()[0].find(f"{storage_of()[1]}/manifests/shop/dev")
    assert len(stored) == 5, "the two newest, each with its facts, and the catalog"
    manifests.forget("shop")
    host("one")
    assert newest() is None


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def source(server: Server, name: str, **source: Any) -> dict[str, Any]:
    answer = server.call("PUT", f"/api/v1/projects/{name}", json={"source": source})
    assert answer.ok, answer.text
    return dict(answer.json())


def test_projects_made_on_one_host_run_on_every_worker(tmp_path: Path, cluster: Cluster) -> None:
    """Upload, template and clone, by two servers and two workers that share a database and a bucket, and no disk."""
    other = cluster.process("other-server", "serve", "--no-worker").start(until_ready=False)
    workers = [cluster.worker(name, SLOTS="1") for name in ("one", "two")]
    repository = tmp_path / "repository"
    write_project(repository / "dbt")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "one")
    cloned = {"kind": "git", "url": f"file://{repository}", "branch": "main", "subfolder": "dbt"}
    source(cluster.server, "template", kind="template", warehouse="duckdb")
    made = source(cluster.server, "cloned", **cloned)
    uploaded = cluster.server.call("PUT", "/api/v1/projects/uploaded/upload", files={"file": zipped(FILES)}).json()

    def runs_on_both(name: str, again: str = "") -> None:
        """Two targets at once, so that each worker has one."""
        for target in ("dev", "prod"):
            words = ["run", "--target", target, "--vars", json.dumps({"gate": f"{name}{again}.gate"})]
            cluster.server.submit(f"{name}-{target}{again}", *words, project=name)
        for target in ("dev", "prod"):
            cluster.started_running(f"{name}-{target}{again}")
        cluster.open_gate(f"{name}{again}.gate")
        ended = [cluster.server.ended(f"{name}-{target}{again}") for target in ("dev", "prod")]
        assert [each["state"] for each in ended] == ["SUCCESS", "SUCCESS"], ended
        assert {each["worker"] for each in ended} == {"one", "two"}

    for name in ("template", "cloned", "uploaded"):
        runs_on_both(name)
    for worker in workers:
        folder = worker.data / "projects" / "uploaded" / "bundle" / uploaded["bundle"]
        assert (folder / "models" / "orders.sql").read_text() == FILES["models/orders.sql"]

    eventually(lambda: other.answers("/healthz"))
    assert source(other, "cloned", **cloned)["bundle"] == made["bundle"]
    again = source(other, "uploaded", **uploaded["source"])
    assert again["bundle"] == uploaded["bundle"], "the archive lies on the other server's disk"
    (repository / "dbt" / "models" / "later.sql").write_text("select 2 as id")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "two")
    later = source(other, "cloned", **cloned)
    assert later["bundle"] != made["bundle"]
    runs_on_both("cloned", "-later")
    assert (workers[0].data / "projects" / "cloned" / "bundle" / later["bundle"] / "dbt/models/later.sql").exists()

    assert other.call("DELETE", "/api/v1/projects/cloned").status_code == 204
    files, root = storage_of()
    assert {path.split("/")[-2] for path in files.find(f"{root}/projects")} == {"template", "uploaded"}
    with files.open(files.find(f"{root}/projects/uploaded")[0]) as stored, tarfile.open(fileobj=stored) as archive:
        assert "models/orders.sql" in archive.getnames()


def test_what_cannot_be_had_yet_waits_and_what_is_nowhere_says_so(tmp_path: Path, postgres: Postgres) -> None:
    """On a file system that all hosts have mounted, which goes away and comes back."""
    shared = tmp_path / "mounted"
    shared.mkdir()
    with running(Cluster(tmp_path, postgres.database(), FILES_URL=f"file://{shared}")) as cluster:
        cluster.server.call("PUT", "/api/v1/projects/uploaded/upload", files={"file": zipped(FILES)})
        worker = cluster.worker("one")
        cluster.server.submit("early", "run")
        assert cluster.server.ended("early")["artifacts"]
        shared.rename(tmp_path / "away")
        shared.touch()
        cluster.server.submit("patient", "run", "--target", "dev", project="uploaded")
        log = worker.data / "server.log"
        eventually(lambda: "patient cannot be started yet" in log.read_text())
        assert cluster.server.read("patient")["state"] == "PENDING"
        early = cluster.server.read("early")
        assert (early["state"], early["artifacts"], early["log"]["complete"]) == ("SUCCESS", [], False)
        for file in ("logs", "artifacts", "artifacts/run_results.json"):
            assert cluster.server.call("GET", f"/api/v1/invocations/early/{file}").status_code == 503
        assert cluster.server.call("GET", "/api/v1/invocations").ok
        assert cluster.server.call("DELETE", "/api/v1/projects/shop").status_code == 503
        shared.unlink()
        (tmp_path / "away").rename(shared)
        assert cluster.server.ended("patient")["state"] == "SUCCESS"

        (tmp_path / "shop").rename(tmp_path / "gone")
        cluster.server.submit("nowhere", "run", "--target", "dev")
        nowhere = cluster.server.ended("nowhere")
        assert (nowhere["state"], nowhere["outcome"], nowhere["attempt"]) == ("FAILURE", "usage_error", 0)
        assert "is not on this host" in nowhere["exc_message"]
