"""What is asked of an evaluation: frozen and checked, with a key of its own.

One evaluation at work: areas laid over a city's cells, estimates against each, the document.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from app.usecases.evaluation.conclusions import conclude
from app.usecases.evaluation.evaluation_document import (
    AreaDifference,
    ComparedArea,
    DifferenceTo,
    Displacement,
    DisplacementControl,
    DropPower,
    EvaluationDocument,
    RestOfCity,
    SeriesStep,
    SyntheticArea,
    TreatedArea,
)
from geodata.errors import DataError
from spatial.analysis import CITY_SCOPE
from spatial.evaluation.controls import Yardstick, beside, distinct, find_controls, ring, shared
from spatial.evaluation.design import DRAWS, Comparison, Periods, pieces_of, within
from spatial.evaluation.estimates import (
    dispersion,
    e_test,
    rate_ratio,
    running_difference,
    weighted_difference,
)
from spatial.evaluation.synthetic import weigh_donors
from spatial.grid import Grid, lay_grid
from spatial.zones.cut import cells_within

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord
    from geodata.stored_documents import EditionUsed
    from spatial.evaluation.controls import ControlArea
    from spatial.evaluation.estimates import Estimate


MOST_CONTROLS, WIDEST_BUFFER = 10, 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of an evaluation.

    Parameters
    ----------
    city, run, outcome
        Whose zones, and which incidents; the outcome need not be the run's.
    before, after
        Half-open periods.
    zones
        Identifiers of the treated zones; empty means all, or all of ``district``.
    district
        Treat this district's zones only.
    buffer_cells
        Width of the ring around the treated zones in which incidents may have been displaced to;
        0 for none. Left out: one block.
    controls
        How many control areas, 1 to 10.
    alpha
        One minus the level of the intervals.
    zones_compare
        Whether the run's other zones may lie in control areas, having had no intervention.
    """

    city: str
    run: str
    outcome: str
    before: tuple[dt.date, dt.date]
    after: tuple[dt.date, dt.date]
    zones: tuple[str, ...] = ()
    district: str | None = None
    buffer_cells: int | None = None
    controls: int = 3
    alpha: float = 0.05
    zones_compare: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.controls <= MOST_CONTROLS:
            msg = f"ask for 1 to {MOST_CONTROLS} control areas, not {self.controls}"
            raise DataError(msg, code="controls_range")
        if self.buffer_cells is not None and not 0 <= self.buffer_cells <= WIDEST_BUFFER:
            msg = f"a buffer has 0 to {WIDEST_BUFFER} cells, not {self.buffer_cells}"
            raise DataError(msg, code="buffer_range")
        if not 0 < self.alpha < 1:
            msg = f"alpha lies between 0 and 1, such as 0.05; got {self.alpha}"
            raise DataError(msg, code="alpha_range")

    def key_on(self, edited: EditionUsed | None) -> str:
        """Digest of everything requested and of the edition of the zones that it is asked of."""
        result = dataclasses.asdict(self) | ({"edition": edited.edition} if edited else {})
        text = json.dumps(result, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


if TYPE_CHECKING:
    Progress = Callable[[str, int, int], None]
    Cells = NDArray[np.int64]
    Figures = dict[str, Any]  # of a document's class, by field


HALF, LIKELY = 0.5, 0.8  # chances of being found that drops are given for


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """The city's cells with their incidents, and which are treated, around, or to compare with.

    ``totals`` are incidents of each cell before and after, ``steps`` those in each step of both
    periods.
    """

    run: RunRecord
    asked: Question
    periods: Periods
    grid: Grid
    zones: tuple[str, ...]
    treated: Cells
    around: Cells
    candidate: NDArray[np.bool_]
    buffer_cells: int
    totals: NDArray[np.int64]
    steps: sparse.csr_array
    days: tuple[dt.date, ...]

    @classmethod
    def lay(
        cls,
        run: RunRecord,
        city: CityRecord,
        treated: NDArray[np.bool_],
        request: Question,
        periods: Periods,
        points: gpd.GeoDataFrame,
    ) -> Study:
        """Lay the areas over the city's cells and count the incidents.

        Parameters
        ----------
        run, city
            Whose zones, and whose cells.
        treated
            Which of the run's zones are treated, shape ``(zones,)``.
        request, periods
            The question.
        points
            Incidents from the start of the period before to the end of the one after.

        Raises
        ------
        DataError
            If there is no incident in either period.
        """
        grid = city_grid(run, city)
        of_zone = cells_within(grid, run.zones.geometry)
        inside = np.unique(np.concatenate([of_zone[i] for i in np.flatnonzero(treated)]))
        buffer = _one_block(run) if request.buffer_cells is None else request.buffer_cells
        others = np.zeros(len(grid), dtype=bool)
        if not request.zones_compare:
            others[np.concatenate(of_zone)] = True
        around = ring(grid, inside, buffer)
        around = around[~others[around]]
        candidate = ~others
        candidate[inside] = candidate[around] = False
        days, totals, steps = _tally(grid, points, periods)
        if totals.sum() == 0:
            msg = (
                f"{city.slug} has no incident of {request.outcome} in either period; choose "
                "periods that its incidents cover"
            )
            raise DataError(msg, code="no_incident")
        return cls(
            run=run,
            asked=request,
            periods=periods,
            grid=grid,
            zones=tuple(run.zones["id"][treated]),
            treated=inside,
            around=around,
            candidate=candidate,
            buffer_cells=buffer,
            totals=totals,
            steps=steps,
            days=days,
        )

    def report(
        self, progress: Progress | None, *, key: str = ""
    ) -> tuple[EvaluationDocument, pd.DataFrame]:
        """Choose the areas, estimate against each, and describe it all.

        Returns
        -------
        The document, and the cells of each area: ``area`` (its name), ``col`` and ``row``.
        """
        before = self._before()
        yardstick = Yardstick(before[self.treated].sum(axis=0))
        found = find_controls(self.grid, before, self.treated, self.candidate, progress=progress)
        picked = distinct(found, self.asked.controls)
        moved = self._displacement_controls(picked, progress)
        power = self._comparison([area.cells for area in picked], yardstick)
        document = EvaluationDocument(
            run=self.run.id,
            edited=self.run.edited,
            city=self.run.city,
            outcome=self.asked.outcome,
            before=self.periods.before,
            after=self.periods.after,
            trained=(self.run.period_from, self.run.period_to),
            alpha=self.asked.alpha,
            time_weights=self.periods.time_weights,
            step=self.periods.unit,
            steps_before=len(self.periods.steps_before),
            dispersion=yardstick.dispersion,
            treated=TreatedArea(**self._area(self.treated), zones=self.zones),
            controls=tuple(self._control(picked, i, yardstick) for i in range(len(picked))),
            displacement=self._displacement(picked, moved, yardstick),
            synthetic_control=self._synthetic(yardstick),
            rest_of_city=self._rest(),
            detectable_drop=power.drop(HALF),
            power=DropPower(
                expected=power.expected,
                half=power.drop(HALF),
                likely=power.drop(LIKELY),
                dispersion=power.dispersion,
                controls=len(picked),
                draws=DRAWS,
            ),
            series=tuple(self._series(picked)),
            key=key,
        )
        covered = (min(self.days), max(self.days))
        document = conclude(document, wanted=self.asked.controls, covered=covered)
        return document, self._cells(picked, moved)

    def _before(self) -> sparse.csr_array:
        return self.steps[:, : len(self.periods.steps_before)]

    def _pair(self, cells: Cells) -> tuple[int, int]:
        before, after = self.totals[cells].sum(axis=0).tolist()
        return before, after

    def _comparison(
        self, controls: list[Cells], yardstick: Yardstick, around: Cells | None = None
    ) -> Comparison:
        """Return what is compared as counts to simulate, of areas that vary as they did before."""
        pieces, members = pieces_of(controls, self.totals[:, 0])
        before = self._before()
        return Comparison(
            treated=self._pair(self.treated)[0],
            pieces=pieces,
            members=members,
            surroundings=0 if around is None else self._pair(around)[0],
            before=self.periods.time_weights[0],
            dispersion=dispersion(
                yardstick.series, *(before[cells].sum(axis=0) for cells in controls)
            ),
            widening=yardstick.dispersion,
            alpha=self.asked.alpha,
        )

    def _area(self, cells: Cells) -> Figures:
        before, after = self._pair(cells)
        return {
            "before": before,
            "after": after,
            "e_test": e_test(before, after, exposure=self.periods.time_weights),
            "cells": len(cells),
            "area": len(cells) * self.grid.cell_area,
        }

    def _control(
        self, picked: list[ControlArea], position: int, yardstick: Yardstick
    ) -> ComparedArea:
        area = picked[position]
        pair, treated = self._pair(area.cells), self._pair(self.treated)
        found = weighted_difference(
            pair, treated, time_weights=self.periods.time_weights, alpha=self.asked.alpha
        )
        earlier = [shared(area, other) for other in picked[:position]]
        return ComparedArea(
            name=f"control {position + 1}",
            **self._area(area.cells),
            **self._estimate(found.local, yardstick),
            **_ratio(pair, treated, self.asked.alpha),
            districts=tuple(self._districts(area.cells)),
            distance=area.distance_units,
            shared=max(earlier, default=0.0),
            passes=area.checks.passes,
            checks=area.checks,
            running=tuple(self._running(area.cells, yardstick)),
        )

    def _estimate(self, found: Estimate, yardstick: Yardstick) -> Figures:
        wide = found.widened(float(np.sqrt(yardstick.dispersion)), self.asked.alpha)
        return {
            "wdd": found.value,
            "se": found.se,
            "z": found.z,
            "low": found.low,
            "high": found.high,
            "low_widened": wide.low,
            "high_widened": wide.high,
        }

    def _running(self, control: Cells, yardstick: Yardstick) -> Iterator[DifferenceTo]:
        after = slice(len(self.periods.steps_before), None)
        found = running_difference(
            self.steps[control].sum(axis=0)[after],
            self.steps[self.treated].sum(axis=0)[after],
            (self._pair(control)[0], self._pair(self.treated)[0]),
            self.periods.elapsed,
            time_weights=self.periods.time_weights,
            alpha=self.asked.alpha,
        )
        for (_, end), at in zip(self.periods.steps_after, found, strict=True):
            yield DifferenceTo(to=end, **self._estimate(at, yardstick))

    def _displacement_controls(
        self, picked: list[ControlArea], progress: Progress | None
    ) -> list[ControlArea | None]:
        """Return each control area another that is like the ring, as far as there are some."""
        before = self._before()
        if len(self.around) == 0 or before[self.around].sum() == 0:
            return [None] * len(picked)
        found = find_controls(self.grid, before, self.around, self.candidate, progress=progress)
        return beside(found, picked)

    def _displacement(
        self, picked: list[ControlArea], moved: list[ControlArea | None], yardstick: Yardstick
    ) -> Displacement | None:
        if len(self.around) == 0:
            return None
        around, treated = self._pair(self.around), self._pair(self.treated)
        rows: list[DisplacementControl] = []
        used: list[ControlArea] = []
        both: list[Cells] = []
        for position, (area, other) in enumerate(zip(picked, moved, strict=True), start=1):
            if other is None:
                continue
            found = weighted_difference(
                self._pair(area.cells),
                treated,
                self._pair(other.cells),
                around,
                time_weights=self.periods.time_weights,
                alpha=self.asked.alpha,
            )
            if found.displacement is None:
                continue
            rows.append(
                DisplacementControl(
                    name=f"displacement control {position}",
                    beside=f"control {position}",
                    **self._area(other.cells),
                    **self._estimate(found.displacement, yardstick),
                    shared=max((shared(other, earlier) for earlier in used), default=0.0),
                    passes=other.checks.passes,
                    checks=other.checks,
                    total=AreaDifference(**self._estimate(found.total, yardstick)),
                )
            )
            used.append(other)
            both.append(np.concatenate([area.cells, other.cells]))
        power = self._comparison(both, yardstick, self.around) if both else None
        return Displacement(
            **self._area(self.around),
            buffer_cells=self.buffer_cells,
            detectable_drop=power.drop(HALF) if power else None,
            controls=tuple(rows),
        )

    def _synthetic(self, yardstick: Yardstick) -> SyntheticArea:
        donors = np.flatnonzero(self.candidate)
        control = weigh_donors(self._before()[donors], yardstick.series)
        found = control.difference(
            self._pair(self.treated),
            self.totals[donors],
            time_weights=self.periods.time_weights,
            alpha=self.asked.alpha,
        )
        weighed = control.series(self.totals[donors])
        return SyntheticArea(
            method=control.method,
            steps=control.steps,
            effective_donors=control.effective,
            miss=control.miss,
            before=float(weighed[0]),
            after=float(weighed[1]),
            **self._estimate(found, yardstick),
        )

    def _rest(self) -> RestOfCity:
        pair = self._pair(np.flatnonzero(self.candidate))
        ratio = _ratio(pair, self._pair(self.treated), self.asked.alpha)
        return RestOfCity(before=pair[0], after=pair[1], **ratio)

    def _districts(self, cells: Cells) -> list[str]:
        """Name the districts that hold at least a tenth of an area, the largest part first."""
        own = self.grid.district[cells]
        numbers, times = np.unique(own[own >= 0], return_counts=True)
        order = np.lexsort((numbers, -times))
        return [
            self.grid.district_ids[number]
            for number, size in zip(numbers[order], times[order], strict=True)
            if size >= len(cells) / 10
        ]

    def _series(self, picked: list[ControlArea]) -> Iterator[SeriesStep]:
        own = self.steps[self.treated].sum(axis=0)
        ring_ = self.steps[self.around].sum(axis=0)
        theirs = [self.steps[area.cells].sum(axis=0) for area in picked]
        first = len(self.periods.steps_before)
        steps = [*self.periods.steps_before, *self.periods.steps_after]
        for i, (start, end) in enumerate(steps):
            yield SeriesStep(
                start=start,
                end=end,
                period="before" if i < first else "after",
                treated=int(own[i]),
                displacement=int(ring_[i]),
                controls=tuple(int(series[i]) for series in theirs),
            )

    def _cells(self, picked: list[ControlArea], moved: list[ControlArea | None]) -> pd.DataFrame:
        areas = {"treated": self.treated, "displacement": self.around}
        for position, (area, other) in enumerate(zip(picked, moved, strict=True), start=1):
            areas[f"control {position}"] = area.cells
            if other is not None:
                areas[f"displacement control {position}"] = other.cells
        return pd.concat(
            pd.DataFrame({"area": name, "col": self.grid.cols[cells], "row": self.grid.rows[cells]})
            for name, cells in areas.items()
        )


def _tally(
    grid: Grid, points: gpd.GeoDataFrame, periods: Periods
) -> tuple[tuple[dt.date, ...], NDArray[np.int64], sparse.csr_array]:
    """Return the days of incidents inside the city, and count them by cell, period and step."""
    cell = grid.locate(points.geometry.x, points.geometry.y)
    days = tuple(day for day, at in zip(points["occurred_on"], cell, strict=True) if at >= 0)
    cell = cell[cell >= 0]
    totals = np.stack(
        [
            np.bincount(cell[within(days, period)], minlength=len(grid))
            for period in (periods.before, periods.after)
        ],
        axis=1,
    )
    step = periods.step_of(days)
    kept = step >= 0
    steps = sparse.coo_array(
        (np.ones(int(kept.sum()), dtype=np.int64), (cell[kept], step[kept])),
        shape=(len(grid), len(periods.steps_before) + len(periods.steps_after)),
    )
    return days, totals, sparse.csr_array(steps)


def _ratio(control: tuple[int, int], treated: tuple[int, int], alpha: float) -> Figures:
    found = rate_ratio(control, treated, alpha=alpha)
    return {
        "rate_ratio": found.value if found else None,
        "rate_ratio_low": found.low if found else None,
        "rate_ratio_high": found.high if found else None,
    }


def city_grid(run: RunRecord, city: CityRecord) -> Grid:
    """Return the cells of the whole city, on the run's lattice."""
    if run.scope == CITY_SCOPE:
        return run.grid
    districts = dict(zip(city.districts["code"], city.districts.geometry, strict=True))
    return lay_grid(city.study_area, districts, run.grid.cell_units)


def _one_block(run: RunRecord) -> int:
    """Return the length of a block in cells, at least one."""
    lengths = run.spec.grid
    return max(1, round(lengths.block_units / lengths.cell_units))
