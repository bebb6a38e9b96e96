import datetime as dt
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata.db.engine import open_database
from geodata.errors import StoreError
from geodata.repositories import audit

NOTHING = audit.AuditFilter()


def fill(database, n=4):
    made = []
    with database.session(write=True) as session:
        for i in range(n):
            made.append(audit.record(session, "ana", "run.fit", f"run-{i}", {"seed": i}))
    return made


def verdict(database, known=None):
    with database.session() as session:
        return audit.verify(session, known)


def bare(database, *statements):
    """Change what triggers protect, as somebody who owns the database could."""
    with database.session(write=True) as session:
        if database.engine.dialect.name == "postgresql":
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        else:
            for name in ("audit_is_fixed", "audit_is_fixed_delete"):
                session.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        for statement in statements:
            session.execute(text(statement))


def test_an_empty_audit_is_whole(database):
    assert verdict(database) == audit.ChainVerdict(entries=0, seq=0, hash=audit.START)


def test_entries_follow_each_other_and_come_back_whole(database):
    made = fill(database)
    assert [entry.seq for entry in made] == [1, 2, 3, 4]
    assert [entry.previous for entry in made] == [audit.START, *(e.hash for e in made[:-1])]
    with database.session() as session:
        assert list(audit.entries(session, NOTHING)) == made[::-1]
    assert verdict(database) == audit.ChainVerdict(entries=4, seq=4, hash=made[-1].hash)


def test_the_hash_is_what_the_document_says_it_is(database):
    import hashlib
    import json

    (entry,) = fill(database, 1)
    told = entry.as_json()
    content = [told[k] for k in ("seq", "at", "person", "action", "object", "details", "previous")]
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert told["hash"] == hashlib.sha256(plain.encode()).hexdigest()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET person = 'eve'", "DELETE FROM audit WHERE seq = 2", "TRUNCATE audit"],
)
def test_nothing_is_altered_or_taken_away(database, statement):
    if statement.startswith("TRUNCATE") and database.engine.dialect.name == "sqlite":
        statement = "DELETE FROM audit"
    fill(database)
    with (
        pytest.raises(DBAPIError, match="never changed"),
        database.session(write=True) as session,
    ):
        session.execute(text(statement))
    assert verdict(database).fault is None


@pytest.mark.parametrize(
    ("statement", "at", "told"),
    [
        ("UPDATE audit SET person = 'eve' WHERE seq = 2", 2, "not what its hash"),
        ("UPDATE audit SET details = '[]' WHERE seq = 3", 3, "not what its hash"),
        ("UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE seq = 1", 1, "not what its"),
        ("UPDATE audit SET hash = previous WHERE seq = 2", 2, "not what its hash"),
        ("UPDATE audit SET previous = hash WHERE seq = 2", 2, "does not follow"),
        ("DELETE FROM audit WHERE seq = 2", 3, "what was between is missing"),
        ("DELETE FROM audit WHERE seq = 1", 2, "what was between is missing"),
        ("DELETE FROM audit WHERE seq = 4", 4, "entries are missing"),
        ("DELETE FROM audit", 1, "entries are missing"),
        ("DELETE FROM audit_head", 5, "nothing was noted"),
    ],
)
def test_verifying_tells_the_first_broken_link(database, statement, at, told):
    fill(database)
    bare(database, statement)
    found = verdict(database)
    assert found.broken_at == at
    assert told in found.fault


def test_a_chain_made_anew_is_noticed_by_who_noted_an_entry(database):
    made = fill(database)
    known = (made[1].seq, made[1].hash)
    assert verdict(database, known).fault is None
    assert verdict(database, (2, "0" * 64)).broken_at == 2
    bare(
        database,
        "DELETE FROM audit",
        f"UPDATE audit_head SET seq = 0, hash = '{audit.START}'",
    )
    fill(database, 1)
    assert verdict(database).fault is None  # by itself it is whole
    assert "before the entry 2 that was noted" in verdict(database, known).fault
    fill(database, 3)
    assert "made anew" in verdict(database, known).fault


def test_without_its_end_nothing_is_added(database):
    bare(database, "DELETE FROM audit_head")
    with pytest.raises(StoreError, match="restore"):
        fill(database, 1)


def test_an_entry_goes_with_its_change(database):
    with pytest.raises(ZeroDivisionError), database.session(write=True) as session:
        audit.record(session, "ana", "run.fit")
        raise ZeroDivisionError
    assert verdict(database).entries == 0


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE audit; --",
    "{{7*7}}${7*7}`x`",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe",
    "nul\0byte",
    "half \ud800 pair",
    "x" * 10_000_000,
    "Žofie 🙂",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_kept_as_text(database, content):
    with database.session(write=True) as session:
        made = audit.record(session, content, content, content, {"told": content[:1000]})
    with database.session() as session:
        (back,) = audit.entries(session, NOTHING)
    assert back == made
    assert len(back.object) <= audit.LONGEST_OBJECT
    assert back.details == {"told": content[:1000]}
    assert verdict(database).fault is None


def test_what_is_no_json_is_refused(database):
    for details in ({"x": float("nan")}, {"x": dt.date(2026, 1, 1)}):
        with pytest.raises((TypeError, ValueError)), database.session(write=True) as session:
            audit.record(session, "ana", "run.fit", "", details)
    assert verdict(database).entries == 0


def test_filters_and_pages(database):
    fill(database, 30)
    with database.session(write=True) as session:
        audit.record(session, "bo", "release.approve", "r1")
        audit.record(session, "bo", "release%.x", "r1")
    with database.session() as session:
        count, rows = audit.page(session, audit.AuditFilter(person="ana"), start=25, size=10)
        assert (count, [row.seq for row in rows]) == (30, [5, 4, 3, 2, 1])
        assert audit.page(session, audit.AuditFilter(action="release"), start=0, size=9)[0] == 1
        assert (
            audit.page(session, audit.AuditFilter(action="release.approve"), start=0, size=9)[0]
            == 1
        )
        assert audit.actions(session) == sorted(["release%.x", "release.approve", "run.fit"])
        today = dt.datetime.now(dt.UTC).date()
        later = today + dt.timedelta(days=1)
        assert audit.page(session, audit.AuditFilter(to=today), start=0, size=9)[0] == 0
        assert (
            audit.page(session, audit.AuditFilter(from_=today, to=later), start=0, size=9)[0] == 32
        )


WRITER = """
import sys
from geodata.db.engine import open_database
from geodata.repositories import audit
database = open_database(sys.argv[1])
for i in range(25):
    with database.session(write=True) as session:
        audit.record(session, sys.argv[2], "run.fit", str(i))
database.close()
"""


def test_processes_and_threads_never_fork_the_chain(database_url, database):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, database_url, name]) for name in "ab"
    ]

    def write(name):
        mine = open_database(database_url)
        for i in range(20):
            with mine.session(write=True) as session:
                audit.record(session, name, "run.fit", str(i))
        mine.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, "cde"))
    assert [writer.wait(120) for writer in writers] == [0, 0]
    found = verdict(database)
    assert (found.entries, found.seq, found.fault) == (110, 110, None)
    with database.session() as session:
        order = [entry.person for entry in audit.entries(session, NOTHING, newest_first=False)]
    assert sorted(order) == ["a"] * 25 + ["b"] * 25 + ["c"] * 20 + ["d"] * 20 + ["e"] * 20
