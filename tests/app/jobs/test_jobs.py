"""Jobs as they are asked for, told about, cancelled and asked again; no worker process yet."""

import dataclasses
import datetime as dt
import json
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from town import Town

from app.config import Settings
from app.jobs import jobs as work
from app.jobs.bell import Bell
from app.jobs.kinds import KINDS, Tools, read_task
from app.jobs.process import GIVE_BACK, Order, Step, carry_out
from app.jobs.worker import Hand, Worker
from app.usecases.arguments import digest_arguments
from geodata.cityfile.description import read_city_file
from geodata.db.staff_tables import Job
from geodata.errors import CityFileError, DataError, NotStoredError
from geodata.ingest.store import import_city
from geodata.repositories import audit, job_queue
from geodata.repositories.job_queue import HowFar
from spatial.errors import SpecError

FIT = {"city": "town", "outcome": "robbery"}


@pytest.fixture
def settings(database, database_url, tmp_path):
    made = Town(tmp_path, n=700).crowd(400)
    import_city(database, read_city_file(made.path))
    return Settings(database_url=database_url, instance=tmp_path / "instance")


@pytest.fixture
def bell(settings):
    opened = Bell(settings)
    yield opened
    opened.close()


@pytest.fixture
def ask(database, bell):
    def asked(kind="fit", arguments=FIT, who="ann"):
        return work.ask(database, bell, kind, arguments, who)

    return asked


@pytest.fixture
def take(database):
    def taken(worker="w1"):
        with database.session(write=True) as session:
            return job_queue.take_job(session, worker)

    return taken


def change(database, write):
    with database.session(write=True) as session:
        return write(session)


def now_of(database):
    with database.session() as session:
        return job_queue.database_now(session)


def test_what_is_asked_waits_and_rings(ask, bell, database):
    assert bell.silent()
    job = ask()
    assert (job.state, job.city, job.asked_by, job.arguments) == ("waiting", "town", "ann", FIT)
    assert abs(now_of(database) - job.asked_at) < dt.timedelta(minutes=1)
    assert not bell.silent()


def test_the_same_work_is_asked_for_once_while_it_is_open(ask, take, database):
    first = ask()
    again = ask(arguments={"outcome": "robbery", "city": "town"}, who="bob")
    other = ask(arguments={**FIT, "seed": 2})
    assert again.id == first.id
    assert other.id != first.id
    job, ticket = take()
    assert ask().id == job.id == first.id
    assert change(database, lambda s: job_queue.end_job(s, ticket, job_queue.DONE))
    assert ask().id not in (first.id, other.id)


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "told"),
    [
        ("dance", {}, SpecError, "choose of import, fetch, fit"),
        ("fit", {"city": "town"}, SpecError, "outcome is missing"),
        ("fit", {**FIT, "sede": 2}, SpecError, "unknown key 'sede'; did you mean seed"),
        ("fit", {**FIT, "seed": True}, SpecError, "seed must be a whole number"),
        ("fit", {**FIT, "seed": -1}, SpecError, "seed must be a whole number"),
        ("fit", {**FIT, "from": "1/1/2024"}, SpecError, "write it as 2013-01-31"),
        ("fit", {**FIT, "sharing": "none"}, SpecError, "one of own, shared"),
        ("fit", {**FIT, "districts": "D1"}, SpecError, "must be a list of texts"),
        ("fit", {**FIT, "area_share": "x"}, SpecError, "area_share must be a number"),
        ("fit", {**FIT, "area_share": 0.9}, SpecError, "area_share"),
        ("fit", {**FIT, "protective": 1}, SpecError, "true or false"),
        ("fit", {**FIT, "city": "atlantis"}, NotStoredError, "no city 'atlantis'"),
        (
            "validate",
            {"run": "nope", "from": "2024-01-01", "to": "2024-02-01"},
            NotStoredError,
            "no run 'nope'",
        ),
        ("evaluate", {"before": ["a"]}, SpecError, "before must be"),
        ("import", {"city_file": "/none.toml"}, CityFileError, "no such file"),
    ],
)
def test_what_cannot_be_is_refused_before_it_waits(ask, database, kind, arguments, error, told):
    with pytest.raises(error, match=told):
        ask(kind, arguments)
    assert work.statuses(database) == []


def test_a_fault_of_arguments_is_told_with_all_others():
    with pytest.raises(SpecError) as caught:
        read_task("certainty", {"replicates": "many", "sede": 1})
    for part in ("run is missing", "replicates must be", "unknown key 'sede'"):
        assert part in str(caught.value)


def test_the_longest_waiting_is_taken_first_and_once(ask, take):
    first, second = ask(), ask(arguments={**FIT, "seed": 2})
    job, ticket = take("w1")
    other, _ = take("w2")
    assert (job.id, other.id) == (first.id, second.id)
    assert (ticket.worker, ticket.attempt, job.attempt) == ("w1", 1, 1)
    assert take("w3") is None


def test_many_hands_take_each_job_once(ask, database):
    asked = {ask(arguments={**FIT, "seed": seed}).id for seed in range(24)}
    taken, ready = [], threading.Barrier(4)

    def grab(name):
        ready.wait()
        while True:
            with database.session(write=True) as session:
                found = job_queue.take_job(session, name)
            if found is None:
                return
            taken.append(found[0].id)

    threads = [threading.Thread(target=grab, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(asked)


def test_only_who_holds_the_ticket_can_tell(ask, take, database):
    ask()
    job, ticket = take()
    far = HowFar(stage="elastic net", done=3, total=10, timings={"risk factors": 2.0})
    assert change(database, lambda s: job_queue.beat_job(s, ticket, far)) == ""
    told = work.status(database, job.id).as_json()
    assert (told["stage"], told["done"], told["total"]) == ("elastic net", 3, 10)
    for wrong in ({"worker": "w2"}, {"attempt": 2}):
        false = dataclasses.replace(ticket, **wrong)
        assert change(database, lambda s, f=false: job_queue.beat_job(s, f, far)) is None
        assert not change(database, lambda s, f=false: job_queue.end_job(s, f, job_queue.DONE))
        assert not change(database, lambda s, f=false: job_queue.give_back(s, f))
    assert work.status(database, job.id).job.state == "running"


def test_cancel_what_waits_at_once_and_what_runs_at_its_next_sign(ask, take, database):
    waiting = ask()
    assert work.cancel(database, waiting.id, "bob").state == "cancelled"
    assert work.status(database, waiting.id).job.message == "cancelled by bob"
    ask()
    running, ticket = take()
    assert work.cancel(database, running.id, "bob").state == "running"
    assert change(database, lambda s: job_queue.beat_job(s, ticket, HowFar(timings={}))) == "bob"
    change(database, lambda s: job_queue.give_back(s, ticket))
    assert work.status(database, running.id).job.state == "cancelled"
    with pytest.raises(DataError, match="has ended"):
        work.cancel(database, running.id, "bob")
    with pytest.raises(NotStoredError, match="no job 999"):
        work.cancel(database, 999, "bob")


def test_ask_again_for_what_failed(ask, take, database, bell):
    job = ask()
    with pytest.raises(DataError, match="has not ended"):
        work.retry(database, bell, job.id, "bob")
    _, ticket = take()
    change(database, lambda s: job_queue.end_job(s, ticket, job_queue.FAILED, message="too few"))
    again = work.retry(database, bell, job.id, "bob")
    assert (again.retry_of, again.asked_by, again.arguments) == (job.id, "bob", job.arguments)
    _, ticket = take()
    change(database, lambda s: job_queue.end_job(s, ticket, job_queue.DONE, result={"runs": ["x"]}))
    with pytest.raises(DataError, match="was done"):
        work.retry(database, bell, again.id, "bob")


def test_a_dead_worker_costs_a_second_try_and_no_third(ask, take, database):
    ask()
    for state in ("waiting", "failed"):
        job, ticket = take()
        buried = change(database, lambda s, j=job: job_queue.bury_job(s, j))
        assert buried.state == state
        assert (
            change(database, lambda s, t=ticket: job_queue.beat_job(s, t, HowFar(timings={})))
            is None
        )
    assert "2 workers ended" in buried.message
    assert take() is None


def test_a_worker_that_gives_a_sign_is_not_buried(ask, take, database):
    ask()
    job, _ = take()
    later = now_of(database) + dt.timedelta(seconds=1)
    with database.session(write=True) as session:
        session.get(Job, job.id).heartbeat_at = later
    assert change(database, lambda s: job_queue.bury_job(s, job)) is None
    assert work.status(database, job.id).job.state == "running"


def test_the_silent_are_found_by_our_own_clock_alone(ask, take, database, settings, monkeypatch):
    ask()
    job, _ = take("elsewhere/1:77:abc")
    clock = [100.0]
    monkeypatch.setattr("app.jobs.worker.time.monotonic", lambda: clock[0])
    worker = Worker(database, settings)
    assert worker._silent([job]) == []
    clock[0] += 59
    assert worker._silent([job]) == []
    signed = dataclasses.replace(job, heartbeat_at=job.heartbeat_at - dt.timedelta(hours=3))
    assert worker._silent([signed]) == []
    clock[0] += 59
    assert worker._silent([signed]) == []
    clock[0] += 1
    assert worker._silent([signed]) == [signed]
    own = dataclasses.replace(signed, worker=worker.name)
    assert worker._silent([own]) == []


def test_a_process_of_this_machine_that_is_no_more_is_dead_at_once(database, settings, ask, take):
    ask()
    worker = Worker(database, settings)
    place = worker.name.partition(":")[0]
    gone, _ = take(f"{place}:{2**22 + 1}:abc")  # more than any process number
    assert worker._silent([gone]) == [gone]


def test_state_is_one_of_five(database, ask):
    job = ask()
    with pytest.raises(IntegrityError), database.session(write=True) as session:
        session.get(Job, job.id).state = "lost"
        session.flush()


def test_workers_are_alive_until_they_leave_or_fall_silent(database, settings):
    assert not work.worker_alive(database)
    change(database, lambda s: job_queue.greet_worker(s, "w1"))
    assert work.worker_alive(database)
    change(database, lambda s: job_queue.dismiss_worker(s, "w1"))
    assert not work.worker_alive(database)
    change(database, lambda s: job_queue.greet_worker(s, "w2"))
    from geodata.db.staff_tables import Worker as Row

    with database.session(write=True) as session:
        row = session.scalars(select(Row).where(Row.id == "w2")).one()
        row.heartbeat_at -= dt.timedelta(seconds=job_queue.ALIVE_SECONDS + 1)
    assert not work.worker_alive(database)
    change(database, lambda s: job_queue.beat_worker(s, "w2"))
    assert work.worker_alive(database)


def a_job(**change):
    fields = dict.fromkeys(job_queue.JobRecord.__dataclass_fields__)
    fields |= {"id": 1, "kind": "fit", "state": "running", "done": 0, "total": 0, "timings": {}}
    fields |= {"started_at": dt.datetime(2026, 1, 1, 12), "arguments": {}}
    return job_queue.JobRecord(**{**fields, **change})


def after(seconds):
    return dt.datetime(2026, 1, 1, 12) + dt.timedelta(seconds=seconds)


USUAL = [{"a": 10.0, "b": 30.0}, {"a": 10.0, "b": 28.0, "c": 2.0}, {"a": 12.0, "b": 60.0}]


@pytest.mark.parametrize(
    ("job", "seconds", "share", "remaining"),
    [
        ({"stage": None}, 1, 0.0, 40.0),
        ({"stage": "a", "done": 1, "total": 10}, 1, 1 / 40, 39.0),
        ({"stage": "a", "done": 5, "total": 10}, 10, 5 / 40, 70.0),  # twice as slow as usual
        ({"stage": "b", "done": 1, "total": 2, "timings": {"a": 9, "b": 4}}, 25, 25 / 40, 15.0),
        ({"stage": "b", "done": 9, "total": 2, "timings": {"a": 9}}, 40, 1.0, 0.0),
        ({"stage": "x", "done": 1, "total": 4}, 25, 0.25, None),
    ],
)
def test_the_time_that_remains_comes_from_the_stages_of_earlier_jobs(
    job, seconds, share, remaining
):
    found = work.estimate(a_job(**job), USUAL, after(seconds))
    assert found.share == pytest.approx(share)
    assert found.remaining_s == (None if remaining is None else pytest.approx(remaining))


def test_without_an_earlier_job_the_time_is_not_known():
    found = work.estimate(a_job(stage="a", done=1, total=2), [], after(3))
    assert (found.share, found.remaining_s) == (0.5, None)
    assert "no such job was done here yet" in found.method
    for state, share, left in (("waiting", 0.0, None), ("done", 1.0, 0.0), ("failed", 0.0, 0.0)):
        found = work.estimate(a_job(state=state), USUAL, after(3))
        assert (found.share, found.remaining_s) == (share, left)


def test_stages_are_timed_and_the_word_to_stop_is_heard(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("app.jobs.worker.time.monotonic", lambda: clock[0])
    stopping = threading.Event()
    hand = Hand(job=a_job(), ticket=None, stopping=stopping, last=0.0)
    for seconds, stage, done in ((3, "a", 1), (4, "a", 2), (2, "b", 1)):
        clock[0] += seconds
        hand.note(Step(stage=stage, done=done, total=2))
    clock[0] += 1
    hand.finish()
    assert hand.far().timings == {"a": 7.0, "b": 2.0, "the rest": 1.0}
    assert hand.word() is None
    hand.cancelled_by = "bob"
    assert hand.word() == "cancelled by bob"
    stopping.set()
    assert hand.word() == GIVE_BACK


def do_all(database, settings):
    """Have a worker do what waits."""
    worker = Worker(database, settings)
    worker._take_all()
    worker.close()


def test_a_worker_does_what_is_asked_and_tells_how_it_ended(ask, database, settings):
    fitted, faulty = ask(), ask(arguments={**FIT, "outcome": "arson"})
    do_all(database, settings)
    done, failed = work.status(database, fitted.id), work.status(database, faulty.id)
    assert done.job.state == "done"
    (run,) = done.job.result["runs"]
    assert done.job.timings["elastic net"] > 0
    assert failed.job.state == "failed"
    assert "its outcomes are robbery" in failed.job.message
    from geodata.repositories.runs import get_run

    with database.session() as session:
        assert get_run(session, run).city == "town"


def test_an_import_by_a_worker_is_of_who_asked_for_it(ask, database, settings, tmp_path):
    folder = tmp_path / "again"
    folder.mkdir()
    ask("import", {"city_file": str(Town(folder, n=700).path)}, "bob")
    do_all(database, settings)
    with database.session() as session:
        found = list(audit.entries(session, audit.Filter(action="data"), newest_first=False))
    assert [(entry.person, entry.action) for entry in found][-1] == ("bob", "data.import")
    assert len(found) == 2


def test_a_fault_of_ours_is_told_without_its_trace(database, settings, monkeypatch, caplog):
    def broken(*_arguments, **_options):
        msg = "secret /home/path"
        raise KeyError(msg)

    monkeypatch.setattr("app.jobs.kinds.fit", broken)
    tools = Tools(database=database, settings=settings, who="ann")
    end = carry_out(Order(job=77, kind="fit", arguments=FIT, who="ann"), tools, None)
    assert end.state == "failed"
    assert "secret" not in end.message
    assert "job 77" in end.message
    assert "secret /home/path" in caplog.text


def test_every_kind_has_a_title_and_is_in_the_documents():
    from pathlib import Path

    text = (Path(__file__).parents[3] / "docs" / "jobs.md").read_text()
    for kind, told in KINDS.items():
        assert told.title
        assert f"`{kind}`" in text


def test_messages_are_plain_json(settings, bell):
    bell.ring()
    (message,) = bell._huey.storage.enqueued_items()
    assert json.loads(bytes(message))[1].endswith("look")


def test_a_message_that_cannot_be_read_stops_nobody(settings, bell):
    looked = []
    bell._huey.storage.enqueue(b"\x80\x04not json")
    bell.wait(lambda: looked.append(1), threading.Event())
    assert looked == [1]
    assert bell.silent()


def test_arguments_that_are_no_json_have_no_digest():
    with pytest.raises(SpecError, match="plain JSON"):
        digest_arguments({"a": float("nan")})
