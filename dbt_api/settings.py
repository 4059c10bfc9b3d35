"""The dbt API's one settings object: environment variables `PILOTHOUSE_DBT_API_…`."""

import os
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.dbt_api import Grant

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT_ALLOWED = [
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "DBT_ENV_*"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("GOOGLE_*", "CLOUDSDK_*", "BIGQUERY_*", "AWS_*", "AZURE_*", "SNOWFLAKE_*", "DATABRICKS_*", "REDSHIFT_*"),
    *("POSTGRES_*", "PG*", "KRB5*", "ODBC*", "SPARK_*", "TRINO_*", "DUCKDB_*", "MOTHERDUCK_*"),
]


class OidcSettings(BaseModel):
    """Whose JWTs are taken for logins, and what their groups may do. The dbt API is a resource server only."""

    issuer: str = Field(description="Must equal the claim `iss`; discovery starts here when jwks_url is unset.")
    audience: str = Field(description="Must be among the claim `aud`.")
    jwks_url: str | None = None
    algorithms: list[Literal["RS256", "ES256"]] = Field(default=["RS256", "ES256"], min_length=1)
    name_claim: str = Field(default="sub", description="What audit and requested_by show.")
    groups_claim: str = "groups"
    groups: dict[str, Grant] = Field(description="What a group may do; a caller has the grant of its first one here.")
    leeway_seconds: float = Field(default=30, ge=0, le=300, description="By how much clocks may differ.")
    timeout_seconds: float = Field(default=3, gt=0, le=30, description="Of a request to the issuer.")
    keys_seconds: float = Field(default=300, ge=1, description="How long the issuer's keys are kept.")


class Settings(BaseSettings):
    """Where the server keeps its state and how much it does at a time."""

    model_config = SettingsConfigDict(env_prefix="PILOTHOUSE_DBT_API_", env_nested_delimiter="__", extra="ignore")

    data: Path = Field(default=ROOT / ".pilothouse" / "dbt_api", description="The folder that holds all state.")
    host: str = "127.0.0.1"
    port: int = Field(default=8581, ge=0, le=65535)
    token: SecretStr | None = Field(default=None, description="The root token, with all scopes; there is no default.")
    database_url: str | None = Field(default=None, description="SQLAlchemy URL; SQLite in the data folder when unset.")
    queue_database_url: str | None = Field(default=None, description="DBOS's database; beside the other when unset.")
    executor_id: str = Field(default="local", description="Stable name of this server: it recovers its own work only.")
    slots: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="dbt commands at a time.")
    dbt: Path = Field(default=Path(sys.executable).parent / "dbt", description="The dbt command of its environment.")
    folder_roots: list[Path] = Field(
        default_factory=lambda: [Path.home(), ROOT], description="JSON list: where folder projects may lie."
    )
    environment_allowed: list[str] = Field(
        default=ENVIRONMENT_ALLOWED, description="JSON list of patterns: which variables dbt gets to see."
    )
    queue_poll_seconds: float = Field(default=0.2, gt=0)
    hold_seconds: float = Field(default=10, ge=0, description="How long an unversioned GET of an unfinished one waits.")
    abort_grace_seconds: float = Field(default=60, ge=0, description="Between SIGINT and SIGTERM.")
    stop_grace_seconds: float = Field(default=10, ge=0, description="The same when the server itself is stopped.")
    parse_timeout_seconds: float = Field(default=300, gt=0)
    git_timeout_seconds: float = Field(default=120, gt=0)
    body_limit_bytes: int = Field(default=8 << 20, ge=1024)
    body_seconds: float = Field(default=60, gt=0, description="To send a body; a large one has longer, by its size.")
    users_file: Path | None = Field(default=None, description="JSON: user -> password (scrypt), scopes, project.")
    oidc: OidcSettings | None = Field(default=None, description="JSON, or one variable a field: …_OIDC__ISSUER.")
    login_failures: int = Field(default=30, ge=1, description="Failed logins of an address until it has to wait.")
    login_failures_by_name: int = Field(default=10, ge=1, description="The same of a user or token, from anywhere.")
    login_wait_seconds: float = Field(default=60, gt=0, description="How long it then waits.")
    trusted_proxies: str = Field(default="", description="Addresses, by comma, whose X-Forwarded-For is believed.")
    audit_days: int = Field(default=365, ge=1, description="How long the audit is kept.")

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
