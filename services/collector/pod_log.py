"""A pod's log while it grows: a thread reads each container's stream, the loop keeps what has come.

Two sources can tell the same lines: the pod's own log and, where the pod cannot be asked, Airflow's copy, which comes
at least once. An event of dbt is kept once whoever tells it: it is known by its time stamp, name, thread and node.
"""

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from queue import Empty, Full, Queue

from contracts.names import DBT_CONTAINER, SOURCE_CONTAINER
from models.run import Invocation
from services import logs
from services.clusters import ClusterClient, PodNews
from services.clusters.log_lines import joined
from services.collector.log_keeper import keep_lines
from services.errors import BackendRejected, NotFound, PilothouseError

_FOLLOWED = (SOURCE_CONTAINER, DBT_CONTAINER)
"""In the order in which they run."""
_WAITING_LINES = 20_000
_TASK_LOG_LINE = re.compile(rb"^\S+ [A-Z]+ \[(base|source)\] (.*)$")
_TASK_LOG_BLOCK = 8 << 20

Line = tuple[str, str, str]
"""Container, time stamp, text."""


class LogReader:
    """One stream of one container, read by a thread of its own until it ends or breaks."""

    def __init__(self, client: ClusterClient, pod: PodNews, container: str, *, since: str | None) -> None:
        self.container = container
        self.error: PilothouseError | None = None
        self.was_over = pod.is_over or pod.containers[container].state == "terminated"
        """Whether the container had ended before the reading began: then a clean end of it is the log's end."""
        self._lines: Queue[tuple[str, str]] = Queue(_WAITING_LINES)
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._read, args=(client, pod, since), name=f"log of {pod.name}", daemon=True
        )
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """Whether everything that this stream will ever give has been taken."""
        return not self._thread.is_alive() and self._lines.empty()

    def take(self) -> list[Line]:
        """What has come since, without waiting."""
        taken: list[Line] = []
        while len(taken) < _WAITING_LINES:
            try:
                taken.append((self.container, *self._lines.get_nowait()))
            except Empty:
                break
        return taken

    def stop(self) -> None:
        """Let the thread end with the next line."""
        self._stop.set()

    def _read(self, client: ClusterClient, pod: PodNews, since: str | None) -> None:
        try:
            told = client.follow_log(pod.namespace, pod.name, self.container, since=since, is_over=self.was_over)
            for line in told:
                while not self._stop.is_set():
                    try:
                        self._lines.put(line, timeout=1)
                        break
                    except Full:
                        continue
                if self._stop.is_set():
                    return
        except PilothouseError as error:
            self.error = error


@dataclass
class PodLog:
    """The kept log of one invocation, and where each of its sources goes on."""

    invocation: Invocation
    readers: dict[str, LogReader] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    """Containers whose log is known to be whole."""
    _events: set[int] = field(default_factory=set)
    _texts: Counter[str] = field(default_factory=Counter)
    """Kept lines that are no events, and how often: they may be said more than once."""
    _told_texts: Counter[str] = field(default_factory=Counter)
    """The same as Airflow's copy tells it."""
    _task_log_read: int = 0

    def __post_init__(self) -> None:
        """Learn what is kept already. A file that is shorter than the cursor says was lost: it is read anew."""
        path = logs.path_of(self.invocation)
        if logs.size_of(path) < self.invocation.log_bytes:
            self.invocation.log_bytes, self.invocation.log_cursor = 0, None
        if self.invocation.log_bytes:
            with path.open("rb") as file:
                while file.tell() < self.invocation.log_bytes:
                    self._note(file.readline().decode(errors="replace").rstrip("\n"))

    def follow(self, client: ClusterClient, pod: PodNews) -> None:
        """See that every container that has begun is read, the project's clone before dbt."""
        for name in _FOLLOWED:
            container = pod.containers.get(name)
            if container is None or name in self.finished:
                continue
            if name == SOURCE_CONTAINER and self._cursor_of(DBT_CONTAINER):
                self.finished.add(name)
                continue
            if container.has_log:
                self._read(client, pod, name)
            return

    def _read(self, client: ClusterClient, pod: PodNews, name: str) -> None:
        reader = self.readers.get(name)
        if reader and not reader.has_ended:
            return
        if reader and reader.error is None and reader.was_over:
            self.finished.add(name)
            return
        self.readers[name] = LogReader(client, pod, name, since=self._cursor_of(name))

    def is_whole(self, pod: PodNews) -> bool:
        """Whether every container's log has been read to its end."""
        return all(name in self.finished for name, one in pod.containers.items() if name in _FOLLOWED and one.has_log)

    def is_withheld(self, pod: PodNews) -> bool:
        """Whether the console may not read the log, or the node of an ended pod has it no more."""
        errors = [reader.error for reader in self.readers.values()]
        is_refused = any(isinstance(error, BackendRejected) and error.status == 403 for error in errors)
        return is_refused or (pod.is_over and any(isinstance(error, NotFound) for error in errors))

    @property
    def is_reading(self) -> bool:
        """Whether a stream may still bring lines, be its pod there or not."""
        return any(not reader.has_ended for reader in self.readers.values())

    def keep_new(self) -> int:
        """Keep what the streams have brought; answers how many lines."""
        lines = [line for reader in [*self.readers.values()] for line in reader.take()]
        if lines:
            self._keep_lines(lines)
        return len(lines)

    def _keep_lines(self, lines: list[Line]) -> None:
        kept: list[str] = []
        for container, stamp, text in lines:
            place = self._cursor_of(container)
            again = place is not None and _sortable(stamp) <= _sortable(place)
            if again and (_sortable(stamp) < _sortable(place or "") or identity(text) is None):
                continue
            line = text if container == DBT_CONTAINER else f"[{container}] {text}"
            if self._note(line):
                kept.append(line)
        container, stamp, _ = lines[-1]
        data = "".join(f"{line}\n" for line in kept).encode()
        keep_lines(
            self.invocation,
            data,
            cursor=f"{container} {stamp}",
            from_airflow=self.invocation.log_from_airflow,
        )

    def keep_from_task_log(self) -> int:
        """Keep what only Airflow's copy of the log has so far; answers how many lines."""
        path = logs.path_of(self.invocation, "airflow")
        kept = 0
        while logs.size_of(path) > self._task_log_read:
            with path.open("rb") as file:
                file.seek(self._task_log_read)
                block = file.read(_TASK_LOG_BLOCK)
            whole = block.rfind(b"\n") + 1
            if not whole:
                break
            self._task_log_read += whole
            kept += self._keep_told(_dbt_lines(block[:whole]))
        return kept

    def _keep_told(self, lines: list[str]) -> int:
        new = [line for line in lines if self._is_news(line)]
        if new:
            data = "".join(f"{line}\n" for line in new).encode()
            keep_lines(self.invocation, data, cursor=self.invocation.log_cursor, from_airflow=True)
        return len(new)

    def _is_news(self, line: str) -> bool:
        """Whether Airflow's copy tells a line that is not kept yet; notes it as kept then."""
        if identity(line) is None:
            self._told_texts[line] += 1
            if self._told_texts[line] <= self._texts[line]:
                return False
        return self._note(line)

    def _note(self, line: str) -> bool:
        """Note a line as kept; False when it is an event that was kept before."""
        key = identity(line)
        if key is None:
            self._texts[line] += 1
            return True
        is_new = key not in self._events
        self._events.add(key)
        return is_new

    def _cursor_of(self, container: str) -> str | None:
        name, _, stamp = (self.invocation.log_cursor or "").partition(" ")
        return stamp if name == container else None

    def stop(self) -> None:
        """Give up the streams."""
        for reader in self.readers.values():
            reader.stop()


def identity(line: str) -> int | None:
    """What makes two lines the same event of dbt, whoever told them; None for text that is no event."""
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
        info, data = record["info"], record.get("data") or {}
        node = (data.get("node_info") or {}).get("unique_id")
        return hash((info["ts"], info["name"], info.get("thread"), info.get("pid"), node, data.get("part")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _dbt_lines(block: bytes) -> list[str]:
    """The pod's lines in a piece of Airflow's task log, without Airflow's own."""
    found = []
    for raw in block.split(b"\n"):
        if match := _TASK_LOG_LINE.match(raw):
            text = joined(match[2]).decode(errors="replace")
            found.append(text if match[1] == DBT_CONTAINER.encode() else f"[{match[1].decode()}] {text}")
    return found


def _sortable(stamp: str) -> str:
    """RFC 3339 with nine digits of a second: some kubelets leave out zeros at the end."""
    head, dot, rest = stamp.partition(".")
    digits = re.match(r"\d*", rest)[0] if dot else ""  # type: ignore[index]
    return f"{head.rstrip('Z')}.{digits:0<9}"
