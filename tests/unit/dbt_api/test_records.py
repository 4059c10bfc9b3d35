"""Log and artifacts over HTTP: ranges, validators, names that lead astray, secrets, sizes that hurt."""

import hashlib
import http.client
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from contracts.log_event import parse_log_line
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import TOKEN, Server
from tests.unit.dbt_api.sse import story

ENDLESS = ("run", "--select", "slow", "--vars", '{"slow_ms": 600000}')


def at(task_id: str, rest: str) -> str:
    return f"/api/v1/invocations/{task_id}/{rest}"


@pytest.fixture(scope="module")
def left(server: Server) -> str:
    """An invocation that ended well."""
    server.submit("left", "run", "--select", "orders")
    server.ended("left")
    return "left"


def test_d10_the_log_of_an_ended_invocation_never_changes_and_says_so(server: Server, left: str) -> None:
    whole = server.call("GET", at(left, "logs"))
    assert (whole.status_code, whole.headers["X-Log-Complete"]) == (200, "true")
    assert "immutable" in whole.headers["Cache-Control"]
    etag = whole.headers["ETag"]
    assert not etag.startswith("W/")
    known = server.call("GET", at(left, "logs"), headers={"If-None-Match": etag})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", etag)
    assert server.read(left)["log"] == {
        "bytes": len(whole.content),
        "lines": whole.content.count(b"\n"),
        "complete": True,
        "url": "/api/v1/invocations/left/logs",
    }


def test_the_log_by_range(server: Server, left: str) -> None:
    whole = server.call("GET", at(left, "logs"))
    part = server.call("GET", at(left, "logs"), headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.content)}"
    behind = server.call("GET", at(left, "logs"), headers={"Range": f"bytes={len(whole.content)}-"})
    assert (behind.status_code, behind.headers["X-Log-Complete"]) == (416, "true")
    assert behind.headers["Content-Range"] == f"bytes */{len(whole.content)}"
    same = {"Range": "bytes=0-3", "If-Range": whole.headers["ETag"]}
    other = {"Range": "bytes=0-3", "If-Range": '"another"'}
    assert server.call("GET", at(left, "logs"), headers=same).status_code == 206
    assert server.call("GET", at(left, "logs"), headers=other).content == whole.content
    assert server.call("GET", at(left, "logs"), headers={"Range": "pages=1-2"}).status_code == 200


def test_the_log_by_lines_and_as_a_file(server: Server, left: str) -> None:
    lines = server.call("GET", at(left, "logs")).content.splitlines(keepends=True)
    some = server.call("GET", at(left, "logs?offset=2&limit=3"))
    assert some.content == b"".join(lines[2:5])
    assert (some.headers["X-Next-Offset"], some.headers["X-Log-Lines"]) == ("5", str(len(lines)))
    assert server.call("GET", at(left, "logs?tail=2")).content == b"".join(lines[-2:])
    assert server.call("GET", at(left, "logs?tail=2&limit=1&offset=3")).content == lines[-1]
    assert server.call("GET", at(left, "logs?offset=9999999")).content == b""
    assert server.call("GET", at(left, "logs?offset=9999999&tail=3")).content == b""
    text = server.call("GET", at(left, "logs?format=text&level=info"))
    assert text.headers["Content-Type"].startswith("text/plain")
    assert "OK created sql view model" in text.text
    file = server.call("GET", at(left, "logs?download=1"))
    assert (file.content, file.headers["Content-Disposition"]) == (
        b"".join(lines),
        'attachment; filename="left.jsonl"',
    )
    readable = server.call("GET", at(left, "logs?download=1&format=text"))
    assert readable.headers["Content-Disposition"] == 'attachment; filename="left.log"'
    assert readable.text.startswith(f"{parse_log_line(lines[0].decode()).timestamp:%H:%M:%S}  Running with dbt")
    for wrong in ("offset=-1", "limit=0", "limit=1000000", "level=loud", "format=xml", "tail=0", "nope=1"):
        assert server.call("GET", at(left, f"logs?{wrong}")).status_code == 422, wrong


def test_artifacts_are_listed_with_size_checksum_and_type(server: Server, left: str) -> None:
    listed = {each["name"]: each for each in server.call("GET", at(left, "artifacts")).json()}
    assert {"manifest.json", "run_results.json", "compiled/shop/models/orders.sql", "log.jsonl"} <= set(listed)
    assert {"partial_parse.msgpack", "graph.gpickle"}.isdisjoint(listed)
    assert listed["manifest.json"]["media_type"] == "application/json"
    for name, each in listed.items():
        answer = server.call("GET", at(left, f"artifacts/{name}"))
        assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (each["bytes"], each["sha256"])
        assert answer.headers["ETag"] == f'"{each["sha256"]}"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    etag = f'"{listed["manifest.json"]["sha256"]}"'
    manifest = at(left, "artifacts/manifest.json")
    assert server.call("GET", manifest, headers={"If-None-Match": f'"x", {etag}'}).status_code == 304
    part = server.call("GET", manifest, headers={"Range": "bytes=-7"})
    assert (part.status_code, part.content) == (206, server.call("GET", manifest).content[-7:])


def test_each_command_leaves_its_artifacts(server: Server) -> None:
    freshness = "{loaded_at_field: 'now()::timestamp', freshness: {warn_after: {count: 1, period: day}}}"
    snapshot = "{unique_key: id, strategy: check, check_cols: all}"
    files = {
        "models/raw.yml": f"sources: [{{name: raw, schema: main, tables: [{{name: orders, config: {freshness}}}]}}]",
        "models/kept.yml": f"snapshots: [{{name: kept, relation: ref('orders'), config: {snapshot}}}]",
        "seeds/ports.csv": "id,name\n1,Rostock\n",
    }
    folder = server.data.parent / "commands"
    (folder / "seeds").mkdir(parents=True)
    server.register("commands", write_project(folder, **files))
    left = {}
    for command in ("seed", "run", "snapshot", "test", "source freshness", "docs generate", "compile"):
        task_id = f"does-{command.replace(' ', '-')}"
        server.submit(task_id, *command.split(), "--select", "orders kept ports source:raw", project="commands")
        ended = server.ended(task_id)
        assert ended["state"] == "SUCCESS", ended["exc_message"]
        left[command] = {each["name"] for each in ended["artifacts"]}
    assert {"manifest.json", "run_results.json", "log.jsonl"} <= left["seed"] & left["run"] & left["snapshot"]
    assert "sources.json" in left["source freshness"]
    assert "catalog.json" in left["docs generate"]
    assert "compiled/shop/models/orders.sql" in left["compile"]


def test_all_artifacts_come_in_one_zip(server: Server, left: str) -> None:
    answer = server.call("GET", at(left, "artifacts.zip"))
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        packed = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert packed == {each["name"]: each["sha256"] for each in server.call("GET", at(left, "artifacts")).json()}


ASTRAY = [
    *("../events.jsonl", "../exit.json", "..%2fexit.json", "%2e%2e/exit.json", "compiled/../../exit.json"),
    *("/etc/hostname", "%2fetc%2fhostname", "../../../../dbt_api.db", "..%5cexit.json", "compiled", "", "%00"),
    *("link", "links/exit.json", "x" * 5000, "manifest.json/", "./manifest.json", "compiled//shop/models/orders.sql"),
    *("partial_parse.msgpack", "%2e%2e/target/manifest.json"),
]


@pytest.mark.parametrize("name", ASTRAY)
def test_d6_d12_no_name_leads_to_anything_but_an_artifact(server: Server, left: str, name: str) -> None:
    target = server.attempt(left) / "target"
    for link, to in (("link", "/etc/hostname"), ("links", "..")):
        if not (target / link).is_symlink():
            (target / link).symlink_to(to)
    assert _get_unchanged(server, at(left, f"artifacts/{name}")) == (404, "application/problem+json")


def _get_unchanged(server: Server, path: str) -> tuple[int, str | None]:
    """Status and type of the answer to exactly this path, which other clients would tidy up first."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.getheader("Content-Type")


@pytest.mark.parametrize("task_id", ["..", "%2e%2e", "..%2f..", "left%2f1", "nobody"])
@pytest.mark.parametrize("rest", ["nodes", "events", "logs", "artifacts", "artifacts.zip", "artifacts/manifest.json"])
def test_d6_d15_an_unknown_invocation_is_404_everywhere(server: Server, task_id: str, rest: str) -> None:
    assert _get_unchanged(server, at(task_id, rest))[0] == 404


def test_nothing_is_read_without_login(server: Server, left: str) -> None:
    for rest in ("nodes", "events", "logs", "artifacts", "artifacts.zip", "artifacts/manifest.json"):
        assert server.call("GET", at(left, rest), headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_d9_d10_invocations_at_the_same_time_leave_their_own_results(server: Server) -> None:
    server.register("other", write_project(server.data.parent / "other"))
    server.submit("ours", "run", "--select", "orders slow")
    server.submit("theirs", "run", "--select", "orders", project="other")
    nodes = {}
    for task_id in ("ours", "theirs"):
        server.ended(task_id)
        results = server.call("GET", at(task_id, "artifacts/run_results.json")).json()["results"]
        nodes[task_id] = {each["unique_id"] for each in results}
        told = server.call("GET", at(task_id, "nodes")).json()["nodes"]
        assert {node["unique_id"] for node in told} == nodes[task_id]
    assert nodes == {"ours": {"model.shop.orders", "model.shop.slow"}, "theirs": {"model.shop.orders"}}


def test_no_secret_is_in_anything_served(start_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_ENV_SECRET_WAREHOUSE", "of-the-environment")
    server = start_server()
    secrets = ["hunter2 'of' \"vars\" ü\\", "nested-hunter2", "123456", "of-the-environment"]
    given = {"api_token": secrets[0], "connection": {"password": secrets[1]}, "pin_token": 123456, "break": True}
    (server.data.parent / "shop" / "models" / "leaky.sql").write_text(
        "{{ log(var('api_token', ''), true) }} {{ log('of-the-environment', true) }}"
        "select $${{ var('api_token', '') }}$$ as leaked, '{{ var('connection', {}).get('password') }}' as nested"
    )
    (server.data.parent / "shop" / "models" / "fails.sql").write_text(
        "select cast('{{ var('connection', {}).get('password') }}' as integer)"
    )
    server.submit("secretive", "build", "--select", "leaky fails", "--vars", json.dumps(given))
    server.ended("secretive")

    written = (server.attempt("secretive") / "events.jsonl").read_bytes()
    assert b"*****" in written, "otherwise this test would prove nothing"
    log = server.call("GET", at("secretive", "logs")).content
    assert len(log) == len(written), "a masked log is as long as the log"
    served = [log, *(event.data.encode() for event in story(server, "secretive"))]
    served += [
        server.call("GET", at("secretive", rest)).content
        for rest in ("nodes", "logs?format=text", "logs?q=hunter2", "logs?download=1&level=debug")
    ]
    served += [b"".join(_bit_by_bit(server, len(log)))]
    served += [server.call("GET", "/invocations/secretive").json()["log_content"].encode()]
    with zipfile.ZipFile(io.BytesIO(server.call("GET", at("secretive", "artifacts.zip")).content)) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert {"compiled/shop/models/leaky.sql", "run_results.json"} <= set(packed)
    served += [*packed.values(), *(server.call("GET", at("secretive", f"artifacts/{name}")).content for name in packed)]
    for content in served:
        for secret in ("hunter2", "123456", "of-the-environment"):
            assert secret.encode() not in content

    results = json.loads(packed["run_results.json"])
    assert results["args"]["vars"]["break"] is True, "the rest is left as it was, and JSON is still JSON"
    assert results["args"]["vars"]["pin_token"] == 111111
    assert all(parse_log_line(line.decode()).name for line in log.splitlines())


def _bit_by_bit(server: Server, size: int) -> Iterator[bytes]:
    """The log in ranges that cut whatever there is in the middle."""
    for start in range(0, size, 997):
        header = {"Range": f"bytes={start}-{start + 996}"}
        yield server.call("GET", at("secretive", "logs"), headers=header).content


HUGE_LINE = json.dumps({"info": {"level": "debug", "name": "Noise", "msg": "x" * 400}, "data": {}}) + "\n"
NEEDLE = json.dumps({"info": {"level": "info", "name": "Noise", "msg": "the needle"}, "data": {}}) + "\n"


@pytest.fixture(scope="module")
def huge(server: Server) -> bytes:
    """The log of 50 MB that the invocation `huge` left: past 10 MB dbt's own log files begin to rotate."""
    server.submit("huge", "ls", "--nope")
    server.ended("huge")
    content = (HUGE_LINE * (50_000_000 // len(HUGE_LINE)) + NEEDLE).encode()
    server.add_attempt("huge", 2, content)
    return content


def test_d14_streams_that_nobody_reads_hold_up_nobody(server: Server, huge: bytes) -> None:
    before = _most_resident_bytes(server)
    paths = [at("huge", rest) for rest in ("events", "logs", "artifacts.zip", "logs?download=1&format=text")] * 4
    unread = [server.call("GET", path, stream=True) for path in paths]
    assert [answer.status_code for answer in unread] == [200] * len(paths)
    assert server.call("GET", at("huge", "logs?q=NEEDLE")).text == NEEDLE
    assert server.submit("meanwhile", "ls", "--nope")["state"] == "PENDING"
    assert server.ended("meanwhile")["outcome"] == "usage_error"
    told = story(server, "huge", query="?level=info")
    assert [event.data for event in told if event.name == "log"][-1] == NEEDLE.rstrip()
    for answer in unread:
        answer.close()
    assert _most_resident_bytes(server) - before < 80_000_000


def test_d13_two_readers_of_a_log_of_50_mb_get_it_all_and_the_server_stays_small(server: Server, huge: bytes) -> None:
    before = _most_resident_bytes(server)

    read: dict[int, str] = {}
    readers = [Thread(target=_read_by_ranges, args=(server, read, size)) for size in (3_000_000, 7_000_000)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    expected = hashlib.sha256(huge).hexdigest()
    assert read == {3_000_000: expected, 7_000_000: expected}
    assert hashlib.sha256(server.call("GET", at("huge", "logs")).content).hexdigest() == expected
    assert server.call("GET", at("huge", "logs?q=needle")).text == NEEDLE
    assert server.call("GET", at("huge", "logs?level=info&tail=5")).text == NEEDLE
    count = huge.count(b"\n")
    assert server.call("GET", at("huge", f"logs?offset={count - 1}")).text == NEEDLE
    assert server.read("huge")["log"]["lines"] == count
    assert server.call("GET", at("huge", "nodes")).json()["nodes"] == []
    assert _most_resident_bytes(server) - before < 40_000_000


def _read_by_ranges(server: Server, read: dict[int, str], size: int) -> None:
    digest, offset = hashlib.sha256(), 0
    while True:
        header = {"Range": f"bytes={offset}-{offset + size - 1}"}
        answer = server.call("GET", at("huge", "logs"), headers=header)
        if answer.status_code == 416:
            break
        digest.update(answer.content)
        offset += len(answer.content)
    read[size] = digest.hexdigest()


def _most_resident_bytes(server: Server) -> int:
    """The most memory that the server ever had (VmHWM, in kB)."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def test_what_a_running_invocation_left_is_told_as_unfinished(server: Server) -> None:
    server.submit("running", *ENDLESS)
    server.sleeping("running")
    answer = server.call("GET", at("running", "logs"))
    assert (answer.headers["X-Log-Complete"], answer.headers["Cache-Control"]) == ("false", "no-store")
    assert "ETag" not in answer.headers
    for rest in ("artifacts", "artifacts/manifest.json", "artifacts.zip"):
        assert server.call("GET", at("running", rest)).status_code == 409
    nodes = server.call("GET", at("running", "nodes")).json()
    assert (nodes["complete"], [node["status"] for node in nodes["nodes"]]) == (False, ["started"])
    server.call("POST", at("running", "abort"))
    server.ended("running")
    nodes = server.call("GET", at("running", f"nodes?since_seq={nodes['seq']}")).json()
    assert (nodes["complete"], [node["status"] for node in nodes["nodes"]]) == (True, ["interrupted"])
