"""Read and check the people who live in polygons, such as those of a census."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.errors import DataError
from geodata.gathering.areas import open_area

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.cityfile.disclosure import ResidentsSource
    from geodata.gathering.areas import Areas
    from geodata.reports import SourceReport

PEOPLE = "people"


@dataclass(frozen=True, kw_only=True, eq=False)
class GatheredResidents:
    """Polygons with their people and groups (``people``, ``groups``), and their account."""

    rows: gpd.GeoDataFrame
    report: SourceReport
    sha256: str


def gather_residents(source: ResidentsSource, areas: Areas) -> GatheredResidents:
    """Read polygons with the people who live in them, those that touch the study area.

    Raises
    ------
    DataError
        If the file cannot be used, or none of its polygons is counted and touches the study area.
    """
    columns = [source.total, *source.groups.values()]
    opened = open_area(source.place, "residents", areas.frame.crs, columns)
    frame, sieve = opened.frame, opened.sieve
    counts = np.column_stack(
        [pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float) for name in columns]
    )
    counted = np.isfinite(counts) & (counts >= 0)
    sieve.leave_out("no number of people", ~counted[:, 0])
    sieve.leave_out("no number of people of a group", ~counted.all(axis=1))
    more = np.asarray((counts > counts[:, :1]).any(axis=1))
    sieve.leave_out("a group of more people than all", more)
    shapes = np.asarray(frame.geometry.array, dtype=object)
    shapely.prepare(areas.study_area)
    touching = np.asarray(shapely.intersects(areas.study_area, shapes))
    sieve.leave_out("outside of the city", ~touching, examples=False)
    keep = sieve.keep
    if not keep.any():
        msg = (
            f"{source.place.label}: no polygon with a number of people in {source.total!r} touches "
            "the study area; check the file, its crs and the columns. Nothing was stored"
        )
        raise DataError(msg)
    rows = frame.loc[keep, ["geometry"]].reset_index(drop=True)
    rows[PEOPLE] = counts[keep, 0]
    rows["groups"] = counts[keep, 1:].tolist()
    return GatheredResidents(rows=rows, report=sieve.report, sha256=opened.layer.sha256)
