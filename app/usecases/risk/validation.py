"""Score a run on incidents of a later period, or on the later parts of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from app.usecases.risk.fit import inputs_of, load_inputs
from geodata.errors import DataError
from geodata.repositories import cities, run_analyses, runs
from spatial.analysis import CITY_SCOPE, analyse_city, analyse_districts
from spatial.history.baselines import baselines
from spatial.history.forecast import SHARES, capture
from spatial.history.kernels import lay_past
from spatial.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from geodata.db.engine import Database
    from geodata.repositories.runs import RunRecord
    from spatial.analysis import Inputs
    from spatial.grid import Grid
    from spatial.spec import RunSpec

    Floats = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]

VALIDATION, BACKTEST = "validation", "backtest"
CURVE_POINTS = 101
ORDER = ("combined", "rtm", "prior", "kde", "forest")
MOST_ORIGINS = 24


def validate(
    database: Database,
    run_id: str,
    start: dt.date,
    end: dt.date,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a run and what it is compared with on a later period, and keep the result.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If the period is empty or does not lie after the run's own.
    ForecastError
        If no incident lies in it.
    """
    with database.session() as session:
        run = runs.get_run(session, run_id)
        _require_later(run, start, end)
        inputs, spec = inputs_of(session, run)
        city = cities.get_city(session, run.city)
        test = load_inputs(session, city, run.outcome, start, end).incidents
    later = run.grid.count(test.x, test.y)
    if progress:
        progress("baselines", 0, 1)
    scores, bandwidth = _beside(run.grid, run.cells, inputs, spec)
    if progress:
        progress("baselines", 1, 1)
    length = (run.period_to - run.period_from).days
    document = {
        "run": run.id,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "trained_from": run.period_from.isoformat(),
        "trained_to": run.period_to.isoformat(),
        "incidents": int(later.sum()),
        "kde_bandwidth": bandwidth,
        **_scored(scores, later, run.result["incidents"] * (end - start).days / length),
        "zones": _zones(run, test),
        "warnings": _warnings(run, inputs, int(later.sum())),
    }
    with database.session(write=True) as session:
        run_analyses.keep_finding(session, run.id, VALIDATION, f"{start}/{end}", document)
    return document


def backtest(
    database: Database, run_id: str, origins: int, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Refit a run at several days of its own period and score each fit on what followed.

    The second half of the period is cut into ``origins`` windows. Before each, everything is
    fitted again on the days from the start of the period, and scored on the window.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If the period is too short for so many windows.
    """
    with database.session() as session:
        run = runs.get_run(session, run_id)
        inputs, spec = inputs_of(session, run)
    windows = _windows(run, origins)
    age = inputs.age_days if inputs.age_days is not None else np.zeros(len(inputs.incidents))
    day = np.array([(run.period_to - run.period_from).days], dtype=float) - age
    documents = []
    for position, (first, last) in enumerate(windows):
        trained = dataclasses.replace(
            inputs, incidents=inputs.incidents[day < first], age_days=first - day[day < first]
        )
        test = inputs.incidents[(day >= first) & (day < last)]
        grid, scores = _refitted(run, trained, spec)
        later = grid.count(test.x, test.y)
        expected = len(trained.incidents) * (last - first) / first
        documents.append(
            {
                "from": (run.period_from + dt.timedelta(days=int(first))).isoformat(),
                "to": (run.period_from + dt.timedelta(days=int(last))).isoformat(),
                "trained_on": len(trained.incidents),
                "incidents": int(later.sum()),
                **_scored(scores, later, expected, curve=False),
            }
        )
        if progress:
            progress("rolling origins", position + 1, len(windows))
    document = {"run": run.id, "origins": documents, "levels": _pooled(documents, len(run.grid))}
    with database.session(write=True) as session:
        run_analyses.keep_finding(session, run.id, BACKTEST, str(origins), document)
    return document


def _refitted(run: RunRecord, inputs: Inputs, spec: RunSpec) -> tuple[Grid, dict[str, Floats]]:
    if run.scope == CITY_SCOPE:
        analysis = analyse_city(inputs, spec)
    else:
        (analysis,) = analyse_districts(inputs, spec, [run.scope])
    scores, _ = _beside(analysis.grid, analysis.cells, inputs, spec)
    return analysis.grid, scores


def _beside(
    grid: Grid, cells: pd.DataFrame, inputs: Inputs, spec: RunSpec
) -> tuple[dict[str, Floats], float]:
    """Set a fit's scores beside the baselines; give the kernel density's bandwidth too."""
    past = lay_past(grid, inputs.incidents.x, inputs.incidents.y)
    rivals = baselines(grid, past, inputs.layers, spec.grid.block_units, seed=spec.model.seed)
    own = {"combined": cells["combined"].to_numpy(), "rtm": cells["score"].to_numpy()}
    return own | rivals.scores, rivals.kde_bandwidth_units


def _scored(
    scores: Mapping[str, Floats], later: NDArray[np.int64], expected: float, *, curve: bool = True
) -> dict[str, Any]:
    """Describe every score at the standard shares, and its capture curve."""
    rates = ("combined", "prior", "kde", "forest")  # those that add up to incidents
    curves = {name: capture(scores[name], later) for name in ORDER}
    by_name = {
        name: found.levels(expected_total=expected if name in rates else None)
        for name, found in curves.items()
    }
    levels = []
    for position, share in enumerate(SHARES):
        body = {
            name: {
                key: value
                for key, value in dataclasses.asdict(found[position]).items()
                if key not in ("share", "cells")
            }
            for name, found in by_name.items()
        }
        levels.append({"share": share, "cells": by_name["rtm"][position].cells, "scores": body})
    document: dict[str, Any] = {
        "levels": levels,
        "under_curve": {name: found.under_curve for name, found in curves.items()},
    }
    if curve:
        at = np.linspace(0, 1, CURVE_POINTS) ** 2  # close together where shares are small
        document["curves"] = {
            "area": [round(float(a), 6) for a in at],
            **{
                name: [
                    round(float(rate), 6)
                    for rate in np.interp(
                        at,
                        np.concatenate([[0.0], found.area / found.area[-1]]),
                        np.concatenate([[0.0], found.hit_rate]),
                    )
                ]
                for name, found in curves.items()
            },
        }
    return document


def _zones(run: RunRecord, test: Any) -> dict[str, Any]:
    """Count the later incidents in the run's own zones."""
    x, y = test.x.to_numpy(), test.y.to_numpy()
    inside = run.grid.locate(x, y) >= 0
    total = int(inside.sum())
    kept = {
        zone.id: int(shapely.contains_xy(zone.geometry, x[inside], y[inside]).sum())
        for zone in run.zones.itertuples()
    }
    hits, share = sum(kept.values()), float(run.zones["n_cells"].sum() / len(run.grid))
    low, high = wilson(hits, total)
    return {
        "hits": hits,
        "area_share": share,
        "hit_rate": hits / total,
        "hit_rate_low": low,
        "hit_rate_high": high,
        "pai": hits / total / share if share else None,
        "by_zone": kept,
    }


def _pooled(documents: list[dict[str, Any]], n_cells: int) -> list[dict[str, Any]]:
    """Add the windows up: hits over all incidents, on the same share of the area each time."""
    total = sum(found["incidents"] for found in documents)
    pooled = []
    for position, share in enumerate(SHARES):
        levels = [found["levels"][position] for found in documents]
        part = levels[0]["cells"] / n_cells
        scores = {}
        for name in ORDER:
            hits = sum(level["scores"][name]["hits"] for level in levels)
            most = sum(level["scores"][name]["most"] for level in levels)
            low, high = wilson(hits, total)
            scores[name] = {
                "hits": hits,
                "hit_rate": hits / total,
                "pai": hits / total / part,
                "pai_low": low / part,
                "pai_high": high / part,
                "pei": hits / most,
                "most": most,
            }
        pooled.append({"share": share, "cells": levels[0]["cells"], "scores": scores})
    return pooled


def _windows(run: RunRecord, origins: int) -> list[tuple[float, float]]:
    days = (run.period_to - run.period_from).days
    if not 1 <= origins <= MOST_ORIGINS or days < 4 * origins:
        msg = (
            f"a rolling backtest takes 1 to {MOST_ORIGINS} windows of at least two days; the run's "
            f"period has {days} days, so ask for at most {min(MOST_ORIGINS, days // 4)}"
        )
        raise DataError(msg)
    edges = np.floor(np.linspace(days / 2, days, origins + 1))
    return [(float(a), float(b)) for a, b in itertools.pairwise(edges)]


def _require_later(run: RunRecord, start: dt.date, end: dt.date) -> None:
    if start >= end:
        msg = f"the period from {start} to {end} is empty; --from is included, --to is not"
        raise DataError(msg)
    if start < run.period_to:
        msg = (
            f"run {run.id} was trained on {run.period_from} to {run.period_to}; a test period must "
            f"start on or after {run.period_to}, or the run is scored on what it has seen"
        )
        raise DataError(msg)


def _warnings(run: RunRecord, inputs: Inputs, later: int) -> list[str]:
    warnings = []
    now = int((run.grid.locate(inputs.incidents.x, inputs.incidents.y) >= 0).sum())
    if now != run.result["incidents"]:
        warnings.append(
            f"the run was trained on {run.result['incidents']} incidents, the database now holds "
            f"{now} of that period; baselines use the latter"
        )
    if later < 100:
        warnings.append(
            f"only {later} incidents in the test period: a few of them decide every figure"
        )
    return warnings
