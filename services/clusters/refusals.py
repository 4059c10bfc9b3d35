"""What to do when a cluster refuses to make a pod, from the Status that it answers. Pure."""

from collections.abc import Mapping
from typing import Any

_QUOTA = "Lower what the pod requests, wait until other pods have ended, or ask for more quota."
_RIGHTS = (
    "Check the namespace's name, and give Airflow's account there the rights of deploy/kubernetes/airflow-rbac.yaml."
)
_NAMESPACE = "Make the namespace, or mend its name in the project's parameters."
_SIGN_IN = "Airflow's credentials for the cluster are not valid (any more): renew them."


def hint_for(status: Mapping[str, Any]) -> str | None:
    """Advice for a Status object of API version v1; None where its own message must do."""
    kind = (status.get("details") or {}).get("kind")
    match status.get("code"):
        case 401:
            return _SIGN_IN
        case 403 if "exceeded quota" in str(status.get("message")):
            return _QUOTA
        case 403 if " cannot " in str(status.get("message")):
            return _RIGHTS
        case 404 if kind == "namespaces":
            return _NAMESPACE
    return None
