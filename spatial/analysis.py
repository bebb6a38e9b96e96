"""One analysis, whole: study area, incidents and factors in; cells, model and zones out.

This is the way through the engine: grid -> counts -> risk terrain and history -> combined risk ->
zones. It composes
the modules and decides nothing that they should decide, but one thing: whose factors a district
takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import geopandas as gpd
import numpy as np
import pandas as pd

from spatial.combined import CombinedRisk, combine
from spatial.grid import lay_grid
from spatial.history.kernels import lay_past
from spatial.notes import Note
from spatial.terrain.diagnostics import Diagnostics, diagnose
from spatial.terrain.districts import SharedDistricts, share_strength
from spatial.terrain.forest import MOST_SAMPLED, affordable_trees, forest_table, grow_forest
from spatial.terrain.model import (
    adapt_terrain,
    borrow_terrain,
    fit_risk_terrain,
    score_classes,
)
from spatial.zones.cut import budget_note, cut_zones, most_expected, quiet_note
from spatial.zones.describe import ZoneFactor, order_factors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from spatial.grid import Grid
    from spatial.history.kernels import Past
    from spatial.spec import RiskFactor, RunSpec
    from spatial.terrain.model import RiskTerrain
    from spatial.zones.cut import CutZone

    Progress = Callable[[str, int, int], None]

CITY_SCOPE = "city"
# Marquardt 1970 warns from 10 and textbooks from 5: the lower one, since a warning costs little.
# A test holds that 6 warns and 4 does not.
HIGH_INFLATION = 5.0
# Residuals of a large grid gather significantly at any I; below this little is left to explain.
PATTERN_LEFT = 0.05
ZONE_COLUMNS = (
    "district",
    "rank",
    "area",
    "n_cells",
    "expected",
    "past",
    "environment_share",
    "factors",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """What an analysis reads, all in one projected reference system.

    Parameters
    ----------
    study_area
        Polygon or multipolygon.
    districts
        Polygons by identifier, in the city's order.
    incidents
        Points of one outcome in one period.
    age_days
        Days from each incident to the end of the period; all alike if left out.
    layers
        Features of each factor, in the city's order.
    years
        Length of the period; if it is left out, no zone is too quiet.
    barriers
        Lines and areas that no zone may cross.
    """

    study_area: BaseGeometry
    districts: Mapping[str, BaseGeometry]
    incidents: gpd.GeoSeries
    layers: Mapping[RiskFactor, gpd.GeoSeries]
    age_days: NDArray[np.float64] | None = None
    years: float | None = None
    barriers: tuple[BaseGeometry, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis:
    """What an analysis gives.

    ``cells`` has one row per cell of ``grid``: ``count``; ``score`` and ``risk_class`` of the risk
    terrain; ``expected`` incidents by what zones are cut from; ``combined`` risk relative to the
    mean cell and its parts ``environment`` and ``history``, which add up to it. ``shared`` sets the
    districts' relative risks beside the city's, in a fit of the whole city. ``zones`` has one
    row per zone: ``district``, ``rank``, ``area`` (square units), ``n_cells``, ``expected``,
    ``past``, ``environment_share`` (of the zone's combined risk), ``factors`` and the outline.
    ``most_expected`` is what no zones under the same budget could exceed.
    """

    scope: str
    grid: Grid
    terrain: RiskTerrain
    combined: CombinedRisk
    diagnostics: Diagnostics
    shared: SharedDistricts | None
    cells: pd.DataFrame
    zones: gpd.GeoDataFrame
    most_expected: float
    incidents: int
    warnings: tuple[Note, ...]


def analyse_city(inputs: Inputs, spec: RunSpec, *, progress: Progress | None = None) -> Analysis:
    """Fit the whole study area and cut zones in every district.

    Raises
    ------
    GridError
        If the grid cannot be laid.
    FitError
        If there are too few incidents.
    """
    grid = lay_grid(inputs.study_area, inputs.districts, spec.grid.cell_units)
    counts, warnings = _count(grid, inputs)
    terrain = fit_risk_terrain(
        grid, counts, inputs.layers, spec.grid.block_units, spec.model, progress=progress
    )
    shared = None
    if terrain.model.columns and len(inputs.districts) > 1:
        shared = share_strength(
            terrain.model, terrain.active, counts, grid.district, grid.district_ids
        )
    return _finish(CITY_SCOPE, grid, counts, terrain, inputs, spec, warnings, shared)


def analyse_districts(
    inputs: Inputs,
    spec: RunSpec,
    names: Sequence[str],
    *,
    progress: Progress | None = None,
) -> list[Analysis]:
    """Fit districts one by one, by themselves or sharing strength with the city.

    Raises
    ------
    GridError
        If a district is unknown or holds no cell.
    FitError
        If the whole study area has too few incidents where a district needs the city's factors.
    """
    grid = lay_grid(inputs.study_area, inputs.districts, spec.grid.cell_units)
    counts, _ = _count(grid, inputs)
    parts = {name: grid.only(name) for name in names}
    city = _CityTerrain(grid, counts, inputs, spec, progress)
    analyses = []
    for name, part in parts.items():
        positions = _positions(grid, name)
        own = counts[positions]
        if spec.model.sharing == "shared":
            terrain = city.shared_with(name, positions)
        elif own.sum() < spec.model.min_incidents_district:
            terrain = city.lent_to(name, positions, own)
        else:
            terrain = fit_risk_terrain(
                part, own, inputs.layers, spec.grid.block_units, spec.model, progress=progress
            )
        analyses.append(_finish(name, part, own, terrain, inputs, spec, []))
    return analyses


class _CityTerrain:
    """The whole study area's terrain, fitted only if a district needs it."""

    def __init__(
        self,
        grid: Grid,
        counts: NDArray[np.int64],
        inputs: Inputs,
        spec: RunSpec,
        progress: Progress | None,
    ) -> None:
        self.grid, self.counts, self.inputs, self.spec = grid, counts, inputs, spec
        self.progress = progress

    @cached_property
    def terrain(self) -> RiskTerrain:
        return fit_risk_terrain(
            self.grid,
            self.counts,
            self.inputs.layers,
            self.spec.grid.block_units,
            self.spec.model,
            progress=self.progress,
        )

    @cached_property
    def shared(self) -> SharedDistricts:
        return share_strength(
            self.terrain.model,
            self.terrain.active,
            self.counts,
            self.grid.district,
            self.grid.district_ids,
        )

    def lent_to(
        self, name: str, positions: NDArray[np.intp], own: NDArray[np.int64]
    ) -> RiskTerrain:
        """Return a district the city's factors with its own level."""
        return borrow_terrain(
            self.terrain,
            positions,
            own,
            warnings=(
                Note(
                    "district.city_factors",
                    {
                        "district": name,
                        "incidents": int(own.sum()),
                        "least": self.spec.model.min_incidents_district,
                    },
                ),
            ),
        )

    def shared_with(self, name: str, positions: NDArray[np.intp]) -> RiskTerrain:
        """Return a district the city's factors with its own deviations."""
        shared = self.shared
        share = (
            float(shared.own_share()[shared.names.index(name), 1:].mean())
            if len(self.terrain.model.columns)
            else 0.0
        )
        return adapt_terrain(
            self.terrain,
            positions,
            shared.model(name),
            warnings=(Note("district.shared", {"district": name, "own_share": share}),),
        )


def _positions(grid: Grid, name: str) -> NDArray[np.intp]:
    return np.flatnonzero(grid.district == grid.district_ids.index(name))


def _count(grid: Grid, inputs: Inputs) -> tuple[NDArray[np.int64], list[Note]]:
    counts = grid.count(inputs.incidents.x, inputs.incidents.y)
    outside = len(inputs.incidents) - int(counts.sum())
    return counts, [Note("incidents.outside", {"incidents": outside})] if outside else []


def _finish(
    scope: str,
    grid: Grid,
    counts: NDArray[np.int64],
    terrain: RiskTerrain,
    inputs: Inputs,
    spec: RunSpec,
    warnings: list[Note],
    shared: SharedDistricts | None = None,
) -> Analysis:
    past = lay_past(grid, inputs.incidents.x, inputs.incidents.y, inputs.age_days)
    combined = _combined(grid, counts, past, terrain, inputs, spec)
    followed = combined if spec.zones.source == "combined" else terrain
    cut_from = (grid, followed.score, followed.expected, spec.zones)
    zones = cut_zones(*cut_from, years=inputs.years, barriers=inputs.barriers)
    cells = pd.DataFrame(
        {
            "count": counts,
            "score": terrain.score,
            "risk_class": score_classes(terrain.score),
            "expected": followed.expected,
            "combined": combined.score,
            "environment": combined.environment,
            "history": combined.history,
        }
    )
    diagnostics = diagnose(grid, counts, terrain, seed=spec.model.seed)
    warnings = [*warnings, *terrain.warnings, *_diagnostic_notes(diagnostics, terrain)]
    quiet = quiet_note(*cut_from, zones, years=inputs.years, barriers=inputs.barriers)
    some = {zone.district for zone in zones}
    if quiet is not None:
        some |= set(cast("tuple[str, ...]", quiet.parameters["districts"]))
    without = [name for name in _with_cells(grid) if name not in some]
    if without and terrain.model.columns:
        warnings.append(Note("zones.none", {"districts": tuple(without)}))
    kept = [(zone.district, len(zone.cells)) for zone in zones]
    budget = budget_note(*cut_from, kept, years=inputs.years, barriers=inputs.barriers)
    return Analysis(
        scope=scope,
        grid=grid,
        terrain=terrain,
        combined=combined,
        diagnostics=diagnostics,
        shared=shared,
        cells=cells,
        zones=_zone_frame(grid, zones, cells, terrain),
        most_expected=most_expected(*cut_from),
        incidents=int(counts.sum()),
        warnings=(*warnings, *(note for note in (quiet, budget) if note is not None)),
    )


def _diagnostic_notes(diagnostics: Diagnostics, terrain: RiskTerrain) -> list[Note]:
    notes = [
        Note("model.inflation", {**column.parameters, "inflation": inflation})
        for column, inflation in zip(terrain.model.columns, diagnostics.inflation, strict=True)
        if inflation > HIGH_INFLATION
    ]
    moran = diagnostics.moran
    if moran.i > PATTERN_LEFT and moran.p <= 0.01:
        notes.append(Note("model.pattern_left", {"i": moran.i}))
    return notes


def _with_cells(grid: Grid) -> list[str]:
    present = set(np.unique(grid.district).tolist())
    return [name for position, name in enumerate(grid.district_ids) if position in present]


def _combined(
    grid: Grid,
    counts: NDArray[np.int64],
    past: Past,
    terrain: RiskTerrain,
    inputs: Inputs,
    spec: RunSpec,
) -> CombinedRisk:
    if len(past) >= 2:
        forest = grow_forest(
            forest_table(grid, inputs.layers, spec.grid.block_units),
            counts,
            trees=affordable_trees(len(grid)),
            most_sampled=MOST_SAMPLED,
            seed=spec.model.seed,
        )
        return combine(grid, past, terrain.environments(), spec.history, forest=forest)
    relative = terrain.score / terrain.score.mean()  # no history to speak of: environment alone
    return CombinedRisk(
        score=relative,
        environment=relative,
        history=np.zeros(len(grid)),
        expected=terrain.expected,
        components=(),
        record=None,
    )


def _zone_frame(
    grid: Grid, zones: list[CutZone], cells: pd.DataFrame, terrain: RiskTerrain
) -> gpd.GeoDataFrame:
    count, expected = cells["count"].to_numpy(), cells["expected"].to_numpy()
    combined, environment = cells["combined"].to_numpy(), cells["environment"].to_numpy()
    rows = [
        {
            "district": zone.district,
            "rank": zone.rank,
            "area": len(zone.cells) * grid.cell_area,
            "n_cells": len(zone.cells),
            "expected": float(expected[zone.cells].sum()),
            "past": int(count[zone.cells].sum()),
            "environment_share": float(environment[zone.cells].sum() / combined[zone.cells].sum()),
            "factors": _zone_factors(terrain, zone.cells),
            "geometry": zone.outline,
        }
        for zone in zones
    ]
    return gpd.GeoDataFrame(rows, columns=[*ZONE_COLUMNS, "geometry"], geometry="geometry")


def _zone_factors(terrain: RiskTerrain, cells: NDArray[np.int64]) -> tuple[ZoneFactor, ...]:
    """Tell which factors act in a zone, and the shares of its cells and of all that they mark."""
    share, covers = terrain.active[cells].mean(axis=0), terrain.active.mean(axis=0)
    rrv = np.exp(terrain.model.fit.beta[1:])
    return order_factors(
        ZoneFactor(
            name=column.factor,
            operation=column.operation,
            distance=column.distance_units,
            rrv=float(rrv[i]),
            share=float(share[i]),
            covers=float(covers[i]),
        )
        for i, column in enumerate(terrain.model.columns)
        if share[i] > 0
    )
