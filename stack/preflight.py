"""What must hold before anything starts. Each thing that doesn't is one sentence with the way out."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from stack.places import HOST, Places, Port
from stack.problems import Problem

GIBIBYTE = 2**30
INSTALL_BYTES = 4 * GIBIBYTE
RUN_BYTES = GIBIBYTE // 2


def check_writable(folder: Path, setting: str) -> None:
    """Make the folder and try to write into it.

    Raises:
        Problem: it cannot be made or written.
    """
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise Problem(
            f"The folder {folder} cannot be written ({error.strerror}): make it writable, or set {setting} to another."
        ) from error


def lock(places: Places) -> IO[str]:
    """Keep others from starting a stack on the same data folder for as long as the returned file is open.

    Raises:
        Problem: another process has it.
    """
    file = (places.data / "stack.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        raise Problem(
            f"Pilothouse already runs on {places.data} (process {file.read().strip() or 'unknown'}): "
            "stop it with Ctrl-C or `python3 -m stack stop`."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def check_ports(ports: Iterable[Port]) -> None:
    """See that all ports are different and free.

    Raises:
        Problem: which one isn't, and the setting that moves it.
    """
    taken: dict[int, Port] = {}
    for port in ports:
        if other := taken.get(port.number):
            raise Problem(f"{other.setting} and {port.setting} are both {port.number}: give each its own port.")
        if not _is_free(port.number):
            raise Problem(
                f"Port {port.number} for {port.name} is in use: stop what uses it, or set {port.setting} to another."
            )
        taken[port.number] = port


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError:
            return False
    return True


def check_disk(folder: Path, setting: str, needed: int) -> None:
    """See that the folder's disk has room.

    Raises:
        Problem: how much there is and how much is needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Problem(
            f"Too little disk space at {folder}: {free / GIBIBYTE:.1f} GiB free, {needed / GIBIBYTE:.1f} GiB needed; "
            f"free some, or set {setting} to a folder on another disk."
        )
