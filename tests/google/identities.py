"""Who calls: Google's token endpoint, its metadata server and service account impersonation, without their secrets.

A token that is handed out is what the real cluster behind the stand-in takes, so the same one serves the control plane
and Kubernetes, as at Google.
"""

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from google.rpc.code_pb2 import Code

from tests.google import errors
from tests.google.errors import Refusal

PROJECT = "pilothouse-test"
ACCOUNT = f"console@{PROJECT}.iam.gserviceaccount.com"
_LIFETIME_SECONDS = 3599


@dataclass
class Identities:
    """The service accounts that exist, and what was asked about them."""

    token: str
    accounts: set[str] = field(default_factory=lambda: {ACCOUNT})
    impersonable: set[str] = field(default_factory=set)
    """Accounts that every other one may impersonate."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """How a token was asked for (key, metadata, impersonation), and for which account."""

    def from_key(self, assertion: str) -> dict[str, Any]:
        """What oauth2.googleapis.com/token answers to a JWT that a service account's key has signed."""
        account = issuer_of(assertion)
        if account not in self.accounts:
            raise Refusal(Code.INVALID_ARGUMENT, "Invalid grant: account not found")
        self.asked.append(("key", account))
        return self._answer()

    def from_metadata(self) -> dict[str, Any]:
        """What the metadata server of a node or of workload identity answers."""
        self.asked.append(("metadata", ACCOUNT))
        return self._answer()

    def impersonated(self, account: str) -> dict[str, Any]:
        """What iamcredentials.googleapis.com answers to generateAccessToken."""
        self.asked.append(("impersonation", account))
        if account not in self.impersonable:
            raise Refusal(
                Code.PERMISSION_DENIED,
                "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
            )
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + _LIFETIME_SECONDS))
        return {"accessToken": self.token, "expireTime": expires}

    def check(self, authorization: str | None) -> None:
        """Raises Refusal unless the header is a token of ours, or a JWT that an account has signed for itself."""
        token = (authorization or "").removeprefix("Bearer ")
        if token != self.token and issuer_of(token) not in self.accounts:
            raise errors.unauthenticated()

    def _answer(self) -> dict[str, Any]:
        return {"access_token": self.token, "expires_in": _LIFETIME_SECONDS, "token_type": "Bearer"}


def issuer_of(jwt: str) -> str:
    """The account that a JWT says it comes from; empty when it is none. Its signature is not checked."""
    try:
        claims = jwt.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"])
    except (IndexError, ValueError, KeyError):
        return ""
