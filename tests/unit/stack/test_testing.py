"""Which stages of the test command run where."""

import pytest

from stack import debian, testing


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "why_not", lambda: "this takes root")
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_the_cluster_tests_are_skipped_where_they_cannot_run_and_say_how_they_can() -> None:
    reason = testing.why_skipped("cluster")
    assert reason
    assert reason.startswith("this takes root: ")
    assert "KUBECONFIG=<file> python3 -m stack test cluster" in reason
    assert testing.why_skipped("unit") is None


def test_they_run_as_root_on_debian_or_on_a_given_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/somewhere/kubeconfig")
    assert testing.why_skipped("cluster") is None
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setattr(debian, "why_not", lambda: None)
    assert testing.why_skipped("cluster") is None
