"""A Kubernetes API of one answer, over TLS: for who wants to know how a client signs in to it."""

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.google.authority import authority
from tests.google.clusters import Endpoint

TOKEN = "ya29.for-kubernetes"


class KubernetesDoor:
    """Tells its version to who has the token; `tokens` are those that were shown."""

    def __init__(self, folder: Path) -> None:
        self.tokens: list[str] = []
        certificate, key = folder / "kubernetes.pem", folder / "kubernetes.key"
        authority().issue(certificate, key, ("kubernetes",))
        handler = type("Handler", (_Handler,), {"door": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def endpoint(self) -> Endpoint:
        """Where it is, for the stand-in's clusters."""
        pem = base64.b64encode(authority().certificate.read_bytes()).decode()
        return Endpoint(f"127.0.0.1:{self._server.server_port}", pem, TOKEN)

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    door: KubernetesDoor

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer, whatever the path."""
        shown = self.headers.get("Authorization", "")
        self.door.tokens.append(shown)
        is_known = shown == f"Bearer {TOKEN}"
        body = json.dumps({"gitVersion": "v1.33.4-gke.1"} if is_known else {"message": "Unauthorized"}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
