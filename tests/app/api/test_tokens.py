"""Access tokens: made with the password, shown once, over some day, never more than the person."""

import datetime as dt
import itertools
import re

import pytest
from ready import make_ready
from sqlalchemy import select
from staffing import PASSWORD, Office

from app.auth import permissions
from app.auth.secrets import token_hash
from geodata.db.staff_tables import AccessToken
from geodata.errors import PersonError
from geodata.repositories import people, sessions

ADDRESS = "/api/v1/cities/town/runs"
NUMBERS = itertools.count()
OPEN = 404  # what a token that lets in is told: there is no such city


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    url = f"sqlite:///{folder}/office.sqlite"
    make_ready(url)
    made = Office(url, folder)
    yield made
    made.close()


@pytest.fixture
def ana(office):
    """The name of an analyst whom no other test knows."""
    name = f"ana{next(NUMBERS)}"
    office.add(name, "analyst")
    return name


def status(office, token):
    return office.program(token).get(ADDRESS).status_code


def tokens(office, ana):
    with office.database.session() as session:
        return sessions.list_tokens(session, ana)


def make(browser, **more):
    form = {"label": "notebook", "scopes": "read", "days": "30", "present": PASSWORD, **more}
    return browser.send("/account/tokens", **form)


def test_a_token_is_made_on_the_account_page_shown_once_and_kept_as_a_digest(office, ana):
    browser = office.client(ana)
    answer = make(browser)
    assert answer.status_code == 200
    (token,) = re.findall(r"sg_[\w-]{43}", answer.text)
    assert status(office, token) == OPEN
    page = browser.get("/account/tokens").text
    assert token not in page
    assert "notebook" in page
    with office.database.session() as session:
        row = session.scalar(select(AccessToken).order_by(AccessToken.id.desc()))
        assert row.token_hash == token_hash(token)
        assert (row.scopes, row.expires_at) == (["read"], office.now + dt.timedelta(days=30))
        assert row.seen_at == office.now
    entry = office.entries("token.add")[0]
    assert (entry.person, entry.object) == (ana, ana)
    assert token not in str(entry)
    assert entry.details["label"] == "notebook"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"present": "wrong password"}, "this is not your present password"),
        ({"present": ""}, "type your password"),
        ({"label": " "}, "say what the token is for"),
        ({"label": "x" * 81}, "80 characters"),
        ({"scopes": "everything"}, "not"),
        ({"scopes": []}, "choose what the token may do"),
        ({"days": "9999"}, "not"),
        ({"days": "soon"}, "not"),
    ],
)
def test_a_form_that_is_not_right_makes_none_and_keeps_what_was_typed(office, ana, change, said):
    answer = make(office.client(ana), **change)
    assert answer.status_code == 422
    assert said in answer.text.lower().replace("&#39;", "'")
    if "label" not in change:
        assert 'value="notebook"' in answer.text
    assert tokens(office, ana) == []


def test_a_hostile_label_is_text(office, ana):
    answer = make(office.client(ana), label='<script>alert("x")</script>')
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_revoked_token_lets_nobody_in(office, ana):
    token, browser = office.token(ana), office.client(ana)
    assert status(office, token) == OPEN
    (record,) = tokens(office, ana)
    address = f"/account/tokens/{record.id}/revoke"
    assert browser.send(address, page="/account/tokens").status_code == 303
    assert status(office, token) == 401
    assert office.entries("token.revoke")[0].details["token"] == record.id
    assert browser.send(address, page="/account/tokens").status_code == 422
    office.add("ben", "analyst")
    office.token("ben")
    other = browser.send(f"/account/tokens/{record.id + 1}/revoke", page="/account/tokens")
    assert other.status_code == 404  # somebody else's
    assert (
        browser.send(f"/account/tokens/{2**40}/revoke", page="/account/tokens").status_code == 404
    )


def test_a_token_is_over_some_day(office, ana):
    token = office.token(ana, days=2)
    office.wait(days=1, hours=23)
    assert status(office, token) == OPEN
    office.wait(hours=1)
    assert status(office, token) == 401
    assert tokens(office, ana)[0].state(office.now) == "over"


def test_a_token_is_never_more_than_its_person_at_that_moment(office, ana):
    token = office.token(ana, "read", "jobs")
    program = office.program(token)
    assert program.get("/api/v1/cities/town/imports").status_code == OPEN
    with office.database.session(write=True) as session:
        people.change_roles(
            session, ana, roles=["viewer"], districts=[], who="root", when=office.now
        )
    assert program.get("/api/v1/cities/town/imports").status_code == 403
    assert office.entries("access.refused")[0].details["token"] == tokens(office, ana)[0].id
    assert program.get(ADDRESS).status_code == OPEN
    with office.database.session(write=True) as session:
        people.change_state(session, ana, "disabled", "root", office.now)
    assert program.get(ADDRESS).status_code == 401
    with office.database.session(write=True) as session:
        people.change_state(session, ana, "active", "root", office.now)
    assert program.get(ADDRESS).status_code == 401  # and does not come back to life


def test_a_reset_of_the_person_ends_the_tokens(office, ana):
    from app.auth.sign_in import offer_setup

    token = office.token(ana)
    with office.database.session(write=True) as session:
        offer_setup(session, ana, "root", office.now)
    assert status(office, token) == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic YTpi", f"Bearer sg_{'A' * 43}", "Bearer sg_\xff"],
)  # fmt: skip
def test_what_is_no_token_lets_nobody_in(office, ana, header):
    answer = office.program().get(ADDRESS, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_opens_no_page(office, ana):
    program = office.program(office.token(ana))
    for page in ("/account", "/analyst/", "/admin/people"):
        assert program.get(page).location.startswith("/login")


def test_a_token_may_ask_so_often_and_wrong_ones_too(office, ana, monkeypatch):
    office.wait(minutes=1)  # what other tests asked is no longer counted
    monkeypatch.setattr(permissions, "EACH_TOKEN", permissions.Limit(count=3))
    monkeypatch.setattr(permissions, "WRONG_TOKENS", permissions.Limit(count=2))
    first, second = office.token(ana), office.token(ana)
    assert [status(office, first) for _ in range(4)] == [OPEN, OPEN, OPEN, 429]
    answer = office.program(first).get(ADDRESS)
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert status(office, second) == OPEN
    wrong = "sg_" + "A" * 43
    assert [status(office, wrong) for _ in range(3)] == [401, 401, 429]
    office.wait(minutes=1)
    assert status(office, first) == OPEN


def test_nobody_has_more_tokens_than_they_can_know(office, ana):
    for number in range(sessions.MOST):
        office.token(ana, label=f"number {number}")
    with pytest.raises(PersonError, match="revoke one first"):
        office.token(ana)


def test_people_of_a_provider_are_told_how_to_get_one(office, ana):
    office.add("olga", "analyst", password=None, with_codes=False, from_provider=True)
    with office.database.session(write=True) as session:
        assert people.get_person(session, "olga").from_provider
    assert office.token("olga").startswith("sg_")  # by command


def test_tokens_are_made_listed_and_revoked_by_command(run):
    run("init")
    run("user", "add", "ana", "--role", "analyst")
    made = run("token", "add", "Ana", "--label", "nightly", "--scope", "jobs", "--days", 5)
    assert re.fullmatch(r"sg_[\w-]{43}\n", made.stdout)
    listed = run("token", "list", "ana").stdout
    assert "nightly" in listed
    assert made.stdout.strip() not in listed
    assert '"state": "in force"' in run("token", "list", "--json").stdout
    assert "revoked" in run("token", "revoke", 1).stdout
    assert '"state": "revoked"' in run("token", "list", "--json").stdout
    run("token", "revoke", 1, status=1)
    run("token", "add", "ana", "--label", "x", "--days", 366, status=2)
    run("token", "add", "nobody", "--label", "x", status=1)
    verdict = run("audit", "verify")
    assert verdict.exit_code == 0
