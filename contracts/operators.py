"""The three operators and the parameters that each takes per project and per run."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from contracts.names import DBT_API_CONNECTION_ID
from contracts.pods import PodParameters


class OperatorName(StrEnum):
    """What runs dbt for a project."""

    DBT_API = "dbt_api"
    KUBERNETES = "kubernetes"
    GKE = "gke"

    @property
    def runs_in_pods(self) -> bool:
        """Whether dbt runs in a pod of its own, which Airflow makes and deletes."""
        return self is not OperatorName.DBT_API


class DbtApiParameters(BaseModel):
    """Parameters of the dbt API operator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connection_id: str = Field(
        default=DBT_API_CONNECTION_ID,
        title="Airflow connection",
        description="The HTTP connection in Airflow that holds the dbt API's address and login.",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
    )
    timeout_seconds: int = Field(
        default=4 * 3600,
        title="Time limit (seconds)",
        description="dbt is stopped gracefully when one invocation runs longer than this.",
        ge=10,
        le=7 * 24 * 3600,
    )
    priority: int = Field(
        default=100,
        title="Priority",
        description="Order in the dbt API's queue: the lower number runs first.",
        ge=1,
        le=1000,
    )


class ClusterConnection(BaseModel):
    """How Airflow and the console each reach a cluster: they are different machines."""

    cluster: str | None = Field(
        default=None,
        title="Cluster",
        description="Name of the cluster as registered in this console, which then follows the pod itself. "
        "Empty: log and state come from Airflow alone.",
        pattern=r"^[a-z][a-z0-9-]{0,49}$",
        json_schema_extra={"section": "Where it runs"},
    )
    connection: Literal["in_cluster", "kubeconfig", "airflow"] = Field(
        default="in_cluster",
        title="How Airflow reaches it",
        description="in_cluster: Airflow's worker is a pod there. kubeconfig: a file on the worker. "
        "airflow: an Airflow connection.",
        json_schema_extra={"section": "Where it runs"},
    )
    kubeconfig: str | None = Field(
        default=None,
        title="Kubeconfig",
        description="Path of the file as Airflow's worker sees it.",
        pattern=r"^[/~][^\r\n]{0,499}$",
        json_schema_extra={"section": "Where it runs", "when": {"connection": "kubeconfig"}},
        validate_default=True,
    )
    context: str | None = Field(
        default=None,
        title="Context",
        description="Context of the kubeconfig. Empty: its current one.",
        max_length=253,
        json_schema_extra={"section": "Where it runs", "when": {"connection": "kubeconfig"}},
    )
    connection_id: str | None = Field(
        default=None,
        title="Airflow connection",
        description="Id of a connection of type kubernetes in Airflow.",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        json_schema_extra={"section": "Where it runs", "when": {"connection": "airflow"}},
        validate_default=True,
    )

    @field_validator("kubeconfig", "connection_id")
    @classmethod
    def _is_there_when_needed(cls, value: str | None, info: ValidationInfo) -> str | None:
        connection = info.data.get("connection")
        if info.field_name == "kubeconfig" and connection == "kubeconfig" and not value:
            raise ValueError("connection kubeconfig needs the kubeconfig's path on Airflow's worker")
        if info.field_name == "connection_id" and connection == "airflow" and not value:
            raise ValueError("connection airflow needs the id of an Airflow connection")
        return value


class KubernetesParameters(PodParameters, ClusterConnection):
    """Parameters of the Kubernetes operator."""

    PER_PROJECT: ClassVar[frozenset[str]] = PodParameters.PER_PROJECT | ClusterConnection.model_fields.keys()
