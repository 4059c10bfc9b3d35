"""Where things are and which ports are used: the settings of the stack, from environment variables."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.problems import Problem

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Port:
    """A port of the stack, with the setting that moves it."""

    name: str
    setting: str
    number: int

    @property
    def url(self) -> str:
        """Address on this machine, without a trailing slash."""
        return f"http://{HOST}:{self.number}"


@dataclass(frozen=True)
class Places:
    """The folders and ports of one stack."""

    data: Path
    environments: Path
    console: Port
    airflow: Port
    dbt_api: Port

    @classmethod
    def from_settings(cls, settings: Mapping[str, str] = os.environ) -> "Places":
        """Read `PILOTHOUSE_…`; an unset or empty one has its default."""
        data = Path(settings.get("PILOTHOUSE_DATA") or ROOT / ".pilothouse").absolute()
        return cls(
            data=data,
            environments=Path(settings.get("PILOTHOUSE_ENVIRONMENTS") or data / "environments").absolute(),
            console=_port(settings, "console", "PILOTHOUSE_CONSOLE_PORT", 8501),
            airflow=_port(settings, "Airflow", "PILOTHOUSE_AIRFLOW_PORT", 8080),
            dbt_api=_port(settings, "dbt API", "PILOTHOUSE_DBT_API_PORT", 8581),
        )

    def ports(self, parts: Collection[str]) -> list[Port]:
        """The ports that must be free for these parts."""
        all_ports = {"console": self.console, "airflow": self.airflow, "dbt-api": self.dbt_api}
        return [port for part, port in all_ports.items() if part in parts]

    @property
    def secrets(self) -> Path:
        """Folder of the generated passwords and keys; only its owner may enter."""
        return self.data / "secrets"

    @property
    def logs(self) -> Path:
        """Folder with the output of every process."""
        return self.data / "logs"

    @property
    def airflow_home(self) -> Path:
        """Airflow's database, task logs and password file."""
        return self.data / "airflow"

    def python(self, environment: str) -> Path:
        """The interpreter of an environment."""
        return self.environments / environment / "bin" / "python"


def _port(settings: Mapping[str, str], name: str, setting: str, default: int) -> Port:
    text = settings.get(setting) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Problem(f"{setting} must be a port number between 1 and 65535, not {text!r}.")
    return Port(name, setting, int(text))
