"""Stands between the server and one dbt process: `python -I -S shim.py <folder> <memory limit> <dbt> <words …>`.

The server may be killed while dbt runs, and only a parent learns how its child ended. So this small process is dbt's
parent: it starts dbt in a session of its own, ignores every signal itself, waits, and leaves the ending in
`exit.json`. A restarted server sees by the lock that both inherit whether someone still lives (see attempt.py).
Standard library only, few imports: it is on the path of every start. A zygote (dbt_api/zygote) does the same for those
that it forks, with these functions.
"""

import json
import os
import resource
import signal
import sys
import time

DEFAULT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
ENDING = "exit.json"


def write(path: str, text: str) -> None:
    """Write a file that is either whole or absent, whenever the process is killed."""
    with open(path + ".part", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def begin(folder: str, memory_limit_bytes: int) -> None:
    """In the child: own session, default signals (SIGINT may have been ignored by a shell), and its pid on record.

    The pid is written before dbt exists, so that a missing file proves that dbt never ran. The memory limit is the
    kernel's RLIMIT_DATA (0: none): no privilege needed, in force at once, and it outlives every process of ours.
    """
    os.setsid()
    for number in DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    if memory_limit_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_limit_bytes, memory_limit_bytes))
    write(os.path.join(folder, "dbt.pid"), str(os.getpid()))


def record(folder: str, code: int, usage: resource.struct_rusage) -> None:
    """Write down how dbt ended: its exit code, or the negative number of the signal that killed it."""
    ending = {
        "exit_code": code if code >= 0 else None,
        "signal": -code if code < 0 else None,
        "peak_rss_kb": usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024,
        "finished_at": time.time(),
    }
    write(os.path.join(folder, ENDING), json.dumps(ending))


def main(folder: str, memory_limit_bytes: int, command: list[str]) -> None:
    """Start the `dbt` command, wait for it, write down how it ended."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        try:
            begin(folder, memory_limit_bytes)
            os.execv(command[0], command)  # noqa: S606
        except OSError as error:
            os.write(2, f"dbt could not be started: {error}\n".encode())
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    record(folder, os.waitstatus_to_exitcode(status), usage)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
