"""An OpenID Connect issuer for tests: discovery and keys over HTTP, and JWTs good and bad."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


class Issuer:
    """Serves its keys until the block ends; `questions` counts how often they were asked for."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.questions = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(issuer._document(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _document(self, path: str) -> dict[str, Any]:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.questions += 1
        return {"keys": [{**json.loads(RSAAlgorithm.to_jwk(self.key.public_key())), "kid": "one", "use": "sig"}]}

    def claims(self, **changed: Any) -> dict[str, Any]:
        moment = int(time.time())
        usual = {"iss": self.url, "aud": "dbt-api", "sub": "grace", "groups": ["analysts"], "exp": moment + 300}
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def token(self, *, kid: str | None = "one", **changed: Any) -> str:
        headers = {"kid": kid} if kid else {}
        return jwt.encode(self.claims(**changed), self.key, algorithm="RS256", headers=headers)
