"""OpenStreetMap extracts: features by their tags, read by GDAL's driver in a child process.

An extract is read once for every key that a city needs; what a factor or the map takes of it is
chosen from those rows. GDAL gets a list of keys as its configuration, so that other tags are never
held.
"""

from __future__ import annotations

import bz2
import functools
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from geodata.cityfile.risk_factors import NAME, PLACE_RANKS, RANK, STREET_RANKS, usual_keys
from geodata.cityfile.schema import ANY_VALUE
from geodata.errors import DataError
from geodata.formats import FORMATS, OSM_KINDS, refusal, sniff
from geodata.readers.sandbox import ChildLimits, read_apart
from geodata.readers.staging import Layer, load_rows
from geodata.readers.vectors import require_few_drivers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geodata.cityfile.schema import SourcePlace, TagFilter

REF = "ref"  # what a road is called on maps and signs: "I 85"
LAYERS = ("points", "lines", "multipolygons")
RANKED, MIDDLE_RANK = {"highway": STREET_RANKS, "place": PLACE_RANKS}, 2
POLYGONS = (  # of ways that are closed, as GDAL has it, and what the library adds
    "aeroway,amenity,boundary,building,craft,geological,healthcare,historic,landuse,leisure,"
    "military,natural,office,place,shop,sport,tourism,highway=platform,public_transport=platform,"
    "railway=station,waterway=riverbank,waterway=dock"
)
SECTION = """[{layer}]
osm_id=no
osm_version=no
osm_timestamp=no
osm_uid=no
osm_user=no
osm_changeset=no
other_tags=no
attributes={keys}
"""
UNSORTED = "Non increasing"  # how GDAL begins to say that ids are in no order
LIMITS = ChildLimits(base_bytes=2_000_000_000, seconds=300)
LONGEST_FAULT = 200
FAULTS = (DataSourceError, DataLayerError, FeatureError, ValueError, OSError)


def read_tagged(place: SourcePlace, tags: TagFilter) -> Layer:
    """Read the features of an extract that have any of some tags.

    Raises
    ------
    DataError
        If the file is missing, is no extract, is damaged, or needs more than a child may use.
    """
    layer = _rows(place, tags.all_keys)
    frame = gpd.GeoDataFrame(layer.frame[_with_tags(layer.frame, tags)])
    shapes = np.asarray(frame.geometry.array, dtype=object)
    if tags.dimensions:
        wanted = np.isin(shapely.get_dimensions(shapes), tags.dimensions)
        frame, shapes = frame[wanted], shapes[wanted]
    known = [(key, ranks) for key, ranks in RANKED.items() if key in frame.columns]
    if known and RANK not in frame.columns:
        found = pd.Series(np.nan, index=frame.index)
        for key, ranks in known:
            found = found.fillna(frame[key].map(ranks))
        frame = frame.assign(**{RANK: found.fillna(MIDDLE_RANK).astype(int)})
    if tags.as_points:
        frame = frame.set_geometry(shapely.point_on_surface(shapes), crs=frame.crs)
    return Layer(
        frame=frame.reset_index(drop=True),
        rows=np.arange(1, len(frame) + 1),
        sha256=layer.sha256,
        notes=(*place.notes, *layer.notes),
    )


def read_whole(place: SourcePlace) -> Layer:
    """Read every feature of an extract that has a usual tag, or those of its layer alone.

    Raises
    ------
    DataError
        As :func:`read_tagged` does.
    """
    layer = _rows(place, usual_keys())
    if place.layer is None:
        return layer
    if place.layer not in LAYERS:
        msg = f"{place.label}: has no layer {place.layer!r}; its layers are {', '.join(LAYERS)}"
        raise DataError(msg)
    frame = gpd.GeoDataFrame(layer.frame)
    mine = shapely.get_dimensions(frame.geometry) == LAYERS.index(place.layer)
    return replace(layer, frame=frame[mine].reset_index(drop=True), rows=layer.rows[mine])


def _with_tags(frame: pd.DataFrame, tags: TagFilter) -> NDArray[np.bool_]:
    """Tell which rows have any of the tags, shape ``(rows,)``; ``a;b`` is both a and b."""
    kept = np.zeros(len(frame), dtype=bool)
    for key, values in tags.tags:
        column = frame[key]
        stated = column.notna().to_numpy()
        if ANY_VALUE in values:
            kept |= stated
            continue
        kept |= column.isin(values).to_numpy()
        several = stated & column.str.contains(";", regex=False).fillna(False).to_numpy(bool)
        for row in np.flatnonzero(several & ~kept).tolist():
            parts = {part.strip() for part in str(column.iloc[row]).split(";")}
            kept[row] = not parts.isdisjoint(values)
    return kept


def _rows(place: SourcePlace, keys: tuple[str, ...]) -> Layer:
    """Return the rows of an extract: those that a child read before, if it read every key."""
    path = Path(place.path)
    if not path.is_file():
        msg = f"{place.label}: there is no file {path}; correct the source of [osm]"
        raise DataError(msg)
    about = path.stat()
    return _read(str(path), place.rows, keys, about.st_size, about.st_mtime_ns)


@functools.lru_cache(
    maxsize=2
)  # its map, factors and addresses: the sources of a city are chosen from it one after the other
def _read(
    path: str, rows_before: str | None, keys: tuple[str, ...], size: int, changed: int
) -> Layer:
    del size, changed  # they only tell one file of a name from the next
    if rows_before is not None:
        kept = load_rows(Path(rows_before), Path(path).name)
        if set(keys) <= set(kept.frame.columns):
            return kept
    kind, label = sniff(Path(path)), Path(path).name
    if kind not in OSM_KINDS:
        why = refusal(kind) or f"is {FORMATS[kind].title}"
        msg = f"{label}: {why}; [osm] reads .osm, .osm.bz2 and .osm.pbf"
        raise DataError(msg)
    with tempfile.TemporaryDirectory(prefix="saferground-osm-") as folder:
        rows = Path(folder) / "rows"
        read_apart(Path(path), label, rows=rows, keys=keys, limits=LIMITS)
        return load_rows(rows, label)


def read_extract(path: Path, label: str, keys: Sequence[str]) -> gpd.GeoDataFrame:
    """Read what has a tag of some keys: a column for each key and ``name``, and geometry.

    It is called in a child process only.

    Raises
    ------
    DataError
        If the file is damaged or is no extract.
    """
    require_few_drivers()
    with (
        tempfile.TemporaryDirectory(prefix="saferground-osm-") as made,
        _staged(path, label, Path(made)) as source,
    ):
        options = {"CONFIG_FILE": str(_configuration(Path(made), keys))}
        try:
            frames = _layers(source, keys, options)
        except FAULTS as error:
            msg = (
                f"{label}: cannot be read as an OpenStreetMap extract "
                f"({str(error)[:LONGEST_FAULT]}); fetch it again"
            )
            raise DataError(msg) from error
    found = pd.concat(frames, ignore_index=True)
    frame = gpd.GeoDataFrame(found, geometry="geometry", crs=4326)
    frame.geometry = shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))
    return frame[~frame.geometry.is_empty & frame.geometry.notna()].reset_index(drop=True)


def _layers(source: Path, keys: Sequence[str], options: dict[str, str]) -> list[gpd.GeoDataFrame]:
    """Read points, lines and areas; with slower look-ups where ids are not in their order."""
    where = " OR ".join(f'"{key}" IS NOT NULL' for key in keys)
    columns = list(dict.fromkeys([*keys, NAME, REF]))
    try:
        return [_layer(source, layer, columns, where, options) for layer in LAYERS]
    except (FeatureError, DataSourceError) as error:
        if UNSORTED not in str(error):
            raise
        options = {**options, "USE_CUSTOM_INDEXING": "NO"}
        return [_layer(source, layer, columns, where, options) for layer in LAYERS]


def _layer(
    source: Path, layer: str, columns: list[str], where: str, options: dict[str, str]
) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(source, layer=layer, columns=columns, where=where, **options)


@contextmanager
def _staged(path: Path, label: str, folder: Path) -> Iterator[Path]:
    """Yield an extract as GDAL may see it: a plain file of our name, unpacked."""
    kind = sniff(path)
    here = folder / ("extract.osm.pbf" if kind == "osm-pbf" else "extract.osm")
    if kind != "osm-packed":
        here.symlink_to(path.absolute())
        yield here
        return
    try:
        with bz2.open(path) as packed, here.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)  # a child may write 2 GB and no more
    except (OSError, EOFError) as error:
        msg = f"{label}: cannot be unpacked ({error}); fetch it again, as .osm.pbf if it is large"
        raise DataError(msg) from error
    yield here


def _configuration(folder: Path, keys: Sequence[str]) -> Path:
    """Write what GDAL is to keep of the tags."""
    path = folder / "osm.ini"
    columns = ",".join(dict.fromkeys([*keys, NAME, REF]))
    sections = "".join(SECTION.format(layer=layer, keys=columns) for layer in LAYERS)
    path.write_text(
        f"[general]\nclosed_ways_are_polygons={POLYGONS}\nattribute_name_laundering=no\n{sections}",
        encoding="utf-8",
    )
    return path
