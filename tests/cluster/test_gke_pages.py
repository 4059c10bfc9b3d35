"""The walk of an analyst with a Google project, by clicking: create a cluster, run dbt on it, watch, delete it.

All is real but Google's control plane, which is the stand-in of tests/google; its clusters are the real Kubernetes.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from stack.places import ROOT
from tests.browser.console import Console
from tests.cluster.access import Cluster
from tests.cluster.gke import LOCATION
from tests.google.errors import quota_exceeded
from tests.google.operations import Kind
from tests.google.stand_in import GoogleStandIn
from tests.stack.consoles import OwnConsole, own_console, until
from tests.stack.harness import Stack

CLOSED = "http://127.0.0.1:9"
MILLISECONDS = 240_000


@pytest.fixture(scope="module")
def console(
    google: GoogleStandIn, airflow_stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnConsole]:
    os.environ |= {"PILOTHOUSE_GOOGLE_PROJECTS": google.project, "PILOTHOUSE_USER": "ann"}
    with own_console(airflow_stack, tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def url(console: OwnConsole) -> Iterator[str]:
    with console.pages() as served:
        yield served


@pytest.fixture
def analyst(url: str, page: Page) -> Console:
    page.set_default_timeout(60_000)
    return Console(page, url)


def fill_in(analyst: Console, name: str) -> None:
    """The form of a new cluster, with nothing but what it must have."""
    analyst.open("new_cluster")
    analyst.type("Location", LOCATION)
    analyst.type("Name", name)


def created(google: GoogleStandIn) -> int:
    """How often Google was asked for a cluster."""
    return [rpc for rpc, _ in google.plane.calls].count("CreateCluster")


def full_name(google: GoogleStandIn, name: str) -> str:
    return f"projects/{google.project}/locations/{LOCATION}/clusters/{name}"


def test_what_cannot_be_meant_is_told_at_its_field_and_never_sent(analyst: Console, google: GoogleStandIn) -> None:
    before = created(google)
    fill_in(analyst, "My cluster")
    analyst.page.get_by_text("Address ranges").click()
    analyst.type("Range of pods", "10.0.0.0/33")
    analyst.button("Review").click()
    analyst.sees("At most 40 lower-case letters, digits and dashes")
    analyst.sees("'10.0.0.0/33' is no network")
    analyst.sees("2 fields need your attention")
    expect(analyst.button("Create cluster")).to_have_count(0)
    analyst.type("Name", "pages")
    analyst.type("Range of pods", "10.0.0.0/14")
    analyst.button("Review").click()
    analyst.sees("Create pages now?")
    assert created(google) == before


def test_googles_refusal_is_told_in_its_words_with_what_to_do(analyst: Console, google: GoogleStandIn) -> None:
    google.plane.deny("container.clusters.create")
    fill_in(analyst, "refused")
    analyst.button("Review").click()
    analyst.button("Create cluster").click()
    analyst.sees('Required "container.clusters.create" permission(s)')
    analyst.sees("roles/container.clusterAdmin")
    expect(analyst.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("refused")
    google.plane.allow("container.clusters.create")
    google.plane.fail_operation(Kind.CREATE_CLUSTER, quota_exceeded())
    analyst.button("Create cluster").click()
    analyst.sees("Creating refused failed", milliseconds=MILLISECONDS)
    analyst.sees("Insufficient regional quota")
    analyst.sees("Ask for more quota")
    analyst.button("Refresh").click()
    analyst.sees("delete it before you create it again")


def test_with_google_away_the_pages_say_so_and_show_what_they_know(
    console: OwnConsole, google: GoogleStandIn, page: Page
) -> None:
    with without_google(), console.pages() as url:
        analyst = Console(page, url)
        analyst.open("clusters?tab=Google")
        analyst.button("Refresh").click()
        analyst.sees(f"{google.project} can't be listed.")
        analyst.sees("Google cannot be reached")
        analyst.sees("What is below was listed")
        analyst.sees("Check this machine's way to container.googleapis.com")
        fill_in(analyst, "unsent")
        analyst.button("Review").click()
        analyst.button("Create cluster").click()
        analyst.sees("Google cannot be reached to: create the cluster unsent.")
        expect(page.get_by_text("Traceback")).to_have_count(0)


@contextmanager
def without_google() -> Iterator[None]:
    """Processes that are started meanwhile find no way to Google."""
    before = dict(os.environ)
    os.environ |= {"HTTPS_PROXY": CLOSED, "https_proxy": CLOSED}
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_cluster_is_created_used_and_deleted_by_clicking(
    analyst: Console, google: GoogleStandIn, cluster: Cluster
) -> None:
    name = full_name(google, "pages")
    google.plane.hold(Kind.CREATE_CLUSTER)
    fill_in(analyst, "pages")
    analyst.button("Review").click()
    analyst.sees("Google makes an Autopilot cluster named pages")
    analyst.sees("gcloud container clusters create-auto pages")
    analyst.page.get_by_role("tab", name="Request").click()
    analyst.sees('"name": "pages"')
    assert name not in google.plane.clusters
    analyst.button("Create cluster").click()
    analyst.sees("Creating pages")
    expect(analyst.page.get_by_test_id("stProgress")).to_be_visible()
    google.plane.release()
    analyst.open(f"clusters?tab=Google&cluster={google.project}/{LOCATION}/pages")
    analyst.ends("Running")
    analyst.button("Can the console reach it?").click()
    analyst.sees("Yes: its Kubernetes API answers")

    _create_project(analyst, cluster)
    analyst.launch(project="harbour_pages", variables="slow_seconds: 25")
    analyst.ends("Running")
    expect(analyst.page.get_by_text(re.compile(r"[1-9]\d* of 35 nodes done"))).to_be_visible(timeout=MILLISECONDS)
    analyst.page.get_by_role("tab", name="Log").click()
    expect(analyst.page.get_by_role("log")).to_contain_text("depth_soundings")
    expect(analyst.page.locator(".stMarkdownBadge").filter(has_text="Running").first).to_be_visible()
    analyst.ends("Succeeded")
    analyst.sees("35 of 35 nodes done")
    expect(analyst.page.get_by_role("log")).to_contain_text("Done.")

    _delete(analyst, google, "pages")


def _create_project(analyst: Console, cluster: Cluster) -> None:
    """A project on the cluster that is there, chosen from the known ones."""
    analyst.open("new_project")
    analyst.type("Name", "harbour_pages")
    analyst.page.get_by_text("A folder", exact=True).click()
    analyst.type("Folder", str(Path(ROOT) / "example"))
    analyst.page.get_by_test_id("stButtonGroup").get_by_text("GKE", exact=True).click()
    analyst.settle()
    analyst.page.get_by_test_id("stPopover").filter(has_text="Clusters").get_by_role("button").click()
    analyst.choose("Known cluster", "pages · europe-west1 · pilothouse-test")
    analyst.button("Use it").click()
    analyst.settle()
    expect(analyst.page.get_by_role("textbox", name="Cluster's name", exact=True)).to_have_value("pages")
    analyst.type("Image", cluster.images.dbt_example)
    analyst.choose("Pull policy", cluster.images.pull_policy)
    analyst.type("CPU requested", "50m")
    analyst.type("Memory requested", "64Mi")
    analyst.button("Create project").click()
    expect(analyst.page).to_have_url(re.compile(r"/project\?name=harbour_pages"))
    expect(analyst.button("Launch")).to_be_enabled(timeout=MILLISECONDS)


def _delete(analyst: Console, google: GoogleStandIn, name: str) -> None:
    """By its page, at first with a wrong name."""
    analyst.open(f"clusters?tab=Google&cluster={google.project}/{LOCATION}/{name}")
    analyst.button("Delete").click()
    dialog = analyst.page.get_by_role("dialog")
    expect(dialog).to_contain_text("It cannot be brought back.")
    typed = dialog.get_by_role("textbox", name="Type the cluster's name to delete it")
    typed.fill("berth")
    typed.press("Tab")
    dialog.get_by_role("button", name="Delete cluster").click()
    expect(dialog).to_contain_text(f"Type the cluster's name, {name}, to delete it.")
    assert ("DeleteCluster", full_name(google, name)) not in google.plane.calls
    google.plane.hold(Kind.DELETE_CLUSTER)
    typed.fill(name)
    typed.press("Tab")
    dialog.get_by_role("button", name="Delete cluster").click()
    analyst.sees(f"Deleting {name}")
    google.plane.release()
    until(lambda: full_name(google, name) not in google.plane.clusters)
    analyst.sees("is not listed (any more)")
