"""A preview is the draft of a release: what staff see of it is what anybody sees once approved."""

import dataclasses
import datetime as dt
import re

import pytest
from published import publish
from releasing import keep_run, town_run
from staffing import Office
from test_withdrawn import linked

from app import create_app
from app.site.release_pages import make_city_preview, site_files
from geodata.database import open_database
from geodata.errors import ReleaseError
from geodata.publishing import preview as previews
from geodata.publishing.folder import PreviewFolder, ReleaseFolder
from geodata.publishing.release import approve_release, draft_release, verify_release
from geodata.store.releases import list_releases

BANNER = re.compile(r'<aside class="staleness"[^>]*><strong>Preview, made .*?</aside>\n', re.S)
SPANISH = re.compile(r'<aside class="staleness"[^>]*><strong>Vista previa, .*?</aside>\n', re.S)
BELOW = "/analyst/town/preview"


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


def without_banner(answer):
    found, banners = BANNER.subn("", SPANISH.sub("", answer.text))
    return found


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
