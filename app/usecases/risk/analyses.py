"""How sure a run is: bootstrap its whole selection, and keep what the replicates say.

How much a run hangs on choices that nobody can justify to the last digit: seed and block.

Two runs side by side: factors, zones gained and lost, scores.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from app.usecases.risk.fit import city_wide
from app.usecases.risk.parallel import spread
from geodata.analysis_documents import (
    CertaintyDocument,
    ChosenBand,
    End,
    ResampledFactor,
    SensitivityDocument,
    Start,
    VariedFactor,
    VariedFit,
    ZoneStability,
)
from geodata.errors import DataError
from geodata.repositories import run_analyses
from geodata.run_document import FactorEffect  # noqa: TC001 - pydantic reads it
from spatial.analysis import Analysis, Inputs, analyse_city
from spatial.certainty import prepare, summarise, top_cells
from spatial.history.kernels import lay_past
from spatial.terrain.candidates import build_design
from spatial.terrain.forest import forest_table
from spatial.zones.cut import cells_within

if TYPE_CHECKING:
    from collections.abc import Callable

    from geodata.db.engine import Database
    from geodata.repositories.runs import RunRecord
    from spatial.certainty import Certainty, Resampling
    from spatial.spec import RunSpec


if TYPE_CHECKING:
    Progress = Callable[[str, int, int], None]

FEWEST, MOST = 10, 2_000


def bootstrap(
    database: Database,
    run_id: str,
    *,
    replicates: int = 100,
    seed: int = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> CertaintyDocument:
    """Bootstrap a city-wide run and keep the result.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If the run is of one district, the number of replicates is out of bounds, the stored data
        are no longer the run's, or a scheduler cannot be reached.
    CancelledError
        If it was cancelled; nothing is stored then.
    """
    if not FEWEST <= replicates <= MOST:
        msg = f"ask for {FEWEST} to {MOST:,} replicates, not {replicates}"
        raise DataError(msg, code="replicates_range")
    with database.session() as session:
        run, inputs, spec = city_wide(session, run_id)
    resampling = _resampling(run, inputs, spec, seed, progress)
    found = summarise(
        spread(
            resampling.replicate,
            replicates,
            workers=workers,
            scheduler=scheduler,
            stage="bootstrap",
            progress=progress,
            cancelled=cancelled,
        ),
        [factor.name for factor in spec.factors],
        cells_within(run.grid, run.zones.geometry),
        len(run.grid),
    )
    document = _document(run, found, seed, int(resampling.block_of.max()) + 1)
    with database.session(write=True) as session:
        run_analyses.keep_analysis(
            session,
            f"{replicates}/{seed}",
            document,
            pd.DataFrame({"top_share": found.on_top.astype(np.float32)}),
        )
    return document


def _resampling(
    run: RunRecord, inputs: Inputs, spec: RunSpec, seed: int, progress: Progress | None
) -> Resampling:
    """Return what each replicate draws from: the run's own columns, past and parts."""
    block = spec.grid.block_units
    design = build_design(
        run.grid, inputs.layers, block, min_ones=spec.model.min_ones, progress=progress
    )
    return prepare(
        run.grid,
        design,
        lay_past(run.grid, inputs.incidents.x, inputs.incidents.y, inputs.age_days),
        run.result.combined.components,
        run.result.combined.record,
        forest_table(run.grid, inputs.layers, block),
        spec,
        seed,
        years=inputs.years,
        barriers=inputs.barriers,
    )


def _document(run: RunRecord, found: Certainty, seed: int, n_blocks: int) -> CertaintyDocument:
    model = {factor.name: factor for factor in run.result.model.factors}
    return CertaintyDocument(
        run=run.id,
        replicates=found.replicates,
        seed=seed,
        blocks=n_blocks,
        top_share=run.spec.zones.area_share,
        families=found.families,
        factors=tuple(
            ResampledFactor(
                name=factor.name,
                in_model=factor.name in model,
                chosen=factor.chosen,
                bands=tuple(
                    ChosenBand(operation=operation, distance=distance, share=share)
                    for operation, distance, share in factor.bands
                ),
                rrv=model[factor.name].rrv if factor.name in model else None,
                rrv_median=factor.rrv_median,
                rrv_low=factor.rrv_low,
                rrv_high=factor.rrv_high,
            )
            for factor in found.factors
        ),
        zones=tuple(
            ZoneStability(id=zone, stability=stability)
            for zone, stability in zip(run.zones["id"], found.zones, strict=True)
        ),
    )


OTHER_SEEDS = (1, 2, 3)  # added to the run's own
BLOCK_SHARES = (0.75, 1.25, 1.5)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Variants:
    """The fits to try; can be sent to another process."""

    inputs: Inputs
    specs: tuple[RunSpec, ...]

    def fit(self, number: int) -> Analysis:
        return analyse_city(self.inputs, self.specs[number])


def vary(
    database: Database,
    run_id: str,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> SensitivityDocument:
    """Fit a city-wide run again with other seeds and other blocks, and keep what changes.

    Raises
    ------
    NotStoredError
        If there is no such run.
    DataError
        If the run is of one district, its data have changed, or a scheduler cannot be reached.
    """
    with database.session() as session:
        run, inputs, spec = city_wide(session, run_id)
    seeds = [
        (
            f"seed {spec.model.seed + step}",
            dataclasses.replace(
                spec, model=dataclasses.replace(spec.model, seed=spec.model.seed + step)
            ),
        )
        for step in OTHER_SEEDS
    ]
    block = spec.grid.block_units
    lengths = [
        (
            f"block {block * share:g} instead of {block:g}",
            dataclasses.replace(
                spec, grid=dataclasses.replace(spec.grid, block_units=block * share)
            ),
        )
        for share in BLOCK_SHARES
    ]
    names, specs = zip(*seeds, *lengths, strict=True)
    work = _Variants(inputs=inputs, specs=specs)
    answers = spread(
        work.fit,
        len(specs),
        workers=workers,
        scheduler=scheduler,
        stage="other settings",
        progress=progress,
    )
    document = SensitivityDocument(
        run=run.id,
        fits=tuple(_describe(name, run, fit) for name, fit in zip(names, answers, strict=True)),
    )
    with database.session(write=True) as session:
        run_analyses.keep_analysis(session, "seed and block", document)
    return document


def _describe(name: str, run: RunRecord, fit: Analysis) -> VariedFit:
    """Describe a fit beside the run; a zone is kept where half of it is in a zone of the fit."""
    whole = fit.zones.geometry.union_all()
    kept = [zone.intersection(whole).area / zone.area >= 0.5 for zone in run.zones.geometry]
    share = run.spec.zones.area_share
    before = top_cells(run.cells["combined"].to_numpy(), share)
    after = top_cells(fit.combined.score, share)
    model = fit.terrain.model
    return VariedFit(
        changed=name,
        family=model.family,
        bic=model.fit.bic,
        factors=tuple(
            VariedFactor(
                name=column.factor,
                operation=column.operation,
                distance=column.distance_units,
                rrv=float(np.exp(coefficient)),
            )
            for column, coefficient in zip(model.columns, model.fit.beta[1:], strict=True)
        ),
        zones_kept=float(np.mean(kept)) if kept else 1.0,
        top_shared=float((before & after).sum() / before.sum()),
    )


SAME_ZONE = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """One of two runs; ``end`` is excluded."""

    run: str
    outcome: str
    scope: str
    start: Start
    end: End
    incidents: int
    family: str
    bic: float
    zones: int
    zones_from: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparedFactor:
    """A factor in two runs; nothing for a run whose model is without it."""

    name: str
    runs: tuple[FactorEffect | None, FactorEffect | None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparedZones:
    """Zones of the first run that are kept or lost in the second, and those gained there."""

    kept: tuple[str, ...]
    lost: tuple[str, ...]
    gained: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far a score orders cells alike; ``top_shared`` is the share of top cells in both."""

    rank_correlation: float | None
    top_shared: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparedScores:
    """Scores of the cells that both runs have."""

    cells: int
    rtm: Agreement
    combined: Agreement


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunComparison:
    """Two runs of one city; ``scores`` are missing where their grids differ."""

    runs: tuple[ComparedRun, ComparedRun]
    factors: tuple[ComparedFactor, ...]
    zones: ComparedZones
    scores: ComparedScores | None


def compare(one: RunRecord, other: RunRecord) -> RunComparison:
    """Compare two runs of one city.

    A zone is kept where at least half of its area lies in zones of the other run.

    Raises
    ------
    DataError
        If the runs are of different cities.
    """
    if one.city != other.city:
        msg = f"runs of different cities cannot be compared: {one.city} and {other.city}"
        raise DataError(msg, code="different_cities")
    covered = _covered(one, other)
    return RunComparison(
        runs=(_named(one), _named(other)),
        factors=_factors(one, other),
        zones=ComparedZones(
            kept=tuple(zone for zone, share in covered if share >= SAME_ZONE),
            lost=tuple(zone for zone, share in covered if share < SAME_ZONE),
            gained=tuple(zone for zone, share in _covered(other, one) if share < SAME_ZONE),
        ),
        scores=_scores(one, other),
    )


def _named(run: RunRecord) -> ComparedRun:
    return ComparedRun(
        run=run.id,
        outcome=run.outcome,
        scope=run.scope,
        start=run.period_from,
        end=run.period_to,
        incidents=run.result.incidents,
        family=run.result.model.family,
        bic=run.result.model.bic,
        zones=len(run.zones),
        zones_from=run.result.zones_from,
    )


def _factors(one: RunRecord, other: RunRecord) -> tuple[ComparedFactor, ...]:
    first, second = (
        {factor.name: factor for factor in run.result.model.factors} for run in (one, other)
    )
    return tuple(
        ComparedFactor(name=name, runs=(first.get(name), second.get(name)))
        for name in sorted(first.keys() | second.keys())
    )


def _covered(one: RunRecord, other: RunRecord) -> list[tuple[str, float]]:
    """Return each zone of one run and the share of its area that the other run's zones cover."""
    whole = other.zones.geometry.union_all()
    return [
        (zone.id, float(zone.geometry.intersection(whole).area / zone.geometry.area))
        for zone in one.zones.itertuples()
    ]


def _scores(one: RunRecord, other: RunRecord) -> ComparedScores | None:
    """Compare the scores of cells that both runs have; none where the grids differ."""
    if one.grid.bounds != other.grid.bounds or one.grid.cell_units != other.grid.cell_units:
        return None
    place = other.grid.index_raster[one.grid.rows, one.grid.cols]
    both = place >= 0
    if not both.any():
        return None

    def agreement(column: str) -> Agreement:
        a = one.cells[column].to_numpy()[both]
        b = other.cells[column].to_numpy()[place[both]]
        flat = np.ptp(a) == 0 or np.ptp(b) == 0
        tops = [top_cells(scores, one.spec.zones.area_share) for scores in (a, b)]
        return Agreement(
            rank_correlation=None if flat else float(spearmanr(a, b).statistic),
            top_shared=float((tops[0] & tops[1]).sum() / tops[0].sum()),
        )

    return ComparedScores(
        cells=int(both.sum()), rtm=agreement("score"), combined=agreement("combined")
    )
