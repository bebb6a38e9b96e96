"""Addresses of zones outlive the run that cut them: codes and old addresses lead on."""

import dataclasses
import datetime as dt
import json

import pytest
from ready import make_ready
from releasing import TODAY, Publisher, keep_run, town_run

from app import create_app
from app.config import Settings
from app.site_documents import site_files
from geodata.db.engine import open_database
from geodata.releases.build import approve_release, draft_release, withdraw_release
from geodata.releases.folder import ReleaseFolder


@dataclasses.dataclass
class Town:
    settings: Settings
    database: object

    @property
    def root(self):
        return self.settings.instance / "releases"

    def show(self, letter, move, day):
        """Put a run to use whose second zone lies further east, and publish it."""
        run = town_run(letter * 12, move=move)
        keep_run(self.database, run, created_at=dt.datetime(2026, 1, 2 + day))
        draft = draft_release(
            self.database, self.root, "town", "ana", pages=site_files, today=TODAY
        )
        approve_release(self.database, self.root, draft.id, "ben")
        return draft

    def get(self, zone):
        return create_app(self.settings).test_client().get(f"/zones/{zone}")


@pytest.fixture
def town(tmp_path):
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'town.sqlite'}", instance=tmp_path / "instance"
    )
    make_ready(settings.database_url)
    database = open_database(settings.database_url)
    Publisher(tmp_path, alerts=3).bring(database)
    yield Town(settings, database)
    database.close()


def test_codes_and_old_addresses_lead_to_the_zone_of_now_or_say_what_happened(town):
    town.show("a", 0.0, 0)
    assert town.get("D2-1").location == "/zones/aaaaaaaa-d2-1"
    second = town.show("b", 100.0, 1)  # three quarters of its zone are the same place
    assert town.get("aaaaaaaa-d1-1").location == "/zones/bbbbbbbb-d1-1"
    assert town.get("aaaaaaaa-d2-1").location == "/zones/bbbbbbbb-d2-1"
    assert town.get("bbbbbbbb-d2-1").status_code == 200
    third = town.show("c", 1000.0, 2)  # elsewhere
    for old in ("aaaaaaaa-d1-1", "bbbbbbbb-d1-1", "D1-1"):
        answer = town.get(old)
        assert (answer.status_code, answer.location) == (302, "/zones/cccccccc-d1-1")
    assert town.get("D2-2").location == "/zones/cccccccc-d2-1"
    for gone in ("aaaaaaaa-d2-1", "bbbbbbbb-d2-1", "D2-1"):
        answer = town.get(gone)
        assert answer.status_code == 410
        assert "Zone D2-1 is no zone any more" in answer.text
        assert "with data through May 27, 2024" in answer.text
    assert town.get("nope").status_code == 404
    assert town.get("D9-1").status_code == 404
    assert town.get("D2-1/picture.svg").status_code == 404
    folder = ReleaseFolder(path=town.root / "town" / third.id)
    zones = json.loads(folder.read("data/zones.geojson"))["features"]
    assert [zone["properties"]["code"] for zone in zones] == ["D1-1", "D2-2"]
    header, first = folder.read("data/zones.csv").decode().splitlines()[:2]
    assert header.split(",")[:2] == ["id", "code"]
    assert first.split(",")[:2] == ["cccccccc-d1-1", "D1-1"]
    # drafting the same again says nothing new, though one more release was approved since
    again = draft_release(town.database, town.root, "town", "ana", pages=site_files, today=TODAY)
    assert again.id == third.id
    withdraw_release(town.database, town.root, second.id, "cy", "a wrong map")
    anew = draft_release(town.database, town.root, "town", "ana", pages=site_files, today=TODAY)
    approve_release(town.database, town.root, anew.id, "ben")
    assert town.get("bbbbbbbb-d2-1").status_code == 404  # what was withdrawn is not told
    assert town.get("aaaaaaaa-d2-1").status_code == 410


def test_a_release_without_codes_leads_on_by_those_given_since(town):
    first = town.show("a", 0.0, 0)
    path = town.root / "town" / first.id
    made = ReleaseFolder(path=path)
    reader = ReleaseFolder.read

    def before(folder, name):
        """Read the first release as one of the version before: its zones have no codes."""
        content = reader(folder, name)
        if folder.path != path or name != "data/zones.geojson":
            return content
        document = json.loads(content)
        for feature in document["features"]:
            feature["properties"].pop("code")
        return json.dumps(document).encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReleaseFolder, "read", before)
        town.show("b", 100.0, 1)
    assert made.state == "approved"
    assert town.get("aaaaaaaa-d2-1").location == "/zones/bbbbbbbb-d2-1"


def test_the_map_compares_with_an_earlier_release_without_scripts(town):
    first = town.show("a", 0.0, 0)
    client = create_app(town.settings).test_client()
    assert 'id="then"' not in client.get("/map").text  # nothing to compare with
    second = town.show("b", 1000.0, 1)  # its second zone lies elsewhere
    text = client.get(f"/map?then={first.id}").text
    assert f'<option value="{first.id}" selected>' in text
    told = text.partition('id="then-told">')[2].partition("<")[0]
    run = create_app(town.settings).extensions["saferground.site"].shown("town").run
    number = len(run.zones)
    assert f"{number - 1} of {number} zones stand where one stood. New: 1. Gone: 1." in told
    assert "bbbbbbbb-d2-1" in text.partition('id="then-told">')[2].partition("</section>")[0]
    address = text.partition('data-zones="')[2].partition('"')[0]
    with client.get(address) as answer:
        zones = answer.get_json(force=True)["features"]
    assert {zone["properties"]["id"][:8] for zone in zones} == {"aaaaaaaa"}
    picture = text.partition('class="then-picture" src="')[2].partition('"')[0]
    with client.get(picture) as answer:
        assert answer.status_code == 200
    assert client.get(f"/map?then={second.id}").status_code == 400  # not with itself
    withdraw_release(town.database, town.root, first.id, "ben", "an error")
    assert client.get(f"/map?then={first.id}").status_code == 400
    assert client.get(address).status_code == 404


def test_the_same_zones_are_said_to_be_the_same(town):
    first = town.show("a", 0.0, 0)
    town.show("b", 0.0, 1)
    text = create_app(town.settings).test_client().get(f"/map?then={first.id}&lang=es").text
    assert "Las zonas son las de la publicación" in text
