"""Cancelling a job and asking for it again take the role of its kind, by page and by token."""

import pytest
from attacking import lift_limits
from ready import make_ready
from staffing import Office, keep_city

from app.auth.permissions import RULES
from app.jobs.kinds import KINDS
from geodata.repositories import job_queue
from geodata.roles import ROLES

MAY = {  # by hand: who may change a job of each kind
    "import": {"analyst"},
    "fetch": {"analyst"},
    "fit": {"analyst"},
    "validate": {"analyst"},
    "backtest": {"analyst"},
    "certainty": {"analyst"},
    "sensitivity": {"analyst"},
    "evaluate": {"analyst", "commander"},
    "draft": {"analyst"},
    "arrivals": {"analyst"},
    "mail": {"analyst"},
    "round": {"analyst"},
    "preview": {"analyst", "publisher"},
}
ASKED_AT = {  # the pages that ask for each kind let in whom the kind is for
    "import": "uploads.commit",
    "fetch": "uploads.add",
    "fit": "runs.new",
    "validate": "reading.ask",
    "backtest": "reading.ask",
    "certainty": "reading.ask",
    "sensitivity": "reading.ask",
    "evaluate": "outcome.ask",
    "draft": "drafts.make",
    "round": "drafts.make_round",
    "preview": "previews.make",
}
BY_PROCESSES = {"arrivals", "mail"}  # what workers ask for, or drafts bring with them
SEE_WORK = {"analyst", "commander", "publisher"}


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    url = f"sqlite:///{folder}/jobs.sqlite"
    make_ready(url)
    made = Office(url, folder)
    keep_city(made.database, "town")
    for role in ROLES:
        made.add(role, role, districts=["town/D1"] if role == "commander" else [])
    made.app.config["WTF_CSRF_ENABLED"] = False
    yield made
    made.close()


@pytest.fixture(scope="module")
def browsers(office):
    return {role: office.client(role).client for role in ROLES}


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    lift_limits(monkeypatch)


def waiting(office, kind, number=[0], **more):  # noqa: B006 - counts on, so that no job is alike
    number[0] += 1
    with office.database.session(write=True) as session:
        job = job_queue.add_job(
            session,
            kind=kind,
            city="town",
            asked_by="ana",
            arguments={"city": "town", "outcome": "robbery", "run": "a" * 12, **more},
            digest=f"{number[0]:064d}",
        )
    return job.id


def state(office, number):
    with office.database.session() as session:
        return job_queue.get_job(session, number).state


def test_every_kind_says_whose_work_it_is():
    assert {kind: set(one.roles) for kind, one in KINDS.items()} == MAY
    assert KINDS.keys() == ASKED_AT.keys() | BY_PROCESSES
    for kind, endpoint in ASKED_AT.items():
        assert RULES[endpoint].roles == KINDS[kind].roles, (kind, endpoint)


@pytest.mark.parametrize("kind", MAY)
@pytest.mark.parametrize("role", ROLES)
def test_a_page_cancels_and_asks_again_for_whom_the_kind_is(office, browsers, role, kind):
    number = waiting(office, kind, district="D1")
    page = f"/analyst/town/jobs/{number}"
    allowed = role in MAY[kind]
    offered = browsers[role].get(page)
    assert offered.status_code == (200 if role in SEE_WORK else 403)
    assert ("/cancel" in offered.text) == allowed
    answer = browsers[role].post(f"{page}/cancel", data={"sure": "y"})
    assert answer.status_code == (303 if allowed else 403)
    assert state(office, number) == (job_queue.CANCELLED if allowed else job_queue.WAITING)
    if not allowed:
        with office.database.session(write=True) as session:
            job_queue.ask_cancel(session, number, "ana")
    assert ("/retry" in browsers[role].get(page).text) == allowed
    again = browsers[role].post(f"{page}/retry")
    # these arguments are not whole, so that asking again is refused for another reason: 400, 422
    assert (again.status_code == 403) != allowed, (role, kind, again.status_code)


@pytest.mark.parametrize("kind", MAY)
@pytest.mark.parametrize("role", ROLES)
def test_a_token_cancels_for_whom_the_kind_is(office, role, kind):
    number = waiting(office, kind, district="D1")
    program = office.program(office.token(role, "jobs", label=kind))
    answer = program.post(f"/api/v1/jobs/{number}/cancel")
    allowed = role == "analyst" and role in MAY[kind]  # the address itself is for analysts
    assert answer.status_code == (200 if allowed else 403)
    assert state(office, number) == (job_queue.CANCELLED if allowed else job_queue.WAITING)


@pytest.mark.parametrize("district", ["D2", ""])
def test_a_commander_changes_only_what_is_about_an_own_district(office, browsers, district):
    number = waiting(office, "evaluate", district=district)
    page = f"/analyst/town/jobs/{number}"
    assert browsers["commander"].get(page).status_code == (403 if district else 200)
    assert browsers["commander"].post(f"{page}/cancel", data={"sure": "y"}).status_code == 403
    assert state(office, number) == job_queue.WAITING
