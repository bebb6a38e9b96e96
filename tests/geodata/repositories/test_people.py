import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from geodata.errors import NotStoredError, PersonError
from geodata.repositories import audit, limits, people, sessions
from geodata.roles import ROLES

NOW = dt.datetime(2026, 2, 3, 10, 0)
SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)


def add(database, name="ana", roles=("analyst",), **more):
    with database.session(write=True) as session:
        return people.add_person(session, name, roles=roles, who="root", when=NOW, **more)


def get(database, name="ana"):
    with database.session() as session:
        return people.get_person(session, name)


def actions(database):
    with database.session() as session:
        found = audit.entries(session, audit.AuditFilter(), newest_first=False)
        return [(entry.person, entry.action, entry.object) for entry in found]


def open_one(database, name="ana", token="t1", stage=sessions.FULL):
    with database.session(write=True) as session:
        who = people.get_person(session, name)
        return sessions.start_session(
            session,
            token,
            who.id,
            version=who.session_version,
            stage=stage,
            agent="Firefox",
            when=NOW,
        )


def found(database, token="t1"):
    with database.session() as session:
        return sessions.find_session(session, token)


def test_a_person_comes_back_and_is_in_the_audit(database, make_city_record):
    make_city_record(database, "town")
    made = add(
        database,
        " Ana.Ruiz ",
        ("publisher", "commander"),
        display="Ana  Ruiz",
        districts=["town/D2", "town/D1"],
    )
    assert (made.name, made.display) == ("ana.ruiz", "Ana Ruiz")
    assert made.roles == ("commander", "publisher")
    assert made.districts_of("town") == ("D1", "D2")
    assert made.districts_of("tow") == ()
    assert get(database, "ANA.RUIZ") == made
    assert not made.codes
    assert "hash" not in repr(made).replace("password_hash=", "")
    assert actions(database) == [("root", "person.add", "ana.ruiz")]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "-ana",
        "ana.",
        "a" * 81,
        "аna",
        "ana\0",
        "<b>",
        "a'--",
        "${x}",
        "a/b",
    ],
)
def test_odd_names_are_refused(database, name):
    with pytest.raises(PersonError, match="cannot be a name"):
        add(database, name)
    with database.session() as session:
        assert people.find_person(session, name) is None


def test_unknown_roles_districts_and_doubles_are_refused(database):
    add(database)
    for change, told in (
        ({"name": "ANA"}, "called ana already"),
        ({"name": "bo", "roles": ["king"]}, "no role"),
        ({"name": "bo", "roles": []}, "needs a role"),
        ({"name": "bo", "districts": ["town/D1"]}, "no district"),
    ):
        with pytest.raises(PersonError, match=told):
            add(database, **change)
    with pytest.raises(NotStoredError, match="user list"):
        get(database, "bo")
    assert len(actions(database)) == 1


def test_other_roles_end_every_session(database):
    add(database)
    first = open_one(database)
    with database.session(write=True) as session:
        changed = people.change_roles(
            session, "ana", roles=["viewer"], districts=[], who="root", when=NOW + SECOND
        )
    assert changed.roles == ("viewer",)
    assert changed.session_version == first.version + 1
    assert found(database).ended_why == "other roles"
    with database.session(write=True) as session:  # the same again changes nothing
        people.change_roles(session, "ana", roles=["viewer"], districts=[], who="root", when=NOW)
    assert [action for _, action, _ in actions(database)] == ["person.add", "person.roles"]


def test_the_last_administrator_stays(database):
    add(database, "root", ["administrator"])
    add(database, "ana", ["administrator"])
    with database.session(write=True) as session:
        people.change_state(session, "ana", people.DISABLED, "root", NOW)
    for change in (
        lambda session: people.change_state(session, "root", people.DISABLED, "ana", NOW),
        lambda session: people.change_roles(
            session, "root", roles=["viewer"], districts=[], who="ana", when=NOW
        ),
    ):
        with (
            pytest.raises(PersonError, match="only administrator"),
            database.session(write=True) as session,
        ):
            change(session)
    assert get(database, "root").may({"administrator"})
    assert not get(database, "ana").may({"administrator"})


@pytest.mark.parametrize("times", range(6))
def test_two_administrators_cannot_disable_each_other_at_once(database, times):
    for name in ("one", "two", "three"):
        add(database, name, ["administrator" if name != "three" else "viewer"])
    ready = threading.Barrier(3)

    def disable(name):
        ready.wait()
        try:
            with database.session(write=True) as session:
                people.change_state(session, name, people.DISABLED, "x", NOW)
        except PersonError:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(disable, ["one", "two", "three"]))
    assert done[2]
    assert done[:2].count(True) == 1


def test_counting_and_forgiving_at_once_leave_no_gap(database):
    ready = threading.Barrier(8)

    def work(i):
        ready.wait()
        for _ in range(15):
            with database.session(write=True) as session:
                if i % 2:
                    limits.forgive(session, "name:a")
                else:
                    limits.count_failure(session, "name:a", NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_a_set_up_token_works_once_and_a_day(database):
    add(database)
    with database.session(write=True) as session:
        people.reset(session, "ana", "token", NOW + DAY, who="root", when=NOW)
        assert people.find_setup(session, "token", NOW + DAY) is None
        assert people.find_setup(session, "other", NOW) is None
        assert people.find_setup(session, "token", NOW).name == "ana"
    with database.session(write=True) as session:
        assert people.use_setup(session, "token", "digest", NOW).password_hash == "digest"
        assert people.use_setup(session, "token", "again", NOW) is None
    assert get(database).password_hash == "digest"
    assert [action for _, action, _ in actions(database)] == [
        "person.add",
        "person.invite",
        "person.password",
    ]


def test_a_reset_takes_everything_and_a_disabled_person_gets_none(database):
    add(database)
    open_one(database)
    with database.session(write=True) as session:
        people.set_password(session, "ana", "digest", who="ana", when=NOW)
        people.offer_codes(session, "ana", b"secret")
        people.confirm_codes(session, "ana", step=5, recovery=["r1"], when=NOW)
    assert get(database).codes
    with database.session(write=True) as session:
        people.reset(session, "ana", "token", NOW + DAY, who="root", when=NOW)
        assert people.code_secrets(session, "ana") == (None, None)
    person = get(database)
    assert (person.password_hash, person.codes, person.recovery) == (None, False, 0)
    assert actions(database)[-1] == ("root", "person.reset", "ana")
    with database.session(write=True) as session:
        people.change_state(session, "ana", people.DISABLED, "root", NOW)
        assert people.find_setup(session, "token", NOW) is None
    with pytest.raises(PersonError, match="disabled"), database.session(write=True) as session:
        people.reset(session, "ana", "token2", NOW + DAY, who="root", when=NOW)


def test_no_code_counts_twice_and_none_before_it(database):
    add(database)
    with database.session(write=True) as session:
        assert [people.take_step(session, "ana", step) for step in (7, 7, 6, 8)] == [
            True,
            False,
            False,
            True,
        ]


def test_a_recovery_code_counts_once(database):
    add(database)
    with database.session(write=True) as session:
        people.offer_codes(session, "ana", b"secret")
        people.confirm_codes(session, "ana", step=5, recovery=["r1", "r2"], when=NOW)
    with database.session(write=True) as session:
        assert [people.take_recovery(session, "ana", one) for one in ("r1", "r1", "x")] == [
            True,
            False,
            False,
        ]
    assert get(database).recovery == 1


def test_codes_that_were_not_offered_are_not_confirmed(database):
    add(database)
    with pytest.raises(PersonError, match="start again"), database.session(write=True) as session:
        people.confirm_codes(session, "ana", step=5, recovery=[], when=NOW)


def test_only_people_of_the_provider_are_bound_and_once(database):
    add(database)
    add(database, "bo", from_provider=True)
    with database.session(write=True) as session:
        people.bind_subject(session, "bo", "s-1")
        assert people.find_subject(session, "s-1").name == "bo"
        assert people.find_subject(session, "s-2") is None
    for name, subject in (("ana", "s-2"), ("bo", "s-2")):
        with pytest.raises(PersonError, match="cannot be"), database.session(write=True) as session:
            people.bind_subject(session, name, subject)
    with pytest.raises(PersonError, match="provider"), database.session(write=True) as session:
        people.set_password(session, "bo", "digest", who="bo", when=NOW)


def test_sessions_end_one_by_one_or_all_but_one(database):
    add(database)
    kept = open_one(database, token="a")
    other = open_one(database, token="b")
    with database.session(write=True) as session:
        assert len(sessions.open_sessions(session, kept.person_id, NOW - SECOND)) == 2
        assert sessions.open_sessions(session, kept.person_id, NOW + SECOND) == []
        assert sessions.end_sessions(session, kept.person_id, "everywhere", NOW, kept.id) == 1
    assert found(database, "a").version == get(database).session_version
    assert found(database, "b").ended_why == "everywhere"
    with database.session(write=True) as session:
        assert not sessions.end_session(session, other.id, "again", NOW)
        sessions.see_session(session, other.id, NOW + DAY)
        sessions.see_session(session, kept.id, NOW + DAY)
    assert found(database, "b").seen_at == NOW
    assert found(database, "a").seen_at == NOW + DAY


def test_failures_are_counted_before_they_are_tried_and_forgiven_after(database):
    with database.session(write=True) as session:
        assert limits.failures(session, "name:a", NOW) == (0, None)
        assert limits.count_failure(session, "name:a", NOW) == (0, None)
        assert limits.count_failure(session, "name:a", NOW + SECOND) == (1, NOW)
        assert limits.failures(session, "name:a", NOW) == (2, NOW + SECOND)
        limits.forgive(session, "name:a", 1)
        assert limits.failures(session, "name:a", NOW)[0] == 1
        limits.forgive(session, "name:a")
        assert limits.failures(session, "name:a", NOW) == (0, None)
    with database.session(write=True) as session:
        limits.count_failure(session, "name:a", NOW)
        assert limits.count_failure(session, "name:b", NOW + 2 * DAY)[0] == 0
        assert limits.failures(session, "name:a", NOW) == (0, None)  # forgotten after a day


def test_many_at_once_are_counted_each(database):
    def count(i):
        with database.session(write=True) as session:
            limits.count_failure(session, "name:a", NOW)
            return limits.count_request(session, "page|a", 60, 1000)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(count, range(24))) == list(range(1, 25))
    with database.session() as session:
        assert limits.failures(session, "name:a", NOW)[0] == 24


def test_windows_of_requests_end(database):
    with database.session(write=True) as session:
        assert limits.count_request(session, "a", 60, 119) == 1
        assert limits.count_request(session, "a", 60, 119) == 2
        assert limits.count_request(session, "a", 60, 120) == 1
        assert limits.count_request(session, "b", 60, 119) == 1


def test_the_roles_are_those_of_the_interface():
    assert list(ROLES) == [
        "viewer",
        "officer",
        "analyst",
        "commander",
        "publisher",
        "administrator",
    ]
