import datetime as dt

import numpy as np
import pandas as pd
import pytest
import shapely
from gunfire import Gunfire, degrees
from sqlalchemy import select

from geodata.cityfile.description import read_city_file
from geodata.errors import DataError
from geodata.ingest.store import import_city
from geodata.repositories.cities import address_points, get_city
from geodata.repositories.recorded import TABLES, read_frame


@pytest.fixture
def town(tmp_path):
    made = Gunfire(tmp_path)
    made.alert(published=40, reviewed=10, result="REPORT", type="Multiple_Gunshots", number="E1")
    made.alert(day=1, x=2500, result="", type="Gunshot or Firecracker", rounds=3, guns="1")
    made.call(at=60, number="E1")
    made.verify(alert="A0")
    return made


@pytest.fixture
def bring(sqlite_database, town):
    def bring_in():
        town.save()
        return import_city(sqlite_database, read_city_file(town.path))

    return bring_in


def rows(database, section):
    table = TABLES[section]
    with database.session() as session:
        return read_frame(session, select(table).order_by(table.c.id))


def account(result, kind):
    (report,) = [report for report in result.sources if report.kind == kind]
    return report


def told(report, text):
    return [note for note in report.notes if text in note]


def test_rows_come_in_on_both_databases(database, town):
    town.save()
    result = import_city(database, read_city_file(town.path))
    for kind, number in (("alerts", 2), ("calls", 1), ("verified", 1), ("coverage", 1)):
        assert (account(result, kind).read, account(result, kind).stored) == (number, number)
    alerts = rows(database, "alerts")
    assert alerts["triggered_ms"][0] == pd.Timestamp("2024-03-01 17:00").value / 1e6
    assert alerts["published_ms"][0] - alerts["triggered_ms"][0] == 40_000
    assert alerts["class"].tolist() == ["multiple", "probable"]
    assert alerts["disposition"].tolist() == ["confirmed", "no disposition"]
    assert alerts["district"].tolist() == ["D1", "D2"]
    assert alerts["guns"].tolist()[1] == 1
    assert np.isnan(alerts["published_ms"][1])
    assert alerts["call"].tolist() == ["E1", None]
    assert rows(database, "calls")["received_ms"][0] - alerts["triggered_ms"][0] == 60_000
    with database.session() as session:
        assert get_city(session, "town").coverage.area == pytest.approx(1.2e7, rel=1e-4)


def test_the_same_rows_again_store_nothing_and_a_correction_changes_its_row(
    bring, town, sqlite_database
):
    bring()
    again = bring()
    for kind in ("alerts", "calls", "verified", "coverage"):
        assert account(again, kind).stored == 0
        assert account(again, kind).left_out["already stored"] == account(again, kind).read
    town.alert_rows[1]["guns"] = "2"
    report = account(bring(), "alerts")
    assert (report.stored, report.left_out) == (1, {"already stored": 1})
    assert rows(sqlite_database, "alerts")["guns"].tolist()[1] == 2


def test_bad_rows_are_told_and_break_nothing(bring, town, sqlite_database):
    for fields in (
        {"lon": None, "lat": None},
        dict(zip(("lon", "lat"), (-94.5, 39.0), strict=True)),
        {"triggered": "2091-01-01 00:00:00.000"},
        {"id": "A0"},
        {"triggered": "unknown"},
        {"id": ""},
    ):
        town.alert()
        town.alert_rows[-1].update(fields)
    town.alert(type="Fog horn", casings="-4", guns="many", rounds="2.5", result="GOA")
    town.alert(published=-5, dispatched=300, arrived=200)
    report = account(bring(), "alerts")
    assert report.left_out == {
        "no coordinates": 1,
        "far from the city": 1,
        "in the future": 1,
        "bad triggered time": 1,
        "no id": 1,
        "repeated id": 1,
    }
    assert report.read == report.stored + sum(report.left_out.values())
    assert told(report, "class 'Fog horn' is not known: counts as other: 1 (row 10)")
    assert told(report, "disposition 'GOA' is not known: counts as no disposition")
    for field in ("casings", "guns", "rounds"):
        assert told(report, f"{field}: no whole number from 0, taken as missing: 1 (row 10)")
    assert told(report, "published before triggered: kept, but left out of that clock: 1 (row 11)")
    assert told(report, "arrived before dispatched: kept")
    stored = rows(sqlite_database, "alerts").set_index("row_key")
    assert stored.loc["A8", "class"] == "other"
    assert np.isnan(stored.loc["A8", "casings"])
    assert stored.loc["A9", "published_ms"] < stored.loc["A9", "triggered_ms"]


def test_a_source_of_nothing_but_bad_rows_is_refused(bring, town, sqlite_database):
    bring()
    for row in town.alert_rows:
        row["triggered"] = "yesterday"
    with pytest.raises(DataError, match=r"alerts.csv: no row can be used \(2 bad triggered time"):
        bring()
    assert len(rows(sqlite_database, "alerts")) == 2


def test_the_clock_change_is_told(bring, town):
    town.alert()
    town.alert_rows[-1].update(
        triggered="2024-11-03 01:30:00.000", published="2024-11-03 01:30:20.000"
    )
    town.alert()
    town.alert_rows[-1].update(triggered="2024-03-10 02:30:00.000")
    report = account(bring(), "alerts")
    assert told(report, "2 times lie in the hour that comes twice")
    assert told(report, "1 times lie in the hour that spring skips")


def test_one_column_can_hold_the_place(bring, town, sqlite_database):
    for row in town.alert_rows:
        row["number"] = f"({row['lat']}, {row['lon']})"
    town.change('call = "number"\nx = "lon"\ny = "lat"\n[alerts', 'latlon = "number"\n[alerts')
    assert account(bring(), "alerts").stored == 2
    assert rows(sqlite_database, "alerts")["district"].tolist() == ["D1", "D2"]


def test_totals_and_dated_points(bring, town, sqlite_database):
    lon, lat = degrees(500, 500)
    pd.DataFrame(
        [
            ["dirtbike.seizures", "2024-01-01", "2024-02-01", "D1", 3],
            ["dirtbike.seizures", "2024-02-01", "2024-02-01", "D1", 3],
            ["dirtbike.seizures", "2024-02-01", "2024-03-01", "D9", 3],
            ["dirtbike.wheelies", "2024-02-01", "2024-03-01", "", 3],
            ["dirtbike.citations", "2024-02-01", "2024-03-01", "", 7],
        ],
        columns=["measure", "from", "to", "district", "value"],
    ).to_csv(town.folder / "counts.csv", index=False)
    pd.DataFrame(
        [["2024-05-04", lon, lat], ["2024-05-04", lon, lat]], columns=["day", "x", "y"]
    ).to_csv(town.folder / "points.csv", index=False)
    town.city += """
[[counts]]
source = "counts.csv"
[counts.fields]
measure = "measure"
from = "from"
to = "to"
district = "district"
value = "value"
[[occurrences]]
source = "points.csv"
measure = "dirtbike.complaints"
[occurrences.fields]
date = "day"
x = "x"
y = "y"
"""
    result = bring()
    assert account(result, "counts").left_out == {
        "from is not before to": 1,
        "not a district of the city": 1,
        "not a measure that takes figures": 1,
    }
    assert account(result, "occurrences").stored == 2
    counts = rows(sqlite_database, "counts")
    assert counts["from"].tolist() == [dt.date(2024, 1, 1), dt.date(2024, 2, 1)]
    assert counts["district"].tolist() == ["D1", None]
    points = rows(sqlite_database, "occurrences")
    assert points["measure"].tolist() == ["dirtbike.complaints"] * 2
    assert points["value"].tolist() == [1.0, 1.0]
    assert account(bring(), "occurrences").left_out == {"already stored": 2}


def test_points_without_a_measure_are_refused(bring, town):
    lon, lat = degrees(500, 500)
    pd.DataFrame([["2024-05-04", lon, lat]], columns=["day", "x", "y"]).to_csv(
        town.folder / "points.csv", index=False
    )
    town.city += """
[[occurrences]]
source = "points.csv"
[occurrences.fields]
date = "day"
x = "x"
y = "y"
"""
    with pytest.raises(DataError, match="says of no row which measure"):
        bring()
    town.change("[occurrences.fields]", 'measure = "dirtbike.noise"\n[occurrences.fields]')
    with pytest.raises(DataError, match=r"'dirtbike.noise' is no measure that takes figures"):
        bring()


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "crs", "zone", "fields", "box", "read", "stored"),
    [
        (
            "kansas_city_2016_2021.csv",
            "EPSG:32615",
            "America/Chicago",
            'id = "Respond ID"\ntriggered = ["Date", "Time"]\nclass = "Type"\n'
            'x = "Longitude"\ny = "Latitude"',
            (-94.62, 39.0, -94.5, 39.1),
            9_649,
            9_648,
        ),
        (
            "goldsboro_nc.csv",
            "EPSG:2264",
            "America/New_York",
            'id = "id"\ntriggered = ["date", "time"]\nclass = "type"\nrounds = "rnds"\n'
            'x = "longitude"\ny = "latitude"',
            (-78.05, 35.32, -77.90, 35.45),
            1_149,
            1_149,
        ),
        (
            "cambridge_ma_2018_2024.csv",
            "EPSG:26986",
            "America/New_York",
            'id = "index"\ntriggered = ["date", "time"]\nlatlon = "LAT_LON_arcgis"\n'
            'casings = "shell_casings"\narrests = "arrests"\nvictims = "injuries"',
            (-71.17, 42.35, -71.06, 42.41),
            86,
            86,
        ),
    ],
)
def test_real_exports_come_in_clean(
    shared_data, tmp_path, sqlite_database, name, crs, zone, fields, box, read, stored
):
    (tmp_path / "area.geojson").write_text(shapely.to_geojson(shapely.box(*box)))
    (tmp_path / "city.toml").write_text(
        f'[city]\nslug = "there"\nname = "There"\ncrs = "{crs}"\ntimezone = "{zone}"\n'
        f'[boundary]\nsource = "area.geojson"\n[grid]\ncell = 500\nblock = 1000\n'
        f'[[alerts]]\nsource = "{shared_data / "alerts" / name}"\n[alerts.fields]\n{fields}\n'
    )
    report = account(import_city(sqlite_database, read_city_file(tmp_path / "city.toml")), "alerts")
    assert (report.read, report.stored) == (read, stored)
    assert not told(report, "is not known")
    if name.startswith("kansas"):
        assert told(report, "no coordinates: 1 (row 5135)")  # the row with shifted columns


def test_addresses_are_a_snapshot_of_bare_places(bring, town, sqlite_database):
    def homes():
        with sqlite_database.session() as session:
            return address_points(session, get_city(session, "town").id)

    def write(*metres):
        rows = [[*degrees(x, 800), "somebody"] for x in metres]
        pd.DataFrame(rows, columns=["lon", "lat", "owner"]).to_csv(
            town.folder / "homes.csv", index=False
        )

    bring()
    assert homes() is None
    write(300, 100, 200)
    town.city += '\n[addresses]\nsource = "homes.csv"\nx = "lon"\ny = "lat"\n'
    assert account(bring(), "addresses").stored == 3
    assert len(homes()) == 3
    assert account(bring(), "addresses").left_out == {"already stored": 3}
    write(300, 100)
    assert account(bring(), "addresses").stored == 2
    assert len(homes()) == 2
    town.change('[addresses]\nsource = "homes.csv"\nx = "lon"\ny = "lat"\n', "")
    bring()
    assert homes() is None


def test_ids_written_with_a_point_are_the_same_ids(bring, town, sqlite_database):
    town.alert_rows[0].update(id="7", number="1001")
    town.alert_rows[1].update(id="8")
    town.call_rows[0]["number"] = "1001.0"
    town.verified_rows[0]["alert"] = "7.0"
    bring()
    assert rows(sqlite_database, "verified")["alert"].tolist() == ["7"]
    assert rows(sqlite_database, "calls")["event"].tolist() == ["1001"]
