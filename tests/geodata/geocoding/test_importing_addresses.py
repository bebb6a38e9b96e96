"""From the city file to stored incidents: rows without coordinates are found by their address."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
import shapely
from extracts import ExtractTown
from sqlalchemy import func, select
from town import SIDE, SOUTH, WEST, Town, to_degrees, write_geojson

from geodata.cityfile.description import read_city_file
from geodata.db.tables import Address, Incident
from geodata.errors import CityFileError, DataError
from geodata.ingest.store import import_city
from geodata.repositories import import_log
from geodata.repositories.cities import get_city

STEP = SIDE / 10
SEGMENTS = """
[addresses]
source = "segments.geojson"
street = ["dir", "name", "type"]
left = ["l_from", "l_to"]
right = ["r_from", "r_to"]
"""
POINTS = """
[addresses]
source = "points.csv"
number = "no"
street = "street"
x = "lon"
y = "lat"
"""


def along(row, share):
    """Return a place on the street of a row, ``share`` blocks from its start."""
    return WEST + share * STEP, SOUTH + (row + 0.5) * STEP


class AddressTown(Town):
    """The town with ten streets from west to east, a hundred numbers a block, and two across."""

    def __init__(self, folder):
        super().__init__(folder)
        names = ["ALDER", "BIRCH", "CEDAR", "DOGWOOD", "ELM", "FIR", "GINKGO", "HOLLY", "IRONWOOD"]
        rows, lines = [], []
        for row, name in enumerate(names):
            for block in range(1, 10):
                rows.append(("N", name, "ST", block * 100, block * 100 + 98, block * 100 + 1, 99))
                lines.append(shapely.LineString([along(row, block), along(row, block + 1)]))
        for block, name in ((3, "QUINCE"), (5, "ROWAN")):
            rows.append(("", name, "AVE", 0, 0, 0, 0))
            lines.append(shapely.LineString([along(-0.5, block), along(9.5, block)]))
        columns = ["dir", "name", "type", "l_from", "l_to", "r_from", "r_to"]
        frame = pd.DataFrame(rows, columns=columns)
        frame["r_to"] = frame["r_from"].where(frame["r_from"] == 0, frame["r_from"] + 98)
        write_geojson(
            folder / "segments.geojson",
            lines,
            **{name: values.tolist() for name, values in frame.items()},
        )
        self.change('x = "lon"', 'address = "location"\nx = "lon"')
        self.incidents["offense"] = "ROBBERY"
        self.incidents["location"] = ""

    def lose(self, row, address):
        self.incidents.loc[row, ["lon", "lat"]] = np.nan
        self.incidents.loc[row, "location"] = address


@pytest.fixture
def town(tmp_path):
    return AddressTown(tmp_path)


def bring(database, town):
    town.save()
    result = import_city(database, read_city_file(town.path))
    return next(one for one in result.sources if one.kind == "incidents")


def stored(database):
    with database.session() as session:
        return {row.row_key: row for row in session.scalars(select(Incident))}


def test_rows_without_coordinates_are_found_on_both_databases(database, town):
    town.city += SEGMENTS
    town.incidents["location"] = "1 NOWHERE LN"  # of rows with coordinates nobody asks it
    town.lose(0, "250 North Birch Street, Apt 3")
    town.lose(1, "3XX BLOCK OF N CEDAR ST")
    town.lose(2, "QUINCE AVE / N ELM ST")
    town.lose(3, "251 BRICH ST")
    town.incidents.loc[4, ["lon", "lat"]] = [0, 0]
    town.incidents.loc[4, "location"] = "300 N FIR ST"
    report = bring(database, town)
    assert report.stored == report.read == 120
    assert report.addresses["matched"] == {"range": 2, "intersection": 1, "block": 1, "spelling": 1}
    assert report.addresses["rows"] == 5
    assert "placed by their address: 5 of 5 rows" in " ".join(report.notes)
    rows = stored(database)
    for key, place, method in (
        ("24-00000", along(1, 2 + 50 / 98), "range"),
        ("24-00001", along(2, 3.5), "block"),
        ("24-00002", along(4, 3), "intersection"),
        ("24-00003", along(1, 2.51), "spelling"),
        ("24-00004", along(5, 3), "range"),
    ):
        assert rows[key].geom.distance(shapely.Point(place)) < 5, key
        assert rows[key].place_method == method
        assert 0.5 < rows[key].place_score < 1
    others = [row for key, row in rows.items() if key > "24-00004"]
    assert {(row.place_method, row.place_score) for row in others} == {(None, None)}
    back = to_degrees(rows["24-00007"].geom)
    assert back.x == pytest.approx(town.incidents.loc[7, "lon"], abs=2e-6)


def test_the_account_adds_up_and_is_kept_and_says_why(sqlite_database, town):
    town.city += SEGMENTS
    for row, address in enumerate(
        ["5 ZINNIA ST", "7 ZINNIA ST", "9999 N ELM ST", "N ELM ST", "?", "250 S ELM ST", ""]
    ):
        town.lose(row, address)
    report = bring(sqlite_database, town)
    assert report.left_out == {
        "no coordinates": 1,
        "address: street not known": 3,
        "address: number not on the street": 1,
        "address: only a street": 1,
        "address: cannot be read as an address": 1,
    }
    document = report.as_json()["addresses"]
    assert document["not_matched"]["street not known"] == 3
    assert document["misses"] == [{"street": "ZINNIA STREET", "why": "street not known", "rows": 2}]
    assert "9999" not in json.dumps(document)
    with sqlite_database.session() as session:
        kept = import_log.latest_reports(session, get_city(session, "town").id)
    assert report.as_json() in [one.as_json() for one in kept]


def test_rows_with_coordinates_are_judged_as_ever_beside_rows_with_addresses(sqlite_database, town):
    town.city += SEGMENTS
    town.lose(0, "250 N ELM ST")
    town.incidents.loc[[1, 2], "lon"] = -75.0
    town.incidents.loc[2, "date"] = "soon"
    town.incidents.loc[1, "location"] = "250 N ELM ST"
    report = bring(sqlite_database, town)
    assert report.left_out == {"bad date": 1, "far from the city": 1}
    assert report.addresses["rows"] == 1
    assert {"24-00001", "24-00002"} & set(stored(sqlite_database)) == set()


def test_streets_alone_are_stored_and_marked_only_where_the_city_says_so(sqlite_database, town):
    town.city += SEGMENTS + "street_only = true\n"
    town.lose(0, "N ELM ST")
    town.lose(1, "250 N ELM ST")
    report = bring(sqlite_database, town)
    assert report.addresses["matched"] == {"range": 1, "street": 1}
    assert stored(sqlite_database)["24-00000"].place_method == "street"


def test_the_same_again_stores_nothing_and_a_better_layer_corrects(sqlite_database, town):
    town.city += SEGMENTS
    town.lose(0, "250 N ELM ST")
    assert bring(sqlite_database, town).stored == 120
    again = bring(sqlite_database, town)
    assert (again.stored, again.left_out) == (0, {"already stored": 120})
    x, y = to_degrees(shapely.Point(along(4, 2.6))).coords[0]
    (town.folder / "points.csv").write_text(f"no,street,lon,lat\n250,N Elm St,{x},{y}\n")
    town.city = town.city.replace(SEGMENTS, POINTS)
    better = bring(sqlite_database, town)
    assert (better.stored, better.left_out) == (1, {"already stored": 119})
    row = stored(sqlite_database)["24-00000"]
    assert (row.place_method, row.place_score) == ("exact", 1.0)
    assert row.geom.distance(shapely.Point(along(4, 2.6))) < 1
    with sqlite_database.session(write=True) as session:
        newest = import_log.list_imports(session, "town")[0]
        import_log.undo_import(session, newest.id, "ann", dt.datetime(2026, 1, 1))
    row = stored(sqlite_database)["24-00000"]
    assert (row.place_method, row.place_score) == ("range", 0.88)


def test_address_points_are_homes_and_segments_are_not(sqlite_database, town):
    x, y = to_degrees(shapely.Point(along(4, 2.6))).coords[0]
    whole = f'full,lon,lat\n"250 N Elm St, Springfield",{x},{y}\n"Elm St",{x},{y}\n'
    (town.folder / "points.csv").write_text(whole)
    town.city += POINTS.replace('number = "no"\nstreet = "street"', 'address = "full"')
    town.lose(0, "250 n elm st")
    assert bring(sqlite_database, town).addresses["matched"] == {"exact": 1}
    with sqlite_database.session() as session:
        assert len(session.scalars(select(Address)).all()) == 2
    town.city = town.city[: town.city.index("[addresses]")] + SEGMENTS
    town.save()
    result = import_city(sqlite_database, read_city_file(town.path))
    (account,) = [one for one in result.sources if one.kind == "addresses"]
    assert (account.read, account.stored) == (83, 0)
    with sqlite_database.session() as session:
        assert session.scalars(select(Address)).all() == []


def test_streets_of_the_map_say_where_points_cross(sqlite_database, town):
    x, y = to_degrees(shapely.Point(along(4, 2.6))).coords[0]
    (town.folder / "points.csv").write_text(f"no,street,lon,lat\n250,N Elm St,{x},{y}\n")
    town.city += POINTS
    town.city += '[[base]]\nkind = "street"\nsource = "segments.geojson"\nname = "name"\n'
    town.lose(0, "QUINCE & ELM")
    assert bring(sqlite_database, town).addresses["matched"] == {"intersection": 1}
    assert stored(sqlite_database)["24-00000"].geom.distance(shapely.Point(along(4, 3))) < 1


def test_a_table_of_nothing_but_addresses_comes_in(sqlite_database, town):
    town.change('x = "lon"\ny = "lat"\n', "")
    town.incidents = town.incidents.drop(columns=["lon", "lat"])
    town.incidents["location"] = [f"{100 + i} N ELM ST" for i in range(len(town.incidents))]
    town.city += SEGMENTS
    report = bring(sqlite_database, town)
    assert (report.stored, report.addresses["matched"]) == (120, {"range": 120})
    town.incidents["location"] = "1 NOWHERE LN"
    with pytest.raises(DataError, match=r"location: no row can be placed \(120 address: street no"):
        bring(sqlite_database, town)


def test_calls_have_addresses_too(sqlite_database, town):
    calls = pd.DataFrame({"id": ["a", "b", "c"], "at": "2024-03-01 10:00"})
    calls["pair"] = ["", "", f"({town.incidents.loc[5, 'lat']}, {town.incidents.loc[5, 'lon']})"]
    calls["where"] = ["300 N FIR ST", "?", "300 N FIR ST"]
    calls.to_csv(town.folder / "calls.csv", index=False)
    fields = '[calls.fields]\nid = "id"\nreceived = "at"\nlatlon = "pair"\naddress = "where"\n'
    town.city += SEGMENTS + '[[calls]]\nsource = "calls.csv"\n' + fields
    town.save()
    result = import_city(sqlite_database, read_city_file(town.path))
    (report,) = [one for one in result.sources if one.kind == "calls"]
    assert report.addresses["matched"] == {"range": 1}
    assert (report.stored, report.left_out) == (2, {"address: cannot be read as an address": 1})


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("", "[[incidents]] 1: address needs [addresses] with number and street"),
        ('[addresses]\nsource = "points.csv"\n', "[[incidents]] 1: address needs [addresses]"),
        (POINTS + 'address = "full"\n', "name address, or number and street, not both"),
        (POINTS + 'left = ["a", "b"]\n', "name number (of points), or left and right"),
        (POINTS.replace('street = "street"', ""), "street is missing"),
        (SEGMENTS.replace(', "l_to"', ""), 'left must be ["L_FROM", "L_TO"]'),
        (SEGMENTS + "spelling = 3\n", "spelling must be one of 2, 1, 0, got 3"),
        (SEGMENTS + 'parser = "uk"\n', "parser must be one of us, plain"),
        (SEGMENTS + "street_only = 1\n", "street_only must be one of false, true"),
    ],
)
def test_faults_of_the_city_file_are_named(town, lines, fault):
    town.city += lines
    town.save()
    with pytest.raises(CityFileError) as raised:
        read_city_file(town.path)
    assert fault in str(raised.value)


def test_points_that_find_places_need_a_number(sqlite_database, town):
    x, y = to_degrees(shapely.Point(along(4, 2.6))).coords[0]
    (town.folder / "points.csv").write_text(f"street,lon,lat\nN Elm St,{x},{y}\n")
    town.city += POINTS.replace('number = "no"\n', "")
    with pytest.raises(DataError, match="points need a number"):
        bring(sqlite_database, town)


def test_addresses_of_the_extract_find_places_and_count_no_homes(tmp_path, sqlite_database):
    town = ExtractTown(tmp_path / "town")
    for number, x in ((101, 1_010), (103, 1_030), (105, 1_050)):
        town.node(x, 1_015, **{"addr:housenumber": str(number), "addr:street": "1 Street"})
    corners = ((1_070, 1_010), (1_080, 1_010), (1_080, 1_020), (1_070, 1_020))
    town.area(corners, building="yes", **{"addr:housenumber": "107", "addr:street": "1 Street"})
    (town.folder / "town.osm").write_text(town.text())
    (town.folder / "i.csv").write_text(
        "id,date,at\n1,2024-01-02,103 1 ST\n2,2024-01-03,107 1 STREET\n3,2024-01-04,9 NOWHERE AVE\n"
    )
    (town.folder / "city.toml").write_text(
        '[city]\nslug = "town"\nname = "Town"\ncrs = "EPSG:32617"\ntimezone = "America/New_York"\n'
        '[districts]\nsource = "districts.geojson"\nid = "code"\n[grid]\ncell = 100\nblock = 200\n'
        '[osm]\nsource = "town.osm"\n'
        '[[incidents]]\nsource = "i.csv"\noutcome = "robbery"\nid = "id"\ndate = "date"\n'
        'address = "at"\n'
    )
    result = import_city(sqlite_database, read_city_file(town.folder / "city.toml"))
    reports = {report.kind: report for report in result.sources}
    assert reports["incidents"].stored == 2
    assert (reports["addresses"].read, reports["addresses"].stored) == (4, 0)
    assert reports["addresses"].source == "town.osm: addresses"
    with sqlite_database.session() as session:
        places = {
            row.row_key: (row.geom.x - 600_000, row.geom.y - 4_000_000)
            for row in session.scalars(select(Incident))
        }
        assert session.scalar(select(func.count()).select_from(Address)) == 0
    assert places["1"] == pytest.approx((1_030, 1_015), abs=1)
    assert places["2"] == pytest.approx((1_075, 1_015), abs=2)
