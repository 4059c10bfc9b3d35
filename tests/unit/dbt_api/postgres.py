"""A private Postgres of Debian's binaries, for tests: in a folder of its own, on a free port, without the root user."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.ports import free_ports

USER = "postgres"


def binaries() -> Path | None:
    """The folder of the newest installed server, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """Started once; `database()` gives each test an empty one. It can be stopped and started again."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pilothouse-postgres-"))
        [self._port] = free_ports(1)
        self._databases = 0
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER, USER)
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> "Postgres":
        options = (
            f"-h 127.0.0.1 -p {self._port} -k {self._folder} -c fsync=off -c max_connections=300 -c shared_buffers=32MB"
        )
        self._control("start", "-w", "-l", str(self._folder / "log"), "-o", options)
        return self

    def stop(self) -> None:
        self._control("stop", "-w", "-m", "immediate")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """URL of a new, empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self._port), "-U", USER, name)
        return f"postgresql://{USER}@127.0.0.1:{self._port}/{name}"

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), *words)

    def _run(self, program: str, *words: str) -> None:
        folder = binaries()
        assert folder is not None
        user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*user, str(folder / program), *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        assert done.returncode == 0, done.stderr
