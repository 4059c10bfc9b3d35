"""Callbacks: told at the start and at the end, signed, told again until heard, and never to our own network."""

import hashlib
import hmac
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dbt_api.callbacks.addresses import address_of
from dbt_api.errors import ApiError
from dbt_api.settings import settings
from tests.unit.dbt_api import fake_dbt
from tests.unit.dbt_api.server import Server, eventually

Start = Callable[..., Server]
SECRET = "a-secret-for-callbacks"
ALLOWED = {"CALLBACK_HOSTS": '["127.0.0.1"]', "CALLBACK_PRIVATE_ALLOWED": "true", "CALLBACK_SECRET": SECRET}


class Receiver:
    """A client's address: answers with `status` and keeps what it heard."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[dict[str, Any]] = []
        self.refused = 0
        self.url = ""

    def states(self, task_id: str) -> list[str]:
        return [each["status"] for each in self.heard if each["task_id"] == task_id]


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(self.headers["X-Pilothouse-Signature-256"], told)
        if self.receiver.status == 200:
            self.receiver.heard.append({**json.loads(body), "path": self.path})
        else:
            self.receiver.refused += 1
        self.send_response(self.receiver.status)
        self.send_header("Location", f"{self.receiver.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"receiver": receiver}))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


FAILING = ["run", "--vars", '{"exit_code": 2}']


def test_a_client_is_told_of_start_and_end_also_across_a_killed_server(
    start_server: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_ENV_WITNESS", str(tmp_path / "fake" / "witness"))
    with receiving() as receiver:
        dbt = str(fake_dbt.install(tmp_path / "fake"))
        server = start_server(**ALLOWED, PUBLIC_URL="https://dbt.example.com/", DBT=dbt)
        body = {"project_dir": "shop", "callback_url": f"{receiver.url}/hook?x=1"}
        server.call("POST", "/invocations", json={**body, "task_id": "told", "command": FAILING})
        eventually(lambda: receiver.states("told") == ["STARTED", "FAILURE"])
        started, ended = receiver.heard
        assert (started["finished_at"], started["path"]) == (None, "/hook?x=1")
        assert ended == {
            "task_id": "told",
            "status": "FAILURE",
            "state": "FAILURE",
            "finished_at": server.read("told")["finished_at"].replace("Z", "+00:00"),
            "url": "https://dbt.example.com/invocations/told",
            "path": "/hook?x=1",
        }

        receiver.status = 302  # a redirect is no hearing, and is not followed
        server.call("POST", "/invocations", json={**body, "task_id": "late", "command": FAILING})
        server.ended("late")
        eventually(lambda: receiver.refused >= 2)
        server.end(signal.SIGKILL)
        receiver.status = 200
        server.start()
        eventually(lambda: set(receiver.states("late")) == {"STARTED", "FAILURE"})

        server.submit("runs", "run", "--vars", '{"gate": "never"}')
        server.call("POST", "/invocations", json={**body, "task_id": "waits", "command": ["ls"]})
        server.call("POST", "/invocations/waits/abort")
        eventually(lambda: receiver.states("waits") == ["ABORTED"])
        server.call("POST", "/invocations/runs/abort", json={"mode": "now"})


@pytest.fixture
def allowing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def allow(*hosts: str, private: bool = False, secret: str | None = SECRET) -> None:
        monkeypatch.setattr(settings(), "callback_hosts", list(hosts))
        monkeypatch.setattr(settings(), "callback_private_allowed", private)
        monkeypatch.setattr(settings(), "callback_secret", SecretStr(secret) if secret else None)

    settings.cache_clear()
    yield allow
    settings.cache_clear()


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost:8581/", "http://[::1]/", "http://0.0.0.0/", "http://10.1.2.3/"),
        *(
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:127.0.0.1]/",
            "http://192.168.0.1/",
            "http://[fd00::1]/",
        ),
        *("http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://224.0.0.1/"),
        *("ftp://example.com/", "file:///etc/passwd", "gopher://x/", "http://", "http:///x", "//x/", "x"),
        *(
            "http://user:word@8.8.8.8/",
            "http://8.8.8.8:99999/",
            "http://8.8.8.8/\r\nX: y",
            "http://[::1/",
            "http://no.invalid/",
        ),
    ],
)
def test_no_callback_into_a_private_network_nor_by_another_protocol(allowing: Any, url: str) -> None:
    """Peer defect D6: dbt-server's callback was a server-side request forgery."""
    allowing("*")
    with pytest.raises(ApiError) as refused:
        address_of(url)
    assert refused.value.status == 422


def test_only_allowed_hosts_and_only_with_a_secret_to_sign_with(allowing: Any) -> None:
    allowing("8.8.*", "127.0.0.1")
    assert address_of("https://8.8.8.8/a b?c=d").path == "/a%20b?c=d"
    with pytest.raises(ApiError, match="PILOTHOUSE_DBT_API_CALLBACK_HOSTS"):
        address_of("https://9.9.9.9/")
    allowing("8.8.*", secret=None)
    with pytest.raises(ApiError, match="PILOTHOUSE_DBT_API_CALLBACK_SECRET"):
        address_of("https://8.8.8.8/")
    allowing("127.0.0.1", private=True)
    assert address_of("http://127.0.0.1:8/").ip == "127.0.0.1"
