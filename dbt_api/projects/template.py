"""Writes a new dbt project from the template: common files, and the profile of the chosen warehouse."""

import os
import shutil
import tempfile
from pathlib import Path

from contracts.dbt_api import Warehouse

TEMPLATES = Path(__file__).parent / "templates"
TOKEN = "__project_name__"  # noqa: S105  the word in file names and texts that the project's name replaces


def write_project(name: str, warehouse: Warehouse, folder: Path) -> None:
    """Make the project's folder, whole or not at all; one that exists keeps its files but gets the right profile."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new.", dir=folder.parent))
        try:
            _copy(TEMPLATES / "project", temporary / name, name)
            _write_profile(name, warehouse, temporary / name)
            os.replace(temporary / name, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def change_warehouse(name: str, warehouse: Warehouse, folder: Path) -> None:
    """Replace the profile after another warehouse was chosen; models stay as they are."""
    _write_profile(name, warehouse, folder)


def _copy(source: Path, target: Path, name: str) -> None:
    for file in sorted(each for each in source.rglob("*") if each.is_file()):
        destination = target / file.relative_to(source).as_posix().replace(TOKEN, name)
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_text(file.read_text().replace(TOKEN, name))


def _write_profile(name: str, warehouse: Warehouse, folder: Path) -> None:
    text = (TEMPLATES / "profiles" / f"{warehouse}.yml").read_text().replace(TOKEN, name)
    part = folder / ".profiles.yml.part"
    part.write_text(text)
    os.replace(part, folder / "profiles.yml")
