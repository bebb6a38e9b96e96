import datetime as dt
import gzip
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.cityfile.schema import RowFilter, SourcePlace
from geodata.errors import DataError
from geodata.ingest.row_filter import rows_to_keep
from geodata.readers import read_place
from geodata.readers.dates import read_moments, read_times

POINTS = gpd.GeoDataFrame(
    {"name": ["a", "b"], "n": [1, 2]},
    geometry=[shapely.Point(-79.1, 36.1), shapely.Point(-79.2, 36.2)],
    crs="EPSG:4326",
)


def place(path, **change):
    return SourcePlace(label=path.name, path=str(path), **change)


@pytest.mark.parametrize("name", ["a.geojson", "a.shp", "a.gpkg", "a.parquet"])
def test_every_map_format_gives_the_same_rows(tmp_path, name):
    path = tmp_path / name
    POINTS.to_parquet(path) if name.endswith("parquet") else POINTS.to_file(path)
    layer = read_place(place(path))
    assert list(layer.frame["name"]) == ["a", "b"]
    assert shapely.equals_exact(layer.frame.geometry, POINTS.geometry, 1e-9).all()
    assert layer.frame.crs.to_epsg() == 4326
    assert layer.rows.tolist() == [1, 2]


def test_a_zipped_shapefile(tmp_path):
    POINTS.to_file(tmp_path / "a.shp")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for ending in ("shp", "shx", "dbf", "prj"):
            archive.write(tmp_path / f"a.{ending}", f"folder/a.{ending}")
    assert len(read_place(place(tmp_path / "a.zip")).frame) == 2
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(tmp_path / "a.shp", "a.shp")
    with pytest.raises(DataError, match=r"lacks its \.shx part"):
        read_place(place(tmp_path / "b.zip"))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("readme.pdf", "nothing")
    with pytest.raises(DataError, match="no map layer"):
        read_place(place(tmp_path / "c.zip"))
    (tmp_path / "a.shx").unlink()
    with pytest.raises(DataError, match=r"companion a\.shx is missing"):
        read_place(place(tmp_path / "a.shp"))


def test_several_layers_need_a_name(tmp_path):
    path = tmp_path / "a.gpkg"
    POINTS.to_file(path, layer="one")
    POINTS.iloc[:1].to_file(path, layer="two")
    with pytest.raises(DataError, match="one, two"):
        read_place(place(path))
    assert len(read_place(place(path, layer="two")).frame) == 1
    with pytest.raises(DataError, match="no layer 'three'"):
        read_place(place(path, layer="three"))


def test_a_map_without_a_reference_system_needs_one(tmp_path):
    POINTS.to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    with pytest.raises(DataError, match="states no reference system"):
        read_place(place(tmp_path / "a.shp"))
    assert read_place(place(tmp_path / "a.shp", crs="EPSG:2264")).frame.crs.to_epsg() == 2264


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        (b"id,x\n1,2\n3,4\n", ["id", "x"], 2),
        (b"\xef\xbb\xbfid;x\r\n1;2\r\n", ["id", "x"], 1),
        (b"id\tx\n01\tNA\n", ["id", "x"], 1),
        (b'id,x\n1,"a, b"\n', ["id", "x"], 1),
        ("id,name\n1,Zoë\n".encode("cp1252"), ["id", "name"], 1),
        ("id,x\n1,2\n".encode("utf-16"), ["id", "x"], 1),
        (b"id,x\n", ["id", "x"], 0),
    ],
)
def test_tables_as_they_come(tmp_path, content, columns, rows):
    for name, data in (("a.csv", content), ("b.csv.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(data)
        layer = read_place(place(tmp_path / name))
        assert list(layer.frame.columns) == columns
        assert len(layer.frame) == rows
        assert layer.rows.tolist() == list(range(2, 2 + rows))


def test_values_stay_as_they_are_written(tmp_path):
    (tmp_path / "a.csv").write_text("id,district\n007,NA\n1e5,None\n")
    frame = read_place(place(tmp_path / "a.csv")).frame
    assert list(frame["id"]) == ["007", "1e5"]
    assert list(frame["district"]) == ["NA", "None"]


def test_rows_of_another_width_are_set_apart(tmp_path):
    (tmp_path / "a.csv").write_text("id,x\n1,2\n3,4,5\n6,7\n")
    layer = read_place(place(tmp_path / "a.csv"))
    assert list(layer.frame["id"]) == ["1", "6"]
    assert layer.unread["another number of columns than the header"].tolist() == [3]
    assert any("another number of columns" in note and "row 3" in note for note in layer.notes)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"\n\n", "no header"),
        ("a.csv", b"PK\x03\x04....", "archive is damaged"),
        ("a.geojson", b'{"type": "FeatureCollection"', "cannot be read as a map layer"),
        ("a.zip", b"PK\x03\x04broken", "archive is damaged"),
        ("a.gpkg", b"SQLite format 3\x00nothing", "cannot be read as a map layer"),
        ("a.parquet", b"PAR1PAR1", "is not Parquet"),
        ("a.csv.gz", b"\x1f\x8bnothing", "damaged"),
        ("a.xlsx", b"PK\x03\x04", "archive is damaged"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "cannot be read as a workbook"),
        ("a.shp", b"<html>", "is a web page"),
    ],
)
def test_what_is_not_what_it_says_is_told(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        read_place(place(tmp_path / name))
    assert name.split(".")[0] in str(caught.value)


def test_a_missing_file_and_an_address_are_told(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_place(place(tmp_path / "none.csv"))
    with pytest.raises(DataError, match="was not fetched"):
        read_place(SourcePlace(label="x", path="https://example.org/a.csv"))


DAY = "2024-03-09"


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-03-09", "2024-11-30"],
        ["3/9/2024", "11/30/2024"],
        ["03-09-2024", "11-30-2024"],
        ["9.3.2024", "30.11.2024"],
        ["20240309", "20241130"],
        ["09-Mar-2024", "30-Nov-2024"],
        ["March 9, 2024", "November 30, 2024"],
        ["45360", "45626"],
        ["1709942400000", "1732924800000"],
        ["1709942400", "1732924800"],
        ["2024/03/09", "2024/11/30"],
        [" 3/9/24 ", "11/30/24"],
    ],
)
def test_dates_in_many_forms(texts):
    found = read_moments(pd.Series(texts), None, date_format=None, timezone="America/New_York")
    assert [str(day)[:10] for day in found.day] == ["2024-03-09", "2024-11-30"]
    assert np.isnan(found.seconds).all()


@pytest.mark.parametrize(
    ("texts", "clock"),
    [
        (["1/31/2024 14:05", "2/1/2024 0:00"], 14 * 3600 + 300),
        (["01/31/2024 02:05:07 PM", "02/01/2024 12:00:00 AM"], 14 * 3600 + 307),
        (["2024-01-31T14:05:00", "2024-02-01T00:00:00"], 14 * 3600 + 300),
        (["2024-01-31T19:05:00Z", "2024-02-01T05:00:00Z"], 14 * 3600 + 300),
        (["2024-01-31 14:05:00-05:00", "2024-02-01 00:00:00-05:00"], 14 * 3600 + 300),
    ],
)
def test_dates_with_a_clock_in_local_time(texts, clock):
    found = read_moments(pd.Series(texts), None, date_format=None, timezone="America/New_York")
    assert [str(day)[:10] for day in found.day] == ["2024-01-31", "2024-02-01"]
    assert found.seconds.tolist() == [clock, 0]


def test_a_form_is_decided_for_the_whole_column_and_never_guessed_for_a_row():
    texts = pd.Series(["1/31/2024"] * 8 + ["31/1/2024", "2024-01-31", None])
    found = read_moments(texts, None, date_format=None, timezone="UTC")
    assert np.isnat(found.day).tolist() == [False] * 8 + [True, False, True]  # a year first is sure
    both = read_moments(pd.Series(["3/4/2024"] * 3), None, date_format=None, timezone="UTC")
    assert str(both.day[0])[:10] == "2024-03-04"
    assert "date_format" in both.notes[0]
    stated = read_moments(pd.Series(["3/4/2024"]), None, date_format="%d/%m/%Y", timezone="UTC")
    assert str(stated.day[0])[:10] == "2024-04-03"


def test_dates_of_other_ages_are_no_dates():
    texts = pd.Series(["1/1/0024", "1/1/2024", "1/1/9999"])
    found = read_moments(texts, None, date_format="%m/%d/%Y", timezone="UTC")
    assert np.isnat(found.day).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (["14:05", "0:30"], [50700, 1800]),
        (["2:05 PM", "12:30 am"], [50700, 1800]),
        (["1405", "30"], [50700, 1800]),
        (["0:08:22", "23:59:59"], [502, 86399]),
        (["224.0", "7740.0", "86399"], [224, 7740, 86399]),
        (["2515", "99:00"], [2515, np.nan]),
    ],
)
def test_times_of_day(texts, seconds):
    np.testing.assert_array_equal(read_times(pd.Series(texts))[0], seconds)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"n": "< 5"}, [1, 0, 0, 0]),
        ({"n": ">= 5"}, [0, 1, 1, 0]),
        ({"n": "== 5"}, [0, 1, 0, 0]),
        ({"n": "!= 5"}, [1, 0, 1, 1]),
        ({"n": 5}, [0, 1, 0, 0]),
        ({"n": ["4", 10]}, [1, 0, 1, 0]),
        ({"kind": "bar"}, [1, 0, 1, 0]),
        ({"kind": ["bar", "pub"], "n": "> 4"}, [0, 1, 1, 0]),
        ({"kind": "!= bar"}, [0, 1, 0, 1]),
        ({"n": ""}, [0, 0, 0, 1]),
        ({"n": ["", 4]}, [1, 0, 0, 1]),
        ({"n": "!= "}, [1, 1, 1, 0]),
        ({"n": "> 5 or blank"}, [0, 0, 1, 1]),
        ({"kind": {"not": ["bar", "inn"]}}, [0, 1, 0, 0]),
        ({"day": ">= 2024-01-01"}, [0, 1, 0, 0]),
        ({"day": ">= 2024-01-01 or blank"}, [0, 1, 1, 0]),
        ({"from": "<= 2024-01-01", "day": ">= 2024-01-01 or blank"}, [0, 1, 0, 0]),
        ({"day": dt.date(2023, 12, 31)}, [0, 0, 0, 1]),
        ({}, [1, 1, 1, 1]),
    ],
)
def test_filters(where, kept):
    frame = pd.DataFrame(
        {
            "n": ["4", "5.0", "10", None],
            "kind": ["bar", "pub", " bar", "inn"],
            "day": ["2023-06-30", "2024-01-01", "", "2023-12-31"],
            "from": ["2020-01-01", "2023-05-01", "2024-02-01", "2020-01-01"],
        }
    )
    rows, faults = RowFilter.parse(where)
    assert faults == []
    assert rows_to_keep(rows, frame).tolist() == [bool(k) for k in kept]


def test_a_long_column_is_read_as_a_short_one():
    days = pd.date_range("2023-01-01", periods=400).strftime("%m/%d/%Y %H:%M")
    long = pd.Series(np.tile(days, 20))
    long[[7, 4_999]] = ["31.05.2023", ""]
    moments = read_moments(long, None, date_format=None, timezone="America/New_York")
    assert moments.form == "%m/%d/%Y %H:%M"
    assert np.flatnonzero(np.isnat(moments.day)).tolist() == [7, 4_999]
    both = pd.Series(["01/02/2023"] * 5_000)
    notes = read_moments(both, None, date_format=None, timezone="UTC").notes
    assert "fit %m/%d/%Y and %d/%m/%Y alike" in notes[0]
