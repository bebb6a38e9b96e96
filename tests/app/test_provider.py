"""Signing in through a real OpenID provider: another process, on loopback."""

import socket
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from staffing import PASSWORD, Office

from app.config import Provider, Settings, SettingsError
from geodata.repositories import people

ROLES = (("sg-analysts", "analyst"), ("sg-admins", "administrator"))


def wait_for(url, process):
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            return requests.get(url, timeout=5).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the provider did not start")


@pytest.fixture(scope="module")
def issuer():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), "-n"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/.well-known/openid-configuration", process)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def make_office(database_url, tmp_path, issuer):
    made = []

    def make(**change):
        fields = {"issuer": issuer, "client_id": "saferground", "client_secret": "hush", **change}
        made.append(Office(database_url, tmp_path, provider=Provider(**fields)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def office(make_office):
    return make_office()


def tell(issuer, sub, **claims):
    """Let the provider know somebody."""
    answer = requests.put(f"{issuer}/users/{sub}", json=claims, timeout=10)
    answer.raise_for_status()


def agree(there, sub):
    """Sign in at the provider; give the address of ours that it sends the browser back to."""
    answer = requests.post(there, data={"sub": sub}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def through(browser, sub, then=""):
    """Go to the provider and come back."""
    sent = browser.get("/login/provider" + (f"?next={then}" if then else ""))
    assert sent.status_code == 302
    return browser.get(agree(sent.location, sub))


def test_who_is_known_here_and_there_is_let_in(office, issuer):
    office.add("ana", "analyst", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="Ana", email="ana@example.org")
    browser = office.client()
    assert "Sign in with single sign-on" in browser.get("/login").text
    answer = through(browser, "s-1", "/account?x=1")
    assert answer.location == "/account?x=1"
    account = browser.get("/account").text
    assert "through your organisation" in account
    assert browser.get("/account/password").status_code == 404
    assert browser.get("/account/codes").status_code == 404
    (entry,) = office.entries("sign_in.done")
    assert entry.details["with"] == "provider"
    assert "person.provider_bound" in office.actions()


def test_the_request_has_state_nonce_and_a_challenge_of_its_own(office):
    seen = []
    for _ in range(2):
        asked = parse_qs(urlsplit(office.client().get("/login/provider").location).query)
        assert asked["response_type"] == ["code"]
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["redirect_uri"] == ["http://localhost/login/provider/return"]
        assert "openid" in asked["scope"][0].split()
        seen.append([asked[name][0] for name in ("state", "nonce", "code_challenge")])
    assert all(len(one) >= 20 for pair in seen for one in pair)
    assert not set(seen[0]) & set(seen[1])


def test_the_verifier_of_the_challenge_goes_with_the_code(office, issuer, monkeypatch):
    office.add("ana", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="ana")
    sent = []
    request = requests.Session.request

    def watch(self, method, url, **options):
        sent.append((url, options.get("data")))
        return request(self, method, url, **options)

    browser = office.client()
    there = browser.get("/login/provider").location
    challenge = parse_qs(urlsplit(there).query)["code_challenge"][0]
    back = agree(there, "s-1")
    monkeypatch.setattr(requests.Session, "request", watch)
    assert browser.get(back).status_code == 303
    (data,) = [data for url, data in sent if url.endswith("/oauth2/token")]
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    assert create_s256_code_challenge(data["code_verifier"]) == challenge


def refused(answer):
    assert answer.status_code == 403
    assert "You are not signed in" in answer.text
    return answer.text


def test_strangers_and_people_with_a_password_are_not_let_in(office, issuer):
    office.add("bo", "administrator")
    tell(issuer, "s-2", preferred_username="nobody-here")
    tell(issuer, "s-3", preferred_username="bo")  # a name there is no password here
    tell(issuer, "s-4", email="ana@example.org")
    for sub in ("s-2", "s-3", "s-4"):
        browser = office.client()
        assert "ask an administrator" in refused(through(browser, sub))
        assert browser.get("/account").status_code == 303
    assert len(office.entries("sign_in.failed")) == 3
    assert office.person("bo").subject is None
    assert office.client().send("/login", name="bo", password=PASSWORD).status_code == 303


def test_a_name_that_is_given_to_somebody_else_opens_nothing(office, issuer):
    office.add("ana", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="ana")
    assert through(office.client(), "s-1").status_code == 303
    tell(issuer, "s-9", preferred_username="ana")
    refused(through(office.client(), "s-9"))
    tell(issuer, "s-1", preferred_username="renamed")  # the person stays the same
    assert through(office.client(), "s-1").status_code == 303


def test_who_is_disabled_here_is_not_let_in(office, issuer):
    office.add("ana", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="ana")
    browser = office.client()
    through(browser, "s-1")
    with office.database.session(write=True) as session:
        people.change_state(session, "ana", people.DISABLED, "root", office.now)
    assert browser.get("/account").status_code == 303
    refused(through(office.client(), "s-1"))


def test_somebody_of_the_provider_has_no_password_here(office):
    office.add("ana", from_provider=True, password=None)
    answer = office.client().send("/login", name="ana", password=PASSWORD)
    assert answer.status_code == 422


def test_roles_follow_the_provider_where_it_tells_them(make_office, issuer):
    office = make_office(role_claim="groups", roles=ROLES)
    office.add("ana", "viewer", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="ana", groups=["sg-analysts", "choir"])
    browser = office.client()
    assert through(browser, "s-1").status_code == 303
    assert browser.get("/account").status_code == 200
    assert office.person("ana").roles == ("analyst",)
    (entry,) = office.entries("person.roles")
    assert entry.person == "provider"
    tell(issuer, "s-1", preferred_username="ana", groups="sg-admins")
    second = office.client()
    assert through(second, "s-1").location == "/admin/people"
    assert browser.get("/account").status_code == 303  # other roles end the session before
    for groups in ([], ["choir"], None, {"sg-admins": 1}):
        tell(issuer, "s-1", preferred_username="ana", groups=groups)
        refused(through(office.client(), "s-1"))
    assert office.person("ana").roles == ("administrator",)


def test_an_unverified_address_is_no_name(make_office, issuer):
    office = make_office(name_claim="email")
    office.add("ana@example.org", from_provider=True, password=None)
    tell(issuer, "s-1", email="ana@example.org")
    refused(through(office.client(), "s-1"))
    tell(issuer, "s-1", email="ana@example.org", email_verified=True)
    assert through(office.client(), "s-1").status_code == 303


def test_answers_that_were_not_asked_for_are_refused(office, issuer):
    office.add("ana", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="ana")
    browser = office.client()
    back = agree(browser.get("/login/provider").location, "s-1")
    refused(office.client().get(back))  # another browser: login forged across sites
    for path in (
        "/login/provider/return",
        "/login/provider/return?code=x&state=y",
        "/login/provider/return?error=access_denied",
        back.replace("state=", "state=x"),
    ):
        refused(browser.get(path))
    browser = office.client()
    back = agree(browser.get("/login/provider").location, "s-1")
    assert browser.get(back).status_code == 303
    browser.send("/logout", page="/account")
    refused(browser.get(back))  # a code and a state count once


def test_a_token_with_another_nonce_is_refused(office, issuer):
    office.add("ana", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="ana")
    browser = office.client()
    back = agree(browser.get("/login/provider").location, "s-1")
    with browser.client.session_transaction() as kept:
        (name,) = [name for name in kept if name.startswith("_state_provider_")]
        kept[name] = {**kept[name], "data": {**kept[name]["data"], "nonce": "another"}}
    refused(browser.get(back))


@pytest.mark.parametrize("change", [{"client_id": "somebody-else"}, {"issuer": "other"}])
def test_a_token_for_or_from_somebody_else_is_refused(make_office, issuer, change):
    """The token is for the client that asked; another issuer or audience is not taken."""
    office = make_office()
    office.add("ana", from_provider=True, password=None)
    tell(issuer, "s-1", preferred_username="ana")
    browser = office.client()
    back = agree(browser.get("/login/provider").location, "s-1")
    import dataclasses

    settings, client = office.app.extensions["saferground.provider"]
    office.app.extensions["saferground.provider"] = (
        dataclasses.replace(settings, **{k: f"https://{v}" for k, v in change.items()}),
        client,
    )
    refused(browser.get(back))


def test_a_provider_that_does_not_answer_is_told(database_url, tmp_path):
    nowhere = Provider(issuer="http://127.0.0.1:9", client_id="x", client_secret="y")
    office = Office(database_url, tmp_path, provider=nowhere)
    answer = office.client().get("/login/provider")
    assert answer.status_code == 403
    assert "did not let you in" in answer.text
    office.close()


def test_without_a_provider_there_is_no_such_door(database_url, tmp_path):
    office = Office(database_url, tmp_path)
    browser = office.client()
    assert "/login/provider" not in browser.get("/login").text
    for path in ("/login/provider", "/login/provider/return?code=x&state=y"):
        assert browser.get(path).status_code == 404
    office.close()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"ISSUER": "http://id.example.org"}, "https"),
        ({"ISSUER": "https://id.example.org", "CLIENT_SECRET": ""}, "_CLIENT_SECRET too"),
        ({"ISSUER": "https://id.example.org", "ROLES": "x=analyst"}, "set both"),
        ({"ISSUER": "https://id.example.org", "ROLE_CLAIM": "groups"}, "set both"),
        ({"ISSUER": "https://x.org", "ROLE_CLAIM": "g", "ROLES": "x=king"}, "names no role"),
        ({"ISSUER": "https://x.org", "ROLE_CLAIM": "g", "ROLES": "analyst"}, "VALUE=ROLE"),
    ],
)
def test_settings_that_cannot_be_are_told(monkeypatch, settings, told):
    for name, value in {"CLIENT_ID": "a", "CLIENT_SECRET": "b", **settings}.items():
        monkeypatch.setenv(f"SAFERGROUND_OIDC_{name}", value)
    with pytest.raises(SettingsError, match=told):
        Settings.from_env()
