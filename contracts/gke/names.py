"""What GKE clusters are called, and the labels by which those that were made for a run are known again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.names import run_label_of
from contracts.operators import OperatorName

RUN_LABEL = "pilothouse-run"
"""On a cluster that was made for one run: the run's label, as on its pods (contracts.names.run_label_of)."""
PROJECT_LABEL = "pilothouse-project"
EXPIRES_LABEL = "pilothouse-expires"
"""When the collector deletes the cluster, whoever should have done so before: seconds since 1970 in UTC."""
MARKS = frozenset({RUN_LABEL, PROJECT_LABEL, EXPIRES_LABEL})

CLUSTER_NAME = r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$"
PROJECT_ID = r"^([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$"
LOCATION = r"^[a-z]+(-[a-z]+)+[0-9]{1,2}(-(ai[0-9])?[a-z])?$"
_REGION = re.compile(r"^[a-z]+(-[a-z]+)+[0-9]{1,2}")


@dataclass(frozen=True)
class ClusterAddress:
    """Which cluster in Google is meant."""

    project_id: str
    location: str
    name: str

    @property
    def path(self) -> str:
        """One word for all three; no registered cluster's name has a slash."""
        return f"{self.project_id}/{self.location}/{self.name}"

    @classmethod
    def of_path(cls, path: str) -> "ClusterAddress | None":
        """The address of a path, or None when it is none."""
        parts = path.split("/")
        return cls(*parts) if len(parts) == 3 and all(parts) else None


def region_of(location: str) -> str:
    """The region that a location is, or that a zone lies in."""
    match = _REGION.match(location)
    return match[0] if match else location


def marks(*, run_label: str, project: str, expires_at: datetime) -> dict[str, str]:
    """The labels of a cluster that is made for one run and deleted with it."""
    return {RUN_LABEL: run_label, PROJECT_LABEL: project, EXPIRES_LABEL: str(int(expires_at.timestamp()))}


def expires_at(labels: Mapping[str, str]) -> datetime | None:
    """When a cluster with these labels is to be deleted; None for one that stays."""
    told = labels.get(EXPIRES_LABEL, "")
    return datetime.fromtimestamp(int(told), UTC) if re.fullmatch(r"[0-9]{1,11}", told) else None


def ephemeral_name(project: str, run_label: str) -> str:
    """The name of the cluster that is made for one run: its project, readable, and its run, unique."""
    readable = project.replace("_", "-")[:24].rstrip("-")
    return f"ph-{readable}-{run_label[:10]}"


def makes_clusters(operator: OperatorName, parameters: Mapping[str, Any]) -> bool:
    """Whether a cluster is made for each run of a project with this operator, and deleted with it."""
    return operator is OperatorName.GKE and parameters.get("cluster_mode") == "ephemeral"


def cluster_of(parameters: Mapping[str, Any], *, project: str, dag_id: str, dag_run_id: str) -> ClusterAddress | None:
    """The cluster that a run's GKE parameters mean: the one that they name, or the one that is made for the run.

    None where they are incomplete.
    """
    project_id, location, name = (parameters.get(key) for key in ("project_id", "location", "cluster_name"))
    if parameters.get("cluster_mode") == "ephemeral":
        name = ephemeral_name(project, run_label_of(dag_id, dag_run_id))
    return ClusterAddress(project_id, location, name) if project_id and location and name else None
