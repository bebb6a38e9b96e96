"""One-time links of the demonstration: each once, for an hour, from this machine, nowhere else."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest
import requests
from desk_fixtures import words
from staffing import NOW, Office, keep_city

from app.admin import demonstration
from app.auth.demo_links import INVENTED, MADE_BY, OneTimeLinks, disable_people, make_links, why_not
from app.config import make_secret_key
from geodata.db.engine import open_database, upgrade
from geodata.db.tables import City
from geodata.repositories import people

HOST = "127.0.0.1"
FIRST_WORDS = {
    "the workbench, as an analyst": "Town",
    "the desk of a district, as its commander": "D1",
    "the field log, as an officer": "D1",
    "the releases, as who approves them": "Releases",
}


class Demonstration:
    """A synthetic town that is served as a demonstration."""

    def __init__(self, office):
        self.office = office
        self.links = OneTimeLinks(HOST)
        demonstration.register(office.app, self.links)

    def open(self):
        """Give the address of a new link by what it opens."""
        with self.office.database.session(write=True) as session:
            made = make_links(session, self.links, "town", "D1", self.office.now)
        return {what: f"/demonstration/{token}" for what, token in made}

    def close(self):
        with self.office.database.session(write=True) as session:
            disable_people(session, self.office.now)

    def change_city(self, **values):
        with self.office.database.session(write=True) as session:
            city = session.query(City).one()
            for name, value in values.items():
                setattr(city, name, value)


@pytest.fixture(scope="module")
def demo(town_desk):
    return Demonstration(town_desk.office)


@pytest.mark.parametrize("what", FIRST_WORDS)
def test_a_link_opens_the_page_of_its_role_at_once(demo, what):
    browser = demo.office.client()
    answer = browser.get(demo.open()[what], follow_redirects=True)
    assert answer.status_code == 200
    assert FIRST_WORDS[what] in words(answer)
    invented = next(invented for invented in INVENTED if invented.what == what)
    assert invented.display in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    person = demo.office.person(invented.name)
    assert person.roles == (invented.role,)
    assert person.password_hash is None
    assert not person.codes


def test_a_link_opens_no_page_of_another_role(demo):
    browser = demo.office.client()
    browser.get(demo.open()["the field log, as an officer"])
    assert browser.get("/command/town/D1/log").status_code == 200
    assert browser.get("/command/town/D2/log").status_code == 403
    assert browser.get("/command/town/D1/plans/new").status_code == 403
    assert browser.get("/admin/people").status_code == 403


def test_a_link_works_once(demo):
    address = demo.open()["the workbench, as an analyst"]
    assert demo.office.client().get(address).status_code == 303
    again = demo.office.client()
    answer = again.get(address)
    assert answer.status_code == 404
    assert "opens once" in answer.text
    assert again.get("/analyst/town/").location.startswith("/login")


def test_what_looks_at_a_link_beforehand_does_not_use_it_up(demo):
    address = demo.open()["the workbench, as an analyst"]
    assert demo.office.client().client.head(address).status_code == 204
    assert demo.office.client().get(address).status_code == 303


def test_a_link_is_over_after_an_hour(demo):
    first, second = (demo.open()["the workbench, as an analyst"] for _ in range(2))
    demo.office.wait(minutes=59, seconds=59)
    assert demo.office.client().get(first).status_code == 303
    demo.office.wait(seconds=1)
    assert demo.office.client().get(second).status_code == 404


@pytest.mark.parametrize(
    "request_of_another",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"environ_overrides": {"REMOTE_ADDR": ""}},
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=192.0.2.7"}},
        {"headers": {"Host": "demo.example"}},
    ],
)
def test_another_machine_is_refused_and_does_not_use_a_link_up(demo, request_of_another):
    demo.office.app.extensions["saferground.hosts"] |= {"demo.example"}
    address = demo.open()["the workbench, as an analyst"]
    client = demo.office.app.test_client()
    assert client.get(address, **request_of_another).status_code == 403
    assert "Set-Cookie" not in client.get(address, **request_of_another).headers
    assert demo.office.client().get(address).status_code == 303


def test_the_next_link_signs_the_person_before_out(demo):
    browser, addresses = demo.office.client(), demo.open()
    browser.get(addresses["the workbench, as an analyst"])
    stale = browser.client.get_cookie("saferground").value
    browser.get(addresses["the field log, as an officer"])
    assert browser.get("/analyst/town/runs/new").status_code == 403
    browser.client.set_cookie("saferground", stale)
    assert browser.get("/analyst/town/").location.startswith("/login")


def test_nobody_comes_in_once_a_real_city_is_there(demo):
    address = demo.open()["the workbench, as an analyst"]
    demo.change_city(synthetic=False)
    try:
        assert demo.office.client().get(address).status_code == 404
    finally:
        demo.change_city(synthetic=True)


def test_the_end_of_the_demonstration_ends_sessions_and_links(demo):
    browser, addresses = demo.office.client(), demo.open()
    browser.get(addresses["the workbench, as an analyst"])
    assert browser.get("/analyst/town/").status_code == 200
    demo.close()
    assert browser.get("/analyst/town/").location.startswith("/login")
    assert demo.office.client().get(addresses["the field log, as an officer"]).status_code == 404
    with demo.office.database.session() as session:
        states = {one.state for one in people.list_people(session) if one.created_by == MADE_BY}
    assert states == {"disabled"}


def test_the_audit_names_each_that_came_in(demo):
    demo.office.client().get(demo.open()["the releases, as who approves them"])
    newest = demo.office.entries("sign_in.done")[0]
    assert newest.person == "demonstration-publisher"
    assert newest.details["with"] == "demonstration link"


@pytest.fixture
def real(tmp_path):
    upgrade(f"sqlite:///{tmp_path}/real.sqlite")
    made = Office(f"sqlite:///{tmp_path}/real.sqlite", tmp_path)
    keep_city(made.database, "durham")
    yield made
    made.close()


def test_a_real_instance_has_no_such_address(real):
    assert real.client().get("/demonstration/anything").status_code == 404
    assert not [r for r in real.app.url_map.iter_rules() if r.endpoint.startswith("demonstration")]


def test_no_link_is_made_where_others_could_come_or_a_city_is_real(demo, real, tmp_path):
    with demo.office.database.session() as session:
        settings = demo.office.settings
        assert why_not(session, settings, HOST) is None
        assert "other machines" in why_not(session, settings, "192.0.2.1")
        behind = Office(settings.database_url, tmp_path / "behind", proxies=1)
        assert "SAFERGROUND_PROXIES" in why_not(session, behind.settings, HOST)
        behind.close()
    with real.database.session() as session:
        assert why_not(session, real.settings, HOST) == "this instance holds a real city (durham)"


def test_somebody_who_was_called_so_before_gets_no_link_and_stays(real):
    real.add("demonstration-analyst", "viewer")
    database = open_database(real.settings.database_url)
    with database.session(write=True) as session:
        made = make_links(session, OneTimeLinks(HOST), "durham", "D1", NOW)
        disable_people(session, NOW)
    database.close()
    assert "the workbench, as an analyst" not in dict(made)
    assert len(made) == len(INVENTED) - 1
    person = real.person("demonstration-analyst")
    assert (person.roles, person.state) == (("viewer",), "active")


SERVING = """
from app.cli.demo_command import serve_demo
from app.config import Settings
serve_demo(Settings.from_env(), {port}, "alder", "D1")
"""


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextmanager
def started(instance, *command, until):
    """Start a server as its command does; give it and what it printed until it listened."""
    environment = {"PATH": os.environ["PATH"], "SAFERGROUND_INSTANCE": str(instance)}
    with subprocess.Popen(
        [sys.executable, *command], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        printed = ""
        for line in process.stderr:
            printed += line
            if until in line:
                break
        try:
            yield process, printed
        finally:
            process.kill()


def page(address, cookie=""):
    """Ask for a page once it is served; give status, cookie and where it leads."""
    for _ in range(100):
        with suppress(requests.ConnectionError):
            answer = requests.get(
                address, headers={"Cookie": cookie}, allow_redirects=False, timeout=30
            )
            made = answer.headers.get("Set-Cookie", "").partition(";")[0]
            return answer.status_code, made, answer.headers.get("Location", "")
        time.sleep(0.1)
    pytest.fail(f"{address} is not answered")


def test_as_it_is_served_and_once_it_was_killed_the_next_server_closes_the_doors(tmp_path):
    database = f"sqlite:///{tmp_path}/saferground.sqlite"
    upgrade(database)
    make_secret_key(tmp_path / "secret_key")
    opened = open_database(database)
    keep_city(opened, "alder")
    with opened.session(write=True) as session:
        session.query(City).one().synthetic = True
    port = free_port()
    base = f"http://{HOST}:{port}"
    with started(tmp_path, "-c", SERVING.format(port=port), until="is at") as (first, printed):
        links = re.findall(rf"{base}/demonstration/[\w-]{{43}}", printed)
        assert len(links) == len(INVENTED)
        status, cookie, leads = page(links[0])
        assert (status, leads) == (303, "/analyst/alder/")
        assert page(f"{base}/analyst/alder/", cookie)[0] == 200
        first.kill()
    serve = ("-m", "app.cli", "serve", "--no-worker", "--port", str(port))
    with started(tmp_path, *serve, until="is at") as (_, printed):
        assert "/demonstration/" not in printed
        assert "Nobody can sign in yet" in printed
        assert page(links[1])[0] == 404
        assert page(f"{base}/analyst/alder/", cookie)[2].startswith("/login")
    with started(tmp_path, "-c", SERVING.format(port=port), until="is at") as (last, _):
        assert page(f"{base}/analyst/alder/", cookie)[2].startswith("/login")
        last.terminate()
        last.wait(30)
    with opened.session() as session:
        states = {one.state for one in people.list_people(session)}
    assert states == {"disabled"}
    opened.close()
