import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import shapely
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from geodata.db.tables import Visit, Zone
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit
from geodata.repositories.cities import get_city
from geodata.repositories.import_log import ChangeLog, save_version, settings_before, undo_import
from geodata.repositories.incidents import Stored
from geodata.repositories.recorded import store_records
from geodata.repositories.runs import save_run
from geodata.repositories.visits import (
    KEY,
    VisitFacts,
    VisitQuery,
    correct_visit,
    get_visit,
    list_visits,
    log_visit,
    units_of,
    versions_of,
)

MINUTE = 60_000
NOW_MS = 1_770_000_000_000
NOW = dt.datetime(2026, 2, 2, 2, 40)
ONE, TWO = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
RUN, ZONE = "feedfacecafe", "feedface-d1-1"


def facts(**change):
    return VisitFacts(
        **{
            "zone": ZONE,
            "unit": "1",
            "start_ms": NOW_MS - 20 * MINUTE,
            "end_ms": NOW_MS - 8 * MINUTE,
            "activity": "foot patrol",
            "note": "spoke with the clerk",
            **change,
        }
    )


@pytest.fixture
def stored(database, make_city_record, make_run):
    make_city_record(database, "town")
    with database.session() as session:
        save_run(session, make_run("town", RUN))
    return database


def log(database, key=ONE, said=None, who="ana", district="D1"):
    with database.session(write=True) as session:
        city = get_city(session, "town")
        return log_visit(
            session, city, district, RUN, key, said or facts(), who=who, when=NOW, now_ms=NOW_MS
        )


def correct(database, said, version=1, why="typed wrong", **more):
    with database.session(write=True) as session:
        city = get_city(session, "town")
        return correct_visit(
            session,
            city,
            ONE,
            said,
            why=why,
            version=version,
            who="cora",
            when=NOW,
            now_ms=NOW_MS,
            **more,
        )


def rows(database):
    with database.session() as session:
        return session.execute(
            select(Visit.row_key, Visit.start_ms, Visit.end_ms, Visit.district, Visit.x, Visit.y)
        ).all()


def test_a_visit_is_logged_within_its_zone_and_comes_back(stored):
    assert log(stored) == "new"
    with stored.session() as session:
        back = get_visit(session, 1, ONE)
        shape = session.scalar(select(Zone.geom).where(Zone.code == ZONE))
    assert (back.facts, back.version, back.withdrawn, back.logged_by) == (facts(), 1, False, "ana")
    (row,) = rows(stored)
    assert row[:4] == (KEY + ONE, facts().start_ms, facts().end_ms, "D1")
    assert shape.contains(shapely.Point(row.x, row.y))


def test_sent_again_it_is_taken_once_and_its_end_is_added_once(stored):
    running = facts(end_ms=None)
    assert [log(stored, said=running) for _ in range(3)] == ["new", "same", "same"]
    assert [log(stored) for _ in range(2)] == ["ended", "same"]
    assert log(stored, said=facts(end_ms=NOW_MS)) == "same"  # a second end is no end
    assert len(rows(stored)) == 1
    assert rows(stored)[0].end_ms == facts().end_ms
    with stored.session() as session:
        told = versions_of(session, 1, ONE)
        actions = [
            e.action for e in audit.entries(session, audit.AuditFilter(), newest_first=False)
        ]
    assert [(v.version, v.facts.end_ms, v.why) for v in told] == [
        (1, None, None),
        (2, facts().end_ms, None),
    ]
    assert actions == ["visit.log", "visit.end"]


def test_many_at_once_store_one(stored):
    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(lambda _: log(stored), range(6)))
    assert sorted(said) == ["new", *["same"] * 5]
    assert len(rows(stored)) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"unit": " "}, "unit"),
        ({"unit": "x" * 41}, "unit"),
        ({"activity": "arrest"}, "activity"),
        ({"note": "x" * 1001}, "note"),
        ({"start_ms": NOW_MS + 11 * MINUTE, "end_ms": None}, "ahead"),
        ({"start_ms": NOW_MS - 32 * 24 * 60 * MINUTE}, "31 days"),
        ({"end_ms": NOW_MS - 21 * MINUTE}, "before the start"),
        ({"end_ms": NOW_MS + 11 * MINUTE}, "ahead"),
        ({"start_ms": NOW_MS - 13 * 60 * MINUTE}, "12 hours"),
        ({"zone": "feedface-d9-1"}, "no zone"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(stored, change, told):
    with pytest.raises((DataError, NotStoredError), match=told):
        log(stored, said=facts(**change))
    assert rows(stored) == []


def test_ids_are_uuids_and_nobody_takes_anothers(stored):
    with pytest.raises(DataError, match="UUID"):
        log(stored, "' OR 1=1 --")
    log(stored)
    with pytest.raises(DataError, match="somebody else"):
        log(stored, who="bo")


def test_a_correction_keeps_what_was_said_before(stored):
    log(stored)
    later = facts(end_ms=NOW_MS - 5 * MINUTE, activity="business check")
    assert correct(stored, later).version == 2
    with stored.session() as session:
        told = versions_of(session, 1, ONE)
        (entry,) = audit.entries(session, audit.AuditFilter(action="visit.correct"))
    assert [v.facts for v in told] == [facts(), later]
    assert (told[1].changed_by, told[1].why) == ("cora", "typed wrong")
    assert (entry.person, entry.details["why"]) == ("cora", "typed wrong")
    assert rows(stored)[0].end_ms == later.end_ms
    for version, said, why, fault in (
        (1, facts(), "again", "meanwhile"),
        (2, later, "again", "nothing differs"),
        (2, facts(), "  ", "reason"),
        (2, facts(end_ms=1), "again", "before the start"),
    ):
        with pytest.raises(DataError, match=fault):
            correct(stored, said, version, why)
    assert log(stored) == "same"  # what the telephone still sends changes nothing
    assert rows(stored)[0].end_ms == later.end_ms


def test_a_withdrawn_visit_counts_no_more_and_can_come_back(stored):
    log(stored)
    assert correct(stored, facts(), withdrawn=True, why="logged twice").withdrawn
    assert rows(stored) == []
    assert log(stored) == "same"
    assert rows(stored) == []
    correct(stored, facts(), version=2, why="it was right")
    assert len(rows(stored)) == 1


def test_versions_are_never_changed(stored):
    log(stored)
    for statement in (
        "UPDATE visit_version SET end_ms = 1",
        "DELETE FROM visit_version",
    ):
        with (
            pytest.raises(DBAPIError, match="never changed"),
            stored.session(write=True) as session,
        ):
            session.execute(text(statement))


def test_lists_are_narrowed_sorted_and_paged(stored):
    for i in range(5):
        log(
            stored,
            str(uuid.UUID(int=i)),
            facts(
                unit=str(i % 2 + 1),
                zone=f"feedface-d1-{i % 2 + 1}",
                start_ms=NOW_MS - (60 - i) * MINUTE,
            ),
        )
    with stored.session() as session:

        def ids(start=0, size=9, district="D1", **query):
            count, found = list_visits(
                session, 1, district, VisitQuery(**query), start=start, size=size
            )
            return count, [uuid.UUID(v.uuid).int for v in found]

        assert ids() == (5, [4, 3, 2, 1, 0])
        assert ids(start=2, size=2) == (5, [2, 1])
        assert ids(unit="2", descending=False) == (2, [1, 3])
        assert ids(zone=ZONE) == (3, [4, 2, 0])
        assert ids(from_ms=NOW_MS - 58 * MINUTE, to_ms=NOW_MS - 56 * MINUTE) == (2, [3, 2])
        assert ids(sort="minutes") == (5, [0, 1, 2, 3, 4])
        assert ids(district="D2") == (0, [])
        assert units_of(session, 1, "D1") == ["1", "2"]


def test_imports_and_their_undoing_leave_logged_visits_alone(stored):
    log(stored)
    frame = pd.DataFrame(
        {
            "row_key": [KEY + ONE, "V-1"],
            "start_ms": [1.0, 2.0],
            "x": [0.0, 0.0],
            "y": [0.0, 0.0],
            "unit": ["A", "A"],
        }
    )
    with stored.session(write=True) as session:
        before = settings_before(session, "town")
        changes = ChangeLog()
        found = store_records(session, 1, "visits", "visits.csv", frame, changes)
        number = save_version(session, 1, NOW, changes, before, described=None)
    assert found == Stored(new=1, corrected=0, same=0, conflicting=1)  # the file's own is refused
    log(stored, TWO)
    with stored.session(write=True) as session:
        undo_import(session, number, "ana", NOW)
    assert [row.row_key for row in rows(stored)] == [KEY + ONE, KEY + TWO]
    assert rows(stored)[0].start_ms == facts().start_ms


def test_a_zone_of_another_city_is_none_of_this_one(stored, make_city_record, make_run):
    make_city_record(stored, "other")
    with stored.session() as session:
        save_run(session, make_run("other", "cafefeedcafe"))
    with stored.session(write=True) as session, pytest.raises(NotStoredError, match="no zone"):
        log_visit(
            session,
            get_city(session, "town"),
            "D1",
            "cafefeedcafe",
            ONE,
            facts(zone="cafefeed-d1-1"),
            who="ana",
            when=NOW,
            now_ms=NOW_MS,
        )
