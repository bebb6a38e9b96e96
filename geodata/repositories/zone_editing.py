"""What one step of a person makes of a run's zones; the run itself is never changed.

Steps are checked and worked out by :mod:`spatial.zones.edit`; what a zone tells of itself (area,
expected and past incidents, the part of the environment, its factors) is worked out from the run's
own cells. Ranks follow the expected incidents, as they do in a run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from geodata.db.json_columns import ZoneStep
from geodata.errors import DataError
from spatial.zones.cut import cells_within, outline
from spatial.zones.describe import ZoneFactor, order_factors
from spatial.zones.edit import active_factors, draw, merge, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import shapely
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.repositories.runs import RunRecord

    Cells = NDArray[np.int64]

LONGEST_NAME = 60
COLUMNS = (
    "id",
    "district",
    "rank",
    "name",
    "area",
    "n_cells",
    "expected",
    "past",
    "environment_share",
    "factors",
    "geometry",
)


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Make one zone of several."""

    zones: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitZone:
    """Part a zone along a line in the city's reference system."""

    zone: str
    line: shapely.LineString


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Take a zone away."""

    zone: str


@dataclass(frozen=True, kw_only=True)
class Rename:
    """Return a zone a name that people know; an empty one takes its name away."""

    zone: str
    name: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Redraw:
    """Return a zone another outline, in the city's reference system."""

    zone: str
    shape: BaseGeometry


Change = Merge | SplitZone | Drop | Rename | Redraw


@dataclass(frozen=True, kw_only=True, eq=False)
class Changed:
    """What became of a step: its name, the zones after it, and what it did to which."""

    action: str
    zones: gpd.GeoDataFrame
    details: ZoneStep


def change_zones(run: RunRecord, change: Change, number: int) -> Changed:
    """Work one step out.

    Parameters
    ----------
    run
        A run with the zones as they are before the step.
    change
        What is to be done.
    number
        Of the edition that the step makes; new zones are named by it.

    Raises
    ------
    DataError
        If there is no such zone, or the name will not do.
    ZoneEditError
        If the zones cannot be changed so.
    """
    bench = _Bench(run, number)
    if isinstance(change, Merge):
        return bench.merge(change)
    if isinstance(change, SplitZone):
        return bench.split(change)
    if isinstance(change, Drop):
        return bench.drop(change)
    if isinstance(change, Rename):
        return bench.rename(change)
    return bench.redraw(change)


def go_back(run: RunRecord, to: int) -> Changed:
    """Make the zones that a run has as given what they are again; ``to`` is their edition."""
    zones = run.zones.reset_index(drop=True)
    if "name" not in zones:
        zones["name"] = ""
    return Changed(action="back", zones=zones[list(COLUMNS)], details=ZoneStep(to=to))


class _Bench:
    """The zones of a run while they are worked on."""

    def __init__(self, run: RunRecord, number: int) -> None:
        self.run, self.number = run, number
        self.zones = run.zones.reset_index(drop=True)
        if "name" not in self.zones:
            self.zones["name"] = ""
        self.cells = dict(
            zip(self.zones["id"], cells_within(run.grid, self.zones.geometry), strict=True)
        )

    def merge(self, change: Merge) -> Changed:
        zones = tuple(dict.fromkeys(change.zones))
        rows = [self._row(zone) for zone in zones]
        districts = sorted({row["district"] for row in rows})
        if len(districts) > 1:
            msg = f"these zones lie in districts {', '.join(districts)}; a zone lies in one"
            raise DataError(msg, code="zones_in_districts")
        cells = merge(self.run.grid, [self.cells[zone] for zone in zones])
        name = next((row["name"] for row in rows if row["name"]), "")
        made = self._made(rows[0]["district"], [cells], name)
        return self._changed("merge", zones, made)

    def split(self, change: SplitZone) -> Changed:
        row = self._row(change.zone)
        cells = self.cells[change.zone]
        parts = split(self.run.grid, cells, row["geometry"], change.line)
        return self._changed("split", [change.zone], self._made(row["district"], parts))

    def drop(self, change: Drop) -> Changed:
        self._row(change.zone)
        return self._changed("drop", [change.zone], [])

    def rename(self, change: Rename) -> Changed:
        row = self._row(change.zone)
        name = plain_name(change.name)
        if name == row["name"]:
            msg = f"the zone is called {name!r} already" if name else "the zone has no name yet"
            raise DataError(msg, code="zone_name_unchanged")
        zones = self.zones.copy()
        zones.loc[zones["id"] == change.zone, "name"] = name
        one = (change.zone,)
        step = ZoneStep(before=one, after=one, name=name, was=row["name"])
        return Changed(action="rename", zones=zones[list(COLUMNS)], details=step)

    def redraw(self, change: Redraw) -> Changed:
        row = self._row(change.zone)
        taken = np.zeros(len(self.run.grid), dtype=bool)
        for zone, cells in self.cells.items():
            taken[cells] |= zone != change.zone
        district = self.run.grid.district_ids.index(row["district"])
        found = draw(self.run.grid, change.shape, district, taken)
        if np.array_equal(found.cells, self.cells[change.zone]):
            msg = "the outline holds the same cells as before: nothing would change"
            raise DataError(msg, code="outline_unchanged")
        made = self._made(row["district"], [found.cells], row["name"])
        result = self._changed("redraw", [change.zone], made)
        step = replace(result.details, elsewhere=found.elsewhere, taken=found.taken)
        return replace(result, details=step)

    def _row(self, zone: str) -> Any:
        rows = self.zones[self.zones["id"] == zone]
        if rows.empty:
            msg = f"there is no zone {zone!r:.80} any more; reload the page to see what there is"
            raise DataError(msg, code="unknown_zone")
        return rows.iloc[0]

    def _made(
        self, district: str, groups: Sequence[Cells], name: str = ""
    ) -> list[dict[str, object]]:
        """Describe new zones, each by its cells."""
        plain = re.sub(r"[\W_]", "-", district.lower())
        start = f"{self.run.id[:8]}-{plain}-e{self.number}"
        active = acting(self.run)
        return [
            {
                "id": start if len(groups) == 1 else f"{start}-{place}",
                "district": district,
                "rank": 0,
                "name": name,
                **_figures(self.run, cells),
                "factors": _factors(self.run, active, cells),
                "geometry": outline(self.run.grid, cells),
            }
            for place, cells in enumerate(groups, start=1)
        ]

    def _changed(self, action: str, gone: Iterable[str], made: list[dict[str, object]]) -> Changed:
        gone = list(gone)
        kept = self.zones[~self.zones["id"].isin(gone)][list(COLUMNS)].to_dict("records")
        details = ZoneStep(before=tuple(gone), after=tuple(str(zone["id"]) for zone in made))
        zones = gpd.GeoDataFrame(
            [*kept, *made], columns=list(COLUMNS), geometry="geometry", crs=self.zones.crs
        )
        return Changed(action=action, zones=_ranked(self.run, zones), details=details)


def plain_name(name: str) -> str:
    """Take a name without spaces too many.

    Raises
    ------
    DataError
        If it is too long, has signs that do not show, or begins as a formula of a spreadsheet does.

    >>> plain_name("  Main  and 5th ")
    'Main and 5th'
    """
    text = " ".join(name.split())
    if len(text) > LONGEST_NAME or not text.isprintable() or text[:1] in tuple("=+-@"):
        msg = (
            f"a name has up to {LONGEST_NAME} characters, all of which can be seen, and begins "
            "with none of = + - @"
        )
        raise DataError(msg, code="zone_name_form")
    return text


def acting(run: RunRecord) -> NDArray[np.bool_] | None:
    """Tell which factors of a run act in each of its cells; nothing if its cells do not tell.

    What is read from the scores is held against the share of cells that the run noted each factor
    to cover.
    """
    factors = run.result.model.factors
    beta = np.array([factor.coefficient for factor in factors], dtype=np.float64)
    active = active_factors(run.cells["score"].to_numpy(dtype=np.float64), beta)
    noted = {column.key: column.covers for column in run.result.diagnostics.factors}
    covers = [noted.get(factor.key, np.nan) for factor in factors]
    if active is None or not np.allclose(active.mean(axis=0), covers, atol=1e-9):
        return None
    return active


def _figures(run: RunRecord, cells: Cells) -> dict[str, object]:
    inside = run.cells.iloc[cells]
    combined = float(inside["combined"].sum())
    return {
        "area": len(cells) * run.grid.cell_area,
        "n_cells": len(cells),
        "expected": float(inside["expected"].sum()),
        "past": int(inside["count"].sum()),
        "environment_share": float(inside["environment"].sum()) / combined if combined else 1.0,
    }


def _factors(
    run: RunRecord, active: NDArray[np.bool_] | None, cells: Cells
) -> tuple[ZoneFactor, ...]:
    """Tell which factors act in a zone, and the shares of its cells and of all that they mark."""
    if active is None:
        return ()
    share, covers = active[cells].mean(axis=0), active.mean(axis=0)
    return order_factors(
        ZoneFactor(
            name=factor.name,
            operation=factor.operation,
            distance=factor.distance,
            rrv=factor.rrv,
            share=float(share[i]),
            covers=float(covers[i]),
        )
        for i, factor in enumerate(run.result.model.factors)
        if share[i] > 0
    )


def _ranked(run: RunRecord, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rank zones within their district by expected incidents, in the order of a run."""
    order = {name: place for place, name in enumerate(run.grid.district_ids)}
    keys = zones.assign(place=zones["district"].map(order))
    ranked = zones.loc[
        keys.sort_values(["place", "expected"], ascending=[True, False], kind="stable").index
    ].reset_index(drop=True)
    ranked["rank"] = ranked.groupby("district").cumcount() + 1
    return ranked
