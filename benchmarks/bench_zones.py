"""Zones of a run against those of the earlier cutter at equal area, by later incidents.

Sets on which the defaults were chosen and sets that had no part in it are printed apart. Every set
is trained on one period, cut on its scores alone, and counted in the next; nothing of a test period
is seen in training. The earlier cutter goes first, with its own defaults; the present one then gets
as many cells as that took.

    python -m benchmarks.bench_zones [FOLDER]

FOLDER keeps the scores of the sets, so that a second look is quick. Sets whose data are not in
``../shared/data`` are left out, and said.
"""

import dataclasses
import datetime as dt
import pickle
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from app.usecases.risk.fit import load_inputs
from benchmarks.earlier_zones import LEAST, ZONES, cut_earlier
from geodata.cityfile.description import read_city_file
from geodata.db.engine import open_database, upgrade
from geodata.demo import write_city
from geodata.ingest.store import import_city
from geodata.repositories import cities, incidents
from spatial.analysis import analyse_city
from spatial.combined import combine
from spatial.grid import lay_grid
from spatial.history.kernels import lay_past
from spatial.spec import GridSpec, HistorySpec, RunSpec, ZoneSpec
from spatial.zones.cut import cut_zones, most_expected

HERE = Path(__file__).parents[1]
SHARED = HERE.parent / "shared" / "data"
DEMO = "alder-falls"
CHOOSING = [
    ("hartford", "robbery", 200, "2017-01-01", "2017-07-01", "2018-01-01"),
    ("hartford", "robbery", 200, "2017-01-01", "2017-10-01", "2018-01-01"),
    *(
        (DEMO, outcome, 100, *days)
        for outcome in ("robbery", "assault", "burglary")
        for days in (
            ("2023-01-01", "2024-01-01", "2024-07-01"),
            ("2023-01-01", "2025-07-01", "2025-12-01"),
            ("2024-01-01", "2025-01-01", "2025-07-01"),
        )
    ),
]
REPORTED = [
    *(
        ("durham", outcome, cell, "2013-01-01", "2013-05-01", "2013-07-01")
        for outcome in ("robbery", "assault", "burglary", "larceny", "vehicle_theft")
        for cell in (350, 250)
    ),
    ("hartford", "robbery", 200, "2017-01-01", "2018-01-01", "2019-01-01"),
    ("hartford", "robbery", 200, "2018-01-01", "2018-07-01", "2019-01-01"),
    ("vancouver", "theft", 100, "2020-01-01", "2020-07-01", "2021-01-01"),
    ("vancouver", "theft", 200, "2020-01-01", "2020-10-01", "2021-01-01"),
    ("kansas_city", "gunshots", 100, "2018-01-01", "2020-01-01", "2021-01-01"),
    ("kansas_city", "gunshots", 100, "2020-01-01", "2020-07-01", "2021-01-01"),
]

VARIANTS = [
    {"allotment": "even"},
    {"allotment": "expected"},
    *({"min_cells": least} for least in (1, 3, 4)),
    *({"max_zones": most} for most in (8, 12, 16, 20, 32)),
    *({"max_cells": most} for most in (12, 20)),
    *({"least_compactness": least} for least in (0.0, 0.4, 0.5)),
    *({"least_expected": least} for least in (0.0, 0.5, 1.0, 2.0)),
]


def from_city(database, slug, outcome, cell, start, cut, end):
    """Fit a city whose factors are known; give grid, expected incidents and later counts."""
    with database.session() as session:
        city = cities.get_city(session, slug)
        inputs = load_inputs(session, city, outcome, start, cut)
        test = incidents.incident_points(session, city.id, outcome, cut, end).geometry
    spec = RunSpec(
        grid=GridSpec(cell_units=cell, block_units=city.block_units), factors=tuple(inputs.layers)
    )
    found = analyse_city(inputs, spec)
    return found.grid, found.combined.expected, found.grid.count(test.x, test.y)


def from_history(area, districts, points, days, cell, start, cut, end):
    """Do so where only incidents are known: the combined risk without an environment."""
    grid = lay_grid(area, districts, cell)
    before = (days >= pd.Timestamp(start)) & (days < pd.Timestamp(cut))
    after = (days >= pd.Timestamp(cut)) & (days < pd.Timestamp(end))
    age = (pd.Timestamp(cut) - days[before]).dt.days.to_numpy(dtype=float)
    past = lay_past(grid, points[before].x, points[before].y, age)
    expected = combine(grid, past, {}, HistorySpec()).expected
    return grid, expected, grid.count(points[after].x, points[after].y)


def vancouver():
    """Thefts of a year and the neighbourhoods that stand for districts."""
    rows = pd.read_csv(SHARED / "vancouver" / "thefts.csv.gz")
    rows = rows[rows["X"] > 0]
    places = gpd.read_file(SHARED / "vancouver" / "neighbourhoods.geojson").to_crs("EPSG:26910")
    days = pd.to_datetime(rows[["YEAR", "MONTH", "DAY"]])
    points = gpd.GeoSeries(shapely.points(rows["X"], rows["Y"]), crs=places.crs, index=rows.index)
    return places.union_all(), dict(zip(places["name"], places.geometry, strict=True)), points, days


def kansas_city():
    """Gunshot alerts and the area that sensors cover, cut into quarters as it has no districts."""
    rows = pd.read_csv(SHARED / "alerts" / "kansas_city_2016_2021.csv")
    numbers = rows[["Latitude", "Longitude"]].apply(pd.to_numeric, errors="coerce")
    days = pd.to_datetime(rows["Date"], errors="coerce", format="%m/%d/%Y")
    whole = numbers.notna().all(axis=1) & days.notna()
    covered = gpd.read_file(SHARED / "alerts" / "kansas_city_coverage.geojson").to_crs("EPSG:32615")
    area = covered.union_all()
    west, south, east, north = area.bounds
    x, y = (west + east) / 2, (south + north) / 2
    boxes = {
        "NW": (west, y, x, north),
        "NE": (x, y, east, north),
        "SW": (west, south, x, y),
        "SE": (x, south, east, y),
    }
    districts = {name: shapely.box(*box).intersection(area) for name, box in boxes.items()}
    at = numbers[whole]
    points = gpd.GeoSeries(
        gpd.points_from_xy(at["Longitude"], at["Latitude"]), crs="EPSG:4326", index=at.index
    ).to_crs(covered.crs)
    return area, districts, points, days[whole]


def prepare(kept):
    """Give grid, expected incidents and later counts of every set that there are data for."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/zones.sqlite"
        upgrade(url)
        database = open_database(url)
        imported = set()
        for one in (*CHOOSING, *REPORTED):
            file = kept / f"{'_'.join(map(str, one))}.pickle" if kept else None
            if file and file.exists():
                found[one] = pickle.loads(file.read_bytes())  # noqa: S301 - written below
                continue
            slug, outcome, cell, *texts = one
            days = [dt.date.fromisoformat(text) for text in texts]
            if slug != DEMO and not SHARED.is_dir():
                print(f"left out, no data in {SHARED}: {' '.join(map(str, one))}")
                continue
            if slug in ("vancouver", "kansas_city"):
                source = vancouver if slug == "vancouver" else kansas_city
                found[one] = from_history(*source(), cell, *days)
            else:
                if slug not in imported:
                    if slug == DEMO:
                        write_city(Path(folder) / "city")
                        file_of, data = Path(folder) / "city" / "city.toml", None
                    else:
                        file_of, data = HERE / "examples" / slug / "city.toml", SHARED / slug
                    import_city(database, read_city_file(file_of, data))
                    imported.add(slug)
                found[one] = from_city(database, slug, outcome, cell, *days)
            if file:
                kept.mkdir(parents=True, exist_ok=True)
                file.write_bytes(pickle.dumps(found[one]))
            grid, expected, later = found[one]
            print(*one, len(grid), round(float(expected.sum())), int(later.sum()), flush=True)
    return found


def same_area(grid, expected, cells, years, spec):
    """Cut zones that hold as many cells as may be, and no more than some number."""
    share, low, best = cells / int((grid.district >= 0).sum()), 0.0, []
    high = 2 * share
    for _ in range(12):
        asked = dataclasses.replace(spec, area_share=share)
        zones = [zone.cells for zone in cut_zones(grid, expected, expected, asked, years=years)]
        if sum(map(len, zones)) > cells:
            high = share
        elif sum(map(len, zones)) >= sum(map(len, best)):
            low, best = share, zones
        if sum(map(len, best)) == cells:
            break
        share = (low + high) / 2
    return best


def held(groups, values):
    """Add up what cells of zones hold."""
    return float(values[np.concatenate(groups)].sum()) if groups else 0.0


def compared(one, grid, expected, later, spec, **earlier):
    """Set zones beside those of the earlier cutter; give hits of both, and the share of bound."""
    before = cut_earlier(grid, expected, **earlier)
    start, cut = (dt.date.fromisoformat(text) for text in one[3:5])
    years = (cut - start).days / 365.25
    cells = sum(map(len, before))
    now = same_area(grid, expected, cells, years, spec)
    asked = dataclasses.replace(spec, area_share=cells / int((grid.district >= 0).sum()))
    bound = most_expected(grid, expected, expected, asked)
    best = np.argsort(-expected, kind="stable")[:cells]
    return {
        "cells": cells,
        "zones": (len(before), len(now)),
        "hits": (held(before, later), held(now, later), float(later[best].sum())),
        "of": int(later.sum()),
        "bound": held(now, expected) / bound,
    }


def mean_ratio(rows):
    """Return the geometric mean of hits now over hits of the earlier cutter, and the least."""
    ratios = np.array([row["hits"][1] / row["hits"][0] for row in rows])
    pooled = sum(row["hits"][1] for row in rows) / sum(row["hits"][0] for row in rows)
    return float(np.exp(np.log(ratios).mean())), pooled, float(ratios.min())


def choose(sets):
    """Print what each default costs on the sets for choosing, all others as they are."""
    print("\n## Defaults, one at a time, on the sets for choosing (hits now / earlier)\n")
    print("| changed | geometric mean | pooled | least | zones |\n|---|---|---|---|---|")
    for change in ({}, *VARIANTS):
        spec = dataclasses.replace(ZoneSpec(), **change)
        rows = [compared(one, *sets[one], spec) for one in CHOOSING if one in sets]
        mean, pooled, least = mean_ratio(rows)
        number = sum(row["zones"][1] for row in rows)
        words = ", ".join(f"{name} {value}" for name, value in change.items()) or "as they are"
        print(f"| {words} | {mean:.3f} | {pooled:.3f} | {least:.2f} | {number} |", flush=True)


def report(sets, names, title, spec, **earlier):
    """Print a table of sets, and means over them."""
    print(f"\n## {title}\n")
    print(
        "| set, cell | trained, tested | cells | zones, earlier and now | hits: earlier, now, best "
        "cells, of | now / earlier | share of the bound |\n|---|---|---|---|---|---|---|"
    )
    rows = []
    for one in names:
        if one not in sets:
            continue
        row = compared(one, *sets[one], spec, **earlier)
        rows.append(row)
        slug, outcome, cell, *days = one
        before, now, best = (f"{value:.0f}" for value in row["hits"])
        print(
            f"| {slug} {outcome}, {cell} | {days[0]} {days[1]} {days[2]} | {row['cells']} "
            f"| {row['zones'][0]}, {row['zones'][1]} | {before}, {now}, {best}, {row['of']} "
            f"| {row['hits'][1] / row['hits'][0]:.2f} | {row['bound']:.0%} |",
            flush=True,
        )
    if rows:
        mean, pooled, least = mean_ratio(rows)
        print(f"\ngeometric mean {mean:.3f}, pooled {pooled:.3f}, least {least:.2f}")


def main():
    """Print all tables."""
    sets = prepare(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    choose(sets)
    alone = ZoneSpec(
        allotment="even",
        min_cells=LEAST,
        max_zones=ZONES,
        least_compactness=0.0,
        least_expected=0.0,
    )
    free = {"share": 0.01, "zones": 1000}
    uncapped = dataclasses.replace(ZoneSpec(), max_zones=1000)
    for names, which in ((CHOOSING, "chosen on"), (REPORTED, "not used for choosing")):
        report(sets, names, f"Sets {which}: defaults of both", ZoneSpec())
        report(sets, names, f"Sets {which}: the search alone, limits of the earlier", alone)
        report(sets, names, f"Sets {which}: 1 % of the area, any number of zones", uncapped, **free)


if __name__ == "__main__":
    main()
