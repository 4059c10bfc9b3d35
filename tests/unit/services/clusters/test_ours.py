"""Our pods on a cluster: the collector keeps what it saw, so that pages ask no cluster."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.names import RUN_LABEL
from contracts.operators import OperatorName
from models.cluster import Pod
from models.project import Project
from models.run import Invocation, Run
from models.run_state import RunState
from services import clusters, database, health
from services.collector.kubernetes_side import KubernetesSide
from services.database import session
from services.settings import settings

ANSWERS: dict[str, Any] = {
    "/version": {"gitVersion": "v1.33.2"},
    "/api/v1/namespaces/dbt/pods": {
        "items": [
            {
                "metadata": {"name": "dbt-harbour", "namespace": "dbt", "uid": "u1", "labels": {RUN_LABEL: "a"}},
                "spec": {"nodeName": "node1", "containers": [{"name": "base", "env": [{"name": "A", "value": "b"}]}]},
                "status": {"phase": "Running"},
            }
        ]
    },
}
FORBIDDEN = "/api/v1/namespaces/private/pods"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    database.engine.cache_clear()
    database.migrate()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


@contextmanager
def api_server(kubeconfig: Path) -> Iterator[None]:
    """A cluster's API as far as it is asked here."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            self.send_response(403 if path == FORBIDDEN else 200)
            self.end_headers()
            self.wfile.write(json.dumps(ANSWERS.get(path, {"message": "forbidden"})).encode())

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
    kubeconfig.write_text(yaml.safe_dump(config))
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def project(namespace: str) -> None:
    with session() as opened:
        made = Project(name=namespace, owner="ann", created_by="ann", source={"kind": "folder"})
        made.operator_parameters = {"cluster": "main", "namespace": namespace}
        opened.add(made)


def run_of_the_pod(state: RunState) -> int | None:
    with session() as opened:
        run = Run(
            project="dbt", dag_id="d", dag_run_id="r", command="build", operator=OperatorName.KUBERNETES, state=state
        )
        opened.add(run)
        opened.flush()
        invocation = Invocation(run_id=run.id or 0, try_number=1, task_id="t")
        opened.add(invocation)
        opened.flush()
        opened.add(
            Pod(
                invocation_id=invocation.id or 0, cluster="main", namespace="dbt", name="dbt-harbour", uid="u1",
                phase="Running", image="i",
            )
        )  # fmt: skip
        return run.id


def test_the_pods_of_a_cluster_are_known_when_it_is_away_and_forgotten_with_it(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    clusters.register("main", kubeconfig=str(kubeconfig), context=None, by=settings().user)
    project("dbt")
    project("private")
    assert clusters.known_pods("main") is None
    side = KubernetesSide()
    with api_server(kubeconfig):
        side.check_health()
    seen = clusters.known_pods("main")
    assert seen is not None
    assert [(pod.summary.name, pod.summary.node, pod.state, pod.run_id) for pod in seen.pods] == [
        ("dbt-harbour", "node1", "running", None)
    ]
    assert seen.hidden == ["private"]
    run_id = run_of_the_pod(RunState.FAILED)
    side.check_health()
    assert not health.of_system(clusters.system_of("main")).reachable
    known = clusters.known_pods("main")
    assert known is not None
    assert known.taken_at == seen.taken_at
    assert [(pod.state, pod.run_id) for pod in known.pods] == [("left over", run_id)]
    clusters.forget("main", by=settings().user)
    assert clusters.known_pods("main") is None
