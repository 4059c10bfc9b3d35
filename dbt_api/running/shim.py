"""Stands between the server and one dbt process: `python -I -S shim.py <attempt folder> <dbt> <arguments …>`.

The server may be killed while dbt runs, and only a parent learns how its child ended. So this small process is dbt's
parent: it starts dbt in a process group of its own, ignores every signal itself, waits, and leaves the ending in
`exit.json`. A restarted server sees by the lock that both inherit whether someone still lives (see attempt.py).
Standard library only, few imports: it is on the path of every start.
"""

import json
import os
import signal
import sys
import time

DEFAULT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def write(path: str, text: str) -> None:
    """Write a file that is either whole or absent, whenever the process is killed."""
    with open(path + ".part", "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def become_dbt(folder: str, command: list[str]) -> None:
    """In the child: own group, default signals (SIGINT may have been ignored by a shell), pid on record, then dbt.

    The pid is written before dbt exists, so that a missing file proves that dbt never ran.
    """
    try:
        os.setpgid(0, 0)
        for number in DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        write(os.path.join(folder, "dbt.pid"), str(os.getpid()))
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        os.write(2, f"dbt could not be started: {error}\n".encode())
    finally:
        os._exit(127)


def main(folder: str, command: list[str]) -> None:
    """Start dbt, wait for it, write down how it ended."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        become_dbt(folder, command)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    ending = {
        "exit_code": code if code >= 0 else None,
        "signal": -code if code < 0 else None,
        "peak_rss_kb": usage.ru_maxrss if sys.platform != "darwin" else usage.ru_maxrss // 1024,
        "finished_at": time.time(),
    }
    write(os.path.join(folder, "exit.json"), json.dumps(ending))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
