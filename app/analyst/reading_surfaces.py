"""The surfaces of a run that an analyst looks at: each is classes of cells, colours, a legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from app import words
from app.maps.palette import RESIDUAL, RESIDUAL_HEX, RISK, RISK_HEX
from app.maps.staff import Key
from geodata.zone_editing import acting

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geodata.store.runs import RunRecord

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
class Surface:
    """One surface: ``name`` for addresses, ``title`` for people, what it ``says``."""

    name: str
    title: str
    says: str
    paint: Callable[[RunRecord], Painted]


def expected_by_factors(run: RunRecord) -> Floats:
    """Give the incidents that the risk terrain alone expects in each cell, shape ``(n,)``.

    They are ``exp(intercept + sum of the coefficients that act)``. Where the cells do not tell
    which factors act, the scores are scaled so that all incidents are expected.
    """
    model, active = run.result["model"], acting(run)
    if active is None:
        score = run.cells["score"].to_numpy(dtype=np.float64)
        return score * (float(run.cells["count"].sum()) / score.sum())
    beta = np.array([factor["coefficient"] for factor in model["factors"]], dtype=np.float64)
    return np.asarray(np.exp(model["intercept"] + active @ beta), dtype=np.float64)


def residuals_around(run: RunRecord) -> Floats:
    """Give observed minus expected incidents of the square of 5 by 5 cells around each cell.

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
    edges = [words.number(mean + step * sd, 1) for step in range(3)]
    told = (
        f"score above {edges[0]} (the mean)",
        f"above {edges[1]} (mean + 1 SD)",
        f"above {edges[2]} (mean + 2 SD)",
    )
    keys = _keys(classes, told, RISK_HEX)
    return Painted(classes=classes, colours=RISK, keys=keys)


def _relative(column: str, breaks: tuple[float, ...]) -> Callable[[RunRecord], Painted]:
    def paint(run: RunRecord) -> Painted:
        value = run.cells[column].to_numpy(dtype=np.float64)
        classes = np.searchsorted(breaks, value, side="left")
        low, middle, high = (f"{edge:g}" for edge in breaks)
        told = (f"{low} to {middle} times", f"{middle} to {high} times", f"more than {high} times")
        return Painted(classes=classes, colours=RISK, keys=_keys(classes, told, RISK_HEX))

    return paint


def _residuals(run: RunRecord) -> Painted:
    value = residuals_around(run)
    spread = float(value.std())
    near = min(STEPS, key=lambda step: abs(step - spread))
    far = 2 * near
    classes = np.zeros(len(value), dtype=np.int64)
    classes[value < -near], classes[value < -far] = 2, 1
    classes[value > near], classes[value > far] = 3, 4
    told = (
        f"over {far:g} fewer than expected",
        f"{near:g} to {far:g} fewer",
        f"{near:g} to {far:g} more",
        f"over {far:g} more than expected",
    )
    return Painted(classes=classes, colours=RESIDUAL, keys=_keys(classes, told, RESIDUAL_HEX))


def _keys(
    classes: NDArray[np.int64], told: tuple[str, ...], colours: tuple[str, ...]
) -> tuple[Key, ...]:
    """Name the classes from 1 on with the share of cells in each, highest first."""
    share = np.bincount(classes, minlength=len(told) + 1) / len(classes)
    return tuple(
        Key(label=f"{told[i - 1]}: {words.share(share[i])} of cells", colour=colours[i])
        for i in range(len(told), 0, -1)
    )


SURFACES = (
    Surface(
        name="combined",
        title="Combined risk",
        says="Environment and history together, relative to the mean cell, which has 1. Zones "
        "follow it unless the run says otherwise.",
        paint=_relative("combined", WHOLE),
    ),
    Surface(
        name="environment",
        title="Its environment part",
        says="What the surroundings add to the combined risk, in the same unit.",
        paint=_relative("environment", PARTS),
    ),
    Surface(
        name="history",
        title="Its history part",
        says="What past incidents add to the combined risk, in the same unit. The two parts add "
        "up to the combined risk.",
        paint=_relative("history", PARTS),
    ),
    Surface(
        name="score",
        title="Risk terrain score, in classes",
        says="The risk terrain alone: how many times the lowest cell's risk the factors give a "
        "cell. Classes are cut at the mean of all cells and one and two standard deviations (SD) "
        "above it.",
        paint=_classes,
    ),
    Surface(
        name="residuals",
        title="Residuals of the risk terrain",
        says="A residual is the number of incidents observed minus the number that the factors "
        "expect. Orange: more happened than the factors explain. Purple: fewer. Each cell shows "
        "the sum over the square of 5 by 5 cells around it, as one cell holds too few to be read.",
        paint=_residuals,
    ),
)
BY_NAME = {surface.name: surface for surface in SURFACES}
