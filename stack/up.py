"""`python3 -m stack up`, `status` and `stop`: the whole stack from one command."""

import signal
import time
from collections.abc import Collection
from functools import partial

from stack import environments, preflight, proc, secrets, state
from stack.places import Places
from stack.problems import Problem
from stack.processes import MARKER, PARTS, table
from stack.progress import Progress
from stack.supervisor import KILL, Supervisor

LEFTOVER_GRACES = ((signal.SIGTERM, 12.0), *KILL)
STOP_SECONDS = 90


def up(places: Places, parts: Collection[str] = PARTS) -> int:
    """Install what is missing, start the parts, stay until the end. Returns the exit status.

    Raises:
        Problem: something must be put right first.
    """
    progress = Progress()
    preflight.check_writable(places.data, "PILOTHOUSE_DATA")
    preflight.check_writable(places.environments, "PILOTHOUSE_ENVIRONMENTS")
    with preflight.lock(places):
        if left := proc.end(partial(proc.marked, MARKER, str(places.data)), LEFTOVER_GRACES):
            progress.say(f"ended {len(left)} processes that an earlier start had left behind")
        preflight.check_ports(places.ports(parts))
        _prepare(places, parts, progress)
        return _supervise(places, parts, progress)


def _prepare(places: Places, parts: Collection[str], progress: Progress) -> None:
    wanted = [environments.OF_PART[part] for part in parts]
    preflight.check_disk(places.data, "PILOTHOUSE_DATA", preflight.RUN_BYTES)
    if environments.missing(places, wanted):
        preflight.check_disk(places.environments, "PILOTHOUSE_ENVIRONMENTS", preflight.INSTALL_BYTES)
    environments.create(places, wanted, progress.say)


def _supervise(places: Places, parts: Collection[str], progress: Progress) -> int:
    is_first = not secrets.airflow_password_file(places).exists()
    made = secrets.generate(places)
    greeting = _greeting(places, parts, made.airflow_password if is_first else None)

    def changed(supervisor: Supervisor) -> None:
        state.write(places, supervisor)
        if supervisor.is_ready:
            progress.say_once(f"Pilothouse is ready after {progress.seconds:.0f} s.\n{greeting}")

    supervisor = Supervisor(table(places, made, parts), logs=places.logs, say=progress.say, changed=changed)
    try:
        return supervisor.run()
    finally:
        state.clear(places)


def _greeting(places: Places, parts: Collection[str], fresh_password: str | None) -> str:
    file = secrets.airflow_password_file(places)
    password = f"password {fresh_password} (kept in {file})" if fresh_password else f"password in {file}"
    lines = {
        "console": f"Console  {places.console.url}",
        "airflow": f"Airflow  {places.airflow.url}  sign in as {secrets.AIRFLOW_USER}, {password}",
        "dbt-api": f"dbt API  {places.dbt_api.url}",
    }
    shown = [line for part, line in lines.items() if part in parts]
    return "\n".join(f"  {line}" for line in [*shown, f"Logs     {places.logs}"]) + "\nCtrl-C stops everything."


def status(places: Places) -> int:
    """Print what runs. Returns 0 when the stack is ready, 3 when it isn't."""
    now = state.read(places)
    if now is None or not proc.is_alive(now["pid"]):
        print(f"Pilothouse does not run on {places.data}.")
        return 3
    print(f"Pilothouse {'is ready' if now['ready'] else 'is starting'} (process {now['pid']}): {now['console']}")
    for name, pid in now["processes"].items():
        print(f"  {name:24} process {pid}")
    return 0 if now["ready"] else 3


def stop(places: Places) -> int:
    """Ask the running stack to stop and wait for it.

    Raises:
        Problem: it did not stop in time.
    """
    now = state.read(places)
    if now is None or not proc.is_alive(now["pid"]):
        print(f"Pilothouse does not run on {places.data}.")
        return 0
    proc.send([now["pid"]], signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while proc.is_alive(now["pid"]):
        if time.monotonic() > deadline:
            raise Problem(
                f"Pilothouse (process {now['pid']}) has not stopped after {STOP_SECONDS} s: look into its logs."
            )
        time.sleep(0.1)
    print("Pilothouse has stopped.")
    return 0
