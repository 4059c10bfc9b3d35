"""Components of our own: their scripts are fetched, not sent with each visit."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.ui import components

SCRIPT = """// says what it is told
function show(there, told) {
  there.textContent = told;
}
"""


def test_a_script_is_fetched_by_a_name_that_changes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "show.js"
    path.write_text(SCRIPT)
    components.component("shown", scripts=[path], draws="show")
    path.write_text(SCRIPT.replace("told;", "told.words;"))
    components.component("shown", scripts=[path], draws="show")
    first, second = (name for name in components._scripts if name.startswith("shown."))
    client = TestClient(Starlette(routes=components.script_routes("/hub/")))
    answer = client.get(f"/hub/scripts/{first}")
    assert answer.text.startswith("function show(there, told) {\nthere.textContent = told;\n}")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "told.words" in client.get(f"/hub/scripts/{second}").text
    assert client.get("/hub/scripts/shown.js").status_code == 404
