"""A small town as an OpenStreetMap extract, written by hand: streets of a grid, bars, a park."""

import bz2

import numpy as np
import pandas as pd
import shapely
from town import SIDE, SOUTH, WEST, to_degrees, write_geojson

BLOCK = 100.0  # metres between crossings
BARS = ((1_000, 1_000), (1_050, 1_020), (2_900, 3_100))


class ExtractTown:
    """Districts, an extract and robberies of a town of 4 by 4 km, in a folder."""

    def __init__(self, folder, *, backwards=False):
        self.folder, self.backwards = folder, backwards
        folder.mkdir(parents=True, exist_ok=True)
        self.nodes, self.ways, self.relations = [], [], []
        half = SIDE / 2
        write_geojson(
            folder / "districts.geojson",
            [
                shapely.box(WEST, SOUTH, WEST + half, SOUTH + SIDE),
                shapely.box(WEST + half, SOUTH, WEST + SIDE, SOUTH + SIDE),
            ],
            code=["1", "2"],
        )
        self._streets()
        for x, y in BARS:
            self.node(x, y, amenity="bar", name="Bar & <Grill>")
        self.node(2_000, 2_000, amenity="cafe;pub")
        self.node(9_000, 9_000, amenity="bar")  # in the extract, beyond the city
        self.area(((500, 500), (700, 500), (700, 700), (500, 700)), amenity="pub")
        self.area(((3_000, 500), (3_400, 500), (3_400, 900), (3_000, 900)), leisure="park",
                  name="North Park")  # fmt: skip
        self.way([self.node(0, 2_050), self.node(4_000, 2_050)], railway="rail")
        self.way([self.node(0, 2_150), self.node(4_000, 2_150)], waterway="river", name="Eno")
        self._robberies()
        (folder / "town.osm").write_text(self.text())

    def node(self, x, y, **tags):
        point = to_degrees(shapely.Point(WEST + x, SOUTH + y))
        number = len(self.nodes) + 1
        shown = 100_000 - number if self.backwards else number
        self.nodes.append(f'<node id="{shown}" lat="{point.y:.7f}" lon="{point.x:.7f}" version="1"'
                          f">{_tags(tags)}</node>")  # fmt: skip
        return shown

    def way(self, nodes, **tags):
        refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
        self.ways.append(f'<way id="{len(self.ways) + 1}" version="1">{refs}{_tags(tags)}</way>')

    def area(self, corners, **tags):
        nodes = [self.node(x, y) for x, y in corners]
        self.way([*nodes, nodes[0]], **tags)

    def text(self):
        body = "\n".join([*self.nodes, *self.ways])
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n{body}\n</osm>\n'

    def packed(self):
        path = self.folder / "town.osm.bz2"
        path.write_bytes(bz2.compress(self.text().encode()))
        return path

    def _streets(self):
        """Draw a grid of streets that share a node at each crossing, and a motorway."""
        at = np.arange(1_000, 1_901, BLOCK)
        crossing = {(x, y): self.node(x, y) for x in at for y in at}
        for number, y in enumerate(at, start=1):
            self.way([crossing[x, y] for x in at], highway="residential", name=f"{number} Street")
        for number, x in enumerate(at, start=1):
            kind = "secondary" if number == 1 else "residential"
            self.way([crossing[x, y] for y in at], highway=kind, name=f"{number} Avenue")
        self.way([self.node(0, 100), self.node(4_000, 150)], highway="motorway", name="I 40")
        self.way([self.node(10, 10), self.node(20, 10)], highway="service")

    def _robberies(self):
        rng = np.random.default_rng(5)
        bars = np.array(BARS)[rng.integers(0, len(BARS), 300)] + rng.normal(0, 60, (300, 2))
        xy = np.vstack([bars, rng.uniform(50, SIDE - 50, (100, 2))]) + np.array([WEST, SOUTH])
        degrees = shapely.get_coordinates(to_degrees(shapely.multipoints(xy)))
        pd.DataFrame(
            {
                "case_id": [f"25-{i:05d}" for i in range(len(xy))],
                "occurred_date": [f"{1 + i % 12}/{1 + i % 28}/2025" for i in range(len(xy))],
                "longitude": degrees[:, 0].round(6),
                "latitude": degrees[:, 1].round(6),
            }
        ).to_csv(self.folder / "robberies.csv", index=False)


def _tags(tags):
    return "".join(f'<tag k="{key}" v="{_plain(value)}"/>' for key, value in tags.items())


def _plain(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
