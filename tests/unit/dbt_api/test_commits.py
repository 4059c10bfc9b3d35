"""What was committed between two runs of a project, from a real repository: a clone's, or the folder's own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server

Git = Callable[..., str]


@pytest.fixture
def repository(server: Server) -> tuple[Path, Git]:
    """A repository with the dbt project in its folder `dbt`, one commit old."""
    folder = server.data.parent / "commits"
    if not folder.exists():
        write_project(folder / "dbt")

    def git(*words: str) -> str:
        who = ("-c", "user.name=Anna Ship", "-c", "user.email=anna@example.com")
        done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    if not (folder / ".git").exists():
        git("init", "-q", "-b", "main")
        git("add", ".")
        git("commit", "-qm", "one")
    return folder, git


def commit(folder: Path, git: Git, file: str, subject: str) -> str:
    (folder / file).write_text(subject)
    git("add", ".")
    git("commit", "-qm", subject)
    return git("rev-parse", "HEAD")


@pytest.mark.parametrize("kind", ["git", "folder"])
def test_the_commits_after_one_and_up_to_another(server: Server, repository: tuple[Path, Git], kind: str) -> None:
    folder, git = repository
    source = {"kind": "git", "url": f"file://{folder}", "branch": "main", "subfolder": "dbt"}
    if kind == "folder":
        source = {"kind": "folder", "path": str(folder / "dbt")}
    name = f"commits_{kind}"
    since = git("rev-parse", "HEAD")
    commit(folder, git, "dbt/notes.md", "Berths: count the short ones too; 'quoted' | piped")
    until = commit(folder, git, "dbt/notes.md", "Fees of 2027")
    later = commit(folder, git, "dbt/notes.md", "Not yet run")
    answer = server.call("PUT", f"/api/v1/projects/{name}", json={"source": source})
    assert answer.status_code == 200, answer.text
    found = server.call("GET", f"/api/v1/projects/{name}/commits", params={"since": since, "until": until}).json()
    subjects = ["Fees of 2027", "Berths: count the short ones too; 'quoted' | piped"]
    assert [each["subject"] for each in found["commits"]] == subjects
    assert {each["author"] for each in found["commits"]} == {"Anna Ship"}
    assert found["complete"] is True
    assert later not in str(found)
    unknown = {"since": "0" * 40, "until": until}
    gone = server.call("GET", f"/api/v1/projects/{name}/commits", params=unknown).json()
    assert gone["complete"] is False


@pytest.mark.parametrize(
    ("project", "params", "said"),
    [
        ("shop", {"since": "a" * 40, "until": "b" * 40}, "commit"),
        ("shop", {"since": "--output=/tmp/x", "until": "b" * 40}, "since"),
        ("shop", {"until": "b" * 40}, "since"),
    ],
)
def test_what_is_no_commit_is_refused(server: Server, project: str, params: dict[str, str], said: str) -> None:
    answer = server.call("GET", f"/api/v1/projects/{project}/commits", params=params)
    assert answer.status_code == 422
    assert said in answer.text
