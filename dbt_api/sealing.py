"""Keeps the hidden values of a request sealed in its row for as long as dbt needs them, and out of dbt's output.

The row's own command and environment are redacted. What dbt gets is sealed (Fernet: AES-CBC with HMAC) until the
invocation ends; whoever reads the database alone learns nothing.
"""

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from dbt_api.database import session
from dbt_api.redaction import HIDDEN, Plain, redacted, secrets_in
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow, SealingKeyRow

SCRUBBED_VARIABLE = "DBT_ENV_SECRET_PILOTHOUSE_"
PARSE_CACHE = "partial_parse.msgpack"
KNOWN = b"pilothouse"
OTHER_KEY = (
    "The sealing key is not the one that this database's servers and workers use. Give all the same "
    "PILOTHOUSE_DBT_API_SEALING_KEY (without it, each makes a key in its own data folder); or, to change it, stop all "
    "and run `python -m dbt_api migrate --new-sealing-key`."
)
TEXT_ARTIFACTS = (".json", ".sql", ".yml", ".yaml", ".csv", ".txt", ".html")


def sealed(plain: Plain) -> str | None:
    """The request under seal; None when it holds nothing to hide."""
    if redacted(plain) == plain:
        return None
    return _fernet().encrypt(json.dumps(asdict(plain)).encode()).decode()


def plain_request(row: InvocationRow) -> Plain:
    """What the client asked for, hidden values included."""
    if row.sealed is None:
        return Plain(row.command, row.env)
    return Plain(**json.loads(_fernet().decrypt(row.sealed.encode())))


def environment_of(plain: Plain) -> dict[str, str]:
    """The client's environment variables, and those that make dbt hide the secret vars in its log.

    dbt replaces the values of all DBT_ENV_SECRET_* in what it prints, as they stand; so each value is given in the
    forms that it takes when quoted inside JSON and Python's repr.
    """
    forms = list(dict.fromkeys(form for secret in secrets_in(plain) for form in _forms(secret)))
    return plain.env | {f"{SCRUBBED_VARIABLE}{number}": form for number, form in enumerate(forms)}


def scrub_artifacts(folder: Path, row: InvocationRow) -> None:
    """Hide the secret values in what dbt left, e.g. `args` of run_results.json. Safe to repeat.

    Its parse cache, which holds the environment variables that the project reads, goes altogether.
    """
    forms = [form.encode() for secret in secrets_in(plain_request(row)) for form in _forms(secret)]
    for file in list(folder.rglob("*")) if forms else ():
        if file.name == PARSE_CACHE:
            file.unlink()
        elif file.is_file() and file.suffix in TEXT_ARTIFACTS:
            _scrub(file, forms)


def _scrub(file: Path, forms: list[bytes]) -> None:
    before = text = file.read_bytes()
    for form in forms:
        text = text.replace(
            form, b"1" * len(form) if form.isdigit() else HIDDEN.encode()
        )  # a number may stand in JSON unquoted
    if text != before:
        beside = file.with_name(f"{file.name}.scrubbed")
        beside.write_bytes(text)
        beside.replace(file)


def _forms(secret: str, depth: int = 3) -> Iterator[str]:
    """As it stands, and quoted by JSON and by Python's repr, up to three times over; deeper forms hold others."""
    as_repr = secret.replace("\\", "\\\\")
    as_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    quoted = {*as_json, as_repr, as_repr.replace("'", "\\'")} - {secret}
    for each in sorted(quoted) if depth else ():
        yield from _forms(each, depth - 1)
    yield secret


class OtherSealingKey(Exception):
    """Our sealing key is not that of the servers and workers that share the database."""


def check_key() -> None:
    """Compare our sealing key with the database's; the first one to start sets it. Raises OtherSealingKey.

    On SQLite, which is one process's alone, another key is taken over as soon as nothing waits under the old one.
    """
    try:
        _compare_or_set()
    except IntegrityError:  # another process set it at the same moment
        _compare_or_set()


def fits() -> bool | None:
    """Whether our sealing key is the database's; None while it has none."""
    with session() as opened:
        row = opened.exec(select(SealingKeyRow)).first()
    return None if row is None else _opens(row.sealed)


def _compare_or_set() -> None:
    with session() as opened:
        row = opened.exec(select(SealingKeyRow).with_for_update()).first()
        if row is None:
            opened.add(SealingKeyRow(sealed=_mark()))
        elif not _opens(row.sealed):
            if settings().is_shared or _anything_sealed(opened):
                raise OtherSealingKey(OTHER_KEY)
            row.sealed = _mark()
            opened.add(row)


def change_key() -> None:
    """Make our sealing key the database's. Raises OtherSealingKey while something waits under the old one."""
    with session() as opened:
        if _anything_sealed(opened):
            raise OtherSealingKey("Invocations that wait or run hold values under the old key: let them end first.")
        opened.exec(delete(SealingKeyRow))
        opened.add(SealingKeyRow(sealed=_mark()))


def _anything_sealed(opened: Session) -> bool:
    return opened.exec(select(InvocationRow.id).where(col(InvocationRow.sealed).is_not(None))).first() is not None


def _mark() -> str:
    return _fernet().encrypt(KNOWN).decode()


def _opens(mark: str) -> bool:
    try:
        return _fernet().decrypt(mark.encode()) == KNOWN
    except InvalidToken:
        return False


@cache
def _fernet() -> Fernet:
    key = settings().sealing_key
    secret = key.get_secret_value().encode() if key is not None else _made_key(settings().data / "sealing_key")
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret).digest()))


def _made_key(file: Path) -> bytes:
    if not file.exists():
        descriptor, own = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(descriptor, "wb") as made:
            made.write(os.urandom(32))
        with suppress(FileExistsError):
            os.link(own, file)  # whole or not at all, and only the first one counts
        os.unlink(own)
    return file.read_bytes()
