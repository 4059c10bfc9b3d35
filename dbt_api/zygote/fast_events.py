"""dbt's log events in a third of the time: the same lines, made without Protobuf's reflection and Python's logging.

dbt builds a message for each event, turns it back into a dictionary for its JSON line, and hands that to a logger that
notes the caller, the process and the task, none of which it prints. Here the dictionary is made at once, what is known
of a type is looked up once, and the line goes to the log's stream. Whatever is out of the ordinary goes dbt's own way.
tests/unit/dbt_api/test_fast_events.py compares the two.
"""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from json.encoder import c_make_encoder, encode_basestring_ascii  # type: ignore[attr-defined]
from logging import StreamHandler
from types import SimpleNamespace
from typing import Any

from dbt.adapters.events import adapter_types_pb2
from dbt.events import core_types_pb2
from dbt.tracking import track_behavior_change_warn
from dbt_common.constants import SECRET_ENV_PREFIX
from dbt_common.events import types_pb2
from dbt_common.events.base_types import msg_from_base_event
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.functions import get_metadata_vars, msg_to_dict
from dbt_common.events.logger import PRINT_EVENT_NAMES, _JsonLogger, _log_level_map, send_to_logger
from dbt_common.invocation import get_invocation_id
from dbt_common.utils.encoding import ForgivingJSONEncoder
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict

Read = Callable[[Any], Any]

PREFIX = SECRET_ENV_PREFIX.encode()
DBT_OPTIONS = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
"""How dbt calls `MessageToDict`."""
INFO = ["name", "code", "msg", "level", "invocation_id", "pid", "thread", "ts", "extra", "category"]
"""What every event tells of itself."""
NUMBERS = {level.value: number for level, number in _log_level_map.items()}
ENCODER = ForgivingJSONEncoder(sort_keys=True)
ENCODE = c_make_encoder(None, ENCODER.default, encode_basestring_ascii, None, ": ", ", ", True, False, True)
AS_THEY_ARE = {FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_BOOL, FieldDescriptor.CPPTYPE_INT32}
AS_TEXT = {FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64}
"""JSON has no integer of 64 bits (protobuf.dev/programming-guides/json)."""


class Told:
    """An event as dbt's JSON loggers see it, in the place of the message that dbt would make of it."""

    __slots__ = ("data", "info")

    def __init__(self, event: Any, level: Any = None) -> None:
        self.data = event.pb_msg
        self.info = SimpleNamespace(
            name=type(event).__name__,
            code=event.code(),
            msg=event.message(),
            level=(level or event.level_tag())._value_,
            invocation_id=get_invocation_id(),
            pid=os.getpid(),
            thread=threading.current_thread().name,
            ts=written(datetime.now(UTC)),
            extra=get_metadata_vars(),
            category="",
        )


def fits() -> bool:
    """Whether events tell of themselves what is known here. Looks up all their types, so that no invocation has to."""
    for module in (adapter_types_pb2, core_types_pb2, types_pb2):
        for descriptor in module.DESCRIPTOR.message_types_by_name.values():
            _reader(descriptor)
    return [field.name for field in types_pb2.EventInfo.DESCRIPTOR.fields] == INFO


def message_of(event: Any, level: Any = None) -> Any:
    """What dbt's `msg_from_base_event` makes, unless somebody listens that wants more of it than JSON loggers do."""
    listening = get_event_manager()
    known = all(type(each) is _JsonLogger for each in listening.loggers)
    if known and all(each is track_behavior_change_warn for each in listening.callbacks):
        return Told(event, level)
    return msg_from_base_event(event, level=level)


def written(moment: datetime) -> str:
    """A moment as Protobuf writes a timestamp: with as many digits, of 0, 3 and 6, as it takes."""
    text = moment.isoformat().removesuffix("+00:00")
    return f"{text[:-3]}Z" if moment.microsecond and not moment.microsecond % 1000 else f"{text}Z"


def line_of(logger: Any, message: Any) -> str:
    """dbt's `create_line` of JSON loggers: by an encoder that is made once."""
    return str(logger.scrubber("".join(ENCODE(msg_to_dict(message), 0))))


def write_line(logger: Any, message: Any) -> None:
    """dbt's `write_line` of JSON loggers: without Python's logging where that does no more than write the line."""
    line, log = logger.create_line(message), logger._python_logger
    info = message.info
    level = "error" if info.name in PRINT_EVENT_NAMES else info.level
    handlers = log.handlers
    if len(handlers) != 1 or type(handlers[0]) is not StreamHandler:
        send_to_logger(log, level, line)
    elif log.isEnabledFor(NUMBERS[level]):
        handler: Any = handlers[0]
        try:
            with handler.lock:
                handler.stream.write(f"{line}\n")
                handler.stream.flush()
        except OSError:  # such as a full disk, which logging tells of and goes on
            send_to_logger(log, level, line)


def parse_dict(values: dict[str, Any], message: Any) -> Any:
    """`ParseDict` into a new message: by its constructor, unless that does not take the values as they are."""
    try:
        return type(message)(**values)
    except (TypeError, ValueError, AttributeError):  # the last is what a time given as text raises
        return ParseDict(values, message)


def secrets() -> list[str]:
    """dbt's `env_secrets`, without decoding every variable for every event."""
    found = [os.environ[os.fsdecode(name)] for name in os.environb if name.startswith(PREFIX)]
    return [value for value in found if value.strip()]


def as_dict(message: Any, **_options: bool) -> dict[str, Any]:
    """`MessageToDict` with dbt's options. Of equal content; the order of keys is dbt's to sort."""
    if type(message) is Told:
        return {"info": vars(message.info), "data": as_dict(message.data)}
    read = _reader(message.DESCRIPTOR)
    taken: dict[str, Any] = read(message) if read is not None else MessageToDict(message, **DBT_OPTIONS)
    return taken


@cache
def _reader(descriptor: Descriptor) -> Read | None:
    """How a type is read; None for one with a field that is not worth writing down here."""
    fields = [(field.name, field.has_presence, _field_reader(field)) for field in descriptor.fields]
    if descriptor.file.name.startswith("google/protobuf/") or any(read is None for _, _, read in fields):
        return None

    def read_message(message: Any) -> dict[str, Any]:
        return {
            name: read(getattr(message, name))  # type: ignore[misc]
            for name, may_be_absent, read in fields
            if not may_be_absent or message.HasField(name)
        }

    return read_message


def _field_reader(field: FieldDescriptor) -> Read | None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        keys, values = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        read = _value_reader(values) if keys.cpp_type == FieldDescriptor.CPPTYPE_STRING else None
        return _of_mapping(read) if read is not None else None
    read = _value_reader(field)
    return _of_each(read) if field.is_repeated and read is not None else read


def _of_mapping(read: Read) -> Read:
    return lambda mapping: {key: read(value) for key, value in mapping.items()}


def _of_each(read: Read) -> Read:
    return lambda values: [read(value) for value in values]


def _value_reader(field: FieldDescriptor) -> Read | None:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return None
    if field.cpp_type in AS_THEY_ARE:
        return lambda value: value
    if field.cpp_type in AS_TEXT:
        return str
    if field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE:
        return None
    if field.message_type.full_name == "google.protobuf.Timestamp":
        return lambda value: value.ToJsonString()
    return as_dict
