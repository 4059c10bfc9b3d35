"""The certificate authority behind Google's names here, and a service account's key: made at run time, never stored."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.google.identities import ACCOUNT, PROJECT

NAMES = ("*.googleapis.com", "googleapis.com", "localhost")
_DAYS = timedelta(days=2)


class Authority:
    """One CA; gRPC reads its file once a process, so a process has one (see `authority`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "authority.pem"
        self.server = folder / "server.pem"
        self.server_key = folder / "server.key"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pilothouse test authority")])
        made = self._signed(self._name, self._key.public_key(), [], is_authority=True)
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.issue(self.server, self.server_key, NAMES)

    def issue(self, certificate: Path, key_file: Path, names: tuple[str, ...]) -> None:
        """Write a server's certificate and key for these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[-1][:64])])
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        alternatives += [x509.IPAddress(ip_address("127.0.0.1"))]
        made = self._signed(subject, key.public_key(), alternatives)
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(_pem(key))

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        alternatives: list[x509.GeneralName],
        *,
        is_authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAYS)
            .not_valid_after(now + _DAYS)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@cache
def authority() -> Authority:
    """The one authority of this process."""
    return Authority(Path(tempfile.mkdtemp(prefix="pilothouse-google-")))


def write_key_file(path: Path, account: str = ACCOUNT, project: str = PROJECT) -> None:
    """A service account's key file as Google gives it, with a key that was made for it now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    content = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "made-for-a-test",
        "private_key": _pem(key).decode(),
        "client_email": account,
        "client_id": "100000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content))


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
