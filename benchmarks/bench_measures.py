"""Every measure of a city with many alerts: seconds and memory, from the database to the figures.

    python -m benchmarks.bench_measures [ALERTS] [CALLS]

The rows are drawn evenly over five years; what they say is of no interest, only their number.
"""

import datetime as dt
import resource
import sys
import tempfile
import time

import numpy as np
import shapely
from sqlalchemy import insert

from geodata.db.engine import open_database, upgrade
from geodata.db.tables import City, District
from geodata.measures.ledger import MeasureData
from geodata.measures.registry import work_out
from geodata.repositories.cities import get_city
from geodata.repositories.recorded import TABLES
from spatial.measures.scopes import Scope

SIDE = 20_000.0
YEAR_MS = 365 * 86_400_000
END_MS = 1_577_836_800_000 + 5 * YEAR_MS
PIECE = 100_000


def make_city(database, districts=4):
    """A square city cut into districts from west to east, covered in its western half."""
    with database.session(write=True) as session:
        city = City(
            slug="big",
            name="Big",
            crs="EPSG:32617",
            timezone="America/New_York",
            cell_units=100.0,
            block_units=200.0,
            synthetic=True,
            today=dt.date(2025, 1, 1),
            study_area=shapely.set_srid(shapely.box(0, 0, SIDE, SIDE), 32617),
            coverage=shapely.set_srid(shapely.box(0, 0, SIDE / 2, SIDE), 32617),
            imported_at=dt.datetime(2025, 1, 1),
        )
        session.add(city)
        session.flush()
        for i in range(districts):
            shape = shapely.box(i * SIDE / districts, 0, (i + 1) * SIDE / districts, SIDE)
            session.add(
                District(
                    city_id=city.id,
                    code=f"D{i}",
                    name=f"D{i}",
                    position=i,
                    geom=shapely.set_srid(shape, 32617),
                )
            )
        return city.id


def draw(rng, number, first, city, districts):
    """Columns of one piece of rows that alerts and calls have alike."""
    x = rng.uniform(0, SIDE, number)
    return {
        "city_id": [city] * number,
        "source": ["drawn"] * number,
        "row_key": [f"R{first + i}" for i in range(number)],
        "district": [f"D{int(v)}" for v in x // (SIDE / districts)],
        "x": x.tolist(),
        "y": rng.uniform(0, SIDE, number).tolist(),
    }


def fill(database, city, alerts, calls, districts=4, years=5):
    """Draw and store the rows of the years before 2025, a piece at a time."""
    start_ms, span_ms = END_MS - years * YEAR_MS, years * YEAR_MS
    rng = np.random.default_rng(0)
    with database.session(write=True) as session:
        for first in range(0, alerts, PIECE):
            n = min(PIECE, alerts - first)
            start = start_ms + rng.integers(0, span_ms, n)
            review = start + rng.integers(1_000, 20_000, n)
            published = review + rng.integers(5_000, 70_000, n)
            dispatched = published + rng.integers(10_000, 90_000, n)
            columns = draw(rng, n, first, city, districts) | {
                "triggered_ms": start.tolist(),
                "review_started_ms": review.tolist(),
                "published_ms": published.tolist(),
                "dispatched_ms": dispatched.tolist(),
                "arrived_ms": (dispatched + rng.integers(60_000, 900_000, n)).tolist(),
                "disposition": rng.choice(["confirmed", "unconfirmed"], n).tolist(),
                "guns": rng.integers(0, 2, n).tolist(),
                "call": [f"E{v}" if v % 3 else None for v in rng.integers(0, 10 * alerts, n)],
            }
            store(session, "alerts", columns)
        for first in range(0, calls, PIECE):
            n = min(PIECE, calls - first)
            received = start_ms + rng.integers(0, span_ms, n)
            columns = draw(rng, n, first, city, districts) | {
                "received_ms": received.tolist(),
                "arrived_ms": (received + rng.integers(60_000, 900_000, n)).tolist(),
                "event": [f"E{v}" if v % 3 else None for v in rng.integers(0, 10 * alerts, n)],
            }
            store(session, "calls", columns)


def store(session, section, columns):
    """Store columns as rows."""
    names = list(columns)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    session.execute(insert(TABLES[section]), rows)


def main(alerts, calls):
    """Fill a database and time the measures, in a process whose peak is that of the measures."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/big.sqlite"
        upgrade(url)
        database = open_database(url)
        fill(database, make_city(database), alerts, calls)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        for label, scope in (
            ("first (compilation or its cache, reading)", None),
            ("again, one year", Scope(start=dt.date(2024, 1, 1), end=dt.date(2025, 1, 1))),
        ):
            with database.session() as session:
                started = time.perf_counter()
                ledger = MeasureData(session, get_city(session, "big"), dt.date(2025, 1, 1))
                whole = Scope(start=dt.date(2020, 1, 1), end=dt.date(2025, 1, 1))
                values = work_out(ledger, scope or whole)
                seconds = time.perf_counter() - started
            events = next(v for v in values if v.measure.id == "events.count")
            print(
                f"{label}: {alerts:,} alerts, {calls:,} calls, {len(values)} measures, "
                f"{events.figure.value:,.0f} events in {seconds:.1f} s"
            )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"peak memory {peak:.2f} GB (before the measures {before:.2f} GB)")


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*(given + [1_000_000, 700_000][len(given) :]))
