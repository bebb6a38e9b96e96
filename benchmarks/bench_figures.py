"""All figures of a release in one pass, and a cell at a time: seconds, and that they are the same.

    python -m benchmarks.bench_figures [ALERTS] [DISTRICTS] [YEARS]

A cell is one measure in one place and period. Every measure is worked out for the city and each
district, for each month, and for the city by week; a sample of the cells is worked out again, each
alone.
"""

import datetime as dt
import sys
import tempfile
import time
from dataclasses import replace

import numpy as np

from benchmarks.bench_measures import fill, make_city
from geodata.db.engine import open_database, upgrade
from geodata.measures.ledger import MeasureData
from geodata.measures.registry import MEASURES, steps, work_out, work_out_scopes
from geodata.repositories.cities import get_city
from spatial.measures.scopes import Scope

SAMPLE = 1_000


def release_scopes(city, years):
    """Scopes of a release: whole, months and weeks."""
    whole = Scope(start=dt.date(2025 - years, 1, 1), end=dt.date(2025, 1, 1))
    year = whole.within(dt.date(2024, 1, 1), whole.end)
    places = [None, *map(str, city.districts["code"])]
    spans = [whole, year, *steps(whole, "month")]
    scopes = [replace(span, district=place) for span in spans for place in places]
    return list(dict.fromkeys([*scopes, *steps(whole, "week")]))


def main(alerts, districts, years):
    """Fill a database, time both, and compare the figures of the sample."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/big.sqlite"
        upgrade(url)
        database = open_database(url)
        fill(database, make_city(database, districts), alerts, alerts * 2 // 3, districts, years)
        with database.session() as session:
            city = get_city(session, "big")
            started = time.perf_counter()
            ledger = MeasureData(session, city, dt.date(2025, 1, 1))
            for section in ("alerts", "calls", "verified", "events", "visits", "plans"):
                ledger.table(section)
            reading = time.perf_counter() - started
            scopes = release_scopes(city, years)
            started = time.perf_counter()
            found = work_out_scopes(ledger, scopes, MEASURES.values(), {})
            together = time.perf_counter() - started
            keys = list(found)
            rng = np.random.default_rng(0)
            sample = [keys[i] for i in rng.choice(len(keys), min(SAMPLE, len(keys)), replace=False)]
            started = time.perf_counter()
            alone = [work_out(ledger, scope, [one])[0] for one, scope in sample]
            each = (time.perf_counter() - started) / len(sample)
        differing = sum(
            value.figure != found[key].figure for key, value in zip(sample, alone, strict=True)
        )
    print(f"{alerts:,} alerts, {districts} districts, {years} years: {len(keys):,} figures")
    print(f"rows read and linked in {reading:.1f} s")
    print(f"one pass      {together:7.1f} s")
    print(f"cell by cell  {each * len(keys):7.1f} s (from {len(sample):,} cells)")
    print(f"figures of these cells that differ: {differing}")


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(*(numbers + [60_000, 30, 5][len(numbers) :]))
