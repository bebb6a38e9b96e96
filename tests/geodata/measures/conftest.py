import datetime as dt

import pytest
from gunfire import SPRING, Gunfire

from geodata.cityfile.description import read_city_file
from geodata.ingest.store import import_city
from geodata.measures.ledger import MeasureData
from geodata.measures.registry import work_out
from geodata.repositories.cities import get_city


@pytest.fixture
def town(tmp_path):
    return Gunfire(tmp_path)


@pytest.fixture
def ledger_of(sqlite_database, town):
    """Import the town and open its ledger; today is April 2, 2024 unless it is said."""
    sessions = []

    def open_ledger(today=dt.date(2024, 4, 2)):
        town.save()
        import_city(sqlite_database, read_city_file(town.path))
        opened = sqlite_database.session()
        session = opened.__enter__()
        sessions.append(opened)
        return MeasureData(session, get_city(session, "town"), today)

    yield open_ledger
    for opened in sessions:
        opened.__exit__(None, None, None)


@pytest.fixture
def figures(ledger_of):
    """Work measures of March 2024 out and give them by id."""

    def work(scope=SPRING, **options):
        ledger = ledger_of(**options)
        return {value.measure.id: value for value in work_out(ledger, scope)}

    return work
