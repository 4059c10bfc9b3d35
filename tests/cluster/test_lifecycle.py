"""Our own clusters: what is kept is checked, one of their processes may be held, and nothing of them stays behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import proc
from stack.places import ROOT
from tests.cluster import binaries
from tests.cluster.access import Cluster, until
from tests.cluster.clusters import CGROUPS, OwnCluster, clean_up
from tests.cluster.node import PRIVATE_FOLDERS, SYSCTLS


@pytest.fixture
def own(cluster: Cluster) -> OwnCluster:
    if not cluster.own:
        pytest.skip("this cluster is given by KUBECONFIG and not ours to break")
    return cluster.own


def test_a_held_api_server_is_gone_and_comes_back_with_all_it_knew(own: OwnCluster, cluster: Cluster) -> None:
    namespace = cluster.make_namespace()
    own.hold("kube-apiserver")
    until(lambda: not answers(own), "the API server is gone")
    own.release("kube-apiserver")
    until(lambda: answers(own), "the API server is back")
    assert own.get(f"/api/v1/namespaces/{namespace}")["metadata"]["name"] == namespace
    cluster.delete_namespace(namespace)


def answers(own: OwnCluster) -> bool:
    try:
        return bool(own.get("/version"))
    except OSError:
        return False


@pytest.fixture
def crashing(own: OwnCluster) -> Iterator[OwnCluster]:
    """A cluster beside the session's, stopped at the end whatever happens. Its paths are long, as below some homes."""
    found = OwnCluster.named(f"{own.state.name}-crashing-below-a-long-path")
    yield found
    found.stop()


def test_a_killed_session_leaves_nothing_behind(crashing: OwnCluster) -> None:
    before = machine()
    command = [sys.executable, "-m", "tests.cluster", "--name", crashing.state.name, "up"]
    session = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert session.stdout
    assert any("ready" in line for line in session.stdout)
    assert machine() == before, "the machine's own mounts, interfaces and settings are not touched"
    pid = crashing.pid()
    assert pid
    family = [pid, *proc.descendants(pid)]
    assert len(family) > 8
    os.kill(session.pid, signal.SIGKILL)
    session.wait()
    until(lambda: not any(map(proc.is_alive, family)), "all its processes are gone")
    clean_up()
    assert not crashing.state.exists()
    assert not list(CGROUPS.glob(f"**/{crashing.cgroup}"))
    assert machine() == before


def machine() -> dict[str, object]:
    """What a cluster could leave on the machine."""
    return {
        "mounts": sorted(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()),
        "interfaces": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "settings": {name: Path(f"/proc/sys/{name}").read_text() for name in SYSCTLS},
        "files": [path for folder in PRIVATE_FOLDERS for path in sorted(Path(folder).glob("*"))],
    }


def test_what_is_cached_is_used_only_as_it_was_built(tmp_path: Path) -> None:
    assert binaries.what_is_wrong(tmp_path) == "not built yet"
    for name in binaries.NAMES:
        (tmp_path / name).write_text(name)
    assert binaries.what_is_wrong(tmp_path) == "not built yet", "an interrupted build has no checksums"
    binaries.record_checksums(tmp_path)
    assert binaries.what_is_wrong(tmp_path) is None
    (tmp_path / "kubelet").write_text("kubelet, but cut o")
    (tmp_path / "kube-scheduler").unlink()
    assert binaries.what_is_wrong(tmp_path) == "damaged: kube-scheduler, kubelet"
    (tmp_path / binaries.CHECKSUMS).write_text("{")
    assert binaries.what_is_wrong(tmp_path) == "checksums.json is damaged"
