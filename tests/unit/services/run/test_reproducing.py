"""How to do a run again elsewhere, as a shell really reads it."""

import json
import shlex
from typing import Any

import pytest

from contracts.operators import OperatorName
from contracts.run_conf import RunConf
from models.run import Run
from services.run import reproducing

GIT = {"kind": "git", "url": "git@git.example:acme/shop.git", "branch": "main", "subfolder": "my dbt"}


def run(**values: Any) -> Run:
    conf = RunConf(select=["tag:nightly"], vars={"day": "it's 5 o'clock"}, requested_by="anna")
    known = {
        "project": "shop",
        "dag_id": "pilothouse__shop",
        "dag_run_id": "r",
        "operator": OperatorName.DBT_API,
        "command": shlex.join(conf.dbt_arguments()),
        "conf": conf.model_dump(mode="json"),
        "git_sha": "4f2a91c0",
    }
    return Run(**{**known, **values})


def words(command: str) -> list[str]:
    return shlex.split(command.replace("\\\n", " "))


def test_a_git_project_is_cloned_at_the_runs_commit() -> None:
    lines = reproducing.local_commands(run(), GIT, dbt_version="1.12.6").splitlines()
    assert lines[1:5] == [
        "git clone git@git.example:acme/shop.git shop",
        "cd 'shop/my dbt'",
        "git checkout 4f2a91c0",
        "dbt deps",
    ]
    assert words(lines[5]) == ["dbt", *RunConf.model_validate(run().conf).dbt_arguments()]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"kind": "folder", "path": "/srv/my shop"}, "cd '/srv/my shop'"),
        ({"kind": "upload", "filename": "shop.zip", "sha256": "a" * 64}, "# unpack shop.zip"),
        ({"kind": "template"}, "# go into a copy"),
        ({}, "# go into a copy"),
    ],
)
def test_other_sources_are_told_as_they_are(source: dict[str, Any], said: str) -> None:
    assert said in reproducing.local_commands(run(), source, dbt_version=None)


def test_the_calls_carry_the_exact_conf_through_a_shell() -> None:
    airflow, dbt_api = words(reproducing.airflow_call(run())), words(reproducing.dbt_api_call(run()))
    body = json.loads(airflow[airflow.index("-d") + 1])
    assert body["conf"]["vars"] == {"day": "it's 5 o'clock"}
    assert "requested_by" not in body["conf"], "somebody else asks now"
    assert json.loads(dbt_api[dbt_api.index("-d") + 1])["command"] == RunConf.model_validate(run().conf).dbt_arguments()
    assert RunConf.model_validate(body["conf"])


def test_a_command_that_no_shell_takes_breaks_nothing() -> None:
    body = words(reproducing.dbt_api_call(run(command="build --vars 'open")))
    assert json.loads(body[body.index("-d") + 1])["command"] == ["build", "--vars", "'open"]
