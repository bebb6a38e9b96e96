import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit, limits, people
from geodata.repositories.actions import (
    ANY_FACTOR,
    MOST_PHOTOS,
    STILL_OPEN,
    ActionFacts,
    ActionQuery,
    add_action,
    add_comment,
    add_photo,
    change_action,
    get_action,
    history_of,
    list_actions,
    owner_sums,
    photos_of,
    remove_photo,
    see_photo,
)
from geodata.repositories.cities import get_city
from geodata.repositories.runs import save_run

NOW = dt.datetime(2026, 2, 2, 12)
TODAY = dt.date(2026, 2, 2)
RUN, ZONE = "feedfacecafe", "feedface-d1-1"


def facts(**change):
    return ActionFacts(
        **{
            "zone": ZONE,
            "factor": "bars",
            "kind": "lighting",
            "what": "Two lamps are out behind the lot",
            "owner": "Public Works",
            "due": dt.date(2026, 2, 10),
            **change,
        }
    )


@pytest.fixture
def stored(database, make_city_record, make_run):
    make_city_record(database, "town")
    with database.session() as session:
        save_run(session, make_run("town", RUN))
    return database


@pytest.fixture
def town(stored):
    with stored.session() as session:
        return get_city(session, "town")


def add(stored, town, **change):
    with stored.session(write=True) as session:
        return add_action(
            session, town, "D1", RUN, facts(**change), who="cora", when=NOW, today=TODAY
        )


def change(stored, town, number, version=1, today=TODAY, **values):
    with stored.session(write=True) as session:
        change_action(
            session,
            town,
            number,
            facts(**values),
            version=version,
            who="ana",
            when=NOW,
            today=today,
        )


def photo(stored, town, number, file="a.jpg", **values):
    told = {"stage": "before", "text": "the dark lot", "width": 3, "height": 2, "size": 9, **values}
    with stored.session(write=True) as session:
        return add_photo(session, town, number, file=file, who="ana", when=NOW, **told)


def test_an_action_comes_back_and_its_changes_are_kept(stored, town):
    number = add(stored, town)
    change(stored, town, number, owner="Parks", cost=1200, due=None)
    change(stored, town, number, version=2, owner="Parks", cost=1200, due=None)  # nothing new
    change(stored, town, number, version=2, state="done", today=TODAY + dt.timedelta(3))
    with stored.session() as session:
        back = get_action(session, town.id, number)
        events = history_of(session, number)
        entries = [
            e.action for e in audit.entries(session, audit.AuditFilter(), newest_first=False)
        ]
    assert (back.facts.state, back.version, back.closed_on) == ("done", 3, dt.date(2026, 2, 5))
    assert [(e.kind, e.person) for e in events] == [
        ("made", "cora"),
        ("changed", "ana"),
        ("changed", "ana"),
    ]
    assert events[1].details == {
        "owner": ["Public Works", "Parks"],
        "due": ["2026-02-10", None],
        "cost": [None, 1200],
    }
    assert entries == ["action.add", "action.change", "action.change"]
    change(stored, town, number, version=3)
    with stored.session() as session:
        assert get_action(session, town.id, number).closed_on is None
    with pytest.raises(DataError, match="meanwhile"):
        change(stored, town, number, version=3, owner="Parks")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": "arrest"}, "kind"),
        ({"state": "lost"}, "state"),
        ({"what": ""}, "what"),
        ({"what": "x" * 301}, "what"),
        ({"owner": ""}, "owner"),
        ({"owner": "j.doe@example.org"}, "owner"),
        ({"owner": "call (919) 555-0100"}, "owner"),
        ({"cost": -1}, "cost"),
        ({"zone": "nope"}, "zone"),
        ({"factor": "bus_stops"}, "factor"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(stored, town, wrong, told):
    with pytest.raises(DataError, match=f"^{told}: "):
        add(stored, town, **wrong)
    with stored.session() as session:
        assert list_actions(session, town.id, ["D1"], ActionQuery(), start=0, size=9) == (0, [])


def test_lists_are_narrowed_sorted_and_paged_and_summed_by_owner(stored, town):
    days = (12, None, 1, 5)
    owners = ("parks", "Public Works", "Public Works", "Business licensing")
    numbers = [
        add(stored, town, owner=o, due=d and dt.date(2026, 2, d), factor=ANY_FACTOR)
        for o, d in zip(owners, days, strict=True)
    ]
    change(stored, town, numbers[3], owner=owners[3], state="done")

    with stored.session() as session:

        def ids(start=0, size=9, districts=("D1",), **query):
            count, found = list_actions(
                session, town.id, districts, ActionQuery(**query), start=start, size=size
            )
            return count, [numbers.index(one.id) for one in found]

        assert ids() == (4, [2, 3, 0, 1])
        assert ids(descending=True) == (4, [0, 3, 2, 1])
        assert ids(start=1, size=2) == (4, [3, 0])
        assert ids(states=STILL_OPEN, owner="Public Works") == (2, [2, 1])
        assert ids(sort="owner") == (4, [3, 0, 2, 1])
        assert ids(sort="state", descending=True)[1][0] == 3
        assert ids(zone="x", kind="lighting") == (0, [])
        assert ids(districts=("D2",)) == (0, [])
        sums = owner_sums(session, town.id, "D1", TODAY)
    assert [(s.owner, s.open, s.overdue, s.done) for s in sums] == [
        ("Public Works", 2, 1, 0),
        ("parks", 1, 0, 0),
        ("Business licensing", 0, 0, 1),
    ]


def test_comments_and_photos_are_kept_with_who_and_when(stored, town):
    number = add(stored, town)
    with stored.session(write=True) as session:
        add_comment(session, town, number, "The owner agreed.", who="ana", when=NOW)
        for wrong in ("", "x" * 1001):
            with pytest.raises(DataError, match="comment"):
                add_comment(session, town, number, wrong, who="ana", when=NOW)
    after = photo(stored, town, number, "b.jpg", stage="after", text="the lit lot")
    before = photo(stored, town, number)
    for wrong, told in (({"stage": "x"}, "stage"), ({"text": ""}, "told")):
        with pytest.raises(DataError, match=told):
            photo(stored, town, number, "c.jpg", **wrong)
    with stored.session(write=True) as session:
        assert [p.id for p in photos_of(session, number)] == [before, after]
        assert see_photo(session, town, number, after, "olu").file == "b.jpg"
        with pytest.raises(NotStoredError):
            see_photo(session, town, number + 1, after, "olu")
        assert remove_photo(session, town, number, after, who="ana", when=NOW) == "b.jpg"
        with pytest.raises(NotStoredError):
            remove_photo(session, town, number, after, who="ana", when=NOW)
        kinds = [e.kind for e in history_of(session, number)]
        (seen,) = audit.entries(session, audit.AuditFilter(action="action.photo_seen"))
    assert kinds == ["made", "comment", "photo", "photo", "photo removed"]
    assert (seen.person, seen.object) == ("olu", str(after))
    for i in range(MOST_PHOTOS - 1):
        photo(stored, town, number, f"{i}.jpg")
    with pytest.raises(DataError, match="already"):
        photo(stored, town, number, "z.jpg")


def test_what_happened_is_never_changed(stored, town):
    add(stored, town)
    with pytest.raises(DBAPIError, match="never changed"), stored.session(write=True) as session:
        session.execute(text("DELETE FROM action_event"))


def test_a_feed_has_one_secret_address_that_can_be_taken_back(stored):
    with stored.session(write=True) as session:
        ana = people.add_person(session, "ana", roles=["officer"], who="root", when=NOW)
        first = limits.make_feed(session, ana, NOW)
        second = limits.make_feed(session, ana, NOW)
        assert limits.person_of_feed(session, first) is None
        assert limits.person_of_feed(session, second).name == "ana"
        assert limits.feed_since(session, ana) == NOW
        told = session.execute(text("SELECT token_hash FROM reminder_feed")).scalar_one()
        assert second not in told
        assert [limits.end_feed(session, ana) for _ in range(2)] == [True, False]
        assert limits.person_of_feed(session, second) is None
        assert limits.person_of_feed(session, "\ud800") is None
