"""A dbt API on a real socket that does what a test tells it, and an Airflow context as an operator gets one."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CREATED = "2026-01-01T00:00:00Z"


@dataclass
class StandIn:
    """What the server holds, in the order in which it will be answered, and what it was asked."""

    states: list[dict[str, Any]] = field(default_factory=list)
    """Answers to GET of the invocation; the last one stays."""
    log: bytes = b""
    chunk_bytes: int = 1 << 20
    refusals: list[int] = field(default_factory=list)
    """Statuses that the next requests get instead of an answer."""
    on_submit: Callable[[dict[str, Any]], None] = lambda body: None
    submitted: list[dict[str, Any]] = field(default_factory=list)
    aborted: list[str] = field(default_factory=list)
    requests: int = 0
    known: set[str] = field(default_factory=set)
    forgetful: bool = False
    url: str = ""

    def invocation(self, task_id: str) -> dict[str, Any]:
        now = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        state = "ABORTED" if self.aborted else now.get("state", "SUCCESS")
        base = {"task_id": task_id, "project": "harbour", "command": ["build"], "created_at": CREATED}
        return {**base, **now, "state": state}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    stand_in: StandIn

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._refused():
            return
        if self.path.endswith("/abort"):
            self.stand_in.aborted.append(str(body["reason"]))
            self._json(202, self.stand_in.invocation(self.path.split("/")[4]))
        else:
            self.stand_in.on_submit(body)
            self.stand_in.submitted.append(body)
            if not self.stand_in.forgetful:
                self.stand_in.known.add(body["task_id"])
            self._json(202, {**self.stand_in.states[0], **_new(body)})

    def do_GET(self) -> None:
        task_id = self.path.split("?")[0].split("/")[4]
        if self._refused():
            return
        if task_id not in self.stand_in.known:
            self._json(404, {"detail": f"There is no invocation '{task_id}'."})
        elif "/logs" in self.path:
            self._log()
        else:
            self._json(200, self.stand_in.invocation(task_id))

    def _refused(self) -> bool:
        self.stand_in.requests += 1
        if not self.stand_in.refusals:
            return False
        self._json(self.stand_in.refusals.pop(0), {"detail": "not now"})
        return True

    def _log(self) -> None:
        log = self.stand_in.log
        first, last = (int(part) for part in self.headers["Range"].removeprefix("bytes=").split("-"))
        data = log[first : min(last + 1, first + self.stand_in.chunk_bytes)]
        span = f"{first}-{first + len(data) - 1}" if data else "*"
        headers = {"Content-Range": f"bytes {span}/{len(log)}", "X-Log-Complete": "true"}
        self._send(206 if data else 416, data, headers)

    def _json(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode(), {})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _new(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "task_id": body["task_id"],
        "project": body["project"],
        "command": body["command"],
        "created_at": CREATED,
        "state": "PENDING",
    }


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stand_in": stand_in}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()


class Store(dict[str, Any]):
    """Airflow's task state store."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


@dataclass
class TaskInstance:
    """As much of Airflow's task instance as an operator may use."""

    try_number: int = 1
    max_tries: int = 0
    dag_id: str = "pilothouse__harbour"
    run_id: str = "console__1"
    task_id: str = "dbt"
    log_url: str = "http://airflow/log"
    state: str | None = "running"
    stats_tags: dict[str, str] = field(default_factory=dict)
    xcoms: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value

    def get_task_states(self, dag_id: str, *, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        return {run_ids[0]: {task_ids[0]: self.state}}
