"""What a file seems to hold, the traps of its places, and what an import would leave out of it."""

import numpy as np
import pandas as pd
import pytest
from pyproj import CRS, Transformer
from town import CRS as TOWN
from town import SIDE, SOUTH, WEST, Town

from geodata.cityfile.description import read_city_file
from geodata.cityfile.schema import SourcePlace
from geodata.db.tables import Incident
from geodata.errors import DataError
from geodata.ingest.placing import CityFrame
from geodata.ingest.store import import_city
from geodata.ingest.trial import what_would_be_left_out
from geodata.repositories.cities import get_city
from geodata.uploads.profile import preview

FRAME = CityFrame(crs=CRS(TOWN), bounds=(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE))


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


def look(frame, tmp_path, city=FRAME, **place):
    path = tmp_path / "look.csv"
    frame.to_csv(path, index=False)
    return preview(SourcePlace(label="look.csv", path=str(path), **place), city, timezone="UTC")


def roles(found):
    return {column.name: (column.role, column.sure) for column in found.columns}


def test_columns_are_guessed_with_how_sure_that_is(town, tmp_path):
    frame = town.incidents.assign(
        hour=["14:05"] * 120,
        plate=[f"p-{i * 7}" for i in range(120)],
        comment=[f"some words {i % 7}, and {i}" for i in range(120)],
        beat=[i % 5 for i in range(120)],
        nothing="",
        when=["3/4/2024"] * 120,
    )
    found = look(frame, tmp_path)
    assert roles(found) == {
        "id": ("id", "sure"),
        "offense": ("category", "likely"),
        "date": ("date", "sure"),
        "lon": ("x", "sure"),
        "lat": ("y", "sure"),
        "hour": ("time", "sure"),
        "plate": ("id", "perhaps"),
        "comment": ("text", "likely"),
        "beat": ("number", "sure"),
        "nothing": ("text", "perhaps"),
        "when": ("date", "likely"),
    }
    told = {column.name: column for column in found.columns}
    assert told["offense"].different == 3
    assert told["nothing"].filled == 0
    assert "the other way round" in told["when"].why
    assert len(found.first) == 10
    assert found.first[0][0] == "24-00000"
    assert (found.rows, found.warnings) == (120, ())
    assert found.coordinates.fits[0] == "EPSG:4326"


@pytest.fixture
def projected(town):
    """The town's incidents in US survey feet of another system than the city's."""

    def made(code):
        there = Transformer.from_crs(4326, code, always_xy=True)
        x, y = there.transform(town.incidents["lon"].to_numpy(), town.incidents["lat"].to_numpy())
        return town.incidents.assign(lon=x, lat=y)

    return made


@pytest.mark.parametrize(
    ("code", "unit"), [(2264, "US survey foot"), (32617, "metre"), (3857, "metre")]
)
def test_projected_places_called_degrees_are_told_with_their_system(
    projected, tmp_path, code, unit
):
    found = look(projected(code), tmp_path)
    (warning,) = found.warnings
    assert "lon and lat are called degrees, but values such as" in warning
    assert f"they fit EPSG:{code}" in warning
    assert unit in warning
    assert roles(found)["lon"] == ("x", "likely")
    assert look(projected(code), tmp_path, crs=f"EPSG:{code}").warnings == ()
    alone = look(projected(code), tmp_path, city=None)
    assert "are called degrees" in alone.warnings[0]


def test_other_traps_are_told(town, tmp_path):
    frame = town.incidents
    swapped = frame.assign(lon=frame["lat"], lat=frame["lon"])
    assert "x and y are swapped" in look(swapped, tmp_path).warnings[0]
    (far,) = look(frame.assign(lon=frame["lon"] + 40), tmp_path).warnings
    assert "fall into the city in no system" in far
    (called,) = look(frame, tmp_path, crs="EPSG:2264").warnings
    assert "are called EPSG:2264, but are degrees" in called
    empty = frame.astype({"lon": object})
    empty.loc[:5, "lon"] = None
    empty.loc[6, ["lon", "lat"]] = [0, 0]
    assert look(empty, tmp_path).warnings == ("7 of 120 rows have no place (empty, or 0 and 0).",)
    bare = look(frame[["id", "offense"]], tmp_path)
    assert bare.coordinates is None
    assert [w.partition(":")[0] for w in bare.warnings[:1]] == ["No place was found"]
    assert "No column seems to hold dates" in bare.warnings[1]
    unnamed = look(frame.rename(columns={"lon": "x", "lat": "y"}), tmp_path)
    assert "no system is stated; they fit EPSG:4326" in unnamed.warnings[0]
    assert look(frame.iloc[:0], tmp_path).warnings[0] == "The file holds no rows."


def test_pairs_in_one_column_are_places(town, tmp_path):
    frame = town.incidents.assign(place=[
        f"({row.lat}, {row.lon})" for row in town.incidents.itertuples()
    ])[["id", "date", "place"]]  # fmt: skip
    found = look(frame, tmp_path)
    assert roles(found)["place"] == ("place", "likely")
    assert (found.coordinates.columns, found.warnings) == (("place",), ())


def test_map_layers_are_looked_at_too(town, tmp_path):
    import geopandas as gpd

    found = preview(SourcePlace(label="d", path=str(town.folder / "districts.geojson")), FRAME)
    assert (found.shape, found.rows) == ("Polygon", 2)
    assert found.coordinates.said == "EPSG:4326"
    bars = gpd.read_file(town.folder / "bars.geojson").to_crs(2264)
    bars.to_file(tmp_path / "bars.shp")
    (tmp_path / "bars.prj").unlink()
    lost = preview(SourcePlace(label="bars", path=str(tmp_path / "bars.shp")), FRAME)
    assert lost.coordinates.said is None
    assert "no system is stated; they fit EPSG:2264" in lost.warnings[0]


def test_hostile_values_are_only_text(tmp_path, town):
    frame = town.incidents.assign(**{"<script>": "=cmd|' /C calc'!A0", "a\u202eb": "x" * 10_000})
    found = look(frame, tmp_path)
    assert all(len(value) <= 80 for row in found.first for value in row)


@pytest.fixture
def stored(sqlite_database, town):
    import_city(sqlite_database, read_city_file(town.path))
    with sqlite_database.session() as session:
        return get_city(session, "town")


def incidents_of(town):
    return read_city_file(town.path).incidents[0]


def test_every_row_that_would_be_left_out_is_told_with_its_reason(town, stored, sqlite_database):
    town.incidents["offense"] = "ROBBERY"
    frame = town.incidents.astype({"lon": object, "lat": object})
    frame.loc[0, ["lon", "lat"]] = None
    frame.loc[3, ["lon", "lat"]] = frame.loc[3, ["lat", "lon"]].to_numpy()
    frame.loc[6, "date"] = "soon"
    frame.loc[7, "id"] = frame.loc[8, "id"]
    frame.loc[9, "offense"] = "NOISE"
    town.incidents = frame
    town.save()
    found = what_would_be_left_out(incidents_of(town), stored)
    assert [(row.row, row.reason) for row in found.rows] == [
        (2, "no coordinates"),
        (5, "latitude and longitude swapped"),
        (8, "bad date"),
        (10, "repeated id"),
        (11, "not a listed outcome"),
    ]
    assert found.rows[2].says["date"] == "soon"
    assert found.rows[2].says["id"] == "24-00006"
    assert found.rows[0].says["lon"] == ""
    assert (found.read, found.kept, found.refused) == (120, 115, None)
    assert sum(found.left_out.values()) == 5
    page = what_would_be_left_out(incidents_of(town), stored, start=1, most=2)
    assert [row.row for row in page.rows] == [5, 8]
    with sqlite_database.session() as session:  # nothing was stored
        assert session.query(Incident).filter(Incident.row_key == "24-00009").count() <= 1
        assert get_city(session, "town").imported_at == stored.imported_at


def test_a_source_that_would_be_refused_whole_says_why(town, stored):
    town.incidents["lon"] = WEST + np.arange(120.0)
    town.incidents["lat"] = SOUTH + np.arange(120.0)
    town.save()
    found = what_would_be_left_out(incidents_of(town), stored)
    assert "projected coordinates called degrees" in found.refused
    assert found.rows == ()


def test_factors_and_records_are_tried_too(town, stored):
    described = read_city_file(town.path)
    assert what_would_be_left_out(described.factors[0], stored).kept == 15
    frame = pd.DataFrame(
        {
            "t": ["2024-01-01T10:00:00Z", "never"],
            "lon": town.incidents["lon"].iloc[:2],
            "lat": town.incidents["lat"].iloc[:2],
        }
    )
    frame.to_csv(town.folder / "calls.csv", index=False)
    town.city += (
        '[[calls]]\nsource = "calls.csv"\n[calls.fields]\nreceived = "t"\nx = "lon"\ny = "lat"\n'
    )
    town.save()
    found = what_would_be_left_out(read_city_file(town.path).records[0], stored)
    assert [(row.row, row.reason) for row in found.rows] == [(3, "bad received time")]


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        preview(SourcePlace(label="x", path=str(tmp_path / "none.csv")))
