"""Rows that arrive by themselves come to the same as rows that are imported at once."""

import datetime as dt
import os

import pandas as pd
import pytest
from gunfire import Gunfire, degrees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from geodata.cityfile.description import read_city_file
from geodata.cityfile.round_schedule import read_schedule
from geodata.errors import CityFileError, DataError
from geodata.ingest import arrivals
from geodata.ingest.arrivals import MOST_ROWS, store_batch
from geodata.ingest.store import import_city
from geodata.ingest.watched_folder import read_folder, sources_for
from geodata.repositories import audit, import_log, schedules
from geodata.repositories.audit import AuditFilter
from geodata.repositories.cities import get_city
from geodata.repositories.recorded import TABLES, content_columns


@pytest.fixture
def town(tmp_path):
    made = Gunfire(tmp_path)
    for day in range(4):
        made.alert(day=day, x=400 * day, published=40 + day, type="Multiple_Gunshots")
        made.call(day=day, at=60)
    return made


@pytest.fixture
def city(sqlite_database, town):
    town.save()
    import_city(sqlite_database, read_city_file(town.path))
    return sqlite_database


@pytest.fixture
def whole(city):
    """What an import at once has stored."""
    return stored(city)


def rows_of(town, name="alerts.csv"):
    table = pd.read_csv(town.folder / name, dtype=str, keep_default_na=False)
    return table.to_dict("records")


def stored(database, section="alerts"):
    table = TABLES[section]
    columns = [table.c[name] for name in ("row_key", "source", *content_columns(section))]
    with database.session() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(table.c.row_key))]


def clear(database, section="alerts"):
    with database.session(write=True) as session:
        session.execute(delete(TABLES[section]))


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_order_any_batches_and_any_repeats_come_to_the_same(city, town, whole, data):
    clear(city)
    rows = rows_of(town)
    sent = data.draw(st.permutations(rows + data.draw(st.lists(st.sampled_from(rows), max_size=4))))
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        report = store_batch(city, "town", "alerts", sent[:size], "dispatch")
        assert report.read == report.stored + sum(report.left_out.values()) == size
        sent = sent[size:]
    assert stored(city) == whole


def test_a_corrected_row_takes_the_place_of_the_earlier_one_and_a_day_can_be_undone(
    city, town, monkeypatch
):
    monkeypatch.setattr(arrivals, "utc_now", lambda: dt.datetime(2026, 1, 2, 12))
    before = stored(city)
    late = {**rows_of(town)[0], "result": "REPORT"}
    new = {**rows_of(town)[0], "id": "N1"}
    first = store_batch(city, "town", "alerts", [late, new], "dispatch")
    assert (first.stored, first.left_out) == (2, {})
    assert "1 rows stored earlier were corrected" in first.notes
    again = {**new, "result": "REPORT"}
    store_batch(city, "town", "alerts", [again], "dispatch")
    store_batch(city, "town", "alerts", [{**late, "result": ""}], "dispatch")
    assert len(stored(city)) == len(before) + 1
    with city.session() as session:
        versions = import_log.list_imports(session, "town")
        entries = [e for e in audit.entries(session, AuditFilter()) if e.action == "data.arrive"]
    assert len(versions) == 2, "what arrives on one day is one version"
    assert versions[0].summary["alert"]["added"] == 1
    assert len(entries) == 3
    with city.session(write=True) as session:
        import_log.undo_import(session, versions[0].id, "ana", dt.datetime(2026, 1, 1))
    assert stored(city) == before


def test_arrivals_change_no_source_so_that_an_import_goes_on_beside_them(city, town):
    with city.session() as session:
        number = import_log.city_file_of(session, "town").number
    store_batch(city, "town", "alerts", [{**rows_of(town)[0], "id": "N1"}], "dispatch")
    with city.session() as session:
        assert import_log.city_file_of(session, "town").number == number
    import_city(city, read_city_file(town.path), after=number)


def test_rows_without_coordinates_that_arrive_are_placed_by_their_address(sqlite_database, town):
    shapes = [f"{a},{b},{i}00,ELM ST" for i, (a, b) in enumerate([degrees(400, 500)], 1)]
    (town.folder / "homes.csv").write_text("lon,lat,number,street\n" + "\n".join(shapes) + "\n")
    town.city = town.city.replace('y = "lat"\n[alerts.d', 'y = "lat"\naddress = "where"\n[alerts.d')
    town.city += (
        '[addresses]\nsource = "homes.csv"\nx = "lon"\ny = "lat"\n'
        'number = "number"\nstreet = "street"\n'
    )
    town.save()
    path = town.folder / "alerts.csv"
    pd.read_csv(path, dtype=str).assign(where="").to_csv(path, index=False)
    import_city(sqlite_database, read_city_file(town.path))
    row = {**rows_of(town)[0], "id": "N1", "lon": "", "lat": "", "where": "100 Elm Street"}
    report = store_batch(sqlite_database, "town", "alerts", [row], "dispatch")
    assert (report.stored, report.left_out) == (1, {})


def test_values_of_json_are_read_as_a_table_has_them(city, town):
    row = {**rows_of(town)[0], "id": 77, "rounds": 3, "casings": None, "guns": 1}
    assert store_batch(city, "town", "alerts", [row], "dispatch").stored == 1
    assert "77" in [one[0] for one in stored(city)]


@pytest.mark.parametrize(
    ("section", "rows", "source", "fault"),
    [
        ("incidents", [{}], "", "takes no rows; rows can be sent of alerts, calls"),
        ("alerts", [], "", "has 1 to 5,000 rows, this has 0"),
        ("alerts", [{"a": 1}] * (MOST_ROWS + 1), "", "this has 5,001"),
        ("visits", [{"id": 1}], "", r"town has no \[\[visits\]\] in its city file"),
        ("alerts", [{"id": 1}], "x.csv", "no source 'x.csv' of alerts; its sources are alerts.csv"),
        ("alerts", [{"id": 1}], "", "there is no column"),
    ],
)
def test_a_batch_that_cannot_be_taken_says_why_and_stores_nothing(
    city, section, rows, source, fault
):
    before = stored(city)
    with pytest.raises(DataError, match=fault):
        store_batch(city, "town", section, rows, "dispatch", source=source)
    assert stored(city) == before


def test_files_that_arrive_are_read_by_the_sources_that_name_them(
    city, town, tmp_path, monkeypatch
):
    folder = tmp_path / "arriving"
    folder.mkdir()
    table = (town.folder / "alerts.csv").read_text()
    (folder / "alerts_2024-03-09.csv").write_text(table.replace("A0", "B0").replace("A1", "B1"))
    (folder / "calls-20240309.csv").write_text("id,day\n1,2\n")
    (folder / "notes.txt").write_text("nothing")

    def write_more(_):
        for path in folder.iterdir():
            os.utime(path, (1, 1))

    with monkeypatch.context() as patch:
        patch.setattr("geodata.ingest.watched_folder.time.sleep", write_more)
        assert read_folder(city, "town", folder, "night") == [], "they are still written to"
    found = {one.name: one for one in read_folder(city, "town", folder, "night")}
    assert set(found) == {"alerts_2024-03-09.csv", "calls-20240309.csv"}
    assert found["alerts_2024-03-09.csv"].reports[0].stored == 2
    assert "there is no column" in found["calls-20240309.csv"].fault
    assert [p.name for p in folder.iterdir() if p.is_file()] == ["notes.txt"]
    assert [p.name[-21:] for p in (folder / "done").iterdir()] == ["alerts_2024-03-09.csv"]
    reasons = [p.read_text() for p in (folder / "failed").glob("*.txt")]
    assert len(reasons) == 1
    assert "there is no column" in reasons[0]
    with pytest.raises(DataError, match="there is no folder"):
        read_folder(city, "town", tmp_path / "none", "night")


def test_names_of_files_belong_to_sources(town):
    town.save()
    described = read_city_file(town.path)
    sources = described.records
    for name, section in (
        ("alerts.csv", "alerts"),
        ("ALERTS.CSV", "alerts"),
        ("alerts_2024-03-09T05.csv", None),
        ("alerts 2024-03-09.xlsx", "alerts"),
        ("calls-1.csv", "calls"),
        ("callsigns.csv", None),
        ("alerts_old.csv", None),
    ):
        found = sources_for(name, sources)
        assert [one.section for one in found] == ([section] if section else []), name


NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("text", "now", "due"),
    [
        ("Mon 05:00", "2024-03-11 09:30", "2024-03-11 09:00"),  # daylight time since the 10th
        ("Mon 05:00", "2024-03-11 08:30", "2024-03-04 10:00"),
        ("daily 23:30", "2024-03-05 03:00", "2024-03-04 04:30"),
        ("Mon, Thu 05:00", "2024-03-08 12:00", "2024-03-07 10:00"),
        ("Mon 05:00", "2024-03-10 23:00", "2024-03-04 10:00"),
    ],
)
def test_a_schedule_is_in_the_citys_time(text, now, due):
    found = read_schedule(text).last_due(dt.datetime.fromisoformat(now), NEW_YORK)
    assert found == dt.datetime.fromisoformat(due)


@pytest.mark.parametrize("text", ["", "Mon", "05:00", "Mon 25:00", "Someday 05:00", "Mon 5"])
def test_what_is_no_schedule_is_none(text):
    assert read_schedule(text) is None


def test_a_due_time_is_taken_up_once_and_the_first_that_is_seen_never(city, town):
    town.city += '[schedule]\nround = "Mon 05:00"\n'
    town.save()
    import_city(city, read_city_file(town.path))
    with city.session(write=True) as session:
        number = get_city(session, "town").id
        ((slug, zone, schedule),) = schedules.schedules(session, "round").values()
        assert (slug, zone) == ("town", NEW_YORK)
        first = schedule.last_due(dt.datetime(2024, 3, 5), zone)
        assert schedules.claim(session, number, "round", first) is None, "seen for the first time"
        later = schedule.last_due(dt.datetime(2024, 3, 26), zone)  # two weeks nobody looked
        assert schedules.claim(session, number, "round", later) is not None
        assert schedules.claim(session, number, "round", later) is None, "another worker did"
        assert schedules.claim(session, number, "round", first) is None


def test_a_schedule_that_cannot_be_read_is_a_fault_of_the_city_file(town):
    town.city += '[schedule]\nround = "now and then"\n'
    town.save()
    with pytest.raises(CityFileError, match=r"\[schedule\]: round 'now and then' is no time"):
        read_city_file(town.path)
