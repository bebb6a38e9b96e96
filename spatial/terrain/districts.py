"""Districts that share strength: the city's factors, each with a deviation in each district.

A district's coefficient is the city's plus a deviation drawn from a normal distribution around 0,
whose spread is learned from all districts at once (empirical Bayes: EM with Laplace's approximation
to each district's posterior). A district with many incidents is moved little towards the city, one
with few almost all the way; no threshold decides. Dispersion is the city's. A deviation counts as
real when its 95 % posterior interval leaves out 0; shrinking makes further correction for the
number of comparisons needless (Gelman, Hill, Yajima 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import norm

from spatial.terrain.families import CODES, CountFit, tabulate
from spatial.terrain.likelihoods import derivatives
from spatial.terrain.model import TerrainModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spatial.terrain.families import CountTable

    Floats = NDArray[np.float64]

ROUNDS = 300
SETTLED = 1e-3
LEAST_VARIANCE = 1e-8  # districts alike: EM only creeps to 0, and 0 cannot be divided by
FIRST_VARIANCE = 0.25  # where EM begins: a standard deviation of 0.5 in the log rate


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedDistricts:
    """Deviations of districts from the city's model, level first.

    Parameters
    ----------
    names
        Districts, in the grid's order; those without a cell are left out.
    deviations
        Posterior modes, shape ``(districts, 1 + columns)``.
    covariances
        Posterior covariances, shape ``(districts, 1 + columns, 1 + columns)``.
    spreads
        Standard deviation of the deviations between districts, shape ``(1 + columns,)``.
    incidents
        Incidents of each district.
    """

    city: TerrainModel
    names: tuple[str, ...]
    deviations: Floats
    covariances: Floats
    spreads: Floats
    incidents: NDArray[np.int64]

    def own_share(self) -> Floats:
        """How much of each deviation the district's own data decide, 0 to 1."""
        variances = np.diagonal(self.covariances, axis1=1, axis2=2)
        return np.clip(1.0 - variances / self.spreads**2, 0.0, 1.0)

    def model(self, name: str) -> TerrainModel:
        """Return a district's model.

        Its covariance is the posterior's, and beside it what the city's own uncertainty adds
        through the share that the city decides.
        """
        position = self.names.index(name)
        city = self.city.fit
        rest = 1.0 - self.own_share()[position]
        return TerrainModel(
            family=self.city.family,
            columns=self.city.columns,
            fit=CountFit(
                family=self.city.family,
                beta=city.beta + self.deviations[position],
                covariance=self.covariances[position] + np.outer(rest, rest) * city.covariance,
                dispersion=city.dispersion,
                loglik=city.loglik,
                n_cells=city.n_cells,
                converged=city.converged,
            ),
        )

    def table(self, *, level: float = 0.95) -> pd.DataFrame:
        """Put city and district RRVs side by side.

        Columns ``district``, ``incidents``, ``name``, ``operation``, ``distance``, ``city_rrv``,
        ``rrv``, ``rrv_low``, ``rrv_high``, ``own_share`` and ``differs``.
        """
        z = norm.ppf(0.5 + level / 2)
        share = self.own_share()
        rows = []
        for position, district in enumerate(self.names):
            fit = self.model(district).fit
            error = np.sqrt(np.diag(fit.covariance))
            for number, column in enumerate(self.city.columns, start=1):
                deviation = self.deviations[position, number]
                spread = np.sqrt(self.covariances[position, number, number])
                rows.append(
                    {
                        "district": district,
                        "incidents": int(self.incidents[position]),
                        "name": column.factor,
                        "operation": column.operation,
                        "distance": column.distance_units,
                        "city_rrv": float(np.exp(self.city.fit.beta[number])),
                        "rrv": float(np.exp(fit.beta[number])),
                        "rrv_low": float(np.exp(fit.beta[number] - z * error[number])),
                        "rrv_high": float(np.exp(fit.beta[number] + z * error[number])),
                        "own_share": float(share[position, number]),
                        "differs": bool(abs(deviation) > z * spread),
                    }
                )
        return pd.DataFrame(rows)


def share_strength(
    city: TerrainModel,
    active: NDArray[np.uint8],
    counts: NDArray[np.int64],
    district: NDArray[np.int16],
    names: Sequence[str],
) -> SharedDistricts:
    """Fit every district's deviations from the city's model.

    Parameters
    ----------
    city
        The city's model.
    active
        Its columns, shape ``(cells, columns)``.
    counts
        Incidents of each cell.
    district
        Position in ``names`` of each cell's district, negative outside all.
    names
        The districts.
    """
    present = [i for i in range(len(names)) if (district == i).any()]
    tables = [tabulate(active[district == i], counts[district == i]) for i in present]
    width = len(city.fit.beta)
    deviations = np.zeros((len(tables), width))
    covariances = np.zeros((len(tables), width, width))
    variance = np.full(width, FIRST_VARIANCE)
    for _ in range(ROUNDS):
        for number, table in enumerate(tables):
            deviations[number], covariances[number] = _posterior(
                table, city, deviations[number], variance
            )
        spread = (deviations**2).mean(axis=0) + np.diagonal(covariances, axis1=1, axis2=2).mean(
            axis=0
        )
        renewed = np.maximum(spread, LEAST_VARIANCE)
        moved = np.abs(np.sqrt(renewed) - np.sqrt(variance)).max()
        variance = renewed
        if moved < SETTLED:
            break
    return SharedDistricts(
        city=city,
        names=tuple(names[i] for i in present),
        deviations=deviations,
        covariances=covariances,
        spreads=np.sqrt(variance),
        incidents=np.array([int(counts[district == i].sum()) for i in present]),
    )


def _posterior(
    table: CountTable, city: TerrainModel, start: Floats, variance: Floats
) -> tuple[Floats, Floats]:
    """Climb to one district's posterior mode; give it and the inverse of the curvature there."""
    design = np.column_stack([np.ones(len(table.n)), table.columns])
    kind = CODES[city.family]
    over = [] if city.fit.dispersion is None else [np.log(city.fit.dispersion)]
    q = design.shape[1]

    def at(deviation: Floats) -> tuple[float, Floats, Floats]:
        theta = np.concatenate([city.fit.beta + deviation, over])
        height, slope, bend = derivatives(
            design, table.n, table.total, table.owner, table.value, table.times, theta, kind
        )
        prior = float((deviation**2 / variance).sum()) / 2
        return (
            float(height) - prior,
            slope[:q] - deviation / variance,
            bend[:q, :q] - np.diag(1.0 / variance),
        )

    here = start
    height, slope, bend = at(here)
    for _ in range(50):
        step = _solve(bend, slope)
        if slope @ step < 1e-10:
            break
        for _halving in range(30):
            there = here + step
            new = at(there)
            if new[0] >= height - 1e-12 * abs(height):
                break
            step = step / 2
        here, (height, slope, bend) = there, new
    return here, _solve(bend, np.eye(q))


def _solve(bend: Floats, right: Floats) -> Floats:
    """Solve for a step uphill, also where the surface bends the wrong way."""
    try:
        return np.asarray(cho_solve(cho_factor(-bend), right), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(-bend)
        return np.asarray(
            (vectors / np.maximum(values, 1e-8)) @ (vectors.T @ right), dtype=np.float64
        )
