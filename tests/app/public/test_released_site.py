"""The public pages over a release: everything works where there is no database at all."""

import csv
import datetime as dt
import io
import json
import shutil

import pytest
from ready import make_ready
from releasing import LAST, TODAY, Publisher, keep_run, tell_initiatives

from app import create_app
from app.config import Settings
from app.public.published_city import CityDocument
from app.site_documents import site_files
from geodata.db.engine import open_database
from geodata.errors import BrokenReleaseError
from geodata.releases.build import approve_release, draft_release, withdraw_release
from geodata.releases.encoding import read_document
from geodata.releases.folder import ReleaseFolder

PAGES = (
    "/",
    "/map",
    "/zones/",
    "/measures/",
    "/measures/?period=2024-04",
    "/measures/?period=all&district=D1",
    "/measures/alerts.count",
    "/measures/alerts.count?by=week",
    "/measures/alerts.guns?district=D1",
    "/measures/alerts.performance",
    "/initiatives/",
    "/methods/",
    "/methods/validation",
    "/api/v1/measures",
    "/api/v1/measures/dirtbike.complaints",
    "/api/v1/initiatives",
)


class Town:
    """A published town; ``publish`` drafts and approves it anew."""

    def __init__(self, folder):
        self.folder = folder
        self.url = f"sqlite:///{folder / 'town.sqlite'}"
        self.settings = Settings(database_url=self.url, instance=folder / "instance")
        make_ready(self.url)
        self.database = open_database(self.url)
        Publisher(folder).bring(self.database)
        keep_run(self.database)
        tell_initiatives(self.database, folder)

    def draft(self, today=TODAY):
        return draft_release(
            self.database, self.settings.releases, "town", "ana", pages=site_files, today=today
        )

    def publish(self, today=TODAY):
        drafted = self.draft(today)
        approve_release(self.database, self.settings.releases, drafted.id, "ben")
        return ReleaseFolder(path=self.settings.releases / "town" / drafted.id)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    made = Town(tmp_path_factory.mktemp("released"))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def release(town):
    return town.publish()


@pytest.fixture(scope="module")
def client(town, release):
    """The pages where the database is gone: its address names a file that is not there."""
    gone = Settings(
        database_url="sqlite:////nowhere/at/all.sqlite", instance=town.settings.instance
    )
    return create_app(gone).test_client()


def rows(release, name):
    return list(csv.DictReader(io.StringIO(release.read(name).decode())))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_shown_without_a_database(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert "Preview." not in response.text


def test_zones_and_their_pictures_come_from_the_release(client, release):
    for zone in json.loads(release.read("data/zones.geojson"))["features"]:
        identity = zone["properties"]["id"]
        page = client.get(f"/zones/{identity}")
        assert page.status_code == 200
        assert "Incidents in the period" not in page.text
        picture = client.get(f"/zones/{identity}/picture.svg")
        assert picture.data == release.read(f"site/zones/{identity}.svg")
    assert client.get("/zones/none-d1-9").status_code == 404


def test_map_files_are_those_of_the_release_and_are_sent_compressed(client, release):
    pages = {lang: client.get(f"/map?lang={lang}").text for lang in ("en", "es")}
    names = [name for name in release.files if name.startswith("site/map/map-")]
    assert len(names) == 3  # a script for each language, whose zones are told in it, and a style
    for name in names:
        address = f"/maps/release-{release.id}/{name.rpartition('/')[2]}"
        assert sum(address in page for page in pages.values()) == (2 if ".css" in name else 1)
        with client.get(address) as whole:
            assert whole.data == release.read(name)
        with client.get(address, headers={"Accept-Encoding": "br"}) as sent:
            assert sent.headers["Content-Encoding"] == "br"
            assert len(sent.data) < len(release.read(name))


def test_no_count_of_incidents_is_told_by_zone_or_cell(release):
    run = json.loads(release.read("site/run.json"))
    assert {key for zone in run["zones"] for key in zone} == {
        "id",
        "code",
        "area",
        "environment_share",
        "factors",
    }
    assert "zones" not in run["result"]
    drawn = [name for name in release.files if name.startswith("site/map/zones")]
    for name in drawn:
        for feature in json.loads(release.read(name))["features"]:
            assert not {"past", "expected", "count"} & set(feature["properties"])


def test_pages_say_which_release_they_show(client, release):
    text = client.get("/measures/").text
    assert f"Release {release.id}" in text
    assert f"version {release.manifest.rules.version} of the rules" in text
    assert "Data through May 27, 2024" in text


def test_figures_are_those_of_the_tables(client, release):
    for period, named in (("all", "whole"), ("year", "last 12 months"), ("ytd", "this year")):
        for district in ("", "D2"):
            told = client.get(f"/api/v1/measures?period={period}&district={district}").get_json()
            mine = {one["id"]: one for one in told["measures"]}
            for row in rows(release, "data/measures.csv"):
                if (row["period"], row["district"]) != (named, district):
                    continue
                value = mine[row["measure"]]["value"]
                assert value == (float(row["value"]) if row["value"] else None), row
                assert bool(mine[row["measure"]]["withheld"]) == bool(row["shown"]), row


def test_a_month_is_told_as_its_table_does(client, release):
    told = client.get("/api/v1/measures?period=2024-04&district=D1").get_json()
    assert (told["from"], told["to"]) == ("2024-04-01", "2024-05-01")
    own = [
        row
        for row in rows(release, "data/measures_monthly.csv")
        if (row["month"], row["district"]) == ("2024-04", "D1")
    ]
    assert len(own) > 20
    mine = {one["id"]: one["value"] for one in told["measures"]}
    for row in own:
        assert mine[row["measure"]] == (float(row["value"]) if row["value"] else None)


def test_the_course_is_that_of_months_or_weeks(client, release):
    for by, file in (("month", "data/measures_monthly.csv"), ("week", "data/measures_weekly.csv")):
        address = f"/api/v1/measures/alerts.count?period=all&by={by}"
        told = client.get(address).get_json()["series"]
        own = [
            row
            for row in rows(release, file)
            if row["measure"] == "alerts.count" and not row["district"] and row["value"]
        ]
        assert [one["value"] for one in told] == [float(row["value"]) for row in own]
        assert sum(one["value"] for one in told) > 50


def test_weeks_of_a_district_and_of_sensitive_measures_are_not_told(client):
    for address in ("alerts.count?by=week&district=D1", "alerts.guns?by=week"):
        assert client.get(f"/api/v1/measures/{address}").get_json()["by"] == "month"


def test_what_rests_on_verified_gunfire_is_told_of_the_same_days_as_results(client, release):
    told = {
        (row["measure"], row["period"]): (row["from"], row["to"])
        for row in rows(release, "data/measures.csv")
        if not row["district"]
    }
    for period in ("whole", "last 12 months", "this year"):
        assert told["alerts.confirmed", period] == told["alerts.performance", period]
    page = client.get("/api/v1/measures/alerts.performance?district=D1").get_json()
    assert page["measure"]["withheld"] == "told for the whole city only"


def test_days_that_the_release_does_not_tell_are_refused_with_what_it_does(client):
    response = client.get("/measures/?from=2024-04-03&through=2024-04-20")
    assert response.status_code == 400
    assert "period=2024-04" in response.text
    whole = client.get("/api/v1/measures?from=2024-04-01&through=2024-04-30")
    assert whole.status_code == 200
    assert client.get("/measures/?period=2019-01").status_code == 400


def test_the_form_offers_periods_and_months_and_no_free_days(client):
    text = client.get("/measures/?period=2024-04").text
    assert 'type="date"' not in text
    assert '<option value="2024-04" selected>April 2024</option>' in text


def test_alerts_on_the_map_are_the_rows_of_the_release(client, release):
    text = client.get("/map").text
    address = text.partition('data-activity="')[2].partition('"')[0]
    with client.get(address) as file:
        document = file.get_json()
    layer = next(one for one in document["layers"] if one["id"] == "alerts")
    number = sum(layer["counts"][i] for i in range(4, len(layer["counts"]), 5))
    assert number == len(rows(release, "data/alerts.csv")) > 50
    assert document["through"] <= LAST.isoformat()


@pytest.mark.parametrize("path", ["/accessibility/", "/methods/"])
def test_a_city_that_names_no_contact_is_said_to_name_none(client, path):
    assert "This site names no contact" in client.get(path).text


def test_no_city_without_a_release(town, client, tmp_path):
    empty = create_app(Settings(database_url=town.url, instance=tmp_path)).test_client()
    assert "Nothing is published yet" in empty.get("/").text
    assert empty.get("/readyz").status_code == 503
    assert empty.get("/readyz").get_json()["reasons"] == ["nothing is published"]
    assert empty.get("/measures/?city=town").status_code == 404
    assert client.get("/?city=elsewhere").status_code == 404


def test_a_draft_is_not_shown_until_it_is_approved(tmp_path):
    town = Town(tmp_path)
    drafted = town.draft()
    client = create_app(town.settings).test_client()
    assert "Nothing is published yet" in client.get("/").text
    approve_release(town.database, town.settings.releases, drafted.id, "ben")
    assert f"Release {drafted.id}" in client.get("/").text
    later = town.publish(TODAY - dt.timedelta(days=10))
    assert f"Release {later.id}" in client.get("/").text
    withdraw_release(town.database, town.settings.releases, later.id, "ben", "wrong day")
    assert f"Release {drafted.id}" in client.get("/").text
    broken_off = {"by": "ben", "at": "2026-01-01T00:00:00.000000Z", "why": "wrong too"}
    folder = town.settings.releases / "town"
    (folder / drafted.id / "withdrawal.json").write_text(json.dumps(broken_off))
    assert (folder / "current.json").exists(), "it does not follow yet"
    assert "Nothing is published yet" in client.get("/").text
    assert client.get("/readyz").get_json()["reasons"] == ["nothing is published"]
    town.database.close()


def test_a_release_older_than_a_week_is_stale_on_every_page_and_fails_the_health_check(
    client, monkeypatch
):
    from app.public import published_city

    def on(day):
        monkeypatch.setattr(published_city.PublicCity, "this_day", lambda _city: day)

    on(TODAY + dt.timedelta(days=7))
    assert client.get("/readyz").status_code == 200
    assert "older than 14 days" not in client.get("/zones/").text
    on(TODAY + dt.timedelta(days=8))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "15 days old" in answer.get_json()["reasons"][0]
    for path in PAGES:
        if not path.startswith("/api"):
            assert "data of this release are older than 14 days" in client.get(path).text, path


def measured(client, query=""):
    return {one["id"]: one for one in client.get(f"/api/v1/measures{query}").get_json()["measures"]}


def test_the_data_have_one_age_wherever_it_is_told(client, monkeypatch):
    from app.public import published_city

    for later in (0, 3, 7, 8):
        day = TODAY + dt.timedelta(days=later)
        monkeypatch.setattr(published_city.PublicCity, "this_day", lambda _city, day=day: day)
        ready = client.get("/readyz").get_json()
        age = measured(client)["site.data_age_days"]
        since = (day - dt.date.fromisoformat(ready["data_through"])).days
        assert (ready["age_days"], age["value"]) == (since, since)
        assert ready["stale_after_days"] == age["target"] == 14
        assert (ready["status"] == "ready") == (age["status"] == "met") == (since <= 14)


@pytest.mark.parametrize("period", ["year", "ytd", "all"])
def test_numbers_of_rows_that_are_not_published_are_null_and_said_so(client, release, period):
    name = {"year": "last 12 months", "ytd": "this year", "all": "whole"}[period]
    found = measured(client, f"?period={period}")
    told = [
        row
        for row in rows(release, "data/measures.csv")
        if (row["period"], row["district"]) == (name, "")
    ]
    assert {row["n"] == "" for row in told} == {True, False}
    for row in told:
        for key in ("n", "missing"):
            given = int(row[key]) if row[key] else None
            assert found[row["measure"]][key] == given, row["measure"]
    counted = next(row["measure"] for row in told if row["value"] and not row["n"])
    text = client.get(f"/measures/{counted}?period={period}").text
    assert "umber of rows is not published" in text
    assert "othing missing" not in text
    assert "rom 10 rows" not in text


def test_the_last_12_months_are_the_same_days_everywhere(client, release):
    told = rows(release, "data/measures.csv")
    for name in ("last 12 months", "this year"):
        days = {(row["from"], row["to"]) for row in told if row["period"] == name}
        assert len(days) == 1, days
    document = json.loads(release.read("data/measures.json"))["periods"]["last 12 months"]
    (year,) = {(row["from"], row["to"]) for row in told if row["period"] == "last 12 months"}
    assert year == (document["from"], document["to"])
    assert {(row["from"], row["to"]) for row in rows(release, "data/districts.csv")} == {year}
    assert {(one["from"], one["to"]) for one in measured(client, "?period=year").values()} == {year}


def test_the_age_of_the_newest_data_is_counted_from_its_newest_day(client, monkeypatch):
    """It is what its definition says: what is published is never younger than the delay."""
    from app.public import published_city

    monkeypatch.setattr(
        published_city.PublicCity, "this_day", lambda _city: TODAY + dt.timedelta(days=3)
    )
    answer = client.get("/api/v1/measures/site.data_age_days").get_json()["measure"]
    through = dt.date.fromisoformat(answer["data_through"])
    assert answer["value"] == (TODAY + dt.timedelta(days=3) - through).days >= 7
    assert (answer["target"], answer["status"]) == (14.0, "met")


def test_a_city_that_is_published_later_is_named_beside_the_others(tmp_path):
    town = Town(tmp_path)
    town.publish()
    client = create_app(town.settings).test_client()
    assert "Other cities here" not in client.get("/zones/?city=town").text
    releases = town.settings.releases
    shutil.copytree(releases / "town", releases / "elsewhere")
    assert "?city=elsewhere" in client.get("/zones/?city=town").text
    town.database.close()


def test_a_file_that_was_changed_is_never_shown(tmp_path):
    town = Town(tmp_path)
    release = town.publish()
    path = release.path / "data" / "measures.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"alerts.count", b"alerts.c0unt"))
    client = create_app(town.settings).test_client()
    response = client.get("/measures/")
    assert response.status_code == 503
    assert client.get("/readyz").status_code == 503
    town.database.close()


def test_a_document_of_another_version_is_refused_with_its_field_and_the_remedy(release):
    told = json.loads(release.read("site/city.json"))
    del told["timezone"]
    with pytest.raises(BrokenReleaseError, match=r"site/city.json .*timezone.* draft and approve"):
        read_document(CityDocument, json.dumps(told).encode(), "site/city.json")
