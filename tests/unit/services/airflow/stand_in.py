"""An HTTP server on a real socket that answers as Airflow would, for what a healthy Airflow never answers."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class StandIn:
    """Answers in order, each (status, body); the last one stays. Keeps what it was asked."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=lambda: ["first", "second", "third"])
    pause_seconds: float = 0
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Authorization header."""
    logins: int = 0
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/auth/token":
            self._send(201, {"access_token": self.stand_in.tokens[self.stand_in.logins]})
            self.stand_in.logins += 1
            return
        self.stand_in.requests.append((self.command, self.path, self.headers.get("Authorization")))
        time.sleep(self.stand_in.pause_seconds)
        answers = self.stand_in.answers
        self._send(*(answers.pop(0) if len(answers) > 1 else answers[0]))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    def _send(self, status: int, body: Any) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(ConnectionError):  # a client that lost its patience
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stand_in": stand_in}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
