import datetime as dt
import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from staffing import KEY, NOW, PASSWORD, Office, digest

from app.auth import secrets
from app.auth.locks import address_lock, failures_in_a_row, open_lock, password_locks, try_lock
from app.auth.permissions import HOMES, RULES
from app.auth.secrets import Keys
from geodata.repositories import limits, people
from geodata.roles import ROLES


@pytest.fixture
def office(database_url, tmp_path):
    made = Office(database_url, tmp_path)
    yield made
    made.close()


def test_password_and_code_let_in_and_the_page_that_was_asked_for_comes(office):
    office.add("ana", "administrator")
    browser = office.client()
    asked = browser.get("/admin/audit?action=sign_in")
    assert asked.status_code == 303
    assert asked.location == "/login?next=/admin/audit?action%3Dsign_in"
    page = browser.get(asked.location)
    assert 'name="next" value="/admin/audit?action=sign_in"' in html.unescape(page.text)
    answer = browser.send("/login", name=" ANA", password=PASSWORD, next="/admin/audit?action=x")
    assert answer.location == "/login/code"
    assert browser.get("/admin/people").location == "/login/code"  # half-way is not in
    answer = browser.send("/login/code", code=office.code("ana"))
    assert answer.location == "/admin/audit?action=x"
    assert browser.get(answer.location).status_code == 200
    (entry,) = office.entries("sign_in.done")
    assert entry.details == {"address": "127.0.0.1", "with": "code"}


@pytest.mark.parametrize(
    "then",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "x", ""],
)
def test_signing_in_leads_to_own_pages_only(office, then):
    office.add("ana")
    browser = office.client()
    browser.send("/login", name="ana", password=PASSWORD, next=then)
    assert browser.send("/login/code", code=office.code("ana")).location == "/analyst/"


@pytest.mark.parametrize(
    ("roles", "home"),
    [
        (["viewer"], "/analyst/"),
        (["officer"], "/command/"),
        (["analyst"], "/analyst/"),
        (["commander"], "/command/"),
        (["publisher"], "/analyst/"),
        (["administrator"], "/admin/people"),
        (["commander", "analyst"], "/analyst/"),
        (["analyst", "administrator"], "/admin/people"),
        (["viewer", "officer"], "/command/"),
    ],
)
def test_signing_in_leads_to_where_ones_work_begins(office, roles, home):
    office.add("ana", *roles)
    browser = office.client("ana")
    assert browser.get("/login").location == home
    assert browser.get(home).status_code == 200


def test_every_role_has_a_home_that_is_open_to_it():
    assert HOMES.keys() == ROLES.keys()
    for role, endpoint in HOMES.items():
        assert role in RULES[endpoint].roles


def test_a_wrong_password_and_an_unknown_name_look_the_same(office):
    office.add("ana")
    office.add("off", password=None)
    office.add("gone")
    with office.database.session(write=True) as session:
        people.change_state(session, "gone", people.DISABLED, "root", office.now)
    pages = {}
    for name, password in (
        ("ana", "not the password"),
        ("nobody", PASSWORD),
        ("off", PASSWORD),
        ("gone", PASSWORD),
    ):
        answer = office.client().send("/login", name=name, password=password)
        assert answer.status_code == 422
        assert f'value="{name}"' in answer.text  # the name stays
        assert PASSWORD not in answer.text
        assert 'aria-describedby="password-fault"' in answer.text
        pages[name] = re.sub(r'(name="csrf_token" value=)"[^"]*"', r"\1", answer.text).replace(
            f'"{name}"', '"NAME"'
        )
    assert len(set(pages.values())) == 1
    assert [entry.person for entry in office.entries("sign_in.failed")] == [
        "gone",
        "off",
        "",
        "ana",
    ]


def test_an_unknown_name_takes_as_long(office, monkeypatch):
    """The digest is the long part: for an unknown name one is worked out too, and no more."""
    office.add("ana")
    held, hasher = [], secrets._hasher

    class Counting:
        def verify(self, stored, password):
            held.append(stored)
            return hasher.verify(stored, password)

    monkeypatch.setattr(secrets, "_hasher", Counting())
    for name in ("ana", "nobody"):
        browser = office.client()
        browser.send("/login", name=name, password="not the password")
        assert len(held) == 1, name
        assert held.pop().startswith("$argon2id$")


def test_no_code_opens_twice_and_one_neighbour_each_way_does(office):
    office.add("ana")
    office.client("ana")
    browser = office.client("ana", stage="code")
    assert browser.send("/login/code", code=office.code("ana")).status_code == 422
    assert browser.send("/login/code", code=office.code("ana", -1)).status_code == 422
    assert browser.send("/login/code", code=office.code("ana", 2)).status_code == 422
    typed = f"{office.code('ana', 1)[:3]} {office.code('ana', 1)[3:]}"
    assert browser.send("/login/code", code=typed).status_code == 303


def test_of_two_at_once_with_one_code_one_is_let_in(office):
    office.add("ana")
    browsers = [office.client("ana", stage="code") for _ in range(4)]
    tokens = [browser.token("/login/code") for browser in browsers]

    def send(pair):
        browser, token = pair
        code = office.code("ana")
        return browser.post("/login/code", {"csrf_token": token, "code": code}).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, zip(browsers, tokens, strict=True)))
    assert sorted(answers) == [303, 422, 422, 422]


def test_recovery_codes_work_once_each(office):
    office.add("ana", with_codes=False)
    browser = office.client("ana", stage="enrol")
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", browser.get("/login/codes").text)[1]
    office.secrets["ana"] = key.replace(" ", "")
    page = browser.send("/login/codes", code=office.code("ana")).text
    made = re.findall(r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>", page)
    assert len(set(made)) == 10
    assert browser.get("/account").status_code == 200
    again = office.client("ana", stage="code")
    assert again.send("/login/code", code=made[0].upper().replace("-", " ")).status_code == 303
    assert "9 recovery codes are left" in again.get("/account").text
    third = office.client("ana", stage="code")
    assert third.send("/login/code", code=made[0]).status_code == 422
    assert [e.details["with"] for e in office.entries("sign_in.done")] == ["recovery code", "code"]


def test_the_first_sign_in_sets_codes_up_with_a_picture_and_nothing_else_opens(office):
    office.add("ana", with_codes=False)
    browser = office.client("ana", stage="enrol")
    for path in ("/account", "/login/code", "/account/codes/picture.svg"):
        assert browser.get(path).location == "/login/codes"
    page = browser.get("/login/codes")
    assert browser.get("/login/codes").text.count("<code>") == page.text.count("<code>")
    picture = browser.get("/login/codes/picture.svg")
    assert picture.mimetype == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "no-store"
    wrong = browser.send("/login/codes", code="000000")
    assert wrong.status_code == 422
    assert "Not taken" in wrong.text
    assert not office.person("ana").codes


def test_too_many_failures_lock_the_name_with_growing_delay(office):
    office.add("ana")
    browser = office.client()

    def attempt(password):
        return browser.send("/login", name="ana", password=password)

    for _ in range(5):
        assert attempt("wrong").status_code == 422
    locked = attempt(PASSWORD)  # even the right one is not tried
    assert locked.status_code == 429
    assert "wait 30 seconds" in locked.text
    office.wait(seconds=31)
    assert attempt("wrong").status_code == 422
    assert "wait 1 minute" in attempt(PASSWORD).text.replace("60 seconds", "1 minute")
    office.wait(seconds=61)
    assert attempt(PASSWORD).status_code == 303
    assert office.actions().count("sign_in.locked") == 2


def test_a_right_password_does_not_make_guesses_at_codes_free(office):
    office.add("ana")
    for _ in range(5):
        browser = office.client("ana", stage="code")
        assert browser.send("/login/code", code="000000").status_code == 422
    browser = office.client("ana", stage="code")
    assert browser.send("/login/code", code=office.code("ana")).status_code == 429
    office.wait(seconds=31)
    assert browser.send("/login/code", code=office.code("ana")).status_code == 303
    browser = office.client("ana", stage="code")  # a whole sign-in forgives them
    assert browser.send("/login/code", code="000000").status_code == 422


def test_an_unknown_name_is_locked_as_a_known_one(office):
    browser = office.client()
    answers = [browser.send("/login", name="nobody", password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]


def slip(office, name, address="127.0.0.1"):
    """Let a sign-in fail, but for the slow look at the password; tell whether it was tried."""
    with office.database.session(write=True) as session:
        return not try_lock(session, password_locks(name, address), office.now)


def succeed(office, name, address="127.0.0.1"):
    locks = password_locks(name, address)
    with office.database.session(write=True) as session:
        if try_lock(session, locks, office.now):
            return False
        open_lock(session, locks, office.now)
        return True


def test_an_address_is_locked_over_many_names(office):
    office.add("ana")
    browser = office.client()
    for i in range(60):
        assert slip(office, f"p{i}")
        office.wait(seconds=3)
    locked = browser.send("/login", name="ana", password=PASSWORD)
    assert locked.status_code == 429
    office.wait(minutes=1)  # nobody of an office waits longer for what others do
    assert browser.send("/login", name="ana", password=PASSWORD).status_code == 303


def test_an_office_behind_one_address_never_locks_itself_out(office):
    """Hours of slips, each of somebody else, beside sign-ins that succeed; nothing adds up."""
    for hour in range(5):
        for number in range(30):
            assert slip(office, f"p{hour}-{number}"), (hour, number)
            office.wait(minutes=2)
        assert succeed(office, "ana")


def test_failures_of_an_address_decay_while_there_are_more(office):
    lock, start = address_lock("192.0.2.7"), NOW
    with office.database.session(write=True) as session:
        for minute in range(60):
            limits.count_failure(session, lock.keys(start)[0], start + dt.timedelta(seconds=minute))
        counts = [
            failures_in_a_row(session, lock, start + dt.timedelta(minutes=minute))
            for minute in (1, 60, 75, 90, 105, 120)
        ]
    assert counts == [60, 60, 45, 30, 15, 0]


def test_a_stranger_elsewhere_locks_a_name_only_with_many_tries(office):
    office.add("ana")

    def attempt(password, address):
        browser = office.client()
        browser.client.environ_base["REMOTE_ADDR"] = address
        return browser.send("/login", name="ana", password=password).status_code

    for _ in range(5):
        assert attempt("wrong", "198.51.100.1") == 422
    assert attempt("wrong", "198.51.100.1") == 429
    assert attempt(PASSWORD, "192.0.2.7") == 303
    for number in range(2, 6):
        for _ in range(5):
            assert slip(office, "ana", f"198.51.100.{number}")
    assert attempt(PASSWORD, "192.0.2.7") == 429, "twenty from many addresses do"


def test_many_guesses_at_once_are_all_counted(office):
    office.add("ana")
    browsers = [office.client() for _ in range(12)]
    tokens = [browser.token() for browser in browsers]

    def guess(pair):
        browser, token = pair
        data = {"csrf_token": token, "name": "ana", "password": "wrong"}
        return browser.post("/login", data).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(guess, zip(browsers, tokens, strict=True)))
    assert sorted(answers) == [422] * 5 + [429] * 7


def test_a_rate_holds_and_says_when_to_come_back(office):
    browser = office.client()
    token = browser.token()
    answers = [browser.post("/login", {"csrf_token": token}) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [422] * 30 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    office.wait(minutes=1)
    assert browser.post("/login", {"csrf_token": token}).status_code == 422


def test_rates_hold_across_processes(office, database_url, tmp_path):
    other = Office(database_url, tmp_path)
    for made in (office, other):
        browser = made.client()
        token = browser.token()
        answers = [browser.post("/login", {"csrf_token": token}).status_code for _ in range(16)]
    other.close()
    assert answers == [422] * 14 + [429] * 2


def test_an_idle_session_ends_and_a_used_one_ends_after_half_a_day(office):
    office.add("ana")
    browser, idle = office.client("ana"), office.client
    office.wait(minutes=29)
    assert browser.get("/account").status_code == 200
    office.wait(minutes=29)
    assert browser.get("/account").status_code == 200
    office.wait(minutes=30)
    assert browser.get("/account").location.startswith("/login")
    office.wait(minutes=-1)  # ended for good
    assert browser.get("/account").status_code == 303
    browser = idle("ana")
    for _ in range(25):
        assert browser.get("/account").status_code == 200
        office.wait(minutes=28, seconds=48)
    assert browser.get("/account").status_code == 303


def test_half_a_sign_in_ends_after_ten_minutes(office):
    office.add("ana")
    browser = office.client("ana", stage="code")
    token = browser.token("/login/code")
    office.wait(minutes=10)
    answer = browser.post("/login/code", {"csrf_token": token, "code": office.code("ana")})
    assert answer.location.startswith("/login")


@pytest.mark.parametrize("change", ["roles", "disable", "password", "reset", "everywhere"])
def test_what_changes_ends_every_session(office, change):
    office.add("root", "administrator")
    office.add("ana", "analyst")
    browser, half = office.client("ana"), office.client("ana", stage="code")
    assert browser.get("/account").status_code == 200
    now = office.now
    with office.database.session(write=True) as session:
        if change == "roles":
            people.change_roles(
                session, "ana", roles=["viewer"], districts=[], who="root", when=now
            )
        elif change == "disable":
            people.change_state(session, "ana", people.DISABLED, "root", now)
        elif change == "password":
            people.set_password(session, "ana", digest("x" * 12), who="root", when=now)
        elif change == "reset":
            until = now + dt.timedelta(days=1)
            people.reset(session, "ana", "0" * 64, until, who="root", when=now)
    if change == "everywhere":
        browser.send("/account/sessions/end", page="/account")
    for each in (browser, half):
        assert each.get("/account").location.startswith("/login?")


def test_signing_out_ends_the_session_on_the_server(office):
    office.add("ana")
    browser = office.client("ana")
    kept = browser.client.get_cookie("saferground").value
    answer = browser.send("/logout", page="/account")
    assert answer.location == "/login"
    assert "You are signed out" in browser.get("/login").text
    browser.client.set_cookie("saferground", kept)  # a stolen copy is worth nothing
    assert browser.get("/account").status_code == 303
    assert office.actions()[-1] == "sign_out.one"


def test_the_cookie_is_new_at_every_step_and_a_planted_one_stays_outside(office):
    office.add("ana")
    browser = office.client()
    browser.get("/login")
    seen = [browser.client.get_cookie("saferground").value]
    for path, data in (
        ("/login", {"name": "ana", "password": PASSWORD}),
        ("/login/code", {"code": office.code("ana")}),
    ):
        browser.send(path, **data)
        seen.append(browser.client.get_cookie("saferground").value)
    assert len(set(seen)) == 3
    thief = office.client()
    thief.client.set_cookie("saferground", seen[0])
    assert thief.get("/account").status_code == 303
    thief.client.set_cookie("saferground", seen[1])
    assert thief.get("/account").status_code == 303  # the half session ended when the whole began


def test_cookie_and_headers(office):
    office.add("ana")
    answer = office.client().get("/login")
    told = answer.headers["Set-Cookie"]
    assert told.startswith("saferground=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(told.split("; "))
    assert answer.headers["Cache-Control"] == "no-store"
    secure = office.client(https=True).get("/login").headers["Set-Cookie"]
    assert secure.startswith("__Host-saferground=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(secure.split("; "))
    assert "Domain" not in secure
    browser = office.client("ana", https=True)
    assert browser.get("/account").headers["Cache-Control"] == "no-store"
    public = office.client().get("/healthz")
    assert "Set-Cookie" not in public.headers
    assert "no-store" not in public.headers.get("Cache-Control", "")


def test_forms_without_their_token_are_refused(office):
    office.add("ana")
    browser = office.client("ana")
    for path in ("/login", "/logout", "/account/password", "/account/sessions/end"):
        for data in ({}, {"csrf_token": "x"}, {"csrf_token": office.client().token()}):
            answer = browser.post(path, data)
            assert answer.status_code == 400, path
            assert "too old" in answer.text
    assert browser.get("/account").status_code == 200


def test_proxies_are_believed_only_where_told(database_url, tmp_path, office):
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    told = office.client().get("/login", headers=headers).headers["Set-Cookie"]
    assert told.startswith("saferground=")
    behind = Office(database_url, tmp_path, proxies=1)
    told = behind.client().get("/login", headers=headers).headers["Set-Cookie"]
    assert told.startswith("__Host-saferground=")
    behind.close()


HOSTILE = [
    "<script>alert(1)</script>",
    "{{7*7}}",
    "'; DROP TABLE person; --",
    "`${x}`",
    "\u202egnp",
    "a\0b",
    "\ud800".encode("utf-8", "surrogatepass"),
    "=1+1",
    "x" * 400_000,
]


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field(office, typed):
    office.add("root", "administrator")
    outside, inside = office.client(), office.client("root")
    for browser, path, fields in (
        (outside, "/login", ("name", "password", "next")),
        (office.client("root", stage="code"), "/login/code", ("code",)),
        (inside, "/account/password", ("present", "password", "again")),
        (inside, "/admin/people/new", ("name", "display", "roles", "districts", "how")),
        (inside, "/admin/people/root", ("roles", "districts")),
    ):
        answer = browser.send(path, **dict.fromkeys(fields, typed))
        assert answer.status_code in (422, 429, 413), path
        assert "<script>alert" not in answer.text
        assert "{{" not in answer.text.replace("{{7*7}}", "")
        assert ">49<" not in answer.text
    for path in ("/admin/audit", "/admin/people"):
        query = dict.fromkeys(("person", "action", "q"), typed if len(typed) < 99 else "x" * 5000)
        answer = inside.get(path, query_string=query)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text
    for path in ("/setup/", "/admin/people/"):
        from urllib.parse import quote

        answer = inside.get(path + quote(typed[:3000], safe=""))
        assert answer.status_code == 404
    assert office.person("root").state == "active"


def test_a_ten_megabyte_form_is_refused_in_words(office):
    browser = office.client()
    answer = browser.post("/login", {"csrf_token": browser.token(), "name": "x" * 10_000_000})
    assert answer.status_code == 413
    assert "larger than can be taken" in answer.text


def test_codes_under_another_secret_key_are_told_and_let_nobody_in(office):
    office.add("ana")
    sealed = secrets.seal(Keys.derive(KEY + "other"), "ana", office.secrets["ana"])
    with office.database.session(write=True) as session:
        people.offer_codes(session, "ana", sealed)
        people.confirm_codes(session, "ana", step=0, recovery=[], when=office.now)
    answer = office.client("ana", stage="code").send("/login/code", code=office.code("ana"))
    assert answer.status_code == 422
    assert "user reset ana" in answer.text


def test_a_sealed_secret_opens_for_its_person_only(office):
    office.add("ana")
    office.add("bo")
    with office.database.session(write=True) as session:
        sealed, _ = people.code_secrets(session, "ana")
        people.offer_codes(session, "bo", sealed)
        people.confirm_codes(session, "bo", step=0, recovery=[], when=office.now)
    answer = office.client("bo", stage="code").send("/login/code", code=office.code("ana"))
    assert answer.status_code == 422


def test_nothing_that_lets_in_is_stored_as_it_is(real_digests, office):
    office.add("ana", with_codes=False)
    browser = office.client("ana", stage="enrol")
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", browser.get("/login/codes").text)[1]
    secret = office.secrets["ana"] = key.replace(" ", "")
    page = browser.send("/login/codes", code=office.code("ana")).text
    made = re.findall(r"<code>([a-z0-9-]{14})</code>", page)
    with browser.client.session_transaction() as kept:
        token = kept["token"]
    from sqlalchemy import MetaData

    known = MetaData()
    with office.database.engine.connect() as connection:
        known.reflect(connection, only=["person", "staff_session", "audit", "failures"])
        rows = [
            str([bytes(v) if isinstance(v, memoryview) else v for v in row])
            for table in known.tables.values()
            for row in connection.execute(table.select())
        ]
    told = "\n".join(rows)
    for text in (PASSWORD, secret, token, *made, made[0].replace("-", "")):
        assert text not in told
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in told
