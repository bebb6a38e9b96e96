import dataclasses
import datetime as dt
import itertools
import json
import re
import xml.etree.ElementTree as ET
import zoneinfo

import geopandas as gpd
import pytest
import shapely
from click.testing import CliRunner

from app.charts import charts
from app.charts.calendars import escaped, folded
from app.charts.plan_files import GPX, load_sheet, sheet_pdf, unit_pages, write_plan
from app.cli import main
from app.i18n.numbers import Units
from app.i18n.patrol_words import guidance, printed
from app.usecases.patrol.planning import (
    Clock,
    PlanRequest,
    make_plan,
    moment_of,
    request_of,
    swapped,
)
from geodata.errors import DataError
from geodata.repositories import audit, patrol_plans

NIGHT = "2024-07-05T18:00/2024-07-06T02:00"


def request(record, **change):
    start, end = (dt.datetime.fromisoformat(text) for text in NIGHT.split("/"))
    return PlanRequest(
        **{
            "city": "town",
            "district": "D1",
            "run": record.id,
            "shift": (start, end),
            "units": 2,
            "limit_s": 60.0,
            **change,
        }
    )


@pytest.fixture
def command(small):
    database, record = small
    url = database.engine.url.render_as_string(hide_password=False)

    def invoke(*arguments, status=0):
        line = ["plan", "town", "--database", url, *(str(a) for a in arguments)]
        result = CliRunner().invoke(main, line)
        assert result.exit_code == status, (result.output, result.exception)
        return result

    invoke.ask = ("--district", "D1", "--run", record.id, "--shift", NIGHT, "--limit", 60)
    return invoke


def test_the_document_has_the_shape_that_scripts_read(command, small):
    _, record = small
    result = command(*command.ask, "--units", 2, "--seed", 4, "--json")
    document = json.loads(result.stdout)
    assert (document["district"], document["run"], document["seed"]) == ("D1", record.id, 4)
    assert document["shift"] == NIGHT.split("/")
    assert [unit["unit"] for unit in document["units"]] == ["1", "2"]
    numbers = dict.fromkeys((zone["zone"] for zone in document["zones"]), 0)
    start, end = document["shift"]
    for unit in document["units"]:
        assert set(unit) >= {"unit", "visits", "travel_minutes"}
        last = start
        for visit in unit["visits"]:
            assert last <= visit["start"] < visit["end"] <= end
            last = visit["end"]
            numbers[visit["zone"]] += 1
        assert start <= unit["break"][0] < unit["break"][1] <= end
    for zone in document["zones"]:
        assert set(zone) >= {"zone", "visits", "target", "longest_gap_minutes"}
        assert zone["visits"] == numbers[zone["zone"]] >= 1
    of_d1 = record.zones[record.zones["district"] == "D1"]
    assert list(numbers) == list(of_d1["id"])
    assert document["worth"] <= document["bound"] + 1e-9
    assert document["travel_by"] == "straight lines"
    assert any("straight lines" in warning for warning in document["warnings"])
    assert document["incidents"] > 0
    again = command(*command.ask, "--units", 2, "--seed", 4, "--json", "--no-save")
    assert json.loads(again.stdout) == document
    text = command(*command.ask, "--units", 2, "--seed", 4).stdout
    assert f"plan {document['plan']} (version 1)" in text
    assert "unit 2: " in text


def test_a_plan_is_kept_unless_told_otherwise(small):
    database, record = small
    kept = make_plan(database, request(record, seed=31), created_by="ada")
    lost = make_plan(database, request(record, seed=32), save=False)
    with database.session() as session:
        assert patrol_plans.get_plan(session, kept.id).document == kept.document
        assert patrol_plans.get_plan(session, kept.id).created_by == "ada"
        assert patrol_plans.find_plan(session, lost.id) is None
    assert kept.shift_start_ms == 1_720_216_800_000  # 18:00 in New York is 22:00 UTC
    assert kept.shift_end_ms - kept.shift_start_ms == 8 * 3_600_000
    assert printed(kept.document)["units"] != printed(lost.document)["units"]


def test_a_revision_keeps_what_was_asked_and_counts_on(command, small):
    database, record = small
    before = make_plan(database, request(record, seed=5))
    first = printed(before.document)["units"][0]["visits"][2]
    second = next(
        visit
        for visit in printed(before.document)["units"][1]["visits"][3:]
        if visit["zone"] != first["zone"]
    )
    at, to = first["start"][11:], second["start"][11:]
    used = (first["zone"], second["zone"])
    free = next(zone for zone in printed(before.document)["zones"] if zone["zone"] not in used)
    swap = ("--revise", before.id, "--swap", f"1,{at},2,{to}")
    told = json.loads(command(*swap, "--drop", free["rank"], "--json").stdout)
    assert (told["version"], told["parent"], told["seed"]) == (2, before.id, 5)
    pinned = {
        (unit["unit"], visit["zone"], visit["start"])
        for unit in told["units"]
        for visit in unit["visits"]
        if visit["pinned"]
    }
    assert pinned == {
        ("1", second["zone"], first["start"]),
        ("2", first["zone"], second["start"]),
    }
    assert [zone["zone"] for zone in told["zones"] if zone["dropped"]] == [free["zone"]]
    refused = command(*swap, "--drop", first["zone"], status=1)
    assert f"{first['zone']} is both pinned and dropped" in refused.stderr
    with database.session() as session:
        stored = patrol_plans.get_plan(session, told["plan"])
    third = make_plan(database, dataclasses.replace(request_of(stored), seed=6))
    assert third.version == 3
    assert printed(third.document)["asked"]["pins"] == told["asked"]["pins"]
    assert printed(third.document)["asked"]["dropped"] == [str(free["rank"])]


def test_a_pin_by_rank_and_time_of_day_may_lie_after_midnight(command):
    result = command(*command.ask, "--units", 1, "--pin", "1,2,01:10", "--json")
    document = json.loads(result.stdout)
    (pin,) = [visit for visit in document["units"][0]["visits"] if visit["pinned"]]
    assert (pin["start"], pin["zone"]) == ("2024-07-06T01:10", document["zones"][1]["zone"])


def test_a_plan_that_is_kept_and_one_that_is_written_are_in_the_audit(command, small, tmp_path):
    database, record = small
    file = tmp_path / "shift.ics"
    asked = (*command.ask, "--units", 1, "--seed", 77, "--as", "ann")
    command(*asked)
    document = json.loads(command(*asked, "--export", file, "--json").stdout)
    with database.session() as session:
        told = audit.entries(session, audit.AuditFilter(action="plan"), newest_first=False)
        stored, written = [entry for entry in told if entry.object == document["plan"]]
    assert (stored.person, stored.action) == ("ann", "plan.store")
    assert (stored.details["run"], stored.details["version"]) == (record.id, 1)
    assert [stored.details["from"], stored.details["to"]] == document["shift"]
    assert (written.person, written.action) == ("ann", "plan.export")
    assert written.details == {"city": record.city, "file": "shift.ics"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (["--run", "nope"], "no run 'nope'"),
        (["--district", "D9"], "its districts are D1, D2"),
        (["--shift", "2024-07-05T18:00/2024-07-05T17:00"], "not after its start"),
        (["--shift", "2024-07-05T18:00/2024-07-07T18:00"], "up to 24 hours"),
        (["--units", 0], "1 to 200 units"),
        (["--minutes", 4], "5 to 60 minutes"),
        (["--minutes", 61], "5 to 60 minutes"),
        (["--break", 470], "no room"),
        (["--drop", "zone-x"], "no zone 'zone-x' in this run"),
        (["--pin", "1,99,19:00"], "no zone '99' in this run"),
        (["--pin", "1,1,noon"], "'noon' is no time"),
        (["--pin", "7,1,19:00"], "there are 2"),
        (["--pin", "1,1,17:00"], "not within the shift"),
        (["--speed", 0], "between 1 and 130 km/h"),
        (["--limit", 0], "time limit"),
        (["--export", "plan.doc"], "ends in none of .ics, .gpx, .html, .pdf"),
        (["--export", "no/such/folder/plan.ics"], "choose a folder that exists"),
        (["--revise", "nope"], "no plan 'nope' is stored"),
    ],
)
def test_a_known_error_is_one_line_and_status_one(command, change, told):
    result = command(*command.ask, "--units", 2, *change, status=1)
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert told in line


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--district", "D1", "--units", 2],
        ["--shift", "tonight"],
        ["--shift", "2024-07-05T18:00Z/2024-07-06T02:00Z"],
        ["--pin", "1,2"],
        ["--pin", "one,2,19:00"],
        ["--swap", "1,19:00,2,20:00"],
    ],
)
def test_wrong_usage_is_status_two(command, arguments):
    base = command.ask if arguments and arguments[0] in ("--pin", "--swap") else ()
    command(*base, *(["--units", 2] if base else []), *arguments, status=2)


def test_a_run_without_zones_there_and_of_another_city_are_told(small):
    database, record = small
    with pytest.raises(DataError, match="not after its start"):
        request(record, shift=(dt.datetime(2024, 7, 5), dt.datetime(2024, 7, 5)))
    plan = make_plan(database, request(record))
    with pytest.raises(DataError, match="no visit of unit 1 at 03:33; its visits start at"):
        swapped(plan, (1, "03:33"), (2, "04:44"))
    with pytest.raises(DataError, match="no visit of unit 9"):
        swapped(plan, (9, "19:00"), (2, "19:00"))


def test_minutes_are_real_ones_when_clocks_change():
    night = (dt.datetime(2024, 11, 2, 22), dt.datetime(2024, 11, 3, 6))
    clock = Clock.of(night, "America/New_York")
    assert clock.minutes == 9 * 60
    assert clock.at(240) == dt.datetime(2024, 11, 3, 1)  # an hour later it is 1:00 once more
    around = (dt.datetime(2024, 11, 3, 1), dt.datetime(2024, 11, 3, 2))
    assert (clock.at(180), clock.at(300)) == around
    zone = zoneinfo.ZoneInfo("America/New_York")
    assert clock.ms(540) == int(dt.datetime(2024, 11, 3, 6, tzinfo=zone).timestamp() * 1000)
    spring = Clock.of((dt.datetime(2024, 3, 9, 22), dt.datetime(2024, 3, 10, 6)), zone.key)
    assert spring.minutes == 7 * 60


def test_a_time_of_day_is_sought_within_the_shift():
    shift = tuple(dt.datetime.fromisoformat(text) for text in NIGHT.split("/"))
    assert moment_of(shift, "19:30") == dt.datetime(2024, 7, 5, 19, 30)
    assert moment_of(shift, "00:30") == dt.datetime(2024, 7, 6, 0, 30)
    assert moment_of(shift, "2024-07-06T01:00") == dt.datetime(2024, 7, 6, 1, 0)


@pytest.fixture
def planned(small):
    database, record = small
    return database, make_plan(database, request(record, seed=9))


def unfold(content):
    return content.replace("\r\n ", "").split("\r\n")


def test_the_calendar_holds_every_visit_and_break(planned, tmp_path):
    database, plan = planned
    path = tmp_path / "plan.ics"
    write_plan(database, plan, path)
    content = path.read_bytes().decode()
    assert "\n" not in content.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in content.split("\r\n"))
    lines = unfold(content)
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")
    starts = [line[8:] for line in lines if line.startswith("DTSTART:")]
    wanted = [
        visit["start_ms"] for unit in printed(plan.document)["units"] for visit in unit["visits"]
    ]
    wanted += [unit["break_ms"] for unit in printed(plan.document)["units"]]
    assert sorted(starts) == sorted(
        dt.datetime.fromtimestamp(ms / 1000, dt.UTC).strftime("%Y%m%dT%H%M%SZ") for ms in wanted
    )
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == len(starts)
    assert sum(line.endswith("break") for line in lines if line.startswith("SUMMARY")) == 2
    assert not re.search(r"(?<!\\)[;,]", "".join(li for li in lines if li.startswith("SUMMARY")))


def test_texts_of_a_calendar_are_escaped_and_folded_between_letters():
    assert escaped("a,b;c\\d\r\ne\x00") == "a\\,b\\;c\\\\d\\ne"
    long = "é" * 200
    told = folded(long)
    assert all(len(part.encode()) <= 75 for part in told.split("\r\n"))
    assert told.replace("\r\n ", "") == long
    assert folded("x" * 75) == "x" * 75


def test_the_gpx_has_a_route_a_unit_inside_the_zones(planned, tmp_path):
    import geopandas as gpd
    import shapely

    database, plan = planned
    path = tmp_path / "plan.gpx"
    write_plan(database, plan, path)
    root = ET.fromstring(path.read_bytes())  # noqa: S314
    assert (root.tag, root.get("version")) == (f"{{{GPX}}}gpx", "1.1")
    routes = root.findall(f"{{{GPX}}}rte")
    sheet = load_sheet(database, plan)
    zones = sheet.zones.set_index("id").geometry.to_crs(4326)
    assert isinstance(zones, gpd.GeoSeries)
    for route, unit in zip(routes, printed(plan.document)["units"], strict=True):
        points = route.findall(f"{{{GPX}}}rtept")
        assert len(points) == len(unit["visits"])
        for point, visit in zip(points, unit["visits"], strict=True):
            spot = shapely.Point(float(point.get("lon")), float(point.get("lat")))
            assert zones[visit["zone"]].contains(spot)
            assert [child.tag.split("}")[1] for child in point] == ["time", "name", "desc"]


def test_the_files_escape_what_names_hold(planned):
    from app.charts.plan_files import calendar, gpx

    database, plan = planned
    sheet = load_sheet(database, plan)
    city = dataclasses.replace(
        sheet.city, districts=sheet.city.districts.assign(name=["<North> & 'East';, \\", "D2"])
    )
    sheet = dataclasses.replace(sheet, city=city)
    name = ET.fromstring(gpx(sheet)).find(f".//{{{GPX}}}rtept/{{{GPX}}}name").text  # noqa: S314
    rank = sheet.rank(printed(plan.document)["units"][0]["visits"][0]["zone"])
    assert name.endswith(f"<North> & 'East';, \\, zone {rank}")
    assert "<North> & 'East'\\;\\, \\\\\\, zone" in "".join(unfold(calendar(sheet).decode()))


def test_the_sheet_has_a_page_a_unit_with_order_and_advice(planned, tmp_path):
    database, plan = planned
    pages = unit_pages(load_sheet(database, plan))
    assert [page.unit for page in pages] == ["1", "2"]
    for page, unit in zip(pages, printed(plan.document)["units"], strict=True):
        assert [start for start, _end, where, _how in page.lines if where != "Break"] == [
            visit["start"][11:] for visit in unit["visits"]
        ]
        assert sum(where == "Break" for _start, _end, where, _how in page.lines) == 1
        assert page.picture.startswith(b"\x89PNG")
        assert page.advice[-1][0] == "Anywhere"
        assert any(near == "Bars" for near, *_ in page.advice)
    write_plan(database, plan, tmp_path / "plan.pdf")
    content = (tmp_path / "plan.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", content)) <= 4  # both sides of a leaf for each unit
    write_plan(database, plan, tmp_path / "plan.html")
    page = (tmp_path / "plan.html").read_text()
    assert page.count("<section") == 2
    stops = [name for unit in pages for name, _ in unit.stops]
    assert page.count("<figcaption>") == len(stops)
    assert len(page) < 1_500_000  # also where a phone has little reception
    assert "<script" not in page
    assert "never published" in page
    assert not re.search(r"https?://", page)


def test_what_a_person_called_a_zone_stands_on_what_officers_take_along(planned):
    from app.charts.plan_files import calendar, gpx

    database, plan = planned
    sheet = load_sheet(database, plan)
    zone = printed(plan.document)["units"][0]["visits"][0]["zone"]
    given = (sheet.zones["id"] == zone).map({True: "Mill <Corner>", False: ""})
    named = dataclasses.replace(sheet, zones=sheet.zones.assign(name=given))
    told = f"Mill <Corner> (zone {sheet.rank(zone)})"
    assert unit_pages(named)[0].lines[0][2] == told
    assert all("," not in line[2] for page in unit_pages(sheet) for line in page.lines)
    assert told in "".join(unfold(calendar(named).decode())).replace("\\,", ",")
    assert ET.fromstring(gpx(named)).find(f".//{{{GPX}}}rtept/{{{GPX}}}name").text.endswith(told)  # noqa: S314


def test_each_stop_of_a_sheet_has_a_map_of_its_own(planned):
    database, plan = planned
    sheet = load_sheet(database, plan)
    for page, unit in zip(unit_pages(sheet), plan.document.units, strict=True):
        mine = list(dict.fromkeys(visit.zone for visit in unit.visits))
        assert [name for name, _ in page.stops] == [sheet.called(zone) for zone in mine]
        assert all(picture.startswith(b"\x89PNG") for _, picture in page.stops)
    units = Units(sheet.city.crs)
    maps = [charts.stop_map(zone, sheet.zones, sheet.base, units) for zone in sheet.zones["id"]]
    places = {(*one.axes[0].get_xlim(), *one.axes[0].get_ylim()) for one in maps}
    assert len(places) == len(sheet.zones)  # each is drawn where it lies


def test_a_map_of_a_stop_names_each_street_once_and_no_name_covers_another(planned):
    database, plan = planned
    sheet = load_sheet(database, plan)
    zone = plan.document.units[0].visits[0].zone
    x, y = sheet.row(zone).geometry.centroid.coords[0]
    lines = [shapely.LineString([(x - 900, y + d), (x + 900, y + d)]) for d in (-90, 0, 2, 120)]
    lines.append(shapely.LineString([(x + 40, y - 900), (x + 40, y + 900)]))
    names = ["Oak Ave", "Main St", "Main St", "Elm St", "Broadway"]
    base = gpd.GeoDataFrame(
        {"kind": "street", "name": names, "rank": [3, 1, 1, 3, 2]}, geometry=lines
    )
    figure = charts.stop_map(
        zone, sheet.zones, base.set_crs(sheet.zones.crs), Units(sheet.city.crs)
    )
    texts = [text for text in figure.axes[0].texts if text.get_text() in names]
    assert sorted(text.get_text() for text in texts) == sorted(set(names))
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_a_sheet_is_on_the_paper_of_the_city(planned, tmp_path):
    database, plan = planned
    for crs, size in (("EPSG:32632", b"595.2"), ("EPSG:2264", b"612 792")):
        sheet = load_sheet(database, plan)
        here = dataclasses.replace(sheet, city=dataclasses.replace(sheet.city, crs=crs))
        assert size in sheet_pdf(here)


def test_advice_is_that_of_the_hours_of_the_visits():
    names = ["schools", "parks", "bars"]
    by_day, at_night = guidance(names, {9, 10}), guidance(names, {23, 0})
    assert "crossing guards" in by_day[0][2]
    assert "crossing guards" not in str(at_night)
    assert [name for name, _, _ in at_night] == [name for name, _, _ in by_day]
    assert all("do not walk in alone" not in do for _, _, do in by_day)
    assert guidance(names) == by_day  # of no hours in particular


def test_advice_knows_kinds_of_places_and_has_something_for_the_rest():
    names = ["liquor_stores", "bus_stops", "convenience_fuel", "kite_shops", "school_buildings"]
    found = guidance(names)
    assert [name for name, _, _ in found] == [
        "liquor stores",
        "bus stops",
        "convenience fuel",
        "school buildings",
        "",  # anywhere
    ]
    assert len({look for _, look, _ in found}) == 5
