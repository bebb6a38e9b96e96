"""A small town on disk, for tests of the importer: true files that a test then spoils."""

import json

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

CRS = "EPSG:32617"
WEST, SOUTH, SIDE = 600_000.0, 4_000_000.0, 4_000.0


def to_degrees(shape):
    transformer = Transformer.from_crs(CRS, 4326, always_xy=True)
    return shapely.transform(shape, lambda xy: np.column_stack(transformer.transform(*xy.T)))


def write_geojson(path, shapes, **columns):
    features = [
        {
            "type": "Feature",
            "properties": {name: values[i] for name, values in columns.items()},
            "geometry": None
            if shape is None
            else json.loads(shapely.to_geojson(to_degrees(shape))),
        }
        for i, shape in enumerate(shapes)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


class Town:
    """Files and city file of a town of 4 by 4 km with two districts."""

    def __init__(self, folder, n=120, seed=0):
        self.folder = folder
        rng = np.random.default_rng(seed)
        half = SIDE / 2
        write_geojson(
            folder / "districts.geojson",
            [
                shapely.box(WEST, SOUTH, WEST + half, SOUTH + SIDE),
                shapely.box(WEST + half, SOUTH, WEST + SIDE, SOUTH + SIDE),
            ],
            code=["D1", "D2"],
        )
        xy = rng.uniform([WEST + 50, SOUTH + 50], [WEST + SIDE - 50, SOUTH + SIDE - 50], (n, 2))
        degrees = shapely.get_coordinates(to_degrees(shapely.multipoints(xy)))
        self.incidents = pd.DataFrame(
            {
                "id": [f"24-{i:05d}" for i in range(n)],
                "offense": rng.choice(["ROBBERY", "BURGLARY", "NOISE"], n, p=[0.5, 0.3, 0.2]),
                "date": [f"{1 + i % 12}/{1 + i % 28}/2024" for i in range(n)],
                "lon": degrees[:, 0].round(6),
                "lat": degrees[:, 1].round(6),
            }
        )
        bars = rng.uniform([WEST, SOUTH], [WEST + SIDE, SOUTH + SIDE], (15, 2))
        write_geojson(folder / "bars.geojson", list(shapely.points(bars)), name=["x"] * 15)
        self.city = """
[city]
slug = "town"
name = "Town"
crs = "EPSG:32617"
timezone = "America/New_York"
[districts]
source = "districts.geojson"
id = "code"
[grid]
cell = 100
block = 200
[[incidents]]
source = "incidents.csv"
outcome_field = "offense"
outcomes = { "ROBBERY" = "robbery", "BURGLARY" = "burglary" }
id = "id"
date = "date"
x = "lon"
y = "lat"
[[factors]]
name = "bars"
source = "bars.geojson"
"""
        self.save()

    def save(self):
        self.incidents.to_csv(self.folder / "incidents.csv", index=False)
        (self.folder / "city.toml").write_text(self.city)

    def change(self, old, new):
        assert old in self.city
        self.city = self.city.replace(old, new)
        self.save()

    def crowd(self, n, seed=3):
        """Make every incident a robbery, and the first ``n`` of them crowd around the bars."""
        shapes = [f["geometry"]["coordinates"] for f in self._bars()]
        back = Transformer.from_crs(4326, CRS, always_xy=True)
        bars = np.column_stack(back.transform(*np.array(shapes).T))
        rng = np.random.default_rng(seed)
        xy = bars[rng.integers(0, len(bars), n)] + rng.normal(0, 70, (n, 2))
        degrees = shapely.get_coordinates(to_degrees(shapely.multipoints(xy)))
        self.incidents.loc[: n - 1, ["lon", "lat"]] = degrees
        self.incidents["offense"] = "ROBBERY"
        self.save()
        return self

    def _bars(self):
        return json.loads((self.folder / "bars.geojson").read_text())["features"]

    @property
    def path(self):
        return self.folder / "city.toml"
