import pytest

from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand
from services import projects
from services.projects import InvalidDraft, ProjectDraft

GOOD = ProjectDraft(name="shop", owner="anna")
GIT = {"kind": "git", "url": "https://git.example.com/acme/shop.git", "branch": "main", "subfolder": ""}


def _with(**values: object) -> ProjectDraft:
    return ProjectDraft.model_validate(GOOD.model_dump() | values)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"name": "a; touch x"}, "name", "lower-case letters"),
        ({"name": "Shop"}, "name", "lower-case letters"),
        ({"name": "x" * 51}, "name", "2 to 50"),
        ({"name": ""}, "name", "2 to 50"),
        ({"owner": "   "}, "owner", "who answers"),
        ({"description": "x" * 2001}, "description", "2,000"),
        ({"schedule": "61 * * * *"}, "schedule", "not a cron expression"),
        ({"schedule": "0 0 30 2 *"}, "schedule", "never comes"),
        ({"retries": 11}, "retries", "At most 10"),
        ({"retries": -1}, "retries", "At least 0"),
        ({"retries": None}, "retries", "whole number"),
        ({"retry_delay_seconds": 90_000}, "retry_delay_seconds", "At most 86,400"),
        ({"threads": 0}, "threads", "At least 1"),
        ({"threads": 4, "command": DbtCommand.LIST}, "threads", "takes no threads"),
        ({"target": "prod; drop"}, "target", "profiles.yml"),
        ({"pool": ""}, "pool", "pools"),
        ({"source": {"kind": "folder", "path": ""}}, "source.path", "dbt_project.yml"),
        ({"source": {"kind": "folder", "path": "dbt/shop"}}, "source.path", "whole path"),
        ({"source": {**GIT, "url": ""}}, "source.url", "Name the repository"),
        ({"source": {**GIT, "url": "ftp://host/x"}}, "source.url", "Begin with"),
        ({"source": {**GIT, "url": "--upload-pack=x"}}, "source.url", "Begin with"),
        ({"source": {**GIT, "url": "https://me:secret@host/x.git"}}, "source.url", "password"),
        ({"source": {**GIT, "branch": "-x"}}, "source.branch", "branch"),
        ({"source": {**GIT, "subfolder": "../other"}}, "source.subfolder", "inside the repository"),
        ({"operator_parameters": {"timeout_seconds": 1}}, "operator_parameters.timeout_seconds", "At least 10"),
        ({"operator_parameters": {"connection_id": "a b"}}, "operator_parameters.connection_id", "letters"),
        ({"operator_parameters": {"image": "x"}}, "operator_parameters.image", "not known"),
        ({"executor": "no such; thing"}, "executor", "[core] executor"),
        ({"worker_pod": {"memory_limit": "much"}}, "worker_pod.memory_limit", "no Kubernetes quantity"),
        ({"worker_pod": {"cpu_request": "2", "cpu_limit": "1"}}, "worker_pod.cpu_limit", "more than cpu_limit"),
        ({"executor": "LocalExecutor", "worker_pod": {"cpu_request": "2"}}, "executor", "makes no worker pods"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field(values: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(InvalidDraft) as caught:
        projects.create(_with(**values), by="anna")
    assert list(caught.value.problems) == [field]
    assert words in caught.value.problems[field]
    assert projects.list_projects() == []


def test_all_that_is_wrong_is_told_at_once() -> None:
    draft = _with(name="Shop!", owner="", schedule="often", retries=99, source={**GIT, "url": ""})
    with pytest.raises(InvalidDraft) as caught:
        projects.create(draft, by="anna")
    assert set(caught.value.problems) == {"name", "owner", "schedule", "retries", "source.url"}


def test_a_secret_in_a_url_is_not_repeated() -> None:
    with pytest.raises(InvalidDraft) as caught:
        projects.create(_with(source={**GIT, "url": "https://me:hunter2@host/x.git"}), by="anna")
    assert "hunter2" not in str(caught.value.problems)


def test_a_name_that_is_taken_is_refused_beside_the_name() -> None:
    first = projects.create(GOOD, by="anna")
    with pytest.raises(InvalidDraft) as caught:
        projects.create(_with(owner="ben", schedule="often"), by="ben")
    assert "There is a project 'shop' already" in caught.value.problems["name"]
    assert "schedule" in caught.value.problems
    assert [each.owner for each in projects.list_projects()] == [first.owner]


def test_every_field_is_stored_as_it_was_given() -> None:
    draft = ProjectDraft(
        name="shop",
        description="Ord<b>ers</b> & “more” of O'Brien 🚢",
        owner="O'Brien; <script>",
        source=GIT,
        operator=OperatorName.DBT_API,
        operator_parameters={"connection_id": "other", "timeout_seconds": 60, "priority": 7},
        command=DbtCommand.RUN,
        target="prod",
        threads=8,
        schedule="*/15 * * * *",
        pool="night shift",
        queue="heavy",
        executor="KubernetesExecutor",
        worker_pod={"memory_limit": "1Gi", "node_selector": {"pool": "airflow"}},
        retries=3,
        retry_delay_seconds=5,
    )
    projects.create(draft, by="anna")
    assert ProjectDraft.of(projects.get_project("shop")) == draft


def test_blanks_are_stripped_and_empty_options_are_none() -> None:
    made = projects.create(_with(name=" shop ", owner=" anna ", target=" ", queue="", schedule="  "), by="anna")
    assert (made.name, made.owner, made.target, made.queue, made.schedule) == ("shop", "anna", None, None, None)
    assert made.operator_parameters["timeout_seconds"] == 4 * 3600


def test_projects_are_found_by_name_description_and_owner() -> None:
    projects.create(GOOD, by="anna")
    projects.create(_with(name="harbour", description="100% of ships", owner="Ben"), by="anna")
    assert [each.name for each in projects.list_projects()] == ["harbour", "shop"]
    assert [each.name for each in projects.list_projects("BEN")] == ["harbour"]
    assert [each.name for each in projects.list_projects("100%")] == ["harbour"]
    assert [each.name for each in projects.list_projects("%")] == ["harbour"]
    assert projects.list_projects("nothing") == []
