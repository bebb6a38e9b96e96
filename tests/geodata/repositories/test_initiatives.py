import datetime as dt
import threading

import pytest
from initiatives_text import MEASURES, TEXT, change
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from geodata.cityfile.initiatives import digest_document, read_initiatives
from geodata.db.tables import City, InitiativeVersion
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit
from geodata.repositories.initiatives import (
    get_initiative,
    initiative_history,
    list_initiatives,
    record_initiatives,
    retired_initiatives,
)

WHEN = dt.datetime(2026, 2, 1, 12, 0, 0)
WEEK = dt.timedelta(days=7)
LATER = ("updated = 2026-01-04", "updated = 2026-01-11")
WITHOUT_PARKS = TEXT[: TEXT.index('\n[[initiatives]]\nslug = "parks"')]


@pytest.fixture
def town(database, make_city_record):
    make_city_record(database, "town")
    return database


@pytest.fixture
def record(town, tmp_path):
    """Import a file as the command does; the n-th import is n weeks after the first."""
    imports = 0

    def import_text(*pairs, text=TEXT, when=None):
        nonlocal imports
        path = tmp_path / "initiatives.toml"
        path.write_text(change(*pairs, text=text), encoding="utf-8")
        moment = when or WHEN + imports * WEEK
        imports += 1
        with town.session(write=True) as session:
            return record_initiatives(session, read_initiatives(path, MEASURES), moment)

    return import_text


def number_of_rows(database):
    with database.session() as session:
        return session.scalar(select(func.count()).select_from(InitiativeVersion))


def test_what_is_imported_comes_back_in_the_order_of_the_file(town, record, tmp_path):
    result = record()
    assert (result.added, result.changed, result.unchanged) == (("policing", "parks"), (), ())
    assert (result.retired, result.notes) == ((), ())
    file = read_initiatives(tmp_path / "initiatives.toml", MEASURES)
    with town.session() as session:
        listed = list_initiatives(session, "town")
        one = get_initiative(session, "town", "parks")
        assert retired_initiatives(session, "town") == []
    assert tuple(found.initiative for found in listed) == file.initiatives
    assert [found.recorded_at for found in listed] == [WHEN, WHEN]
    assert all(found.listed for found in listed)
    assert one == listed[1]
    assert one.content_sha256 == digest_document(file.initiatives[1].as_json())


def test_an_unchanged_file_adds_nothing(town, record):
    record()
    before = number_of_rows(town)
    result = record()
    assert (result.added, result.changed, result.unchanged) == ((), (), ("policing", "parks"))
    assert number_of_rows(town) == before
    with town.session() as session:
        assert get_initiative(session, "town", "parks").recorded_at == WHEN


def test_a_changed_initiative_gets_a_version_and_the_others_none(town, record):
    record()
    before = number_of_rows(town)
    result = record(LATER, ('status = "In Progress"', 'status = "On Hold"'))
    assert (result.changed, result.unchanged, result.notes) == (("policing",), ("parks",), ())
    assert number_of_rows(town) == before + 1
    with town.session() as session:
        newest = list_initiatives(session, "town")[0]
        history = initiative_history(session, "town", "policing")
        assert len(initiative_history(session, "town", "parks")) == 1
    assert (newest.initiative.status, newest.recorded_at) == ("On Hold", WHEN + WEEK)
    assert [entry.event for entry in history] == ["said", "said"]
    assert [entry.recorded_at for entry in history] == [WHEN + WEEK, WHEN]
    assert [entry.initiative.status for entry in history] == ["On Hold", "In Progress"]
    assert history[0].changes == (
        "status: In Progress -> On Hold",
        "updated: 2026-01-04 -> 2026-01-11",
    )
    assert history[1].changes == ()
    assert history[0].content_sha256 == newest.content_sha256 != history[1].content_sha256


def test_words_that_come_back_are_said_again(town, record):
    for words in ("We did.", "We did more.", "We did."):
        record(("We did.", words))
    with town.session() as session:
        history = initiative_history(session, "town", "policing")
    assert [entry.initiative.narrative.doing for entry in history] == [
        ("We did.",),
        ("We did more.",),
        ("We did.",),
    ]


def test_a_text_that_changes_on_the_same_day_is_noted(record):
    record()
    result = record(("We did.", "We did it."))
    assert result.changed == ("policing",)
    assert result.notes == ("policing: the text changed, its updated date 2026-01-04 did not",)


def test_an_older_update_is_refused_and_nothing_is_stored(town, record):
    record()
    before = number_of_rows(town)
    with pytest.raises(DataError) as caught:
        record(
            ("2026-01-04", "2026-01-03"),
            ("2025-12-01", "2026-01-30"),
            ('status = "On Hold"\nowner = "Parks"', 'status = "In Progress"\nowner = "Parks"'),
        )
    assert "policing was updated on 2026-01-03, but the stored version is of 2026-01-04" in str(
        caught.value
    )
    assert "initiatives.toml" in str(caught.value)
    assert "parks" not in str(caught.value)
    assert number_of_rows(town) == before


def test_an_update_after_today_is_refused_where_the_city_is(town, record):
    late = dt.datetime(2026, 1, 4, 3, 0, 0)  # still 3 January in New York
    with pytest.raises(DataError, match=r"after today \(2026-01-03\)"):
        record(when=late)
    assert number_of_rows(town) == 0
    record(when=late + dt.timedelta(hours=3))
    with town.session() as session:
        session.get(City, 1).today = dt.date(2026, 3, 1)
    record(("2026-01-04", "2026-03-01"))
    with pytest.raises(DataError, match=r"after today \(2026-03-01\)"):
        record(("2026-01-04", "2026-03-02"))


def test_the_order_of_the_newest_file_stands_without_new_versions(town, record):
    record()
    start = TEXT.index('[[initiatives]]\nslug = "policing"')
    middle = TEXT.index('[[initiatives]]\nslug = "parks"')
    turned = TEXT[:start] + TEXT[middle:] + TEXT[start:middle]
    assert record(text=turned).unchanged == ("parks", "policing")
    with town.session() as session:
        assert [r.initiative.slug for r in list_initiatives(session, "town")] == [
            "parks",
            "policing",
        ]
        for slug in ("parks", "policing"):
            assert len(initiative_history(session, "town", slug)) == 1


def test_what_leaves_the_file_is_retired_and_can_return(town, record):
    record(text=WITHOUT_PARKS)
    record()
    gone = record(text=WITHOUT_PARKS)
    assert (gone.retired, gone.unchanged) == (("parks",), ("policing",))
    assert record(text=WITHOUT_PARKS).retired == ("parks",)
    with town.session() as session:
        assert [r.initiative.slug for r in list_initiatives(session, "town")] == ["policing"]
        (retired,) = retired_initiatives(session, "town")
        assert get_initiative(session, "town", "parks") == retired
        assert (retired.initiative.slug, retired.listed) == ("parks", False)
    with pytest.raises(DataError, match="parks was updated on 2025-11-01"):
        record(("2025-12-01", "2025-11-01"))
    back = record(("2025-12-01", "2026-01-20"))
    assert (back.changed, back.retired) == (("parks",), ())
    with town.session() as session:
        assert get_initiative(session, "town", "parks").listed
        history = initiative_history(session, "town", "parks")
        assert [e.event for e in initiative_history(session, "town", "policing")] == ["said"]
    assert [(entry.event, entry.recorded_at) for entry in history] == [
        ("returned", WHEN + 5 * WEEK),
        ("said", WHEN + 5 * WEEK),
        ("retired", WHEN + 2 * WEEK),
        ("said", WHEN + 1 * WEEK),
    ]
    assert history[0].initiative is None


def test_all_can_be_retired(town, record):
    record()
    assert record(text='city = "town"\ninitiatives = []').retired == ("parks", "policing")
    with town.session() as session:
        assert list_initiatives(session, "town") == []
        assert len(retired_initiatives(session, "town")) == 2


def test_cities_do_not_see_each_other(town, record, make_city_record):
    make_city_record(town, "other")
    record()
    assert record(('city = "town"', 'city = "other"')).added == ("policing", "parks")
    record(text=WITHOUT_PARKS)
    with town.session() as session:
        assert len(list_initiatives(session, "other")) == 2
        assert len(list_initiatives(session, "town")) == 1


def test_what_is_not_stored_is_told(town, record):
    with pytest.raises(NotStoredError, match="no city 'atlantis'"):
        record(('city = "town"', 'city = "atlantis"'))
    with town.session() as session:
        assert list_initiatives(session, "town") == retired_initiatives(session, "town") == []
        for function in (get_initiative, initiative_history):
            with pytest.raises(NotStoredError, match="stored: none yet"):
                function(session, "town", "policing")
    record()
    with town.session() as session:
        for function in (get_initiative, initiative_history):
            for slug in ("tree-planting", ""):
                with pytest.raises(NotStoredError, match=r"\(stored: parks, policing\)"):
                    function(session, "town", slug)
        for function in (list_initiatives, retired_initiatives):
            with pytest.raises(NotStoredError, match="no city 'atlantis'"):
                function(session, "atlantis")


def test_what_was_said_is_never_altered(town, record):
    record()
    with pytest.raises(DBAPIError, match="never changed"), town.session() as session:
        session.execute(text("UPDATE initiative_version SET slug = 'other'"))


def test_two_imports_at_once_add_one_version(town, tmp_path):
    path = tmp_path / "initiatives.toml"
    path.write_text(TEXT, encoding="utf-8")
    file = read_initiatives(path, MEASURES)
    results = []

    def work():
        with town.session(write=True) as session:
            results.append(record_initiatives(session, file, WHEN))

    second = threading.Thread(target=work)
    with town.session(write=True) as session:
        assert record_initiatives(session, file, WHEN).added == ("policing", "parks")
        second.start()
        second.join(0.3)
        assert second.is_alive()
    second.join()
    assert results[0].unchanged == ("policing", "parks")
    assert number_of_rows(town) == 3


def test_who_imports_and_what_changed_is_in_the_audit(town, tmp_path):
    path = tmp_path / "initiatives.toml"
    path.write_text(TEXT, encoding="utf-8")
    with town.session(write=True) as session:
        record_initiatives(session, read_initiatives(path, MEASURES), WHEN, "ann")
    with town.session() as session:
        (entry,) = audit.entries(session, audit.AuditFilter(action="data"), newest_first=False)
    assert (entry.person, entry.action, entry.object) == ("ann", "data.initiatives", "town")
    assert entry.details == {"added": ["policing", "parks"], "changed": [], "retired": []}
