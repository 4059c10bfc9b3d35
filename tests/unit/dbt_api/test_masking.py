"""Secrets are hidden wherever they stand, however they are spelled, and nothing moves."""

import json
from pathlib import Path

import pytest

from dbt_api.records.masking import Mask, mask
from tests.unit.dbt_api.test_logs import record

AWKWARD = "a 'quoted' \"one\" with \\ and ü"


@pytest.mark.parametrize(
    "spelled",
    [AWKWARD, json.dumps(AWKWARD), json.dumps(AWKWARD, ensure_ascii=False), repr(AWKWARD)]
    + [json.dumps({"msg": text}) for text in (json.dumps({"v": AWKWARD}), f"vars: { ({'v': AWKWARD})!r}")]
    + [json.dumps({"args": repr({"command": json.dumps({"token": AWKWARD})})})],
)
def test_a_secret_is_hidden_in_every_spelling_of_dbts(spelled: str) -> None:
    masked = Mask(frozenset([AWKWARD]))(f"before {spelled} after".encode())
    assert len(masked) == len(f"before {spelled} after".encode())
    assert b"quoted" not in masked
    assert b"one" not in masked
    assert masked.startswith(b"before ")
    assert masked.endswith(b" after")


def test_json_stays_json() -> None:
    masked = Mask(frozenset(["1234567", "hunter2"]))(b'{"pin": 1234567, "pins": ["1234567"], "token": "hunter2"}')
    assert json.loads(masked) == {"pin": 1111111, "pins": ["1111111"], "token": "*******"}


def test_short_values_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_ENV_SECRET_SHORT", "abc")
    monkeypatch.setenv("DBT_ENV_SECRET_LONG", "abcde")
    assert mask()(b"abc abcde") == b"abc *****"


def test_overlapping_secrets_are_both_hidden() -> None:
    assert Mask(frozenset(["abcde", "cdefg"]))(b"x abcdefg aabcdee") == b"x ******* a*****e"


def test_every_piece_is_masked_as_if_the_whole_were(tmp_path: Path) -> None:
    content = b"abababab hunter2hunter2 " * 50
    log = record(tmp_path / "1", content, mask=Mask(frozenset(["abab", "hunter2"])))
    whole = b"".join(log.log(0, len(content)))
    assert whole == b"******** ************** " * 50
    for start in range(60):
        for end in range(start, 90):
            assert b"".join(log.log(start, end)) == whole[start:end]
