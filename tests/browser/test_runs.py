"""An analyst asks for a run in Chromium, watches a real worker, leaves and comes back."""

import os
import subprocess
import sys

import pytest
from ready import make_ready
from serving import serving
from staffing import Office
from town import Town
from visiting import Visit

from geodata.cityfile.description import read_city_file
from geodata.clock import utc_now
from geodata.ingest.store import import_city

pytestmark = pytest.mark.browser

LONG_MS = 120_000
SIZES = {"wide": (1280, 900), "phone": (360, 780)}


@pytest.fixture
def office(tmp_path):
    url = f"sqlite:///{tmp_path / 'saferground.sqlite'}"
    make_ready(url)
    made = Office(url, tmp_path)
    made.now = utc_now()
    import_city(made.database, read_city_file(Town(tmp_path, n=700).crowd(400).path))
    made.add("ana", "analyst", display="Ana Ruiz")
    yield made
    made.close()


@pytest.fixture
def served(office):
    with serving(office.app) as address:
        yield address


@pytest.fixture
def window(chromium, office, served):
    made = []

    def make(size):
        width, height = SIZES[size]
        viewport = {"width": width, "height": height}
        visit = Visit(chromium, served, viewport=viewport, bypass_csp=True)
        made.append(visit)
        office.wait(minutes=2)  # no code counts twice
        visit.sign_in(office, "ana")
        return visit

    yield make
    faults = [fault for one in made for fault in one.faults]
    for one in made:
        one.context.close()
    assert faults == []


@pytest.fixture
def worker(office):
    """Start a real worker process; it is gone at the end."""
    started = []

    def start():
        settings = office.settings
        environment = {
            **os.environ,
            "SAFERGROUND_DATABASE": settings.database_url,
            "SAFERGROUND_INSTANCE": str(settings.instance),
        }
        with (settings.instance / "worker.log").open("w") as log:
            command = [sys.executable, "-m", "app.cli", "worker"]
            started.append(subprocess.Popen(command, env=environment, stderr=log))

    yield start
    for process in started:
        process.kill()
        process.wait()


def judge(visit, name):
    """Hold a page against axe and its own width."""
    visit.shot(name, full_page=True)
    wider = visit.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider <= 0, f"{name} scrolls sideways by {wider} px"
    assert visit.page.locator("h1").count() == 1
    assert visit.violations() == [], name


def forget(visit):
    """The browser notes answers that refuse a form; those that a test asks for are no faults."""
    visit.faults = [fault for fault in visit.faults if "status of 4" not in fault]


def test_a_run_is_asked_for_watched_left_and_found_done(window, worker):
    visit = window("wide")
    page = visit.page
    visit.go("/analyst/town/")
    judge(visit, "runs-overview-empty")
    page.click("text=New run")
    page.wait_for_selector("[data-part=period]:has-text('700 incidents of robbery')")
    page.fill("#last", "2024-10-31")
    page.keyboard.press("Tab")
    page.wait_for_selector("[data-part=period]:has-text('2024-01-01 to 2024-10-31')")
    page.fill("#cell", "0.1")
    page.click("[data-part=preview]")  # the server is asked, and says why not, at the field
    page.wait_for_selector("#cell-fault:has-text('take 3 m at least')")
    forget(visit)
    assert page.input_value("#last") == "2024-10-31"
    judge(visit, "runs-new-fault")
    page.fill("#cell", "20")
    page.click("[data-part=preview]")
    page.wait_for_selector(".staff-map[data-drawn]")
    assert "cells of 20 m, 12 candidates" in page.inner_text("[data-part=cells]")
    judge(visit, "runs-new")
    page.click("text=Fit it")
    page.wait_for_selector(".job.waiting")
    assert "No worker is there" in page.inner_text("[data-part=worker]")
    judge(visit, "work-waits")
    worker()
    page.wait_for_selector("[data-part=far]:not([hidden])", timeout=LONG_MS)
    assert page.inner_text("[data-part=words]") == "Is being worked on"
    assert page.is_hidden("[data-part=worker]")
    assert page.inner_text("[data-part=stage]")
    address = page.url
    page.click("nav.tabs >> text=Overview")
    page.wait_for_selector("h1:has-text('Overview')")
    page.goto(address)
    page.wait_for_selector(".job.done", timeout=LONG_MS)  # by itself, when it has ended
    judge(visit, "work-done")
    run = page.inner_text(".made a").removeprefix("Run ")
    page.click("nav.tabs >> text=Runs")
    page.wait_for_selector(f"table a:has-text('{run}')")
    judge(visit, "runs-listed")


def test_pages_of_runs_are_whole_on_a_phone(window):
    visit = window("phone")
    for name, path in (
        ("overview", ""),
        ("listed", "runs"),
        ("new", "runs/new"),
        ("work", "jobs"),
    ):
        visit.go(f"/analyst/town/{path}")
        judge(visit, f"runs-{name}-phone")
