"""Elastic-net Poisson path with cross-validation and a sign constraint.

Minimises, as glmnet does (Friedman, Hastie, Tibshirani 2010)::

    (1/W) sum w (exp(eta) - y eta) + lambda sum_j [ a s_j |b_j| + (1 - a)/2 s_j^2 b_j^2 ]

with ``s_j`` the column's standard deviation over the training rows, ``a`` the mixing, all
coefficients of the wanted sign and the intercept free. The full fit and the fits that leave one
fold out advance together as lanes: one pass over the rows gives the gradient of every lane.
Steps come from a Newton model whose curvature is shared by the lanes and refreshed when they stop
gaining; the gradient is exact, so the point they settle at is too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spatial.errors import FitError
from spatial.terrain.lanes import cross_tabulate, descend, pass_over_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spatial.terrain.candidates import Patterns

    Floats = NDArray[np.float64]

MAX_PASSES = 200
REFRESH_AFTER = 3  # passes at one lambda before the curvature is renewed


@dataclass(frozen=True, kw_only=True, eq=False)
class PenalisedFit:
    """A path and its cross-validation.

    Parameters
    ----------
    lambdas
        Penalties tried, descending.
    coefficients
        Full fit, shape ``(lambdas, columns)``; ``intercepts`` beside it.
    cv_mean, cv_se
        Held-out mean Poisson deviance per row, and its standard error over the folds.
    chosen
        Position of the penalty taken.
    converged
        Whether every lane met the tolerance at every penalty.
    """

    lambdas: Floats
    coefficients: Floats
    intercepts: Floats
    cv_mean: Floats
    cv_se: Floats
    chosen: int
    converged: bool

    @property
    def kept(self) -> NDArray[np.intp]:
        """Columns with a coefficient at the chosen penalty."""
        return np.flatnonzero(self.coefficients[self.chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings:
    """How the path is walked; the defaults are glmnet's where it has one.

    ``tolerance`` is the largest violation of the optimality conditions, as a share of the
    penalty. The path stops ``patience`` penalties past the lowest held-out deviance, unless
    ``full_path``.
    """

    mixing: float = 0.5
    rule: Literal["min", "1se"] = "min"
    n_lambdas: int = 100
    smallest_ratio: float = 1e-4
    tolerance: float = 1e-3
    patience: int = 12
    full_path: bool = False


def draw_folds(rows: int, folds: int, seed: int) -> NDArray[np.int64]:
    """Deal rows to folds at random, as evenly as can be; numbered from 1."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.arange(rows) % folds) + 1


def fit_path(
    patterns: Patterns,
    counts: NDArray[np.int64],
    folds: NDArray[np.int64],
    *,
    sign: Literal[1, -1] = 1,
    settings: PathSettings | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PenalisedFit:
    """Fit the path, cross-validate it and choose a penalty.

    Parameters
    ----------
    patterns
        The rows.
    counts
        Incidents in each row.
    folds
        Fold of each row, from 1.
    sign
        1 keeps coefficients at or above 0 (aggravating), -1 at or below (protective).
    settings
        How to walk the path.
    progress
        Called with a stage, how many penalties are done and how many there are.

    Raises
    ------
    FitError
        If there is no column, or if all incidents lie in one fold.
    """
    settings = settings or PathSettings()
    if patterns.levels.shape[1] == 0:
        msg = "no candidate column is left; every factor was dropped (see what was dropped and why)"
        raise FitError(msg)
    walk = _Walk(patterns, counts, folds, sign, settings)
    return walk.run(progress)


class _Walk:
    """State of one path: coefficients of every lane, lane 0 being the full fit."""

    def __init__(
        self,
        patterns: Patterns,
        counts: NDArray[np.int64],
        folds: NDArray[np.int64],
        sign: Literal[1, -1],
        settings: PathSettings,
    ) -> None:
        self.settings, self.sign = settings, sign
        self.hessian: Floats | None = None
        rows = _collapse(patterns.codes, counts, folds)
        self.codes, self.y, self.fold, self.weight = rows
        self.levels = patterns.levels * sign
        self.p = self.levels.shape[1]
        self.lanes = int(folds.max()) + 1
        n_levels = len(self.levels)
        in_lane = (self.fold[:, None] != np.arange(self.lanes)[None, :]).astype(float)
        lane_weight = self.weight[:, None] * in_lane
        self.total = lane_weight.sum(axis=0)
        self.y_total = (lane_weight * self.y[:, None]).sum(axis=0)
        if (self.y_total == 0).any():
            msg = (
                "all incidents fall into one cross-validation fold; there are too few of them "
                "to choose factors (use more incidents, or fewer folds)"
            )
            raise FitError(msg)
        self.level_y = np.zeros((n_levels, self.lanes))
        level_weight = np.zeros((n_levels, self.lanes))
        for f in range(self.codes.shape[1]):
            np.add.at(self.level_y, self.codes[:, f], lane_weight * self.y[:, None])
            np.add.at(level_weight, self.codes[:, f], lane_weight)
        mean = np.abs(self.levels.T) @ level_weight / self.total
        self.sd = np.sqrt(mean * (1 - mean))
        self.usable = self.sd > 0
        self.sd[~self.usable] = 1.0
        self.beta = np.zeros((self.p, self.lanes))
        self.intercept = np.log(self.y_total / self.total)
        held = np.bincount(self.fold, self.weight, minlength=self.lanes)[1:]
        self.held_weight = held

    def look(self) -> tuple[Floats, Floats, Floats, Floats]:
        """One pass: gradients of every lane, their loss, and the held-out deviance."""
        eta_levels = self.levels @ self.beta
        level_mu, mu_total, loss, held = pass_over_rows(
            self.codes, self.y, self.weight, self.fold, eta_levels, self.intercept
        )
        gradient = self.levels.T @ (level_mu - self.level_y) / self.total
        return gradient, (mu_total - self.y_total) / self.total, loss / self.total, held

    def curvature(self) -> Floats:
        """Hessian of the full fit with the intercept in front, shape ``(p + 1, p + 1)``."""
        table = cross_tabulate(
            self.codes,
            self.weight,
            self.levels @ self.beta[:, :1],
            float(self.intercept[0]),
            len(self.levels),
        )
        lifted = np.hstack([np.zeros((len(self.levels), 1)), self.levels])
        hessian = lifted.T @ table @ lifted / self.total[0]
        first = self.codes[:, 0]
        level_mu = np.diag(table)
        own = np.unique(first)  # levels of the first factor meet every row exactly once
        hessian[0, 0] = level_mu[own].sum() / self.total[0]
        hessian[0, 1:] = hessian[1:, 0] = self.levels.T @ level_mu / self.total[0]
        return hessian

    def settle(self, penalty: float) -> tuple[Floats, bool]:
        """Bring every lane to its optimum at one penalty; give the held-out deviance."""
        a = self.settings.mixing
        l1, l2 = penalty * a * self.sd, penalty * (1 - a) * self.sd**2
        before = np.full(self.lanes, np.inf)
        last_beta, last_intercept = self.beta.copy(), self.intercept.copy()
        hessian = self.hessian
        held = np.zeros(self.lanes)
        for attempt in range(MAX_PASSES):
            gradient, slope, loss, held = self.look()
            objective = loss + (l1 * self.beta).sum(0) + 0.5 * (l2 * self.beta**2).sum(0)
            worse = ~(objective <= before + 1e-12 * (1 + np.abs(before)))
            if worse.any():  # a step went too far: halve it
                self.beta[:, worse] = (self.beta[:, worse] + last_beta[:, worse]) / 2
                self.intercept[worse] = (self.intercept[worse] + last_intercept[worse]) / 2
                continue
            full_gradient = gradient + l2 * self.beta
            violation = np.where(
                self.beta > 0, np.abs(full_gradient + l1), np.maximum(0, -(full_gradient + l1))
            )
            violation[~self.usable] = 0
            limit = self.settings.tolerance * penalty * a
            open_lanes = ((violation > limit * self.sd).any(axis=0)) | (np.abs(slope) > limit)
            if not open_lanes.any():
                return held, True
            if hessian is None or (attempt and attempt % REFRESH_AFTER == 0):
                hessian = self.hessian = self.curvature()
            before[open_lanes] = objective[open_lanes]
            last_beta, last_intercept = self.beta.copy(), self.intercept.copy()
            for lane in np.flatnonzero(open_lanes).tolist():
                self._step(lane, hessian, gradient[:, lane], slope[lane], l1[:, lane], l2[:, lane])
        return held, False

    def _step(self, lane: int, hessian: Floats, *parts: Any) -> None:
        gradient, slope, l1, l2 = parts
        working = np.flatnonzero(
            self.usable[:, lane] & ((self.beta[:, lane] > 0) | (gradient + l1 < 0))
        )
        index = np.concatenate([[0], working + 1])
        moved = descend(
            np.ascontiguousarray(hessian[np.ix_(index, index)]),
            np.concatenate([[slope], gradient[working]]),
            np.concatenate([[self.intercept[lane]], self.beta[working, lane]]),
            np.concatenate([[0.0], l1[working]]),
            np.concatenate([[0.0], l2[working]]),
        )
        self.intercept[lane] = moved[0]
        self.beta[working, lane] = moved[1:]

    def run(self, progress: Callable[[str, int, int], None] | None) -> PenalisedFit:
        settings = self.settings
        gradient, *_ = self.look()
        top = float(np.max(np.abs(gradient[:, 0]) / self.sd[:, 0] * self.usable[:, 0]))
        top /= settings.mixing
        steps = np.linspace(0, 1, settings.n_lambdas)
        lambdas = top * settings.smallest_ratio**steps
        means, errors, betas, intercepts = [], [], [], []
        converged = True
        for position, penalty in enumerate(lambdas):
            held, met = self.settle(float(penalty))
            converged &= met
            fold_mean = held[1:] / self.held_weight
            share = self.held_weight / self.held_weight.sum()
            mean = float(share @ fold_mean)
            spread = float(share @ (fold_mean - mean) ** 2)
            means.append(mean)
            errors.append(np.sqrt(spread / (len(fold_mean) - 1)))
            betas.append(self.sign * self.beta[:, 0].copy())
            intercepts.append(self.intercept[0])
            if progress:
                progress("elastic net", position + 1, len(lambdas))
            if not settings.full_path and position - int(np.argmin(means)) >= settings.patience:
                break
        if progress:
            progress("elastic net", len(lambdas), len(lambdas))
        best = int(np.argmin(means))
        chosen = best
        if settings.rule == "1se":
            within = np.asarray(means) <= means[best] + errors[best]
            chosen = int(np.flatnonzero(within)[0])
        return PenalisedFit(
            lambdas=lambdas[: len(means)],
            coefficients=np.array(betas),
            intercepts=np.array(intercepts),
            cv_mean=np.array(means),
            cv_se=np.array(errors),
            chosen=chosen,
            converged=converged,
        )


def _collapse(
    codes: NDArray[np.int32], counts: NDArray[np.int64], folds: NDArray[np.int64]
) -> tuple[NDArray[np.int32], Floats, NDArray[np.int64], Floats]:
    """Make rows with the same codes, count and fold one row with a weight: exact, and less work."""
    key = np.column_stack([codes, counts, folds]).astype(np.int32)
    packed = np.ascontiguousarray(key).view([("", key.dtype)] * key.shape[1]).ravel()
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    weight = np.bincount(inverse).astype(float)
    return (
        np.ascontiguousarray(codes[first]),
        counts[first].astype(float),
        folds[first].astype(np.int64),
        weight,
    )
