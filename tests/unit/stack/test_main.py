"""The entry point must explain itself to any Python."""

import ast
import subprocess
import sys

from stack.places import ROOT

PRETEND = "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); runpy.run_module('stack', run_name='__main__')"


def test_wrong_python_is_one_sentence_and_status_2() -> None:
    done = subprocess.run([sys.executable, "-c", PRETEND], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "Pilothouse needs Python 3.11 and this is Python 3.9: run `python3.11 -m stack`.\n"


def test_old_pythons_can_parse_what_is_read_before_the_version_check() -> None:
    for name in ("__init__.py", "__main__.py"):
        ast.parse((ROOT / "stack" / name).read_text(), feature_version=(3, 0))


def test_an_unknown_test_stage_is_named() -> None:
    done = subprocess.run([sys.executable, "-m", "stack", "test", "unti"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("There is no stage unti: choose from format, lint,")
