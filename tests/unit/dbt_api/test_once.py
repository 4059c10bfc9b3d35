"""What the warm engine remembers of dbt's repeated work is what dbt would work out anew."""

import subprocess
import sys

from tests.unit.dbt_api.server import ROOT

BEGINNING = """
import sys
sys.path.append(sys.argv[1])
from dbt_api.zygote import once
"""


def printed(program: str) -> list[str]:
    command = [sys.executable, "-c", BEGINNING + program, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_templates_render_as_before_and_wrong_ones_are_refused_every_time() -> None:
    """Also where one text means a string as a macro's and a number as a value of the profile."""
    program = """
from dbt.clients.jinja import get_rendered
from dbt_common.clients.jinja import get_template
from dbt_common.exceptions import CompilationError

def shown():
    native = [get_rendered("{{ n * 2 }}", {"n": n}, native=True) for n in (1, 2)]
    text = [get_rendered("{{ n * 2 }}", {"n": n}) for n in (1, 2)]
    macro = get_template("{% macro greet(name) %}hello {{ name }}{% endmacro %}", {})
    return native, text, macro.make_module({}, False, {}).dbt_macro__greet("you")

before = shown()
once.compile_templates_once()
print(shown() == before, shown() == before)
for _ in range(2):
    try:
        get_template("{% if %}", {})
    except CompilationError:
        print("refused")
"""
    assert printed(program) == ["True True", "refused", "refused"]


def test_what_is_not_valid_is_refused_every_time() -> None:
    program = """
from dbt.contracts.project import Project
from dbt_common.dataclass_schema import ValidationError
import os
once.validate_once()

def check(**more):
    try:
        Project.validate({"name": "shop", "config-version": 2, "profile": "shop", **more})
        print("valid")
    except ValidationError:
        print("refused")

for path in ("/one", "/two"):
    os.environ["DBT_TARGET_PATH"] = path
    check(**{"target-path": path, "clean-targets": [path]})
for value in (5, None, ["/one"], 5):
    check(**{"target-path": value})
for _ in range(2):
    check(version=["1"])
"""
    assert printed(program) == ["valid", "valid", "refused", "valid", "refused", "refused", "refused", "refused"]


def test_columns_have_the_types_that_they_had() -> None:
    program = """
from dbt_common.clients.agate_helper import table_from_data

ROWS = [
    {"day": "2026-11-26", "at": "2026-11-26T01:02:03", "said": "tomorrow", "n": "5", "none": None},
    {"day": "2024-02-29", "at": "2026-01-31T23:00:00+01:00", "said": "5 minutes ago", "n": "0.5", "none": None},
]

def shown():
    table = table_from_data(ROWS, list(ROWS[0]))
    return [type(each).__name__ for each in table.column_types], [list(row) for row in table.rows][0][:2]

before = shown()
once.learn_dates_once()
print(shown() == before, shown() == before)
"""
    assert printed(program) == ["True True"]
