"""Who the pod is on the cluster, and which nodes may take it."""

from typing import Any, Literal

from pydantic import Field, JsonValue

from contracts.pods.names import LabelKey, LabelValue, ObjectName, Parameters, Part

_SECTION: dict[str, JsonValue] = {"section": "Identity and placement"}


class Toleration(Part):
    """A taint that the pod puts up with."""

    key: LabelKey | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = Field(default=None, ge=0)


class SchedulingParameters(Parameters):
    """Namespace, service account, labels, and what the scheduler goes by."""

    namespace: str = Field(
        default="default",
        title="Namespace",
        description="Where the pod is made.",
        pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        json_schema_extra=_SECTION,
    )
    service_account: ObjectName | None = Field(
        default=None,
        title="Service account",
        description="Who the pod is on the cluster. Empty: the namespace's default.",
        json_schema_extra=_SECTION,
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict, title="Labels", description="team: finance", json_schema_extra=_SECTION
    )
    annotations: dict[LabelKey, str] = Field(
        default_factory=dict, title="Annotations", description="Names and values.", json_schema_extra=_SECTION
    )
    node_selector: dict[LabelKey, LabelValue] = Field(
        default_factory=dict,
        title="Node selector",
        description="Labels that the node must have.",
        json_schema_extra=_SECTION,
    )
    tolerations: list[Toleration] = Field(
        default_factory=list,
        title="Tolerations",
        description="- {key: dedicated, operator: Equal, value: dbt, effect: NoSchedule}",
        json_schema_extra=_SECTION,
    )
    affinity: dict[Literal["nodeAffinity", "podAffinity", "podAntiAffinity"], dict[str, Any]] = Field(
        default_factory=dict,
        title="Affinity",
        description="As in a pod's manifest: nodeAffinity, podAffinity, podAntiAffinity.",
        json_schema_extra=_SECTION,
    )
