"""A list of 200 runs: columns, beside the whole documents as they were read before schema 0018.

python -m benchmarks.bench_runs

Documents have the size of those of the demonstration city (375 kB); what they hold is made up.
Times are processor milliseconds, the least of five; memory is what Python allocates at most.
"""

import datetime as dt
import tempfile
import time
import tracemalloc
from pathlib import Path

import shapely
from sqlalchemy import select
from sqlalchemy.orm import defer

from geodata.db.engine import open_database, upgrade
from geodata.db.json_columns import GridShape
from geodata.db.tables import City, Run
from geodata.repositories.runs import list_runs

RUNS, ZONES, BYTES = 200, 80, 375_000
MADE = dt.datetime(2026, 1, 1)
GRID = GridShape(x0=0.0, y0=0.0, cell_units=100.0, n_cols=1, n_rows=1, district_ids=("D1",))
AREA = shapely.set_srid(shapely.box(500_000, 4_000_000, 510_000, 4_010_000), 32617)


def document():
    """A document of a run: zones, and the table of its columns that makes most of its size."""
    factor = {"name": "bars", "operation": "density", "distance": 200.0, "rrv": 2.531}
    zones = [{"id": f"z{n}", "rank": n, "factors": [factor] * 4} for n in range(ZONES)]
    line = {"name": "bars within 200 m", "covers": 0.0312, "share": 0.4121, "coefficient": 0.93311}
    return {
        "incidents": 4_000,
        "combined": {"record": None},
        "model": {"family": "nb2", "factors": [factor] * 6},
        "zones": zones,
        "diagnostics": {"factors": [line] * (BYTES // 95)},
    }


def town(folder):
    """A database with a city and its runs."""
    url = f"sqlite:///{folder / 'runs.sqlite'}"
    upgrade(url)
    database, result = open_database(url), document()
    with database.session(write=True) as session:
        city = City(
            slug="town",
            name="Town",
            crs="EPSG:32617",
            timezone="UTC",
            cell_units=100.0,
            block_units=200.0,
            study_area=AREA,
            imported_at=MADE,
        )
        session.add(city)
        session.flush()
        for number in range(RUNS):
            session.add(
                Run(
                    id=f"{number:012d}",
                    city_id=city.id,
                    outcome="robbery",
                    scope="city",
                    period_from=dt.date(2024, 1, 1),
                    period_to=dt.date(2025, 1, 1),
                    seed=1,
                    spec={},
                    data_sha256="0" * 64,
                    code_version="0.1.0",
                    grid=GRID,
                    result=result,
                    cells=b"0" * 100_000,
                    created_at=MADE + dt.timedelta(hours=number),
                    **listed_values(result),
                )
            )
    return database


def listed_values(result):
    """Return what a list shows of a document, as columns have it."""
    model = result["model"]
    return {
        "family": model["family"],
        "n_factors": len(model["factors"]),
        "n_incidents": result["incidents"],
        "readable": True,
    }


def whole_documents(session):
    """List the runs as before: the document of each for four values."""
    rows = session.scalars(select(Run).options(defer(Run.cells)).order_by(Run.created_at.desc()))
    return [(row.id, row.created_at, *listed_values(row.result).values()) for row in rows]


def columns(session):
    """List the runs as they are listed."""
    return list_runs(session, "town")


def measured(database, listing):
    """Processor milliseconds, least of five, and MB at most."""
    seconds = []
    for _ in range(5):
        with database.session() as session:
            began = time.process_time()
            assert len(listing(session)) == RUNS
            seconds.append(time.process_time() - began)
    tracemalloc.start()
    with database.session() as session:
        listing(session)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 1e3 * min(seconds), most / 1e6


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        database = town(Path(folder))
        before, now = measured(database, whole_documents), measured(database, columns)
    print(f"whole documents: {before[0]:.0f} ms, {before[1]:.1f} MB")
    print(f"columns:         {now[0]:.1f} ms, {now[1]:.2f} MB")
    print(f"ratio:           {before[0] / now[0]:.0f} in time, {before[1] / now[1]:.0f} in memory")
