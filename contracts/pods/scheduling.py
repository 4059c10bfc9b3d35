"""Who the pod is on the cluster, and which nodes may take it."""

from typing import Literal

from pydantic import Field, JsonValue, model_validator

from contracts.pods.affinity import Affinity
from contracts.pods.names import DnsLabel, LabelKey, LabelValue, ObjectName, Parameters, Part, PodName

_SECTION: dict[str, JsonValue] = {"section": "Identity and placement"}


class Toleration(Part):
    """A taint that the pod puts up with."""

    key: LabelKey | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _is_whole(self) -> "Toleration":
        if self.operator == "Exists" and self.value:
            raise ValueError("operator Exists takes no value")
        if self.operator == "Equal" and not self.key:
            raise ValueError("operator Equal needs a key")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError("toleration_seconds is for the effect NoExecute")
        return self


class SchedulingParameters(Parameters):
    """Namespace, service account, labels, and what the scheduler goes by."""

    name: PodName | None = Field(
        default=None,
        title="Pod's name",
        description="What it begins with; a few letters follow that make it unique. Empty: dbt- and the project.",
        json_schema_extra=_SECTION,
    )
    namespace: DnsLabel = Field(
        default="default",
        title="Namespace",
        description="Where the pod is made.",
        json_schema_extra=_SECTION,
    )
    service_account: ObjectName | None = Field(
        default=None,
        title="Service account",
        description="Who the pod is on the cluster. Empty: the namespace's default.",
        json_schema_extra=_SECTION,
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict,
        title="Labels",
        description="team: finance. Those of Pilothouse and of Airflow come on top.",
        json_schema_extra=_SECTION,
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
    affinity: Affinity = Field(
        default_factory=Affinity,
        title="Affinity",
        description="As in a pod's manifest: nodeAffinity, podAffinity, podAntiAffinity.",
        json_schema_extra=_SECTION,
    )
    priority_class: ObjectName | None = Field(
        default=None,
        title="Priority class",
        description="Which pods go first when nodes are full. Empty: the cluster's default.",
        json_schema_extra=_SECTION,
    )
