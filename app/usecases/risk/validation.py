"""Score a run on incidents of a later period, or on the later parts of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from app.usecases.risk.fit import inputs_of, load_inputs
from geodata.analysis_documents import (
    BacktestDocument,
    BacktestWindow,
    LevelScore,
    PooledLevel,
    PooledScore,
    ScoreLevel,
    ValidationDocument,
    ZonedScore,
    ZoneScore,
)
from geodata.errors import DataError
from geodata.repositories import cities, run_analyses, runs
from spatial.analysis import CITY_SCOPE, analyse_city, analyse_districts
from spatial.history.baselines import baselines
from spatial.history.forecast import SHARES, capture
from spatial.history.kernels import lay_past
from spatial.intervals import wilson
from spatial.notes import Note
from spatial.zones.cut import cut_zones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geodata.db.engine import Database
    from geodata.repositories.runs import RunRecord
    from spatial.analysis import Inputs
    from spatial.grid import Grid
    from spatial.history.forecast import Capture
    from spatial.notes import Parameter
    from spatial.spec import RunSpec, ZoneSpec

    Floats = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]

CURVE_POINTS = 101
ORDER = ("combined", "rtm", "prior", "kde", "forest")
MOST_ORIGINS = 24
TIE_BREAK = 1e-6  # far less than one incident, far more than rounding
FEW_INCIDENTS = 100  # a hit rate of one half then has a standard error of 5 points


def validate(
    database: Database,
    run_id: str,
    start: dt.date,
    end: dt.date,
    *,
    progress: Progress | None = None,
) -> ValidationDocument:
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
    curves = _curves(scores, later)
    document = ValidationDocument(
        run=run.id,
        start=start,
        end=end,
        trained_from=run.period_from,
        trained_to=run.period_to,
        incidents=int(later.sum()),
        kde_bandwidth=bandwidth,
        levels=_levels(curves, run.result.incidents * (end - start).days / length),
        under_curve={name: found.under_curve for name, found in curves.items()},
        curves=_drawn(curves),
        zones=_zones(run, test, scores, inputs),
        warnings=_notes(run, inputs, int(later.sum())),
    )
    with database.session(write=True) as session:
        run_analyses.keep_analysis(session, f"{start}/{end}", document)
    return document


def backtest(
    database: Database, run_id: str, origins: int, *, progress: Progress | None = None
) -> BacktestDocument:
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
    scored: list[BacktestWindow] = []
    for position, (first, last) in enumerate(windows):
        trained = dataclasses.replace(
            inputs, incidents=inputs.incidents[day < first], age_days=first - day[day < first]
        )
        test = inputs.incidents[(day >= first) & (day < last)]
        grid, scores = _refitted(run, trained, spec)
        later = grid.count(test.x, test.y)
        expected = len(trained.incidents) * (last - first) / first
        curves = _curves(scores, later)
        scored.append(
            BacktestWindow(
                start=run.period_from + dt.timedelta(days=int(first)),
                end=run.period_from + dt.timedelta(days=int(last)),
                trained_on=len(trained.incidents),
                incidents=int(later.sum()),
                levels=_levels(curves, expected),
                under_curve={name: found.under_curve for name, found in curves.items()},
            )
        )
        if progress:
            progress("rolling origins", position + 1, len(windows))
    document = BacktestDocument(
        run=run.id, origins=tuple(scored), levels=_pooled(scored, len(run.grid))
    )
    with database.session(write=True) as session:
        run_analyses.keep_analysis(session, str(origins), document)
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


def _curves(scores: Mapping[str, Floats], later: NDArray[np.int64]) -> dict[str, Capture]:
    """Return the capture curve of every score."""
    return {name: capture(scores[name], later) for name in ORDER}


def _levels(curves: Mapping[str, Capture], expected: float) -> tuple[ScoreLevel, ...]:
    """Describe every score at the standard shares; ``expected`` incidents in all."""
    rates = ("combined", "prior", "kde", "forest")  # those that add up to incidents
    by_name = {
        name: found.levels(expected_total=expected if name in rates else None)
        for name, found in curves.items()
    }
    wanted = [one.name for one in dataclasses.fields(LevelScore)]
    return tuple(
        ScoreLevel(
            share=share,
            cells=by_name["rtm"][position].cells,
            scores={
                name: LevelScore(**{key: getattr(found[position], key) for key in wanted})
                for name, found in by_name.items()
            },
        )
        for position, share in enumerate(SHARES)
    )


def _drawn(curves: Mapping[str, Capture]) -> dict[str, tuple[float, ...]]:
    """Return the curves at some shares of the area, close together where those are small."""
    at = np.linspace(0, 1, CURVE_POINTS) ** 2
    found = {"area": at}
    for name, curve in curves.items():
        area = np.concatenate([[0.0], curve.area / curve.area[-1]])
        found[name] = np.interp(at, area, np.concatenate([[0.0], curve.hit_rate]))
    return {name: tuple(round(float(one), 6) for one in line) for name, line in found.items()}


def _zones(run: RunRecord, test: Any, scores: Mapping[str, Floats], inputs: Inputs) -> ZoneScore:
    """Count the later incidents in the run's own zones, and in zones that others would cut."""
    x, y = test.x.to_numpy(), test.y.to_numpy()
    inside = run.grid.locate(x, y) >= 0
    kept = {
        zone.id: int(shapely.contains_xy(zone.geometry, x[inside], y[inside]).sum())
        for zone in run.zones.itertuples()
    }
    total, cells = int(inside.sum()), len(run.grid)
    own = _zoned(sum(kept.values()), total, int(run.zones["n_cells"].sum()), cells)
    low, high = wilson(own.hits, total)
    later = run.grid.count(x, y)
    return ZoneScore(
        hits=own.hits,
        area_share=own.area_share,
        hit_rate=own.hit_rate,
        hit_rate_low=low,
        hit_rate_high=high,
        pai=own.pai,
        by_zone=kept,
        scores={"combined": own, **_cut_alike(run.grid, scores, later, run.spec.zones, inputs)},
    )


def _cut_alike(
    grid: Grid,
    scores: Mapping[str, Floats],
    later: NDArray[np.int64],
    limits: ZoneSpec,
    inputs: Inputs | None = None,
) -> dict[str, ZonedScore]:
    """Cut zones under the same limits from prior counts and kernel density, and score them.

    Counts have many ties: the kernel density decides them, as an analyst would look at the map.
    Either expects as many incidents in all as there were.
    """
    kde = scores["kde"]
    tied = scores["prior"] + TIE_BREAK * kde / max(float(kde.max()), np.finfo(float).tiny)
    found = {}
    for name, surface in (("prior", tied), ("kde", kde)):
        expected = surface * (float(scores["prior"].sum()) / max(float(surface.sum()), TIE_BREAK))
        zones = cut_zones(
            grid,
            surface,
            expected,
            limits,
            years=None if inputs is None else inputs.years,
            barriers=None if inputs is None else inputs.barriers,
        )
        chosen = np.concatenate([zone.cells for zone in zones]) if zones else np.zeros(0, int)
        found[name] = _zoned(int(later[chosen].sum()), int(later.sum()), len(chosen), len(grid))
    return found


def _zoned(hits: int, total: int, cells: int, of: int) -> ZonedScore:
    share = cells / of
    low, high = wilson(hits, total)
    return ZonedScore(
        cells=cells,
        area_share=share,
        hits=hits,
        hit_rate=hits / total,
        pai=hits / total / share if share else None,
        pai_low=low / share if share else None,
        pai_high=high / share if share else None,
    )


def _pooled(windows: Sequence[BacktestWindow], n_cells: int) -> tuple[PooledLevel, ...]:
    """Add the windows up: hits over all incidents, on the same share of the area each time."""
    total = sum(window.incidents for window in windows)
    pooled = []
    for position, share in enumerate(SHARES):
        levels = [window.levels[position] for window in windows]
        part = levels[0].cells / n_cells
        scores = {}
        for name in ORDER:
            hits = sum(level.scores[name].hits for level in levels)
            most = sum(level.scores[name].most for level in levels)
            low, high = wilson(hits, total)
            scores[name] = PooledScore(
                hits=hits,
                hit_rate=hits / total,
                pai=hits / total / part,
                pai_low=low / part,
                pai_high=high / part,
                pei=hits / most,
                most=most,
            )
        pooled.append(PooledLevel(share=share, cells=levels[0].cells, scores=scores))
    return tuple(pooled)


def _windows(run: RunRecord, origins: int) -> list[tuple[float, float]]:
    days = (run.period_to - run.period_from).days
    if not 1 <= origins <= MOST_ORIGINS or days < 4 * origins:
        msg = (
            f"a rolling backtest takes 1 to {MOST_ORIGINS} windows of at least two days; the run's "
            f"period has {days} days, so ask for at most {min(MOST_ORIGINS, days // 4)}"
        )
        raise DataError(msg, code="windows_range")
    edges = np.floor(np.linspace(days / 2, days, origins + 1))
    return [(float(a), float(b)) for a, b in itertools.pairwise(edges)]


def _require_later(run: RunRecord, start: dt.date, end: dt.date) -> None:
    if start >= end:
        msg = f"the period from {start} to {end} is empty; --from is included, --to is not"
        raise DataError(msg, code="period_empty")
    if start < run.period_to:
        msg = (
            f"run {run.id} was trained on {run.period_from} to {run.period_to}; a test period must "
            f"start on or after {run.period_to}, or the run is scored on what it has seen"
        )
        raise DataError(msg, code="period_not_later")


def _notes(run: RunRecord, inputs: Inputs, later: int) -> tuple[Note, ...]:
    notes = []
    now = int((run.grid.locate(inputs.incidents.x, inputs.incidents.y) >= 0).sum())
    if now != run.result.incidents:
        found: dict[str, Parameter] = {"trained_on": run.result.incidents, "stored": now}
        notes.append(Note("validation.incidents_changed", found))
    if later < FEW_INCIDENTS:
        notes.append(Note("validation.few_incidents", {"incidents": later}))
    return tuple(notes)
