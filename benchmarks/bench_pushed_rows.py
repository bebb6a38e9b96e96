"""Rows that are pushed as they happen: how many a second SQLite takes, by the size of the batch.

python -m benchmarks.bench_pushed_rows [--rows N] [--stored N]

Alerts come through the interface's own endpoint with a token, into a city that has many already;
every batch is read, placed, checked, stored, kept in the import log and audited. An import of
many rows from a file is timed beside it, in the same run.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.ingest.store import import_city

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
ADDRESS = "/api/v1/cities/town/alerts"
SIZES = (1, 10, 100, 1_000, 5_000)


def main():
    """Push rows in batches of each size and print rows a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--stored", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        office, rows = office_with(Path(made), given.stored)
        program = office.program(office.token("ana", "rows"))
        for size in SIZES:
            number = min(given.rows, 50 * size)
            pushed = rows.sample(number, replace=True, random_state=size).assign(
                id=[f"{size}-{i}" for i in range(number)]
            )
            wall, own = push(program, pushed, size)
            print(
                f"batches of {size:5,}: {number / wall:8,.0f} rows a second, "
                f"{number / own:8,.0f} a second of the processor",
                flush=True,
            )
        office.close()


def push(program, rows, size):
    """Send rows in batches; return the seconds that it took, by the clock and the processor."""
    records = rows.to_dict("records")
    began, used = time.perf_counter(), time.process_time()
    for start in range(0, len(records), size):
        answer = program.post(ADDRESS, json={"rows": records[start : start + size]})
        if answer.status_code != 200 or answer.json["stored"] != len(records[start : start + size]):
            raise SystemExit(answer.text)
    return time.perf_counter() - began, time.process_time() - used


def office_with(folder, stored):
    """Return an office whose town has ``stored`` alerts, and rows like them."""
    from gunfire import Gunfire
    from staffing import Office

    town = Gunfire(folder)
    for day in range(40):
        town.alert(day=day, x=20 * day, published=40 + day, type="Multiple_Gunshots")
        town.call(day=day, at=60)
    town.save()
    rows = pd.read_csv(folder / "alerts.csv", dtype=str, keep_default_na=False)
    many = rows.sample(stored, replace=True, random_state=1)
    many.assign(id=[f"S{i}" for i in range(stored)]).to_csv(folder / "alerts.csv", index=False)
    url = f"sqlite:///{folder / 'rows.sqlite'}"
    upgrade(url)
    database = open_database(url)
    began = time.perf_counter()
    import_city(database, read_city_file(town.path))
    took = time.perf_counter() - began
    print(f"imported at once: {stored / took:8,.0f} rows a second")
    database.close()
    office = Office(url, folder / "instance")
    office.add("ana", "analyst", with_codes=False)
    return office, rows


if __name__ == "__main__":
    main()
