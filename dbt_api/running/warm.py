"""The warm engine, seen from the server: starts dbt as a fork of a process that has dbt imported and projects parsed.

One root zygote per dbt environment, kept alive by a thread; below it one manifest zygote per project state, made in the
background when a project is first used, the least recently used one leaving when there are too many. The server holds
one socket to each: they end with it. Whatever goes wrong here, the caller starts the plain command instead.
"""

import logging
import threading
from collections import OrderedDict
from pathlib import Path
from shutil import rmtree
from typing import Any

from dbt_api.projects.profile import read_profile
from dbt_api.running.command import option
from dbt_api.running.dbt_process import DbtCall, installed, site_packages
from dbt_api.running.fingerprint import parse_key
from dbt_api.running.zygotes import Zygote, ZygoteGone, fork_parsed, spawn_root
from dbt_api.settings import settings

LOG = logging.getLogger(__name__)
LONGEST_REST_SECONDS = 60
SEEN_KEYS = 1000
KNOWN_VERSIONS = {"core": "1.12.", "duckdb": "1.11."}
COLD_COMMANDS = {"deps", "debug"}
"""They look at, or change, what the zygote has already loaded."""
WITH_MANIFEST = {"build", "run", "test", "seed", "snapshot", "compile", "ls", "list", "source", "run-operation", "docs"}
PARSE_FLAGS = {"--no-partial-parse", "--warn-error", "--warn-error-options"}
"""With these, parsing is part of what was asked for."""


class WarmUnanswered(Exception):
    """An order was given, and whether it was carried out is not known."""


class WarmEngine:
    """The zygotes of one dbt environment."""

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.state = "The warm engine is starting."
        self._root: Zygote | None = None
        self._made_from: list[int] = []
        self._parsed: OrderedDict[str, Zygote] = OrderedDict()
        self._seen: dict[str, None] = {}
        self._turn = threading.Lock()
        self._loading = threading.Lock()
        self._closing = threading.Event()
        threading.Thread(target=self._keep_root, daemon=True, name=f"root zygote of {environment}").start()

    @property
    def is_ready(self) -> bool:
        """Whether invocations start warm at present."""
        return self._root is not None

    def close(self) -> None:
        """End all zygotes; what they forked goes on."""
        self._closing.set()
        with self._turn:
            root, self._root = self._root, None
            for zygote in [*self._parsed.values(), *([root] if root else [])]:
                zygote.end()
            self._parsed.clear()

    def start(self, call: DbtCall, folder: Path, *, lock: int, log: int) -> str | None:
        """Start dbt by a fork. None when that was done, otherwise the reason why not."""
        reason = self._unsuitable(call)
        root = self._root
        if reason is not None or root is None:
            return reason or self.state
        key = parse_key(call) if _uses_manifest(call.words) else None
        parsed = self._take(key) if key else None
        variables = call.variables(folder)
        order: dict[str, Any] = {"do": "run", "words": call.arguments, "cwd": str(call.path), "environment": variables}
        order |= {"folder": str(folder), "memory_limit_bytes": settings().memory_limit_mb << 20}
        try:
            (parsed or root).order(order, [lock, log])
        except ZygoteGone as gone:
            self._bury(parsed or root, key)
            raise WarmUnanswered(f"The warm process did not answer: {gone}.") from gone
        if key is not None and parsed is None:
            self._load_later(key, call)
        return None

    def _unsuitable(self, call: DbtCall) -> str | None:
        if COLD_COMMANDS.intersection(call.words):
            return "This command always starts cold."
        adapter = (read_profile(call.path).adapters or {}).get(call.target)
        if adapter != "duckdb":
            return f"Only DuckDB projects start warm; the target's adapter is {adapter or 'not known'}."
        if self._made_from and self._made_from != _state_of(self.environment) and self._root is not None:
            self.state = "dbt's environment was changed: the warm engine starts again."
            self._bury(self._root, None)
        return None

    def _take(self, key: str) -> Zygote | None:
        with self._turn:
            zygote = self._parsed.get(key)
            if zygote is not None and zygote.is_alive:
                self._parsed.move_to_end(key)
                return zygote
        if zygote is not None:
            self._bury(zygote, key)
        return None

    def _bury(self, zygote: Zygote, key: str | None) -> None:
        with self._turn:
            if zygote is self._root:
                self._root = None
            elif key is not None and self._parsed.get(key) is zygote:
                del self._parsed[key]
        zygote.end()

    def _load_later(self, key: str, call: DbtCall) -> None:
        """Parse for the next one. Vars often differ every time, so they are only worth it when they come again."""
        again = key in self._seen
        self._seen = dict.fromkeys([*list(self._seen)[-SEEN_KEYS:], key])
        if settings().warm_projects and (again or option(call.words, "--vars") is None):
            threading.Thread(target=self._load, args=(key, call), daemon=True, name="parsing for later").start()

    def _load(self, key: str, call: DbtCall) -> None:
        """Files may change while they are parsed: then it is nobody's key any more."""
        with self._loading:
            root = self._root
            if root is None or self._take(key) is not None or key != parse_key(call):
                return
            folder = settings().data / "zygotes" / key[:16]
            try:
                zygote = fork_parsed(root, call, folder)
                self._keep(key, zygote) if key == parse_key(call) else zygote.end()
            except (ZygoteGone, OSError) as error:
                LOG.info("%s is not kept parsed: %s", call.project, error)
            finally:
                rmtree(folder, ignore_errors=True)

    def _keep(self, key: str, zygote: Zygote) -> None:
        gone = []
        with self._turn:
            self._parsed[key] = zygote
            while len(self._parsed) > settings().warm_projects:
                gone.append(self._parsed.popitem(last=False)[1])
        for each in gone:
            each.end()

    def _keep_root(self) -> None:
        """Start the root zygote, and again whenever it ends; rest longer after each failure."""
        rest = 0.0
        while not self._closing.wait(rest):
            self._made_from = _state_of(self.environment)
            known = installed(self.environment)
            if not all(known.get(name, "").startswith(version) for name, version in KNOWN_VERSIONS.items()):
                self.state = f"No warm start for dbt-core {known.get('core', 'of unknown version')}."
                return
            root = spawn_root(self.environment)
            try:
                root.wait_until_ready()
            except ZygoteGone as gone:
                self.state = f"The warm engine could not start: {gone}"
                LOG.warning("%s", self.state)
                root.end()
                rest = min(LONGEST_REST_SECONDS, rest * 2 + 1)
            else:
                self.state, rest = "The warm engine is starting again.", 0.0
                self._root = root
                LOG.info("The dbt environment '%s' is warm.", self.environment)
            if self._closing.is_set():
                root.end()
            root.gone.wait()
            self._root = None
            root.end()


def _uses_manifest(words: list[str]) -> bool:
    name = next((word for word in words if word in WITH_MANIFEST), None)
    return name is not None and not any(word.partition("=")[0] in PARSE_FLAGS for word in words)


def _state_of(environment: str) -> list[int]:
    return [folder.stat().st_mtime_ns for folder in site_packages(environment)]


_engines: dict[str, WarmEngine] = {}


def open_engines() -> None:
    """Start warming every dbt environment, unless the settings say otherwise."""
    if settings().warm:
        for name in settings().dbt_environments:
            _engines[name] = WarmEngine(name)


def close_engines() -> None:
    """End every zygote."""
    while _engines:
        _engines.popitem()[1].close()


def start_warm(call: DbtCall, folder: Path, *, lock: int, log: int) -> str | None:
    """Start dbt warm if possible; otherwise the reason why not. Raises WarmUnanswered, and nothing else."""
    engine = _engines.get(call.environment)
    if engine is None:
        return "The warm engine is switched off."
    try:
        return engine.start(call, folder, lock=lock, log=log)
    except WarmUnanswered:
        raise
    except Exception as error:
        LOG.exception("The warm engine failed")
        return f"The warm engine failed: {error}"


def warm_states() -> dict[str, str]:
    """For each dbt environment `ready`, or why it is not."""
    return {name: "ready" if engine.is_ready else engine.state for name, engine in _engines.items()}
