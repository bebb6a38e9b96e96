"""A table of 215,000 rows: handed in once, then looked at, checked and imported.

python -m benchmarks.bench_second_look [--rows N]

The file is parsed when it is handed in; every step after that reads the rows that were kept, the
import too: time and memory of reading it with them and without, each in a process of its own, are
compared in the same run.
"""

import argparse
import datetime as dt
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.workbench.source_profile import look
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.ingest.city_folder import CityFolder
from geodata.ingest.store import import_city
from geodata.readers.delimited import read_table
from geodata.repositories.cities import get_city
from geodata.uploads import intake

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))


def main():
    """Time every step once."""
    from town import Town

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=215_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        town = Town(folder)
        url = f"sqlite:///{folder}/look.sqlite"
        upgrade(url)
        database = open_database(url)
        import_city(database, read_city_file(town.path))
        content = table(town, rows)
        print(f"{rows:,} rows, {len(content) / 1e6:.1f} MB")
        upload = timed("handed in", intake.receive, io.BytesIO(content), "a.csv", folder / "up")
        handed = intake.HandedIn(upload=upload, city="town", who="a", when=dt.datetime.now(dt.UTC))
        with database.session() as session:
            city = get_city(session, "town")
        seen = timed("looked at", look, handed, city)
        timed("looked at again", look, handed, city, seen.answers)
        timed("rows as kept", intake.place_of, handed)
        timed("parsed again", read_table, upload.path, "a.csv", "")
        kept = CityFolder(folder / "cities", "town")
        file = kept.root / kept.take_in(upload.path, "a.csv")
        with_rows = apart("read by import, rows kept", file)
        for one in kept.files.glob("*.rows"):
            one.unlink()
        without = apart("read by import, parsed", file)
        ratios = [a / b for a, b in zip(with_rows, without, strict=True)]
        print(f"with rows kept: {ratios[0]:.2f} of the time, {ratios[1]:.2f} of the memory")


def apart(what, file):
    """Read a file in a process of its own; return its seconds and the most memory it took."""
    script = (
        "import re, sys, time\n"
        "from geodata.cityfile.schema import SourcePlace\n"
        "from geodata.readers import read_place\n"
        "def most():\n"
        "    return int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        "before = most()\n"
        "began = time.process_time()\n"
        "read_place(SourcePlace(label='a.csv', path=sys.argv[1], x='lon', y='lat'))\n"
        "more = most() - before\n"
        "print(time.process_time() - began, more / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    seconds, more = map(float, done.stdout.split())
    print(f"{what:>26}: {seconds:6.2f} s of the processor, {more:,.0f} MB more")
    return seconds, more


def table(town, rows):
    """Return the town's incidents over and over, with ids of their own and a narrative."""
    frame = town.incidents.sample(rows, replace=True, random_state=1).reset_index(drop=True)
    frame["id"] = [f"25-{i:06d}" for i in range(rows)]
    rng = np.random.default_rng(0)
    frame["narrative"] = [f"{'word ' * 12}{n}" for n in rng.integers(0, 1000, rows)]
    return frame.to_csv(index=False).encode()


def timed(what, work, *arguments):
    """Return what work answers; print how long it took by the clock and by the processor."""
    began, used = time.perf_counter(), time.process_time()
    answer = work(*arguments)
    wall, own = time.perf_counter() - began, time.process_time() - used
    print(f"{what:>16}: {wall:6.2f} s, {own:6.2f} s of this process")
    return answer


if __name__ == "__main__":
    main()
