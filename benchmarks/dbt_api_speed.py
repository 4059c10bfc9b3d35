"""The dbt API against a `dbt` process per command, in turn and in one run: HTTP from submit to result.

Both sides are given what a careful user would: compiled bytecode, and a parse cache that is up to date. Run in the
environment of dbt_api/requirements.txt, with nothing else running:

    .pilothouse/environments/dbt/bin/python -m benchmarks.dbt_api_speed --rounds 7
"""

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import duckdb  # type: ignore[import-not-found, unused-ignore]  # this script runs in dbt's environment
import requests

from benchmarks.dbt_projects import write_large, write_small
from tests.unit.dbt_api.server import Server

DBT = Path(sys.executable).with_name("dbt")
PATIENCE_SECONDS = 600
ONE_SMALL = ["run", "--select", "stg_customers"]
BUILD = ["build", "--exclude", "tag:endless"]
ONE_LARGE = ["run", "--select", "m_00_0001"]
BARS = {"run one, small": 12.0, "build of 32 nodes": 4.0, "run one, large": 8.0, "ls, large": 20.0, "throughput": 12.0}
OVERHEAD_BAR_SECONDS = 0.25
CANCEL_BAR_SECONDS = 0.5


class Api:
    """A real server, and the projects `small`, `twin` and `large` on it."""

    def __init__(self, root: Path, models: int) -> None:
        self.server = Server(
            root / "data", SLOTS=str(os.cpu_count() or 1), FOLDER_ROOTS=json.dumps([str(root)])
        ).start()
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {self.server.environment['PILOTHOUSE_DBT_API_TOKEN']}"
        self._numbers = count()
        for name in ("small", "twin"):
            self.server.register(name, write_small(root / name))
        self.server.register("large", write_large(root / "large", models))

    def submit(self, project: str, words: list[str]) -> str:
        """Queue a command."""
        body = {"task_id": f"t{next(self._numbers)}", "project": project, "command": words}
        answer = self._session.post(f"{self.server.url}/api/v1/invocations", json=body)
        answer.raise_for_status()
        return str(answer.json()["task_id"])

    def ended(self, task_id: str) -> dict[str, Any]:
        """Wait for the end."""
        state = "PENDING"
        while True:
            url = f"{self.server.url}/api/v1/invocations/{task_id}?wait=30&since_state={state}"
            read = self._session.get(url).json()
            state = read["state"]
            if state not in ("PENDING", "STARTED"):
                return dict(read)

    def seconds(self, project: str, words: list[str]) -> float:
        """From submit to result."""
        began = time.perf_counter()
        ended = self.ended(self.submit(project, words))
        seconds = time.perf_counter() - began
        if ended["state"] != "SUCCESS" or ended["engine"] != "warm":
            raise SystemExit(f"{words} ended as {ended['state']} ({ended['engine']}): {ended['exc_message']}")
        return seconds

    def warm_up(self, project: str, words: list[str]) -> None:
        """Run a command until the project is kept parsed."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            task_id = self.submit(project, words)
            self.ended(task_id)
            if b'"PartialParsingEnabled"' not in (log := self.log(task_id)) and b'"UnableToPartialParse"' not in log:
                return
            if time.monotonic() > until:
                raise SystemExit(f"'{project}' never became warm.")
            time.sleep(1)

    def log(self, task_id: str) -> bytes:
        """dbt's log of an invocation."""
        return (self.server.attempt(task_id) / "events.jsonl").read_bytes()

    def abort(self, task_id: str) -> float:
        """Abort a running query; seconds until the state is final, checked for results written and lock released."""
        until = time.monotonic() + PATIENCE_SECONDS
        path = self.server.attempt(task_id) / "events.jsonl"
        while not (path.exists() and b"OK created sql view" in path.read_bytes() and b"endless" in path.read_bytes()):
            if time.monotonic() > until:
                raise SystemExit("The query to abort never began.")
            time.sleep(0.02)
        time.sleep(1)
        began = time.perf_counter()
        self._session.post(f"{self.server.url}/api/v1/invocations/{task_id}/abort").raise_for_status()
        ended = self.ended(task_id)
        seconds = time.perf_counter() - began
        duckdb.connect(str(self.server.data / "warehouses/small/measured.duckdb")).close()
        assert ended["state"] == "ABORTED"
        assert "run_results.json" in {each["name"] for each in ended["artifacts"]}
        return seconds


class Cli:
    """`dbt` started by hand, each project with a folder, a warehouse and a parse cache of its own."""

    def __init__(self, root: Path, models: int) -> None:
        self._root = root
        for name in ("small", "twin"):
            write_small(root / name)
        write_large(root / "large", models)

    def seconds(self, project: str, words: list[str]) -> float:
        """From start to end of the process."""
        began = time.perf_counter()
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        folder = self._root / project
        command = [str(DBT), *words, "--quiet", "--log-level-file", "none", "--no-send-anonymous-usage-stats"]
        subprocess.run(
            command,
            cwd=folder,
            env=environment | {"PILOTHOUSE_PROJECT_DATA": str(folder)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - began


def main() -> None:
    """Measure all rows and print ratios."""
    options = _options()
    if (load := os.getloadavg()[0]) > (os.cpu_count() or 1) / 2:
        print(f"This machine is busy (load {load:.1f}): only the ratios will mean something.")
    compileall.compile_dir(sysconfig.get_paths()["purelib"], quiet=2, workers=0)
    with tempfile.TemporaryDirectory(prefix="dbt_api_speed.") as folder:
        root = Path(folder)
        cli, api = Cli(root / "cli", options.models), Api(root / "api", options.models)
        try:
            for project in ("small", "twin"):
                cli.seconds(project, BUILD)
                api.warm_up(project, BUILD)
            cli.seconds("large", ONE_LARGE)
            api.warm_up("large", ONE_LARGE)
            _ratios(cli, api, options.rounds)
            _overhead(api, options.rounds)
            _cancel(api, options.rounds)
            _memory(api)
        finally:
            api.server.end()


def _ratios(cli: Cli, api: Api, rounds: int) -> None:
    rows: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
        "run one, small": (lambda: cli.seconds("small", ONE_SMALL), lambda: api.seconds("small", ONE_SMALL)),
        "build of 32 nodes": (lambda: cli.seconds("small", BUILD), lambda: api.seconds("small", BUILD)),
        "run one, large": (lambda: cli.seconds("large", ONE_LARGE), lambda: api.seconds("large", ONE_LARGE)),
        "ls, large": (lambda: cli.seconds("large", ["ls"]), lambda: api.seconds("large", ["ls"])),
        "throughput": (lambda: _each(cli.seconds, 4), lambda: _each(api.seconds, 20)),
    }
    print(f"{'':20} {'dbt s':>8} {'API s':>8} {'times':>7} {'bar':>5}")
    for name, (by_hand, ours) in rows.items():
        pairs = [(by_hand(), ours()) for _ in range(rounds)]
        ratio = statistics.median(hand / mine for hand, mine in pairs)
        hand, mine = (statistics.median(each) for each in zip(*pairs, strict=True))
        verdict = "met" if ratio >= BARS[name] else "MISSED"
        print(f"{name:20} {hand:8.3f} {mine:8.3f} {ratio:7.1f} {BARS[name]:5.0f} {verdict}", flush=True)


def _each(seconds: Callable[[str, list[str]], float], commands: int) -> float:
    """Seconds per command with one in flight for each of two projects."""
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda project: [seconds(project, ONE_SMALL) for _ in range(commands // 2)], ("small", "twin")))
    return (time.perf_counter() - began) / commands


def _overhead(api: Api, rounds: int) -> None:
    """What a result takes beyond the SQL itself, replayed by plain DuckDB on a copy of the warehouse."""
    task_id = api.submit("small", ONE_SMALL)
    api.ended(task_id)
    lines = [json.loads(line) for line in api.log(task_id).splitlines() if line.startswith(b"{")]
    statements = [event["data"]["sql"] for event in lines if event["info"]["name"] == "SQLQuery"]
    warehouse = str(api.server.data / "warehouses/small/measured.duckdb")
    over = [api.seconds("small", ONE_SMALL) - _replayed(warehouse, statements) for _ in range(rounds)]
    verdict = "met" if (median := statistics.median(over)) <= OVERHEAD_BAR_SECONDS else "MISSED"
    print(f"overhead above SQL   {median:.3f} s, bar {OVERHEAD_BAR_SECONDS} s: {verdict}")


def _replayed(warehouse: str, statements: list[str]) -> float:
    began = time.perf_counter()
    with duckdb.connect(warehouse) as connection:
        for statement in statements:
            with suppress(duckdb.Error):  # begin and commit of connections that were not one
                connection.execute(statement)
    return time.perf_counter() - began


def _cancel(api: Api, rounds: int) -> None:
    words = ["run", "--select", "stg_customers", "endless"]
    seconds = [api.abort(api.submit("small", words)) for _ in range(rounds)]
    verdict = "met" if max(seconds) <= CANCEL_BAR_SECONDS else "MISSED"
    median = statistics.median(seconds)
    print(
        f"cancel               median {median:.3f} s, worst {max(seconds):.3f} s, bar {CANCEL_BAR_SECONDS} s: {verdict}"
    )


def _memory(api: Api) -> None:
    """Memory that no other process shares, of every process below the server that holds a project parsed."""
    assert api.server.process is not None
    roots = [pid for pid in _children(api.server.process.pid) if b"zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    for root in roots:
        each = sorted(_private_mib(pid) for pid in _children(root) if os.getsid(pid) == os.getsid(root))
        print(f"idle memory          root {_private_mib(root)} MiB; per parsed project {each} MiB private")


def _children(pid: int) -> list[int]:
    stats = {int(path.parent.name): path.read_text() for path in Path("/proc").glob("[0-9]*/stat")}
    return [child for child, stat in stats.items() if int(stat.rpartition(")")[2].split()[1]) == pid]


def _private_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) >> 10


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--models", type=int, default=2000, help="size of the large project")
    return parser.parse_args()


if __name__ == "__main__":
    main()
