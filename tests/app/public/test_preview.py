"""A preview is the draft of a release: what staff see of it is what anybody sees once approved."""

import dataclasses
import datetime as dt
import json
import re

import pytest
from crawling import linked
from published import publish
from releasing import keep_run, town_run

from app import create_app
from app.config import Settings
from app.site_documents import make_city_preview, site_files
from geodata.db.engine import open_database
from geodata.errors import ReleaseError
from geodata.releases.build import approve_release, draft_release, verify_release
from geodata.releases.folder import PreviewFolder, ReleaseFolder
from geodata.releases.preview import preview_draft
from geodata.repositories.releases import list_releases

BANNER = re.compile(rb'<aside class="staleness"[^>]*><strong>(?:Pre|Vista).*?</aside>', re.S)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """The published town, whose zones are another run's since its last release."""
    made = publish(tmp_path_factory)
    made.database = open_database(made.settings.database_url)
    keep_run(made.database, town_run("b" * 12, move=600), created_at=dt.datetime(2026, 2, 2))
    yield made
    made.database.close()


@pytest.fixture
def preview(town):
    return make_city_preview(town.database, town.settings, "town")


@pytest.fixture
def previewing(town, preview):
    """The public pages over the preview."""
    app = create_app(dataclasses.replace(town.settings, preview=True))
    return app.test_client()


def test_a_preview_is_no_release(town, preview):
    before = ReleaseFolder.current(town.root, "town").id
    assert preview.id != before
    assert not preview.path.is_relative_to(town.root)
    with town.database.session() as session:
        assert preview.id not in [one.id for one in list_releases(session, "town")]
    public = town.client
    assert preview.id not in public.get("/data/").text
    assert public.get(f"/data/releases/{preview.id}/").status_code == 404
    assert public.get("/api/v1/city").get_json()["release"] == before
    copied = ReleaseFolder(path=preview.path)
    assert (copied.state, copied.approval) == ("drafted", None)
    assert copied.verify() == ()


def test_the_next_preview_takes_the_place_of_the_one_before(town, preview, previewing):
    folder = town.settings.previews
    assert previewing.get("/map").status_code == 200
    assert (town.settings.preview_maps / f"release-{preview.id}").is_dir()
    other = make_city_preview(town.database, town.settings, "town", run="a" * 12)
    assert other.id != preview.id
    assert [path.name for path in folder.glob("town/*") if path.is_dir()] == [other.id]
    assert not any(town.settings.preview_maps.iterdir())
    assert f"Release {other.id}" in previewing.get("/").text
    again = make_city_preview(town.database, town.settings, "town", run="a" * 12)
    assert (again.id, again.path) == (other.id, other.path)
    assert again.made_at > other.made_at


def test_a_preview_that_is_refused_leaves_the_one_before_and_tells_why(town, preview, monkeypatch):
    def wrong(_material, files):
        return {**site_files(_material, files), "data/alerts.csv": files["data/alerts.csv"] + b"x"}

    with monkeypatch.context() as patch:
        patch.setattr("app.site_documents.site_files", wrong)
        with pytest.raises(ReleaseError, match="the release is refused"):
            make_city_preview(town.database, town.settings, "town", run="a" * 12)
    assert PreviewFolder.current(town.settings.previews, "town").id == preview.id


def test_a_draft_becomes_the_preview_without_being_made_again(town):
    draft = draft_release(town.database, town.root, "town", "ana", run="a" * 12, pages=site_files)
    shown = preview_draft(town.root, town.settings.previews, "town", draft.id)
    assert (shown.id, shown.verify()) == (draft.id, ())
    make_city_preview(town.database, town.settings, "town")
    assert verify_release(town.root, draft.id)[1] == (), "the draft stays when its preview goes"


def test_before_a_preview_is_made_pages_say_how(tmp_path):
    settings = Settings(database_url="sqlite:///none", instance=tmp_path, preview=True)
    client = create_app(settings).test_client()
    for path in ("/", "/map", "/measures/", "/data/"):
        assert "saferground publish preview CITY" in client.get(path).text
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["reasons"]) == (503, ["no preview was made"])
    assert client.get("/api/v1/city").status_code == 404


def test_a_preview_says_how_long_ago_it_was_made(town, preview, previewing):
    pointer = town.settings.previews / "town" / "preview.json"
    told = json.loads(pointer.read_text())
    for minutes, words in ((3, "3 minutes ago"), (125, "2 hours ago"), (3000, "2 days ago")):
        at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
        pointer.write_text(json.dumps({**told, "at": at.isoformat()}))
        assert f"Preview, made {words}." in previewing.get("/zones/").text
    pointer.write_text(json.dumps(told))
    assert "hace" in previewing.get("/zones/?lang=es").text
    assert previewing.get("/").headers["X-Robots-Tag"] == "noindex"


def test_every_public_page_is_the_same_to_the_byte_once_the_draft_is_approved(
    town, preview, previewing, monkeypatch
):
    addresses = [a for a in linked(previewing, preview) if not a.startswith("/readyz")]
    assert len(addresses) > 150
    before = {address: previewing.get(address, buffered=True) for address in addresses}
    draft = draft_release(town.database, town.root, "town", "ana", pages=site_files)
    assert draft.id == preview.id
    made = dt.datetime.fromisoformat(preview.made_at).replace(tzinfo=None)
    monkeypatch.setattr("geodata.releases.build.utc_now", lambda: made)
    approve_release(town.database, town.root, draft.id, "ben")
    banners = 0
    for address in addresses:
        after = town.client.get(address, buffered=True)
        assert after.status_code == before[address].status_code, address
        content = before[address].data
        if before[address].mimetype == "text/html":
            content, found = BANNER.subn(b"", content)
            banners += found
        assert content == after.data, address
    assert banners > 40
