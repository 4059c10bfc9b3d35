"""Google's refusals: its codes, its words as far as they are documented, and its machine-readable details."""

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status

SERVICE = "container.googleapis.com"
HTTP_STATUS = {
    Code.INVALID_ARGUMENT: 400,
    Code.FAILED_PRECONDITION: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.INTERNAL: 500,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
}


@dataclass
class Refusal(Exception):
    """An answer that is an error. `code` is a google.rpc.Code."""

    code: int
    message: str
    details: list[Message] = field(default_factory=list)

    def status(self) -> Status:
        """As both gRPC and a failed operation carry it."""
        packed = [Packed() for _ in self.details]
        for holder, detail in zip(packed, self.details, strict=True):
            holder.Pack(detail)
        return Status(code=self.code, message=self.message, details=packed)

    def json(self) -> dict[str, Any]:
        """As REST carries it."""
        from google.protobuf.json_format import MessageToDict

        name = Code.Name(self.code)
        http = HTTP_STATUS.get(self.code, 500)
        packed = [
            {"@type": f"type.googleapis.com/{detail.DESCRIPTOR.full_name}", **MessageToDict(detail)}
            for detail in self.details
        ]
        return {"error": {"code": http, "message": self.message, "status": name, "details": packed}}


def not_found(name: str) -> Refusal:
    """Nothing of this name."""
    return Refusal(Code.NOT_FOUND, f"Not found: {name}.")


def already_exists(name: str) -> Refusal:
    """The name is taken."""
    return Refusal(Code.ALREADY_EXISTS, f"Already exists: {name}.")


def invalid(message: str) -> Refusal:
    """A request that can't be meant."""
    return Refusal(Code.INVALID_ARGUMENT, message)


def unauthenticated() -> Refusal:
    """No credentials, or unknown ones."""
    return Refusal(
        Code.UNAUTHENTICATED,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        [_reason("ACCESS_TOKEN_TYPE_UNSUPPORTED", SERVICE, service=SERVICE)],
    )


def permission_denied(permission: str, project: str) -> Refusal:
    """The caller lacks a permission."""
    return Refusal(
        Code.PERMISSION_DENIED,
        f'Required "{permission}" permission(s) for "projects/{project}".',
        [_reason("IAM_PERMISSION_DENIED", SERVICE, permission=permission, resource=f"projects/{project}")],
    )


def api_disabled(project: str) -> Refusal:
    """The Kubernetes Engine API is not enabled in the project."""
    url = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project={project}"
    text = (
        f"Kubernetes Engine API has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"{url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our "
        "systems and retry."
    )
    facts = {
        "consumer": f"projects/{project}",
        "service": SERVICE,
        "serviceTitle": "Kubernetes Engine API",
        "activationUrl": url,
        "containerInfo": project,
    }
    link = details.Help.Link(description="Google developers console API activation", url=url)
    return Refusal(
        Code.PERMISSION_DENIED,
        text,
        [_reason("SERVICE_DISABLED", "googleapis.com", **facts), details.Help(links=[link])],
    )


def too_many_requests(project: str) -> Refusal:
    """The rate of requests is over the project's quota."""
    told = (
        "Quota exceeded for quota metric 'Cluster create requests' and limit 'Cluster create requests per minute' of "
        f"service '{SERVICE}' for consumer 'project_number:{project}'."
    )
    facts = {"consumer": f"projects/{project}", "service": SERVICE, "quota_location": "global"}
    violation = details.QuotaFailure.Violation(subject=f"project:{project}", description=told)
    return Refusal(
        Code.RESOURCE_EXHAUSTED,
        told,
        [_reason("RATE_LIMIT_EXCEEDED", "googleapis.com", **facts), details.QuotaFailure(violations=[violation])],
    )


def quota_exceeded(resource: str = "CPUS", *, wanted: float = 12, quota: float = 8, available: float = 8) -> Refusal:
    """The region has not enough quota left for the nodes."""
    return Refusal(
        Code.RESOURCE_EXHAUSTED,
        f"Insufficient regional quota to satisfy request: resource \"{resource}\": request requires '{wanted}' and is "
        f"short '{wanted - available}'. project has a quota of '{quota}' with '{available}' available. View and manage "
        "quotas at https://console.cloud.google.com/iam-admin/quotas?usage=USED.",
    )


def busy(operation: str, target: str, doing: str) -> Refusal:
    """Another operation on the cluster is not over."""
    return Refusal(
        Code.FAILED_PRECONDITION,
        f"Operation {operation} is currently {doing} cluster {target}. Please wait and try again once it is done.",
        [_reason("CLUSTER_ALREADY_HAS_OPERATION", SERVICE)],
    )


def _reason(reason: str, domain: str, **facts: str) -> Message:
    return details.ErrorInfo(reason=reason, domain=domain, metadata=facts)
