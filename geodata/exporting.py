"""A run as files that other programs open: GeoJSON, GeoPackage, CSV, GeoTIFF."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from rasterio.transform import from_origin

from geodata.errors import DataError
from geodata.spreadsheets import inert
from spatial.zones.name_words import long_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geodata.repositories.runs import RunRecord

GEOJSON_DECIMALS = 7  # about a centimetre


def zones_frame(run: RunRecord) -> gpd.GeoDataFrame:
    """Return the zones of a run with their factors in one text column.

    ``name`` is what a person called the zone, else where it is in words; ``near`` are its streets.
    Where a person changed the zones, each row says so: ``edited_on`` is the day of the last of
    ``edit_steps`` steps. Nobody is named.
    """
    frame = run.zones.copy()
    words = frame.pop("place_name") if "place_name" in frame else [None] * len(frame)
    own = frame.pop("name") if "name" in frame else [""] * len(frame)
    frame.insert(
        3, "name", [n or (long_name(w) if w else "") for n, w in zip(own, words, strict=True)]
    )
    frame.insert(4, "near", ["; ".join(w.near.streets) if w else "" for w in words])
    if run.edited is not None:
        frame.insert(3, "edited_on", run.edited.on.isoformat())
        frame.insert(4, "edit_steps", run.edited.steps)
    frame["factors"] = [
        "; ".join(f"{f.name} {f.operation} {f.distance:g}" for f in factors)
        for factors in frame["factors"]
    ]
    return frame


def cells_frame(run: RunRecord) -> gpd.GeoDataFrame:
    """Return every cell as a square, with count, score, class, expected incidents and district.

    ``cell`` is its number in the whole run, also where only some districts are given.
    """
    grid = run.grid
    west = grid.x0 + grid.cols * grid.cell_units
    south = grid.y0 + grid.rows * grid.cell_units
    names = np.array([*grid.district_ids, ""], dtype=object)
    frame = run.cells.reset_index(names="cell").copy()
    frame.insert(1, "district", names[grid.district])
    east = grid.x0 + (grid.cols + 1) * grid.cell_units
    north = grid.y0 + (grid.rows + 1) * grid.cell_units
    return gpd.GeoDataFrame(
        frame, geometry=shapely.box(west, south, east, north), crs=run.zones.crs
    )


def factors_frame(run: RunRecord) -> pd.DataFrame:
    """Return the factor table of the chosen model and of the alternatives."""
    models = [("chosen", run.result.model)]
    models += [("alternative", model) for model in run.result.alternatives]
    tables = []
    for role, model in models:
        table = pd.DataFrame([dataclasses.asdict(factor) for factor in model.factors])
        table.insert(0, "bic", model.bic)
        table.insert(0, "family", model.family)
        table.insert(0, "model", role)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def export_run(run: RunRecord, what: str, path: Path) -> None:
    """Write one thing of a run; the ending of the path says how.

    Parameters
    ----------
    run
        The run.
    what
        ``zones``, ``cells``, ``surface`` or ``factors``.
    path
        Where to; an existing file is replaced only when the new one is whole.

    Raises
    ------
    DataError
        If that thing cannot be written with that ending, or the folder cannot be written.
    """
    writers = _WRITERS.get(what)
    if writers is None:
        msg = f"cannot export {what!r}; choose one of {', '.join(_WRITERS)}"
        raise DataError(msg, code="unknown_export")
    writer = writers.get(path.suffix.lower())
    if writer is None:
        msg = f"{path.name}: {what} can be written as {', '.join(writers)}, by the file's ending"
        raise DataError(msg, code="file_ending")
    draft = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        writer(run, draft)
        draft.replace(path)
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror or error}); choose another place"
        raise DataError(msg, code="not_writable") from error
    finally:
        draft.unlink(missing_ok=True)


def _geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write RFC 7946: degrees, right-hand rings, no crs member."""
    degrees = frame.to_crs(4326)
    degrees.geometry = shapely.orient_polygons(
        shapely.set_precision(degrees.geometry.array, 10.0**-GEOJSON_DECIMALS)
    )
    text = degrees.to_json(drop_id=True)
    path.write_text(json.dumps(json.loads(text), allow_nan=False), encoding="utf-8")


def _gpkg(layer: str) -> Callable[[gpd.GeoDataFrame, Path], None]:
    def write(frame: gpd.GeoDataFrame, path: Path) -> None:
        frame.to_file(path, driver="GPKG", layer=layer, engine="pyogrio")

    return write


def _csv(frame: pd.DataFrame, path: Path) -> None:
    table = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    if isinstance(frame, gpd.GeoDataFrame):
        centre = frame.geometry.representative_point().to_crs(4326)
        table["longitude"], table["latitude"] = centre.x.round(6), centre.y.round(6)
    texts = table.select_dtypes(exclude=["number", "bool"]).columns
    table[texts] = table[texts].map(inert)
    table.to_csv(path, index=False)


def _surface(run: RunRecord, path: Path) -> None:
    """Write the relative risk score as a cloud-optimised GeoTIFF, NaN outside the study area."""
    grid = run.grid
    raster = grid.to_raster(run.cells["score"].to_numpy(dtype="float32"))[::-1]
    west, _, _, north = grid.bounds
    profile: dict[str, object] = {
        "driver": "COG",
        "dtype": "float32",
        "count": 1,
        "height": grid.n_rows,
        "width": grid.n_cols,
        "crs": run.zones.crs.to_wkt(),
        "transform": from_origin(west, north, grid.cell_units, grid.cell_units),
        "nodata": np.nan,
        "compress": "deflate",
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(raster.astype("float32"), 1)
        target.set_band_description(1, "relative risk score")
        target.update_tags(run=run.id, outcome=run.outcome, scope=run.scope)


_WRITERS: dict[str, dict[str, Callable[[RunRecord, Path], None]]] = {
    "zones": {
        ".geojson": lambda run, path: _geojson(zones_frame(run), path),
        ".gpkg": lambda run, path: _gpkg("zones")(zones_frame(run), path),
        ".csv": lambda run, path: _csv(zones_frame(run), path),
    },
    "cells": {
        ".geojson": lambda run, path: _geojson(cells_frame(run), path),
        ".gpkg": lambda run, path: _gpkg("cells")(cells_frame(run), path),
        ".csv": lambda run, path: _csv(cells_frame(run), path),
    },
    "surface": {".tif": _surface},
    "factors": {".csv": lambda run, path: _csv(factors_frame(run), path)},
}
