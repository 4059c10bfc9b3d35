"""What both kinds of zygote do: take orders from the server's socket and fork.

An order is one message: JSON, and file descriptors beside it. `run` starts dbt, with the lock and the log of its
attempt; `load` (root only) makes a manifest zygote, with the socket that it shall listen to. A zygote whose socket was
closed takes no more orders, and stays until all dbt that it started has ended.
"""

import gc
import json
import os
import resource
import select
import socket
import time
import traceback
from contextlib import suppress
from typing import Any, NoReturn

from dbt_api.running import shim
from dbt_api.zygote.family import Family
from dbt_api.zygote.invocation import run_dbt
from dbt_api.zygote.orders import Order
from dbt_api.zygote.parsed import Parsed, load

MESSAGE_BYTES = 1 << 20
SETTLE_SECONDS = 2


def say(channel: socket.socket, message: dict[str, Any]) -> None:
    """Tell the server something. If it is gone, whoever next listens to it learns that."""
    with suppress(OSError):
        channel.send(json.dumps(message).encode())


def serve(channel: socket.socket, parsed: Parsed | None = None) -> None:
    """Fork for every order, until the server has closed its end and no dbt of ours is left."""
    gc.collect()
    gc.freeze()
    family, listening = Family(), [channel.fileno()]
    while listening or family.runs_dbt:
        for ready in select.select([*listening, *family.processes], [], [])[0]:
            if ready not in listening:
                family.bury(ready)
            elif not _took_order(channel, family, parsed):
                listening.clear()


def _took_order(channel: socket.socket, family: Family, parsed: Parsed | None) -> bool:
    """Carry out the next order; False when there will be none."""
    try:
        message, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 4)
    except ConnectionResetError:  # the server is gone and has not read what it was told
        return False
    if not message:
        return False
    order = json.loads(message)
    pid = os.fork()
    if pid == 0:
        _obey(order, descriptors, channel, family, parsed)
    if order["do"] == "run":
        family.adopt(pid, order["folder"], lock=descriptors.pop(0))
    else:
        family.adopt(pid)
    for descriptor in descriptors:
        os.close(descriptor)
    say(channel, {"pid": pid})
    return True


def _obey(
    order: dict[str, Any], descriptors: list[int], channel: socket.socket, family: Family, parsed: Parsed | None
) -> NoReturn:
    code = 127  # until dbt says another
    try:
        channel.close()
        family.leave()
        if order.pop("do") == "load":
            _serve_manifest(socket.socket(fileno=descriptors[0]), Order(**order))
        else:
            folder, log = order.pop("folder"), descriptors[1]
            shim.begin(folder, order.pop("memory_limit_bytes"))
            code = run_dbt(Order(**order), log, parsed)
            shim.record(folder, code, resource.getrusage(resource.RUSAGE_SELF))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


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
