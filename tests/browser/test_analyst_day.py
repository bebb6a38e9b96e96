"""An analyst's whole day with Hartford's robberies, from nothing to a draft, in Chromium.

Only what the pages show is used: labels, buttons and links, as a person at a desk uses them.
"""

import os
import re
import subprocess
import sys
import zipfile

import pytest
from ready import make_ready
from serving import serving
from staffing import PASSWORD, Office
from visiting import Visit

from geodata.clock import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.shared_data]

LONG_MS = 60_000
PARTS = ("shp", "shx", "dbf", "prj")


@pytest.fixture
def files(shared_data, tmp_path):
    """Hartford as an analyst has it: the outline as a zipped shapefile, two tables."""
    folder = shared_data / "hartford"
    if not folder.is_dir():
        pytest.skip("Hartford is not among the shared data")
    outline = tmp_path / "block_groups.zip"
    with zipfile.ZipFile(outline, "w") as archive:
        for part in PARTS:
            archive.write(folder / f"block_groups.{part}", f"block_groups.{part}")
    return {
        "outline": outline,
        "robberies": folder / "robberies_2017_2018.csv",
        "places": folder / "places.csv",
    }


@pytest.fixture
def office(tmp_path):
    url = f"sqlite:///{tmp_path / 'saferground.sqlite'}"
    make_ready(url)
    made = Office(url, tmp_path)
    made.now = utc_now()
    made.add("ana", "analyst", display="Ana Ruiz")
    yield made
    made.close()


@pytest.fixture
def worker(office):
    """A real worker beside the pages, as ``saferground worker`` starts it."""
    settings = office.settings
    environment = {
        **os.environ,
        "SAFERGROUND_DATABASE": settings.database_url,
        "SAFERGROUND_INSTANCE": str(settings.instance),
    }
    with (settings.instance / "worker.log").open("w") as log:
        command = [sys.executable, "-m", "app.cli", "worker"]
        process = subprocess.Popen(command, env=environment, stderr=log)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def visit(chromium, office, worker):
    with serving(office.app) as address:
        made = Visit(chromium, address, bypass_csp=True)
        yield made
        faults = made.faults
        made.context.close()
    assert faults == []


class Day:
    """What a person does with a page, and what they can read on it."""

    def __init__(self, visit):
        self.visit, self.page = visit, visit.page
        self.shots = 0
        self.violations = []

    def look(self, judge=False):
        """Give the words of the page that is open; maps have to be drawn on it."""
        self.page.wait_for_load_state("networkidle")
        if self.page.locator(".staff-map[data-map]").count():
            self.page.wait_for_selector(".staff-map[data-drawn]")
        if judge:
            self.shots += 1
            self.visit.shot(f"day-{self.shots}", full_page=True)
            self.violations += self.visit.violations()
        return self.page.locator("main").inner_text()

    def follow(self, name, **options):
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()
        return self.look(**options)

    def press(self, name, **options):
        self.page.get_by_role("button", name=name, exact=True).click()
        return self.look(**options)

    def fill(self, label, text):
        self.page.get_by_label(label, exact=True).fill(text)

    def hand_in(self, label, path, button):
        self.page.get_by_label(label, exact=True).set_input_files(path)
        return self.press(button)

    def watch(self, **options):
        """Stay on the page of a job until it says by itself that the job is done."""
        self.page.wait_for_selector(".job.done", timeout=LONG_MS)
        return self.look(**options)

    def row(self, table, name):
        """Give the cells of a row of a table, by what stands at its head."""
        found = self.page.get_by_role("region", name=table, exact=True).locator("tbody tr")
        row = found.filter(has=self.page.get_by_role("rowheader", name=name, exact=True))
        return row.locator("td").all_inner_texts()


def test_from_nothing_to_a_draft(office, visit, files):
    """Sign in, set the city up, add robberies and places, fit 2017, validate on 2018, draft."""
    day = Day(visit)
    sign_in(day, office)
    set_up_the_city(day, files)
    add_robberies(day, files)
    add_places(day, files)
    fit_2017(day)
    read_the_run(day)
    validate_on_2018(day)
    put_to_use(day)
    draft(day)
    # What a form refused is told by the browser too: those two were asked for.
    assert len([fault for fault in visit.faults if "status of 422" in fault]) == 2
    visit.faults = [fault for fault in visit.faults if "status of 422" not in fault]
    assert day.violations == []
    assert {"source.add", "run.export", "release.draft"} <= set(office.actions())


def sign_in(day, office):
    day.visit.go("/login")
    day.fill("Name", "ana")
    day.fill("Password", PASSWORD)
    assert "One-time code" in day.press("Go on")
    day.fill("Code", office.code("ana"))
    assert "No city is stored yet" in day.press("Sign in")  # the workbench, not the account


def set_up_the_city(day, files):
    day.follow("Set a city up")
    told = day.hand_in("File of the districts", files["outline"], "Go on")
    assert "96 areas, in EPSG:3508" in told
    day.fill("Name", "Hartford, Connecticut")
    refused = day.press("Look at it")
    assert "Not ready yet" in refused
    assert "choose a time zone, such as America/New_York" in refused
    assert day.page.get_by_label("Short name", exact=True).input_value() == "hartford"
    day.fill("Time zone", "America/New_York")
    told = day.press("Look at it")
    assert "96 districts" in told  # block groups, which nobody patrols by
    assert "These are many for police districts" in told
    day.page.get_by_label("Code of a district").select_option("")
    told = day.press("Look again", judge=True)
    assert "1 district, 12,585 cells" in told
    assert "These are many" not in told
    told = day.press("Set the city up")
    assert "has no incidents and no factors yet" in told


def add_robberies(day, files):
    day.follow("Add a source")
    told = day.hand_in("File", files["robberies"], "Hand in")
    assert "837 rows" in told
    assert "longitude and latitude are called degrees" in told
    assert "1015258, 844003" in told  # feet, and no degrees
    assert "0 of 837 rows fall into a district" in told
    day.fill("Outcome", "robbery")
    refused = day.press("See what would be left out")  # all the same, without putting it right
    assert "Not ready yet" in refused
    assert "projected coordinates called degrees" in refused
    day.page.get_by_role("button", name="Read them as EPSG:3508").click()
    told = day.look()
    assert "837 of 837 rows fall into a district" in told
    assert "in a district: 837" in told  # on the map
    assert day.page.get_by_label("Outcome", exact=True).input_value() == "robbery"
    told = day.press("See what would be left out")
    assert "robberies_2017_2018.csv as incidents (robbery). Nothing is stored yet." in told
    assert "Would be left out\nnone" in told
    day.press("Add to Hartford, Connecticut")
    day.watch(judge=True)
    assert day.row("Sources", "robberies_2017_2018.csv")[:3] == ["837", "837", "none"]


def add_places(day, files):
    day.follow("The city as it stands, and what is next")
    day.follow("Add sources")
    assert "has no factors yet" in day.look()
    day.follow("Add a source")
    told = day.hand_in("File", files["places"], "Hand in")
    assert "323 rows" in told
    assert "called degrees" in told
    day.page.get_by_role("button", name="Read them as EPSG:3508").click()
    day.look()
    for kind in ("pharmacy", "night_club"):  # these are not to be factors
        day.fill(f"{kind} means", "")
    told = day.press("See what would be left out")
    assert "factor of the environment: restaurant, bar, gas_station, liquor_store" in told
    assert "51 of a kind that was not named" in told
    table = day.page.get_by_role("region", name="Rows that would be left out")
    assert table.locator("tbody tr").count() == 25
    assert "night_club" in table.inner_text()
    day.press("Add to Hartford, Connecticut")
    day.watch()
    day.follow("The city as it stands, and what is next")


def fit_2017(day):
    page = day.page
    assert "The data are there; no run of the whole city is." in day.look()
    day.follow("New run")
    day.fill("Last day", "2017-12-31")
    page.keyboard.press("Tab")
    page.wait_for_selector("text=471 incidents of robbery, 2017-01-02 to 2017-12-31")
    day.fill("Side of a cell in feet", "100")
    page.get_by_role("button", name="Preview the grid").click()
    page.wait_for_selector(".staff-map[data-drawn]")
    assert "cells of 100 ft, 48 candidates" in page.locator("[data-part=cells]").inner_text()
    day.press("Fit it")
    page.wait_for_selector("progress:visible", timeout=LONG_MS)
    assert "Is being worked on" in page.locator(".job-state").inner_text()
    told = day.watch()
    assert "Robbery, the whole city, before 2018-01-01" in told


def read_the_run(day):
    page = day.page
    told = day.follow(re.compile(r"^Run [0-9a-f]{12}$"))
    assert "January 2, 2017 to December 31, 2017" in told
    assert "of 48 candidates" in told.lower()
    page.get_by_label("Residuals of the risk terrain").check()
    page.wait_for_load_state("networkidle")
    assert "Districts" in page.locator(".staff-map-legend").inner_text()
    assert page.get_by_role("region", name="Zones", exact=True).locator("tbody tr").count() >= 3
    factors = page.get_by_role("region", name="Factors", exact=True).locator("tbody tr")
    assert factors.count() >= 1
    for row in factors.all():
        rrv, interval = (row.locator("td").nth(number).inner_text() for number in (2, 3))
        low, high = map(float, interval.split(" to "))
        assert float(rrv) > 1
        assert low < float(rrv) < high
    assert day.row("Settings", "side of a cell") == ["100 ft"]
    assert "This run was not scored on a later period yet." in told
    with page.expect_download() as coming:
        page.get_by_role("link", name="Factor table").click()
    table = coming.value.path().read_text().splitlines()
    assert sum(line.startswith("chosen,") for line in table) == factors.count()


def validate_on_2018(day):
    page = day.page
    assert page.get_by_label("First day", exact=True).input_value() == "2018-01-01"
    assert page.get_by_label("Day after the last", exact=True).input_value() == "2019-01-01"
    day.press("Validate")
    assert "from 2018-01-01 to before 2019-01-01" in day.watch()
    told = day.follow("on later incidents", judge=True)
    assert page.url.endswith("#validation")
    assert "incidents of January 1, 2018 to December 31, 2018" in told
    assert "times chance" in told
    assert page.get_by_role("img", name="Capture curves").count() == 1


def put_to_use(day):
    page = day.page
    page.get_by_role("navigation", name="Hartford").get_by_role("link", name="Overview").click()
    assert "No run is in use" in day.look()
    told = day.follow("Put it to use", judge=True)
    assert "Nothing but this step changes it." in told
    day.fill("Why", "Held against 2018, better than chance")
    assert "in use since" in day.press("Put it to use")


def draft(day):
    page = day.page
    page.get_by_role("navigation", name="Hartford").get_by_role("link", name="Overview").click()
    assert "No release shows the run in use" in day.look()
    day.follow("Go to the releases")
    day.press("Draft a release")
    day.watch()
    told = day.follow(re.compile(r"^Draft [0-9a-f]{12}$"), judge=True)
    assert "A publisher has to approve it." in told
    assert "This is the first release." in told
    assert "files are whole and keep every rule" in told
    assert day.row("Files", "data/zones.geojson")[0] == "Risk terrain zones, outlines"
    assert "incident" not in page.get_by_role("region", name="Files").inner_text()
    page.get_by_role("link", name="In English").click()
    assert "Hartford" in page.locator("body").inner_text()
