"""What a cluster's API answers, spoken by a small server on a socket."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from services.clusters import Cluster, ClusterClient
from services.errors import NotFound

STAMP = "2026-01-01T00:00:00.000000001Z"


@pytest.fixture
def answer(tmp_path: Path) -> Iterator[dict[str, bytes]]:
    """What the API server answers to everything, under "body"; its kubeconfig is in tmp_path."""
    told: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told["body"])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def lines_of(folder: Path, *, is_over: bool = False) -> Iterator[tuple[str, str]]:
    client = ClusterClient(Cluster(name="c", kubeconfig=str(folder / "kubeconfig"), created_by="x"))
    return client.follow_log("n", "p", "base", since=None, is_over=is_over)


def test_a_log_comes_line_by_line_with_its_time_stamps(answer: dict[str, bytes], tmp_path: Path) -> None:
    answer["body"] = f"{STAMP} one\n{STAMP} \n{STAMP} two words\n".encode()
    assert list(lines_of(tmp_path)) == [(STAMP, "one"), (STAMP, ""), (STAMP, "two words")]


def test_a_line_that_the_stream_breaks_off_is_left_to_the_next_reading(
    answer: dict[str, bytes], tmp_path: Path
) -> None:
    """Seen in a log of 200,000 lines, when the node began a new file: half a line was kept beside the whole one."""
    answer["body"] = f"{STAMP} one\n{STAMP} tw".encode()
    assert list(lines_of(tmp_path)) == [(STAMP, "one")]
    assert list(lines_of(tmp_path, is_over=True)) == [(STAMP, "one"), (STAMP, "tw")]


def test_what_the_node_says_instead_of_a_log_is_no_line_of_it(answer: dict[str, bytes], tmp_path: Path) -> None:
    """Seen when a pod is deleted while it is read: the kubelet writes its own error into the stream, and ends it."""
    answer["body"] = f"{STAMP} one\n".encode() + b"rpc error: code = NotFound desc = an error occurred"
    lines = lines_of(tmp_path)
    assert next(lines) == (STAMP, "one")
    with pytest.raises(NotFound, match="code = NotFound"):
        next(lines)
