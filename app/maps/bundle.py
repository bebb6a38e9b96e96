"""Weekly activity by public site, as one file that the map's own script filters.

A run's map as files: made once, named by content; on disk compressed once.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import numpy as np
from flask_babel import ngettext
from pyproj import Transformer

from app.i18n import numbers
from app.i18n.language import code, speaking, translated
from app.maps.compose import Files, compose
from app.maps.picture import overview_svg
from app.maps.shapes import (
    base_geojson,
    districts_geojson,
    label_place,
    neighbourhoods_geojson,
    zones_geojson,
)
from app.maps.surface import warped_surface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import geopandas as gpd

    from app.maps.basemap import Ground
    from geodata.releases.activity import Activity, ActivityLayer
    from geodata.repositories.runs import RunRecord


DECIMALS = 5


def activity_json(activity: Activity, districts: gpd.GeoDataFrame) -> bytes:
    """Write weeks, sites and counts: ``counts`` is site, day, class, hours, number, over and over.

    Sites are latitude, longitude, radius in meters and district. An area that is no smaller than
    its district stands at the district's name with the radius 0: a circle that large would reach
    over the city's border and say less than the district does.

    Parameters
    ----------
    activity
        Of a release.
    districts
        ``code`` and shape of the city's districts, in its reference system.
    """
    document = {
        "weeks": [week.isoformat() for week in activity.weeks],
        "through": activity.through.isoformat(),
        "districts": list(activity.districts),
        "layers": [_layer(layer, districts) for layer in activity.layers],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _layer(layer: ActivityLayer, districts: gpd.GeoDataFrame) -> dict[str, object]:
    sites, crs = layer.sites, districts.crs
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(sites["x"].to_numpy(), sites["y"].to_numpy())
    radius = sites["radius_units"].to_numpy()
    shapes = districts.set_index("code").geometry
    large = np.pi * radius**2 >= shapes.area.reindex(sites["district"]).to_numpy()
    whole = large | (sites["rule"] == "district").to_numpy(dtype=bool)
    for place in np.flatnonzero(whole):
        lat[place], lon[place] = label_place(shapes[sites["district"].iloc[place]], crs)
    metres = np.where(whole, 0.0, np.maximum(1.0, radius * numbers.Units(crs.to_wkt()).metres))
    rows = zip(
        np.round(lat, DECIMALS).tolist(),
        np.round(lon, DECIMALS).tolist(),
        np.round(metres).astype(int).tolist(),
        sites["district"].tolist(),
        strict=True,
    )
    return {
        "id": layer.id,
        "title": translated(layer.title),
        "one": ngettext(layer.one, layer.many, 1),
        "many": ngettext(layer.one, layer.many, 2),
        "classes": list(layer.classes),
        "sites": [list(row) for row in rows],
        "counts": layer.counts[["site", "day", "class", "hours", "n"]].to_numpy().ravel().tolist(),
    }


COMPRESSED = (".js", ".css", ".json", ".svg")
MANIFEST = "map.json"
NAMED = re.compile(r"[a-z]+-[0-9a-f]{12}\.(js|css|json|svg|png|pmtiles)")  # as ``named`` writes it


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Names of a map's files, and its fragment of HTML.

    ``tiles`` is the base map, nothing where the city has none.
    ``surface_bounds`` are south, west, north and east of the surface in degrees.
    """

    folder: str
    fragment: str
    script: str
    style: str
    picture: str
    zones: str
    base: str
    districts: str
    surface: str
    surface_bounds: tuple[float, float, float, float]
    tiles: str = ""  # releases of earlier versions have none
    attribution: str = ""


def map_files(ground: Ground, run: RunRecord, languages: Iterable[str]) -> dict[str, bytes]:
    """Draw the map of a run: its files by name, and what of them belongs to each language."""
    found: dict[str, bytes] = {}
    document = {}
    for language in languages:
        with speaking(language):
            document[language] = _draw(ground, run, found)
    return {MANIFEST: json.dumps(document).encode(), **found}


def _draw(ground: Ground, run: RunRecord, found: dict[str, bytes]) -> dict[str, object]:
    """Draw a map in one language; give what a bundle names of it."""
    surface, parts = warped_surface(run), neighbourhoods_geojson(ground)

    def put(stem: str, ending: str, content: bytes) -> str:
        name = named(stem, ending, content)
        found[name] = content
        return name

    tiles = ground.tiles
    files = Files(
        base=put("base", ".json", base_geojson(ground)),
        surface=put("surface", ".png", surface.png),
        districts=put("districts", ".json", districts_geojson(ground)),
        zones=put("zones", ".json", zones_geojson(ground, run)),
        neighbourhoods=put("neighbourhoods", ".json", parts) if parts else "",
        tiles=put("tiles", ".pmtiles", tiles.content) if tiles else "",
        attribution=tiles.attribution if tiles else "",
    )
    area = ground.city.districts.geometry.to_crs(4326).total_bounds
    west, south, east, north = (round(float(edge), 6) for edge in np.asarray(area))
    split = compose(files, surface.bounds, (south, west, north, east))
    return {
        "fragment": split.fragment,
        "script": put("map", ".js", split.script.encode()),
        "style": put("map", ".css", split.style.encode()),
        "picture": put("overview", ".svg", overview_svg(ground, run)),
        "zones": files.zones,
        "base": files.base,
        "districts": files.districts,
        "surface": files.surface,
        "surface_bounds": surface.bounds,
        "tiles": files.tiles,
        "attribution": files.attribution,
    }


def put_bundle(root: Path, key: str, make: Callable[[], Mapping[str, bytes]]) -> Bundle:
    """Return the map in a folder in the language of the answer, making its files if need be.

    The folder is made aside and put in place whole, so that a reader sees all of it or nothing.
    """
    folder = root / key
    if not (folder / MANIFEST).is_file():
        _write(root, folder, make())
    result = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Bundle(folder=key, **result[code()])


def put_file(root: Path, key: str, stem: str, content: bytes) -> tuple[str, str]:
    """Write one JSON file of a map named by its content; give its folder and name."""
    name = named(stem, ".json", content)
    if not (root / key / name).is_file():
        (root / key).mkdir(parents=True, exist_ok=True)
        _put(root / key, name, content)
    return key, name


def named(stem: str, ending: str, content: bytes) -> str:
    """Name a file by its content."""
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}{ending}"


def _write(root: Path, folder: Path, files: Mapping[str, bytes]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".making-", dir=root))
    try:
        for name, content in files.items():
            _put(aside, name, content)
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    except OSError:
        if not (folder / MANIFEST).is_file():  # another process may have been first
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put(folder: Path, name: str, content: bytes) -> None:
    if name != MANIFEST and name.endswith(COMPRESSED):
        put_whole(folder / f"{name}.gz", gzip.compress(content, 9, mtime=0))
        put_whole(folder / f"{name}.br", brotli.compress(content, quality=9))
    put_whole(folder / name, content)


def put_whole(path: Path, content: bytes) -> None:
    """Write a file aside, so that one that broke off is never taken for the whole."""
    handle, made = tempfile.mkstemp(prefix=".making-", dir=path.parent)
    aside = Path(made)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
