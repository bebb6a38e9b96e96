"""Sources that did not change are not read again; one that cannot be read stops no other."""

import pytest
from sqlalchemy import func, select
from town import Town

from geodata.cityfile.description import read_city_file
from geodata.db.tables import Feature, Incident
from geodata.errors import DataError
from geodata.ingest import store, unchanged
from geodata.ingest.store import import_city

CALLS = """
[[calls]]
source = "calls.csv"
[calls.fields]
id = "id"
received = "at"
x = "lon"
y = "lat"
[[base]]
kind = "park"
source = "parks.geojson"
"""


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    (tmp_path / "calls.csv").write_text("id,at,lon,lat\n1,2024-01-31 14:05,-79.88,36.15\n")
    (tmp_path / "parks.geojson").write_bytes((tmp_path / "bars.geojson").read_bytes())
    made.city += CALLS
    west, south = made.incidents[["lon", "lat"]].iloc[0]
    (tmp_path / "calls.csv").write_text(f"id,at,lon,lat\n1,2024-01-31 14:05,{west},{south}\n")
    made.save()
    return made


@pytest.fixture
def bring(sqlite_database, town):
    def bring_in(**options):
        result = import_city(sqlite_database, read_city_file(town.path), **options)
        return {report.kind: report for report in result.sources}

    return bring_in


@pytest.fixture
def count(sqlite_database):
    def counted():
        with sqlite_database.session() as session:
            return [
                session.scalar(select(func.count()).select_from(table))
                for table in (Incident, Feature)
            ]

    return counted


def test_what_did_not_change_is_not_read_and_nothing_of_it_goes(bring, count, monkeypatch):
    first, before = bring(), count()

    def never(*_):
        msg = "a source that did not change was read"
        raise AssertionError(msg)

    monkeypatch.setattr(store, "gather_incidents", never)
    monkeypatch.setattr(store, "gather_factor", never)
    monkeypatch.setattr(unchanged, "gather_records", never)
    for _ in range(2):  # what was not read the last time is not read the next time either
        again = bring(skip_unchanged=True)
        assert count() == before
        for kind in ("incidents", "factors", "calls"):
            assert (again[kind].read, again[kind].stored) == (first[kind].read, 0)
            assert again[kind].left_out["unchanged"] == first[kind].stored
            assert "not read again" in again[kind].notes[-1]
    assert again["incidents"].left_out["not a listed outcome"] > 0
    with pytest.raises(AssertionError):
        bring()


@pytest.mark.parametrize(
    "change",
    [
        lambda town: town.incidents.__setitem__("date", "2/2/2024"),
        lambda town: town.change('"BURGLARY" = "burglary"', '"NOISE" = "noise"'),
        lambda town: town.change("America/New_York", "America/Chicago"),
        lambda town: (town.folder / "districts.geojson").write_text(
            (town.folder / "districts.geojson").read_text() + "\n"
        ),
    ],
)
def test_a_source_is_read_again_when_anything_it_depends_on_changed(bring, town, change):
    bring()
    change(town)
    town.save()
    assert "unchanged" not in bring(skip_unchanged=True)["incidents"].left_out


def test_rows_in_the_future_are_awaited(bring, town):
    town.incidents.loc[0, "date"] = "12/31/2099"
    town.save()
    assert bring()["incidents"].left_out["in the future"] == 1
    assert "unchanged" not in bring(skip_unchanged=True)["incidents"].left_out


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("incidents.csv", "incidents"),
        ("bars.geojson", "factors"),
        ("calls.csv", "calls"),
        ("parks.geojson", "base"),
    ],
)
def test_a_source_that_cannot_be_read_stays_as_stored_while_others_go_on(
    bring, town, count, name, kind
):
    bring()
    before = count()
    whole = (town.folder / name).read_bytes()
    (town.folder / name).write_bytes(b"%PDF-1.4 no table")
    with pytest.raises(DataError, match="is a PDF"):
        bring()
    reports = bring(tolerant=True, skip_unchanged=True)
    assert count() == before
    assert "is a PDF" in reports[kind].fault
    assert (reports[kind].read, reports[kind].stored) == (0, 0)
    assert [one for one in reports.values() if one.fault] == [reports[kind]]
    (town.folder / name).write_bytes(whole)
    mended = bring(tolerant=True, skip_unchanged=True)
    assert mended[kind].fault is None
    assert "unchanged" not in mended[kind].left_out, "it was not read at the import before"
    assert count() == before
