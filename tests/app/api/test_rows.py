"""Rows that a dispatch system pushes, as it would."""

import csv
import io

import pytest
from gunfire import Gunfire
from ready import make_ready
from staffing import Office

from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database
from geodata.ingest.arrivals import MOST_ROWS
from geodata.ingest.store import import_city

ADDRESS = "/api/v1/cities/town/alerts"


@pytest.fixture
def dispatch(tmp_path):
    """A program that may send rows, and the rows of a town."""
    town = Gunfire(tmp_path)
    town.alert(published=40)
    town.alert(day=1, x=900)
    town.save()
    url = f"sqlite:///{tmp_path / 'rows.sqlite'}"
    make_ready(url)
    database = open_database(url)
    import_city(database, read_city_file(town.path))
    database.close()
    office = Office(url, tmp_path / "instance")
    office.add("ana", "analyst", with_codes=False)
    with (tmp_path / "alerts.csv").open() as file:
        rows = list(csv.DictReader(file))
    yield office, rows
    office.close()


def table(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_rows_are_taken_as_json_and_as_a_table_and_known_by_their_id(dispatch):
    office, rows = dispatch
    program = office.program(office.token("ana", "rows"))
    new = [{**row, "id": f"N{i}"} for i, row in enumerate(rows)]
    first = program.post(ADDRESS, json={"rows": new})
    assert first.status_code == 200, first.text
    assert (first.json["read"], first.json["stored"], first.json["left_out"]) == (2, 2, {})
    again = program.post(ADDRESS, data=table(new), content_type="text/csv")
    assert again.json["left_out"] == {"already stored": 2}
    late = program.post(ADDRESS, json=[{**new[0], "result": "REPORT"}])
    assert late.json["stored"] == 1
    assert "corrected" in " ".join(late.json["notes"])


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_batch_may_have_as_many_rows_as_is_said(dispatch, form):
    office, rows = dispatch
    program = office.program(office.token("ana", "rows"))
    new = [{**rows[0], "id": f"{form}-{i}"} for i in range(MOST_ROWS)]
    sent = {"json": {"rows": new}} if form == "json" else {"data": table(new)}
    answer = program.post(
        ADDRESS, **sent, **({"content_type": "text/csv"} if form == "csv" else {})
    )
    assert answer.status_code == 200, answer.text
    assert answer.json["stored"] == MOST_ROWS


@pytest.mark.parametrize(
    ("address", "sent", "status", "fault"),
    [
        (ADDRESS, {"json": {"rows": "x"}}, 400, "write rows as"),
        (ADDRESS, {"json": {"rows": []}}, 422, "1 to 5,000 rows"),
        (ADDRESS, {"json": {"rows": [{"id": "\0"}]}}, 400, "no text that can be kept"),
        (ADDRESS, {"json": {"rows": [{"id": "1"}]}}, 422, "there is no column"),
        (ADDRESS, {"data": b"id,x\n1\n", "content_type": "text/csv"}, 400, "row 2 has another"),
        (ADDRESS, {"data": b"\xff\xfe", "content_type": "text/csv"}, 400, "not UTF-8"),
        (ADDRESS, {"data": b"x", "content_type": "text/plain"}, 415, ""),
        (f"{ADDRESS}?source=x.csv", {"json": [{"id": "1"}]}, 422, "no source 'x.csv'"),
        ("/api/v1/cities/none/alerts", {"json": [{"id": "1"}]}, 404, ""),
        ("/api/v1/cities/town/robberies", {"json": [{"id": "1"}]}, 404, ""),
    ],
)
def test_a_batch_that_cannot_be_taken_is_answered_with_its_fault(
    dispatch, address, sent, status, fault
):
    office, _ = dispatch
    answer = office.program(office.token("ana", "rows")).post(address, **sent)
    assert answer.status_code == status, answer.text
    assert fault in answer.text


def test_a_token_of_another_scope_sends_nothing(dispatch):
    office, rows = dispatch
    answer = office.program(office.token("ana", "read")).post(ADDRESS, json=rows)
    assert answer.status_code == 403
