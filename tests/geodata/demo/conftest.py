"""The demonstration city as it was drawn and, read back, as it was imported."""

import json
import pickle
from types import SimpleNamespace

import pandas as pd
import pytest
from demo_fixtures import made_once
from sqlalchemy import select

from geodata.db.engine import open_database
from geodata.demo import write_city
from geodata.measures.ledger import MeasureData
from geodata.repositories.cities import get_city
from geodata.repositories.recorded import TABLES, read_frame

CLOCKS = {
    "alerts": "triggered_ms",
    "calls": "received_ms",
    "verified": "occurred_ms",
    "visits": "start_ms",
}


@pytest.fixture(scope="session")
def brought(imported_demo):
    truth = pickle.loads((imported_demo / "truth.pickle").read_bytes())  # noqa: S301 - our own
    measures = truth.measures
    account = json.loads((imported_demo / "printed.json").read_text())["import"]
    database = open_database(f"sqlite:///{imported_demo / 'saferground.sqlite'}")
    with database.session() as session:
        stored = {name: read_frame(session, select(table)) for name, table in TABLES.items()}
        for name, clock in CLOCKS.items():
            moments = pd.to_datetime(stored[name][clock], unit="ms", utc=True)
            there = moments.dt.tz_convert("Atlantic/Azores")
            stored[name]["local"] = there.dt.tz_localize(None)
        city = get_city(session, "alder-falls")
        yield SimpleNamespace(
            folder=imported_demo / "city",
            database=database,
            truth=truth,
            true={"year": measures["year"], **measures["months"], **measures["districts"]},
            stored=stored,
            coverage=city.coverage,
            reports={report["kind"]: report for report in account["sources"]},
            ledger=MeasureData(session, city, city.this_day()),
        )
    database.close()


@pytest.fixture(scope="session")
def city_of_seed(tmp_path_factory):
    """Draw the city of a seed, once for all tests; return its folder and what was drawn."""

    def of(seed):
        def make(folder):
            truth = write_city(folder / "city", seed=seed)
            (folder / "truth.pickle").write_bytes(pickle.dumps(truth))

        folder = made_once(tmp_path_factory, f"drawn-{seed}", make)
        return folder / "city", pickle.loads((folder / "truth.pickle").read_bytes())  # noqa: S301

    return of
