"""Every project template is complete, keeps secrets out of files, and the one for DuckDB builds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, StrictUndefined

from contracts.dbt_api import Warehouse

ROOT = Path(__file__).resolve().parents[3]
DBT = Path(sys.executable).with_name("dbt")
TEMPLATES = ROOT / "dbt_api" / "projects" / "templates"
TOKEN = "__project_name__"
REQUIRED = object()


def _profile(warehouse: Warehouse) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one output of a rendered profile, and the environment variables it reads with their defaults."""
    read: dict[str, Any] = {}

    def env_var(name: str, default: Any = REQUIRED) -> str:
        read[name] = default
        return "given" if default is REQUIRED else str(default)

    jinja = Environment(undefined=StrictUndefined, autoescape=False)
    jinja.filters["as_number"] = float
    text = (TEMPLATES / "profiles" / f"{warehouse}.yml").read_text().replace(TOKEN, "shop")
    profile = yaml.safe_load(text)["shop"]
    output = profile["outputs"][profile["target"]]
    rendered = {
        key: jinja.from_string(value).render(env_var=env_var) if isinstance(value, str) else value
        for key, value in output.items()
    }
    return rendered, read


@pytest.mark.parametrize("warehouse", Warehouse)
def test_each_warehouse_has_a_profile_whose_variables_reach_dbt(warehouse: Warehouse) -> None:
    rendered, read = _profile(warehouse)
    assert rendered["type"] == warehouse
    assert all(name.startswith("DBT_ENV_") or name == "PILOTHOUSE_PROJECT_DATA" for name in read)


@pytest.mark.parametrize("warehouse", Warehouse)
def test_secrets_come_from_secret_variables_without_default(warehouse: Warehouse) -> None:
    rendered, read = _profile(warehouse)
    for key in rendered.keys() & {"password", "token", "private_key", "client_secret", "keyfile_json"}:
        assert rendered[key] == "given"
    assert all(default is REQUIRED for name, default in read.items() if "SECRET" in name)


@pytest.mark.parametrize("warehouse", Warehouse)
def test_required_variables_are_named_in_the_comment_on_top(warehouse: Warehouse) -> None:
    _, read = _profile(warehouse)
    comment = (TEMPLATES / "profiles" / f"{warehouse}.yml").read_text().partition(TOKEN + ":")[0]
    assert all(name in comment for name, default in read.items() if default is REQUIRED)


@pytest.mark.parametrize("warehouse", Warehouse)
def test_no_profile_asks_for_an_administrator(warehouse: Warehouse) -> None:
    rendered, _ = _profile(warehouse)
    assert not re.search(r"(?i)admin|^(postgres|root|awsuser)$", " ".join(map(str, rendered.values())))


def test_the_duckdb_project_builds_without_warnings(tmp_path: Path) -> None:
    project = Path(shutil.copytree(TEMPLATES / "project", tmp_path / "shop"))
    shutil.copy(TEMPLATES / "profiles" / "duckdb.yml", project / "profiles.yml")
    for file in [path for path in project.rglob("*") if path.is_file()]:
        file.write_text(file.read_text().replace(TOKEN, "shop"))
        file.rename(file.with_name(file.name.replace(TOKEN, "shop")))
    done = subprocess.run(
        [DBT, "--show-all-deprecations", "build"],
        cwd=project,
        env={**os.environ, "PILOTHOUSE_PROJECT_DATA": str(tmp_path), "DBT_USE_COLORS": "false"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "WARN=0 ERROR=0" in done.stdout
    assert not re.search(r"deprecat|\[WARNING\]", done.stdout, re.IGNORECASE), done.stdout
    assert (tmp_path / "warehouse.duckdb").exists()
