"""`python3 -m stack lock`: compiles every requirements.in to the lock beside it."""

import subprocess

from stack import environments
from stack.places import ROOT, Places
from stack.problems import Problem
from stack.progress import Progress

LOCKS = {
    "requirements.in": (),
    "dags/requirements.in": ("--excludes", "dags/excludes.txt"),
    "dbt_api/requirements.in": ("--override", "dbt_api/overrides.txt"),
    "deploy/images/dbt/requirements.in": ("--override", "dbt_api/overrides.txt"),
    "tests/requirements.in": (),
    "tests/tools.in": (),
    "tests/dbt_api.in": (),
}


def lock(places: Places) -> int:
    """Compile all locks, keeping versions that still fit.

    Raises:
        Problem: a set of requirements cannot be met.
    """
    progress = Progress()
    installer = environments.installer(places, progress.say)
    for source, options in LOCKS.items():
        target = source.removesuffix(".in") + ".txt"
        progress.say(f"compiling {target}")
        command = [
            str(installer),
            "pip",
            "compile",
            "--quiet",
            "--python-version",
            "3.11",
            source,
            *options,
            "-o",
            target,
        ]
        if subprocess.run(command, cwd=ROOT).returncode:
            raise Problem(f"{source} cannot be compiled to a lock; the reason is above.")
    return 0
