import datetime as dt
import os
import signal
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from town import CRS, SIDE, SOUTH, WEST, Town, to_degrees, write_geojson

from geodata.cityfile.description import read_city_file
from geodata.db.tables import City, Feature, Incident, Source
from geodata.errors import DataError
from geodata.ingest.store import import_city
from geodata.repositories.cities import get_city, list_cities
from geodata.repositories.import_log import latest_reports
from geodata.repositories.incidents import incident_points
from geodata.repositories.layers import factor_layers
from spatial.errors import GridError


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


@pytest.fixture
def bring(sqlite_database, town):
    def bring_in():
        return import_city(sqlite_database, read_city_file(town.path))

    return bring_in


def account(result, kind="incidents"):
    (report,) = [report for report in result.sources if report.kind == kind]
    return report


def everything(database):
    with database.session() as session:
        return [
            session.scalar(select(func.count()).select_from(table))
            for table in (City, Incident, Feature, Source)
        ]


def test_a_whole_city_comes_in_on_both_databases(database, town):
    result = import_city(database, read_city_file(town.path))
    report = account(result)
    noise = int((town.incidents["offense"] == "NOISE").sum())
    assert report.left_out == {"not a listed outcome": noise}
    assert (report.read, report.stored) == (120, 120 - noise)
    with database.session() as session:
        city = get_city(session, "town")
        assert city.outcomes == ("burglary", "robbery")
        assert city.study_area.area == pytest.approx(SIDE**2, rel=1e-6)
        assert list(city.districts["code"]) == ["D1", "D2"]
        march = incident_points(
            session, city.id, "robbery", dt.date(2024, 3, 1), dt.date(2024, 4, 1)
        )
        true = town.incidents[
            (town.incidents["offense"] == "ROBBERY") & town.incidents["date"].str.startswith("3/")
        ]
        assert len(march) == len(true)
        ((factor, bars),) = factor_layers(session, city.id).items()
        assert (factor.name, len(bars)) == ("bars", 15)
        assert bars.crs == CRS
        assert [r.as_json() for r in latest_reports(session, city.id)] == [
            r.as_json() for r in result.sources
        ]
        (listed,) = list_cities(session)
        assert listed.incidents == report.stored


def test_the_same_files_again_store_nothing_twice(database, town):
    described = read_city_file(town.path)
    first = import_city(database, described)
    before = everything(database)
    second = import_city(database, described)
    assert everything(database)[:3] == before[:3]
    for one, two in zip(first.sources, second.sources, strict=True):
        assert two.stored == 0, two
        assert two.left_out["already stored"] == one.stored


def test_places_are_where_they_were(bring, town, sqlite_database):
    bring()
    with sqlite_database.session() as session:
        found = {
            row.row_key: row.geom
            for row in session.scalars(select(Incident).where(Incident.outcome == "robbery"))
        }
    for row in town.incidents[town.incidents["offense"] == "ROBBERY"].itertuples():
        back = to_degrees(found[row.id])
        assert abs(back.x - row.lon) < 2e-6
        assert abs(back.y - row.lat) < 2e-6


def test_each_faulty_row_is_left_out_under_one_reason(bring, town):
    town.incidents["offense"] = "ROBBERY"
    frame = town.incidents.astype({"lon": object, "lat": object})
    frame.loc[0, ["lon", "lat"]] = None
    frame.loc[1, ["lon", "lat"]] = [0, 0]
    frame.loc[2, ["lon", "lat"]] = ["n/a", "36.1"]
    frame.loc[3, ["lon", "lat"]] = frame.loc[3, ["lat", "lon"]].to_numpy()
    frame.loc[4, "lon"] = -75.0
    frame.loc[5, ["lon", "lat"]] = [601000, 4001000]
    frame.loc[6, "date"] = "soon"
    frame.loc[7, "id"] = frame.loc[8, "id"]
    frame.loc[9, "id"] = None
    town.incidents = frame
    town.save()
    report = account(bring())
    assert report.left_out == {
        "bad date": 1,
        "no coordinates": 2,
        "coordinates that are no numbers": 1,
        "far from the city": 1,
        "latitude and longitude swapped": 1,
        "projected coordinates called degrees": 1,
        "no id": 1,
        "repeated id": 1,
    }
    assert report.read == 120 == report.stored + 9
    notes = "\n".join(report.notes)
    assert "bad date: 1 (row 8; 'soon' does not fit" in notes
    assert "no coordinates: 2 (rows 2, 3)" in notes
    assert "coordinates that are no numbers: 1 (row 4)" in notes


def test_a_source_that_is_wrong_as_a_whole_stops_the_import(bring, town, sqlite_database):
    bring()
    before = everything(sqlite_database)
    good = town.incidents.copy()
    for change, told in (
        ({"lon": good["lat"], "lat": good["lon"]}, "swapped; .*swap x and y"),
        ({"lon": good["lon"] + 30}, "far from the city"),
        ({"lon": good["lon"] * 0, "lat": good["lat"] * 0}, "no coordinates"),
        ({"lon": WEST + np.arange(120.0), "lat": SOUTH + np.arange(120.0)}, "called degrees"),
        ({"date": ["tomorrow"] * 120}, "no value of column 'date' is a date"),
    ):
        town.incidents = good.assign(**change)
        town.save()
        with pytest.raises(DataError, match=told):
            bring()
        assert everything(sqlite_database) == before
    town.incidents = good
    town.change('y = "lat"', 'y = "lat"\ncrs = "EPSG:32617"')
    with pytest.raises(DataError, match="degrees called projected"):
        bring()


def test_points_near_but_outside_are_stored_and_told(bring, town):
    frame = town.incidents
    frame.loc[frame.index[:6], "lat"] = frame["lat"].max() + 0.01
    frame["offense"] = "ROBBERY"
    town.save()
    report = account(bring())
    assert report.stored == 120
    assert any("6 rows lie near the study area but outside" in note for note in report.notes)
    frame["lat"] = frame["lat"].max() + 0.01
    town.save()
    with pytest.raises(DataError, match="all 120 rows lie near the city but outside"):
        bring()


def test_a_correction_updates_and_a_contradiction_is_told(bring, town, sqlite_database):
    town.incidents["offense"] = "ROBBERY"
    town.save()
    bring()
    town.incidents.loc[0, "date"] = "12/24/2024"
    town.save()
    report = account(bring())
    assert (report.stored, report.left_out) == (1, {"already stored": 119})
    other = town.incidents.copy()
    other.loc[1, "date"] = "12/25/2024"
    other.to_csv(town.folder / "other.csv", index=False)
    town.change('source = "incidents.csv"', 'source = "other.csv"')
    report = account(bring())
    assert report.left_out == {
        "already stored": 119,
        "same id from another source with other content": 1,
    }
    with sqlite_database.session() as session:
        days = dict(session.execute(select(Incident.row_key, Incident.occurred_on)).all())
    assert days["24-00000"] == dt.date(2024, 12, 24)
    assert days["24-00001"] == dt.date(2024, 2, 2)


def test_rows_without_an_id_are_known_by_what_they_say(bring, town):
    town.change('id = "id"\n', "")
    town.incidents["offense"] = "ROBBERY"
    town.incidents = pd.concat(
        [town.incidents, town.incidents.iloc[:3]]
    )  # three that happened twice
    town.save()
    assert account(bring()).stored == 123
    again = account(bring())
    assert (again.stored, again.left_out) == (0, {"already stored": 123})


def test_layers_are_snapshots(bring, town, sqlite_database):
    bring()
    frame = gpd.read_file(town.folder / "bars.geojson")
    frame.iloc[2:].to_file(town.folder / "bars.geojson")
    report = account(bring(), "factors")
    assert report.left_out == {"already stored": 13}
    assert any("2 shapes no longer in the file were removed" in note for note in report.notes)
    town.change('name = "bars"', 'name = "taverns"')
    bring()
    with sqlite_database.session() as session:
        city = get_city(session, "town")
        assert [factor.name for factor in factor_layers(session, city.id)] == ["taverns"]


def test_a_factor_may_be_empty_or_single(bring, town, sqlite_database):
    write_geojson(town.folder / "bars.geojson", [])
    report = account(bring(), "factors")
    assert (report.read, report.stored) == (0, 0)
    assert any("no feature" in note for note in report.notes)
    write_geojson(town.folder / "bars.geojson", [shapely.Point(WEST + 9, SOUTH + 9)])
    assert account(bring(), "factors").stored == 1


def test_districts_are_joined_repaired_and_checked(bring, town, sqlite_database):
    half = SIDE / 2
    bow = shapely.Polygon(  # crosses itself
        [(WEST, SOUTH), (WEST + half, SOUTH + SIDE), (WEST + half, SOUTH), (WEST, SOUTH + SIDE)]
    )
    rest = shapely.box(WEST, SOUTH, WEST + half, SOUTH + SIDE)
    east = shapely.box(WEST + half - 0.5, SOUTH, WEST + SIDE, SOUTH + SIDE)  # half a metre too far
    write_geojson(
        town.folder / "districts.geojson", [bow, rest, east, None], code=[1.0, 1.0, 10.0, 2.0]
    )
    report = account(bring(), "districts")
    assert (report.read, report.stored, report.left_out) == (4, 3, {"no geometry": 1})
    notes = "\n".join(report.notes)
    assert "1 invalid shapes were repaired" in notes
    assert "3 pieces joined to 2 districts" in notes
    assert "1 slivers" in notes
    with sqlite_database.session() as session:
        districts = get_city(session, "town").districts
    assert list(districts["code"]) == ["1", "10"]
    one, ten = districts.geometry
    assert one.intersection(ten).area == pytest.approx(0, abs=1e-6)
    far_east = shapely.box(WEST + half - 400, SOUTH, WEST + SIDE, SOUTH + SIDE)
    write_geojson(town.folder / "districts.geojson", [rest, far_east], code=["a", "b"])
    with pytest.raises(DataError, match=r"a and b share 20% of the smaller.*where"):
        bring()


def test_an_area_elsewhere_or_in_another_unit_is_told(bring, town):
    town.change("cell = 100", "cell = 0.1")
    with pytest.raises(GridError, match="unit of the city's crs"):
        bring()
    town.change("cell = 0.1", "cell = 100")
    town.change("EPSG:32617", "EPSG:2263")
    with pytest.raises(DataError, match="the city's crs EPSG:2263 is for"):
        bring()
    town.change("EPSG:2263", "EPSG:32617")
    swapped = shapely.transform(
        to_degrees(shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)), lambda xy: xy[:, ::-1]
    )
    gpd.GeoDataFrame({"code": ["a"]}, geometry=[swapped], crs=4326).to_file(
        town.folder / "districts.geojson"
    )
    with pytest.raises(DataError, match="axes are swapped"):
        bring()


HOSTILE = [
    "</script><script>alert(1)</script>",
    "${alert(1)}",
    "=cmd|' /C calc'!A0",
    "\u202eevil",
    "a\x00b",
    "x" * 5000,
    "🚔",
]


def test_hostile_values_break_nothing(bring, town, sqlite_database):
    town.incidents["offense"] = "ROBBERY"
    town.incidents.loc[: len(HOSTILE) - 1, "id"] = HOSTILE
    town.save()
    assert account(bring()).stored == 120
    assert account(bring()).stored == 0


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    dirt=st.lists(
        st.tuples(
            st.integers(0, 39),
            st.sampled_from(["id", "offense", "date", "lon", "lat"]),
            st.one_of(
                st.none(),
                st.sampled_from(
                    ["", "0", "1/1/2024", "2024-01-01", "ROBBERY", "36.1", "-80", "nan"]
                ),
                st.text(max_size=8),
                st.floats(allow_nan=True),
            ),
        ),
        max_size=25,
    )
)
def test_every_account_adds_up_whatever_the_dirt(tmp_path, sqlite_database, dirt):
    town = Town(tmp_path, n=40)
    frame = town.incidents.astype(object)
    for row, column, value in dirt:
        frame.loc[row, column] = value
    town.incidents = frame
    try:
        town.save()
        result = import_city(sqlite_database, read_city_file(town.path))
    except (DataError, UnicodeEncodeError):
        return
    for report in result.sources:
        assert report.read == report.stored + sum(report.left_out.values())
        assert all(number > 0 for number in report.left_out.values())


IMPORT = """
import sys, os, signal
from pathlib import Path
from geodata.ingest import store as importing
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

importing._store_base = die  # after incidents and factors were written
importing.import_city(open_database(sys.argv[1]), read_city_file(Path(sys.argv[2])))
"""


def test_killed_half_way_nothing_of_the_import_is_there(database_url, database, town):
    import_city(database, read_city_file(town.path))
    before = everything(database)
    town.incidents["id"] = "new-" + town.incidents["id"]
    town.save()
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, database_url, str(town.path)], check=False, env=os.environ
    )
    assert done.returncode == -signal.SIGKILL
    assert everything(database) == before
    import_city(database, read_city_file(town.path))
    assert everything(database)[1] == 2 * before[1]
