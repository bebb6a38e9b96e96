"""The base map of an extract's streets, water, parks, rail and places: seconds and bytes.

python -m benchmarks.bench_base_map EXTRACT ...

The target is a city of 50,000 streets in 60 s. It is made twice: the files must be the same.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geodata.basemap.tiles_file import make_archive
from geodata.cityfile.risk_factors import BASE, base_filter
from geodata.cityfile.schema import SourcePlace
from geodata.readers import read_place

TARGET_SECONDS = 60.0


def base_of(extract):
    """Read what an extract has for the map, in metres."""
    parts = []
    for kind in BASE:
        place = SourcePlace(label="x", path=str(extract), tags=base_filter(kind))
        frame = read_place(place).frame
        named = {"kind": kind, "name": frame.get("name"), "rank": frame.get("rank", 2)}
        parts.append(gpd.GeoDataFrame(named, geometry=frame.geometry.to_numpy(), crs=4326))
    base = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=4326)
    return base.to_crs(base.estimate_utm_crs())


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        base = base_of(path)
        streets = base[base["kind"] == "street"]
        area = shapely.box(*streets.total_bounds)
        started = time.perf_counter()
        made = make_archive(base, area)
        seconds = time.perf_counter() - started
        same = make_archive(base, area) == made
        print(
            f"{path.name}: {len(streets):,} streets, {len(base):,} shapes, {seconds:.1f} s "
            f"({seconds / TARGET_SECONDS:.0%} of the target), {len(made) / 1e6:.2f} MB, "
            f"{'the same' if same else 'DIFFERS'} the second time",
            flush=True,
        )
