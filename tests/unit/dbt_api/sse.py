"""A reader of server-sent events as HTML's living standard describes it: just enough for tests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from tests.unit.dbt_api.server import Server


@dataclass(frozen=True)
class Event:
    id: int | None
    name: str
    data: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.data))


def open_stream(server: Server, task_id: str, *, after: int | None = None, query: str = "") -> requests.Response:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    return server.call("GET", f"/api/v1/invocations/{task_id}/events{query}", headers=headers, stream=True)


def events_of(response: requests.Response) -> Iterator[Event]:
    """The events of a stream until it ends. One that breaks off raises ChunkedEncodingError."""
    fields: dict[str, str] = {}
    for line in _lines(response):
        name, _, value = line.partition(": ")
        if line:
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        elif fields:
            yield Event(int(fields["id"]) if "id" in fields else None, fields.get("event", ""), fields.get("data", ""))
            fields = {}


def _lines(response: requests.Response) -> Iterator[str]:
    rest = b""
    for chunk in response.iter_content(chunk_size=None):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in whole)


def story(server: Server, task_id: str, *, after: int | None = None, query: str = "") -> list[Event]:
    """All events to the end of the stream, without heartbeats."""
    with open_stream(server, task_id, after=after, query=query) as response:
        return [event for event in events_of(response) if event.name != "heartbeat"]
