"""Process 1 of a cluster: `python -m tests.cluster.node STATE BINARIES CGROUP FD`, run in namespaces of its own.

It lives in its own network, mount and process id namespaces. Whatever is started, mounted or configured here belongs to
them, so the kernel takes all of it away when this process ends, however it ends: containers, mounts, bridges. Only
cgroups and the state folder remain, which clusters.py removes.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from stack.places import ROOT
from tests.cluster import components, network
from tests.cluster.components import Component, Folders

PRIVATE_FOLDERS = ("/run/containerd", "/var/log/pods", "/var/log/containers", "/var/lib/cni", "/run/netns")
"""Paths that are fixed in containerd, kubelet and CNI: here they are file systems of our own."""

SYSCTLS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
"""What the kubelet insists on. They are the whole machine's and no namespace's, so it is shown files with these values
in their place, and the machine keeps its own."""

RESTART_SECONDS = 1.0


def main(state: Path, binaries: Path, cgroup: str, listener: int) -> None:
    """Prepare the namespaces, then keep the components running until killed."""
    folders = Folders(state)
    _make_private_places(folders)
    network.configure()
    Node(folders, components.table(state, binaries, cgroup, listener), listener).keep_running()


def _make_private_places(folders: Folders) -> None:
    _mount("--make-rshared", "/")
    for place in (*PRIVATE_FOLDERS, str(folders.data)):
        Path(place).mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "tmpfs", place)
    for name, value in SYSCTLS.items():
        file = folders.state / "sysctls" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
        _mount("--bind", str(file), f"/proc/sys/{name}")


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


class Node:
    """Keeps every component running but those that are to be stopped. Crashes of components heal the same way."""

    def __init__(self, folders: Folders, table: list[Component], listener: int) -> None:
        self._folders = folders
        self._table = table
        self._listener = listener
        self._running: dict[str, int] = {}
        self._started: dict[str, float] = {}

    def keep_running(self) -> None:
        """Compare what runs with what should, again and again."""
        while True:
            self._note_the_dead()
            for component in self._table:
                self._settle(component)
            time.sleep(0.1)

    def _settle(self, component: Component) -> None:
        pid = self._running.get(component.name)
        is_to_run = not (self._folders.stopped / component.name).exists()
        is_due = time.monotonic() - self._started.get(component.name, -RESTART_SECONDS) >= RESTART_SECONDS
        if pid and not is_to_run:
            os.kill(pid, signal.SIGKILL)
        elif not pid and is_to_run and is_due:
            self._start(component)

    def _start(self, component: Component) -> None:
        with (self._folders.logs / f"{component.name}.log").open("ab") as log:
            child = subprocess.Popen(component.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     pass_fds=[self._listener] if component.name == "relay" else [])  # fmt: skip
        child.returncode = 0  # reaped below, with all the orphans that process 1 inherits
        self._running[component.name] = child.pid
        self._started[component.name] = time.monotonic()

    def _note_the_dead(self) -> None:
        with suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                self._running = {name: alive for name, alive in self._running.items() if alive != pid}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
