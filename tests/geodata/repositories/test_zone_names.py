"""Names of zones as they are stored: with a run, with a step of a person, for earlier runs."""

import dataclasses
import datetime as dt
import shutil

import numpy as np
import pytest
import shapely
from ready import make_ready
from releasing import keep_run, town_run
from sqlalchemy import delete, func, select
from town import SOUTH, WEST, Town, write_geojson

from app.i18n.language import speaking
from app.i18n.place_words import whole
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.db.tables import BaseShape, NamedArea, ZoneName
from geodata.errors import CityFileError
from geodata.exporting import zones_frame
from geodata.ingest.store import import_city
from geodata.repositories import layers, runs, zone_versions
from geodata.repositories.import_log import list_imports, undo_import
from geodata.repositories.zone_editing import Rename, SplitZone, change_zones
from geodata.repositories.zone_names import name_earlier_zones
from spatial.zones.name_words import long_name

WHEN = dt.datetime(2026, 3, 4, 10, 0)
ONE = "Old Tannery: Main Street between Third Street and Fifth Street, and 2 blocks of Third Street"


class NamedTown(Town):
    """A town whose first zone lies on Main Street in a neighborhood, its second on a motorway."""

    def __init__(self, folder):
        super().__init__(folder)
        ways = {
            "Main Street": ((0, 200), (2000, 200)),
            "Third Street": ((0, 0), (0, 900)),
            "Fifth Street": ((500, 0), (500, 900)),
            "I-85": ((2000, 300), (4000, 300)),
        }
        lines = [shapely.LineString(np.add(line, (WEST, SOUTH))) for line in ways.values()]
        kinds = ["residential", "residential", "tertiary", "motorway"]
        write_geojson(folder / "ways.geojson", lines, name=list(ways), kind=kinds)
        part = shapely.box(WEST, SOUTH, WEST + 1500, SOUTH + 1500)
        write_geojson(folder / "parts.geojson", [part, part], name=["Old Tannery", ""])
        self.city += (
            '[[base]]\nkind = "street"\nsource = "ways.geojson"\nname = "name"\nclass = "kind"\n'
            '[[areas]]\nkind = "neighbourhood"\nsource = "parts.geojson"\nname = "name"\n'
        )
        self.save()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    url = f"sqlite:///{folder}/town.sqlite"
    make_ready(url)
    database = open_database(url)
    town = NamedTown(folder)
    import_city(database, read_city_file(town.path))
    keep_run(database)
    database.close()
    return folder


@pytest.fixture
def database(made, tmp_path):
    shutil.copy(made / "town.sqlite", tmp_path / "town.sqlite")
    database = open_database(f"sqlite:///{tmp_path}/town.sqlite")
    yield database
    database.close()


def zones_of(database, run="a" * 12):
    with database.session() as session:
        return zone_versions.get_run_in_use(session, run).zones


def test_a_run_is_stored_with_the_names_of_its_zones(database):
    zones = zones_of(database)
    assert [long_name(name) for name in zones["place_name"]] == [
        ONE,
        "Beside I-85, 2.1 km east of Fifth Street & Main Street",
    ]
    assert zones["place_name"].iloc[0].near.streets == ("Main Street", "Third Street")
    with database.session() as session:
        document = runs.find_document(session, "a" * 12).as_json()
    first = document["zones"][0]
    assert first["name"] == ONE
    assert first["near"] == {
        "streets": ["Main Street", "Third Street"],
        "crossing": "Main Street & Third Street",
        "neighbourhood": "Old Tannery",
    }


def test_a_step_of_a_person_names_what_it_made_and_keeps_the_other_names(database):
    with database.session() as session:
        run = runs.get_run(session, "a" * 12)
    line = shapely.LineString([(WEST + 200, SOUTH - 9), (WEST + 200, SOUTH + 409)])
    with database.session(write=True) as session:
        changed = change_zones(run, SplitZone(zone=run.zones["id"][0], line=line), 1)
        zone_versions.add_edition(session, run, changed, "why", "ana", WHEN, after=0)
        zone_versions.use_edition(session, run, 1, "why", "ana", WHEN)
    names = [long_name(name) for name in zones_of(database)["place_name"]]
    assert len(set(names)) == 3
    assert names[-1] == "Beside I-85, 2.1 km east of Fifth Street & Main Street"
    assert sorted(names[:2]) == [
        "Old Tannery: Main Street between Third Street and Fifth Street",
        "Old Tannery: Third Street at Main Street, and a block of Main Street",
    ]


def test_what_a_person_calls_a_zone_goes_before_it(database):
    with database.session() as session:
        run = runs.get_run(session, "a" * 12)
    with database.session(write=True) as session:
        changed = change_zones(run, Rename(zone=run.zones["id"][0], name="The Mill"), 1)
        zone_versions.add_edition(session, run, changed, "why", "ana", WHEN, after=0)
        zone_versions.use_edition(session, run, 1, "why", "ana", WHEN)
    with database.session() as session:
        used = zone_versions.get_run_in_use(session, run.id)
        record = zone_versions.district_zones(session, run.id, "D1")[0]
    assert (record.name, long_name(record.place_name)) == ("The Mill", ONE)
    assert zones_frame(used)["name"][0] == "The Mill"
    assert zones_frame(run)["name"][0] == ONE


def test_zones_of_earlier_versions_are_named_once(database):
    before = [long_name(name) for name in zones_of(database)["place_name"]]
    with database.session(write=True) as session:
        session.execute(delete(ZoneName))
    assert list(zones_of(database)["place_name"]) == [None, None]
    with database.session(write=True) as session:
        assert name_earlier_zones(session) == 2
        assert name_earlier_zones(session) == 0
    assert [long_name(name) for name in zones_of(database)["place_name"]] == before


def test_without_named_streets_a_zone_has_no_name_until_there_are_some(database):
    with database.session(write=True) as session:
        session.execute(delete(ZoneName))
        session.execute(delete(BaseShape))
        session.execute(delete(NamedArea))
        assert name_earlier_zones(session) == 0
        assert session.scalar(select(func.count()).select_from(ZoneName)) == 0


def test_names_are_no_part_of_what_a_run_found(database):
    run = town_run("b" * 12)
    with_names = dataclasses.replace(run, result=run.result.named({}))
    assert with_names.result == run.result
    assert not {"name", "near"} & set(run.result.as_json()["zones"][0])


def test_areas_are_read_stored_once_and_taken_back(database, made):
    with database.session() as session:
        found = layers.named_areas(session, 1, "neighbourhood")
    assert list(found["name"]) == ["Old Tannery"]
    described = read_city_file(made / "city.toml")
    again = import_city(database, described)
    (report,) = [one for one in again.sources if one.kind == "areas"]
    assert (report.read, report.stored) == (2, 0)
    assert report.left_out == {"no name": 1, "already stored": 1}
    import_city(database, dataclasses.replace(described, areas=()))
    with database.session() as session:
        assert len(layers.named_areas(session, 1)) == 0
    with database.session(write=True) as session:
        undo_import(session, list_imports(session, "town")[0].id, "ana", WHEN)
        assert list(layers.named_areas(session, 1)["name"]) == ["Old Tannery"]


def test_a_kind_of_areas_has_one_source(made, tmp_path):
    text = (made / "city.toml").read_text()
    areas = text[text.index("[[areas]]") :]
    (tmp_path / "city.toml").write_text(text + areas)
    with pytest.raises(CityFileError, match="'neighbourhood' has more than one source"):
        read_city_file(tmp_path / "city.toml", made)


def test_a_name_is_said_in_spanish_from_its_parts(database):
    names = list(zones_of(database)["place_name"])
    with speaking("es"):
        assert [whole(name) for name in names] == [
            "Old Tannery: Main Street entre Third Street y Fifth Street, "
            "y 2 cuadras de Third Street",
            "Junto a I-85, a 2.1 km al este de Fifth Street y Main Street",
        ]
