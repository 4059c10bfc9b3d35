"""The pod that dbt runs in, as a project describes it: what the Kubernetes and the GKE operator share.

One module a section of the form. A secret is always a reference to a Secret of the cluster, never a value.
"""

from typing import ClassVar

from contracts.pods.environment import EnvironmentParameters, EnvironmentSource, SecretKey, Volume
from contracts.pods.image import ImageParameters
from contracts.pods.life import LifeParameters, OnFinish
from contracts.pods.resources import ResourceParameters
from contracts.pods.scheduling import SchedulingParameters, Toleration
from contracts.pods.source import PROJECT_VOLUME, SOURCE_MOUNT, SourceParameters

__all__ = [
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
