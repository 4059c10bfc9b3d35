"""The commands of `python3 -m stack`."""

import argparse
import signal
import sys
from types import FrameType

from stack import locks, testing, up
from stack.places import Places
from stack.problems import Problem
from stack.processes import PARTS


def main(arguments: list[str]) -> int:
    """Run one command. Returns its exit status; 2 means that something must be put right first."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        status: int = options.run(options)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped, as asked.", file=sys.stderr)
        return 0 if options.run is _up else 130
    return status


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _up(options: argparse.Namespace) -> int:
    return up.up(Places.from_settings(), [part for part in PARTS if part in (options.only or PARTS)])


def _status(_options: argparse.Namespace) -> int:
    return up.status(Places.from_settings())


def _stop(_options: argparse.Namespace) -> int:
    return up.stop(Places.from_settings())


def _test(options: argparse.Namespace) -> int:
    return testing.test(Places.from_settings(), options.stages)


def _lock(_options: argparse.Namespace) -> int:
    return locks.lock(Places.from_settings())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m stack", description="Runs, tests and locks Pilothouse.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, run, words in (
        ("up", _up, "install what is missing, start everything, stay until Ctrl-C"),
        ("status", _status, "what runs"),
        ("stop", _stop, "stop what `up` started, from another terminal"),
        ("test", _test, "all checks and tests, or some stages of them"),
        ("lock", _lock, "compile the requirements.in files to locks"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(run=run)
        if name == "up":
            command.add_argument("--only", action="append", choices=PARTS, help="start this part; may be repeated")
        if name == "test":
            command.add_argument("stages", nargs="*", metavar="stage", help=" ".join(testing.STAGES))
    return parser
