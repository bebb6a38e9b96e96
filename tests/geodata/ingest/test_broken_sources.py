"""A source of any section that cannot be read leaves what is stored of it, and stops no other."""

import json

import pandas as pd
import pytest
import shapely
from based import base_frame
from published import write_people
from sqlalchemy import select
from town import SIDE, SOUTH, WEST, Town, write_geojson

from geodata.basemap.tiles_file import make_archive
from geodata.cityfile.description import read_city_file
from geodata.clock import utc_now
from geodata.db.engine import open_database, upgrade
from geodata.db.tables import Base
from geodata.errors import DataError
from geodata.ingest.store import import_city
from geodata.repositories import import_log

SECTIONS = """
[boundary]
source = "outline.geojson"
[coverage]
source = "heard.geojson"
[residents]
source = "people.geojson"
total = "all"
[residents.groups]
"Older" = "old"
[addresses]
source = "addresses.csv"
x = "lon"
y = "lat"
number = "no"
street = "street"
[basemap]
source = "own.pmtiles"
[[base]]
kind = "park"
source = "parks.geojson"
[[areas]]
kind = "neighborhood"
source = "quarters.geojson"
name = "label"
[[alerts]]
source = "alerts.csv"
[alerts.fields]
id = "id"
triggered = "at"
x = "lon"
y = "lat"
[[visits]]
source = "visits.csv"
[visits.fields]
id = "id"
start = "at"
address = "where"
[[counts]]
source = "counts.csv"
[counts.fields]
measure = "measure"
from = "from"
to = "to"
value = "n"
"""
FILES = {  # kind of an account -> its file
    "districts": "districts.geojson",
    "boundary": "outline.geojson",
    "coverage": "heard.geojson",
    "residents": "people.geojson",
    "addresses": "addresses.csv",
    "basemap": "own.pmtiles",
    "base": "parks.geojson",
    "areas": "quarters.geojson",
    "incidents": "incidents.csv",
    "factors": "bars.geojson",
    "alerts": "alerts.csv",
    "visits": "visits.csv",
    "counts": "counts.csv",
}
RING = [[9, 9], [9.1, 9], [9.1, 9.1], [9, 9]]
ELSEWHERE = {
    "type": "Feature",
    "properties": {"code": "D1"},
    "geometry": {"type": "Polygon", "coordinates": [RING]},
}
BREAKS = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "another table": lambda path: path.write_text("a,b\n1,2\n"),
    "a page": lambda path: path.write_text("<!doctype html><html><body>Sign in</body></html>"),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 3]),
    "another place": lambda path: path.write_text(json.dumps(ELSEWHERE)),
}
VOLATILE = {"city": {"imported_at", "base_tiles"}, "district": {"id"}}
LOGS = ("source", "import_version", "import_change", "audit", "audit_head")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("broken")


@pytest.fixture(scope="module")
def town(folder):
    made = Town(folder)
    lon, lat = made.incidents[["lon", "lat"]].iloc[0]
    whole = shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)
    west = shapely.box(WEST, SOUTH, WEST + SIDE / 2, SOUTH + SIDE)
    write_geojson(folder / "outline.geojson", [whole])
    write_geojson(folder / "heard.geojson", [west])
    write_geojson(folder / "quarters.geojson", [west], label=["Old Mill"])
    write_geojson(folder / "parks.geojson", [west.buffer(-500)])
    write_people(folder)
    (folder / "addresses.csv").write_text(f"no,street,lon,lat\n12,OAK ST,{lon},{lat}\n")
    (folder / "own.pmtiles").write_bytes(make_archive(base_frame(), whole))
    (folder / "alerts.csv").write_text(f"id,at,lon,lat\nA,2024-01-31 14:05,{lon},{lat}\n")
    (folder / "visits.csv").write_text("id,at,where\nV,2024-01-31 14:05,12 Oak Street\n")
    (folder / "counts.csv").write_text(
        "measure,from,to,n\ndirtbike.seizures,2024-01-01,2024-02-01,3\n"
    )
    made.city += SECTIONS
    made.save()
    return made


def rows_of(database):
    """Return every row of every table of data, without what each import writes anew."""
    found = {}
    with database.session() as session:
        for name, table in Base.metadata.tables.items():
            if name not in LOGS:
                columns = [c for c in table.columns if c.name not in VOLATILE.get(name, ())]
                rows = session.execute(select(*columns)).all()
                found[name] = sorted(
                    repr([v.wkt if hasattr(v, "wkt") else v for v in row]) for row in rows
                )
    return found


@pytest.fixture(scope="module")
def database(town):
    url = f"sqlite:///{town.folder}/broken.sqlite"
    upgrade(url)
    return open_database(url)


def bring(database, town, **options):
    result = import_city(database, read_city_file(town.path), **options)
    return {report.kind: report for report in result.sources}


@pytest.fixture(scope="module")
def before(database, town):
    first = bring(database, town)
    assert {one: report.fault for one, report in first.items()} == dict.fromkeys(first)
    assert set(first) | {"basemap"} == set(FILES)
    return rows_of(database)


@pytest.fixture
def spoil(town):
    """Change one file, which is whole again after the test."""
    whole = {}

    def change(name, how):
        path = town.folder / name
        whole[path] = path.read_bytes()
        how(path)

    yield change
    for path, content in whole.items():
        path.write_bytes(content)


CASES = [  # a table that breaks off is a shorter table
    (kind, how) for kind in FILES for how in BREAKS if (kind, how) != ("incidents", "cut off")
]


@pytest.mark.parametrize(("kind", "how"), CASES)
def test_a_broken_source_stays_as_it_is_stored_and_no_other_is_named(
    database, town, before, spoil, kind, how
):
    spoil(FILES[kind], BREAKS[how])
    found = bring(database, town, tolerant=True, skip_unchanged=True)
    needs = {kind, "visits"} if kind == "addresses" else {kind}  # they are placed by addresses
    assert {one for one, report in found.items() if report.fault} == needs
    assert FILES[kind] in found[kind].source
    assert found[kind].fault in found[kind].notes[-1]
    assert rows_of(database) == before


@pytest.mark.parametrize("kind", [kind for kind in FILES if kind != "incidents"])
def test_others_are_stored_beside_a_broken_source(database, town, before, spoil, kind):
    new = town.incidents.head(1).assign(id=[f"new-{kind}"], offense="ROBBERY")
    more = pd.concat([town.incidents, new])
    spoil(FILES[kind], BREAKS["gone"])
    with pytest.raises(DataError):
        bring(database, town)
    spoil("incidents.csv", lambda path: more.to_csv(path, index=False))
    with database.session() as session:
        last = import_log.list_imports(session, "town")[0].id
    found = bring(database, town, tolerant=True, skip_unchanged=True)
    assert (found["incidents"].stored, bool(found[kind].fault)) == (1, True)
    after = rows_of(database)
    assert {name for name in after if after[name] != before[name]} == {"incident"}
    with database.session(write=True) as session:
        import_log.undo_import(session, last + 1, "ana", utc_now())


def test_files_that_do_not_fit_one_another_leave_all_areas_as_they_are_stored(
    database, town, before, spoil
):
    far = shapely.box(WEST + 9_000, SOUTH, WEST + 12_000, SOUTH + 3_000)
    spoil("outline.geojson", lambda path: write_geojson(path, [far]))
    found = bring(database, town, tolerant=True)
    assert {one for one, report in found.items() if report.fault} == {
        "districts", "boundary", "coverage",
    }  # fmt: skip
    assert rows_of(database) == before


def test_a_source_that_is_whole_again_is_read(database, town, before, spoil):
    found = bring(database, town, tolerant=True, skip_unchanged=True)
    assert {one for one, report in found.items() if report.fault} == set()
    assert found["residents"].left_out == {"already stored": 4}
    assert rows_of(database) == before


def test_a_city_that_is_not_stored_yet_has_no_areas_to_go_on_with(sqlite_database, town, spoil):
    spoil("districts.geojson", BREAKS["gone"])
    with pytest.raises(DataError, match=r"districts\.geojson"):
        bring(sqlite_database, town, tolerant=True)
