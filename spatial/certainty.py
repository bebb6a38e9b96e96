"""How sure: the whole selection again and again on resampled data.

Each replicate draws square blocks of cells with replacement and selects factors anew on what was
drawn, elastic net and stepwise search included (block bootstrap; Künsch 1989, Lahiri 2003). Blocks
twice as wide as the farthest influence keep neighbouring cells together. The history part of the
combined risk and its random forest are built anew from incidents drawn with replacement, under the
weights and the record learned once: learned again, a twice drawn incident would predict itself.

- **selection frequency**: share of replicates in which a factor is chosen, and at which distance.
- **RRV intervals**: percentiles over replicates; a replicate without the factor counts as 1, so the
  interval accounts for the selection.
- **zone stability**: share of replicates whose zones cover at least half of a zone's cells.
- **top share**: share of replicates in which a cell is among the top cells.

Replicate ``i`` depends on the seed and ``i`` alone: whoever works it out, and in whatever order,
the answer is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spatial.combined import recombine
from spatial.terrain.forest import grow_forest
from spatial.terrain.model import choose_terrain
from spatial.zones.cut import cut_zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.combined import Component
    from spatial.grid import Grid
    from spatial.history.empirical_bayes import Record
    from spatial.history.kernels import Past
    from spatial.spec import RunSpec
    from spatial.terrain.candidates import Design
    from spatial.terrain.factors import Candidate
    from spatial.terrain.model import RiskTerrain

    Floats = NDArray[np.float64]

COVERED = 0.5  # share of a zone's cells that make a replicate's zones the same place
FEWEST_BLOCKS = 30  # fewer blocks to draw from make quantiles of the bootstrap too coarse
FOREST_TREES, FOREST_CELLS = 20, 50_000  # a smaller forest than a run's: there are many


@dataclass(frozen=True, kw_only=True, eq=False)
class Replicate:
    """One draw: what was chosen, with which coefficient; cells in zones and in the top share."""

    family: str
    chosen: tuple[tuple[Candidate, float], ...]
    in_zone: NDArray[np.bool_]
    on_top: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampling:
    """Everything that a replicate needs; can be sent to another process."""

    grid: Grid
    design: Design
    counts: NDArray[np.int64]
    past: Past
    spec: RunSpec
    components: tuple[Component, ...]
    record: Record | None
    table: NDArray[np.float32]
    block_of: NDArray[np.int64]
    seed: int
    years: float | None
    barriers: tuple[BaseGeometry, ...]

    def replicate(self, number: int) -> Replicate:
        """Work out one replicate."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number,)))
        n_blocks = int(self.block_of.max()) + 1
        drawn = np.bincount(rng.integers(0, n_blocks, n_blocks), minlength=n_blocks)
        again = np.bincount(
            rng.integers(0, len(self.past), len(self.past)), minlength=len(self.past)
        )
        times = drawn[self.block_of]
        if not (times * self.counts).any():  # blocks without an incident say nothing
            times = np.ones(len(self.counts), dtype=np.int64)
        terrain = choose_terrain(self.design, self.counts, self.spec.model, times=times)
        score = terrain.score
        expected = terrain.expected
        if self.spec.zones.source == "combined" and self.record is not None:
            score = self._recombined(self.record, terrain, again, number)
            expected = score * (len(self.past) / len(self.grid))
        in_zone = np.zeros(len(self.grid), dtype=bool)
        zones = cut_zones(
            self.grid, score, expected, self.spec.zones, years=self.years, barriers=self.barriers
        )
        for zone in zones:
            in_zone[zone.cells] = True
        model = terrain.model
        return Replicate(
            family=model.family,
            chosen=tuple(zip(model.columns, model.fit.beta[1:].tolist(), strict=True)),
            in_zone=in_zone,
            on_top=top_cells(score, self.spec.zones.area_share),
        )

    def _recombined(
        self, record: Record, terrain: RiskTerrain, again: NDArray[np.int64], number: int
    ) -> Floats:
        used = {part.environment for part in self.components}
        forest = grow_forest(
            self.table,
            np.bincount(self.past.cell, again, minlength=len(self.grid)),
            trees=FOREST_TREES,
            most_sampled=FOREST_CELLS,
            seed=number,
            workers=1,
        )
        return recombine(
            self.grid,
            self.past,
            {name: v for name, v in terrain.environments().items() if name in used},
            self.spec.history,
            self.components,
            record,
            forest=forest,
            times=again.astype(np.float64),
        )


def prepare(
    grid: Grid,
    design: Design,
    past: Past,
    components: Sequence[Component],
    record: Record | None,
    table: NDArray[np.float32],
    spec: RunSpec,
    seed: int,
    *,
    years: float | None = None,
    barriers: tuple[BaseGeometry, ...] = (),
) -> Resampling:
    """Gather what replicates need.

    Parameters
    ----------
    grid, design, past
        Cells, candidate columns and incidents.
    components, record
        Of the combined risk whose certainty is requested, learned once.
    table
        What the random forest reads of each cell.
    spec
        Settings of the fit.
    seed
        Of all replicates.
    years, barriers
        As zones are cut from (:class:`spatial.analysis.Inputs`).
    """
    return Resampling(
        grid=grid,
        design=design,
        counts=np.bincount(past.cell, minlength=len(grid)),
        past=past,
        spec=spec,
        components=tuple(components),
        record=record,
        table=table,
        block_of=blocks(grid, _farthest(spec)),
        seed=seed,
        years=years,
        barriers=barriers,
    )


def blocks(grid: Grid, reach_units: float) -> NDArray[np.int64]:
    """Return each cell the number of its square block, from 0.

    Blocks are twice the reach wide, narrower where the area would hold fewer than 30 of them.
    """
    side = max(1, round(2 * reach_units / grid.cell_units))
    while True:
        key = (grid.rows // side).astype(np.int64) * grid.n_cols + grid.cols // side
        names, number = np.unique(key, return_inverse=True)
        if len(names) >= FEWEST_BLOCKS or side == 1:
            return number
        side = max(1, side // 2)


def top_cells(score: Floats, share: float) -> NDArray[np.bool_]:
    """Mark the cells of the highest scores; equal scores at the edge go to the lower number."""
    wanted = max(1, round(share * len(score)))
    marked = np.zeros(len(score), dtype=bool)
    marked[np.argsort(-score, kind="stable")[:wanted]] = True
    return marked


def _farthest(spec: RunSpec) -> float:
    block = spec.grid.block_units
    return max(max(factor.distances_units(block)) for factor in spec.factors)


@dataclass(frozen=True, kw_only=True)
class FactorCertainty:
    """One factor over all replicates; ``rrv`` values are of its column, whichever was chosen."""

    name: str
    chosen: float
    bands: tuple[tuple[str, float, float], ...]
    rrv_median: float | None
    rrv_low: float
    rrv_high: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Certainty:
    """What the replicates say together.

    ``zones`` has a stability for each zone of the analysis, in order; ``on_top`` a probability for
    each cell; ``families`` how often each family won.
    """

    replicates: int
    families: dict[str, float]
    factors: tuple[FactorCertainty, ...]
    zones: tuple[float, ...]
    on_top: Floats


def summarise(
    replicates: Iterable[Replicate],
    factors: Sequence[str],
    zone_cells: Sequence[NDArray[np.int64]],
    n_cells: int,
) -> Certainty:
    """Put replicates together.

    Parameters
    ----------
    replicates
        In any order.
    factors
        Every factor that was tried.
    zone_cells
        Cells of each zone of the analysis.
    n_cells
        Number of cells.
    """
    number = 0
    families: dict[str, int] = {}
    found: dict[str, list[tuple[str, float, float]]] = {name: [] for name in factors}
    kept = np.zeros(len(zone_cells))
    on_top = np.zeros(n_cells)
    for replicate in replicates:
        number += 1
        families[replicate.family] = families.get(replicate.family, 0) + 1
        for candidate, coefficient in replicate.chosen:
            found[candidate.factor].append(
                (candidate.operation, candidate.distance_units, float(np.exp(coefficient)))
            )
        on_top += replicate.on_top
        kept += [replicate.in_zone[cells].mean() >= COVERED for cells in zone_cells]
    lines = [_factor(name, draws, number) for name, draws in found.items()]
    return Certainty(
        replicates=number,
        families={name: times / number for name, times in sorted(families.items())},
        factors=tuple(sorted(lines, key=lambda factor: (-factor.chosen, factor.name))),
        zones=tuple((kept / number).tolist()),
        on_top=on_top / number,
    )


def _factor(name: str, draws: list[tuple[str, float, float]], number: int) -> FactorCertainty:
    rrv = np.array([value for *_, value in draws])
    padded = np.concatenate([rrv, np.ones(number - len(rrv))])  # not chosen: no effect
    low, high = np.quantile(padded, [0.025, 0.975]).tolist()
    bands: dict[tuple[str, float], int] = {}
    for operation, distance, _ in draws:
        bands[operation, distance] = bands.get((operation, distance), 0) + 1
    return FactorCertainty(
        name=name,
        chosen=len(draws) / number,
        bands=tuple(
            (operation, distance, times / number)
            for (operation, distance), times in sorted(bands.items(), key=lambda b: (-b[1], b[0]))
        ),
        rrv_median=float(np.median(rrv)) if len(rrv) else None,
        rrv_low=low,
        rrv_high=high,
    )
