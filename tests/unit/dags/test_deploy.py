"""What deploy/airflow says of Airflow, held against the Airflow that is installed here."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("airflow.sdk")

from airflow.configuration import conf

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy" / "airflow"
VALUES: dict[str, Any] = yaml.safe_load((DEPLOY / "values.yaml").read_text())


@pytest.mark.parametrize(
    ("section", "option"), [(section, option) for section, options in VALUES["config"].items() for option in options]
)
def test_every_setting_is_one_that_airflow_knows(section: str, option: str) -> None:
    assert option in conf.configuration_description[section]["options"]


def test_the_image_has_all_that_the_dags_import(tmp_path: Path) -> None:
    """Its files, and nothing else of ours, laid out as its COPY lines say."""
    for sources, target in re.findall(
        r"^COPY --chown=\S+ (.+) /opt/pilothouse/(\S+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    ):
        for source in sources.split():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target)
            else:
                (tmp_path / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, tmp_path / target)
    modules = [f"dags.{file.stem}" for file in (tmp_path / "dags").glob("*.py") if file.stem != "pilothouse_projects"]
    subprocess.run(
        [sys.executable, "-c", f"import {', '.join(modules)}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)},
        check=True,
    )
    assert str(VALUES["config"]["core"]["dags_folder"]) == "/opt/pilothouse/dags"
