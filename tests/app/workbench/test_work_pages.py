"""Pages of long work: how far it is, cancelling, asking again, what it made."""

import datetime as dt
import re
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.jobs import jobs as work
from app.workbench.job_pages import STAGES, about, duration, remedy, stage_words
from geodata.db.json_columns import JobResult
from geodata.import_report import SourceReport
from geodata.repositories import job_queue
from geodata.repositories.job_queue import Progress

JOBS = "/analyst/town/jobs"
FIT = {"city": "town", "outcome": "robbery"}


@pytest.fixture
def asked(desk):
    """Ask for work, and leave none of it open."""
    made = []

    def ask(kind="fit", **arguments):
        job = work.ask(desk.database, kind, arguments or {**FIT, "seed": 41}, "analyst")
        made.append(job.id)
        return job.id

    yield ask
    for number in made:
        job = work.status(desk.database, number).job
        if not job.ended:
            work.cancel(desk.database, number, "test")
            with desk.database.session(write=True) as session:
                job_queue.end_job(session, job, job_queue.CANCELLED)


@pytest.fixture
def worker(desk):
    name = uuid.uuid4().hex
    with desk.database.session(write=True) as session:
        job_queue.register_worker(session, name)
    yield name
    with desk.database.session(write=True) as session:
        job_queue.unregister_worker(session, name)


def take(desk):
    with desk.database.session(write=True) as session:
        return job_queue.lease_job(session, "w1")


def far(desk, ticket, stage, done, total):
    with desk.database.session(write=True) as session:
        progress = Progress(stage=stage, done=done, total=total, timings={stage: 1.0})
        job_queue.heartbeat(session, ticket, progress)


def end(desk, ticket, state, **more):
    with desk.database.session(write=True) as session:
        job_queue.end_job(session, ticket, state, **more)


def test_work_that_waits_says_so_and_that_no_worker_is_there(desk, ann, asked):
    number = asked()
    page = ann.get(f"{JOBS}/{number}").text
    assert "Waits" in page
    assert "No worker is there to take this up" in page
    told = ann.get(f"{JOBS}/{number}.json").get_json()
    assert (told["state"], told["ended"], told["percent"]) == ("waiting", False, None)
    assert "No worker is there" in told["worker"]
    assert "No worker is there" in ann.get(JOBS).text
    assert "No worker is there" in ann.get("/analyst/town/").text


def test_how_far_work_is_is_told_in_plain_words(desk, ann, asked, worker):
    number = asked()
    ticket = take(desk)
    far(desk, ticket, "elastic net", 3, 10)
    told = ann.get(f"{JOBS}/{number}.json").get_json()
    assert told == {
        "job": number,
        "state": "running",
        "words": "is being worked on",
        "ended": False,
        "stage": "Looking through all candidates (elastic net)",
        "percent": 30,
        "share": "30 % of this step",
        "remaining": "not known yet",
        "method": "share of the present stage; no such job was done here yet",
        "worker": "",
    }
    page = ann.get(f"{JOBS}/{number}").text
    assert '<progress max="100" value="30"' in page
    assert 'aria-live="polite"' in page
    assert "No worker is there" not in page
    far(desk, ticket, "stepwise", 3, 3)
    told = ann.get(f"{JOBS}/{number}.json").get_json()
    assert told["stage"] == "Putting risks together and cutting zones"
    listed = ann.get(f"{JOBS}?state=running").text
    assert f"no. {number}" in listed
    end(desk, ticket, job_queue.CANCELLED)


def test_cancelling_asks_first_and_says_what_becomes_of_it(desk, ann, asked, worker):
    number = asked()
    page = f"{JOBS}/{number}"
    refused = ann.send(f"{page}/cancel", page)
    assert refused.status_code == 422
    assert "tick the box to go on" in refused.text
    assert work.status(desk.database, number).job.state == "waiting"
    assert ann.send(f"{page}/cancel", page, sure="y").status_code == 303
    told = ann.get(page).text
    assert "Cancelled by analyst." in told
    assert "Ask again" in told
    running = asked()
    ticket = take(desk)
    ann.send(f"{JOBS}/{running}/cancel", f"{JOBS}/{running}", sure="y")
    told = ann.get(f"{JOBS}/{running}").text
    assert "Is being cancelled" in told
    assert "Cancel this work" not in told
    end(desk, ticket, job_queue.CANCELLED)
    again = ann.send(f"{JOBS}/{running}/cancel", f"{JOBS}/{running}", sure="y")
    assert again.status_code == 422


def test_what_failed_says_why_and_what_to_do_and_is_asked_again(desk, ann, asked, worker):
    number = asked()
    end(desk, take(desk), job_queue.FAILED, message="too few incidents: 3; take a longer period")
    page = ann.get(f"{JOBS}/{number}").text
    assert "Too few incidents: 3; take a longer period." in page
    assert "Change what the message names" in page
    assert f"/analyst/town/runs/new?job={number}" in page
    answer = ann.send(f"{JOBS}/{number}/retry", f"{JOBS}/{number}")
    assert answer.status_code == 303
    again = int(answer.location.rsplit("/", 1)[1])
    assert work.status(desk.database, again).job.retry_of == number
    assert f'again for <a href="{JOBS}/{number}">' in ann.get(answer.location).text
    work.cancel(desk.database, again, "test")


def test_what_is_done_leads_to_what_it_made(desk, ann, asked, worker):
    number = asked()
    end(desk, take(desk), job_queue.DONE, result=JobResult(runs=(desk.run.id,)))
    assert f'href="/analyst/town/runs/{desk.run.id}"' in ann.get(f"{JOBS}/{number}").text
    checked = asked("validate", run=desk.run.id, **{"from": "2025-01-01", "to": "2025-06-01"})
    end(desk, take(desk), job_queue.DONE, result=JobResult(run=desk.run.id))
    page = ann.get(f"{JOBS}/{checked}").text
    assert f'href="/analyst/town/runs/{desk.run.id}#validation"' in page
    path = str(desk.settings.instance / "city.toml")
    brought = asked("import", city_file=path)
    source = SourceReport(
        kind="incidents", source="<b>x</b>.csv", read=10, stored=7, left_out={"no date": 3}
    )
    end(desk, take(desk), job_queue.DONE, result=JobResult(city="town", sources=(source,)))
    page = ann.get(f"{JOBS}/{brought}").text
    assert "no date: 3" in page
    made = page[page.index('class="made"') :]
    assert 'href="/analyst/town/"' in made
    assert 'href="/analyst/town/sources"' in made
    assert "<b>x</b>" not in page
    assert path not in page  # where files lie is nobody's business here
    assert path not in ann.get(JOBS).text


def test_the_list_is_narrowed_and_paged_on_the_server(desk, ann, asked, worker):
    for seed in range(100, 127):
        number = asked(**FIT, seed=seed)
        work.cancel(desk.database, number, "test")
    page = ann.get(f"{JOBS}?state=cancelled&kind=fit").text
    assert page.count("<tr>") == 26
    assert "Page 1 of" in page
    older = ann.get(f"{JOBS}?state=cancelled&kind=fit&page=2").text
    assert number > 0
    assert f"no. {number}<" in page
    assert f"no. {number}<" not in older
    assert "There is no such work" in ann.get(f"{JOBS}?kind=draft").text
    for query in ("kind=x", "state=x", "page=-1"):
        assert ann.get(f"{JOBS}?{query}").status_code == 400


def test_work_of_another_city_or_of_none_is_not_there(desk, ann, asked):
    from staffing import keep_city

    keep_city(desk.database, "elsewhere")
    number = asked()
    for address in (f"/analyst/elsewhere/jobs/{number}", f"{JOBS}/999999", f"{JOBS}/{10**30}"):
        assert ann.get(address).status_code == 404
        assert ann.get(f"{address}.json").status_code == 404
        token = ann.token("/account/password")
        assert ann.post(f"{address}/cancel", {"csrf_token": token, "sure": "y"}).status_code == 404
        assert ann.post(f"{address}/retry", {"csrf_token": token}).status_code == 404
    assert work.status(desk.database, number).job.state == "waiting"
    assert "Nothing was asked for yet" in ann.get("/analyst/elsewhere/jobs").text


def test_a_page_that_asks_by_itself_does_not_keep_a_session_awake(desk, asked):
    number = asked()
    browser = desk.client("publisher")
    for _ in range(5):
        desk.wait(minutes=7)
        answer = browser.get(f"{JOBS}/{number}.json")
    assert answer.status_code == 303  # half an hour with nobody there: signed out
    assert answer.location.startswith("/login")
    desk.wait(minutes=2)
    browser = desk.client("publisher")
    for _ in range(5):
        desk.wait(minutes=7)
        answer = browser.get(f"{JOBS}/{number}")
    assert answer.status_code == 200
    desk.now -= dt.timedelta(minutes=72)  # the browsers of other tests


def test_every_stage_that_work_tells_has_words():
    told = set()
    root = Path(__file__).parents[3]
    for part in ("app", "spatial", "geodata"):
        for file in (root / part).rglob("*.py"):
            text = file.read_text()
            told |= set(re.findall(r'\bprogress\(\s*"([^"]+)", ', text))
            told |= set(re.findall(r'\bstage="([^"]+)",\s*\n\s*progress', text))
            told |= set(re.findall(r'_tell\(progress, "([^"]+)"\)', text))
    assert len(told) > 10
    assert told - STAGES.keys() == {"drawing the city"}  # of the demonstration, never a job


def test_words_of_work():
    assert about("fit", {**FIT, "districts": ["D1"], "from": "2024-01-01", "to": "2024-02-01"}) == (
        "robbery, district D1, from 2024-01-01 to before 2024-02-01"
    )
    assert about("fit", {**FIT, "districts": list("abcd")}) == (
        "robbery, 4 districts, each by itself, all days"
    )
    assert about("draft", {"city": "town"}) == "all that is to be published"
    assert [duration(s) for s in (0, 60, 1500, 3600)] == [
        "less than a minute",
        "about 1 minute",
        "about 25 minutes",
        "about 1 hour",
    ]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("a fault of this program; the worker's log has it under job 7", "number of this job, 7"),
        ("the database or the disk gave way (OSError); retry", "Ask again; if it fails again"),
        ("2 workers ended while they worked on it", "Ask again; if it fails again"),
        ("no run 'x' is stored", "Change what the message names"),
    ],
)
def test_what_failed_has_a_remedy(message, told):
    job = type("Job", (), {"message": message, "id": 7})
    assert told in remedy(job)


def test_rows_of_a_table_are_said_with_their_number():
    job = SimpleNamespace(stage="rows", done=60_000, total=215_000)
    assert stage_words(job) == "Reading the rows of a table: 60,000 of about 215,000"
    assert stage_words(SimpleNamespace(stage="reading", done=1, total=3)) == STAGES["reading"]
