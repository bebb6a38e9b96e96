"""A city of an extract with 50,000 ways: described and read, in seconds and peak memory.

python -m benchmarks.bench_new_city [EXTRACT ...]

Without an extract a town of 50,000 ways is invented. Each step is a process of its own; the target
is 60 s and 2 GB, and each line says which share of it was used.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WAYS = 50_000
TARGET_SECONDS, TARGET_MB = 60.0, 2_000.0
WEST, SOUTH = -78.95, 35.95
STEP = 0.001  # degrees between crossings: about 100 m


def invent(path, ways=WAYS):
    """Write a grid of streets, a way for each block, with places here and there; count the ways."""
    side = int(np.ceil(np.sqrt(ways / 2)))
    rng = np.random.default_rng(1)
    kinds = rng.choice(["", "bar", "restaurant", "fuel", "school", "atm"], (side + 1) ** 2,
                       p=[0.9, 0.02, 0.04, 0.01, 0.01, 0.02])  # fmt: skip
    with path.open("w") as file:
        file.write('<?xml version="1.0"?>\n<osm version="0.6">\n')
        for number, kind in enumerate(kinds):
            row, col = divmod(number, side + 1)
            tag = f'<tag k="amenity" v="{kind}"/>' if kind else ""
            file.write(f'<node id="{number + 1}" lat="{SOUTH + row * STEP:.6f}" '
                       f'lon="{WEST + col * STEP:.6f}" version="1">{tag}</node>\n')  # fmt: skip
        way = 0
        for row in range(side):
            for col in range(side):
                here = row * (side + 1) + col + 1
                for there, name in ((here + 1, f"{row} Street"), (here + side + 1, f"{col} Ave")):
                    way += 1
                    file.write(
                        f'<way id="{way}" version="1"><nd ref="{here}"/><nd ref="{there}"/>'
                        f'<tag k="highway" v="residential"/><tag k="name" v="{name}"/></way>\n'
                    )
        file.write("</osm>\n")
    return way


def districts(path, extract):
    """Write the bounds of an extract's streets, cut in four."""
    import shapely

    from geodata.cityfile.risk_factors import base_filter
    from geodata.cityfile.schema import SourcePlace
    from geodata.readers import read_place

    place = SourcePlace(label="x", path=str(extract), tags=base_filter("street"))
    west, south, east, north = read_place(place).frame.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    corners = [(west, south, x, y), (x, south, east, y), (west, y, x, north), (x, y, east, north)]
    features = [
        {
            "type": "Feature",
            "properties": {"code": number},
            "geometry": json.loads(shapely.to_geojson(shapely.box(*box))),
        }
        for number, box in enumerate(corners, start=1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def measured(title, *arguments, **environment):
    """Run a command and print what share of the target it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, arguments)],
        env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    peak = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
    print(
        f"  {title}: {seconds:5.1f} s ({seconds / TARGET_SECONDS:.0%} of the target), peak so far "
        f"{peak:,.0f} MB ({peak / TARGET_MB:.0%})",
        flush=True,
    )


def one(extract, folder):
    """Describe and read a city of an extract."""
    instance = {"SAFERGROUND_INSTANCE": str(folder / "instance")}
    districts(folder / "districts.geojson", extract)
    measured("init", "init", **instance)
    measured(
        "new", "new", "bench", "--name", "Bench", "--districts", folder / "districts.geojson",
        "--district-id", "code", "--osm", extract, "--folder", folder / "city", **instance,
    )  # fmt: skip
    measured("import", "import", folder / "city" / "city.toml", **instance)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        named = [Path(name) for name in sys.argv[1:]]
        if not named:
            named = [Path(made) / "invented.osm"]
            print(f"{invent(named[0]):,} ways invented, {named[0].stat().st_size / 1e6:,.0f} MB")
        for number, path in enumerate(named):
            work = Path(made) / str(number)
            work.mkdir()
            print(path.name, flush=True)
            one(path, work)
