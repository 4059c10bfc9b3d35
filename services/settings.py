"""The console's one settings object: environment variables `PILOTHOUSE_…`, secrets from files in the data folder."""

import getpass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Where things are and how to sign in to them. A secret is read from `<data>/secrets/pilothouse_<name>` too."""

    model_config = SettingsConfigDict(env_prefix="PILOTHOUSE_", extra="ignore")

    data: Path = Field(default=ROOT / ".pilothouse", description="The one folder that holds all state.")
    user: str = Field(default_factory=getpass.getuser, description="Who acts when no single sign-on is configured.")

    cluster_admins: str | None = Field(
        default=None,
        description="Who may change clusters, have them made for runs, and delete pods, separated by commas. "
        "Not set: the user above alone.",
    )

    airflow_url: str = Field(default="http://127.0.0.1:8080", description="Address as the console reaches it.")
    airflow_public_url: str | None = Field(default=None, description="Address for links, if browsers need another.")
    airflow_auth: Literal["password", "token", "command", "google"] = Field(
        default="password", description="Where the bearer token comes from."
    )
    airflow_user: str = Field(default="pilothouse", description="For airflow_auth=password.")
    airflow_password: SecretStr | None = Field(default=None, description="For airflow_auth=password.")
    airflow_token: SecretStr | None = Field(default=None, description="For airflow_auth=token (Astronomer).")
    airflow_token_command: str | None = Field(default=None, description="Prints a token; for airflow_auth=command.")

    dbt_api_url: str = Field(default="http://127.0.0.1:8581", description="Address as the console reaches it.")
    dbt_api_token: SecretStr | None = Field(default=None, description="The dbt API's bearer token.")

    google_projects: str | None = Field(
        default=None,
        description="Google projects whose GKE clusters are listed, by commas, besides those of projects on GKE.",
    )
    google_key_file: Path | None = Field(
        default=None, description="A service account's key file. Not set: Application Default Credentials."
    )
    google_impersonate: str | None = Field(
        default=None, description="Service account to act as; with accounts to go through before it, by commas."
    )
    google_endpoint: Literal["auto", "dns", "public", "private"] = Field(
        default="auto", description="By which of its addresses the console reaches a GKE cluster's Kubernetes API."
    )
    google_interval_seconds: float = Field(
        default=20, gt=0, description="How often the collector lists the clusters of the Google projects."
    )

    console_url: str = Field(
        default="http://127.0.0.1:8501", description="The console's own address, for links in notifications."
    )
    collector_interval_seconds: float = Field(
        default=0.5, gt=0, description="How often the collector asks the dbt API for news while something runs."
    )

    task_log_megabytes: int = Field(
        default=256,
        gt=0,
        description="How much of Airflow's task log is kept of each try; dbt's own log is kept whole.",
    )

    @property
    def database_url(self) -> str:
        """The console's SQLite database."""
        return f"sqlite:///{self.data / 'console.db'}"

    @property
    def people_for_clusters(self) -> tuple[str, ...]:
        """The people of cluster_admins."""
        return tuple(name.strip() for name in (self.cluster_admins or "").split(",") if name.strip())

    @property
    def projects_in_google(self) -> tuple[str, ...]:
        """The projects of google_projects."""
        return tuple(name.strip() for name in (self.google_projects or "").split(",") if name.strip())

    @property
    def logs(self) -> Path:
        """Folder of the collected logs and artifacts, one subfolder a run."""
        return self.data / "runs"

    @property
    def airflow_link(self) -> str:
        """Airflow's address for a browser, without a trailing slash."""
        return (self.airflow_public_url or self.airflow_url).rstrip("/")


@cache
def settings() -> Settings:
    """The settings of this process, read once. Tests call `settings.cache_clear()`."""
    folder = Settings().data / "secrets"
    return Settings(_secrets_dir=folder if folder.is_dir() else None)
