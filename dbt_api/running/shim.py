"""Stands between the server and one dbt process: `python -I -S shim.py <folder> <memory limit> <dbt> <words …>`.

The server may be killed while dbt runs, and only a parent learns how its child ended. So this small process is dbt's
parent: it starts dbt in a process group of its own, ignores every signal itself, waits, and leaves the ending in
`exit.json`. A restarted server sees by the lock that both inherit whether someone still lives (see attempt.py).
Standard library only, few imports: it is on the path of every start. Zygotes (dbt_api/zygote) fork into `supervise`.
"""

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable

DEFAULT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def write(path: str, text: str) -> None:
    """Write a file that is either whole or absent, whenever the process is killed."""
    with open(path + ".part", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def become_dbt(folder: str, become: Callable[[], object], memory_limit_bytes: int) -> None:
    """In the child: own group, default signals (SIGINT may have been ignored by a shell), pid on record, then dbt.

    The pid is written before dbt exists, so that a missing file proves that dbt never ran. The memory limit is the
    kernel's RLIMIT_DATA (0: none): no privilege needed, in force at once, and it outlives every process of ours.
    """
    try:
        os.setpgid(0, 0)
        for number in DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        if memory_limit_bytes:
            resource.setrlimit(resource.RLIMIT_DATA, (memory_limit_bytes, memory_limit_bytes))
        write(os.path.join(folder, "dbt.pid"), str(os.getpid()))
        become()
    except OSError as error:
        os.write(2, f"dbt could not be started: {error}\n".encode())
    finally:
        os._exit(127)


def supervise(folder: str, become: Callable[[], object], *, memory_limit_bytes: int) -> None:
    """Start dbt, wait for it, write down how it ended."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        become_dbt(folder, become, memory_limit_bytes)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    ending = {
        "exit_code": code if code >= 0 else None,
        "signal": -code if code < 0 else None,
        "peak_rss_kb": usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024,
        "finished_at": time.time(),
    }
    write(os.path.join(folder, "exit.json"), json.dumps(ending))


def main(folder: str, memory_limit_bytes: int, command: list[str]) -> None:
    """Supervise the `dbt` command."""
    supervise(folder, lambda: os.execv(command[0], command), memory_limit_bytes=memory_limit_bytes)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
