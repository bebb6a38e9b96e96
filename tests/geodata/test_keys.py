"""One incident is one row, however a program writes its id, and twins from elsewhere are told."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.db.tables import Incident
from geodata.ingest.store import import_city
from geodata.ingest.trial import what_would_be_left_out
from geodata.keys import is_rounded, keys_of, normal_key
from geodata.repositories.cities import get_city
from geodata.repositories.import_log import newest_import, undo_import


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    made.incidents["id"] = [str(2024_000_000 + i) for i in range(len(made.incidents))]
    made.incidents["offense"] = "ROBBERY"
    made.save()
    return made


def bring(database, town):
    result = import_city(database, read_city_file(town.path))
    (report,) = [one for one in result.sources if one.kind == "incidents"]
    return report


def keys(database):
    with database.session() as session:
        return sorted(session.scalars(select(Incident.row_key)))


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (["123", "123.0", " 123 ", "123.00", "\u00a0123", "1.23E+02"], "123"),
        (["0123", "0123.0"], "0123"),
        (["12.50"], "12.50"),
        (["20123456789", "20123456789.0", "2.0123456789E+10", "2.0123456789e+10"], "20123456789"),
        (["1e5"], "1e5"),
        (["2f.0"], "2f.0"),
        (["24-0012.0"], "24-0012.0"),
        (["2.0240E+10"], "2.0240E+10"),
        (["1.5e+999"], "1.5e+999"),
    ],
)
def test_every_way_to_write_an_id_is_one_key(values, key):
    assert keys_of(pd.Series(values)) == [key] * len(values)


def test_numbers_of_a_spreadsheet_are_the_keys_of_their_digits():
    column = pd.Series([123.0, 20123456789.0, float("nan"), 12.5, 1e300])
    assert keys_of(column) == ["123", "20123456789", "", "12.5", "1e+300"]
    assert keys_of(pd.Series([123, 7])) == ["123", "7"]
    assert keys_of(pd.Series([123, None], dtype="Int64")) == ["123", ""]


@given(st.text(max_size=30))
def test_a_key_stays_what_it_is(text):
    once = normal_key(text)
    assert normal_key(once) == once


@given(st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1))
def test_a_whole_number_is_one_key_as_text_and_as_a_number(number):
    (as_float,) = keys_of(pd.Series([float(number)]))
    assert as_float == normal_key(str(number)) == normal_key(f"{number}.0") == str(number)
    assert not is_rounded(str(number))


def test_a_weekly_file_with_one_id_of_another_form_stores_nothing_twice(database, town):
    """The fault: ids lost their ".0" only where every id of the file had it."""
    assert bring(database, town).stored == 120
    for other in ("24-A", "", "7.5"):
        town.incidents["id"] = [f"{2024_000_000 + i}.0" for i in range(120)]
        town.incidents.loc[0, "id"] = other
        town.save()
        report = bring(database, town)
        assert report.left_out["already stored"] == 119
        assert report.stored == (other != "")
    assert len(keys(database)) == 122


def test_keys_stored_before_are_found_corrected_and_put_back(database, town):
    """What was stored as 123.0 by an earlier version is the row 123."""
    bring(database, town)
    with database.session(write=True) as session:
        session.execute(update(Incident).values(row_key=Incident.row_key + ".0"))
    stored = keys(database)
    report = bring(database, town)
    assert (report.stored, report.left_out) == (0, {"already stored": 120})
    town.incidents.loc[0, "date"] = "6/15/2024"
    town.save()
    report = bring(database, town)
    assert report.stored == 1
    assert "1 rows stored earlier were corrected" in report.notes
    assert keys(database) == stored
    with database.session(write=True) as session:
        number = newest_import(session, "town")
        undo_import(session, number, "ann", dt.datetime(2026, 1, 1))
    assert keys(database) == stored


def test_rows_of_another_source_that_are_the_same_incidents_are_told(database, town):
    bring(database, town)
    town.incidents["id"] = [f"X{i}" for i in range(120)]
    town.incidents.loc[:19, "date"] = "1/31/2024"
    town.incidents.to_csv(town.folder / "again.csv", index=False)
    city = read_city_file(town.path)
    town.city = town.city.replace('source = "incidents.csv"', 'source = "again.csv"')
    town.path.write_text(town.city)
    (source,) = read_city_file(town.path).incidents
    with database.session() as session:
        trial = what_would_be_left_out(source, get_city(session, "town"), session=session)
    said = "100 rows are equal in day, place and outcome to rows of source incidents.csv"
    assert [note for note in trial.notes if note.startswith(said)]
    report = bring(database, town)
    assert [note for note in report.as_json()["notes"] if note.startswith(said)]
    assert report.stored == 120  # told, not guessed
    assert city.incidents[0].place.label == "incidents.csv"


def test_the_same_file_with_other_ids_is_told(database, town):
    bring(database, town)
    town.incidents["id"] = [f"case {i}" for i in range(120)]
    town.save()
    report = bring(database, town)
    assert any(note.startswith("120 rows are equal in day") for note in report.notes)


def test_a_file_that_grows_is_not_told_as_its_own_twin(database, town):
    """Two incidents of one block on one day are two, if one file has both."""
    town.incidents = pd.concat([town.incidents, town.incidents.iloc[:5]], ignore_index=True)
    town.incidents["id"] = [str(i) for i in range(125)]
    whole = town.incidents
    town.incidents = whole.iloc[:120]
    town.save()
    bring(database, town)
    town.incidents = whole
    town.save()
    report = bring(database, town)
    assert report.stored == 5
    assert not any("equal in day" in note for note in report.notes)


def test_ids_that_a_spreadsheet_rounded_are_told(database, town):
    town.incidents["id"] = ["2.0240E+10"] * 5 + [str(i) for i in range(115)]
    town.save()
    report = bring(database, town)
    (note,) = [one for one in report.notes if "rounded by a spreadsheet" in one]
    assert note.startswith("5 ids were rounded by a spreadsheet (2.0240E+10; rows 2, 3, 4, 5, 6)")
    assert report.left_out["repeated id"] == 4
