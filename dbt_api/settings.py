"""The dbt API's one settings object: environment variables `PILOTHOUSE_DBT_API_…`."""

import os
import socket
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from contracts.dbt_api import Grant

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "PILOTHOUSE_DBT_API_"
ENVIRONMENT_ALLOWED = [
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "DBT_ENV_*"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("GOOGLE_*", "CLOUDSDK_*", "BIGQUERY_*", "AWS_*", "AZURE_*", "SNOWFLAKE_*", "DATABRICKS_*", "REDSHIFT_*"),
    *("POSTGRES_*", "PG*", "KRB5*", "ODBC*", "SPARK_*", "TRINO_*", "DUCKDB_*", "MOTHERDUCK_*"),
]
STORAGE_KEYS = {
    **dict.fromkeys(("s3", "s3a"), ("AWS_*",)),
    **dict.fromkeys(("gs", "gcs"), ("GOOGLE_*", "CLOUDSDK_*")),
    **dict.fromkeys(("abfs", "abfss", "az", "adl"), ("AZURE_*",)),
}
"""Variables that a storage of `files_url` finds its keys in."""
SECRET_NAMES = [
    *("*password*", "*passwd*", "*secret*", "*token*", "*api_key*", "*apikey*", "*private_key*", "*credential*"),
]

POSTGRES = "postgresql+psycopg"


def _database_url(text: str | None) -> str | None:
    """SQLite, or Postgres through psycopg 3 whatever driver the URL names."""
    if text is None:
        return None
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError("it is not a database URL such as postgresql://user:password@host/database") from None
    if url.drivername.partition("+")[0] in ("postgresql", "postgres"):
        return url.set(drivername=POSTGRES).render_as_string(hide_password=False)
    if url.drivername != "sqlite":
        raise ValueError("it has to begin with sqlite:// or postgresql://")
    return text


DatabaseUrl = Annotated[str | None, AfterValidator(_database_url)]
WorkerId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]


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

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True, extra="ignore"
    )

    data: Path = Field(default=ROOT / ".pilothouse" / "dbt_api", description="The folder that holds all state.")
    host: str = "127.0.0.1"
    port: int = Field(default=8581, ge=0, le=65535)
    token: SecretStr | None = Field(default=None, description="The root token, with all scopes; there is no default.")
    generate_token: bool = Field(default=True, description="Make and keep a token at the first start without one.")
    database_url: DatabaseUrl = Field(default=None, description="SQLite in the data folder when unset; or Postgres.")
    queue_database_url: DatabaseUrl = Field(default=None, description="DBOS's database; beside the other when unset.")
    worker: bool = Field(default=True, description="Whether `serve` is a worker too; others need Postgres.")
    worker_id: WorkerId | None = Field(default=None, description="Stable over restarts. Host name; `local` on SQLite.")
    worker_lease_seconds: float = Field(default=60, ge=2, description="Silent for so long, a worker counts as lost.")
    drain_seconds: float = Field(default=0, ge=0, description="How long a stopped worker lets dbt run on.")
    retention_days: int | None = Field(default=None, ge=1, description="Ended invocations older than this go; or none.")
    files_url: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]+://.+",
        description="fsspec URL, e.g. s3://bucket/prefix, that workers copy logs and artifacts to for other hosts.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="Form of this process's own log.")
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
    client_environment_allowed: list[str] = Field(
        default=["DBT_ENV_*"], description="JSON list of patterns: which variables a client may set for its dbt."
    )
    secret_names: list[str] = Field(
        default=SECRET_NAMES, description="JSON list of patterns: vars and variables whose values are hidden."
    )
    sealing_key: SecretStr | None = Field(
        default=None, description="Seals hidden values while dbt needs them; made in the data folder when unset."
    )
    queue_limit: int = Field(default=1000, ge=1, description="Invocations that may wait; more are answered 429.")
    queue_limit_per_project: int = Field(default=500, ge=1, description="The same for each project.")
    callback_hosts: list[str] = Field(
        default=[], description="JSON list of patterns: hosts that callbacks may go to, e.g. hooks.example.com."
    )
    callback_private_allowed: bool = Field(default=False, description="Whether those may be private addresses.")
    callback_secret: SecretStr | None = Field(default=None, description="Signs callbacks (HMAC-SHA256).")
    public_url: str = Field(default="", description="This server's address for others, as callbacks tell it.")
    queue_poll_seconds: float | None = Field(
        default=None, gt=0, description="How often a worker looks for work: 0.05 on Postgres, 0.5 on SQLite when unset."
    )
    hold_seconds: float = Field(default=10, ge=0, description="How long an unversioned GET of an unfinished one waits.")
    abort_grace_seconds: float = Field(default=60, ge=0, description="Between SIGINT and SIGTERM.")
    abort_grace_by_adapter: dict[str, float] = Field(
        default={}, description='JSON: that of single adapters by name, e.g. {"bigquery": 120}.'
    )
    stop_grace_seconds: float = Field(default=10, ge=0, description="The same when the server itself is stopped.")
    parse_timeout_seconds: float = Field(default=300, gt=0)
    git_timeout_seconds: float = Field(default=120, gt=0)
    body_limit_bytes: int = Field(default=8 << 20, ge=1024)
    upload_limit_bytes: int = Field(default=64 << 20, ge=1024, description="Of an uploaded archive, packed.")
    upload_unpacked_limit_bytes: int = Field(default=256 << 20, ge=1024, description="Of all its files together.")
    upload_files_limit: int = Field(default=10_000, ge=1, description="Files and folders in an uploaded archive.")
    upload_ratio_limit: int = Field(default=100, ge=1, description="Unpacked to packed size; the first 8 MiB are free.")
    project_lock_seconds: float = Field(
        default=60, ge=0, description="How long one change of a project waits for another."
    )
    node_history_days: int = Field(default=90, ge=1, description="How long results of nodes are kept.")
    body_seconds: float = Field(default=60, gt=0, description="To send a body; a large one has longer, by its size.")
    users_file: Path | None = Field(default=None, description="JSON: user -> password (scrypt), scopes, project.")
    oidc: OidcSettings | None = Field(default=None, description="JSON, or one variable a field: …_OIDC__ISSUER.")
    login_failures: int = Field(default=30, ge=1, description="Failed logins of an address until it has to wait.")
    login_failures_by_name: int = Field(default=10, ge=1, description="The same of a user or token, from anywhere.")
    login_wait_seconds: float = Field(default=60, gt=0, description="How long it then waits.")
    trusted_proxies: str = Field(default="", description="Addresses, by comma, whose X-Forwarded-For is believed.")
    audit_days: int = Field(default=365, ge=1, description="How long the audit is kept.")

    @property
    def dbt_environments(self) -> dict[str, Path]:
        """The dbt command of each environment."""
        return {"default": self.dbt} | self.environments

    @property
    def shown_to_dbt(self) -> list[str]:
        """Patterns of the variables that dbt gets: not those with the storage's keys, unless somebody said so.

        Said it is by setting `environment_allowed`, or by keys of the storage's own (fsspec's FSSPEC_S3_KEY).
        """
        scheme = (self.files_url or "").partition("://")[0]
        own_keys = any(name.startswith(f"FSSPEC_{scheme.upper()}") for name in os.environ) if scheme else False
        if "environment_allowed" in self.model_fields_set or own_keys:
            return self.environment_allowed
        return [each for each in self.environment_allowed if each not in STORAGE_KEYS.get(scheme, ())]

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
    def manifests(self) -> Path:
        """The newest good manifests and catalogs of each project and target."""
        return self.data / "manifests"

    @property
    def store_url(self) -> str:
        """The database of invocations and projects."""
        return self.database_url or f"sqlite:///{self.data / 'dbt_api.db'}"

    @property
    def queue_url(self) -> str:
        """DBOS's database: its own file with SQLite, its own schema in the same database otherwise."""
        beside = self.store_url if self.is_shared else f"sqlite:///{self.data / 'queue.db'}"
        return self.queue_database_url or beside

    @property
    def look_seconds(self) -> float:
        """How often a worker looks for work that nobody in its own process told it of (queue_bell.py)."""
        return self.queue_poll_seconds or (0.05 if self.is_shared else 0.5)

    @property
    def is_shared(self) -> bool:
        """Whether other processes and hosts may work on the same queue: on Postgres, never on SQLite."""
        return not self.store_url.startswith("sqlite")

    @property
    def worker_name(self) -> str:
        """The stable id of this process as a worker."""
        return self.worker_id or (socket.gethostname() if self.is_shared else "local")

    @property
    def token_file(self) -> Path:
        """Where the token lies that no setting gives."""
        return self.data.parent / "secrets" / "pilothouse_dbt_api_token"

    def warehouse(self, project: str) -> Path:
        """Where a project may keep a file warehouse (DuckDB): PILOTHOUSE_PROJECT_DATA of its dbt processes."""
        return self.data / "warehouses" / project


@cache
def settings() -> Settings:
    """The settings of this process, read once. The token may also lie in the data folder's `secrets`."""
    read = Settings()
    if read.token is None and read.token_file.is_file():
        text = read.token_file.read_text().strip()
        read.token = SecretStr(text) if text else None
    return read
