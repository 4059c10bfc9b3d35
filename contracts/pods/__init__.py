"""The pod that dbt runs in, as a project describes it: what the Kubernetes and the GKE operator share.

One module a section of the form. A secret is always a reference to a Secret of the cluster, never a value.
"""

from collections.abc import Sequence
from typing import ClassVar

from contracts.pods.environment import EnvironmentParameters, EnvironmentSource, SecretKey, Volume
from contracts.pods.image import DBT, PROFILES, PROJECT, ImageParameters
from contracts.pods.life import LifeParameters, OnFinish
from contracts.pods.resources import ResourceParameters
from contracts.pods.scheduling import SchedulingParameters, Toleration
from contracts.pods.security import SecurityParameters
from contracts.pods.source import (
    CREDENTIAL_MOUNT,
    CREDENTIAL_VOLUME,
    PROJECT_VOLUME,
    SOURCE_MOUNT,
    SourceParameters,
)

__all__ = [
    "CREDENTIAL_MOUNT",
    "CREDENTIAL_VOLUME",
    "PROJECT_VOLUME",
    "SOURCE_MOUNT",
    "EnvironmentSource",
    "OnFinish",
    "PodParameters",
    "SecretKey",
    "Toleration",
    "Volume",
]


class PodParameters(
    LifeParameters,
    SecurityParameters,
    SchedulingParameters,
    EnvironmentParameters,
    ResourceParameters,
    SourceParameters,
    ImageParameters,
):
    """Everything about the pod. All of it may differ per run, except what PER_PROJECT names.

    The groups stand in reverse: the form shows the fields of the last one first.
    """

    PER_PROJECT: ClassVar[frozenset[str]] = frozenset(
        {"startup_timeout_seconds", "active_deadline_seconds", "on_finish_action"}
    )
    """What Airflow takes from the DAG alone."""

    def container_arguments(self, dbt: Sequence[str]) -> list[str]:
        """The arguments of dbt's container, for a run's own dbt command."""
        found: list[str] = []
        for argument in self.arguments:
            if argument == DBT:
                found += dbt
            else:
                found.append(argument.replace(PROJECT, self.project_folder).replace(PROFILES, self.profiles_folder))
        return found
