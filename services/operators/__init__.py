"""The operators that a project can choose from, in the order in which they are offered."""

from contracts.operators import OperatorName
from services.operators.base import Advice, Check, Operator
from services.operators.dbt_api import DbtApiOperator
from services.operators.gke import GkeOperator
from services.operators.kubernetes import KubernetesOperator

__all__ = ["OPERATORS", "Advice", "Check", "Operator", "operator"]

OPERATORS: dict[OperatorName, Operator] = {
    each.name: each for each in (DbtApiOperator(), KubernetesOperator(), GkeOperator())
}


def operator(name: OperatorName) -> Operator:
    """The operator of this name."""
    return OPERATORS[name]
