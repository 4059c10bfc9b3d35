"""Runs that somebody else started, as they are told by Airflow."""

from typing import Any

import pytest
from sqlmodel import Session, SQLModel, create_engine

from contracts.run_conf import DbtCommand
from models.project import Project
from models.run import Trigger
from services.airflow import DagRunNews
from services.collector.discovery import discovered, run_of


def news(run_type: str, conf: dict[str, Any]) -> DagRunNews:
    return DagRunNews(
        dag_id="pilothouse__harbour",
        dag_run_id="run",
        state="running",
        run_type=run_type,
        conf=conf,
        triggered_by="operations",
        queued_at=None,
        started_at=None,
        finished_at=None,
        updated_at=None,
    )


@pytest.mark.parametrize(
    ("run_type", "conf", "trigger", "person", "command"),
    [
        ("scheduled", {}, Trigger.SCHEDULE, None, "build --target prod --threads 2"),
        ("manual", {"command": "list"}, Trigger.AIRFLOW, "operations", "list --target prod"),
        (
            "manual",
            {"requested_by": "ann", "command": "seed"},
            Trigger.AIRFLOW,
            "ann",
            "seed --target prod --threads 2",
        ),
        ("manual", {"command": "drop", "who": "knows"}, Trigger.AIRFLOW, "operations", "drop"),
    ],
)
def test_who_started_it_and_what_it_does(
    run_type: str, conf: dict[str, Any], trigger: Trigger, person: str | None, command: str
) -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    with Session(engine) as opened:
        opened.add(
            Project(
                name="harbour",
                owner="ann",
                created_by="ann",
                source={},
                command=DbtCommand.BUILD,
                target="prod",
                threads=2,
            )
        )
        told = news(run_type, conf)
        run = discovered(opened, told)
        assert (run.project, run.trigger, run.launched_by, run.command) == ("harbour", trigger, person, command)
        assert run_of(opened, told) is run
