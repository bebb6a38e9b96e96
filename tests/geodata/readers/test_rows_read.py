"""While a table is read, its rows are reported now and then, and reading can be ended."""

import pytest
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.cityfile.schema import SourcePlace
from geodata.errors import CancelledError
from geodata.formats import ROWS_STAGE
from geodata.ingest.store import import_city
from geodata.readers import delimited, read_place
from geodata.readers.delimited import reporting_rows
from geodata.repositories.cities import list_cities


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "ROWS_AT_ONCE", 100)
    monkeypatch.setattr(delimited, "SECONDS_BETWEEN", 0.0)
    path = tmp_path / "many.csv"
    path.write_text("id,lon,lat\n" + "".join(f"{i:06d},1.5,2.5\n" for i in range(1_000)))
    return SourcePlace(label="many.csv", path=str(path), x="lon", y="lat")


def test_rows_are_reported_with_about_how_many_there_are(table):
    heard = []
    with reporting_rows(lambda *step: heard.append(step)):
        layer = read_place(table)
    assert len(layer.frame) == 1_000
    assert [step[0] for step in heard] == [ROWS_STAGE] * 10
    assert [step[1] for step in heard] == list(range(100, 1_001, 100))
    assert all(abs(step[2] - 1_000) <= 20 for step in heard)
    read_place(table)
    assert len(heard) == 10, "nobody asked any more"


def test_no_more_often_than_is_read_by_people(table, monkeypatch):
    monkeypatch.setattr(delimited, "SECONDS_BETWEEN", 3_600.0)
    heard = []
    with reporting_rows(lambda *step: heard.append(step)):
        read_place(table)
    assert heard == []


def test_an_import_that_is_cancelled_ends_within_a_table_and_stores_nothing(
    table, sqlite_database, tmp_path
):
    heard = []

    def stop(stage, done, total):
        heard.append(stage)
        if stage == ROWS_STAGE:
            msg = "enough"
            raise CancelledError(msg)

    town = Town(tmp_path, n=1_000)
    with pytest.raises(CancelledError):
        import_city(sqlite_database, read_city_file(town.path), progress=stop)
    assert heard[-1] == ROWS_STAGE
    with sqlite_database.session() as session:
        assert list_cities(session) == []


def test_an_import_goes_on_to_its_end_and_says_its_rows(sqlite_database, table, tmp_path):
    heard = []
    town = Town(tmp_path, n=1_000)
    import_city(
        sqlite_database, read_city_file(town.path), progress=lambda *step: heard.append(step)
    )
    assert (ROWS_STAGE, 1_000, 1_000) in heard
