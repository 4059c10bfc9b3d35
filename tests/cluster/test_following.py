"""The collector follows pods on a real cluster: their log, what they wait for, how they end, and breaks on the way."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.names import RUN_LABEL, TRY_LABEL, run_label_of
from contracts.operators import OperatorName
from models.project import Project
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import clusters, logs
from services.collector import store
from services.collector.kubernetes_side import KubernetesSide
from services.database import engine, migrate, session
from services.runs import history
from services.settings import settings
from tests.cluster.access import Cluster, until
from tests.cluster.dbt_namespace import MANIFESTS
from tests.stack.consoles import Collector

EVENT = json.dumps({"info": {"msg": "line @", "ts": "2026-01-01T00:00:00.@Z", "name": "E"}, "data": {}})


def says(lines: int, *, pause: str = "", then: str = "") -> str:
    """A shell's words for so many events of dbt."""
    each = EVENT.replace("@", "'$i'")
    return f"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo '{each}'; {pause or ':'}; done; {then or ':'}"


class Following:
    """One run whose pod is on the cluster, and a collector that follows it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.side = KubernetesSide()
        self.run = self.launched(namespace)

    def launched(self, namespace: str) -> Run:
        """A run that Airflow is taken to have."""
        conf = {"operator_parameters": {"cluster": "test", "namespace": namespace}}
        run = Run(
            project="p", dag_id="d", dag_run_id=namespace, operator=OperatorName.KUBERNETES, command="build", conf=conf,
            state=RunState.STARTING, handed_over_at=now(),
        )  # fmt: skip
        with session() as opened:
            opened.add(run)
        return run

    def sign_in_with_least_rights(self) -> None:
        """Follow as the account that deploy/ makes for the console, in this namespace."""
        account = self.cluster.apply_manifest(self.namespace, MANIFESTS / "console-rbac.yaml")
        clusters.register("test", kubeconfig=str(account), context=None, by=settings().user)

    def start(self, words: str, **changes: Any) -> None:
        """Make the pod as Airflow would."""
        container = {
            "name": "base",
            "image": self.cluster.images.busybox,
            "imagePullPolicy": self.cluster.images.pull_policy,
            "command": ["sh", "-c", words],
            "resources": {"requests": {"cpu": "50m", "memory": "16Mi"}},
        }
        spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 5, "containers": [container]}
        container.update(
            {name: changes.pop(name) for name in ("image", "imagePullPolicy", "resources") if name in changes}
        )
        labels = {RUN_LABEL: run_label_of("d", self.namespace), TRY_LABEL: "1"}
        pod: Any = {"metadata": {"name": "dbt", "labels": labels}, "spec": {**spec, **changes}}
        self.cluster.core.create_namespaced_pod(self.namespace, pod)

    def follow(self, ready: Callable[["Following"], object], what: str) -> Any:
        """Let the collector go on until something holds."""

        def look() -> object:
            self.side.tick()
            return ready(self)

        return until(look, what)

    def over(self, state: RunState = RunState.FAILED) -> None:
        """Say what Airflow would say at the end."""
        with session() as opened:
            run = opened.get_one(Run, self.run.id)
            run.state, run.finished_at = state, now()
            for invocation in store.invocations(opened, run.id):
                invocation.task_log_complete = True

    def delete(self) -> None:
        self.cluster.core.delete_namespaced_pod("dbt", self.namespace)

    @property
    def now(self) -> Run:
        return history.get_run(self.run.id or 0)

    @property
    def invocation(self) -> Invocation:
        return history.invocations_of(self.run.id or 0)[0]

    def has_lines(self, number: int) -> bool:
        """Whether so many are kept, with no collector of ours to ask."""
        return bool(history.invocations_of(self.run.id or 0)) and len(self.lines) >= number

    @property
    def lines(self) -> list[str]:
        path = logs.path_of(self.invocation)
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def following(cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Following]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    engine.cache_clear()
    migrate()
    clusters.register("test", kubeconfig=str(cluster.kubeconfig), context=None, by=settings().user)
    yield Following(cluster, namespace)
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


def closed(following: Following) -> bool:
    return following.invocation.log_complete


def test_a_log_is_followed_while_it_grows_and_is_whole_in_the_end(following: Following) -> None:
    following.start(says(20, pause="sleep 0.3"))
    following.follow(lambda f: f.now.state is RunState.RUNNING and 0 < len(f.lines) < 20, "the first lines are here")
    following.follow(closed, "it is closed")
    assert [json.loads(line)["info"]["msg"] for line in following.lines] == [f"line {n}" for n in range(1, 21)]
    assert (following.invocation.state, following.invocation.exit_code) == (RunState.SUCCEEDED, 0)


def test_reading_rights_suffice(following: Following) -> None:
    following.sign_in_with_least_rights()
    following.start(says(3))
    following.follow(closed, "it is closed")
    assert len(following.lines) == 3
    pod = clusters.pod_of(following.invocation.id or 0)
    assert pod is not None
    assert any(step["title"] == "dbt ended" for step in pod.steps)


def test_a_namespace_that_the_console_may_not_read_disturbs_no_other(following: Following) -> None:
    following.sign_in_with_least_rights()
    following.launched("default")
    following.start(says(3))
    following.follow(closed, "it is closed")
    assert len(following.lines) == 3


def test_pods_are_listed_from_the_namespaces_that_the_console_may_read_and_the_others_are_named(
    following: Following,
) -> None:
    following.sign_in_with_least_rights()
    with session() as opened:
        for number, namespace in enumerate((following.namespace, "default")):
            project = Project(name=f"p{number}", owner="ann", created_by="ann", source={"kind": "folder"})
            project.operator_parameters = {"cluster": "test", "namespace": namespace}
            opened.add(project)
    following.start("sleep 60")
    found = clusters.our_pods("test")
    assert [pod.summary.name for pod in found.pods] == ["dbt"]
    assert found.hidden == ["default"]


def test_events_longer_than_what_a_container_runtime_keeps_in_one_piece_are_whole(following: Following) -> None:
    long = EVENT.replace("line @", "." + "é" * 25_000).replace("@", "1")
    following.start(f"printf '%s\\n' '{long}'; echo '{EVENT.replace('@', '2')}'")
    following.follow(closed, "it is closed")
    assert following.lines == [long, EVENT.replace("@", "2")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": "localhost/no-such:1", "imagePullPolicy": "IfNotPresent"}, "cannot be pulled"),
        ({"image": "localhost/no-such:1", "imagePullPolicy": "Never"}, "is not on the node"),
        ({"resources": {"requests": {"cpu": "900"}}}, "No node can take the pod: 0/"),
        ({"nodeSelector": {"no": "such"}}, "No node can take the pod: 0/"),
    ],
)
def test_a_pod_that_cannot_start_says_why_and_the_run_keeps_it(
    following: Following, changes: dict[str, Any], said: str
) -> None:
    following.start("true", **changes)
    following.follow(lambda f: said in (f.now.message or ""), said)
    following.delete()
    following.over()
    following.follow(lambda f: closed(f) and f.now.state is RunState.FAILED, "it is closed")
    assert said in (following.now.message or "")


@pytest.mark.parametrize(
    ("words", "changes", "said"),
    [
        ("exit 1", {}, None),
        ("exit 2", {}, None),
        ("exit 127", {}, "The image has no dbt"),
        ("sleep 60", {"activeDeadlineSeconds": 3}, "longer than its deadline of 3 s"),
        (
            "x=$(head -c 200m /dev/zero | tr '\\0' x); echo $x",
            {"resources": {"limits": {"memory": "24Mi"}}},
            "memory limit of 24Mi (OOMKilled)",
        ),
    ],
)
def test_a_pod_that_fails_says_how(following: Following, words: str, changes: dict[str, Any], said: str | None) -> None:
    following.start(words, **changes)
    following.follow(closed, "it is closed")
    message = following.invocation.message
    assert following.invocation.state is RunState.FAILED
    assert message is None if said is None else said in (message or "")


def test_a_pod_deleted_by_hand_is_no_success(following: Following) -> None:
    following.start(says(3, then="sleep 60"))
    following.follow(lambda f: len(f.lines) == 3, "its lines are here")
    following.delete()
    following.over()
    following.follow(closed, "it is closed")
    assert following.invocation.state is RunState.FAILED
    assert "deleted" in (following.invocation.message or "")


def test_a_cancelled_run_is_cancelled(following: Following) -> None:
    following.start(says(1, then="trap 'exit 2' TERM; sleep 60 & wait"))
    following.follow(lambda f: f.now.state is RunState.RUNNING and f.lines, "it runs")
    with session() as opened:
        opened.get_one(Run, following.run.id).cancel_requested_at = now()
    following.delete()
    following.over()
    following.follow(lambda f: closed(f) and f.now.state is RunState.CANCELLED, "it is cancelled")


def test_a_collector_that_is_killed_goes_on_where_it_was(
    following: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for neighbour in ("AIRFLOW", "DBT_API"):
        monkeypatch.setenv(f"PILOTHOUSE_{neighbour}_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_PASSWORD", "unused")
    monkeypatch.setenv("PILOTHOUSE_DBT_API_TOKEN", "unused")
    collector = Collector(tmp_path / "collector.log")
    following.start(says(60, pause="sleep 0.3"))
    collector.start()
    try:
        for seen in (5, 25):
            until(lambda wanted=seen: following.has_lines(wanted), f"{seen} lines are here")  # type: ignore[misc]
            collector.end(signal.SIGKILL)
            with logs.path_of(following.invocation).open("ab") as file:
                file.write(b'{"info": {"name": "torn", "msg": "written, not commit')
            collector.start()
        until(lambda: closed(following), "it is closed")
    finally:
        collector.end(signal.SIGKILL)
    assert [json.loads(line)["info"]["msg"] for line in following.lines] == [f"line {n}" for n in range(1, 61)]


def test_an_api_server_that_goes_and_comes_costs_nothing(following: Following) -> None:
    own = following.cluster.own
    if own is None:
        pytest.skip("only a cluster of ours can lose its API server")
    following.start(says(60, pause="sleep 0.5"))
    following.follow(lambda f: len(f.lines) >= 5, "some lines are here")
    own.hold("kube-apiserver")
    try:
        stopped = time.monotonic()
        while time.monotonic() - stopped < 30:
            following.side.tick()
            time.sleep(0.2)
    finally:
        own.release("kube-apiserver")
    following.follow(closed, "it is closed")
    assert [json.loads(line)["info"]["msg"] for line in following.lines] == [f"line {n}" for n in range(1, 61)]


def test_a_log_of_200_000_lines_is_whole(following: Following) -> None:
    each = EVENT.replace("@", "&")
    following.start(f"seq 1 200000 | sed 's/.*/{each}/'")
    following.follow(closed, "it is closed")
    numbers = [json.loads(each)["info"]["msg"] for each in following.lines]
    assert numbers == [f"line {n}" for n in range(1, 200_001)]
