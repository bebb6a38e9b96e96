"""Runs: written once, read by id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    import geopandas as gpd
    import pandas as pd

    from spatial.grid import Grid


@dataclass(frozen=True, kw_only=True, eq=False)
class RunRecord:
    """One run, whole.

    ``result`` is the JSON document that ``fit`` prints. ``cells`` has one row per cell of ``grid``
    in its order: ``count`` (incidents), ``score`` (relative risk score, lowest 1), ``risk_class``
    (0 below the mean, 1 above it, 2 above mean + 1 SD, 3 above mean + 2 SD), ``expected``
    (incidents expected in the period). ``zones`` is in the city's reference system: ``id``, ``district``,
    ``rank`` (1 is the highest in its district), ``area`` (square units), ``n_cells``, ``expected``,
    ``past``, ``factors`` (a list of mappings: name, operation, distance, rrv, share of its cells).
    """

    id: str
    city: str
    outcome: str
    scope: str
    period_from: dt.date
    period_to: dt.date
    seed: int
    spec: dict[str, Any]
    data_sha256: str
    code_version: str
    created_at: dt.datetime
    result: dict[str, Any]
    grid: Grid
    cells: pd.DataFrame
    zones: gpd.GeoDataFrame
