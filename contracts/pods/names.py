"""Kubernetes' own names and limits, and the bases of the parameters and of their parts.

Source: kubernetes.io/docs/concepts/overview/working-with-objects/names. Each refuses in words, not with its pattern.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def like(pattern: str, words: str) -> AfterValidator:
    """A text of this form; refused with what it should be."""
    compiled = re.compile(pattern)

    def checked(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"'{text}' is not possible here: {words}")
        return text

    return AfterValidator(checked)


ObjectName = Annotated[
    str,
    like(
        r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?",
        "a name has lower-case letters, digits, dashes and dots, and letters or digits at both ends",
    ),
]
DnsLabel = Annotated[
    str,
    like(
        r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
        "use at most 63 lower-case letters, digits and dashes, with letters or digits at both ends",
    ),
]
PodName = Annotated[
    str,
    like(
        r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?",
        "use at most 52 lower-case letters, digits and dashes, beginning with a letter",
    ),
]
LabelKey = Annotated[
    str,
    like(
        r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?",
        "a key is a word of letters, digits, dashes, dots and underscores, and may have a domain and a slash before it",
    ),
]
LabelValue = Annotated[
    str,
    like(
        r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?",
        "a label's value has at most 63 letters, digits, dashes, dots and underscores",
    ),
]
VariableName = Annotated[
    str,
    like(r"[A-Za-z_][A-Za-z0-9_]{0,199}", "a variable's name has letters, digits and underscores, and no digit first"),
]
SecretKeyName = Annotated[
    str, like(r"[-A-Za-z0-9_.]{1,253}", "a key of a secret has letters, digits, dashes, dots and underscores")
]
Path = Annotated[str, like(r"/[^\r\n:]{0,499}", "give the whole path, beginning with a slash")]
SubPath = Annotated[str, like(r"[^/\r\n][^\r\n]{0,499}", "give a path within the volume, without a leading slash")]
Image = Annotated[
    str,
    like(
        r"[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,500}",
        "an image is a name with its tag or digest: registry.example.com/dbt:1.12",
    ),
]


class Part(BaseModel):
    """A value within a parameter: refuses what it does not know, like the parameters themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameters(BaseModel):
    """A group of a pod's parameters; PodParameters is all groups in one."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
