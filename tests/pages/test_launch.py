"""The launch page: the command line that the form means, messages at the field, and one run a click."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, RunConf
from models.run_state import RunState
from services.runs import history
from services.settings import settings
from tests.pages import seeded
from tests.pages.conftest import OpenPage


@pytest.fixture(autouse=True)
def _shop(store: Path) -> None:
    seeded.project("shop")


def command_line(page: AppTest) -> str:
    return str(page.code[0].value)


def button(page: AppTest, label: str) -> Button:
    return next(button for button in page.button if button.label == label)


def test_it_opens_with_the_project_of_the_url(open_page: OpenPage) -> None:
    seeded.project("harbour")
    page = open_page("launch", project="shop")
    assert not page.exception
    assert page.selectbox(key="project").value == "shop"
    assert command_line(page) == "dbt build --target dev"


def test_picked_nodes_tags_and_typed_selectors_are_joined(open_page: OpenPage) -> None:
    page = open_page("launch", project="shop")
    page.multiselect(key="select_nodes").set_value(["stg_ships (model)", "port.calls (source)"]).run()
    page.checkbox(key="select_after").check().run()
    page.multiselect(key="select_tags").set_value(["nightly"]).run()
    page.text_input(key="select_typed").set_value("path:models/marts").run()
    page.text_input(key="exclude_typed").set_value("dim_ships").run()
    assert command_line(page) == (
        "dbt build --select stg_ships+ source:port.calls+ tag:nightly path:models/marts"
        " --exclude dim_ships --target dev"
    )


@pytest.mark.parametrize("command", list(DbtCommand))
def test_only_what_the_command_takes_is_shown(open_page: OpenPage, command: DbtCommand) -> None:
    page = open_page("launch", project="shop")
    page.selectbox(key="launch_command").set_value(command).run()
    assert not page.exception
    assert any(widget.key == "select_typed" for widget in page.text_input) == command.takes_selection
    assert any(widget.key == "launch_full_refresh" for widget in page.toggle) == command.takes_full_refresh
    assert any(widget.key == "launch_threads" for widget in page.number_input) == command.takes_threads
    assert any(widget.key == "launch_macro" for widget in page.selectbox) == (command is DbtCommand.RUN_OPERATION)


def test_a_macro_with_arguments(open_page: OpenPage) -> None:
    page = open_page("launch", project="shop")
    page.selectbox(key="launch_command").set_value(DbtCommand.RUN_OPERATION).run()
    assert button(page, "Launch").disabled
    page.selectbox(key="launch_macro").set_value("grant_select").run()
    page.text_area(key="launch_macro_arguments").set_value("role: reporter").run()
    assert command_line(page).startswith("dbt run-operation grant_select --args")
    assert not button(page, "Launch").disabled


@pytest.mark.parametrize(
    ("kind", "key", "value", "said"),
    [
        ("text_area", "launch_vars", "a: [1", "not YAML"),
        ("text_area", "launch_vars", "just words", "names and values"),
        ("text_area", "launch_vars", "db_password: x", "secret"),
        ("text_input", "select_typed", "a; rm -rf /", "not a dbt selector"),
    ],
)
def test_a_wrong_value_has_its_message_and_never_launches(
    open_page: OpenPage, kind: str, key: str, value: str, said: str
) -> None:
    page = open_page("launch", project="shop")
    getattr(page, kind)(key=key).set_value(value).run()
    assert not page.exception
    assert any(text.value.startswith(":red[") and said in text.value.replace("\\", "") for text in page.markdown)
    assert button(page, "Launch").disabled


def test_a_pods_parameter_that_is_wrong_is_told_under_its_field_and_beside_the_button(open_page: OpenPage) -> None:
    seeded.project("crane", operator=OperatorName.KUBERNETES)
    page = open_page("launch", project="crane")
    page.text_input(key="launch_parameter_crane_memory_limit").set_value("4 gigabytes").run()
    said = [text.value for text in page.markdown if "no Kubernetes quantity" in text.value]
    assert len(said) == 2
    assert button(page, "Launch").disabled
    page.text_area(key="launch_parameter_crane_tolerations").set_value("just words").run()
    page.text_input(key="launch_parameter_crane_memory_limit").set_value("4Gi").run()
    assert any("YAML list" in text.value for text in page.markdown)
    page.text_area(key="launch_parameter_crane_tolerations").set_value("- {key: big, operator: Exists}").run()
    assert not button(page, "Launch").disabled


def test_a_double_click_with_airflow_down_makes_one_run_and_says_what_happened(open_page: OpenPage) -> None:
    page = open_page("launch", project="shop")
    page.text_input(key="select_typed").set_value("stg_ships+").run()
    button(page, "Launch").click().run()
    button(page, "Launch").click().run()
    assert not page.exception
    assert "Airflow" in page.error[0].value
    assert history.list_runs().total == 1
    assert command_line(page) == "dbt build --select stg_ships+ --target dev", "what was typed is still there"


def test_a_form_changed_after_a_refusal_is_another_run(open_page: OpenPage) -> None:
    page = open_page("launch", project="shop")
    button(page, "Launch").click().run()
    page.text_input(key="select_typed").set_value("dim_ships").run()
    button(page, "Launch").click().run()
    assert [run.conf["select"] for run in history.list_runs().runs] == [["dim_ships"], []]


def test_a_preview_without_the_dbt_api_says_so(open_page: OpenPage) -> None:
    page = open_page("launch", project="shop")
    button(page, "Preview nodes").click().run()
    assert not page.exception
    assert page.error


def test_an_earlier_run_fills_the_form(open_page: OpenPage) -> None:
    conf = RunConf(
        command=DbtCommand.RUN, select=["stg_ships+"], full_refresh=True, vars={"day": "2026-01-01"}, target="prod"
    )
    earlier = seeded.run("shop", state=RunState.FAILED, conf=conf)
    page = open_page("launch", from_run=str(earlier.id))
    assert not page.exception
    assert command_line(page).startswith("dbt run --select stg_ships+ --full-refresh --vars")
    assert command_line(page).endswith("--target prod")


def test_an_earlier_run_that_does_not_exist_is_said(open_page: OpenPage) -> None:
    page = open_page("launch", from_run="999")
    assert not page.exception
    assert "999" in page.warning[0].value


def test_an_unknown_project_in_the_url_is_said(open_page: OpenPage) -> None:
    page = open_page("launch", project="nowhere")
    assert not page.exception
    assert "nowhere" in page.warning[0].value


def test_a_preset_saved_at_one_launch_is_applied_at_another(open_page: OpenPage) -> None:
    for name in ("crane", "quay"):
        seeded.project(name, operator=OperatorName.KUBERNETES)
    page = open_page("launch", project="crane")
    page.text_input(key="launch_parameter_crane_memory_limit").set_value("8Gi").run()
    page.text_input(key="launch_parameter_crane_new").set_value("big memory")
    button(page, "Save preset").click().run()
    assert not page.exception
    page = open_page("launch", project="quay")
    assert page.selectbox(key="launch_parameter_quay_preset").value == "big memory"
    button(page, "Apply").click().run()
    assert not page.exception
    assert page.text_input(key="launch_parameter_quay_memory_limit_1").value == "8Gi"
    button(page, "Delete").click().run()
    assert any("goes for everybody" in text.value for text in page.markdown)


def test_a_run_in_a_pod_shows_the_containers_words_and_can_be_checked_beforehand(open_page: OpenPage) -> None:
    parameters = {"arguments": ["dbt", "{dbt}", "--fail-fast"], "cluster": "gone"}
    seeded.project("crane", operator=OperatorName.KUBERNETES, operator_parameters=parameters)
    page = open_page("launch", project="crane")
    assert "dbt build --target dev --fail-fast" in [code.value for code in page.code]
    button(page, "Check now").click().run()
    assert not page.exception
    said = "\n".join(text.value for text in page.markdown).replace("\\", "")
    assert "There is no cluster 'gone'." in said
    assert "Cannot reach Airflow" in said
    assert "2 checks failed" in page.error[0].value


def test_a_run_on_gke_may_ask_for_other_machines_and_not_for_what_the_project_decides(open_page: OpenPage) -> None:
    where = {"project_id": "harbour-prod", "location": "europe-west1-b", "cluster_mode": "ephemeral"}
    machines = {"mode": "standard", "machine_type": "e2-standard-2"}
    seeded.project("quay", operator=OperatorName.GKE, operator_parameters={**where, "new_cluster": machines})
    page = open_page("launch", project="quay")
    assert not page.exception
    labels = [each.label for each in (*page.text_input, *page.text_area, *page.selectbox, *page.number_input)]
    assert {"Google project", "Location", "New cluster", "Time to live (minutes)", "Pod's name"} <= set(labels)
    assert not {"Cluster", "Cluster's name"} & set(labels)
    asked = next(each for each in page.text_area if each.label == "New cluster")
    asked.set_value("mode: standard\nmachine_type: n2-highmem-8").run()
    button(page, "Launch").click().run()
    [run] = history.list_runs().runs
    assert run.conf["operator_parameters"]["new_cluster"]["machine_type"] == "n2-highmem-8"


def test_who_may_not_make_clusters_is_told_so_before_launching(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_mode": "ephemeral"}
    seeded.project("quay", operator=OperatorName.GKE, operator_parameters=where)
    assert not button(open_page("launch", project="quay"), "Launch").disabled
    monkeypatch.setenv("PILOTHOUSE_CLUSTER_ADMINS", "somebody.else@example.com")
    settings.cache_clear()
    page = open_page("launch", project="quay")
    assert button(page, "Launch").disabled
    [told] = [each.value for each in page.warning]
    assert "makes a cluster in Google, and you may not make clusters" in told
    assert "PILOTHOUSE_CLUSTER_ADMINS" in told
    assert not button(open_page("launch", project="shop"), "Launch").disabled
