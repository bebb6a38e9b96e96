"""Two runs side by side: factors, zones gained and lost, scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from geodata.errors import DataError
from spatial.terrain.certainty import top_cells

if TYPE_CHECKING:
    from geodata.store.runs import RunRecord

SAME_ZONE = 0.5


def compare(one: RunRecord, other: RunRecord) -> dict[str, Any]:
    """Compare two runs of one city.

    A zone is kept where at least half of its area lies in zones of the other run.

    Raises
    ------
    DataError
        If the runs are of different cities.
    """
    if one.city != other.city:
        msg = f"runs of different cities cannot be compared: {one.city} and {other.city}"
        raise DataError(msg)
    return {
        "runs": [_named(run) for run in (one, other)],
        "factors": _factors(one, other),
        "zones": {
            "kept": [zone for zone, share in _covered(one, other) if share >= SAME_ZONE],
            "lost": [zone for zone, share in _covered(one, other) if share < SAME_ZONE],
            "gained": [zone for zone, share in _covered(other, one) if share < SAME_ZONE],
        },
        "scores": _scores(one, other),
    }


def _named(run: RunRecord) -> dict[str, Any]:
    return {
        "run": run.id,
        "outcome": run.outcome,
        "scope": run.scope,
        "from": run.period_from.isoformat(),
        "to": run.period_to.isoformat(),
        "incidents": run.result["incidents"],
        "family": run.result["model"]["family"],
        "bic": run.result["model"]["bic"],
        "zones": len(run.zones),
        "zones_from": run.result["zones_from"],
    }


def _factors(one: RunRecord, other: RunRecord) -> list[dict[str, Any]]:
    tables = [
        {factor["name"]: factor for factor in run.result["model"]["factors"]}
        for run in (one, other)
    ]
    names = sorted(set(tables[0]) | set(tables[1]))
    wanted = ("operation", "distance", "rrv", "rrv_low", "rrv_high")
    return [
        {
            "name": name,
            "runs": [
                {key: table[name][key] for key in wanted} if name in table else None
                for table in tables
            ],
        }
        for name in names
    ]


def _covered(one: RunRecord, other: RunRecord) -> list[tuple[str, float]]:
    """Give each zone of one run and the share of its area that the other run's zones cover."""
    whole = other.zones.geometry.union_all()
    return [
        (zone.id, float(zone.geometry.intersection(whole).area / zone.geometry.area))
        for zone in one.zones.itertuples()
    ]


def _scores(one: RunRecord, other: RunRecord) -> dict[str, Any] | None:
    """Compare the scores of cells that both runs have; none where the grids differ."""
    if one.grid.bounds != other.grid.bounds or one.grid.cell_units != other.grid.cell_units:
        return None
    place = other.grid.index_raster[one.grid.rows, one.grid.cols]
    both = place >= 0
    told: dict[str, Any] = {"cells": int(both.sum())}
    if not both.any():
        return None
    share = one.spec["zones"]["area_share"]
    for name, column in (("rtm", "score"), ("combined", "combined")):
        a = one.cells[column].to_numpy()[both]
        b = other.cells[column].to_numpy()[place[both]]
        flat = np.ptp(a) == 0 or np.ptp(b) == 0
        told[name] = {
            "rank_correlation": None if flat else float(spearmanr(a, b).statistic),
            "top_shared": float(
                (top_cells(a, share) & top_cells(b, share)).sum() / top_cells(a, share).sum()
            ),
        }
    return told
