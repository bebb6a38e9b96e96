"""Environment and history -> one risk, with its parts kept apart.

Three steps, each learned from the training incidents alone. Why these and what else was tried:
``docs/combined-risk.md``.

1. **What surroundings lead one to expect.** A mixture of densities over the cells: the level common
   to all cells, the environment (risk terrain scores), incidents around (kernel densities of
   several bandwidths, a cell's own incidents left out of its value) and the products of
   environment and incidents around. The weights are those under which the counts of all cells were
   least surprising, climbed by the EM algorithm (Dempster, Laird, Rubin 1977) for a fixed number of
   rounds. A weight is the share of incidents that its component accounts for.
2. **What the cell's own record adds** (``spatial/history/empirical_bayes.py``).
3. **A forecast of another kind beside it**: a random forest, which sees how factors act together,
   by a weighted geometric mean. Means of unlike forecasts err less than each (Bates, Granger 1969).

Each cell's score is split into environment and history. In the mixture a product goes to both, in
proportion to how far each of its two factors lies above its mean over the cells. A record that
raises a cell is history; one that lowers it, and the forest, leave its shares as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from spatial.errors import FitError
from spatial.history.empirical_bayes import Record, learn_record
from spatial.history.kernels import Past, around

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.spec import HistorySpec

    Floats = NDArray[np.float64]

ROUNDS = 300  # of EM; after 30 the weights were worse (docs/combined-risk.md)
FLOOR = 1e-3  # least share of the level common to all cells: nothing is impossible anywhere
# Tried against one half and none (docs/combined-risk.md).
FOREST_SHARE = 1 / 3

Kind = Literal["base", "environment", "history", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the mixture.

    ``environment`` names the surface it uses, ``bandwidth_units`` its kernel; both are missing
    where it has none. ``weight`` is its share of the incidents.
    """

    kind: Kind
    environment: str | None
    bandwidth_units: float | None
    weight: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CombinedRisk:
    """The combined risk of each cell, relative to the mean cell, which has 1.

    ``environment`` and ``history`` add up to ``score``. ``expected`` is the score as incidents per
    period of the training's length: it adds up to the training incidents. ``components`` and
    ``record`` are what was learned; there is neither where there is no history to learn from.
    """

    score: Floats
    environment: Floats
    history: Floats
    expected: Floats
    components: tuple[Component, ...]
    record: Record | None

    @property
    def environment_share(self) -> float:
        """Share of all risk that comes from the environment."""
        return float(self.environment.sum() / self.score.sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class _Surface:
    """A component as a density over the cells.

    ``place`` is an environment, ``trace`` incidents around; with both it is their product over
    ``total``, with neither the level common to all cells.
    """

    environment: str | None = None
    place: Floats | None = None
    bandwidth_units: float | None = None
    trace: Floats | None = None
    total: float = 1.0

    @property
    def kind(self) -> Kind:
        if self.trace is None:
            return "base" if self.place is None else "environment"
        return "history" if self.place is None else "both"

    def split(self, cells: slice | NDArray[np.int64]) -> tuple[Floats | float, Floats | float]:
        """Return the density's environment and history in some cells, which add up to it."""
        if self.trace is None:
            return (self.total if self.place is None else self.place[cells]), 0.0
        if self.place is None:
            return 0.0, self.trace[cells]
        place, trace = self.place[cells], self.trace[cells]
        density = place * trace / self.total
        lean = place / (place + trace)
        return density * lean, density * (1.0 - lean)


def combine(
    grid: Grid,
    past: Past,
    environment: Mapping[str, Floats],
    spec: HistorySpec,
    *,
    forest: Floats | None = None,
) -> CombinedRisk:
    """Learn the weights and the record and put the parts together.

    Parameters
    ----------
    grid
        The cells.
    past
        Incidents of the training period.
    environment
        Surfaces by name, one positive value a cell; a flat one adds nothing and is left out.
    spec
        Bandwidths and half-life.
    forest
        A random forest's prediction, 0 or more in each cell; none is taken if left out.

    Raises
    ------
    FitError
        If there are fewer than two incidents.
    """
    if len(past) < 2:
        msg = f"{len(past)} incidents in the study area: a combined risk needs at least two"
        raise FitError(msg, code="too_few_incidents")
    weight = past.weights(spec.half_life_days)
    floats = past.held(len(grid), weight)
    surfaces = list(_surfaces(grid, past, weight, environment, spec))
    weights = _learn(surfaces, floats)
    parts = _mix(surfaces, weights, len(grid))
    record = learn_record(
        (parts[0] + parts[1]) * weight.sum(), floats, scale=float(weight.sum() / (weight**2).sum())
    )
    score, share = _settle(*parts, floats, record, forest)
    return CombinedRisk(
        score=score,
        environment=score * share,
        history=score * (1.0 - share),
        expected=score * (len(past) / len(grid)),
        components=tuple(
            Component(
                kind=surface.kind,
                environment=surface.environment,
                bandwidth_units=surface.bandwidth_units,
                weight=float(part),
            )
            for surface, part in zip(surfaces, weights, strict=True)
        ),
        record=record,
    )


def recombine(
    grid: Grid,
    past: Past,
    environment: Mapping[str, Floats],
    spec: HistorySpec,
    components: Sequence[Component],
    record: Record,
    *,
    forest: Floats | None = None,
    times: Floats | None = None,
) -> Floats:
    """Return the score under what was learned before, for other surfaces or resampled incidents.

    Parameters
    ----------
    grid, past, environment, spec, forest
        As in :func:`combine`, with at least the surfaces that the components use.
    components, record
        What was learned, the components in any order.
    times
        How often each incident counts; once if left out.
    """
    weight = past.weights(spec.half_life_days) * (1.0 if times is None else times)
    floats = past.held(len(grid), weight)
    learned = {(part.environment, part.bandwidth_units): part.weight for part in components}
    surfaces = list(_surfaces(grid, past, weight, environment, spec, keep_flat=True))
    weights = [learned.get((s.environment, s.bandwidth_units), 0.0) for s in surfaces]
    score, _ = _settle(*_mix(surfaces, weights, len(grid)), floats, record, forest)
    return score


def learn_weights(densities: Floats, kept: Floats, *, rounds: int = ROUNDS) -> Floats:
    """Climb the likelihood of a mixture by EM from equal weights.

    Parameters
    ----------
    densities
        Each component's density in each cell that kept something, shape ``(cells, components)``;
        one column must be positive everywhere.
    kept
        Weighted incidents of each of those cells.
    rounds
        Rounds of EM. A fixed number keeps weights of few incidents from running to the edge.

    Returns
    -------
    Weights, shape ``(components,)``, adding up to 1.
    """
    weights = np.full(densities.shape[1], 1.0 / densities.shape[1])
    for _ in range(rounds):
        weights = weights * (densities.T @ (kept / (densities @ weights))) / kept.sum()
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _surfaces(
    grid: Grid,
    past: Past,
    weight: Floats,
    environment: Mapping[str, Floats],
    spec: HistorySpec,
    *,
    keep_flat: bool = False,
) -> Iterator[_Surface]:
    places = {
        name: values / values.sum()
        for name, values in environment.items()
        if keep_flat or np.ptp(values) > 1e-9 * values.max()
    }
    yield _Surface(total=1.0 / len(grid))
    for name, place in places.items():
        yield _Surface(environment=name, place=place)
    for cells in spec.bandwidths_cells:
        bandwidth = cells * grid.cell_units
        trace = around(grid, past, weight, bandwidth)
        if not trace.any():  # all incidents within this reach of each other are of one cell
            continue
        trace /= trace.sum()
        yield _Surface(bandwidth_units=bandwidth, trace=trace)
        for name, place in places.items():
            yield _Surface(
                environment=name,
                place=place,
                bandwidth_units=bandwidth,
                trace=trace,
                total=float(trace @ place),
            )


def _learn(surfaces: Sequence[_Surface], kept: Floats) -> Floats:
    some = np.flatnonzero(kept)
    densities = np.empty((len(some), len(surfaces)))
    for column, surface in enumerate(surfaces):
        environment, history = surface.split(some)
        densities[:, column] = environment + history
    weights = (1.0 - FLOOR) * learn_weights(densities, kept[some])
    weights[0] += FLOOR
    return weights


def _mix(
    surfaces: Sequence[_Surface], weights: Sequence[float] | Floats, n: int
) -> tuple[Floats, Floats]:
    """Add the components' environment and history up, as densities over the cells."""
    environment, history = np.zeros(n), np.zeros(n)
    for surface, weight in zip(surfaces, weights, strict=True):
        environment_part, history_part = surface.split(slice(None))
        environment += weight * environment_part
        history += weight * history_part
    return environment, history


def _settle(
    environment: Floats, history: Floats, kept: Floats, record: Record, forest: Floats | None
) -> tuple[Floats, Floats]:
    """Return the score and each cell's share from the environment."""
    expected = environment + history
    lift = record.lift(expected * kept.sum(), kept)
    share = environment / expected / np.maximum(lift, 1.0)
    score = _relative(expected * lift)
    if forest is not None and forest.any():
        other = (1.0 - FLOOR) * _relative(forest) + FLOOR
        score = _relative(score ** (1.0 - FOREST_SHARE) * other**FOREST_SHARE)
    return score, share


def _relative(values: Floats) -> Floats:
    return np.asarray(values / values.mean(), dtype=np.float64)
