"""What Kubernetes and GKE check alike before a project is published: the cluster, and whether it can take the pod.

A check that only the console's lack of rights prevents is no refusal: Airflow makes the pods, with rights of its own.
"""

from collections.abc import Callable, Iterable

from contracts.pods import EnvironmentSource, PodParameters, Volume
from services.clusters import ClusterClient, get_cluster
from services.errors import BackendRejected, PilothouseError
from services.operators._fit import limit_ranges_check, nodes_check, quota_check, security_check
from services.operators.base import Check

_READING = (("list", "pods", ""), ("get", "pods", "log"), ("list", "events", ""))


def pod_checks(cluster: str | None, parameters: PodParameters) -> list[Check]:
    """Everything that can be asked of the cluster; only what does not need it when it is not registered or away."""
    if cluster is None:
        told = "No cluster is named: the run's page will show what Airflow tells of the pod, and nothing else."
        hint = "Register the cluster on the page Clusters and name it here."
        return [Check("Cluster", None, told, hint), _pull_policy(parameters)]
    try:
        client = ClusterClient(get_cluster(cluster))
        version = client.version()
    except PilothouseError as error:
        return [Check("Cluster", False, error.message, error.hint), _pull_policy(parameters)]
    questions: list[Callable[[ClusterClient, PodParameters], Iterable[Check]]] = [
        _namespace, _rights, _objects, _nodes, _quota, _limit_range,
    ]  # fmt: skip
    answers = [check for question in questions for check in _tolerant(question, client, parameters)]
    return [Check("Cluster", True, f"'{cluster}' answers, version {version}."), *answers, _pull_policy(parameters)]


def _tolerant(
    question: Callable[[ClusterClient, PodParameters], Iterable[Check]],
    client: ClusterClient,
    parameters: PodParameters,
) -> list[Check]:
    title = question.__name__.strip("_").replace("_", " ").capitalize()
    try:
        return list(question(client, parameters))
    except BackendRejected as error:
        if error.status == 403:
            return [Check(title, None, f"The console may not look: {error.detail}")]
        return [Check(title, False, error.message, error.hint)]
    except PilothouseError as error:
        return [Check(title, False, error.message, error.hint)]


def _namespace(client: ClusterClient, parameters: PodParameters) -> Iterable[Check]:
    name = parameters.namespace
    found = client.namespace(name)
    if found is None:
        yield Check("Namespace", False, f"The cluster has no namespace '{name}'.", f"kubectl create namespace {name}")
        return
    yield Check("Namespace", True, f"'{name}' exists.")
    yield security_check(found, parameters)


def _rights(client: ClusterClient, parameters: PodParameters) -> Iterable[Check]:
    missing = [
        f"{verb} {'/'.join(filter(None, [resource, sub]))}"
        for verb, resource, sub in _READING
        if not client.may(parameters.namespace, verb, resource, sub)
    ]
    if missing:
        yield Check(
            "Rights to watch",
            None,
            f"The console may not {', '.join(missing)}: that part of a run's page comes from Airflow.",
            "Apply deploy/kubernetes/console-rbac.yaml in the namespace.",
        )
    else:
        yield Check("Rights to watch", True, "The console may read pods, their logs and their events.")
    if client.may(parameters.namespace, "create", "pods"):
        yield Check("Right to create pods", True, "The console's credentials may; if Airflow has the same, it may too.")
    else:
        told = "The console's credentials may not, and need not: Airflow makes the pods with its own."
        yield Check(
            "Right to create pods", None, told, "See deploy/kubernetes/airflow-rbac.yaml for what Airflow needs."
        )


def _objects(client: ClusterClient, parameters: PodParameters) -> Iterable[Check]:
    """Whether everything that the pod refers to exists."""
    for kind, name in sorted(set(_references(parameters))):
        title = f"{_KIND_WORDS[kind]} {name}"
        try:
            found = client.has(kind, name, namespace=None if kind in _OF_THE_CLUSTER else parameters.namespace)
        except BackendRejected as error:
            if error.status != 403:
                raise
            yield Check(title, None, "The console may not look whether it exists.")
            continue
        if found:
            yield Check(title, True, "It exists.")
        else:
            where = "cluster" if kind in _OF_THE_CLUSTER else f"namespace '{parameters.namespace}'"
            told = f"The {where} has none: the pod would not start."
            yield Check(title, False, told, "Make it, or mend the name in the project's parameters.")


_OF_THE_CLUSTER = ("priorityclasses",)
_KIND_WORDS = {
    "serviceaccounts": "Service account",
    "secrets": "Secret",
    "configmaps": "Config map",
    "persistentvolumeclaims": "Volume claim",
    "priorityclasses": "Priority class",
}


def references(parameters: PodParameters) -> list[str]:
    """What the pod refers to on its cluster, in words."""
    return [f"{_KIND_WORDS[kind]} {name}" for kind, name in sorted(set(_references(parameters)))]


def _references(parameters: PodParameters) -> Iterable[tuple[str, str]]:
    if parameters.service_account:
        yield "serviceaccounts", parameters.service_account
    if parameters.priority_class:
        yield "priorityclasses", parameters.priority_class
    if parameters.git_secret and parameters.project_source == "git":
        yield "secrets", parameters.git_secret
    yield from (("secrets", name) for name in parameters.image_pull_secrets)
    yield from (("secrets", each.secret) for each in parameters.secret_env.values())
    sources: list[EnvironmentSource | Volume] = [*parameters.env_from, *parameters.volumes]
    yield from (("secrets", each.secret) for each in sources if each.secret)
    yield from (("configmaps", each.config_map) for each in sources if each.config_map)
    yield from (("persistentvolumeclaims", each.claim) for each in parameters.volumes if each.claim)


def _nodes(client: ClusterClient, parameters: PodParameters) -> Iterable[Check]:
    yield nodes_check(client.nodes(), parameters)


def _quota(client: ClusterClient, parameters: PodParameters) -> Iterable[Check]:
    yield quota_check(client.quotas(parameters.namespace), parameters)


def _limit_range(client: ClusterClient, parameters: PodParameters) -> Iterable[Check]:
    yield limit_ranges_check(client.limit_ranges(parameters.namespace), parameters)


def _pull_policy(parameters: PodParameters) -> Check:
    image, policy = parameters.image, parameters.image_pull_policy
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    moves = "@" not in image and tag in ("", "latest")
    if policy == "Never":
        return Check("Image", None, f"Never pulled: {image} must be on every node already.")
    if moves and policy == "IfNotPresent":
        told = f"{image} is a tag that moves, and a node that has an old one keeps it."
        return Check("Image", None, told, "Use a tag of a version, or the pull policy Always.")
    return Check("Image", True, f"{image}, pulled {'for every run' if policy == 'Always' else 'once a node'}.")
