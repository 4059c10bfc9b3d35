"""The line that an error is about, from messages as warehouses write them."""

import pytest

from services.run.error_places import compiled_line, file_line, place_in_file, place_in_statement

SENT = (
    '/* {"app": "dbt", "connection_name": "model.shop.calls"} */\n\n  create table "shop"."main"."calls"\n  as (\n    '
    "{compiled}\n  );"
)
COMPILED = "select\n    call_id,\n    berth_no,\n    berth_no as again\nfrom calls\nwhere goods is not null"
DUCKDB = (
    "Runtime Error in model calls (models/calls.sql)\n"
    '  Binder Error: Referenced column "berth_no" not found in FROM clause!\n'
    '  Candidate bindings: "berth_id"\n  \n'
    "  LINE {line}:     berth_no,\n               ^^^^^^^^"
)


def sent(compiled: str = COMPILED) -> str:
    return SENT.replace("{compiled}", compiled)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('column "x" does not exist\nLINE 14:     x,\n             ^', 14),
        ("Database Error in model a\n  Unrecognized name: x at [12:5]\n  compiled code at t.sql", 12),
        ("001003 (42000): SQL compilation error:\nsyntax error line 3 at position 10 unexpected 'from'.", 3),
        ("000904 (42000): SQL compilation error: error line 7 at position 4\ninvalid identifier 'X'", 7),
        ("[PARSE_SYNTAX_ERROR] Syntax error at or near 'frm'. SQLSTATE: 42601 (line 5, pos 2)\n\n== SQL ==", 5),
        ("[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column with name `x` cannot be resolved.; line 9 pos 4;", 9),
        (
            "TrinoUserError(type=USER_ERROR, message=\"line 4:8: Column 'x' cannot be resolved\")",
            4,
        ),
        ("DB::Exception: Syntax error: failed at position 45 ('frm') (line 3, col 5): frm", 3),
        ('syntax error at or near "from" in context "select a, from", at line 6, column 11', 6),
    ],
)
def test_every_adapter_names_the_line_in_its_own_words(message: str, line: int) -> None:
    place = place_in_statement(message)
    assert place is not None
    assert place.line == line


@pytest.mark.parametrize(
    "message",
    [
        "Got 2 results, configured to fail if != 0",
        "connection to server at line.example failed",
        "",
        "OK created 14 lines",
    ],
)
def test_where_no_line_is_told_none_is_guessed(message: str) -> None:
    assert place_in_statement(message) is None
    assert compiled_line(message, COMPILED, sent()) is None


@pytest.mark.parametrize("line", [7, 5], ids=["counted from the comment, as Postgres does", "as DuckDB does"])
def test_the_line_is_counted_within_what_was_sent(line: int) -> None:
    assert compiled_line(DUCKDB.format(line=line), COMPILED, sent()) == 3


DUCKDB_2 = (
    "Runtime Error in model calls (models/calls.sql)\n"
    '  Binder Error: Referenced column "berth_no" not found in FROM clause!\n'
    '  Candidate bindings: "berth_id"'
)
"""As dbt-duckdb 1.11.1 on DuckDB 2.0.0 really writes it: the comment in front has pushed the place off the end."""


def test_a_place_that_the_name_contradicts_is_not_believed() -> None:
    compiled = "select\n    call_id,\n    berth_no\nfrom calls"
    assert compiled_line(f"{DUCKDB_2}\n\n  LINE 6: from calls\n            ^", compiled, sent(compiled)) == 3


def test_a_name_that_one_line_has_tells_that_line() -> None:
    compiled = "select\n    call_id,\n    BERTH_NO\nfrom calls"
    assert compiled_line(DUCKDB_2, compiled, None) == 3
    assert compiled_line(DUCKDB_2, COMPILED, None) is None, "two lines have it"
    assert compiled_line("Catalog Error: Table with name calls does not exist!", compiled, None) == 4
    assert compiled_line("invalid identifier 'CALLS.BERTH_NO'", compiled, None) == 3
    assert compiled_line('Parser Error: syntax error at or near ")"', compiled, None) is None


def test_duckdbs_count_behind_a_comment_is_not_believed_without_a_name() -> None:
    assert compiled_line("Conversion Error: x\n\n  LINE 5:     berth_no,\n", COMPILED, sent()) is None


def test_a_line_that_quotes_nothing_is_counted_from_the_first() -> None:
    assert compiled_line("Unrecognized name: berth_no at [7:5]", COMPILED, sent()) == 3
    assert compiled_line("Syntax error: expected end of input at [3:5]", COMPILED, sent()) is None, (
        "a line of dbt's own"
    )


def test_blank_lines_in_front_count_as_the_file_has_them() -> None:
    compiled = f"\n\n{COMPILED}\n"
    assert compiled_line("error line 7 at position 4", compiled, sent()) == 5


def test_without_the_statement_only_a_quotation_that_is_there_once_tells() -> None:
    once = "syntax error\nLINE 9:     call_id,\n"
    assert compiled_line(once, COMPILED, None) == 2
    assert compiled_line("syntax error\nLINE 9: ...berth_no...\n", COMPILED, None) is None
    assert compiled_line("Unrecognized name at [7:5]", COMPILED, None) is None


def test_a_quotation_that_contradicts_the_count_tells_nothing() -> None:
    assert compiled_line("x\nLINE 7: from elsewhere\n", COMPILED, sent()) is None


def test_a_long_line_is_quoted_in_part() -> None:
    compiled = "select 1,\n  aaaa, bbbb, cccc\nfrom x"
    assert compiled_line("x\nLINE 6: ..., bbbb, cc...\n", compiled, sent(compiled)) == 2


def test_the_file_has_the_same_line_unless_it_was_written_by_a_template() -> None:
    raw = "select\n    call_id,\n    {{ berth() }},\n    berth_no as again\nfrom {{ ref('calls') }}\n"
    assert file_line(COMPILED, 4, raw) == 4
    assert file_line(COMPILED, 3, raw) is None
    assert file_line("a\n\nb", 2, "a\n\nb") is None


def test_jinja_names_a_line_of_the_file() -> None:
    told = "Compilation Error in model calls (models/calls.sql)\n  unexpected '}'\n    line 3\n      {{ berth() }"
    assert place_in_file(told) == 3
    assert place_in_file("Runtime Error in model calls\n    line 3\n") is None
