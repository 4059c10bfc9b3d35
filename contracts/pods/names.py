"""Kubernetes' own names and limits, and the base of what a list or mapping of parameters is made of.

Source: kubernetes.io/docs/concepts/overview/working-with-objects/names.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
VolumeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
LabelKey = Annotated[
    str, StringConstraints(pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
Path = Annotated[str, StringConstraints(pattern=r"^/[^\r\n:]*$", max_length=500)]
IMAGE_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,500}$"


class Part(BaseModel):
    """A value within a parameter: refuses what it does not know, like the parameters themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameters(BaseModel):
    """A group of a pod's parameters; PodParameters is all groups in one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
