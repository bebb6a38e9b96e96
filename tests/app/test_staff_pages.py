import json
import re

import pytest
from staffing import PASSWORD, Office, keep_city

from geodata.repositories import audit, people

OTHER = "two grey herons by the weir"


@pytest.fixture
def office(database_url, tmp_path):
    made = Office(database_url, tmp_path)
    keep_city(made.database, "town")
    made.add("root", "administrator")
    yield made
    made.close()


@pytest.fixture
def root(office):
    return office.client("root")


def link_in(page):
    return re.search(r"<code>http://localhost(/setup/[^<]+)</code>", page)[1]


def key_in(page):
    return re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")


def test_a_person_is_added_sets_a_password_and_codes_up_and_is_in(office, root):
    page = root.send(
        "/admin/people/new",
        name="Cora.Diaz",
        display="Cora Diaz",
        roles=["commander", "analyst"],
        districts=["town/D2"],
        how="password",
    )
    assert page.status_code == 200
    link = link_in(page.text)
    cora = office.person("cora.diaz")
    assert (cora.roles, cora.districts) == (("analyst", "commander"), ("town/D2",))
    listed = root.get("/admin/people").text
    assert "Cora Diaz" in listed
    assert "not set up yet" in listed
    browser = office.client()
    assert "cora.diaz" in browser.get(link).text
    for fields, told in (
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": "cora.diaz.cora.diaz", "again": "cora.diaz.cora.diaz"}, "first passwords"),
        ({"password": "password1234", "again": "password1234"}, "first passwords"),
        ({"password": OTHER, "again": "other"}, "twice"),
        ({"password": "", "again": ""}, "choose a password"),
    ):
        answer = browser.send(link, **fields)
        assert answer.status_code == 422
        assert told in answer.text
        assert OTHER not in answer.text
    assert browser.send(link, password=OTHER, again=OTHER).location == "/login/codes"
    assert office.client().get(link).status_code == 404  # used
    office.secrets["cora.diaz"] = key_in(browser.get("/login/codes").text)
    assert browser.send("/login/codes", code=office.code("cora.diaz")).status_code == 200
    account = browser.get("/account").text
    assert "town/D2" in account
    assert "10 recovery codes are left" in account
    assert office.actions()[-4:] == [
        "person.invite",
        "person.password",
        "person.codes_set_up",
        "sign_in.done",
    ]


def test_a_set_up_link_holds_for_a_day(office, root):
    page = root.send("/admin/people/new", name="bo", roles=["viewer"], how="password")
    link = link_in(page.text)
    office.wait(hours=23, minutes=59)
    assert office.client().get(link).status_code == 200
    office.wait(minutes=1)
    answer = office.client().get(link)
    assert answer.status_code == 404
    assert "holds no more" in answer.text


def test_forms_keep_what_was_typed_and_tell_at_the_field(office, root):
    answer = root.send(
        "/admin/people/new", name="ROOT", display="Her", roles=["viewer"], how="password"
    )
    assert answer.status_code == 422
    assert "somebody is called root already" in answer.text
    assert 'value="ROOT"' in answer.text
    assert 'value="Her"' in answer.text
    assert re.search(r'value="viewer" checked', answer.text)
    answer = root.send("/admin/people/new", name="bo", how="password")
    assert "choose a role" in answer.text
    for wrong in ({"roles": ["king"]}, {"roles": ["viewer"], "districts": ["town/D9"]}):
        answer = root.send("/admin/people/new", name="bo", how="password", **wrong)
        assert answer.status_code == 422
    with office.database.session() as session:
        assert people.find_person(session, "bo") is None


def test_where_somebody_receives_mail_is_set_by_an_administrator(office, root):
    office.add("ana", "analyst")
    page = "/admin/people/ana"
    answer = root.send(f"{page}/email", page=page, email="ana")
    assert answer.status_code == 422
    assert "is no mail address" in answer.text
    answer = root.send(f"{page}/email", page=page, email="ana@example.org\r\nBcc: eve@example.org")
    assert answer.status_code == 422
    assert root.send(f"{page}/email", page=page, email=" ana@example.org ").location == page
    assert office.person("ana").email == "ana@example.org"
    assert 'value="ana@example.org"' in root.get(page).text
    (entry,) = office.entries("person.email")
    assert (entry.person, entry.object) == ("root", "ana")
    root.send(f"{page}/email", page=page, email="")
    assert office.person("ana").email == ""


def test_without_a_provider_everybody_has_a_password(office, root):
    root.send("/admin/people/new", name="bo", roles=["viewer"], how="provider")
    assert not office.person("bo").from_provider


def test_roles_change_and_end_sessions(office, root):
    office.add("ana", "analyst")
    browser = office.client("ana")
    answer = root.send(
        "/admin/people/ana", roles=["commander", "viewer"], districts=["town/D1", "town/D2"]
    )
    assert answer.location == "/admin/people/ana"
    page = root.get("/admin/people/ana").text
    assert "are kept" in page
    assert re.search(r'value="commander" checked', page)
    assert office.person("ana").districts_of("town") == ("D1", "D2")
    assert browser.get("/account").status_code == 303
    (entry,) = office.entries("person.roles")
    assert entry.person == "root"
    assert entry.details["before"] == {"roles": ["analyst"], "districts": []}
    root.send("/admin/people/ana", roles=["officer"])
    assert "sees none" in root.get("/admin/people/ana").text


def test_disabling_has_to_be_meant_and_is_undone(office, root):
    office.add("ana", "analyst")
    path, page = "/admin/people/ana/state", "/admin/people/ana"
    answer = root.send(path, page=page, state="disabled")
    assert answer.status_code == 422
    assert "tick the box" in answer.text
    assert office.person("ana").state == "active"
    assert root.send(path, page=page, state="disabled", sure="y").status_code == 303
    assert office.person("ana").state == "disabled"
    assert root.send(path, page=page, state="active").status_code == 303
    assert office.person("ana").state == "active"
    assert root.send(path, page=page, state="king").status_code == 400


def test_the_last_administrator_cannot_lock_everybody_out(office, root):
    page = "/admin/people/root"
    answer = root.send(f"{page}/state", page=page, state="disabled", sure="y")
    assert answer.status_code == 422
    assert "only administrator left" in answer.text
    answer = root.send(page, roles=["viewer"])
    assert answer.status_code == 422
    assert "only administrator left" in answer.text


def test_a_reset_gives_a_new_link_and_ends_the_old_way_in(office, root):
    office.add("ana", "analyst")
    browser = office.client("ana")
    page = root.send("/admin/people/ana/reset", page="/admin/people/ana")
    assert browser.get("/account").status_code == 303
    assert office.client().send("/login", name="ana", password=PASSWORD).status_code == 422
    assert office.client().get(link_in(page.text)).status_code == 200
    with office.database.session(write=True) as session:
        people.change_state(session, "ana", people.DISABLED, "root", office.now)
    root.send("/admin/people/ana/reset", page="/admin/people/root")
    assert "is disabled" in root.get("/admin/people/ana").text


def test_an_administrator_ends_sessions(office, root):
    office.add("ana", "analyst")
    browser = office.client("ana")
    root.send("/admin/people/ana/sessions/end", page="/admin/people/ana")
    assert browser.get("/account").status_code == 303
    assert office.entries("person.sessions_ended")[0].details == {"sessions": 1}


def test_whom_nobody_knows_has_no_page(office, root):
    for path in ("/admin/people/nobody", "/admin/people/a%00b", "/admin/people/%3Cb%3E"):
        assert root.get(path).status_code == 404
    for step in ("state", "reset", "sessions/end"):
        answer = root.send(
            f"/admin/people/nobody/{step}", page="/admin/people/root", state="active"
        )
        assert answer.status_code == 404


def test_people_are_filtered_and_paged(office, root):
    for i in range(60):
        office.add(f"p{i:02}", "viewer", password=None)
    first = root.get("/admin/people").text
    assert "61 of 61" in first
    assert "Page 1 of 2" in first
    assert "p59" not in first
    assert "p59" in root.get("/admin/people?page=2").text
    assert "p59" in root.get("/admin/people?page=99").text  # the last
    for page in ("0", "x", "-1", "²", "9" * 40):
        assert root.get("/admin/people", query_string={"page": page}).status_code == 400, page
    assert "1 of 61" in root.get("/admin/people?q=P07").text
    assert "Nobody is called so" in root.get("/admin/people?q=zz").text
    assert root.get("/admin/people?state=king").status_code == 400


def test_the_audit_is_shown_filtered_paged_and_exported(office, root):
    with office.database.session(write=True) as session:
        for i in range(120):
            told = {"n": i, "before": {"roles": []}}
            audit.record(session, "<b>ana</b>", "run.fit", f"run {i}", told)
    page = root.get("/admin/audit").text
    assert "Page 1 of 3" in page
    assert "run 119" in page
    assert "<b>ana" not in page
    assert "&lt;b&gt;ana" in page
    narrowed = root.get("/admin/audit?action=sign_in.done&person=root").text
    assert "run 119" not in narrowed
    assert "Export 1 entry" in narrowed
    assert "Nothing was recorded" in root.get("/admin/audit?to=2001-01-01").text
    assert root.get("/admin/audit?from=yesterday").status_code == 400
    answer = root.get("/admin/audit/export?action=run")
    assert answer.headers["Content-Disposition"] == "attachment; filename=audit.jsonl"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["object"] for line in lines] == [f"run {i}" for i in range(120)]
    (entry,) = office.entries("audit.export")
    assert (entry.person, entry.details["action"]) == ("root", "run")
    with office.database.session() as session:
        assert audit.verify(session).fault is None


def test_exports_of_the_audit_are_limited(office, root):
    path = "/admin/audit/export?to=2001-01-01"
    answers = [root.get(path, buffered=True).status_code for _ in range(7)]
    assert answers == [200] * 6 + [429]


def test_changing_the_password_keeps_this_session_only(office):
    office.add("ana")
    browser = office.client("ana")
    office.wait(seconds=60)
    other = office.client("ana")
    path = "/account/password"
    answer = browser.send(path, present="wrong", password=OTHER, again=OTHER)
    assert "not your present password" in answer.text
    answer = browser.send(path, present=PASSWORD, password="aaaaaaaaaaaa", again="aaaaaaaaaaaa")
    assert "different characters" in answer.text
    answer = browser.send(path, present=PASSWORD, password=OTHER, again=OTHER)
    assert answer.location == "/account"
    assert "is changed" in browser.get("/account").text
    assert other.get("/account").status_code == 303
    assert office.client().send("/login", name="ana", password=PASSWORD).status_code == 422
    assert office.client().send("/login", name="ana", password=OTHER).status_code == 303


def test_guesses_at_the_present_password_are_locked_too(office):
    office.add("ana")
    browser = office.client("ana")
    for _ in range(5):
        assert browser.send("/account/codes", present="wrong").status_code == 422
    assert browser.send("/account/codes", present=PASSWORD).status_code == 429


def test_codes_are_set_up_anew_with_the_password_only(office):
    office.add("ana")
    browser = office.client("ana")
    assert browser.get("/account/codes/new").location == "/account/codes"
    assert browser.get("/account/codes/picture.svg").status_code == 404
    assert browser.send("/account/codes", present="wrong").status_code == 422
    assert browser.send("/account/codes", present=PASSWORD).location == "/account/codes/new"
    page = browser.get("/account/codes/new").text
    assert browser.get("/account/codes/picture.svg").mimetype == "image/svg+xml"
    old, key = dict(office.secrets), key_in(page)
    assert key != old["ana"]
    office.wait(seconds=60)
    assert office.client("ana").get("/account").status_code == 200  # the old ones still hold
    office.secrets["ana"] = key
    done = browser.send("/account/codes/new", code=office.code("ana"))
    assert "Write these recovery codes down" in done.text
    office.wait(seconds=60)
    assert browser.get("/account").status_code == 200
    half = office.client("ana", stage="code")
    office.secrets = old
    assert half.send("/login/code", code=office.code("ana")).status_code == 422


def test_an_offer_of_new_codes_ends_after_ten_minutes(office):
    office.add("ana")
    browser = office.client("ana")
    browser.send("/account/codes", present=PASSWORD)
    office.wait(minutes=11)
    assert browser.get("/account/codes/new").location == "/account/codes"


def test_one_of_the_own_sessions_is_ended_and_nobody_elses(office, root):
    office.add("ana")
    browser = office.client("ana")
    office.wait(seconds=60)
    other = office.client("ana")
    page = browser.get("/account").text
    (path,) = re.findall(r'action="(/account/sessions/\d+/end)"', page)
    assert root.send(path, page="/account").status_code == 404
    assert other.get("/account").status_code == 200
    assert browser.send(path, page="/account").location == "/account"
    assert other.get("/account").status_code == 303
    assert browser.get("/account").status_code == 200


def test_staff_pages_are_in_english_whatever_the_switch_says(office, root):
    root.client.set_cookie("language", "es")
    page = root.get("/admin/people")
    assert page.headers["Content-Language"] == "en"
    assert "lang=es" not in page.text
