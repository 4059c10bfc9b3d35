"""What happens to a pod, in plain words: why it waits, how it ended, and its story. Pure.

Sources of the reasons: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle and the kubelet's own events, as
observed on a real cluster (tests/cluster).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.dbt_api import Outcome
from contracts.names import DBT_CONTAINER, SOURCE_CONTAINER
from services.clusters.news import ContainerNews, PodEvent, PodNews

_WAITING_FOR_IMAGE = {
    "ErrImagePull": "The image {image} cannot be pulled: {message}. Check its name and tag, and the pull secrets.",
    "ImagePullBackOff": "The image {image} cannot be pulled: {message}. Check its name and tag, and the pull secrets.",
    "ErrImageNeverPull": "The image {image} is not on the node, and the pull policy Never forbids to fetch it.",
    "InvalidImageName": "'{image}' is no name of an image.",
    "CreateContainerConfigError": "The container cannot be set up: {message}.",
    "CreateContainerError": "The container cannot be made: {message}.",
    "RunContainerError": "The container cannot be started: {message}.",
}
_RPC = re.compile(r"^rpc error: code = \w+ desc = ")
"""How a container runtime's errors begin."""
_HARMLESS = ("MissingClusterDNS", "DNSConfigForming")
"""Warnings that a pod of ours lives well with."""


@dataclass(frozen=True)
class Waiting:
    """Why a pod does not run yet; `is_problem` when it won't by itself."""

    text: str
    is_problem: bool
    is_repetition: bool = False
    """It says less than what was said before: the reason of a failed pull is told once, then only that it waits."""


@dataclass(frozen=True)
class Ending:
    """How dbt's container ended. `text` is None where dbt's own log says it better."""

    outcome: Outcome
    exit_code: int | None
    text: str | None


def why_waiting(pod: PodNews, events: Iterable[PodEvent] = ()) -> Waiting | None:
    """Why dbt has not started in a pod; None when it has."""
    if pod.is_over or pod.deleted_at or (pod.dbt and pod.dbt.state != "waiting"):
        return None  # a kubelet may call the containers of a deleted pod waiting again
    return _why_container_waits(pod) or (_why_unscheduled(pod) if pod.node is None else _why_it_starts(pod, events))


def _why_unscheduled(pod: PodNews) -> Waiting:
    for condition in pod.conditions:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Waiting(f"No node can take the pod: {_end(condition.get('message'))}", is_problem=True)
    return Waiting("The pod waits to be put on a node.", is_problem=False)


def _why_it_starts(pod: PodNews, events: Iterable[PodEvent]) -> Waiting:
    warning = next((one for one in reversed([*events]) if one.is_warning and one.reason not in _HARMLESS), None)
    if warning:
        return Waiting(f"The pod cannot start yet ({warning.reason}): {_end(warning.message)}", is_problem=True)
    source = pod.containers.get(SOURCE_CONTAINER)
    if source and source.state == "running":
        return Waiting("The project is being cloned.", is_problem=False)
    return Waiting(f"The pod is on node {pod.node}, which fetches the image and starts it.", is_problem=False)


def _why_container_waits(pod: PodNews) -> Waiting | None:
    for container in pod.containers.values():
        image = container.image or _image_of(pod.spec, container.name)
        if container.state == "waiting" and (text := of_waiting(container.reason, container.message, image=image)):
            return Waiting(text, is_problem=True, is_repetition=container.reason == "ImagePullBackOff")
    return None


def of_waiting(reason: str | None, message: str | None, *, image: str) -> str | None:
    """Why a container cannot begin, from Kubernetes' reason and message; None for one that just takes its time."""
    words = _WAITING_FOR_IMAGE.get(reason or "")
    said = _RPC.sub("", message or "no reason given").rstrip(". ")
    return words.format(image=image, message=said) if words else None


def how_it_ended(pod: PodNews, *, memory_limit: str | None) -> Ending | None:
    """How a pod ended; None while dbt may still run in it."""
    dbt = pod.dbt
    exit_code = dbt.exit_code if dbt else None
    if pod.reason == "DeadlineExceeded":
        seconds = pod.spec.get("activeDeadlineSeconds")
        return Ending(Outcome.TIMEOUT, exit_code, f"The pod existed longer than its deadline of {seconds} s allows.")
    if pod.reason == "Evicted":
        return Ending(Outcome.WORKER_LOST, exit_code, f"The node evicted the pod: {_end(pod.message)}")
    if dbt and dbt.state == "terminated":
        return _of_container(dbt, pod, memory_limit)
    if source := _failed_source(pod):
        return Ending(Outcome.USAGE_ERROR, None, f"The project could not be cloned (exit code {source.exit_code}).")
    if pod.phase == "Failed":
        text = f"The pod failed ({pod.reason or 'no reason given'}): {_end(pod.message)}"
        return Ending(Outcome.WORKER_LOST, exit_code, DELETED if pod.deleted_at else text)
    return None


def _of_container(dbt: ContainerNews, pod: PodNews, memory_limit: str | None) -> Ending:
    if pod.deleted_at is not None and dbt.reason != "OOMKilled":
        return Ending(Outcome.WORKER_LOST, dbt.exit_code, DELETED)
    if dbt.reason in ("ContainerCannotRun", "StartError"):
        return Ending(Outcome.USAGE_ERROR, dbt.exit_code, f"The container could not be started: {_end(dbt.message)}")
    return of_exit(dbt.exit_code or 0, dbt.reason, memory_limit=memory_limit)


def of_exit(exit_code: int, reason: str | None, *, memory_limit: str | None) -> Ending:
    """How dbt's container ended, from its exit code and Kubernetes' reason."""
    if reason == "OOMKilled" or exit_code == 137:
        limit = f"its memory limit of {memory_limit}" if memory_limit else "the memory that the node has"
        return Ending(Outcome.OUT_OF_MEMORY, exit_code, f"dbt was killed: it needed more than {limit} (OOMKilled).")
    ended = f"dbt's container ended with exit code {exit_code}."
    outcome, text = _OF_EXIT_CODE.get(exit_code, (Outcome.WORKER_LOST, ended))
    return Ending(outcome, exit_code, text)


_OF_EXIT_CODE: dict[int, tuple[Outcome, str | None]] = {
    0: (Outcome.SUCCESS, None),
    1: (Outcome.MODEL_ERROR, None),
    2: (Outcome.USAGE_ERROR, None),
    127: (Outcome.USAGE_ERROR, "The image has no dbt where it was looked for."),
}
"""dbt's own exit codes, which its log explains, and the shell's for a command that is not there."""
DELETED = "The pod was deleted while dbt ran: by hand, by a run set to failed in Airflow, or by the cluster."


def _failed_source(pod: PodNews) -> ContainerNews | None:
    source = pod.containers.get(SOURCE_CONTAINER)
    return source if source and source.state == "terminated" and source.exit_code else None


def steps_of(pod: PodNews, events: Iterable[PodEvent]) -> list[dict[str, Any]]:
    """A pod's story, oldest first, from its state and its events; what an event told names it."""
    steps = [_step(pod.created_at, "Created", f"{pod.namespace}/{pod.name}")]
    for condition in pod.conditions:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "True":
            steps.append(_step(condition.get("lastTransitionTime"), "Scheduled", f"Node {pod.node}"))
    for name, container in pod.containers.items():
        what = DBT if name == DBT_CONTAINER else f"Container {name}"
        if container.started_at:
            steps.append(_step(container.started_at, f"{what} started", container.image))
        if container.state == "terminated":
            steps.append(step_of_end(what, container.finished_at, container.exit_code, container.reason))
    if pod.deleted_at:
        steps.append(_step(pod.deleted_at, "Deletion asked", ""))
    for event in events:
        is_warning = (event.is_warning and event.reason not in _HARMLESS) or event.reason == pod.reason
        if is_warning or event.reason in ("Pulling", "Pulled"):
            times = f" ({event.count} times)" if event.count > 1 else ""
            step = _step(event.at, event.reason, f"{event.message}{times}", is_warning=is_warning)
            steps.append({**step, "event": event.uid})
    return in_order(steps)


def step_of_end(what: str, at: datetime | None, exit_code: int | None, reason: str | None = None) -> dict[str, Any]:
    """The end of a container; its exit code may be unknown where the pod was deleted before that was seen."""
    known = [f"exit code {exit_code}" if exit_code is not None else "", reason or ""]
    return _step(at, f"{what} ended", ", ".join(filter(None, known)), is_warning=bool(exit_code))


def in_order(steps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Oldest first; within a second, which is all that Kubernetes tells, as a pod goes: events precede what runs."""

    def place(step: dict[str, Any]) -> tuple[str, int]:
        return str(step["at"] or ""), 0 if step["title"] in _FIRST else 1 if "event" in step else 2

    return sorted(steps, key=place)


_FIRST = ("Created", "Scheduled")
DBT = "dbt"
"""What dbt's container is called in a story."""


def _step(at: datetime | str | None, title: str, text: str, *, is_warning: bool = False) -> dict[str, Any]:
    moment = at.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(at, datetime) else at
    return {"at": moment, "title": title, "text": text, "is_warning": is_warning}


def masked(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A pod's spec with the values of its environment variables hidden."""
    shown = dict(spec)
    for kind in ("initContainers", "containers"):
        if kind in spec:
            shown[kind] = [_masked_container(container) for container in spec[kind]]
    return shown


def _masked_container(container: Mapping[str, Any]) -> dict[str, Any]:
    variables = [{**one, "value": "••••••"} if one.get("value") else one for one in container.get("env") or []]
    return {**container, **({"env": variables} if variables else {})}


def _image_of(spec: Mapping[str, Any], name: str) -> str:
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return next((str(one.get("image")) for one in containers if one.get("name") == name), "")


def _end(message: Any) -> str:
    text = str(message or "no reason given").strip()
    return text if text.endswith(".") else f"{text}."
