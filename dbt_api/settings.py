"""The dbt API's one settings object: environment variables `PILOTHOUSE_DBT_API_…`."""

import os
import sys
from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT_ALLOWED = [
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "DBT_ENV_*"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("GOOGLE_*", "CLOUDSDK_*", "BIGQUERY_*", "AWS_*", "AZURE_*", "SNOWFLAKE_*", "DATABRICKS_*", "REDSHIFT_*"),
    *("POSTGRES_*", "PG*", "KRB5*", "ODBC*", "SPARK_*", "TRINO_*", "DUCKDB_*", "MOTHERDUCK_*"),
]


class Settings(BaseSettings):
    """Where the server keeps its state and how much it does at a time."""

    model_config = SettingsConfigDict(env_prefix="PILOTHOUSE_DBT_API_", extra="ignore")

    data: Path = Field(default=ROOT / ".pilothouse" / "dbt_api", description="The folder that holds all state.")
    host: str = "127.0.0.1"
    port: int = Field(default=8581, ge=0, le=65535)
    token: SecretStr | None = Field(default=None, description="Secret of both login schemes; there is no default.")
    database_url: str | None = Field(default=None, description="SQLAlchemy URL; SQLite in the data folder when unset.")
    queue_database_url: str | None = Field(default=None, description="DBOS's database; beside the other when unset.")
    executor_id: str = Field(default="local", description="Stable name of this server: it recovers its own work only.")
    slots: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="dbt commands at a time.")
    dbt: Path = Field(default=Path(sys.executable).parent / "dbt", description="The dbt command of its environment.")
    environments: dict[str, Path] = Field(
        default={}, description="JSON: name -> path of a dbt command. `dbt` is the one named `default`."
    )
    warm: bool = Field(default=True, description="Whether dbt may start as a fork of a warm process.")
    warm_projects: int = Field(default=8, ge=0, description="Parsed projects kept in memory per dbt environment.")
    memory_limit_mb: int = Field(default=0, ge=0, description="Of each dbt process, in MiB; 0 for none.")
    folder_roots: list[Path] = Field(
        default_factory=lambda: [Path.home(), ROOT], description="JSON list: where folder projects may lie."
    )
    environment_allowed: list[str] = Field(
        default=ENVIRONMENT_ALLOWED, description="JSON list of patterns: which variables dbt gets to see."
    )
    queue_poll_seconds: float = Field(default=0.05, gt=0)
    hold_seconds: float = Field(default=10, ge=0, description="How long an unversioned GET of an unfinished one waits.")
    abort_grace_seconds: float = Field(default=60, ge=0, description="Between SIGINT and SIGTERM.")
    stop_grace_seconds: float = Field(default=10, ge=0, description="The same when the server itself is stopped.")
    parse_timeout_seconds: float = Field(default=300, gt=0)
    git_timeout_seconds: float = Field(default=120, gt=0)
    body_limit_bytes: int = Field(default=8 << 20, ge=1024)

    @property
    def dbt_environments(self) -> dict[str, Path]:
        """The dbt command of each environment."""
        return {"default": self.dbt} | self.environments

    @property
    def attempts(self) -> Path:
        """Folders of the invocations: log, artifacts and exit status of each attempt."""
        return self.data / "invocations"

    @property
    def projects(self) -> Path:
        """Project folders that the server itself made, from templates or git."""
        return self.data / "projects"

    @property
    def partial_parses(self) -> Path:
        """dbt's parse caches, shared by the invocations of one project and target."""
        return self.data / "partial_parses"

    @property
    def store_url(self) -> str:
        """The database of invocations and projects."""
        return self.database_url or f"sqlite:///{self.data / 'dbt_api.db'}"

    @property
    def queue_url(self) -> str:
        """DBOS's database: its own file with SQLite, its own schema in the same database otherwise."""
        if self.queue_database_url or (self.database_url and not self.database_url.startswith("sqlite")):
            return self.queue_database_url or self.store_url
        return f"sqlite:///{self.data / 'queue.db'}"

    def warehouse(self, project: str) -> Path:
        """Where a project may keep a file warehouse (DuckDB): PILOTHOUSE_PROJECT_DATA of its dbt processes."""
        return self.data / "warehouses" / project


@cache
def settings() -> Settings:
    """The settings of this process, read once. The token may also lie in the data folder's `secrets`."""
    read = Settings()
    folder = read.data.parent / "secrets"
    secret = folder / "pilothouse_dbt_api_token"
    if read.token is None and secret.is_file():
        read.token = SecretStr(secret.read_text().strip())
    return read
