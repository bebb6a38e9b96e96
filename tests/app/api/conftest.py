"""A town with a release, a run and people with tokens: the interface as programs meet it."""

import dataclasses
import datetime as dt
from types import SimpleNamespace

import pytest
from published import publish
from releasing import keep_run, town_run
from run_documents import district_effect, validation
from staffing import Office

from app.auth import permissions
from geodata.db.engine import open_database
from geodata.repositories.job_queue import add_job
from geodata.repositories.run_analyses import keep_analysis

RUN, LATER = "a" * 12, "b" * 12


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """The published town with its staff, each with a token that has every scope."""
    published = publish(tmp_path_factory)
    database = open_database(published.settings.database_url)
    later = town_run(LATER, outcome="burglary")
    effects = tuple(district_effect(code) for code in ("D1", "D2"))
    told = dataclasses.replace(later.result, districts=effects)
    keep_run(database, later, used=False, result=told)
    with database.session(write=True) as session:
        keep_analysis(session, "2024-04", validation(RUN, dt.date(2024, 4, 1), dt.date(2024, 5, 1)))
        job = {"kind": "fit", "city": "town", "asked_by": "ana", "digest": "0" * 64}
        add_job(session, **job, arguments={"city": "town", "outcome": "robbery"})
    database.close()
    office = Office(published.settings.database_url, published.settings.instance)
    tokens = {}
    for name in ("viewer", "officer", "analyst"):
        districts = {"districts": ["town/D1"]} if name == "officer" else {}
        office.add(name, name, with_codes=False, **districts)
        tokens[name] = office.token(name, "read", "jobs", "rows")
    yield SimpleNamespace(office=office, published=published, tokens=tokens, app=office.app)
    office.close()


@pytest.fixture
def client(town):
    """A program without a token."""
    return town.office.program()


@pytest.fixture
def analyst(town):
    """The program of an analyst."""
    return town.office.program(town.tokens["analyst"])


@pytest.fixture
def unlimited(town, monkeypatch):
    """Ask as often as one likes; what was asked is past when the next test begins."""
    for name in ("EACH_TOKEN", "WRONG_TOKENS"):
        monkeypatch.setattr(permissions, name, permissions.Limit(count=10**9))
    yield
    town.office.wait(seconds=2 * permissions.Limit(count=1).window_s)
