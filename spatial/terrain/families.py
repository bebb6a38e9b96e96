"""Maximum likelihood of count models on patterns: Poisson, NB1, NB2.

Rows with the same columns are one pattern, and a pattern's counts are a small histogram, so a fit
works on a few hundred patterns instead of every cell: same likelihood, to the last digit.

- ``poisson``: variance mu.
- ``nb2``: variance mu + mu^2 / theta, the usual negative binomial; ``dispersion`` is theta.
  Standard errors come from the expected information, as in MASS ``glm.nb`` (Venables and Ripley
  2002).
- ``nb1``: variance mu (1 + delta), linear in the mean, the family of RTMDx (gamlss ``NBII``);
  ``dispersion`` is delta. Standard errors come from the observed information.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from spatial.errors import FitError
from spatial.terrain.candidates import distinct_rows
from spatial.terrain.likelihoods import NB1, NB2, POISSON, climb, derivatives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.spec import Family

    Floats = NDArray[np.float64]

CODES: dict[str, int] = {"poisson": POISSON, "nb1": NB1, "nb2": NB2}


@dataclass(frozen=True, kw_only=True, eq=False)
class CountTable:
    """Counts by pattern.

    Parameters
    ----------
    columns
        Distinct patterns, shape ``(patterns, columns)``, without the intercept.
    n
        Cells of each pattern, shape ``(patterns,)``.
    total
        Incidents of each pattern.
    owner, value, times
        The histogram without its zeros: pattern, count, and how many cells have it.
    """

    columns: Floats
    n: Floats
    total: Floats
    owner: NDArray[np.int64]
    value: NDArray[np.int64]
    times: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class CountFit:
    """One fitted model; ``beta[0]`` is the intercept; ``covariance`` is that of ``beta``."""

    family: Family
    beta: Floats
    covariance: Floats
    dispersion: float | None
    loglik: float
    n_cells: int
    converged: bool

    @property
    def bic(self) -> float:
        """-2 log L + k ln n, k counting intercept and dispersion (RTMDx; S1 in docs/method.md)."""
        k = len(self.beta) + (self.dispersion is not None)
        return -2 * self.loglik + k * float(np.log(self.n_cells))


def tabulate(
    columns: NDArray[np.uint8],
    counts: NDArray[np.int64],
    times: NDArray[np.int64] | None = None,
) -> CountTable:
    """Collapse rows to patterns.

    Parameters
    ----------
    columns
        Shape ``(rows, columns)``, 0 or 1, without the intercept.
    counts
        Incidents in each row.
    times
        How many cells each row stands for; one if left out.
    """
    patterns, code = distinct_rows(np.ascontiguousarray(columns, dtype=np.uint8))
    times = np.ones(len(counts), dtype=np.int64) if times is None else times
    n = np.bincount(code, times, minlength=len(patterns))
    total = np.bincount(code, times * counts, minlength=len(patterns))
    some = np.flatnonzero(counts)
    width = int(counts.max(initial=0)) + 1
    keys, place = np.unique(code[some] * width + counts[some], return_inverse=True)
    return CountTable(
        columns=patterns.astype(float),
        n=n.astype(float),
        total=total.astype(float),
        owner=keys // width,
        value=keys % width,
        times=np.bincount(place, times[some], minlength=len(keys)).astype(float),
    )


def fit_counts(
    table: CountTable,
    family: Family,
    *,
    start: Floats | None = None,
    covariance: bool = True,
) -> CountFit:
    """Fit one model by Newton's method with step halving.

    Parameters
    ----------
    table
        The data.
    family
        Which likelihood.
    start
        Intercept and coefficients to start from, and behind them the log dispersion if known.
    covariance
        Whether to work out the covariance, which a search has no use for; 0 if not.

    Raises
    ------
    FitError
        If there is no incident at all.
    """
    if table.total.sum() == 0:
        msg = "no incident lies in the study area in this period; nothing can be fitted"
        raise FitError(msg, code="no_incident")
    design = np.column_stack([np.ones(len(table.n)), table.columns])
    kind = CODES[family]
    theta = np.zeros(design.shape[1] + (kind != POISSON))
    theta[0] = np.log(table.total.sum() / table.n.sum())
    if start is not None:
        theta[: len(start)] = start[: len(theta)]
    theta, loglik, converged = climb(
        design, table.n, table.total, table.owner, table.value, table.times, theta, kind
    )
    q = design.shape[1]
    dispersion = None if kind == POISSON else float(np.exp(theta[-1]))
    constant = float((table.times * gammaln(table.value + 1.0)).sum())
    return CountFit(
        family=family,
        beta=theta[:q],
        covariance=(_covariance(design, table, theta, kind) if covariance else np.zeros((q, q))),
        dispersion=dispersion,
        loglik=float(loglik) - constant,
        n_cells=int(table.n.sum()),
        converged=bool(converged),
    )


def _covariance(design: Floats, table: CountTable, theta: Floats, kind: int) -> Floats:
    q = design.shape[1]
    if kind == NB1:
        *_, hessian = derivatives(
            design, table.n, table.total, table.owner, table.value, table.times, theta, kind
        )
        information = -hessian
    else:
        mu = np.exp(design @ theta[:q])
        size = np.exp(theta[-1]) if kind == NB2 else np.inf
        working = table.n * (mu if kind == POISSON else mu * size / (mu + size))
        information = design.T @ (working[:, None] * design)
    return np.linalg.pinv(information, hermitian=True)[:q, :q]
