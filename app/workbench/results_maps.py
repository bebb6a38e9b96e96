"""The surfaces of a run that an analyst looks at: each is classes of cells, colours, a legend.

What every page about one run begins with: its address, the run, and who may read it.

Maps of the pages about runs: surfaces, zones, districts, and where incidents were.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
from flask import Blueprint, url_for
from scipy import ndimage

from app.admin.city import staff_city
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.i18n import numbers
from app.maps.palette import (
    DISTRICT,
    INCIDENT,
    OTHER_ZONE,
    RESIDUAL,
    RESIDUAL_HEX,
    RISK,
    RISK_HEX,
    ZONE,
)
from app.maps.shapes import district_label, zone_full
from app.maps.staff_map import Key, LateLayer, MapLayer, PictureLayer, staff_map
from app.maps.surface import FINE, web_bounds
from app.usecases.risk.run_access import ReadableRun, read_run
from geodata.repositories import incidents, zone_versions
from geodata.repositories.zone_editing import acting
from geodata.roles import ANALYST

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord


if TYPE_CHECKING:
    Floats = NDArray[np.float64]

WHOLE, PARTS = (1.0, 2.0, 4.0), (0.5, 1.0, 2.0)  # breaks of risk relative to the mean cell
AROUND_CELLS = 5  # residuals are added up over squares of so many by so many cells
STEPS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)  # incidents at which residuals are told apart


@dataclass(frozen=True, kw_only=True, eq=False)
class Painted:
    """Classes of cells as they are painted; ``keys`` is the legend, highest first."""

    classes: NDArray[np.int64]
    colours: tuple[tuple[int, int, int, int], ...]
    keys: tuple[Key, ...]


@dataclass(frozen=True, kw_only=True)
class SurfaceView:
    """One surface: ``name`` for addresses, ``title`` for people, what it ``says``."""

    name: str
    title: str
    says: str
    paint: Callable[[RunRecord], Painted]


def expected_by_factors(run: RunRecord) -> Floats:
    """Return the incidents that the risk terrain alone expects in each cell, shape ``(n,)``.

    They are ``exp(intercept + sum of the coefficients that act)``. Where the cells do not tell
    which factors act, the scores are scaled so that all incidents are expected.
    """
    model, active = run.result.model, acting(run)
    if active is None:
        score = run.cells["score"].to_numpy(dtype=np.float64)
        return score * (float(run.cells["count"].sum()) / score.sum())
    beta = np.array([factor.coefficient for factor in model.factors], dtype=np.float64)
    return np.asarray(np.exp(model.intercept + active @ beta), dtype=np.float64)


def residuals_around(run: RunRecord) -> Floats:
    """Return observed minus expected incidents of the square of 5 by 5 cells around each cell.

    One cell holds too few incidents to be read alone. Cells outside of the study area add nothing.
    """
    residual = run.cells["count"].to_numpy(dtype=np.float64) - expected_by_factors(run)
    raster = run.grid.to_raster(residual, fill=0.0)
    summed = ndimage.uniform_filter(raster, size=AROUND_CELLS, mode="constant") * AROUND_CELLS**2
    return np.asarray(summed[run.grid.rows, run.grid.cols], dtype=np.float64)


def _classes(run: RunRecord) -> Painted:
    score = run.cells["score"].to_numpy(dtype=np.float64)
    classes = run.cells["risk_class"].to_numpy(np.int64)
    mean, sd = float(score.mean()), float(score.std())
    edges = [numbers.number(mean + step * sd, 1) for step in range(3)]
    lines = (
        f"score above {edges[0]} (the mean)",
        f"above {edges[1]} (mean + 1 SD)",
        f"above {edges[2]} (mean + 2 SD)",
    )
    keys = _keys(classes, lines, RISK_HEX)
    return Painted(classes=classes, colours=RISK, keys=keys)


def _relative(column: str, breaks: tuple[float, ...]) -> Callable[[RunRecord], Painted]:
    def paint(run: RunRecord) -> Painted:
        value = run.cells[column].to_numpy(dtype=np.float64)
        classes = np.searchsorted(breaks, value, side="left")
        low, middle, high = (f"{edge:g}" for edge in breaks)
        lines = (f"{low} to {middle} times", f"{middle} to {high} times", f"more than {high} times")
        return Painted(classes=classes, colours=RISK, keys=_keys(classes, lines, RISK_HEX))

    return paint


def _residuals(run: RunRecord) -> Painted:
    value = residuals_around(run)
    spread = float(value.std())
    near = min(STEPS, key=lambda step: abs(step - spread))
    far = 2 * near
    classes = np.zeros(len(value), dtype=np.int64)
    classes[value < -near], classes[value < -far] = 2, 1
    classes[value > near], classes[value > far] = 3, 4
    lines = (
        f"over {far:g} fewer than expected",
        f"{near:g} to {far:g} fewer",
        f"{near:g} to {far:g} more",
        f"over {far:g} more than expected",
    )
    return Painted(classes=classes, colours=RESIDUAL, keys=_keys(classes, lines, RESIDUAL_HEX))


def _keys(
    classes: NDArray[np.int64], lines: tuple[str, ...], colours: tuple[str, ...]
) -> tuple[Key, ...]:
    """Name the classes from 1 on with the share of cells in each, highest first."""
    share = np.bincount(classes, minlength=len(lines) + 1) / len(classes)
    return tuple(
        Key(label=f"{lines[i - 1]}: {numbers.share(share[i])} of cells", colour=colours[i])
        for i in range(len(lines), 0, -1)
    )


SURFACES = (
    SurfaceView(
        name="combined",
        title="Combined risk",
        says="Environment and history together, relative to the mean cell, which has 1. Zones "
        "follow it unless the run says otherwise.",
        paint=_relative("combined", WHOLE),
    ),
    SurfaceView(
        name="environment",
        title="Its environment part",
        says="What the surroundings add to the combined risk, in the same unit.",
        paint=_relative("environment", PARTS),
    ),
    SurfaceView(
        name="history",
        title="Its history part",
        says="What past incidents add to the combined risk, in the same unit. The two parts add "
        "up to the combined risk.",
        paint=_relative("history", PARTS),
    ),
    SurfaceView(
        name="score",
        title="Risk terrain score, in classes",
        says="The risk terrain alone: how many times the lowest cell's risk the factors give a "
        "cell. Classes are cut at the mean of all cells and one and two standard deviations (SD) "
        "above it.",
        paint=_classes,
    ),
    SurfaceView(
        name="residuals",
        title="Residuals of the risk terrain",
        says="A residual is the number of incidents observed minus the number that the factors "
        "expect. Orange: more happened than the factors explain. Purple: fewer. Each cell shows "
        "the sum over the square of 5 by 5 cells around it, as one cell holds too few to be read.",
        paint=_residuals,
    ),
)
BY_NAME = {surface.name: surface for surface in SURFACES}


bp = Blueprint("reading", __name__, url_prefix="/analyst")
RUNS_TAB = "runs.listed"


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenedRun(ReadableRun):
    """A run that is being read: ``run`` with the zones that are in use, ``own`` as it was stored.

    ``newest`` is the number of its newest edition, ``used`` of the one in use; 0 for its own.
    ``last_known`` is the day of the newest incident of its outcome.
    """

    city: CityRecord
    newest: int
    used: int
    last_known: dt.date | None

    def paint(self, surface: SurfaceView) -> Painted:
        """Paint a surface with the classes and the legend of all cells, and the own cells alone."""
        painted = surface.paint(self.whole)
        return dataclasses.replace(painted, classes=painted.classes[self.own.cells.index])


def open_run(slug: str, run_id: str) -> OpenedRun:
    """Return a run of a city to somebody who may read it.

    Raises
    ------
    NotStoredError, Forbidden
        As :func:`app.usecases.risk.run_access.read_run`; also if the city is not stored.
    """
    city, person = staff_city(slug), require_visitor().person
    with workroom().database.session() as session:
        found = read_run(session, person, city, run_id)
        days = incidents.outcome_period(session, city.id, found.own.outcome)
        return OpenedRun(
            **{name.name: getattr(found, name.name) for name in dataclasses.fields(found)},
            city=city,
            newest=zone_versions.newest_number(session, run_id),
            used=zone_versions.number_in_use(session, run_id),
            last_known=days[1] if days else None,
        )


def is_analyst() -> bool:
    """Return whether the person may change and ask for things."""
    return require_visitor().person.may((ANALYST,))


def job_page(slug: str, number: int) -> str:
    """Return the address of the page of a job."""
    return url_for("work.job", city=slug, job=number)


def run_map(opened: OpenedRun) -> dict[str, object]:
    """Return the map of a run: one surface at a time, and over it districts, zones, incidents."""
    run, city = opened.run, opened.city
    at: dict[str, Any] = {"city": city.slug, "run": run.id}
    bounds = web_bounds(run.grid, run.zones.crs, FINE)
    pictures = [
        PictureLayer(
            name=surface.name,
            title=surface.title,
            address=url_for("reading.surface", name=surface.name, **at),
            bounds=bounds,
            keys=opened.paint(surface).keys,
            group="surface",
            shown=place == 0,
        )
        for place, surface in enumerate(SURFACES)
    ]
    title = "Zones in use, changed by a person" if run.edited else "Zones"
    layers: list[MapLayer | PictureLayer | LateLayer] = [
        *pictures,
        district_layer(city),
        *([_own_zones(opened)] if run.edited else []),
        zone_layer(run, city, title, link=True),
        LateLayer(
            name="incidents",
            title=f"{numbers.plain(run.outcome).capitalize()}: exact places",
            address=url_for("reading.points", **at),
            keys=(Key(label="Switching this on is noted in the audit", colour=INCIDENT),),
        ),
    ]
    return _on_base(city, layers, run.zones.crs)


def zones_map(opened: OpenedRun, standing: RunRecord) -> dict[str, object]:
    """Return the map on which zones are changed: those of the newest step over the run's own."""
    city = opened.city
    surface = SURFACES[0]
    layers: list[MapLayer | PictureLayer | LateLayer] = [
        PictureLayer(
            name=surface.name,
            title=surface.title,
            address=url_for("reading.surface", name=surface.name, city=city.slug, run=standing.id),
            bounds=web_bounds(standing.grid, standing.zones.crs, FINE),
            keys=opened.paint(surface).keys,
        ),
        district_layer(city),
        _own_zones(opened),
        zone_layer(standing, city, "Zones, as they stand"),
    ]
    return _on_base(city, layers, standing.zones.crs)


def comparison_map(one: RunRecord, two: RunRecord, city: CityRecord) -> dict[str, object]:
    """Return the zones of two runs on one map."""
    layers: list[MapLayer | PictureLayer | LateLayer] = [
        district_layer(city),
        zone_layer(
            two, city, "Zones of the second run", name="two", colour=OTHER_ZONE, known=False
        ),
        zone_layer(one, city, "Zones of the first run", name="one", known=False),
    ]
    return _on_base(city, layers, one.zones.crs)


def district_layer(city: CityRecord) -> MapLayer:
    """Draw the districts."""
    frame = city.districts
    names = dict(zip(frame["code"], frame["name"], strict=True))
    shapes = gpd.GeoDataFrame(
        {"label": [district_label(code, names) for code in frame["code"]]},
        geometry=list(frame.geometry),
        crs=frame.crs,
    )
    return MapLayer(
        name="districts",
        title="Districts",
        shapes=shapes,
        keys=(Key(label="Districts", colour=DISTRICT),),
        filled=False,
    )


def zone_layer(
    run: RunRecord,
    city: CityRecord,
    title: str,
    *,
    name: str = "zones",
    colour: str = ZONE,
    link: bool = False,
    known: bool = True,
) -> MapLayer:
    """Draw zones with what is known of them; their rank stands on them where it is ``known``."""
    names = dict(zip(city.districts["code"], city.districts["name"], strict=True))
    rows = list(run.zones.itertuples())
    shapes = gpd.GeoDataFrame(
        {
            "id": [row.id for row in rows],
            "label": [str(row.rank) if known else None for row in rows],
            "tip": [_tip(row, names) for row in rows],
        },
        geometry=list(run.zones.geometry),
        crs=run.zones.crs,
    )
    if link:
        shapes["href"] = [f"#{row.id}" for row in rows]
    return MapLayer(
        name=name,
        title=title,
        shapes=shapes,
        keys=(Key(label="1 expects most in its district" if known else title, colour=colour),),
        filled=False,
    )


def _own_zones(opened: OpenedRun) -> MapLayer:
    own = opened.own.zones
    return MapLayer(
        name="own",
        title="Zones as the run cut them",
        shapes=gpd.GeoDataFrame(geometry=list(own.geometry), crs=own.crs),
        keys=(Key(label="Zones as the run cut them", colour=OTHER_ZONE),),
        filled=False,
        shown=False,
    )


def _tip(zone: Any, names: dict[str, str]) -> str:
    named = zone_full(zone, names)
    past, expected = numbers.number(zone.past), numbers.about(zone.expected)
    return f"{named}: {past} past incidents, {expected} expected"


def _on_base(
    city: CityRecord, layers: list[MapLayer | PictureLayer | LateLayer], crs: Any
) -> dict[str, object]:
    within = gpd.GeoSeries([city.study_area], crs=crs)
    return staff_map(layers, within, base=url_for("ground.base", city=city.slug))
