import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from contracts.operators import OperatorName
from models.cluster import ClusterPods, Pod
from models.system import SystemHealth
from models.types import now
from services import clusters, health
from services.database import session
from services.settings import settings
from tests.pages import seeded
from tests.pages.conftest import OpenPage

KUBECONFIG = """
current-context: c
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{}}}}]
"""


def text_of(page: AppTest) -> str:
    found = [*page.markdown, *page.caption, *page.warning, *page.info, *page.header]
    return "\n".join(str(each.value) for each in found)


def test_without_a_cluster_the_page_says_what_one_is_for(open_page: OpenPage) -> None:
    assert "No cluster is registered" in text_of(open_page("clusters"))


def test_a_cluster_that_is_away_says_so_and_the_page_lives(open_page: OpenPage) -> None:
    clusters.register("main", kubeconfig="/no/such/kubeconfig", context=None, by=settings().user)
    health.report(clusters.system_of("main"), reachable=False, message="It cannot be reached.")
    page = open_page("clusters")
    assert not page.exception
    assert "It cannot be reached" in text_of(page)
    assert "has not looked for our pods" in text_of(page)


def test_the_page_opens_without_asking_the_clusters_and_tells_how_old_its_news_is(
    open_page: OpenPage, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(KUBECONFIG.format(port=silent.getsockname()[1]))
        clusters.register("main", kubeconfig=str(kubeconfig), context=None, by=settings().user)
        health.report(clusters.system_of("main"), reachable=False, message="It gave no answer in time.")
        pod: dict[str, Any] = {"namespace": "dbt", "name": "dbt-shop", "uid": "u", "phase": "Running", "node": None}
        pod |= {"created_at": None, "is_over": False, "is_deleted": False}
        with session() as opened:
            opened.add(ClusterPods(cluster="main", pods=[pod], taken_at=now() - timedelta(minutes=3)))
        page = open_page("clusters")
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert not page.exception
    assert "1 pod of ours, seen 3 m" in text_of(page)
    assert list(page.dataframe(key="pods_main").value["Pod"]) == ["dbt-shop"]


def test_a_cluster_that_nobody_checks_any_more_is_not_called_up(open_page: OpenPage) -> None:
    clusters.register("main", kubeconfig="/no/such/kubeconfig", context=None, by=settings().user)
    system = clusters.system_of("main")
    health.report(system, reachable=True, version="v1.33.2")
    assert ":green-badge[:material/check_circle: Up]" in text_of(open_page("clusters"))
    with session() as opened:
        opened.get_one(SystemHealth, system).checked_at -= timedelta(minutes=10)
    told = text_of(open_page("clusters"))
    assert ": Up]" not in told
    assert "last checked 10 m" in told


def test_a_run_in_a_pod_shows_where_it_ran(open_page: OpenPage) -> None:
    run = seeded.run(operator=OperatorName.KUBERNETES)
    invocation = seeded.filled(run)
    step = {"at": "2026-01-01T00:00:00Z", "title": "Scheduled", "text": "Node node1", "is_warning": False}
    with session() as opened:
        opened.add(
            Pod(
                invocation_id=invocation.id or 0,
                cluster="main",
                namespace="dbt",
                name="dbt-shop-1",
                uid="u",
                phase="Succeeded",
                node="node1",
                image="localhost/dbt-shop:1",
                image_digest="localhost/dbt-shop@sha256:0a",
                limits={"memory": "1Gi"},
                steps=[step],
            )
        )
    page = open_page("run", run_id=str(seeded.id_of(run)), tab="Pod")
    assert not page.exception
    assert "dbt/dbt-shop-1" in text_of(page)
    assert "memory 1Gi" in text_of(page)
    assert "`localhost/dbt-shop:1`" in text_of(page)
    assert "`sha256:0a`" in text_of(page)
    assert "Node node1" in text_of(page)


def test_who_may_not_change_clusters_sees_them_and_why(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters.register("main", kubeconfig="/no/such/kubeconfig", context=None, by=settings().user)
    monkeypatch.setenv("PILOTHOUSE_CLUSTER_ADMINS", "somebody.else@example.com")
    settings.cache_clear()
    page = open_page("clusters")
    assert not page.exception
    assert "main" in text_of(page)
    assert "PILOTHOUSE_CLUSTER_ADMINS" in text_of(page)
    assert [button.label for button in page.button if not button.disabled] == []
