"""Kubernetes quantities: `500m` of CPU, `1Gi` of memory.

Source of the grammar: kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity.
"""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator

_QUANTITY = re.compile(r"^(?P<number>[0-9]+(?:\.[0-9]+)?)(?P<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def amount(quantity: str) -> Decimal:
    """The number that a quantity means: cores for CPU, bytes for memory. Raises ValueError."""
    match = _QUANTITY.match(quantity)
    if match is None:
        raise ValueError(f"'{quantity}' is no Kubernetes quantity: write for example 500m, 2, 512Mi or 4Gi")
    number, suffix = Decimal(match["number"]), match["suffix"] or ""
    if suffix in _BINARY:
        return number * Decimal(1024 ** (_BINARY.index(suffix) + 1))
    if suffix in _DECIMAL:
        return number.scaleb(_DECIMAL[suffix])
    return number.scaleb(int(suffix[1:])) if suffix else number


def _checked(quantity: str) -> str:
    amount(quantity)
    return quantity


Quantity = Annotated[str, AfterValidator(_checked)]
