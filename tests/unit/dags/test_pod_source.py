"""The init container's script, run by a real shell with a real git against a real git server."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from contracts.operators import KubernetesParameters
from contracts.pods import CREDENTIAL_MOUNT
from dags.pod_source import source_container

EXPECTED = "Basic " + base64.b64encode(b"robot:s3cret").decode()


class GitServer(BaseHTTPRequestHandler):
    """git's own CGI behind basic auth."""

    root: Path

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != EXPECTED:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        answer = subprocess.run(
            ["git", "http-backend"], input=self.rfile.read(length), env=environment, capture_output=True, check=True
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            self.send_header(*line.split(": ", 1))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    work = tmp_path / "served" / "project"
    work.mkdir(parents=True)
    (work / "dbt_project.yml").write_text("name: it\n")
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=work, check=True)
    return work


@pytest.fixture
def served(repository: Path) -> Iterator[str]:
    """Its address on a server that wants a user and a password."""
    handler = type("Handler", (GitServer,), {"root": repository.parent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/project/.git"
    server.shutdown()


def clone(tmp_path: Path, url: str, secret: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the container's command here, the secret's files where it looks for them."""
    mount = tmp_path / "secret"
    mount.mkdir()
    for name, content in secret.items():
        (mount / name).write_text(content)
    parameters = KubernetesParameters(project_source="git", git_url="https://unused.example.com", git_secret="x")
    script = source_container(parameters, {})["command"][2].replace(CREDENTIAL_MOUNT, str(mount))
    own = {"HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0", "BRANCH": "main", "URL": url}
    values = {"PATH": os.environ["PATH"], **own, "TARGET": str(tmp_path / "clone"), **environment}
    return subprocess.run(["sh", "-c", script], env=values, capture_output=True, text=True, timeout=60, check=False)


def test_a_user_and_password_of_a_secret_open_the_repository(tmp_path: Path, served: str) -> None:
    cloned = clone(tmp_path, served, {"username": "robot", "password": "s3cret"})
    assert cloned.returncode == 0, cloned.stderr
    assert (tmp_path / "clone" / "dbt_project.yml").exists()
    assert len(cloned.stdout.strip()) == 40
    kept = (tmp_path / "clone" / ".git" / "config").read_text()
    assert "s3cret" not in cloned.stdout + cloned.stderr + kept


def test_a_wrong_password_is_told_and_not_asked_for(tmp_path: Path, served: str) -> None:
    refused = clone(tmp_path, served, {"username": "robot", "password": "wrong"})
    assert refused.returncode != 0
    assert "Authentication failed" in refused.stderr


def test_without_a_secret_a_repository_is_cloned_as_it_is(tmp_path: Path, repository: Path) -> None:
    assert clone(tmp_path, f"file://{repository}", {}).returncode == 0


@pytest.mark.parametrize(("known_hosts", "checking"), [(None, "accept-new"), ("git.example.com ssh-ed25519 A", "yes")])
def test_ssh_gets_the_secrets_key_and_the_hosts_that_are_known(
    tmp_path: Path, known_hosts: str | None, checking: str
) -> None:
    words = tmp_path / "words"
    stand_in = tmp_path / "bin" / "ssh"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {words}\nstat -c "mode %a" "$2" >> {words}\ncat "$2" >> {words}\nexit 1\n'
    )
    stand_in.chmod(0o755)
    secret = {"ssh-privatekey": "KEY", **({"known_hosts": known_hosts} if known_hosts else {})}
    path = f"{stand_in.parent}:{os.environ['PATH']}"
    clone(tmp_path, "git@git.example.com:acme/project.git", secret, PATH=path)
    told = words.read_text()
    assert f"StrictHostKeyChecking={checking}" in told
    assert "mode 600\nKEY" in told
