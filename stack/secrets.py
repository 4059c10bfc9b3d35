"""Passwords, tokens and keys of the embedded stack: made once, kept in files that only their owner can read."""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from stack.places import Places

AIRFLOW_USER = "pilothouse"


@dataclass(frozen=True)
class Secrets:
    """What the processes use to trust each other and people to sign in."""

    airflow_password: str
    airflow_fernet_key: str
    airflow_api_secret: str
    airflow_jwt_secret: str
    dbt_api_token: str


def airflow_password_file(places: Places) -> Path:
    """The file that people are pointed to; the console reads it too."""
    return places.secrets / "pilothouse_airflow_password"


def generate(places: Places) -> Secrets:
    """The secrets of this stack, made if there are none yet. Safe to repeat."""
    places.secrets.mkdir(parents=True, exist_ok=True)
    places.secrets.chmod(0o700)
    made = Secrets(
        airflow_password=_kept(airflow_password_file(places), secrets.token_urlsafe(18)),
        airflow_fernet_key=_kept(
            places.secrets / "airflow_fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        ),
        airflow_api_secret=_kept(places.secrets / "airflow_api_secret", secrets.token_hex(32)),
        airflow_jwt_secret=_kept(places.secrets / "airflow_jwt_secret", secrets.token_hex(48)),
        dbt_api_token=_kept(places.secrets / "pilothouse_dbt_api_token", secrets.token_urlsafe(32)),
    )
    _write_airflow_users(places, made.airflow_password)
    return made


def airflow_users_file(places: Places) -> Path:
    """The password file of Airflow's simple auth manager, which opens it for writing too."""
    return places.airflow_home / "passwords.json"


def _write_airflow_users(places: Places, password: str) -> None:
    places.airflow_home.mkdir(parents=True, exist_ok=True)
    _write_private(airflow_users_file(places), json.dumps({AIRFLOW_USER: password}))


def _kept(file: Path, fresh: str) -> str:
    if not file.exists():
        _write_private(file, fresh)
    file.chmod(0o600)
    return file.read_text().strip()


def _write_private(file: Path, text: str) -> None:
    """Write all or nothing, and never readable by others, not even for a moment."""
    half = file.with_name(f".{file.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    half.replace(file)
