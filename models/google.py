"""What the console knows of Google Kubernetes Engine: the clusters as last listed, and what it asked Google to do."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from contracts.gke.names import ClusterAddress
from models.types import UtcDateTime, enum_column, now


class GoogleCluster(SQLModel, table=True):
    """One cluster as Google last told of it. It is removed here when Google doesn't list it any more."""

    __tablename__ = "google_cluster"
    __table_args__ = (UniqueConstraint("project_id", "location", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(index=True)
    location: str
    name: str
    status: str
    """Google's word: PROVISIONING, RUNNING, RECONCILING, STOPPING, ERROR, DEGRADED."""
    status_message: str = ""
    """What Google says about a status that needs words."""
    is_autopilot: bool = False
    version: str = ""
    release_channel: str = ""
    node_count: int = 0
    node_pools: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Each {"name", "status", "machine_type", "disk", "spot", "initial", "autoscaling": [min, max] or None}."""
    access: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Its control plane's addresses {"dns", "public", "private"}, each or None; "authorised": CIDRs, None for all."""
    network: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """{"network", "subnetwork", "pods", "services", "private_nodes", "workload_pool"}."""
    labels: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    expires_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When the collector deletes it; only for a cluster that was made for one run."""
    seen_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))

    @property
    def address(self) -> ClusterAddress:
        """Which cluster it is."""
        return ClusterAddress(self.project_id, self.location, self.name)


class OperationKind(StrEnum):
    """What Google was asked to do."""

    CREATE = "create"
    DELETE = "delete"


class OperationState(StrEnum):
    """Where an operation stands."""

    ASKED = "asked"
    """Google's answer is not known: the collector finds out."""
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self in (OperationState.DONE, OperationState.FAILED)


class GoogleOperation(SQLModel, table=True):
    """One long operation that the console asked Google for. It stays as the record of who did what."""

    __tablename__ = "google_operation"

    id: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(index=True)
    location: str
    cluster: str
    kind: OperationKind = Field(sa_column=enum_column(OperationKind))
    state: OperationState = Field(default=OperationState.ASKED, sa_column=enum_column(OperationState, index=True))
    google_name: str | None = None
    """Google's name of it; None until Google answered."""
    request: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """What was sent, for a create."""
    stages: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Google's own progress: each {"name", "status", "done", "total"}."""
    message: str = ""
    """Google's last words about it; of a failed one, why."""
    hint: str | None = None
    asked_by: str
    asked_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    checked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))

    @property
    def address(self) -> ClusterAddress:
        """The cluster that it is about."""
        return ClusterAddress(self.project_id, self.location, self.cluster)
