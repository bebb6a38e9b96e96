"""Fit a risk terrain: candidates -> elastic net -> stepwise BIC -> relative risk of every cell.

The relative risk score of a cell is ``exp(eta) / min exp(eta)``: the lowest is 1. Classes are cut
at the mean, one and two standard deviations above it (RTMDx reports; S5, S9 in docs/method.md).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from spatial.errors import FitError
from spatial.notes import Note
from spatial.terrain.candidates import Design, build_design, encode
from spatial.terrain.families import CountFit, fit_counts, tabulate
from spatial.terrain.penalised import PathSettings, draw_folds, fit_path
from spatial.terrain.stepwise import Chosen, choose_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geopandas import GeoSeries
    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.spec import Family, ModelSpec, RiskFactor
    from spatial.terrain.factors import Candidate

    Floats = NDArray[np.float64]
    Progress = Callable[[str, int, int], None]

# A rate of 100 incidents has a standard error of a tenth; a test holds 99 and 100.
FEW_INCIDENTS = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class TerrainModel:
    """One fitted count model over chosen columns."""

    family: Family
    columns: tuple[Candidate, ...]
    fit: CountFit

    def table(self, *, level: float = 0.95) -> pd.DataFrame:
        """Tabulate factor, operation, distance, coefficient, se, rrv, rrv_low, rrv_high.

        Intervals are Wald intervals of the coefficient, carried to the relative risk value
        ``RRV = exp(coefficient)``; they do not account for the selection of the columns.
        """
        z = norm.ppf(0.5 + level / 2)
        beta = self.fit.beta[1:]
        se = np.sqrt(np.diag(self.fit.covariance))[1:]
        return pd.DataFrame(
            {
                "name": [column.factor for column in self.columns],
                "operation": [column.operation for column in self.columns],
                "distance": [column.distance_units for column in self.columns],
                "coefficient": beta,
                "se": se,
                "rrv": np.exp(beta),
                "rrv_low": np.exp(beta - z * se),
                "rrv_high": np.exp(beta + z * se),
            }
        ).sort_values(["rrv", "name"], ascending=[False, True], ignore_index=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskTerrain:
    """The outcome of a fit.

    Parameters
    ----------
    model
        The model of lowest BIC.
    alternatives
        The best model of each other family.
    active
        Columns of the chosen model, shape ``(cells, chosen)``, 0 or 1, as ``model.columns``.
    expected
        Incidents expected in each cell in the period, shape ``(cells,)``.
    score
        Relative risk score of each cell, lowest 1.
    screened_score
        The same under the elastic net with all the columns that it kept: a broader view of the
        environment, for the combined risk. Missing where the factors are another area's.
    n_candidates, n_screened
        Columns considered, and columns that the elastic net kept.
    dropped
        What was considered and left out, with the reason.
    warnings
        What the analyst should know.
    """

    model: TerrainModel
    alternatives: tuple[TerrainModel, ...]
    active: NDArray[np.uint8]
    expected: Floats
    score: Floats
    n_candidates: int
    n_screened: int
    dropped: tuple[tuple[str, str], ...]
    warnings: tuple[Note, ...]
    screened_score: Floats | None = None
    borrowed: bool = False

    def environments(self) -> dict[str, Floats]:
        """Name the surfaces that a combined risk may use."""
        found = {"rtm": self.score}
        if self.screened_score is not None:
            found["screened"] = self.screened_score
        return found


def fit_risk_terrain(
    grid: Grid,
    counts: NDArray[np.int64],
    layers: Mapping[RiskFactor, GeoSeries],
    block_units: float,
    spec: ModelSpec,
    *,
    progress: Progress | None = None,
) -> RiskTerrain:
    """Fit a risk terrain model.

    Parameters
    ----------
    grid
        The cells.
    counts
        Incidents in each cell.
    layers
        Features of each factor, in the grid's reference system.
    block_units
        Length of a block.
    spec
        Settings.
    progress
        Called with a stage, how many parts are done and how many there are.

    Raises
    ------
    FitError
        If there are too few incidents.
    """
    _require_incidents(counts, spec.min_incidents)
    design = build_design(grid, layers, block_units, min_ones=spec.min_ones, progress=progress)
    return choose_terrain(design, counts, spec, progress=progress)


def choose_terrain(
    design: Design,
    counts: NDArray[np.int64],
    spec: ModelSpec,
    *,
    times: NDArray[np.int64] | None = None,
    progress: Progress | None = None,
) -> RiskTerrain:
    """Choose factors and fit, from columns that are worked out already.

    ``times`` says how often each cell counts, once if left out; scores are given for all.
    """
    warnings: list[Note] = []
    total = int(counts.sum())
    if total < FEW_INCIDENTS:
        warnings.append(Note("model.few_incidents", {"incidents": total}))
    sign: Literal[1, -1] = 1 if spec.sign == "aggravating" else -1
    kept, screened = _screen(design, counts, spec, sign, warnings, times, progress)
    searched = []
    if progress:
        progress("stepwise", 0, len(spec.families))
    for position, family in enumerate(spec.families):
        searched.append(
            choose_columns(
                kept.columns,
                [candidate.factor for candidate in kept.candidates],
                counts,
                family,
                sign=sign,
                times=times,
            )
        )
        if progress:
            progress("stepwise", position + 1, len(spec.families))
    models = sorted((_model(kept, chosen) for chosen in searched), key=lambda m: m.fit.bic)
    best = models[0]
    positions = [kept.candidates.index(column) for column in best.columns]
    active = kept.columns[:, positions]
    warnings += _fit_warnings(best, Design(candidates=best.columns, columns=active, dropped=()))
    return _terrain(
        best,
        active,
        alternatives=tuple(models[1:]),
        n_candidates=design.n_considered,
        n_screened=len(kept.candidates),
        dropped=tuple((d.candidate.label, d.reason) for d in design.dropped),
        warnings=tuple(warnings),
        screened_score=screened,
    )


def borrow_terrain(
    city: RiskTerrain,
    cells: NDArray[np.intp],
    counts: NDArray[np.int64],
    *,
    warnings: tuple[Note, ...],
) -> RiskTerrain:
    """Return a district the city's factors, with the district's own level of incidents.

    The level is the maximum-likelihood one under a Poisson model with the city's coefficients
    kept: observed incidents over those the city's coefficients would give.

    Parameters
    ----------
    city
        The city's terrain.
    cells
        The district's cells in it.
    counts
        Incidents in each of them; may all be 0.
    warnings
        What to tell about it.
    """
    model = city.model
    relative = np.exp(city.active[cells] @ model.fit.beta[1:])
    level = max(float(counts.sum()), 0.5) / relative.sum()  # half an incident stands for none seen
    beta = model.fit.beta.copy()
    beta[0] = np.log(level)
    own = dataclasses.replace(model, fit=dataclasses.replace(model.fit, beta=beta))
    return adapt_terrain(city, cells, own, warnings=warnings)


def adapt_terrain(
    city: RiskTerrain,
    cells: NDArray[np.intp],
    model: TerrainModel,
    *,
    warnings: tuple[Note, ...],
) -> RiskTerrain:
    """Put another model with the city's columns on some of its cells."""
    wider = city.screened_score
    return _terrain(
        model,
        city.active[cells],
        alternatives=(),
        n_candidates=0,
        n_screened=0,
        dropped=(),
        warnings=warnings,
        screened_score=None if wider is None else wider[cells],
        borrowed=True,
    )


def score_classes(score: Floats) -> NDArray[np.int8]:
    """Class of each cell: 0 to the mean, 1 above it, 2 above mean + 1 SD, 3 above mean + 2 SD."""
    mean, sd = score.mean(), score.std()
    edges = np.array([mean, mean + sd, mean + 2 * sd])
    slack = 1e-9 * max(1.0, float(mean))  # a flat surface has no cell above its mean
    return (score[:, None] > edges[None, :] + slack).sum(axis=1).astype(np.int8)


def _require_incidents(counts: NDArray[np.int64], least: int) -> None:
    total = int(counts.sum())
    if total < least:
        found = "no incident" if total == 0 else f"only {total} incident{'s'[: total > 1]}"
        msg = (
            f"{found} of this outcome in the study area in this period; a risk terrain needs at "
            f"least {least}: take a longer period, or check what the import left out"
        )
        raise FitError(msg, code="too_few_incidents")


def _screen(
    design: Design,
    counts: NDArray[np.int64],
    spec: ModelSpec,
    sign: Literal[1, -1],
    warnings: list[Note],
    times: NDArray[np.int64] | None,
    progress: Progress | None,
) -> tuple[Design, Floats]:
    """Let the elastic net choose columns; give them and the relative score under all of them."""
    if not design.candidates:
        warnings.append(Note("model.no_column"))
        return design, np.ones(len(counts))
    path = fit_path(
        encode(design),
        counts,
        draw_folds(len(counts), spec.folds, spec.seed),
        sign=sign,
        settings=PathSettings(mixing=spec.mixing, rule=spec.lambda_rule),
        times=times,
        progress=progress,
    )
    if not path.converged:
        warnings.append(Note("model.path_unsettled"))
    kept = design.keep(path.kept)
    eta = kept.columns @ path.coefficients[path.chosen][path.kept]
    return kept, np.exp(eta - eta.min())


def _model(kept: Design, chosen: Chosen) -> TerrainModel:
    return TerrainModel(
        family=chosen.fit.family,
        columns=tuple(kept.candidates[column] for column in chosen.columns),
        fit=chosen.fit,
    )


def _fit_warnings(model: TerrainModel, design: Design) -> list[Note]:
    warnings = design.warnings()
    if not model.fit.converged:
        warnings.append(Note("model.not_converged", {"family": model.family}))
    if not model.columns:
        warnings.append(Note("model.flat"))
    return warnings


def _terrain(
    model: TerrainModel,
    active: NDArray[np.uint8],
    *,
    alternatives: tuple[TerrainModel, ...],
    n_candidates: int,
    n_screened: int,
    dropped: tuple[tuple[str, str], ...],
    warnings: tuple[Note, ...],
    screened_score: Floats | None = None,
    borrowed: bool = False,
) -> RiskTerrain:
    eta = model.fit.beta[0] + active @ model.fit.beta[1:]
    return RiskTerrain(
        model=model,
        alternatives=alternatives,
        active=active,
        expected=np.exp(eta),
        score=np.exp(eta - eta.min()),
        n_candidates=n_candidates,
        n_screened=n_screened,
        dropped=dropped,
        warnings=warnings,
        screened_score=screened_score,
        borrowed=borrowed,
    )


def refit(columns: NDArray[np.uint8], counts: NDArray[np.int64], family: Family) -> CountFit:
    """Fit one family on columns that are chosen already, without any selection."""
    return fit_counts(tabulate(columns, counts), family)
