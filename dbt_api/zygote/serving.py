"""What both kinds of zygote do: take orders from the server's socket and fork.

An order is one message: JSON, and file descriptors beside it. `run` starts dbt under a shim, with the lock and the log
of its attempt; `load` (root only) makes a manifest zygote, with the socket that it shall listen to.
"""

import gc
import json
import os
import signal
import socket
import time
import traceback
from typing import Any, NoReturn

from dbt_api.running import shim
from dbt_api.zygote.invocation import become_dbt
from dbt_api.zygote.orders import Order
from dbt_api.zygote.parsed import Parsed, load

MESSAGE_BYTES = 1 << 20
SETTLE_SECONDS = 2


def say(channel: socket.socket, message: dict[str, Any]) -> None:
    """Tell the server something; it may be gone."""
    try:
        channel.send(json.dumps(message).encode())
    except OSError:
        os._exit(0)


def serve(channel: socket.socket, parsed: Parsed | None = None) -> None:
    """Fork for every order, until the server has closed its end."""
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a shim: its ending is in a file
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 4)
        if not message:
            return
        order = json.loads(message)
        pid = os.fork()
        if pid == 0:
            _obey(order, channel, descriptors, parsed)
        for descriptor in descriptors:
            os.close(descriptor)
        say(channel, {"pid": pid})


def _obey(order: dict[str, Any], channel: socket.socket, descriptors: list[int], parsed: Parsed | None) -> NoReturn:
    try:
        channel.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if order.pop("do") == "load":
            _serve_manifest(socket.socket(fileno=descriptors[0]), Order(**order))
        else:
            os.setsid()
            folder, limit, log = order.pop("folder"), order.pop("memory_limit_bytes"), descriptors[1]
            shim.supervise(folder, lambda: become_dbt(Order(**order), log, parsed), memory_limit_bytes=limit)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve_manifest(channel: socket.socket, order: Order) -> None:
    try:
        parsed = load(order)
        check_safe_to_fork()
    except Exception as error:
        say(channel, {"ready": False, "reason": f"{error}"})
        return
    say(channel, {"ready": True})
    serve(channel, parsed)


def check_safe_to_fork() -> None:
    """Raises RuntimeError with a second thread (a fork would freeze its locks) or an open database."""
    until = time.monotonic() + SETTLE_SECONDS
    while len(os.listdir("/proc/self/task")) > 1:
        if time.monotonic() > until:
            raise RuntimeError("dbt keeps threads, so its process cannot be forked")
        time.sleep(0.02)
    if any(_is_database(descriptor) for descriptor in os.listdir("/proc/self/fd")):
        raise RuntimeError("dbt keeps a database open, so its process cannot be forked")


def _is_database(descriptor: str) -> bool:
    try:
        return ".duckdb" in os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
    except OSError:
        return False
