"""The warm engine's own way to dbt's log lines gives the lines that dbt's way gives."""

import subprocess
import sys
from pathlib import Path

from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import ROOT

PROGRAM = """
import sys
sys.path.append(sys.argv[1])
import dbt_common.events.base_types as base
import dbt_common.events.event_manager as manager
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import msg_from_base_event
from google.protobuf.json_format import MessageToDict, ParseDict
from dbt_api.zygote import fast_events

alike, different, seen = 0, [], set()

def compare(what, ours, theirs):
    global alike
    alike += ours == theirs
    if ours != theirs:
        different.append((what, ours, theirs))

def parse_dict(values, message):
    theirs = ParseDict(values, type(message)())
    compare("parsed", fast_events.parse_dict(values, message), theirs)
    return theirs

def message_of(event, level=None):
    theirs, ours = msg_from_base_event(event, level=level), fast_events.message_of(event, level=level)
    assert abs(ours.info.ts.ToNanoseconds() - theirs.info.ts.ToNanoseconds()) < 60e9
    assert len(ours.info.ts.ToJsonString()) <= len("2026-01-01T00:00:00.000000Z")
    ours.info.ts.CopyFrom(theirs.info.ts)
    compare("message", ours, theirs)
    compare("dictionary", fast_events.as_dict(theirs), MessageToDict(theirs, **fast_events.DBT_OPTIONS))
    seen.add(theirs.info.name)
    return theirs

base.ParseDict, manager.msg_from_base_event = parse_dict, message_of
runner = dbtRunner()
for words in (["build", "--vars", '{"fail": true}'], ["run", "--vars", '{"break": true}'], ["debug"]):
    runner.invoke([*words, "--quiet"])
assert not different, different[:3]
assert alike > 500
assert {"NodeFinished", "LogTestResult", "SQLQuery", "RunResultFailure", "CommandCompleted"} <= seen, seen
print(len(seen))
"""


def test_every_event_is_the_same_made_fast_or_made_by_dbt(tmp_path: Path) -> None:
    project = write_project(tmp_path / "shop")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PILOTHOUSE_PROJECT_DATA": str(tmp_path)}
    environment |= {"DBT_ENV_SECRET_WORD": "between us"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT)],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.splitlines()[-1]) > 30


def test_values_that_a_constructor_refuses_are_parsed_as_dbt_does() -> None:
    program = """
import sys
sys.path.append(sys.argv[1])
from dbt.events import core_types_pb2 as core
from dbt_common.events import types_pb2 as common
from google.protobuf.json_format import ParseDict, ParseError
from dbt_api.zygote.fast_events import parse_dict, secrets
import os

for values, kind in (({"msg": 5}, common.Note), ({"nope": "x"}, common.Note)):
    try:
        parse_dict(values, kind())
        print("taken")
    except ParseError:
        print("refused")
info = parse_dict({"ts": "2026-11-26T01:02:03.5Z", "pid": "7"}, common.EventInfo())
print(info.ts.ToJsonString(), info.pid)
os.environ |= {"DBT_ENV_SECRET_A": "tüte", "DBT_ENV_SECRET_B": " ", "OTHER": "x"}
print(secrets())
"""
    done = subprocess.run([sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["refused", "refused", "2026-11-26T01:02:03.500Z 7", "['tüte']"], done.stderr
