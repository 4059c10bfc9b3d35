"""The settings as they may be shown: each with where its value comes from, secrets masked."""

import os
import re
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from contracts.secret_names import SECRET_KEY
from services.settings import Settings, settings

_PASSWORD_IN_URL = re.compile(r"(//)[^/@\s]+@")

Origin = Literal["environment", "secrets file", "default"]


@dataclass(frozen=True)
class ShownSetting:
    """One setting for a person's eyes."""

    variable: str
    value: str
    origin: Origin
    description: str


def shown_settings() -> list[ShownSetting]:
    """Every setting of this process, by name. A secret's value is never given, only whether it is set."""
    now = settings()
    return [
        ShownSetting(_variable(name), _shown(name, getattr(now, name)), _origin(name, now), info.description or "")
        for name, info in sorted(Settings.model_fields.items())
    ]


def _variable(name: str) -> str:
    return f"PILOTHOUSE_{name.upper()}"


def _shown(name: str, value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, SecretStr) or SECRET_KEY.search(name):
        return "•••••• (set)"
    return without_password(str(value))


def without_password(url: str) -> str:
    """An address as it may be shown."""
    return _PASSWORD_IN_URL.sub(r"\1••••••@", url)


def _origin(name: str, now: Settings) -> Origin:
    if any(variable.upper() == _variable(name) for variable in os.environ):
        return "environment"
    return "secrets file" if (now.data / "secrets" / f"pilothouse_{name}").is_file() else "default"
