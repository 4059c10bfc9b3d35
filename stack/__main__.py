"""Entry point of `python3 -m stack`. This file must parse on any Python, to say which one is needed."""

import sys

if sys.version_info[:2] != (3, 11):
    sys.stderr.write(
        "Pilothouse needs Python 3.11 and this is Python %d.%d: run `python3.11 -m stack`.\n" % sys.version_info[:2]  # noqa: UP031
    )
    sys.exit(2)

from stack.cli import main

sys.exit(main(sys.argv[1:]))
