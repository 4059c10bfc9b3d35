"""An invocation's story as server-sent events, from any place in it on: nothing lost, nothing twice.

Everything told is derived from the row and the files, in one order with one numbering (see `sequence`). So a stream
that begins anew, on this server or another, tells the story from the attempt's beginning to itself, silently up to the
place that the client has already, and aloud from there on.
"""

from pydantic import BaseModel

from contracts.dbt_api import InvocationState, LogLevel, LogQuery, StateEvent
from dbt_api import store
from dbt_api.records.logs import shown
from dbt_api.records.nodes import NodeFold, fold_of
from dbt_api.records.record import Record, record_of
from dbt_api.records.sequence import LAST, place_of, seq_of
from dbt_api.tables import InvocationRow

NOTHING_TOLD = -1


class Story:
    """The events of one invocation for one client, told piece by piece. Synchronous: reads database and files."""

    def __init__(self, task_id: str, *, after: int = NOTHING_TOLD, level: LogLevel | None = None) -> None:
        self.over = False
        self._task_id = task_id
        self._after = after
        self._lines = LogQuery(level=level)
        self._attempt = place_of(max(after, 0))[0]
        self._begun = False
        self._fold: NodeFold | None = None

    def next_piece(self) -> bytes | None:
        """What follows, in the form of server-sent events; None while nothing does.

        Empty when what follows is told silently, or when there will be no more (`over`).
        """
        row = store.find(self._task_id)
        if row is None or row.attempt < self._attempt:
            self.over = True
            return b""
        record = record_of(row, self._attempt)
        fold = self._fold = self._fold or fold_of(record)
        piece = self._beginning(row)
        if lines := record.log_lines(fold.position):
            piece += [event for line in lines for event in self._line(fold, line)]
        elif record.complete:
            piece += self._end(fold, row, record)
        elif not piece:
            return None
        return b"".join(piece)

    def _beginning(self, row: InvocationRow) -> list[bytes]:
        if self._begun:
            return []
        self._begun = True
        pending = StateEvent(task_id=row.task_id, state=InvocationState.PENDING, attempt=0, at=row.created_at)
        started = StateEvent(
            task_id=row.task_id, state=InvocationState.STARTED, attempt=self._attempt, at=row.started_at
        )
        return self._told("state", started if self._attempt else pending, seq_of(self._attempt, 0))

    def _line(self, fold: NodeFold, line: bytes) -> list[bytes]:
        node = fold.add(line)
        seq = seq_of(self._attempt, fold.position)
        told = self._told("node", node, node.seq) if node is not None else []
        if seq > self._after and shown(line, self._lines) is not None:
            told.append(_event("log", line.rstrip(b"\r\n"), seq))
        return told

    def _end(self, fold: NodeFold, row: InvocationRow, record: Record) -> list[bytes]:
        """What the end of an attempt interrupted; then the next attempt, or the state that stays."""
        nodes = fold.close(record.json_artifact("run_results.json"))
        told = [event for node in nodes for event in self._told("node", node, node.seq)]
        if row.attempt > self._attempt:
            self._attempt, self._begun, self._fold = self._attempt + 1, False, None
            return told
        self.over = True
        ended = StateEvent(at=row.finished_at, **row.model_dump(include=set(StateEvent.model_fields)))
        ended.exc_message = record.mask.text(ended.exc_message)
        return told + self._told("state", ended, last_seq(row))

    def _told(self, name: str, data: BaseModel, seq: int) -> list[bytes]:
        return [_event(name, data.model_dump_json().encode(), seq)] if seq > self._after else []


def last_seq(row: InvocationRow) -> int:
    """The number of an invocation's last event, once it has ended."""
    return seq_of(row.attempt, LAST)


def _event(name: str, data: bytes, seq: int) -> bytes:
    """One event as HTML's living standard, section 9.2, writes it: carriage returns would break lines, too."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, name.encode(), data.replace(b"\r", b"\ndata: "))
