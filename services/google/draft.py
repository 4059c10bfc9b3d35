"""A new cluster as a form has it, checked field by field before anything is sent: by the rules and by what is known."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from contracts.gke.clusters import ClusterSpec
from contracts.gke.names import ClusterAddress
from contracts.gke.networks import RANGES, network
from models.google import GoogleCluster
from services.errors import InvalidInput
from services.google import store
from services.google.projects import watched_projects

_SENTENCES = {
    "project_id": "A project's id has 6 to 30 lower-case letters, digits and dashes, and begins with a letter.",
    "location": "A location is a region such as europe-west1, or a zone such as europe-west1-b.",
    "name": "At most 40 lower-case letters, digits and dashes; it begins with a letter and does not end with a dash.",
    "network": "The network's name, or projects/HOST/global/networks/NAME.",
    "subnetwork": "The subnetwork's name, or projects/HOST/regions/REGION/subnetworks/NAME.",
    "pod_range_name": "The name of a secondary range: lower-case letters, digits and dashes.",
    "service_range_name": "The name of a secondary range: lower-case letters, digits and dashes.",
    "zones": "Zones such as europe-west1-b.",
    "machine_type": "A machine type such as e2-standard-4.",
    "disk_type": "pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced.",
    "node_service_account": "An address such as nodes@my-project.iam.gserviceaccount.com.",
    "labels": "Keys and values have at most 63 lower-case letters, digits, dashes and underscores; a key begins with a "
    "letter.",
}
_FIELD = re.compile(r"\b(" + "|".join(sorted(ClusterSpec.model_fields, key=len, reverse=True)) + r")\b")
_VALUE_ERROR = "Value error, "


def problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by field, in words; empty when it may be sent."""
    try:
        spec = ClusterSpec.model_validate(values)
    except ValidationError as refusal:
        found: dict[str, str] = {}
        for problem in refusal.errors():
            field = str(problem["loc"][0]) if problem["loc"] else _first_field(problem["msg"])
            found.setdefault(field, _sentence(field, dict(problem)))
        return found
    return dict(_conflicts(spec))


def refuse_conflicts(spec: ClusterSpec) -> None:
    """Raise InvalidInput when it gets in the way of a known cluster, or of the settings."""
    for field, sentence in _conflicts(spec):
        raise InvalidInput(sentence, field=field)


def _first_field(message: str) -> str:
    """Rules over several fields name first the one to mend."""
    match = _FIELD.search(message)
    return match[0] if match else "name"


def _sentence(field: str, problem: dict[str, Any]) -> str:
    limits = problem.get("ctx", {})
    match problem["type"]:
        case "missing":
            return "This is needed."
        case "greater_than_equal":
            return f"At least {limits['ge']:,}."
        case "less_than_equal":
            return f"At most {limits['le']:,}."
        case "value_error":
            return f"{_in_titles(problem['msg'].removeprefix(_VALUE_ERROR))}."
        case _:
            return _SENTENCES.get(field, f"{problem['msg']}.")


def _in_titles(text: str) -> str:
    """A message of the contract in the words of the form."""
    told = _FIELD.sub(
        lambda match: f"“{ClusterSpec.model_fields[match[0]].title}”" if "_" in match[0] else match[0], text
    )
    return told[:1].upper() + told[1:]


def _conflicts(spec: ClusterSpec) -> Iterable[tuple[str, str]]:
    if spec.project_id not in watched_projects():
        yield (
            "project_id",
            f"{spec.project_id} is not among PILOTHOUSE_GOOGLE_PROJECTS: it would not be followed.",
        )
    known = store.clusters()
    if ClusterAddress(spec.project_id, spec.location, spec.name) in [each.address for each in known]:
        yield "name", f"{spec.location} has a cluster of this name already."
    neighbours = [each for each in known if _short(each.network.get("network")) == _short(spec.network)]
    for field in RANGES:
        if cidr := getattr(spec, field):
            yield from ((field, told) for told in _overlaps(cidr, neighbours))


def _overlaps(cidr: str, neighbours: list[GoogleCluster]) -> Iterable[str]:
    for cluster in neighbours:
        for what in ("pods", "services"):
            other = cluster.network.get(what)
            if other and "/" in other and network(cidr).overlaps(network(other)):
                yield f"{cidr} overlaps the {what} of {cluster.name}, {other}, on the same network."


def _short(name: str | None) -> str:
    return (name or "default").rpartition("/")[2]
