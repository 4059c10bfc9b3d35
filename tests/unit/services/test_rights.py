"""Who may change clusters, and that the services themselves ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services import clusters, database
from services.clusters.news import pod_news
from services.errors import NotAllowed
from services.rights import may_change_clusters
from services.settings import settings


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    monkeypatch.setenv("PILOTHOUSE_USER", "anna")
    settings.cache_clear()
    database.engine.cache_clear()
    database.migrate()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def name_people(monkeypatch: pytest.MonkeyPatch, people: str) -> None:
    monkeypatch.setenv("PILOTHOUSE_CLUSTER_ADMINS", people)
    settings.cache_clear()


def test_alone_on_a_machine_one_may_and_a_person_who_signed_in_may_not() -> None:
    assert may_change_clusters("anna")
    assert not may_change_clusters("bert@example.com")


def test_a_list_says_who_may_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    name_people(monkeypatch, "bert@example.com, carla@example.com")
    assert [may_change_clusters(who) for who in ("bert@example.com", "carla@example.com", "anna", "")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_the_services_refuse_whoever_the_page_let_through() -> None:
    clusters.register("main", kubeconfig="/etc/kubeconfig", context=None, by="anna")
    with pytest.raises(NotAllowed):
        clusters.register("other", kubeconfig="/etc/kubeconfig", context=None, by="bert@example.com")
    with pytest.raises(NotAllowed):
        clusters.forget("main", by="bert@example.com")
    pod = pod_news({"metadata": {"name": "p", "namespace": "n", "uid": "u"}})
    with pytest.raises(NotAllowed, match="not change them"):
        clusters.delete_left_over("main", pod, by="bert@example.com")
    assert [cluster.name for cluster in clusters.clusters()] == ["main"]
