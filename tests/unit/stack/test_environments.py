"""Environments are made from locks, by the real installer, and made again when they must be."""

import os
import zipfile
from pathlib import Path

import pytest

from stack import environments
from stack.environments import Environment, create, explain, is_ready
from stack.places import ROOT, Places
from stack.problems import Problem

SHARED = Path(os.environ.get("PILOTHOUSE_ENVIRONMENTS") or ROOT / ".pilothouse" / "environments")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A data folder of its own, with the installer of the environment that runs this test."""
    made = Places.from_settings({"PILOTHOUSE_DATA": str(tmp_path)})
    made.environments.mkdir()
    (made.environments / "bootstrap").symlink_to(SHARED / "bootstrap")
    return made


@pytest.fixture
def tiny(tmp_path: Path) -> Environment:
    """An environment with one small package that lies on this disk, so that no network is needed."""
    lock = tmp_path / "tiny.txt"
    lock.write_text(f"tiny @ {make_wheel(tmp_path, '1.0').as_uri()}\n")
    return Environment("tiny", (str(lock),))


def make_wheel(folder: Path, version: str) -> Path:
    wheel = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


@pytest.fixture
def said() -> list[str]:
    return []


def silent(_text: str) -> None:
    """Say nothing."""


def test_made_once_with_bytecode_even_where_python_is_told_to_write_none(
    places: Places, tiny: Environment, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    create(places, [tiny], said.append)
    assert is_ready(places, tiny)
    assert list((places.environments / "tiny").rglob("tiny.*.pyc"))
    assert said == [f"installing environment tiny from {tiny.locks[0]}", "environment tiny is ready"]
    create(places, [tiny], said.append)
    assert len(said) == 2


def test_an_interrupted_creation_is_redone(places: Places, tiny: Environment) -> None:
    create(places, [tiny], silent)
    folder = places.environments / "tiny"
    (folder / environments.STAMP).unlink()
    (folder / "pyvenv.cfg").unlink()
    assert not is_ready(places, tiny)
    create(places, [tiny], silent)
    assert is_ready(places, tiny)
    assert (folder / "pyvenv.cfg").exists()


def test_a_changed_lock_makes_it_again(places: Places, tiny: Environment, tmp_path: Path) -> None:
    create(places, [tiny], silent)
    Path(tiny.locks[0]).write_text(f"tiny @ {make_wheel(tmp_path, '2.0').as_uri()}\n")
    assert not is_ready(places, tiny)
    create(places, [tiny], silent)
    assert is_ready(places, tiny)
    assert [file.read_text() for file in places.environments.rglob("tiny.py")] == ["version = '2.0'\n"]


def test_what_the_tests_add_does_not_make_the_products_environment_stale(places: Places, tiny: Environment) -> None:
    more = Path(tiny.locks[0]).with_name("more.txt")
    more.write_text("# the tools of the tests\n")
    create(places, [Environment("tiny", (*tiny.locks, str(more)))], silent)
    assert is_ready(places, tiny)


def test_no_network_is_one_sentence(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    lock = tmp_path / "remote.txt"
    lock.write_text("iniconfig==2.3.1\n")
    with pytest.raises(Problem, match="Packages could not be downloaded: check the network"):
        create(places, [Environment("remote", (str(lock),))], silent)
    assert not is_ready(places, Environment("remote", (str(lock),)))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("The virtual environment was not created successfully because ensurepip is not available.", "python3.11-venv"),
        ("error: failed to write: No space left on device (os error 28)", "The disk is full"),
        (
            "ERROR: Could not find a version that satisfies the requirement uv (from versions: none)",
            "check the network",
        ),
        (
            "warning\nerror: the lock is broken\nhint: look at it",
            "Installing packages failed: error: the lock is broken",
        ),
        ("", "Installing packages failed: no output"),
    ],
)
def test_failures_of_installers_in_words(output: str, sentence: str, tmp_path: Path) -> None:
    assert sentence in explain(output, tmp_path / "log")
