"""The few changes to dbt's inner workings that make a warm invocation fast, or right.

Written for and tested with dbt-core 1.12 and dbt-duckdb 1.11; each looks first whether what it changes is still there
in the form it knows and leaves dbt as it is otherwise. tests/unit/dbt_api/test_warm.py compares the results with the
plain command's.
"""

import json
import os
import sys
from contextlib import suppress
from typing import Any

import dbt.artifacts.schemas.base
import dbt.compilation
import dbt_common.behavior_flags
import dbt_common.clients.system
import dbt_common.events.base_types
import dbt_common.events.event_manager
import dbt_common.events.functions
import dbt_common.events.logger
import networkx
from dbt.plugins.manager import PluginManager
from dbt.version import __version__ as version
from dbt_common.utils.encoding import JSONEncoder

from dbt_api.zygote import fast_events, once
from dbt_api.zygote.once import takes

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]

MADE_FOR = "1.12."


def apply() -> None:
    """Change what can be changed in this dbt."""
    if not version.startswith(MADE_FOR):
        return
    for patch in (_acyclic_first, _no_graph_file, _fast_json, _plugins_once, _fast_events, _callers_name):
        patch()
    for patch in (once.compile_templates_once, once.validate_once, once.learn_dates_once):
        patch()


def _acyclic_first() -> None:
    """`networkx.find_cycle` is quadratic on deep graphs; whether there is a cycle at all is known in linear time."""
    linker = dbt.compilation.Linker
    if not takes(linker.find_cycles, "self"):
        return
    find_cycles = linker.find_cycles

    def find_cycles_if_any(self: Any) -> Any:
        return None if networkx.is_directed_acyclic_graph(self.graph) else find_cycles(self)

    linker.find_cycles = find_cycles_if_any  # type: ignore[method-assign]


def _no_graph_file() -> None:
    """graph.gpickle and graph_summary.json are dbt's own diagnostics, which the dbt API does not serve."""
    compiler, linker = dbt.compilation.Compiler, dbt.compilation.Linker
    if takes(compiler.write_graph_file, "self", "linker", "manifest"):
        compiler.write_graph_file = lambda self, linker, manifest: None  # type: ignore[method-assign]  # noqa: ARG005
    if takes(linker.get_graph_summary, "self", "manifest"):
        linker.get_graph_summary = lambda self, manifest: {}  # type: ignore[method-assign]  # noqa: ARG005


def _fast_json() -> None:
    """Artifacts by orjson where it is installed, with dbt's own encoder for what orjson doesn't know."""
    modules: tuple[Any, ...] = (dbt_common.clients.system, dbt.artifacts.schemas.base)
    if orjson is not None and all(takes(module.write_json, "path", "data") for module in modules):
        for module in modules:
            module.write_json = write_json


def _plugins_once() -> None:
    """dbt looks for plugins on the whole of its path in every command; a zygote's path does not change."""
    if takes(PluginManager.get_prefixed_modules):
        found = PluginManager.get_prefixed_modules()
        PluginManager.get_prefixed_modules = lambda: found  # type: ignore[method-assign]


def _fast_events() -> None:
    """Events as dbt makes them, by less work (fast_events.py)."""
    manager: Any = dbt_common.events.event_manager
    base: Any = dbt_common.events.base_types
    functions: Any = dbt_common.events.functions
    logger: Any = dbt_common.events.logger._JsonLogger
    known = takes(manager.msg_from_base_event, "event", "level") and takes(functions.env_secrets)
    known = known and takes(logger.write_line, "self", "msg") and hasattr(base, "ParseDict")
    if known and hasattr(functions, "MessageToDict") and fast_events.fits():
        manager.msg_from_base_event = fast_events.message_of
        base.ParseDict = fast_events.parse_dict
        functions.env_secrets = fast_events.secrets
        functions.MessageToDict = fast_events.as_dict
        logger.write_line = fast_events.write_line
        logger.create_line = fast_events.line_of


def _callers_name() -> None:
    """A behavior flag asks for its caller by `inspect.stack`, which reads the source file of every caller's caller."""
    flag, own = dbt_common.behavior_flags.BehaviorFlagRendered, dbt_common.behavior_flags.__name__
    if not takes(flag._default_source):
        return

    def default_source() -> str:
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") == own and frame.f_back is not None:
            frame = frame.f_back
        return str(frame.f_globals.get("__name__", "Unknown"))

    flag._default_source = staticmethod(default_source)  # type: ignore[method-assign]


def write_json(path: str, data: Any) -> bool:
    """Write what dbt's `write_json` would, whole or not at all."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(f"{path}.part", "wb") as file:
        file.write(dumps(data))
    os.replace(f"{path}.part", path)
    return True


def dumps(data: Any) -> bytes:
    """JSON as dbt writes it."""
    encoder = JSONEncoder()
    if orjson is not None:
        options = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
        with suppress(TypeError):  # such as an integer beyond 64 bits
            return orjson.dumps(data, default=encoder.default, option=options)
    return encoder.encode(data).encode()


def spliced(written: bytes) -> Any:
    """JSON that is written already, to be put into data for `dumps`."""
    return orjson.Fragment(written) if orjson is not None else json.loads(written)
