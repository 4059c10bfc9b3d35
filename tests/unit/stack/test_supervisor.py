"""The supervisor with small real processes: order, readiness, death, stop, orphans."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack import proc
from stack.places import ROOT

PRELUDE = """
import os, sys
from pathlib import Path
from stack.processes import Process
from stack.supervisor import Supervisor

HERE = Path(sys.argv[1])

def python(code): return (sys.executable, "-u", "-c", code)
def process(name, code, **more):
    return Process(name, python(code), {**os.environ, "TEST_HERE": str(HERE)}, **more)
def say(text): print(text, flush=True)
SLEEP = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)"
"""
RUN = """
sys.exit(Supervisor(TABLE, logs=HERE / "logs", say=say,
                    changed=lambda s: (HERE / "ready").touch() if s.is_ready else None).run())
"""
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Runs a table of processes under a supervisor in a process of its own; ignores SIGINT as background jobs do."""
    started: list[subprocess.Popen[str]] = []

    def run(table: str) -> "subprocess.Popen[str]":
        code = PRELUDE + textwrap.dedent(table) + RUN
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
    proc.end(lambda: proc.marked("TEST_HERE", str(tmp_path)), [(signal.SIGKILL, 5.0)])


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 30
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} did not come"
        time.sleep(0.02)


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def left(folder: Path) -> list[int]:
    return proc.marked("TEST_HERE", str(folder))


def test_order_and_progress(start: Start, tmp_path: Path) -> None:
    running = start("""
        TABLE = [
            process("server", SLEEP, after=("step",), ready=lambda _: (HERE / "go").exists()),
            process("client", "import os; open(os.environ['TEST_HERE'] + '/client', 'w'); " + SLEEP, after=("server",)),
            process("step", "import os; open(os.environ['TEST_HERE'] + '/step', 'w')", is_step=True),
        ]
    """)
    wait_for(tmp_path / "step")
    assert not (tmp_path / "client").exists()
    assert not (tmp_path / "ready").exists()
    (tmp_path / "go").touch()
    wait_for(tmp_path / "client")
    wait_for(tmp_path / "ready")
    running.send_signal(signal.SIGINT)
    status, output = finish(running)
    assert status == 0
    told = ["starting step", "step is done", "starting server", "server is ready", "starting client", "client is ready"]
    assert [line for line in output.splitlines() if line in told] == told
    assert left(tmp_path) == []


def test_a_child_that_dies_stops_all_and_its_last_words_are_told(start: Start, tmp_path: Path) -> None:
    status, output = finish(
        start("""
        TABLE = [process("other", SLEEP), process("dying", "print('my last words'); raise SystemExit(7)")]
    """)
    )
    assert status == 1
    assert "dying ended with status 7; the last lines of" in output
    assert "    my last words" in output
    assert left(tmp_path) == []


def test_a_failing_step_stops_all_unless_it_may_fail(start: Start, tmp_path: Path) -> None:
    status, output = finish(start('TABLE = [process("step", "raise SystemExit(3)", is_step=True)]'))
    assert (status, "step ended with status 3" in output) == (1, True)

    running = start("""
        TABLE = [
            process("step", "raise SystemExit(3)", is_step=True, may_fail=True),
            process("next", SLEEP, after=("step",)),
        ]
    """)
    wait_for(tmp_path / "ready")
    running.send_signal(signal.SIGTERM)
    status, output = finish(running)
    assert status == 0
    assert "step ended with status 3" in output


def test_a_child_that_does_not_stop_is_killed(start: Start, tmp_path: Path) -> None:
    running = start('TABLE = [process("stubborn", STUBBORN, grace_seconds=0.3, ready=lambda _: "up" in '
                    '(HERE / "logs" / "stubborn.log").read_text())]')  # fmt: skip
    wait_for(tmp_path / "ready")
    running.send_signal(signal.SIGTERM)
    status, output = finish(running)
    assert status == 0
    assert "killing stubborn, which did not stop" in output
    assert left(tmp_path) == []


def test_asked_twice_it_kills_at_once(start: Start, tmp_path: Path) -> None:
    running = start('TABLE = [process("stubborn", STUBBORN, grace_seconds=600, ready=lambda _: "up" in '
                    '(HERE / "logs" / "stubborn.log").read_text())]')  # fmt: skip
    wait_for(tmp_path / "ready")
    running.send_signal(signal.SIGINT)
    assert running.stdout
    while "stopping" not in running.stdout.readline():
        pass
    running.send_signal(signal.SIGINT)
    assert finish(running)[0] == 0
    assert left(tmp_path) == []


def test_grandchildren_in_sessions_of_their_own_are_interrupted_first(start: Start, tmp_path: Path) -> None:
    running = start('''
        GRANDCHILD = """
        import os, signal, sys, time
        here = os.environ["TEST_HERE"]
        def interrupted(*_): open(here + "/interrupted", "w"); sys.exit()
        signal.signal(signal.SIGINT, interrupted)
        open(here + "/grandchild", "w")
        time.sleep(600)
        """
        import textwrap
        CHILD = f"""
        import subprocess, sys, time
        subprocess.Popen([sys.executable, "-c", {textwrap.dedent(GRANDCHILD)!r}], start_new_session=True)
        time.sleep(600)
        """
        TABLE = [process("parent", textwrap.dedent(CHILD))]
    ''')
    wait_for(tmp_path / "grandchild")
    child = next(pid for pid in proc.descendants(running.pid) if pid in left(tmp_path))
    os.kill(child, signal.SIGKILL)
    status, output = finish(running)
    assert status == 1
    assert "parent was killed by SIGKILL" in output
    assert "ended 1 processes that were left behind" in output
    assert (tmp_path / "interrupted").exists()
    assert left(tmp_path) == []


def test_long_logs_are_rotated_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stack import child

    monkeypatch.setattr(child, "LOG_LIMIT_BYTES", 10)
    log = tmp_path / "x.log"
    log.write_text("more than ten bytes")
    child.rotate(log)
    assert not log.exists()
    assert (tmp_path / "x.log.1").read_text() == "more than ten bytes"
