"""What a cluster tells us of a pod, as plain values read leniently from its JSON. All times are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts.dbt_values import moment
from contracts.names import DBT_CONTAINER, RUN_LABEL, TRY_LABEL

Json = dict[str, Any]


@dataclass(frozen=True)
class ContainerNews:
    """One container. `state` is waiting, running or terminated."""

    name: str
    state: str
    reason: str | None
    message: str | None
    exit_code: int | None
    signal: int | None
    started_at: datetime | None
    finished_at: datetime | None
    image: str
    image_digest: str | None

    @property
    def has_log(self) -> bool:
        """Whether it has begun, so that it may have written something."""
        return self.state != "waiting"


@dataclass(frozen=True)
class PodNews:
    """One pod of ours."""

    namespace: str
    name: str
    uid: str
    run_label: str
    try_number: int
    phase: str
    reason: str | None
    message: str | None
    node: str | None
    created_at: datetime | None
    deleted_at: datetime | None
    """When its deletion was asked for; it may still run."""
    conditions: list[Json]
    containers: dict[str, ContainerNews]
    """Init containers too, in the order in which they run."""
    spec: Json = field(repr=False)

    @property
    def dbt(self) -> ContainerNews | None:
        """The container in which dbt runs, if the node has told of it."""
        return self.containers.get(DBT_CONTAINER)

    @property
    def is_over(self) -> bool:
        """Whether nothing will run in it any more."""
        return self.phase in ("Succeeded", "Failed") or (self.dbt is not None and self.dbt.state == "terminated")


@dataclass(frozen=True)
class PodEvent:
    """One of Kubernetes' events about a pod."""

    reason: str
    message: str
    is_warning: bool
    at: datetime | None
    count: int
    uid: str = ""
    """The same event that happens again keeps it."""


def pod_news(pod: Mapping[str, Any]) -> PodNews:
    """Read a Pod of API version v1."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    labels = metadata.get("labels") or {}
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    return PodNews(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        run_label=labels.get(RUN_LABEL, ""),
        try_number=int(labels.get(TRY_LABEL) or 1),
        phase=status.get("phase") or "Unknown",
        reason=status.get("reason"),
        message=status.get("message"),
        node=(pod.get("spec") or {}).get("nodeName"),
        created_at=moment(metadata.get("creationTimestamp")),
        deleted_at=_asked_to_end(metadata),
        conditions=status.get("conditions") or [],
        containers={one["name"]: _container(one) for one in statuses},
        spec=pod.get("spec") or {},
    )


def _asked_to_end(metadata: Mapping[str, Any]) -> datetime | None:
    """Kubernetes writes when the grace period will be over."""
    over = moment(metadata.get("deletionTimestamp"))
    return over - timedelta(seconds=metadata.get("deletionGracePeriodSeconds") or 0) if over else None


def _container(status: Mapping[str, Any]) -> ContainerNews:
    state, detail = next(iter((status.get("state") or {"waiting": {}}).items()))
    return ContainerNews(
        name=status["name"],
        state=state,
        reason=detail.get("reason"),
        message=detail.get("message"),
        exit_code=detail.get("exitCode"),
        signal=detail.get("signal"),
        started_at=moment(detail.get("startedAt")),
        finished_at=moment(detail.get("finishedAt")),
        image=status.get("image") or "",
        image_digest=status.get("imageID") or None,
    )


def event_news(event: Mapping[str, Any]) -> PodEvent:
    """Read an Event of API version v1."""
    return PodEvent(
        reason=event.get("reason") or "",
        message=event.get("message") or "",
        is_warning=event.get("type") == "Warning",
        at=moment(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp")),
        count=event.get("count") or 1,
        uid=(event.get("metadata") or {}).get("uid") or "",
    )
