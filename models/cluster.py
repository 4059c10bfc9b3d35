"""A Kubernetes cluster that the console can ask, and the pods of ours that it saw there."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from models.types import UtcDateTime, now


class Cluster(SQLModel, table=True):
    """How the console reaches a cluster. Credentials stay in the kubeconfig or in the pod's service account."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, index=True, max_length=50)
    kubeconfig: str | None = None
    """Path on the console's and the collector's machine; None: they run in a pod of this cluster."""
    context: str | None = None
    """Context of the kubeconfig; None: its current one."""
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class ClusterPods(SQLModel, table=True):
    """Which pods of ours a registered cluster had when the collector last asked it: a row a cluster."""

    __tablename__ = "cluster_pods"

    cluster: str = Field(primary_key=True)
    pods: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Each a services.clusters.PodSummary, dumped."""
    hidden: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """Namespaces of projects or runs whose pods the console may not read."""
    taken_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class Pod(SQLModel, table=True):
    """The pod of one invocation as last seen. It outlives the pod itself."""

    id: int | None = Field(default=None, primary_key=True)
    invocation_id: int = Field(foreign_key="invocation.id", ondelete="CASCADE", unique=True)
    cluster: str
    namespace: str
    name: str
    uid: str
    phase: str
    """Kubernetes' word: Pending, Running, Succeeded, Failed, Unknown."""
    node: str | None = None
    image: str
    image_digest: str | None = None
    requests: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    limits: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    """What happened to it, oldest first: {"at": ISO time, "title", "text", "is_warning"}."""
    spec: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Its manifest, values of variables masked."""
    seen_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    gone_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When the cluster first said that it has no such pod."""
