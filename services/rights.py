"""Who may change clusters. Asked by every service that changes one, or has one made; pages ask to say it beforehand."""

from collections.abc import Mapping
from typing import Any

from contracts.gke.names import makes_clusters
from contracts.operators import OperatorName
from services.errors import NotAllowed
from services.settings import settings

WHY_NOT = "You may look at clusters, not change them."
WHY_NO_RUN = "Each run of this project makes a cluster in Google, and you may not make clusters."
WHOM_TO_ASK = "Who runs this console can name you in its setting PILOTHOUSE_CLUSTER_ADMINS."


def may_change_clusters(person: str) -> bool:
    """Whether a person may register, create and delete clusters, have them made for runs, and delete pods.

    Without a list only the user of the settings may: on a machine without single sign-on that is everyone.
    """
    return person in (settings().people_for_clusters or (settings().user,))


def require_change_of_clusters(person: str) -> None:
    """Raise NotAllowed unless the person may change clusters."""
    if not may_change_clusters(person):
        raise NotAllowed(WHY_NOT, hint=WHOM_TO_ASK)


def may_have_run(person: str, operator: OperatorName, parameters: Mapping[str, Any]) -> bool:
    """Whether a person may launch, schedule or resume a project with this operator: its runs may make clusters."""
    return may_change_clusters(person) or not makes_clusters(operator, parameters)


def require_run(person: str, operator: OperatorName, parameters: Mapping[str, Any]) -> None:
    """Raise NotAllowed unless the person may launch, schedule or resume a project with this operator."""
    if not may_have_run(person, operator, parameters):
        raise NotAllowed(WHY_NO_RUN, hint=WHOM_TO_ASK)
