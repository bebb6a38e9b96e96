"""The demonstration city as it was drawn and, read back, as it was imported."""

from types import SimpleNamespace

import pandas as pd
import pytest
from sqlalchemy import select

from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.demo import write_city
from geodata.ingest.store import import_city
from geodata.measures.ledger import Ledger
from geodata.repositories.cities import get_city
from geodata.repositories.recorded import TABLES, read_frame

CLOCKS = {
    "alerts": "triggered_ms",
    "calls": "received_ms",
    "verified": "occurred_ms",
    "visits": "start_ms",
}


@pytest.fixture(scope="session")
def brought(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brought")
    truth = write_city(folder / "city")
    measures = truth.measures
    url = f"sqlite:///{folder / 'saferground.sqlite'}"
    upgrade(url)
    database = open_database(url)
    result = import_city(database, read_city_file(folder / "city" / "city.toml"))
    with database.session() as session:
        stored = {name: read_frame(session, select(table)) for name, table in TABLES.items()}
        for name, clock in CLOCKS.items():
            moments = pd.to_datetime(stored[name][clock], unit="ms", utc=True)
            there = moments.dt.tz_convert("Atlantic/Azores")
            stored[name]["local"] = there.dt.tz_localize(None)
        city = get_city(session, "alder-falls")
        yield SimpleNamespace(
            folder=folder / "city",
            database=database,
            truth=truth,
            true={"year": measures["year"], **measures["months"], **measures["districts"]},
            stored=stored,
            coverage=city.coverage,
            reports={report.kind: report for report in result.sources},
            ledger=Ledger(session, city, city.this_day()),
        )
    database.close()
