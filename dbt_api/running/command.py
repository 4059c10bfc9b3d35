"""Which dbt words a client may send. dbt itself judges the rest: an unknown option is its usage error to tell.

Refused: commands outside the list, options that name files or folders (the server chooses those), and global options
in front of the command other than the known harmless ones. Options of logging are taken away: the log's form is ours.
"""

import re

from dbt_api.errors import ApiError

COMMANDS = {
    *("build", "run", "test", "seed", "snapshot", "compile", "ls", "list", "parse", "debug", "deps", "run-operation"),
    *("docs generate", "source freshness", "retry"),
}
GROUPS = {"docs", "source"}
PATH_OPTIONS = {
    *("--project-dir", "--profiles-dir", "--target-path", "--log-path", "--state", "--defer-state"),
    *("--partial-parse-file-path", "--record-timing-info", "--packages-install-path", "--config-dir"),
}
TIMING_FILE = re.compile(r"^-[dfqx]*r")
JOINED_TARGET = re.compile(r"^-[dfqx]*t.|^-[dfqx]+t")
OUTPUT_FILE = re.compile(r"^(-[dfqx]*o|--output(=|$))")
"""Short options may be run together with others and with their value: `-xr/tmp/file`."""
FORBIDDEN = {
    "--upload-to-artifacts-ingest-api": "it sends artifacts to another service",
    "--use-v2-parser": "its parser is not installed here",
    "--send-anonymous-usage-stats": "the dbt API sends nothing to third parties",
    "--no-write-json": "the dbt API keeps the artifacts",
}
LOGGING_FLAGS = {
    *("--debug", "-d", "--no-debug", "--quiet", "-q", "--no-quiet", "--use-colors", "--no-use-colors"),
    *("--use-colors-file", "--no-use-colors-file", "--no-send-anonymous-usage-stats", "--write-json"),
}
LOGGING_OPTIONS = {
    *("--log-level", "--log-level-file", "--log-format", "--log-format-file", "--log-file-max-bytes"),
    "--printer-width",
}
GLOBAL_FLAGS = {
    *("--fail-fast", "-x", "--no-fail-fast", "--warn-error", "--partial-parse", "--no-partial-parse", "--print"),
    *("--no-print", "--populate-cache", "--no-populate-cache", "--cache-selected-only", "--no-cache-selected-only"),
    *("--version-check", "--no-version-check", "--full-refresh", "-f", "--favor-state", "--no-favor-state"),
}
GLOBAL_OPTIONS = {"--warn-error-options", "--target", "-t", "--profile", "--indirect-selection", "--vars", "--threads"}


def checked(words: list[str]) -> list[str]:
    """The command as dbt shall get it. Raises ApiError 422 for what a client may not say."""
    if any("\0" in word for word in words):
        raise ApiError(422, "The command holds a NUL character.")
    kept = _without_logging(words)
    _refuse_forbidden(kept)
    name, rest = command_name(kept), _without_globals(kept)
    if name not in COMMANDS:
        raise ApiError(422, f"'{name}' is not a dbt command that may run here.", hint=", ".join(sorted(COMMANDS)))
    if name == "source freshness" and any(OUTPUT_FILE.match(word) for word in rest):
        raise ApiError(422, "'--output' names a file, which the dbt API chooses itself.")
    return kept


def command_name(words: list[str]) -> str:
    """The dbt command among the words, e.g. `docs generate`. Raises ApiError 422 when there is none."""
    rest = _without_globals(words)
    if not rest:
        raise ApiError(422, "The command names no dbt command.", hint=f"One of: {', '.join(sorted(COMMANDS))}.")
    return " ".join(rest[:2]) if rest[0] in GROUPS else rest[0]


def options_apart(words: list[str], *, several: set[str], one: set[str]) -> tuple[list[str], list[str]]:
    """The named options with their values, and the other words. `several` take all values up to the next option."""
    options: list[str] = []
    rest: list[str] = []
    position = 0
    while position < len(words):
        name, equals, _ = words[position].partition("=")
        key = name if name.startswith("--") else name[:2]
        end = position + 1
        while key in several and end < len(words) and not words[end].startswith("-"):
            end += 1
        if key in one and not equals and key == name:
            end += 1
        (options if key in several | one else rest).extend(words[position:end])
        position = end
    return options, rest


def option(words: list[str], *names: str) -> str | None:
    """The value of an option, given as `--name value` or `--name=value`; the last one counts, as with dbt."""
    value = None
    for position, word in enumerate(words):
        name, equals, inline = word.partition("=")
        if name in names:
            value = inline if equals else next(iter(words[position + 1 :]), None)
    return value


def without_option(words: list[str], name: str) -> list[str]:
    """The words without an option and its value."""
    return _drop(words, flags=set(), options={name})


def _without_logging(words: list[str]) -> list[str]:
    return _drop(words, flags=LOGGING_FLAGS, options=LOGGING_OPTIONS)


def _drop(words: list[str], *, flags: set[str], options: set[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        name, equals, _ = word.partition("=")
        if skip:
            skip = False
        elif name in options:
            skip = not equals
        elif word not in flags:
            kept.append(word)
    return kept


def _refuse_forbidden(words: list[str]) -> None:
    for word in words:
        name = word.partition("=")[0]
        if name in PATH_OPTIONS or TIMING_FILE.match(word):
            raise ApiError(422, f"'{name}' names a file or folder, which the dbt API chooses itself.")
        if JOINED_TARGET.match(word):
            raise ApiError(422, f"'{word}' names a target in a form that is not read here: write --target <name>.")
        if name in FORBIDDEN:
            raise ApiError(422, f"'{name}' may not be used: {FORBIDDEN[name]}.")


def _without_globals(words: list[str]) -> list[str]:
    position = 0
    while position < len(words) and words[position].startswith("-"):
        name, equals, _ = words[position].partition("=")
        if name not in GLOBAL_FLAGS | GLOBAL_OPTIONS:
            raise ApiError(422, f"'{name}' in front of the dbt command is not a known option.")
        position += 2 if name in GLOBAL_OPTIONS and not equals else 1
    return words[position:]
