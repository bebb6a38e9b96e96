"""A small town with streets, a park, water and rail under its maps, as files and as a release."""

import gzip
import re

import geopandas as gpd
import numpy as np
import shapely
from pmtiles.reader import MemorySource, Reader, all_tiles
from published import draft_and_approve, settings_in
from ready import make_ready
from releasing import Publisher, keep_run, town_run
from town import CRS, SIDE, SOUTH, WEST

from geodata.db.engine import open_database

AREA = shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)


def shape(line):
    return shapely.LineString(np.add(line, (WEST, SOUTH)))


def base_frame():
    """Streets of three ranks, one of them in two pieces, and one thing of every other kind."""
    box = shapely.box
    rows = [
        ("street", "Main Street", 1, shape([(0, 1000), (2000, 1000)])),
        ("street", "Main Street", 1, shape([(2000, 1000), (4000, 1000)])),
        ("street", "Fifth Street", 2, shape([(1000, 0), (1000, 4000)])),
        ("street", "Lilac Lane", 3, shape([(1500, 900), (1500, 2000)])),
        ("street", None, 3, shape([(1600, 900), (1600, 2000)])),
        ("park", "North Park", 2, box(WEST + 500, SOUTH + 2500, WEST + 1500, SOUTH + 3500)),
        ("water", "Mill Pond", 2, box(WEST + 2500, SOUTH + 2500, WEST + 3300, SOUTH + 3300)),
        ("water", "Eno", 2, shape([(0, 3700), (9_000, 3700)])),
        ("rail", "", 2, shape([(0, 3800), (4000, 3800)])),
        ("neighbourhood", "Old Tannery", 2, box(WEST, SOUTH, WEST + 1500, SOUTH + 1500)),
        ("place", "Heron Bend", 3, shapely.Point(WEST + 3000, SOUTH + 500)),
        ("building", "", 2, box(WEST + 1520, SOUTH + 1020, WEST + 1560, SOUTH + 1060)),
    ]
    kinds, names, ranks, shapes = zip(*rows, strict=True)
    columns = {"kind": kinds, "name": names, "rank": ranks}
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def without_base(city):
    """Return the text of a city file without what is drawn under the map."""
    return re.sub(r"\[\[base\]\][^\[]{0,500}", "", city)


def tiles_in(content):
    """Return the unpacked tiles of a file, by zoom, column and row, and its header."""
    source = MemorySource(content)
    tiles = {place: gzip.decompress(tile) for place, tile in all_tiles(source)}
    return tiles, Reader(source).header()


def without_streets(city):
    """Return the text of a city file whose base has everything but streets."""
    return re.sub(r'\[\[base\]\]\nkind = "street"[^\[]{0,500}', "", city)


def based_town(folder, *, base=True, streets=True):
    """Import a town with streets and publish a release of it; give settings and the release."""
    settings = settings_in(folder)
    make_ready(settings.database_url)
    database = open_database(settings.database_url)
    town = Publisher(folder)
    if base:
        town.name_places()
        town.city = town.city if streets else without_streets(town.city)
    else:
        town.city = without_base(town.city)
    town.bring(database)
    keep_run(database, town_run())
    release = draft_and_approve(database, settings, "town")
    database.close()
    return settings, release
