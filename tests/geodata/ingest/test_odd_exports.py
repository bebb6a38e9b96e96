"""Odd exports as an import takes them: read, left out by a named cause, or refused in words."""

import json
import zipfile

import pandas as pd
import pytest

from geodata.cityfile.description import read_city_file
from geodata.errors import DataError
from geodata.ingest.store import import_city

SQUARES = {"01": (-78.93, -78.90), "02": (-78.90, -78.87)}
TOP = """[city]
slug = "field"
name = "Field"
crs = "EPSG:2264"
timezone = "America/New_York"
[districts]
source = "districts.geojson"
id = "district"
name = "name"
[grid]
cell = 250
block = 500
"""
INCIDENTS = """[[incidents]]
source = "{}"
outcome = "robbery"
id = "id"
date = "date"
"""
XY = 'x = "lon"\ny = "lat"\n'
HEAD = "id,date,lon,lat\n"
ROW = "1,2024-01-11,-78.912,35.991\n"


@pytest.fixture
def bring(tmp_path, sqlite_database):
    """Return the report of the last source of a city of one file."""
    squares = [
        {
            "type": "Feature",
            "properties": {"district": code, "name": name},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[w, 35.98], [e, 35.98], [e, 36.01], [w, 36.01], [w, 35.98]]],
            },
        }
        for (code, (w, e)), name in zip(SQUARES.items(), ("North", "South"), strict=True)
    ]
    whole = json.dumps({"type": "FeatureCollection", "features": squares})
    (tmp_path / "districts.geojson").write_text(whole)

    def answer(sections, name, content):
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        elif isinstance(content, dict):
            with zipfile.ZipFile(path, "w") as archive:
                for inner, text in content.items():
                    archive.writestr(inner, text)
        else:
            path.write_text(content)
        (tmp_path / "city.toml").write_text(TOP + sections)
        described = read_city_file(tmp_path / "city.toml")
        return import_city(sqlite_database, described).sources[-1]

    return answer


@pytest.mark.parametrize(
    "places",
    [
        "-78.912,35.991",
        "78.912 W,35.991 N",
        "78°54'43\"W,35°59'28\"N",
        "78 54 43.2 W,35 59 27.6 N",
    ],
)
def test_degrees_in_the_ways_people_write_them(bring, places):
    report = bring(INCIDENTS.format("i.csv") + XY, "i.csv", f"{HEAD}1,2024-01-11,{places}\n")
    assert (report.read, report.stored) == (1, 1)


@pytest.mark.parametrize(
    "pair", ["35.991, -78.912", "(35.991°, -78.912°)", "-78.912, 35.991", "POINT (-78.912 35.991)"]
)
def test_pairs_in_one_column_either_way_round(bring, pair):
    sections = INCIDENTS.format("i.csv") + 'latlon = "place"\n'
    report = bring(sections, "i.csv", f'id,date,place\n1,2024-01-11,"{pair}"\n')
    assert (report.read, report.stored) == (1, 1)
    assert ("longitude first" in str(report.notes)) == pair.startswith("-")


def test_stops_of_a_feed_are_placed_without_naming_their_columns(bring):
    stops = "stop_id,stop_lat,stop_lon\n1,35.991,-78.912\n"
    report = bring(
        '[[factors]]\nname = "stops"\nsource = "feed.zip"\noperation = "both"\nmax_blocks = 2\n'
        'step = "half"\n',
        "feed.zip",
        {"stops.txt": stops, "routes.txt": "route_id\n", "trips.txt": "trip_id\n"},
    )
    assert report.stored == 1


def test_parquet_without_a_geometry_is_a_table(bring):
    frame = pd.DataFrame(
        {"id": [1], "date": pd.to_datetime(["2024-01-11"]), "lon": [-78.912], "lat": [35.991]}
    )
    assert bring(INCIDENTS.format("i.parquet") + XY, "i.parquet", frame).stored == 1


def test_a_control_sign_at_the_end_is_no_row_and_an_empty_date_is_called_nothing(bring):
    report = bring(INCIDENTS.format("i.csv") + XY, "i.csv", f"{HEAD}{ROW}\x1a")
    assert report.read == 1
    report = bring(INCIDENTS.format("i.csv") + XY, "i.csv", f"{HEAD}{ROW}2,,-78.9,35.99\n")
    assert "nothing does not fit" in str(report.notes)


@pytest.mark.parametrize(
    ("rows", "extra", "words"),
    [
        (HEAD + '1,"Wed, 31 Jan",-78.9,35.9,9\n', XY, "another number of columns"),
        (HEAD + ROW, XY + 'date_format = "YYYY-MM-DD"\n', "'YYYY-MM-DD'"),
        (HEAD.upper() + ROW, XY, "did you mean 'ID'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_cause(bring, rows, extra, words):
    with pytest.raises(DataError, match=words):
        bring(INCIDENTS.format("i.csv") + extra, "i.csv", rows)


def test_a_header_alone_is_no_row(bring):
    report = bring(INCIDENTS.format("i.csv") + XY, "i.csv", HEAD)
    assert (report.read, report.notes) == (0, ["the file holds no rows"])


COUNTS = """[[counts]]
source = "c.csv"
[counts.fields]
measure = "m"
from = "from"
to = "to"
district = "d"
value = "v"
"""


@pytest.mark.parametrize("other", ["", "dirtbike.seizures,2024-02-01,2024-03-01,1,5\n"])
def test_districts_that_are_not_known_are_named_beside_those_of_the_city(bring, other):
    rows = f"m,from,to,d,v\ndirtbike.seizures,2024-01-01,2024-02-01,District 9,5\n{other}"
    if other:
        words = str(bring(COUNTS, "c.csv", rows).notes)
    else:
        with pytest.raises(DataError) as refused:
            bring(COUNTS, "c.csv", rows)
        words = str(refused.value)
    assert "'District 9' 1" in words
    assert "01 (North), 02 (South)" in words


def test_calls_may_name_their_place_beside_their_file(bring):
    sections = (
        '[[calls]]\nsource = "c.csv"\nlatlon = "place"\n'
        '[calls.fields]\nid = "id"\nreceived = "at"\n'
    )
    rows = 'id,at,place\n1,2024-01-31 14:05,"(35.991, -78.912)"\n'
    assert bring(sections, "c.csv", rows).stored == 1


@pytest.mark.parametrize(
    ("condition", "stored", "words"),
    [
        ('n = [">= 3", "< 100"]', 2, ""),
        ('n = "> 100"', 1, ""),
        ('status = "!= closed"', 3, "'closed' 1"),
        ('status = ["!= closed"]', 0, "'open' 2, 'closed' 1, nothing 1"),
        ('status = "Open"', 0, "'open' 2, 'closed' 1, nothing 1"),
    ],
)
def test_filters_compare_and_show_what_was_not_listed(bring, condition, stored, words):
    rows = (
        "id,date,lon,lat,n,status\n"
        '1,2024-01-11,-78.912,35.991,"1,200",open\n2,2024-01-12,-78.906,35.996,7,closed\n'
        "3,2024-01-13,-78.891,36.002,3,\n4,2024-01-14,-78.89,36.001,,open\n"
    )
    sections = INCIDENTS.format("i.csv") + XY + f"where = {{ {condition} }}\n"
    report = bring(sections, "i.csv", rows)
    assert (report.read, report.stored) == (4, stored)
    assert words in str(report.notes)


def test_of_rows_with_one_id_the_one_corrected_last_counts_in_records_too(bring):
    sections = (
        '[[counts]]\nsource = "c.csv"\nupdated = "changed"\n[counts.fields]\nid = "id"\n'
        'measure = "m"\nfrom = "from"\nto = "to"\nvalue = "v"\n'
    )
    rows = "id,m,from,to,v,changed\n" + "".join(
        f"1,dirtbike.seizures,2024-01-01,2024-02-01,{value},2024-0{month}-01\n"
        for value, month in ((5, 2), (7, 4), (6, 3))
    )
    report = bring(sections, "c.csv", rows)
    assert (report.stored, report.left_out) == (1, {"repeated id": 2})
    assert "latest row is kept: 2 (rows 2, 4)" in str(report.notes)
