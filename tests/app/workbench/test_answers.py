"""What is said of a file becomes sections that a city file takes, for every kind of source."""

from pathlib import Path

import pandas as pd
import pytest
from town import Town

from app.workbench.column_kinds import KINDS, guess_kind, guess_roles
from app.workbench.column_mapping import Answers, Word, Words, build, read_form, read_kept
from geodata.cityfile.description import read_content
from geodata.cityfile.schema import SourcePlace
from geodata.uploads.profile import preview

CITY = {
    "city": {"slug": "t", "name": "T", "crs": "EPSG:32617", "timezone": "UTC"},
    "boundary": {"source": "b.geojson"},
    "grid": {"cell": 100, "block": 200},
}


def told(kind, roles, shape=None, **more):
    answers = Answers(kind=kind, roles=roles, **{"crs": "EPSG:4326", **more})
    return build(answers, "f.csv", shape)


XY = {"lon": "x", "lat": "y"}


@pytest.mark.parametrize(
    ("kind", "roles", "more"),
    [
        ("incidents", {**XY, "when": "date", "at": "time", "no": "id"}, {"outcome": "robbery"}),
        ("incidents", {**XY, "when": "date", "what": "outcome"},
         {"words": {"outcome": {"A": "a", "B": ""}}}),
        ("factors", XY, {"name": "bars"}),
        ("factors", {**XY, "k": "name"},
         {"words": {"name": {"< 5": "few", "b": "few", "c": "many"}}}),
        ("alerts", {**XY, "d": "triggered", "t": "triggered+time", "c": "class", "z": "disposition"
         }, {"words": {"class": {"Fog": "other"}, "disposition": {"GOA": "unfounded", "X": ""}}}),
        ("alerts", {"p": "latlon", "d": "triggered", "px": "verified_x", "py": "verified_y"}, {}),
        ("calls", {**XY, "d": "received", "e": "event"}, {"date_format": "%m/%d/%Y"}),
        ("verified", {**XY, "d": "occurred", "a": "alert"}, {}),
        ("visits", {**XY, "s": "start", "e": "end", "u": "unit"}, {}),
        ("occurrences", {**XY, "d": "date"}, {"measure": "dirtbike.complaints"}),
        ("counts", {"m": "measure", "f": "from", "t": "to", "v": "value"}, {"crs": ""}),
        ("addresses", XY, {}),
        ("addresses", {**XY, "n": "number", "s": "street", "z": "postcode"}, {}),
    ],
)  # fmt: skip
def test_tables_of_every_kind_become_sections(kind, roles, more):
    tables, faults = told(kind, roles, **more)
    assert faults == {}
    single = KINDS[kind].single
    found = read_content({**CITY, kind: tables[0] if single else tables}, Path("c"), Path())
    assert found.content[kind]


@pytest.mark.parametrize("kind", ["factors", "base", "districts", "boundary", "coverage"])
def test_shapes_of_every_kind_become_sections(kind):
    roles = {"code": "id"} if kind == "districts" else {}
    tables, faults = told(kind, roles, "Polygon", crs="", name="parks", base_kind="park")
    assert faults == {}
    single = KINDS[kind].single
    read_content({**CITY, kind: tables[0] if single else tables}, Path("c"), Path())
    assert "crs" not in tables[0]
    if kind != "factors":
        assert "needs shapes" in told(kind, {**roles, **XY})[1]["kind"][0]


@pytest.mark.parametrize(
    ("kind", "roles", "more", "where", "message"),
    [
        ("incidents", XY, {"outcome": "a"}, "columns", "no column is “date”"),
        ("incidents", {"lon": "x", "d": "date"}, {"outcome": "a"}, "columns", "belong together"),
        ("incidents", {"d": "date"}, {"outcome": "a"}, "columns", "no columns hold the place"),
        ("incidents", {**XY, "d": "date", "e": "date"}, {"outcome": "a"}, "columns", "two columns"),
        ("incidents", {**XY, "d": "date"}, {}, "outcome", "give an outcome a name"),
        ("incidents", {**XY, "d": "date"}, {"outcome": "A b"}, "outcome", "is no name"),
        ("incidents", {**XY, "d": "date"}, {"outcome": "a", "crs": ""}, "crs", "choose the system"),
        ("factors", XY, {"name": "a", "operation": "magic"}, "operation", "choose"),
        ("factors", XY, {"name": "a", "max_blocks": "٣"}, "max_blocks", "from 1 to 10"),
        ("factors", XY, {"name": "a", "crs": "other"}, "crs", "type the system"),
        ("alerts", {**XY, "t": "sent+time", "d": "triggered"}, {}, "columns", "without its date"),
        ("alerts", {**XY, "p": "latlon", "d": "triggered"}, {}, "columns", "not all three"),
        ("alerts", {**XY, "d": "triggered", "c": "class"}, {"words": {"class": {"x": "huge"}}},
         "words", "not one of"),
        ("occurrences", {**XY, "d": "date"}, {"measure": ""}, "measure", "choose the"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_field(kind, roles, more, where, message):
    _, faults = told(kind, roles, **more)
    assert list(faults) == [where]
    assert message in faults[where][0]


def test_forms_are_read_by_number_and_keep_what_they_did_not_have():
    before = Answers(kind="factors", roles={"a": "x", "b": "y"}, name="bars", crs="EPSG:2234")
    assert read_form({}, ["a", "b"], [], before) == before
    sent = {"column-0": "y", "column-1": "date", "kind": "nonsense", "name": " pubs "}
    read = read_form(sent, ["a", "b"], [], before)
    assert (read.kind, read.roles, read.name) == ("factors", {"a": "y"}, "pubs")
    assert read_kept(read.as_json()) == read
    for kept in ({}, {"kind": "older"}, {"form": "other"}):
        assert read_kept(kept) is None


def test_meanings_go_with_the_column_that_they_are_of():
    word = Word(value="A", rows=3, means="")
    asked = Words(role="name", column="a", label="", choices=(), words=(word,), more=0)
    before = Answers(kind="factors", roles={"a": "name"}, words={"name": {"A": "old"}})
    form = {"column-0": "name", "of-name": "0", "means-name-0": " bars "}
    assert read_form(form, ["a", "b"], [asked], before).words == {"name": {"A": "bars"}}
    moved = {**form, "column-0": "", "column-1": "name"}
    assert read_form(moved, ["a", "b"], [asked], before).words == {}
    late = {**form, "of-name": "1"}
    assert read_form(late, ["a", "b"], [asked], before).words == {"name": {"A": "old"}}


def test_guesses_follow_names_and_values(tmp_path):
    town = Town(tmp_path)

    def seen(frame):
        frame.to_csv(tmp_path / "g.csv", index=False)
        return preview(SourcePlace(label="g.csv", path=str(tmp_path / "g.csv")))

    incidents = seen(town.incidents)
    assert guess_kind(incidents) == "incidents"
    assert guess_roles(KINDS["incidents"], incidents) == {
        "lon": "x",
        "lat": "y",
        "date": "date",
        "id": "id",
        "offense": "outcome",
    }
    alerts = seen(
        pd.DataFrame(
            {
                "Date": ["1/2/2024"] * 30,
                "Time": ["14:05"] * 30,
                "published_at": ["2024-01-02T10:00:00Z"] * 30,
                "Rounds": range(30),
                "Longitude": 1.5,
                "Latitude": 2.5,
            }
        )
    )
    assert guess_kind(alerts) == "alerts"
    assert guess_roles(KINDS["alerts"], alerts) == {
        "Longitude": "x",
        "Latitude": "y",
        "Date": "triggered",
        "Time": "triggered+time",
        "published_at": "published",
        "Rounds": "rounds",
    }


SEGMENTS = {"dir": "street", "name": "street", "type": "street", "zip": "postcode"}
LEFT = {"lf": "left_from", "lt": "left_to"}
RIGHT = {"rf": "right_from", "rt": "right_to"}


@pytest.mark.parametrize(
    ("roles", "wanted"),
    [
        ({**SEGMENTS, **LEFT, **RIGHT}, {"left": ["lf", "lt"], "right": ["rf", "rt"],
                                         "street": ["dir", "name", "type"], "postcode": "zip"}),
        ({"name": "street", **RIGHT}, {"right": ["rf", "rt"], "street": "name"}),
    ],
)  # fmt: skip
def test_street_segments_are_described_as_in_a_city_file(roles, wanted):
    (table,), faults = told("addresses", roles, "LineString", crs="")
    assert faults == {}
    assert table == {"source": "f.csv", **wanted}
    found = read_content({**CITY, "addresses": table}, Path("c"), Path()).addresses
    assert (found.left, found.right) == (
        tuple(wanted.get("left", ())), tuple(wanted.get("right", ())),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("roles", "fault"),
    [
        ({"s": "street", "lf": "left_from"}, "first and last number of the left side"),
        ({"s": "street", **RIGHT, "lt": "left_to"}, "first and last number of the left side"),
        ({"s": "street", **RIGHT, "x": "right_to"}, "two columns"),
        ({f"s{i}": "street" for i in range(7)}, "more than 6 columns"),
    ],
)
def test_ranges_that_lack_an_end_are_told(roles, fault):
    _, faults = told("addresses", roles, "LineString", crs="")
    assert fault in " ".join(faults["columns"])
