"""Environment and history -> one risk, with its parts kept apart.

The combined risk is a mixture of densities over the cells: the level common to all cells, the
environment (risk terrain scores), history (the cell's own count, kernel densities of several
bandwidths) and the products of environment and history. The weights are learned from the training
incidents alone, as those under which each incident was least surprising *given all the others*:
leave-one-out likelihood, climbed by the EM algorithm (Dempster, Laird, Rubin 1977), which stops
after a fixed number of rounds. Why this and what else was tried: ``docs/combined-risk.md``.

A mixture is read at sight: a weight is the share of incidents that its component accounts for. Each
cell's score is split into environment and history; a product goes to both in proportion to how far
each of its two factors lies above its mean over the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from spatial.errors import FitError
from spatial.history import Past, Trace, own_counts, smoothed_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.spec import HistorySpec

    Floats = NDArray[np.float64]
    Kind = Literal["base", "environment", "history", "both"]

ROUNDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the mixture.

    ``environment`` names the surface it uses, ``bandwidth_units`` its kernel (0: the cell's own
    count); both are missing where it has none. ``weight`` is its share of the incidents.
    """

    kind: Kind
    environment: str | None
    bandwidth_units: float | None
    weight: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CombinedRisk:
    """The combined risk of each cell, relative to the mean cell, which has 1.

    ``environment`` and ``history`` add up to ``score``. ``expected`` is the score as incidents per
    period of the training's length: it adds up to the training incidents.
    """

    score: Floats
    environment: Floats
    history: Floats
    expected: Floats
    components: tuple[Component, ...]

    @property
    def environment_share(self) -> float:
        """Share of all risk that comes from the environment."""
        return float(self.environment.sum() / self.score.sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class _Surface:
    """A component: the densities it is made of, and its value at incidents without themselves.

    ``place`` is an environment, ``trace`` a history; with both it is their product over ``total``,
    with neither the level common to all cells.
    """

    environment: str | None
    place: Floats | None
    bandwidth_units: float | None
    trace: Floats | None
    total: float
    without_self: Floats

    @property
    def kind(self) -> Kind:
        if self.trace is None:
            return "base" if self.place is None else "environment"
        return "history" if self.place is None else "both"

    def split(self) -> tuple[Floats | float, Floats | float]:
        """Give the density's environment and history, which add up to it."""
        if self.trace is None:
            return (self.total if self.place is None else self.place), 0.0
        if self.place is None:
            return 0.0, self.trace
        density = self.place * self.trace / self.total
        both = self.place + self.trace
        lean = np.divide(self.place, both, out=np.zeros(len(both)), where=both > 0)
        return density * lean, density * (1.0 - lean)


def combine(
    grid: Grid, past: Past, environment: Mapping[str, Floats], spec: HistorySpec
) -> CombinedRisk:
    """Learn the weights and put the parts together.

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

    Raises
    ------
    FitError
        If there are fewer than two incidents.
    """
    if len(past) < 2:
        msg = f"{len(past)} incidents in the study area: a combined risk needs at least two"
        raise FitError(msg)
    surfaces = list(_surfaces(grid, past, past.weights(spec.half_life_days), environment, spec))
    weights = learn_weights(np.column_stack([s.without_self for s in surfaces]))
    return _assemble(surfaces, weights, len(past), len(grid))


def recombine(
    grid: Grid,
    past: Past,
    environment: Mapping[str, Floats],
    spec: HistorySpec,
    components: Sequence[Component],
    *,
    times: Floats | None = None,
) -> Floats:
    """Give the score under weights learned before, for other surfaces or resampled incidents.

    Parameters
    ----------
    grid, past, environment, spec
        As in :func:`combine`, with exactly the surfaces that the components use.
    components
        What was learned, in any order.
    times
        How often each incident counts; once if left out.
    """
    weight = past.weights(spec.half_life_days) * (1.0 if times is None else times)
    weights = {(part.environment, part.bandwidth_units): part.weight for part in components}
    score = np.zeros(len(grid))
    for surface in _surfaces(grid, past, weight, environment, spec, keep_flat=True):
        environment_part, history_part = surface.split()
        share = weights[surface.environment, surface.bandwidth_units]
        score += share * (environment_part + history_part)
    return score * len(grid)


def learn_weights(densities: Floats, *, rounds: int = ROUNDS) -> Floats:
    """Climb the likelihood of a mixture by EM from equal weights.

    Parameters
    ----------
    densities
        Each component's density at each incident, shape ``(incidents, components)``; one column
        must be positive everywhere.
    rounds
        Rounds of EM. A fixed number keeps weights of few incidents from running to the edge.

    Returns
    -------
    Weights, shape ``(components,)``, adding up to 1.
    """
    weights = np.full(densities.shape[1], 1.0 / densities.shape[1])
    for _ in range(rounds):
        weights = weights * (densities.T @ (1.0 / (densities @ weights))) / len(densities)
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
    n = len(grid)
    places = {
        name: values / values.sum()
        for name, values in environment.items()
        if keep_flat or np.ptp(values) > 1e-9 * values.max()
    }
    yield _Surface(
        environment=None,
        place=None,
        bandwidth_units=None,
        trace=None,
        total=1.0 / n,
        without_self=np.full(len(past), 1.0 / n),
    )
    for name, place in places.items():
        yield _Surface(
            environment=name,
            place=place,
            bandwidth_units=None,
            trace=None,
            total=1.0,
            without_self=place[past.cell],
        )
    for trace in _traces(grid, past, weight, spec):
        yield _Surface(
            environment=None,
            place=None,
            bandwidth_units=trace.bandwidth_units,
            trace=trace.density,
            total=1.0,
            without_self=trace.without_self,
        )
        for name, place in places.items():
            yield _product(past, trace, name, place)


def _traces(grid: Grid, past: Past, weight: Floats, spec: HistorySpec) -> Iterator[Trace]:
    yield own_counts(grid, past, weight)
    for cells in spec.bandwidths_cells:
        yield smoothed_counts(grid, past, weight, cells * grid.cell_units)


def _product(past: Past, trace: Trace, name: str, place: Floats) -> _Surface:
    total = float(trace.density @ place)
    # without one incident, the product's total falls by about as much as the history's, so the
    # share that the incident had of it cancels out
    return _Surface(
        environment=name,
        place=place,
        bandwidth_units=trace.bandwidth_units,
        trace=trace.density,
        total=total,
        without_self=trace.without_self * place[past.cell] / total,
    )


def _assemble(surfaces: list[_Surface], weights: Floats, incidents: int, n: int) -> CombinedRisk:
    environment, history = np.zeros(n), np.zeros(n)
    for surface, weight in zip(surfaces, weights, strict=True):
        environment_part, history_part = surface.split()
        environment += weight * n * environment_part
        history += weight * n * history_part
    score = environment + history
    return CombinedRisk(
        score=score,
        environment=environment,
        history=history,
        expected=score * (incidents / n),
        components=tuple(
            Component(
                kind=surface.kind,
                environment=surface.environment,
                bandwidth_units=surface.bandwidth_units,
                weight=float(weight),
            )
            for surface, weight in zip(surfaces, weights, strict=True)
        ),
    )
