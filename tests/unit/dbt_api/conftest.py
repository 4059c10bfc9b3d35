"""A tiny dbt project, and real servers."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer

from dbt_api.auth.users import hash_password
from dbt_api.settings import settings
from dbt_api.storage import storage as storage_of
from tests.unit.dbt_api.cluster import SHORT_LEASE_SECONDS, Cluster
from tests.unit.dbt_api.issuer import Issuer
from tests.unit.dbt_api.postgres import Postgres, binaries
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server

BUCKET = "pilothouse"
PASSWORD = "correct horse battery stäple"
USERS = {"ada": {"password": hash_password(PASSWORD), "scopes": ["run:read"], "project": "shop"}}
GROUPS = {"engineers": {"scopes": ["admin"]}, "analysts": {"scopes": ["run:read", "run:write"], "project": "shop"}}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave it as it was, with the project `shop`."""
    root = tmp_path_factory.mktemp("server")
    started = Server(root / "data").start()
    started.register("shop", write_project(root / "shop"))
    yield started
    started.end()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres of the tests' own."""
    if binaries() is None:
        pytest.skip("Debian's package postgresql is not installed.")
    started = Postgres().start()
    yield started
    started.remove()


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """An OpenID Connect issuer."""
    with Issuer() as started:
        yield started


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Iterator[Server]:
    """A server with the projects `shop` and `other`, that also knows the user `ada` and takes the issuer's JWTs."""
    root = tmp_path_factory.mktemp("guarded")
    (root / "users.json").write_text(json.dumps(USERS))
    oidc = {"issuer": issuer.url, "audience": "dbt-api", "groups": GROUPS, "leeway_seconds": 5}
    started = Server(
        root / "data",
        USERS_FILE=str(root / "users.json"),
        OIDC=json.dumps(oidc),
        LOGIN_FAILURES="1000",
        BODY_SECONDS="8",
    )
    started.start()
    for name in ("shop", "other"):
        started.register(name, write_project(root / name))
        started.submit(f"of-{name}", "ls", project=name)
    for name in ("shop", "other"):
        started.ended(f"of-{name}")
    yield started
    started.end()


@contextmanager
def running(made: Cluster) -> Iterator[Cluster]:
    """A server without a worker; the test starts workers. Whatever happens, none is left."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DBT_ENV_WITNESS", str(made.witness))
        try:
            made.start()
            yield made
        finally:
            for each in made.started:
                each.end()
    assert not (made.witness / "two_writers").exists()


@pytest.fixture
def cluster(tmp_path: Path, postgres: Postgres) -> Iterator[Cluster]:
    """Server and workers whose leases outlast any test, however busy the machine is."""
    with running(Cluster(tmp_path, postgres.database())) as made:
        yield made


@pytest.fixture
def short_leased(tmp_path: Path, postgres: Postgres) -> Iterator[Cluster]:
    """The same for tests that wait for the end of a lease."""
    lease = {"WORKER_LEASE_SECONDS": str(SHORT_LEASE_SECONDS)}
    with running(Cluster(tmp_path, postgres.database(), **lease)) as made:
        yield made


@pytest.fixture
def store_settings() -> dict[str, str]:
    """Settings of the servers' database: SQLite. A module that tests Postgres too overrides it."""
    return {}


@pytest.fixture
def start_server(tmp_path: Path, store_settings: dict[str, str]) -> Iterator[Callable[..., Server]]:
    """Starts servers of the test's own, which it may kill, with the projects `shop` and `other`.

    Cold unless the test wants a warm one: warming up takes longer than most tests.
    """
    started: list[Server] = []

    def start(**settings: str) -> Server:
        server = Server(tmp_path / "data", **{"WARM": "false", **store_settings, **settings}).start()
        started.append(server)
        for name in ("shop", "other"):
            server.register(name, write_project(tmp_path / name))
        return server

    yield start
    for server in started:
        server.end()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """URL of a server that speaks S3, with one bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = server.get_host_and_port()
    url, keys = f"http://{host}:{port}", {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).create_bucket(Bucket=BUCKET)
    yield url
    server.stop()


@pytest.fixture
def storage(s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """URL of an empty folder in the bucket, which this process and those it starts can reach."""
    url = f"s3://{BUCKET}/{tmp_path.name}"
    for name, value in {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PILOTHOUSE_DBT_API_FILES_URL": url,
        "PILOTHOUSE_DBT_API_DATA": str(tmp_path / "here"),
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    storage_of.cache_clear()
    yield url
    settings.cache_clear()
    storage_of.cache_clear()
