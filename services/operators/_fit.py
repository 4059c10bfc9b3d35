"""Whether a pod fits what a cluster has and allows: nodes, quotas, limit ranges, pod security. Pure, from its JSON."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from contracts.pods import PodParameters, Toleration
from contracts.quantities import amount
from services.operators.base import Check

_KINDS = ("cpu", "memory", "ephemeral_storage")
_SECURITY_LABEL = "pod-security.kubernetes.io/enforce"

Json = Mapping[str, Any]


def nodes_check(nodes: Sequence[Json], parameters: PodParameters) -> Check:
    """Whether some node may take the pod, and is large enough for it when empty."""
    labelled = [node for node in nodes if _has_labels(node, parameters)]
    if not labelled:
        selector = ", ".join(f"{key}={value}" for key, value in parameters.node_selector.items())
        told = f"No node has the labels {selector}." if selector else "The cluster has no node."
        return Check("Nodes", False, told, "Change the node selector, or add a node.")
    ready = [node for node in labelled if _is_ready(node)]
    if not ready:
        told = f"None of {len(labelled)} nodes is ready to take pods."
        return Check("Nodes", False, told, "See kubectl describe nodes: cordoned, or not ready.")
    tolerated = [node for node in ready if not _repelling(node, parameters)]
    if not tolerated:
        taints = sorted({_told(taint) for node in ready for taint in _repelling(node, parameters)})
        told = f"Every node keeps the pod away by a taint: {', '.join(taints)}."
        return Check("Nodes", False, told, "Add a toleration for it in the project's parameters.")
    return _size_check(tolerated, parameters)


def _size_check(nodes: Sequence[Json], parameters: PodParameters) -> Check:
    wanted = requests_of(parameters)
    fitting = [node for node in nodes if all(amount(_allocatable(node, kind)) >= n for kind, n in wanted.items())]
    if fitting:
        held = " The affinity is not checked here." if parameters.affinity.model_dump(mode="json") else ""
        return Check("Nodes", True, f"{len(fitting)} of {len(nodes)} nodes could take the pod when empty.{held}")
    largest = max(nodes, key=lambda node: amount(_allocatable(node, "memory")))
    has = ", ".join(f"{kind} {_allocatable(largest, kind)}" for kind in wanted)
    asks = ", ".join(f"{kind} {value.normalize():f}" for kind, value in wanted.items())
    told = f"The pod asks for {asks}; the largest node offers {has}."
    return Check("Nodes", False, told, "Lower the requests, or add a node.")


def quota_check(quotas: Sequence[Json], parameters: PodParameters) -> Check:
    """Whether the namespace's quotas have room, and ask for nothing that the pod leaves open."""
    wanted = _counted(parameters)
    for quota in quotas:
        status, name = quota.get("status") or {}, quota["metadata"]["name"]
        used = status.get("used") or {}
        for kind, hard in (status.get("hard") or {}).items():
            if kind in _COUNTABLE and kind not in wanted:
                told = f"The quota '{name}' counts {kind}, so every pod has to say it, and this one does not."
                return Check("Quota", False, told, f"Set {kind} in the project's parameters.")
            left = amount(hard) - amount(used.get(kind, "0"))
            if wanted.get(kind, Decimal(0)) > left:
                told = f"The quota '{name}' leaves {left.normalize():f} of {kind}, the pod needs more."
                return Check("Quota", False, told, "Lower the requests, wait, or ask for more quota.")
    return Check("Quota", True, "Enough is left." if quotas else "The namespace has no quota.")


_COUNTABLE = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""What a pod must say where a quota counts it."""


def limit_ranges_check(ranges: Sequence[Json], parameters: PodParameters) -> Check:
    """Whether the pod keeps within what the namespace allows a single container or pod."""
    requests, limits = requests_of(parameters), limits_of(parameters)
    for one in ranges:
        for rule in one["spec"].get("limits") or []:
            if rule.get("type") not in ("Container", "Pod"):
                continue
            for kind, least in (rule.get("min") or {}).items():
                if kind in requests and requests[kind] < amount(least):
                    return _outside(one, kind, "at least", least)
            for kind, most in (rule.get("max") or {}).items():
                if max(limits.get(kind, Decimal(0)), requests.get(kind, Decimal(0))) > amount(most):
                    return _outside(one, kind, "at most", most)
    return Check("Limit range", True, "The pod keeps within it." if ranges else "The namespace has none.")


def _outside(one: Json, kind: str, words: str, quantity: str) -> Check:
    told = f"The limit range '{one['metadata']['name']}' allows {words} {quantity} of {kind}."
    return Check("Limit range", False, told, f"Change {kind} in the project's parameters.")


def security_check(namespace: Json, parameters: PodParameters) -> Check:
    """Whether the namespace's pod security admission lets the pod in."""
    enforced = (namespace["metadata"].get("labels") or {}).get(_SECURITY_LABEL, "privileged")
    host = [volume.name for volume in parameters.volumes if volume.host_path]
    if enforced != "privileged" and host:
        told = f"The namespace enforces '{enforced}', which forbids host_path volumes ({', '.join(host)})."
        return Check("Pod security", False, told, "Use a claim or an empty_dir.")
    if enforced == "restricted" and parameters.security != "restricted":
        told = "The namespace enforces 'restricted', and the pod does not ask to be restricted."
        return Check("Pod security", False, told, "Set Pod security to restricted, with a user id that is not root's.")
    return Check("Pod security", True, f"The namespace enforces '{enforced}'.")


def requests_of(parameters: PodParameters) -> dict[str, Decimal]:
    """What the scheduler looks for: a limit without a request is one."""
    found: dict[str, Decimal] = {}
    for kind in _KINDS:
        quantity = getattr(parameters, f"{kind}_request") or getattr(parameters, f"{kind}_limit")
        if quantity:
            found[kind.replace("_", "-")] = amount(quantity)
    return found


def limits_of(parameters: PodParameters) -> dict[str, Decimal]:
    """What the pod may not go beyond."""
    given = {kind.replace("_", "-"): getattr(parameters, f"{kind}_limit") for kind in _KINDS}
    return {kind: amount(quantity) for kind, quantity in given.items() if quantity}


def _counted(parameters: PodParameters) -> dict[str, Decimal]:
    """What a quota may count of the pod, by the quota's words."""
    requests, limits = requests_of(parameters), limits_of(parameters)
    return {
        "pods": Decimal(1),
        "count/pods": Decimal(1),
        **requests,
        **{f"requests.{kind}": value for kind, value in requests.items()},
        **{f"limits.{kind}": value for kind, value in limits.items()},
    }


def _has_labels(node: Json, parameters: PodParameters) -> bool:
    labels = node["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in parameters.node_selector.items())


def _is_ready(node: Json) -> bool:
    if (node.get("spec") or {}).get("unschedulable"):
        return False
    conditions = (node.get("status") or {}).get("conditions") or []
    return all(one.get("status") == "True" for one in conditions if one.get("type") == "Ready")


def _repelling(node: Json, parameters: PodParameters) -> list[Json]:
    """The taints that keep the pod away: it tolerates none of them, and they are more than a preference."""
    taints = (node.get("spec") or {}).get("taints") or []
    hard = [taint for taint in taints if taint.get("effect") in ("NoSchedule", "NoExecute")]
    return [taint for taint in hard if not _is_tolerated(taint, parameters.tolerations)]


def _is_tolerated(taint: Json, tolerations: Iterable[Toleration]) -> bool:
    return any(
        (one.key is None or one.key == taint["key"])
        and (one.effect is None or one.effect == taint["effect"])
        and (one.operator == "Exists" or (one.value or "") == (taint.get("value") or ""))
        for one in tolerations
    )


def _told(taint: Json) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def _allocatable(node: Json, kind: str) -> str:
    return str(((node.get("status") or {}).get("allocatable") or {}).get(kind, "0"))
