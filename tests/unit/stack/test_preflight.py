"""Every obstacle to a start is one clear sentence."""

import os
import socket
from pathlib import Path

import pytest

from stack import preflight
from stack.places import HOST, Places, Port
from stack.problems import Problem


def test_a_busy_port_is_named_with_the_setting_that_moves_it() -> None:
    with socket.create_server((HOST, 0)) as busy:
        number = busy.getsockname()[1]
        with pytest.raises(Problem) as caught:
            preflight.check_ports([Port("console", "PILOTHOUSE_CONSOLE_PORT", number)])
    assert str(caught.value) == (
        f"Port {number} for console is in use: stop what uses it, or set PILOTHOUSE_CONSOLE_PORT to another."
    )
    preflight.check_ports([Port("console", "PILOTHOUSE_CONSOLE_PORT", number)])


def test_two_parts_cannot_share_a_port() -> None:
    with socket.create_server((HOST, 0)) as free:
        number = free.getsockname()[1]
    ports = [Port("console", "PILOTHOUSE_CONSOLE_PORT", number), Port("Airflow", "PILOTHOUSE_AIRFLOW_PORT", number)]
    with pytest.raises(Problem, match="PILOTHOUSE_CONSOLE_PORT and PILOTHOUSE_AIRFLOW_PORT are both"):
        preflight.check_ports(ports)


def test_too_little_disk_says_how_much_is_needed(tmp_path: Path) -> None:
    preflight.check_disk(tmp_path, "PILOTHOUSE_DATA", 1)
    with pytest.raises(Problem, match=r"Too little disk space at .* free, 1048576\.0 GiB needed; .* PILOTHOUSE_DATA"):
        preflight.check_disk(tmp_path, "PILOTHOUSE_DATA", 2**50)


def test_a_folder_that_cannot_be_written_is_named_with_its_setting(tmp_path: Path) -> None:
    preflight.check_writable(tmp_path / "new" / "folder", "PILOTHOUSE_DATA")
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match=r"cannot be written \(Not a directory\): .* set PILOTHOUSE_DATA to another"):
        preflight.check_writable(tmp_path / "file" / "data", "PILOTHOUSE_DATA")


def test_a_second_start_on_the_same_data_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    places = Places.from_settings({"PILOTHOUSE_DATA": str(tmp_path)})
    with preflight.lock(places), pytest.raises(Problem, match=rf"already runs on .* \(process {os.getpid()}\)"):
        preflight.lock(places)
    preflight.lock(places).close()
