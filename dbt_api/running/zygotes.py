"""One zygote (dbt_api/zygote), seen from the server: a socket that takes orders, and a process that can be ended."""

import json
import os
import select
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_api.running.dbt_process import DbtCall, dbt_of
from dbt_api.running.fingerprint import parse_words
from dbt_api.settings import settings

PROGRAM = Path(__file__).parents[1] / "zygote" / "__main__.py"
START_SECONDS = 120
ANSWER_SECONDS = 10
MESSAGE_BYTES = 1 << 20


class ZygoteGone(Exception):
    """A zygote did not answer: it crashed, hangs, or was ended."""


@dataclass(eq=False)
class Zygote:
    """A process that forks on our order."""

    channel: socket.socket
    process: int | None
    """Descriptor of the process (pidfd); None when it was ended."""
    gone: threading.Event = field(default_factory=threading.Event)
    """Set once it takes no more orders: it has ended, or only stays with dbt that it started."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def order(self, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Send an order and hear the answer. Raises ZygoteGone; then the order will not be carried out any more."""
        with self._turn:
            try:
                socket.send_fds(self.channel, [json.dumps(message).encode()], descriptors)
                return self._hear(ANSWER_SECONDS)
            except OSError as error:
                self._kill()
                raise ZygoteGone(str(error)) from error

    def wait_until_ready(self) -> None:
        """Hear that it may be used. Raises ZygoteGone with its reason when it may not."""
        try:
            said = self._hear(START_SECONDS)
        except OSError as error:
            self._kill()
            raise ZygoteGone(str(error)) from error
        if not said["ready"]:
            raise ZygoteGone(said["reason"])

    def _hear(self, seconds: float) -> dict[str, Any]:
        """What it says next. Raises OSError."""
        self.channel.settimeout(seconds)
        said = self.channel.recv(MESSAGE_BYTES)
        if not said:
            raise ConnectionResetError("it has ended")
        heard: dict[str, Any] = json.loads(said)
        return heard

    @property
    def is_alive(self) -> bool:
        """Whether its process still runs."""
        return self.process is not None and not select.select([self.process], [], [], 0)[0]

    def end(self) -> None:
        """Give it no more orders: it ends as soon as all dbt that it started has."""
        with self._turn:
            self._let_go()

    def _kill(self) -> None:
        """Wait until it is gone, so that no order of ours lies unread with a lock in it. What it started goes on."""
        if self.process is not None:
            with suppress(OSError):
                signal.pidfd_send_signal(self.process, signal.SIGKILL)
                select.select([self.process], [], [], ANSWER_SECONDS)
        self._let_go()

    def _let_go(self) -> None:
        self.channel.close()
        if self.process is not None:
            os.close(self.process)
            self.process = None
        self.gone.set()


def spawn_root(environment: str) -> Zygote:
    """Start a root zygote in a dbt environment. What it says first is whether it is ready."""
    folder = settings().data / "zygotes"
    folder.mkdir(parents=True, exist_ok=True)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    python = dbt_of(environment).parent / "python"
    call = DbtCall("zygote", folder, [], "", environment)
    with theirs, (folder / f"{environment}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(python), "-I", "-X", "utf8", str(PROGRAM), str(theirs.fileno())],
            cwd=folder,
            env=call.variables(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    root = Zygote(ours, os.pidfd_open(process.pid))
    threading.Thread(
        target=_reap, args=(process, root), daemon=True, name=f"reaper of the zygote {process.pid}"
    ).start()
    return root


def _reap(process: "subprocess.Popen[bytes]", root: Zygote) -> None:
    process.wait()
    root.gone.set()


def fork_parsed(root: Zygote, call: DbtCall, folder: Path) -> Zygote:
    """Let the root zygote make one that holds the project of a call. Raises ZygoteGone when dbt can't parse it."""
    folder.mkdir(parents=True, exist_ok=True)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cache = ["--partial-parse-file-path", str(call.cache)] if call.cache and call.cache.exists() else []
    order = {"do": "load", "words": [*cache, *parse_words(call.words)], "cwd": str(call.path)}
    with theirs:
        pid = root.order(order | {"environment": call.variables(folder)}, [theirs.fileno()])["pid"]
    zygote = Zygote(ours, os.pidfd_open(pid))
    try:
        zygote.wait_until_ready()
    except ZygoteGone:
        zygote.end()
        raise
    return zygote
