"""A small town that can publish: gunfire with results, complaints, totals, a run, initiatives."""

import dataclasses
import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from gunfire import Gunfire, degrees, with_streets_and_homes
from initiatives_text import TEXT
from run_documents import BARS_OF_ZONE, run_document, run_spec
from town import CRS, SIDE, SOUTH, WEST, write_geojson
from using import put_to_use

from geodata.cityfile.description import read_city_file
from geodata.cityfile.initiatives import read_initiatives
from geodata.ingest.store import import_city
from geodata.measures.registry import MEASURES
from geodata.repositories.initiatives import record_initiatives
from geodata.repositories.runs import RunRecord, save_run
from spatial.grid import lay_grid

TODAY = dt.date(2024, 6, 3)  # the last day that may be told is May 27
LAST = dt.date(2024, 5, 27)
RESULTS = ("confirmed", "unconfirmed", "unfounded", "")
EXTRA = """
[[occurrences]]
source = "complaints.csv"
measure = "dirtbike.complaints"
[occurrences.fields]
date = "day"
value = "n"
x = "x"
y = "y"
[[counts]]
source = "totals.csv"
[counts.fields]
measure = "measure"
from = "from"
to = "to"
district = "district"
value = "value"
"""


class Publisher(Gunfire):
    """Three months of alerts, most of them in the first district."""

    def __init__(self, folder, *, homes=9, alerts=70, seed=5):
        self.complaints, self.totals = [], []
        super().__init__(folder)
        if homes:
            with_streets_and_homes(self, per_corner=homes)
        self.city += EXTRA
        rng = np.random.default_rng(seed)
        for _ in range(alerts):
            x = rng.uniform(50, 1950) if rng.random() < 0.8 else rng.uniform(2050, 3950)
            self.alert(
                day=int(rng.integers(0, 92)),
                at=float(rng.integers(-40_000, 40_000)),
                x=x,
                y=rng.uniform(50, 3950),
                published=float(rng.integers(20, 90)),
                type=rng.choice(["Multiple", "Single", "Probable"]),
                result=rng.choice(RESULTS, p=[0.1, 0.5, 0.1, 0.3]),
                guns=int(rng.random() < 0.1),
                arrests=int(rng.random() < 0.05),
                number=f"E{rng.integers(1, 10**9)}",
            )
        for _ in range(20):
            lon, lat = degrees(*rng.uniform(50, 3950, 2))
            day = dt.date(2024, 3, 1) + dt.timedelta(days=int(rng.integers(0, 92)))
            self.complaints.append((day.isoformat(), int(rng.integers(1, 3)), lon, lat))
        for month in (3, 4, 5):
            for district, value in (("D1", 1 + month), ("D2", 9)):
                first, last = f"2024-0{month}-01", f"2024-0{month + 1}-01"
                self.totals.append(("dirtbike.arrests", first, last, district, value))

    def save(self):
        super().save()
        pd.DataFrame(self.complaints, columns=["day", "n", "x", "y"]).to_csv(
            self.folder / "complaints.csv", index=False
        )
        columns = ["measure", "from", "to", "district", "value"]
        pd.DataFrame(self.totals, columns=columns).to_csv(self.folder / "totals.csv", index=False)

    def name_places(self):
        """Add streets with names, a crossing, and a neighbourhood."""
        corner = (WEST, SOUTH)
        lines = [((0, 1000), (4000, 1000)), ((1000, 0), (1000, 4000))]
        ways = [shapely.LineString(np.add(line, corner)) for line in lines]
        write_geojson(self.folder / "named.geojson", ways, name=["Main Street", "Fifth Street"])
        part = shapely.box(WEST, SOUTH, WEST + 1500, SOUTH + 1500)
        write_geojson(self.folder / "parts.geojson", [part], name=["Old Tannery"])
        self.city += (
            '\n[[base]]\nkind = "street"\nsource = "named.geojson"\nname = "name"\n'
            '[[base]]\nkind = "neighbourhood"\nsource = "parts.geojson"\nname = "name"\n'
        )
        return self

    def bring(self, database):
        """Import everything as it stands."""
        self.save()
        import_city(database, read_city_file(self.path))
        return self


def tell_initiatives(database, folder):
    path = folder / "initiatives.toml"
    path.write_text(TEXT)
    with database.session(write=True) as session:
        record_initiatives(session, read_initiatives(path, MEASURES), dt.datetime(2026, 2, 1, 12))


def town_run(identity="a" * 12, *, outcome="robbery", move=0.0):
    """A run of the town, made without a fit; ``move`` shifts its second zone."""
    half = SIDE / 2
    shapes = {
        "D1": shapely.box(WEST, SOUTH, WEST + half, SOUTH + SIDE),
        "D2": shapely.box(WEST + half, SOUTH, WEST + SIDE, SOUTH + SIDE),
    }
    grid = lay_grid(shapely.union_all(list(shapes.values())), shapes, 200)
    score = 1.0 + (np.arange(len(grid)) * 7919) % 97
    level = np.searchsorted([50, 75, 90], score).astype(np.int8)
    zones = gpd.GeoDataFrame(
        {
            "id": [f"{identity[:8]}-d1-1", f"{identity[:8]}-d2-1"],
            "district": ["D1", "D2"],
            "rank": [1, 1],
            "area": [160_000.0, 160_000.0],
            "n_cells": [4, 4],
            "expected": [3.25, 1.5],
            "past": [4, 0],
            "environment_share": [0.75, 0.5],
            "factors": [(BARS_OF_ZONE,), ()],
        },
        geometry=[
            shapely.box(WEST, SOUTH, WEST + 400, SOUTH + 400),
            shapely.box(WEST + 2400 + move, SOUTH, WEST + 2800 + move, SOUTH + 400),
        ],
        crs=CRS,
    )
    return RunRecord(
        id=identity,
        city="town",
        outcome=outcome,
        scope="city",
        period_from=dt.date(2024, 1, 1),
        period_to=dt.date(2024, 4, 1),
        seed=1,
        spec=run_spec(),
        data_sha256="0" * 64,
        code_version="0.1.0",
        created_at=dt.datetime(2026, 1, 2, 3, 4, 5),
        result=run_document(identity, zones, outcome=outcome),
        grid=grid,
        cells=pd.DataFrame(
            {
                "count": np.arange(len(grid)) % 3,
                "score": score,
                "risk_class": level,
                "expected": score / 10,
                "combined": score / score.mean(),
                "environment": 0.6 * score / score.mean(),
                "history": 0.4 * score / score.mean(),
            }
        ),
        zones=zones,
    )


def keep_run(database, run=None, *, used=True, **change):
    """Store a run and put it to use."""
    kept = dataclasses.replace(run or town_run(), **change)
    with database.session(write=True) as session:
        save_run(session, kept)
    if used:
        put_to_use(database, kept)
