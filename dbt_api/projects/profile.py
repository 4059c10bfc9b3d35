"""What a project's profiles.yml offers: targets, the default one, the adapter. Read without dbt, so it costs nothing.

dbt looks in the project's folder first and in ~/.dbt then, and so do we.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ENV_VAR = re.compile(r"""^\{\{\s*env_var\(\s*['"](\w+)['"]\s*(?:,\s*['"]([^'"]*)['"]\s*)?\)\s*\}\}$""")
DBT_DEFAULT = "default"
"""The target that dbt takes when the profile names none."""


@dataclass(frozen=True)
class Profile:
    """The profile that a project uses; empty when it cannot be found or read."""

    default_target: str = DBT_DEFAULT
    adapters: dict[str, str] | None = None

    @property
    def targets(self) -> list[str]:
        """Names of the targets."""
        return list(self.adapters or {})


def read_profile(project: Path) -> Profile:
    """The profile of the dbt project in this folder. Never raises: dbt tells better what is wrong with it."""
    name = _mapping(project / "dbt_project.yml").get("profile")
    for folder in (project, Path.home() / ".dbt"):
        if (folder / "profiles.yml").exists():
            return _profile(_mapping(folder / "profiles.yml").get(str(name)))
    return Profile()


def project_name(project: Path) -> str | None:
    """The name in dbt_project.yml."""
    name = _mapping(project / "dbt_project.yml").get("name")
    return str(name) if name else None


def _profile(found: Any) -> Profile:
    outputs = found.get("outputs") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(outputs, dict):
        return Profile()
    adapters = {str(name): str(output.get("type", "")) for name, output in outputs.items() if isinstance(output, dict)}
    return Profile(_rendered(str(found.get("target") or DBT_DEFAULT)), adapters)


def _rendered(value: str) -> str:
    match = ENV_VAR.match(value.strip())
    return os.environ.get(match[1], match[2] or DBT_DEFAULT) if match else value


def _mapping(path: Path) -> dict[str, Any]:
    try:
        read = yaml.safe_load(path.read_text())
    except (OSError, UnicodeError, yaml.YAMLError):
        return {}
    return read if isinstance(read, dict) else {}
