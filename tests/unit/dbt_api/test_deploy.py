"""What deploy/dbt_api says of the dbt API is true: its commands, its routes, its settings.

Neither the image nor a cluster is at hand here: this checks the files only.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_api.app import create_app
from dbt_api.cli import parser
from dbt_api.settings import PREFIX, Settings
from tests.unit.dbt_api.server import ROOT

DEPLOY = ROOT / "deploy" / "dbt_api"
KUBERNETES = DEPLOY / "kubernetes"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def documents() -> list[dict[str, Any]]:
    names = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert {each.name for each in KUBERNETES.iterdir()} == {*names, "kustomization.yaml"}
    return [each for name in names for each in yaml.safe_load_all((KUBERNETES / name).read_text())]


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [each for each in documents() if each["kind"] == kind]


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"] for each in of_kind("StatefulSet")]


def containers() -> list[dict[str, Any]]:
    return [each for pod in pods() for each in pod["spec"]["containers"]]


def test_server_and_worker_are_there_and_start_a_command_that_exists() -> None:
    assert [each["args"] for each in containers()] == [["serve"], ["worker"]]
    for each in containers():
        parser().parse_args(each["args"])
    assert 'ENTRYPOINT ["tini", "--", "python", "-m", "dbt_api"]' in (DEPLOY / "Dockerfile").read_text()


def test_probes_ask_routes_that_need_no_login() -> None:
    open_routes = {"/healthz", "/ready"}
    assert open_routes <= set(create_app(with_routes=False).openapi()["paths"])
    for each in containers():
        assert {each[probe]["httpGet"]["path"] for probe in PROBES} == open_routes
        assert {each[probe]["httpGet"]["port"] for probe in PROBES} <= {port["name"] for port in each["ports"]}


def test_every_setting_exists_and_is_valid() -> None:
    [shared] = of_kind("ConfigMap")
    named = {*shared["data"], *(variable["name"] for each in containers() for variable in each["env"])}
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    named |= {word.partition("=")[0] for word in dockerfile.split() if word.startswith(PREFIX)}
    assert {name.removeprefix(PREFIX).lower() for name in named} <= set(Settings.model_fields)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in shared["data"].items():
            environment.setenv(name, value)
        settings = Settings()
    for pod in pods():
        grace = settings.drain_seconds + settings.stop_grace_seconds
        assert pod["spec"]["terminationGracePeriodSeconds"] > grace, "Kubernetes must not kill what drains"


def test_secrets_are_references_and_nothing_runs_as_root() -> None:
    for each in containers():
        secrets = [variable for variable in each["env"] if variable["name"].endswith(("TOKEN", "KEY", "URL"))]
        assert len(secrets) == 3
        assert all("secretKeyRef" in variable["valueFrom"] for variable in secrets)
        assert each["resources"]["limits"]["memory"]
        assert each["securityContext"]["allowPrivilegeEscalation"] is False
        assert each["securityContext"]["readOnlyRootFilesystem"] is True
    for pod in pods():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True


def test_selectors_find_their_pods() -> None:
    labels = [pod["metadata"]["labels"] for pod in pods()]
    selectors = [each["spec"]["selector"] for each in of_kind("Service")]
    selectors += [
        each["spec"]["selector"]["matchLabels"] for each in (*of_kind("StatefulSet"), *of_kind("PodDisruptionBudget"))
    ]
    for selector in selectors:
        assert any(selector.items() <= each.items() for each in labels), selector
    services = {each["metadata"]["name"] for each in of_kind("Service")}
    assert {each["spec"]["serviceName"] for each in of_kind("StatefulSet")} <= services


def test_what_the_image_copies_exists() -> None:
    sources = [
        word
        for line in (DEPLOY / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert sources
    assert all(Path(ROOT / each).exists() for each in sources), sources
