"""Starts, finds, stops and cleans up clusters of our own. Any number may run side by side, each with a name.

A cluster is one process, `unshare`, with a child that is process 1 of namespaces of its own (see node.py). If `unshare`
dies, so does that child, and the kernel ends all that lives in its namespaces.
"""

import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.images import debian
from deploy.images.archive import Image
from stack import proc
from stack.environments import Say
from stack.places import HOST, ROOT
from stack.problems import Problem
from tests.cluster import binaries, images
from tests.cluster.components import Folders
from tests.cluster.credentials import NODE_NAME, write_kubeconfig

PACKAGES = ("busybox-static", "catatonit", "containerd", "containernetworking-plugins", "etcd-server", "iproute2",
            "openssl", "runc", "util-linux")  # fmt: skip
CGROUPS = Path("/sys/fs/cgroup")
START_SECONDS = 300
STOP_SECONDS = 60
PR_SET_PDEATHSIG = 1


def cache_folder() -> Path:
    """Where binaries, images and the clusters' states are kept: PILOTHOUSE_CLUSTER_CACHE, or below ~/.cache."""
    given = os.environ.get("PILOTHOUSE_CLUSTER_CACHE")
    return Path(given or Path.home() / ".cache" / "pilothouse" / "kubernetes").absolute()


@dataclass(frozen=True)
class OwnCluster:
    """A cluster of our own, whether it runs or not."""

    state: Path

    @classmethod
    def named(cls, name: str) -> "OwnCluster":
        """The cluster of this name."""
        return cls(cache_folder() / "clusters" / name)

    @classmethod
    def behind(cls, kubeconfig: Path) -> "OwnCluster | None":
        """The running cluster of our own that a kubeconfig is about, or None when it is somebody else's."""
        found = cls(kubeconfig.absolute().parent)
        return found if found.pid() else None

    @property
    def folders(self) -> Folders:
        """Where it keeps what."""
        return Folders(self.state)

    @property
    def kubeconfig(self) -> Path:
        """For clients outside the cluster's network; written when it is started."""
        return self.state / "kubeconfig"

    @property
    def cgroup(self) -> str:
        """The name of its cgroup in every hierarchy."""
        return f"pilothouse-{hashlib.sha256(str(self.state).encode()).hexdigest()[:12]}"

    def start(self, say: Say, *, outlives_us: bool) -> None:
        """Make what it needs, start it, and wait until its node can run pods.

        Raises:
            Problem: it runs already, it cannot run on this machine, or it did not get ready.
        """
        debian.require()
        with _one_at_a_time():
            _remove_the_dead()
            if self.pid():
                raise Problem(f"This cluster runs already: KUBECONFIG={self.kubeconfig}")
            debian.install(PACKAGES)
            programs = binaries.binaries(cache_folder(), say)
            self._make_folders()
            wanted = images.images(cache_folder(), self.state, say)
            say("starting the cluster")
            self._launch(programs, outlives_us)
        try:
            with ThreadPoolExecutor() as pool:
                loading = pool.submit(self._load, wanted)
                self._wait("the node", self._can_run_pods)
                loading.result()
        except BaseException:
            self.stop()
            raise

    def _make_folders(self) -> None:
        for folder in (self.state, self.folders.logs, self.folders.stopped):
            folder.mkdir(parents=True)
        for hierarchy in _hierarchies():
            (hierarchy / self.cgroup).mkdir(exist_ok=True)

    def _launch(self, programs: Path, outlives_us: bool) -> None:
        tokens = self.folders.credentials.make()
        with socket.create_server((HOST, 0)) as listener, (self.folders.logs / "node.log").open("wb") as log:
            server = f"https://{HOST}:{listener.getsockname()[1]}"
            write_kubeconfig(self.kubeconfig, server, self.folders.credentials.authority, tokens["admin"])
            words = [str(self.state), str(programs), self.cgroup, str(listener.fileno())]
            process = subprocess.Popen(
                ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--",
                 sys.executable, "-m", "tests.cluster.node", *words],
                cwd=ROOT, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=None if outlives_us else _die_with_parent,
            )  # fmt: skip
        (self.state / "process.json").write_text(json.dumps({"pid": process.pid, "started": _started(process.pid)}))

    def _load(self, wanted: list[Image]) -> None:
        socket_inside = self.folders.containerd_socket.relative_to("/")
        from_outside = Path(f"/proc/{self.pid()}/root") / socket_inside
        self._wait("containerd", from_outside.exists)
        images.load(wanted, from_outside)

    def _wait(self, what: str, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if not self.pid():
                raise Problem(f"The cluster ended while it started:\n{(self.folders.logs / 'node.log').read_text()}")
            if time.monotonic() > deadline:
                raise Problem(f"{what} was not ready after {START_SECONDS} s: see {self.folders.logs}")
            time.sleep(0.2)

    def _can_run_pods(self) -> bool:
        """Whether the node is ready and pods have an identity to run with."""
        with suppress(OSError, ValueError):
            self.get("/api/v1/namespaces/default/serviceaccounts/default")
            conditions = self.get(f"/api/v1/nodes/{NODE_NAME}")["status"]["conditions"]
            return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        return False

    def get(self, path: str) -> Any:
        """What the API server answers. Raises OSError when it does not, or with an error."""
        config = json.loads(self.kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        request = urllib.request.Request(cluster["server"] + path, headers={"Authorization": f"Bearer {user['token']}"})
        trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
        with urllib.request.urlopen(request, timeout=5, context=trust) as answer:
            return json.load(answer)

    def pid(self) -> int | None:
        """The process that holds the cluster, or None when it is gone. A reused number is not taken for it."""
        try:
            recorded = json.loads((self.state / "process.json").read_text())
        except (OSError, ValueError):
            return None
        pid: int = recorded["pid"]
        return pid if proc.is_alive(pid) and _started(pid) == recorded["started"] else None

    def stop(self) -> None:
        """Kill it and remove what the kernel leaves: cgroups and the state folder. May be repeated."""
        if pid := self.pid():
            family = [pid, *proc.descendants(pid)]
            os.kill(pid, signal.SIGKILL)
            proc.end(lambda: [one for one in family if proc.is_alive(one)], [(signal.SIGKILL, STOP_SECONDS)])
        for hierarchy in _hierarchies():
            for folder, _, _ in os.walk(hierarchy / self.cgroup, topdown=False):
                os.rmdir(folder)
        shutil.rmtree(self.state, ignore_errors=True)

    def hold(self, component: str) -> None:
        """Kill one of its processes and keep it stopped until `release`. A name: see components.py."""
        (self.folders.stopped / component).touch()

    def release(self, component: str) -> None:
        """Let it run again."""
        (self.folders.stopped / component).unlink(missing_ok=True)


def clean_up() -> None:
    """Remove what crashed sessions have left. Starting a cluster does so too."""
    with _one_at_a_time():
        _remove_the_dead()


def _remove_the_dead() -> None:
    for state in (cache_folder() / "clusters").glob("*"):
        if not OwnCluster(state).pid():
            OwnCluster(state).stop()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two that find nothing in the cache shall not both build, and none shall clean up what another just starts."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _hierarchies() -> Iterator[Path]:
    """The roots of the cgroup hierarchies: one for each controller (version 1), or the one of version 2."""
    if (CGROUPS / "cgroup.controllers").exists():
        yield CGROUPS
    else:
        yield from (folder for folder in sorted(CGROUPS.iterdir()) if folder.is_dir() and not folder.is_symlink())


def _started(pid: int) -> str:
    """When a process was started, in the kernel's own count: with the number it is unique until the next boot."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
