"""The warm engine's own way to dbt's log lines gives the lines that dbt's way gives, byte for byte."""

import subprocess
import sys
from pathlib import Path

from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import ROOT

PROGRAM = """
import json
import sys
sys.path.append(sys.argv[1])
import dbt_common.events.base_types as base
import dbt_common.events.event_manager as manager
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import msg_from_base_event
from dbt_common.events.functions import env_scrubber, msg_to_dict
from dbt_common.events.logger import LoggerConfig, _JsonLogger
from google.protobuf.json_format import MessageToDict, ParseDict
from dbt_api.zygote import fast_events

alike, different, seen = 0, [], set()
logger = _JsonLogger(LoggerConfig(name="compared", scrubber=env_scrubber))

def compare(what, ours, theirs):
    global alike
    alike += ours == theirs
    if ours != theirs:
        different.append((what, ours, theirs))

def parse_dict(values, message):
    theirs = ParseDict(values, type(message)())
    compare("parsed", fast_events.parse_dict(values, message), theirs)
    return theirs

def as_dict(message, **options):
    return fast_events.as_dict(message) if type(message) is fast_events.Told else MessageToDict(message, **options)

def message_of(event, level=None):
    theirs, ours = msg_from_base_event(event, level=level), fast_events.Told(event, level)
    theirs.info.ts.FromJsonString(ours.info.ts)
    compare("time", ours.info.ts, theirs.info.ts.ToJsonString())
    compare("dictionary", fast_events.as_dict(theirs), MessageToDict(theirs, **fast_events.DBT_OPTIONS))
    compare("line", fast_events.line_of(logger, ours), logger.create_line(theirs))
    seen.add(theirs.info.name)
    return theirs

base.ParseDict, manager.msg_from_base_event = parse_dict, message_of
sys.modules["dbt_common.events.functions"].MessageToDict = as_dict
runner = dbtRunner()
for words in (["build", "--vars", '{"fail": true}'], ["run", "--vars", '{"break": true}'], ["ls"], ["debug"]):
    runner.invoke([*words, "--quiet"])
assert not different, different[:3]
assert alike > 500
assert {"NodeFinished", "LogTestResult", "SQLQuery", "RunResultFailure", "CommandCompleted", "PrintEvent"} <= seen, seen
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


def test_lines_go_where_and_when_dbts_would() -> None:
    """Not below the logger's level, but printed lines always; and dbt's own way for whoever else listens."""
    program = """
import io, sys
sys.path.append(sys.argv[1])
import dbt_api.zygote.fork_context
from datetime import UTC, datetime
from google.protobuf.timestamp_pb2 import Timestamp
from dbt_api.zygote import fast_events, patches
patches.apply()
from dbt.events.types import MainReportVersion
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.logger import LineFormat, LoggerConfig
from dbt_common.events.types import Note, PrintEvent

def told(*callbacks, **config):
    out, manager = io.StringIO(), get_event_manager()
    manager.loggers.clear()
    manager.add_logger(LoggerConfig(name="told", output_stream=out, **config))
    manager.callbacks = list(callbacks)
    for event in (MainReportVersion(version="=1", log_version=3), PrintEvent(msg="printed"), Note(msg="a note")):
        fire_event(event, level=EventLevel.DEBUG if isinstance(event, Note) else None)
    return out.getvalue()

seen = []
print(told(line_format=LineFormat.Json, level=EventLevel.DEBUG).count("\\n"))
print("printed" in told(line_format=LineFormat.Json, level=EventLevel.ERROR), "note" in told(level=EventLevel.INFO))
print(told(line_format=LineFormat.DebugText, level=EventLevel.DEBUG).count("a note"))
print(told(seen.append, line_format=LineFormat.Json, level=EventLevel.DEBUG).count("\\n"), seen[0].DESCRIPTOR.name)
for microseconds in (0, 120_000, 120_001):
    moment, stamp = datetime(2026, 1, 2, 3, 4, 5, microseconds, UTC), Timestamp()
    stamp.FromDatetime(moment)
    print(fast_events.written(moment) == stamp.ToJsonString())
"""
    done = subprocess.run([sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["3", "True False", "1", "3 MainReportVersionMsg", *["True"] * 3], done.stderr
