"""Print names of zones as a table: of a stored city's newest run, or of an extract.

    python scripts/zone_names.py CITY [--database URL]
    python scripts/zone_names.py EXTRACT.osm.pbf [--zones 30] [--seed 1]

An extract has no incidents, so its zones are patches of cells at places drawn by the seed: on
streets, and a few anywhere, so that all kinds of names occur. Whoever changes how zones are named
reads these tables for sense, and puts them into docs/zone-names.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geodata.cityfile.risk_factors import NAME, STREET_CLASS, STREET_RANKS
from geodata.db.engine import open_database
from geodata.readers.osm import REF, read_extract
from geodata.repositories.runs import latest_run
from spatial.zones.name_words import long_name, short_name
from spatial.zones.naming import ZoneOutline, name_zones, public_places

if TYPE_CHECKING:
    import geopandas as gpd

CELL_M, BLOCK_M, AREA, LINE = 100.0, 120.0, 2, 1
HOMES = ("neighbourhood", "suburb", "quarter", "borough")
TRIES = 50  # places for each zone; a small net has no room for many
ANYWHERE = 8  # one zone of so many lies anywhere, not on a street


def of_extract(path: Path, number: int, seed: int) -> list[tuple[str, str, str]]:
    """Return code, short and long name of zones drawn in an extract."""
    frame = read_extract(path, path.name, [STREET_CLASS, "leisure", "natural", "place"])
    frame = frame.to_crs(frame.estimate_utm_crs())
    frame[NAME] = (
        frame[NAME].fillna(frame[REF].where(frame[STREET_CLASS].isin(STREET_RANKS))).fillna("")
    )
    size = shapely.get_dimensions(frame.geometry.to_numpy())
    streets = frame[frame[STREET_CLASS].isin(STREET_RANKS) & (size == LINE)]
    homes = frame[frame["place"].isin(HOMES) & (size == AREA)]
    marks = frame[((frame["leisure"] == "park") | (frame["natural"] == "water")) & (size == AREA)]
    places = public_places(
        names=streets[NAME].tolist(),
        lines=streets.geometry.to_numpy(),
        classes=streets[STREET_CLASS].tolist(),
        ranks=streets[STREET_CLASS].map(STREET_RANKS).tolist(),
        neighbourhoods=zip(homes[NAME], homes.geometry, strict=True),
        landmarks=zip(marks[NAME], marks.geometry, strict=True),
        unit_m=1.0,
        block_m=BLOCK_M,
    )
    zones = draw_zones(streets, number, seed)
    names = name_zones(zones, places)
    return [(z.code, short_name(names[z.id]), long_name(names[z.id])) for z in zones]


def draw_zones(streets: gpd.GeoDataFrame, number: int, seed: int) -> list[ZoneOutline]:
    """Draw zones of 3 to 9 cells that share no cell, fewer where there is no room."""
    rng, found = np.random.default_rng(seed), list[ZoneOutline]()
    middles = shapely.get_coordinates(shapely.centroid(streets.geometry.to_numpy()))
    taken: set[tuple[int, int]] = set()
    for place in range(TRIES * number):
        if len(found) == number:
            return found
        if place % ANYWHERE == ANYWHERE - 1:
            middle = rng.uniform(middles.min(axis=0), middles.max(axis=0))
        else:
            middle = middles[rng.integers(len(middles))]
        x, y = np.floor(middle / CELL_M).astype(int).tolist()
        cells = [(x, y)]
        for _ in range(int(rng.integers(2, 9))):
            a, b = cells[int(rng.integers(len(cells)))]
            step = ((0, 1), (1, 0), (0, -1), (-1, 0))[int(rng.integers(4))]
            cells.append((a + step[0], b + step[1]))
        if taken & set(cells):
            continue
        taken |= set(cells)
        boxes = [shapely.box(*(CELL_M * v for v in (a, b, a + 1, b + 1))) for a, b in set(cells)]
        code = f"1-{len(found) + 1}"
        outline = ZoneOutline(id=code, district="1", code=code, shape=shapely.union_all(boxes))
        found.append(outline)
    return found
    return found


def of_city(city: str, database: str) -> list[tuple[str, str, str]]:
    """Return code, short and long name of the zones of a city's newest run."""
    with open_database(database).session() as session:
        run = latest_run(session, city)
    if run is None:
        sys.exit(f"{city}: no run is stored")
    return [
        (zone.code, short_name(zone.place_name), long_name(zone.place_name))
        for zone in run.zones.itertuples()
        if zone.place_name
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what")
    parser.add_argument("--database", default="sqlite:///instance/saferground.sqlite")
    parser.add_argument("--zones", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    path = Path(asked.what)
    rows = (
        of_extract(path, asked.zones, asked.seed)
        if path.is_file()
        else of_city(asked.what, asked.database)
    )
    lines = ["| code | short | whole |\n|---|---|---|"]
    lines += [f"| {c} | {s} | {w if w != s else 'the same'} |" for c, s, w in rows]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
