"""Artifacts come out of a log as they went in, however the log delivers them. The other side: tests/unit/deploy."""

import base64
import gzip
import hashlib
import random
from typing import Any

import pytest

from contracts.log_artifacts import Artifact, ArtifactReader
from contracts.log_event import LogEvent

CONTENT = random.Random(0).randbytes(5_000)


def events(content: bytes = CONTENT, size: int = 700, name: str = "run_results.json") -> list[LogEvent]:
    packed = gzip.compress(content)
    parts = [packed[start : start + size] for start in range(0, len(packed), size)]
    about = {
        "artifact": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "parts": len(parts),
    }
    return [
        LogEvent(message="", name="PilothouseArtifact",
                 data={**about, "part": number, "content": base64.b64encode(part).decode()})
        for number, part in enumerate(parts, 1)
    ]  # fmt: skip


def read(these: list[LogEvent]) -> list[Artifact]:
    reader = ArtifactReader()
    return [artifact for event in these if (artifact := reader.add(event))]


def test_parts_become_the_artifact_in_any_order_and_if_some_come_twice() -> None:
    shuffled = events() + events()[2:5]
    random.Random(1).shuffle(shuffled)
    assert read(shuffled) == [Artifact("run_results.json", CONTENT)]


def test_parts_of_two_artifacts_and_other_events_may_mix() -> None:
    other = LogEvent(message="", name="NodeFinished", data={"artifact": "run_results.json"})
    pairs = zip(events(), events(b"{}" * 9, 5, "manifest.json"), strict=False)
    mixed = [event for pair in pairs for event in (*pair, other)]
    assert {artifact.name for artifact in read(mixed + events())} == {"run_results.json", "manifest.json"}


@pytest.mark.parametrize(
    "damage",
    [{"content": "!"}, {"content": ""}, {"sha256": "0" * 64}, {"part": 0}, {"parts": 10**9}, {"part": "x"},
     {"artifact": "../../etc/passwd"}],
    ids=str,
)  # fmt: skip
def test_what_is_damaged_is_no_artifact_and_no_error(damage: dict[str, Any]) -> None:
    first, *rest = events()
    broken = first.model_copy(update={"data": {**first.data, **damage}})
    assert read([broken, *rest]) == []


def test_nothing_unpacks_to_more_than_it_says() -> None:
    [bomb] = events(bytes(50_000_000), size=10**9)
    small = bomb.model_copy(update={"data": {**bomb.data, "bytes": 10, "content": bomb.data["content"][:20_000]}})
    assert read([small]) == []


def test_whole_again_after_damage() -> None:
    first, *rest = events()
    broken = first.model_copy(update={"data": {**first.data, "content": "!"}})
    assert read([broken, *rest, *events()]) == [Artifact("run_results.json", CONTENT)]
