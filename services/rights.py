"""Who may change clusters. Asked by every service that changes one; pages ask too, to say beforehand what is off."""

from services.errors import NotAllowed
from services.settings import settings

WHY_NOT = "You may look at clusters, not change them."
WHOM_TO_ASK = "Who runs this console can name you in its setting PILOTHOUSE_CLUSTER_ADMINS."


def may_change_clusters(person: str) -> bool:
    """Whether a person may register, create and delete clusters, and delete pods.

    Without a list only the user of the settings may: on a machine without single sign-on that is everyone.
    """
    return person in (settings().people_for_clusters or (settings().user,))


def require_change_of_clusters(person: str) -> None:
    """Raise NotAllowed unless the person may change clusters."""
    if not may_change_clusters(person):
        raise NotAllowed(WHY_NOT, hint=WHOM_TO_ASK)
