"""What of Google is reached by REST: the control plane once more, tokens, impersonation, permissions, metadata."""

import json
import re
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from google.rpc.code_pb2 import Code

from tests.google import errors
from tests.google.authority import Authority
from tests.google.control_plane import RPCS, ControlPlane
from tests.google.errors import HTTP_STATUS, Refusal
from tests.google.identities import ACCOUNT, PROJECT, Identities

_LOCATION = r"(projects/[^/]+/locations/[^/]+)"
_CLUSTER = rf"({_LOCATION[1:-1]}/clusters/[^/:]+)"
_ROUTES: list[tuple[str, str, str, str]] = [
    ("GET", rf"/v1/{_LOCATION}/clusters", "ListClusters", "parent"),
    ("POST", rf"/v1/{_LOCATION}/clusters", "CreateCluster", "parent"),
    ("GET", rf"/v1/{_CLUSTER}", "GetCluster", "name"),
    ("DELETE", rf"/v1/{_CLUSTER}", "DeleteCluster", "name"),
    ("POST", rf"/v1/{_CLUSTER}:setResourceLabels", "SetLabels", "name"),
    ("GET", rf"/v1/{_CLUSTER}/nodePools", "ListNodePools", "parent"),
    ("POST", rf"/v1/{_CLUSTER}/nodePools", "CreateNodePool", "parent"),
    ("GET", rf"/v1/({_CLUSTER[1:-1]}/nodePools/[^/:]+)", "GetNodePool", "name"),
    ("DELETE", rf"/v1/({_CLUSTER[1:-1]}/nodePools/[^/:]+)", "DeleteNodePool", "name"),
    ("GET", rf"/v1/{_LOCATION}/operations", "ListOperations", "parent"),
    ("GET", rf"/v1/({_LOCATION[1:-1]}/operations/[^/:]+)", "GetOperation", "name"),
    ("POST", rf"/v1/({_LOCATION[1:-1]}/operations/[^/:]+):cancel", "CancelOperation", "name"),
    ("GET", rf"/v1/{_LOCATION}/serverConfig", "GetServerConfig", "name"),
]
_METADATA = "/computeMetadata/v1"


class RestDoor:
    """Two servers with the same answers: `https_port` for Google's own names, `http_port` for the metadata server."""

    def __init__(self, plane: ControlPlane, identities: Identities, trust: Authority) -> None:
        self._plane, self._identities = plane, identities
        handler = type("Handler", (_Handler,), {"door": self})
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for _ in range(2)]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(trust.server, trust.server_key)
        secure, plain = self._servers
        secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
        self.https_port, self.http_port = secure.server_port, plain.server_port
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop both."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def answer(self, verb: str, path: str, body: str, authorization: str | None) -> Any:
        """What to say to a request: text, or something for JSON. Raises Refusal."""
        if path.startswith(_METADATA) or path == "/":
            return self._metadata(path)
        if path == "/token":
            return self._identities.from_key(parse_qs(body).get("assertion", [""])[0])
        self._identities.check(authorization)
        if match := re.fullmatch(r"/v1/projects/-/serviceAccounts/([^/:]+):generateAccessToken", path):
            return self._identities.impersonated(match[1])
        if match := re.fullmatch(r"/v1/projects/([^/:]+):testIamPermissions", path):
            asked = json.loads(body or "{}").get("permissions", [])
            return {"permissions": [one for one in asked if self._plane.may(one)]}
        return self._control_plane(verb, path, body)

    def _metadata(self, path: str) -> Any:
        account = f"{_METADATA}/instance/service-accounts/"
        answers: dict[str, Callable[[], Any]] = {
            "/": lambda: "computeMetadata/\n",
            f"{_METADATA}/project/project-id": lambda: PROJECT,
            f"{_METADATA}/universe/universe-domain": lambda: "googleapis.com",
            f"{account}default/": lambda: {"email": ACCOUNT, "scopes": [], "aliases": ["default"]},
            f"{account}{ACCOUNT}/": lambda: {"email": ACCOUNT, "scopes": [], "aliases": ["default"]},
            f"{account}default/email": lambda: ACCOUNT,
            f"{account}default/token": self._identities.from_metadata,
            f"{account}{ACCOUNT}/token": self._identities.from_metadata,
        }
        if path not in answers:
            raise errors.not_found(path)
        return answers[path]()

    def _control_plane(self, verb: str, path: str, body: str) -> Any:
        for its_verb, pattern, rpc, field in _ROUTES:
            if verb == its_verb and (match := re.fullmatch(pattern, path)):
                request = RPCS[rpc][0].from_json(body or "{}", ignore_unknown_fields=True)
                setattr(request, field, match[1])
                answer = self._plane.call(rpc, request)
                return {} if answer is None else json.loads(type(answer).to_json(answer))
        raise Refusal(Code.NOT_FOUND, "The requested URL was not found on this server.")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    door: RestDoor

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = urlsplit(self.path).path
        try:
            answer = self.door.answer(self.command, path, body, self.headers.get("Authorization"))
            self._send(200, answer)
        except Refusal as refusal:
            words = {"error": "invalid_grant", "error_description": refusal.message}
            self._send(HTTP_STATUS.get(refusal.code, 500), words if path == "/token" else refusal.json())

    do_GET = do_POST = do_DELETE = _serve

    def _send(self, status: int, answer: Any) -> None:
        is_text = isinstance(answer, str)
        data = answer.encode() if is_text else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/text" if is_text else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
