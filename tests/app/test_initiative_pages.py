import datetime as dt
import re
from html import unescape

import pytest
from gunfire_town import GunfireTown
from initiatives_text import TEXT

from app import create_app
from app.config import Settings
from app.site_documents import make_city_preview
from geodata.cityfile.description import read_city_file
from geodata.cityfile.initiatives import read_initiatives
from geodata.db.engine import open_database, upgrade
from geodata.ingest.store import import_city
from geodata.measures.registry import MEASURES
from geodata.repositories.initiatives import record_initiatives

FIRST = TEXT.replace('status = "In Progress"', 'status = "On Hold"', 1)
FIRST = FIRST.replace("2026-01-04", "2025-12-01")


@pytest.fixture(scope="module")
def tell(tmp_path_factory):
    """A town whose initiatives were said twice; more can be said."""
    folder = tmp_path_factory.mktemp("initiatives")
    made = Settings(
        database_url=f"sqlite:///{folder}/town.sqlite", instance=folder / "instance", preview=True
    )
    upgrade(made.database_url)
    database = open_database(made.database_url)
    import_city(database, read_city_file(GunfireTown(folder, today="2026-03-08").path))

    def record(text, when):
        path = folder / "initiatives.toml"
        path.write_text(text)
        with database.session(write=True) as session:
            record_initiatives(session, read_initiatives(path, MEASURES), when)

    def record_and_preview(text, when):
        record(text, when)
        make_city_preview(database, made, "town")

    record(FIRST, dt.datetime(2025, 12, 2, 12))
    record_and_preview(TEXT, dt.datetime(2026, 1, 5, 12))
    yield create_app(made), record_and_preview
    database.close()


@pytest.fixture
def read(tell):
    def fetch(path, status=200):
        response = tell[0].test_client().get(path)
        assert response.status_code == status
        text = re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))
        return re.sub(r"\s+([:,.])", r"\1", re.sub(r"\s+", " ", unescape(text)))

    return fetch


def test_the_list_tells_status_owner_update_and_strategies(read):
    text = read("/initiatives/")
    assert "2.13 · Safer together" in text
    assert "New strategies In Progress Police" in text
    assert "Last update January 4, 2026, 63 days ago: overdue, weekly is promised" in text
    assert "Zones Complete/Ongoing" in text
    assert "Detection On Hold" in text
    assert "It matters to people." in text


def test_an_initiative_tells_sections_strategies_and_figures(read, tell):
    text = read("/initiatives/policing")
    for title in (
        "Why it is important",
        "What we have been doing",
        "What's next",
        "Key measures and data analysis",
    ):
        assert title in text
    assert 'A second paragraph, 2 < 3 & "quoted".' in text
    assert "24 guns Guns recovered" in text
    assert "Prediction accuracy index of zones" in text
    assert "Also touches, counted under another strategy: Guns recovered." in text
    html = tell[0].test_client().get("/initiatives/policing").get_data(as_text=True)
    assert 'href="/measures/alerts.guns"' in html
    assert "synthetic: made up" in text


def test_published_figures_have_source_link_and_quality(tell, read):
    html = tell[0].test_client().get("/initiatives/policing").get_data(as_text=True)
    assert '<a href="https://example.org/a?b=1" rel="noopener noreferrer">dashboard</a>' in html
    text = read("/initiatives/policing")
    assert "Guns recovered Beside: Guns recovered 7 guns Through May dashboard Primary" in text
    assert "read January 2, 2026. As read." in text
    assert "Wards 2 / 3 paper Press" in text
    assert "7 guns Through May dashboard" in read("/measures/alerts.guns")
    assert "As others published it" not in read("/measures/alerts.count")


def test_the_history_tells_what_was_said_when(read):
    text = read("/initiatives/policing")
    told = text[text.index("What was said when Nothing") :]
    later, earlier = "January 5, 2026 Said: In Progress", "December 2, 2025 Said: On Hold"
    assert told.index(later) < told.index(earlier)
    assert "Status: On Hold -> In Progress" in told
    assert "What it said Why it is important It matters to people." in told


def test_the_citys_own_target_stands_instead(read):
    text = read("/measures/alerts.guns?period=year")
    assert "Target: 5 guns" in text
    assert "Source of the target Plan." in text


def test_json_gives_what_stands(tell):
    answer = tell[0].test_client().get("/api/v1/initiatives").get_json()
    assert answer["city"] == "town"
    (first, *_) = answer["initiatives"]
    assert (first["slug"], first["status"], first["listed"]) == ("policing", "In Progress", True)
    assert first["facts"][0]["url"] == "https://example.org/a?b=1"


def test_an_unknown_initiative_is_told(read):
    assert "There is nothing at this address" in read("/initiatives/gardens", status=404)
    assert read("/initiatives/%00", status=404)


def test_a_retired_initiative_keeps_its_page(tell, read):
    _, record = tell
    record('city = "town"\ninitiatives = []\n', dt.datetime(2026, 2, 1, 12))
    text = read("/initiatives/")
    assert "2.13 New strategies" in text[text.index("No longer on the list") :]
    assert "No initiative of Town is written down yet." in text
    assert "This initiative is no longer on the city's list." in read("/initiatives/policing")
    record(TEXT, dt.datetime(2026, 2, 2, 12))
    assert "Put back on the list" in read("/initiatives/policing")


def test_the_demonstration_citys_front_page_tells_how_they_stand(client):
    text = client.get("/").get_data(as_text=True)
    assert "How the initiatives stand" in text
    assert text.count('<svg class="spark"') == 5
    assert 'href="/initiatives/community-policing-strategies"' in text
    assert 'href="/measures/alerts.performance"' in text
