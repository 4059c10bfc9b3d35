"""Rules about imports that import-linter cannot express: they are about files outside packages, or allow-lists."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("contracts", "models", "services", "dags", "dbt_api", "stack", "pages")
PAGE_LINES = 150


def imports(file: Path) -> Iterator[str]:
    """Full names of the modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield f"{node.module}"


def files(*rooms: str) -> list[Path]:
    found = [file for room in rooms for file in sorted((ROOT / room).rglob("*.py"))]
    return [*found, ROOT / "app.py"] if "pages" in rooms else found


def offenders(where: list[Path], *forbidden: str) -> list[str]:
    """Imports, in these files, of modules that these files must not import."""
    return [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in where
        for name in imports(file)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]


@pytest.mark.parametrize(("room", "allowed"), [("contracts", {"contracts", "pydantic"}), ("stack", {"stack"})])
def test_rooms_that_stand_on_almost_nothing(room: str, allowed: set[str]) -> None:
    roots = {name.partition(".")[0] for file in files(room) for name in imports(file)}
    assert roots - sys.stdlib_module_names <= allowed


def test_streamlit_stays_in_the_shell_the_pages_and_services_ui() -> None:
    elsewhere = [file for file in files("contracts", "models", "services", "dags", "dbt_api", "stack")
                 if ROOT / "services" / "ui" not in file.parents]  # fmt: skip
    assert offenders(elsewhere, "streamlit") == []


def test_pages_read_services_and_never_an_outside_system_or_a_table() -> None:
    clients = ("requests", "httpx", "urllib", "airflow_client", "kubernetes", "google", "sqlalchemy", "sqlmodel")
    inner = (
        "services.database",
        "services.dbt_api",
        "services.airflow",
        "services.collector",
        "dags",
        "dbt_api",
        "stack",
    )
    assert offenders(files("pages"), *clients, *inner) == []


def test_nothing_imports_pages() -> None:
    assert offenders(files(*ROOMS), "pages", "app") == []


def test_pages_are_short() -> None:
    long = {file.name: length for file in files("pages") if (length := len(file.read_text().splitlines())) > PAGE_LINES}
    assert long == {}
