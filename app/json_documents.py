"""The JSON documents that outside scripts read, one function a document."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    from spatial.analysis import Analysis
    from spatial.combined import CombinedRisk
    from spatial.terrain.model import TerrainModel


def model_document(model: TerrainModel) -> dict[str, Any]:
    """Describe a model: family, BIC, intercept, dispersion and the factor table."""
    return {
        "family": model.family,
        "bic": model.fit.bic,
        "intercept": float(model.fit.beta[0]),
        "dispersion": model.fit.dispersion,
        "factors": model.table().to_dict("records"),
    }


def combined_document(combined: CombinedRisk) -> dict[str, Any]:
    """Describe a combined risk: each component's share, heaviest first, and the cells' record."""
    return {
        "max": float(combined.score.max()),
        "environment_share": combined.environment_share,
        "history_share": 1.0 - combined.environment_share,
        "components": [
            dataclasses.asdict(component)
            for component in sorted(combined.components, key=lambda c: -c.weight)
        ],
        "record": None if combined.record is None else dataclasses.asdict(combined.record),
    }


def diagnostics_document(analysis: Analysis) -> dict[str, Any]:
    """Describe what a fit leaves: dispersion, Moran's I of residuals, inflation of each factor."""
    found = analysis.diagnostics
    return {
        "dispersion": found.dispersion,
        "moran": dataclasses.asdict(found.moran),
        "factors": [
            {
                "name": column.factor,
                "operation": column.operation,
                "distance": column.distance_units,
                "variance_inflation": inflation,
                "covers": covers,
            }
            for column, inflation, covers in zip(
                analysis.terrain.model.columns, found.inflation, found.covers, strict=True
            )
        ],
    }


def run_document(
    analysis: Analysis,
    *,
    run: str,
    city: str,
    crs: str,
    outcome: str,
    period: tuple[dt.date, dt.date],
    seed: int,
    zones_from: str,
) -> dict[str, Any]:
    """Describe a run as ``fit`` and ``show`` print it."""
    terrain, score = analysis.terrain, analysis.cells["score"]
    return {
        "run": run,
        "city": city,
        "outcome": outcome,
        "from": period[0].isoformat(),
        "to": period[1].isoformat(),
        "scope": analysis.scope,
        "seed": seed,
        "incidents": analysis.incidents,
        "grid": {"cells": len(analysis.grid), "cell": analysis.grid.cell_units, "crs": crs},
        "candidates": terrain.n_candidates,
        "screened": terrain.n_screened,
        "dropped": [{"candidate": name, "reason": reason} for name, reason in terrain.dropped],
        "factors_from": "city" if terrain.borrowed else analysis.scope,
        "model": model_document(terrain.model),
        "alternatives": [model_document(model) for model in terrain.alternatives],
        "score": {
            "max": float(score.max()),
            "mean": float(score.mean()),
            "sd": float(score.std(ddof=0)),
            "share_above_2sd": float((analysis.cells["risk_class"] == 3).mean()),
        },
        "combined": combined_document(analysis.combined),
        "districts": [] if analysis.shared is None else analysis.shared.table().to_dict("records"),
        "diagnostics": diagnostics_document(analysis),
        "zones_from": zones_from,
        "zones": [
            {
                "id": zone_id(run, row.district, row.rank),
                "district": row.district,
                "rank": int(row.rank),
                "area": float(row.area),
                "cells": int(row.n_cells),
                "expected": float(row.expected),
                "past": int(row.past),
                "environment_share": float(row.environment_share),
                "factors": row.factors,
            }
            for row in analysis.zones.itertuples()
        ],
        "warnings": list(analysis.warnings),
        "warning_codes": [caution.as_json() for caution in analysis.cautions],
    }


def zone_id(run: str, district: str, rank: int) -> str:
    """Name a zone for ever: the run, the district and the rank, fit for an address.

    >>> zone_id("0a1b2c3d4e5f", "District 3/West", 2)
    '0a1b2c3d-district-3-west-2'
    """
    plain = "".join(c if c.isalnum() else "-" for c in district.lower())
    return f"{run[:8]}-{plain}-{rank}"
