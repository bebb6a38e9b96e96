"""A town with three releases: an early one, one that was withdrawn, and the one that is shown."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest
import shapely
from demo_fixtures import made_once
from gunfire import degrees
from ready import make_ready
from releasing import TODAY, Publisher, keep_run, tell_initiatives, town_run
from town import SIDE, SOUTH, WEST, write_geojson

from app import create_app
from app.config import Settings
from app.site_documents import site_files
from geodata.db.engine import open_database
from geodata.releases.build import approve_release, draft_release, withdraw_release
from geodata.releases.folder import ReleaseFolder, approved_releases

EARLY, LATER = dt.date(2024, 4, 29), dt.date(2024, 5, 6)  # before April was over
WHY = "The <b>district</b> borders were old & wrong"
TO_THE_PUBLIC = """
[contact]
name = "Town clerk <records>"
email = "clerk@town.example"
[publish]
license = "CC BY 4.0"
license_url = "https://creativecommons.org/licenses/by/4.0/"
[residents]
source = "people.geojson"
total = "all"
groups = { "Older <65+>" = "old", "Children" = "young" }
about = "counted in 2020"
"""


@dataclass(kw_only=True)
class Published:
    """The pages of the town and its releases, by what they are."""

    settings: Settings
    app: object
    early: ReleaseFolder
    withdrawn: ReleaseFolder
    current: ReleaseFolder

    @property
    def client(self):
        return self.app.test_client()

    @property
    def root(self):
        return self.settings.releases


def draft_and_approve(database, settings, city, **more) -> ReleaseFolder:
    """Draft a release with its pages, as the data stand, and approve it."""
    made = draft_release(database, settings.releases, city, "ana", pages=site_files, **more)
    approve_release(database, settings.releases, made.id, "ben")
    return ReleaseFolder(path=settings.releases / city / made.id)


def write_people(folder: Path, **more):
    """Write four quarters of the town, the last with few people; ``more`` are other columns."""
    half = SIDE / 2
    corners = [(0, 0), (half, 0), (0, half), (half, half)]
    shapes = [
        shapely.box(WEST + x, SOUTH + y, WEST + x + half, SOUTH + y + half) for x, y in corners
    ]
    columns = {
        "all": [4000, 2000, 1000, 40],
        "old": [1000, 200, 100, 10],
        "young": [800, 900, 0, 4],
    }
    write_geojson(folder / "people.geojson", shapes, **{**columns, **more})


def crowd_first_zone(town):
    """Move twenty robberies of May into the first zone, so that what it held may be told."""
    last = town.incidents.index[-20:]
    town.incidents.loc[last, "offense"] = "ROBBERY"
    town.incidents.loc[last, "date"] = [f"5/{day}/2024" for day in range(3, 23)]
    town.incidents.loc[last, ["lon", "lat"]] = [degrees(100.0 + 10 * i, 200.0) for i in range(20)]


def publish(tmp_path_factory) -> Published:
    """Return the town published three times, the second withdrawn, in a folder of its own."""
    folder = made_once(tmp_path_factory, "town", _publish)
    settings = settings_in(folder)
    early, withdrawn, current = approved_releases(settings.releases, "town")[::-1]
    return Published(
        settings=settings,
        app=create_app(settings),
        early=early,
        withdrawn=withdrawn,
        current=current,
    )


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """The published town, for tests that only read it."""
    return publish(tmp_path_factory)


def settings_in(folder: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{folder / 'town.sqlite'}", instance=folder / "instance"
    )


def _publish(folder: Path) -> None:
    settings = settings_in(folder)
    make_ready(settings.database_url)
    database = open_database(settings.database_url)
    write_people(folder)
    town = Publisher(folder)
    town.city += TO_THE_PUBLIC
    crowd_first_zone(town)
    town.bring(database)
    keep_run(database, town_run())
    tell_initiatives(database, folder)
    root, made = settings.releases, []
    for today in (EARLY, LATER, TODAY):
        made.append(draft_and_approve(database, settings, "town", today=today).id)
    withdraw_release(database, root, made[1], "cy", WHY)
    database.close()
