"""An office of people who sign in, for tests: real passwords, real codes, a clock that is set."""

import dataclasses
import datetime as dt
import re

import pyotp
import pytest
import shapely
from argon2 import PasswordHasher

from app import create_app
from app.auth import secrets
from app.auth.programs import make_token
from app.auth.secrets import Keys
from app.config import Settings
from geodata.db.engine import open_database
from geodata.db.tables import City, District
from geodata.repositories import audit, people

KEY = "a-secret-key-for-tests-only-0123456789"
PASSWORD = "a sofa on the north pier"
NOW = dt.datetime(2026, 3, 4, 10, 0)
STAGES = ("full", "code", "enrol")
_digests = {}


@pytest.fixture(autouse=True, scope="session")
def quick_digests():
    """Digest passwords with the least work there is: what is tested is not how slow that is."""
    real, secrets._hasher = secrets._hasher, PasswordHasher(1, 8, 1)
    yield real
    secrets._hasher = real


@pytest.fixture
def real_digests(quick_digests, monkeypatch):
    """Digest passwords as the product does."""
    monkeypatch.setattr(secrets, "_hasher", quick_digests)
    monkeypatch.setattr(secrets, "_nobodys", [])
    monkeypatch.setitem(_digests, PASSWORD, secrets.digest(PASSWORD))


def digest(password):
    """Work a digest out once: it is slow on purpose."""
    if password not in _digests:
        _digests[password] = secrets.digest(password)
    return _digests[password]


def keep_city(database, slug):
    """Store a city of two districts, D1 and D2."""
    area = shapely.set_srid(shapely.box(500_000, 4_000_000, 501_000, 4_001_000), 32617)
    with database.session(write=True) as session:
        city = City(
            slug=slug,
            name=slug.title(),
            crs="EPSG:32617",
            timezone="America/New_York",
            cell_units=100.0,
            block_units=200.0,
            study_area=area,
            imported_at=NOW,
        )
        session.add(city)
        session.flush()
        for position, code in enumerate(("D1", "D2")):
            session.add(
                District(city_id=city.id, code=code, name=code, position=position, geom=area)
            )


class Office:
    def __init__(self, url, folder, **options):
        self.settings = Settings(database_url=url, instance=folder, secret_key=KEY, **options)
        self.app = create_app(self.settings)
        self.database = open_database(url)
        self.secrets = {}
        self.now = NOW
        desk = dataclasses.replace(self.app.extensions["saferground.desk"], clock=lambda: self.now)
        self.app.extensions["saferground.desk"] = desk

    def close(self):
        self.database.close()
        self.app.extensions["saferground.desk"].database.close()

    def wait(self, **span):
        self.now += dt.timedelta(**span)

    def add(self, name, *roles, password=PASSWORD, with_codes=True, **more):
        with self.database.session(write=True) as session:
            people.add_person(
                session, name, roles=roles or ["viewer"], who="root", when=self.now, **more
            )
            if password:
                stored = digest(password)
                people.set_password(session, name, stored, who="root", when=self.now)
            if with_codes and password:
                self.secrets[name] = secrets.new_secret()
                sealed = secrets.seal(Keys.derive(KEY), name, self.secrets[name])
                people.offer_codes(session, name, sealed)
                people.confirm_codes(session, name, step=0, recovery=[], when=self.now)

    def code(self, name, steps=0):
        seconds = self.now.replace(tzinfo=dt.UTC).timestamp()
        return pyotp.TOTP(self.secrets[name]).at(int(seconds) + 30 * steps)

    def client(self, name=None, stage="full", https=False):
        """Give a browser, signed in as far as wanted."""
        browser = Browser(self.app, https)
        if name:
            answer = browser.send("/login", name=name, password=PASSWORD)
            assert answer.status_code == 303, answer.text
            if stage == "full":
                answer = browser.send("/login/code", code=self.code(name))
                assert answer.status_code == 303, answer.text
        return browser

    def token(self, name, *scopes, label="a test", days=90):
        """Make an access token of somebody."""
        with self.database.session(write=True) as session:
            made, _ = make_token(
                session,
                name,
                label=label,
                scopes=scopes or ["read"],
                who=name,
                when=self.now,
                days=days,
            )
        return made

    def program(self, token=None):
        """Give a client that sends a token with each request, and no cookie."""
        client = self.app.test_client(use_cookies=False)
        if token:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def person(self, name):
        with self.database.session() as session:
            return people.get_person(session, name)

    def actions(self):
        with self.database.session() as session:
            return [entry.action for entry in audit.entries(session, audit.AuditFilter())][::-1]

    def entries(self, action):
        with self.database.session() as session:
            return list(audit.entries(session, audit.AuditFilter(action=action)))


class Browser:
    """A test client that sends forms with their own token, as a browser does."""

    def __init__(self, app, https=False):
        self.client = app.test_client()
        self.base = "https://localhost" if https else "http://localhost"

    def get(self, path, **options):
        return self.client.get(path, base_url=self.base, **options)

    def post(self, path, data=None, **options):
        if self.base.startswith("https"):
            options.setdefault("headers", {"Referer": self.base + path})
        if "json" not in options:
            options["data"] = data or {}
        return self.client.post(path, base_url=self.base, **options)

    def token(self, page="/login"):
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        return found[1] if found else ""

    def send(self, path, page=None, **data):
        """Fetch the page of a form, fill it in and send it."""
        return self.post(path, {"csrf_token": self.token(page or path), **data})
