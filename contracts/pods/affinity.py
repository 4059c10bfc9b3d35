"""A pod's affinity as Kubernetes writes it, so that a slip is found in the form and not by the API server.

Source: kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1, section scheduling.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic.alias_generators import to_camel

from contracts.pods.names import LabelKey, LabelValue, Part

Weight = Annotated[int, Field(ge=1, le=100)]


class _Manifest(Part):
    """A piece of a manifest: written and stored with Kubernetes' own names."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    @model_serializer(mode="wrap")
    def _only_what_was_said(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """An empty mapping stays: to a selector it means everything."""
        return {name: value for name, value in handler(self).items() if value is not None and value != []}


class Requirement(_Manifest):
    """A label, an operator, and values."""

    key: LabelKey
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _values_fit(self) -> "Requirement":
        if self.operator in ("Exists", "DoesNotExist") and self.values:
            raise ValueError(f"{self.operator} takes no values")
        if self.operator in ("In", "NotIn") and not self.values:
            raise ValueError(f"{self.operator} needs values")
        if self.operator in ("Gt", "Lt") and len(self.values) != 1:
            raise ValueError(f"{self.operator} needs one value")
        return self


class LabelRequirement(Requirement):
    """What a selector of pods may ask: no comparing."""

    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]


class NodeTerm(_Manifest):
    """Requirements that one node must meet together."""

    match_expressions: list[Requirement] = Field(default_factory=list)
    match_fields: list[Requirement] = Field(default_factory=list)


class NodeTerms(_Manifest):
    """Terms of which a node must meet one."""

    node_selector_terms: list[NodeTerm] = Field(min_length=1)


class PreferredNode(_Manifest):
    """A term that counts for a node."""

    weight: Weight
    preference: NodeTerm


class NodeAffinity(_Manifest):
    """Which nodes must or should take the pod."""

    required_during_scheduling_ignored_during_execution: NodeTerms | None = None
    preferred_during_scheduling_ignored_during_execution: list[PreferredNode] = Field(default_factory=list)


class LabelSelector(_Manifest):
    """Which pods are meant."""

    match_labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    match_expressions: list[LabelRequirement] = Field(default_factory=list)


class PodTerm(_Manifest):
    """Pods, and within what they are near: the node, the zone."""

    topology_key: LabelKey
    label_selector: LabelSelector | None = None
    namespaces: list[str] = Field(default_factory=list)
    namespace_selector: LabelSelector | None = None


class PreferredPods(_Manifest):
    """A term that counts for a node."""

    weight: Weight
    pod_affinity_term: PodTerm


class PodAffinity(_Manifest):
    """Near which pods the pod must or should be; of podAntiAffinity: away from which."""

    required_during_scheduling_ignored_during_execution: list[PodTerm] = Field(default_factory=list)
    preferred_during_scheduling_ignored_during_execution: list[PreferredPods] = Field(default_factory=list)


class Affinity(_Manifest):
    """All three kinds."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None
