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
from typing import TYPE_CHECKING, Literal

import numpy as np

from spatial.errors import FitError
from spatial.terrain.candidates import distinct_rows
from spatial.terrain.paths import (
    cross_tabulate,
    descend,
    list_levels,
    pass_over_rows,
    sum_over_pieces,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spatial.terrain.candidates import Patterns

    Floats = NDArray[np.float64]

MAX_PASSES = 200
MAX_HALVINGS = 40
REFRESH_AFTER = 2  # steps at one penalty before the curvature is renewed
EXACTLY = 0.02  # share of the tolerance that the inner descent may leave
OWN_AFTER = 4  # steps at one penalty before lanes get a curvature of their own
NEARLY = 0.8  # columns this near to entering are covered by a new curvature
ONE_STEP_AWAY = 30.0  # times the tolerance: one more step settles every lane
WORTH_COLLAPSING = 0.9  # of the rows: above, finding equal rows costs more than it saves
MOST_LEVELS = 65_000  # level numbers are 16 bits wide


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
    penalty. The path stops ``patience`` penalties past the lowest kept-out deviance, unless
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
    times: NDArray[np.int64] | None = None,
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
    times
        How often each row counts; once if left out.
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
        raise FitError(msg, code="no_column")
    walk = _Walk(patterns, counts, folds, sign, settings, times)
    return walk.run(progress)


@dataclass(kw_only=True, eq=False)
class _Looked:
    """What a pass over the rows tells at the current coefficients, a column a lane."""

    gradient: Floats
    slope: Floats
    loss: Floats
    held: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class _View:
    """Rows as some columns see them: levels that these cannot tell apart are one.

    ``meaning`` has shape ``(levels, columns of the view)``. A level that marks nothing is not
    listed at all, which leaves about half of the entries.
    """

    columns: NDArray[np.intp]
    starts: NDArray[np.int64]
    listed: NDArray[np.uint16]
    meaning: Floats
    y: Floats
    held_y: Floats


class _Walk:
    """State of one path: coefficients of every lane, lane 0 being the full fit."""

    def __init__(
        self,
        patterns: Patterns,
        counts: NDArray[np.int64],
        folds: NDArray[np.int64],
        sign: Literal[1, -1],
        settings: PathSettings,
        times: NDArray[np.int64] | None,
    ) -> None:
        self.settings, self.sign = settings, sign
        self.codes, self.fold, self.weight, y = collapse_rows(patterns.codes, counts, folds, times)
        self.levels = patterns.levels * sign
        self.p = self.levels.shape[1]
        self.lanes = int(folds.max()) + 1
        self._tally(y)
        mean = np.abs(self.levels.T) @ self.level_weight / self.total
        self.sd = np.sqrt(np.maximum(mean * (1 - mean), 0.0))
        self.usable = self.sd > 1e-12
        self.sd[~self.usable] = 1.0
        self.beta = np.zeros((self.p, self.lanes))
        self.intercept = np.log(self.y_total / self.total)
        self.whole = self._view(np.arange(self.p))
        self.near: _View | None = None
        self.hessian: Floats | None = None

    def _tally(self, y: Floats) -> None:
        """Add up rows and incidents by level, by fold and by lane: all that y is needed for."""
        n_levels, lanes = len(self.levels), self.lanes
        weight_of = np.zeros((n_levels, lanes))
        y_of = np.zeros((n_levels, lanes))
        for f in range(self.codes.shape[1]):
            key = self.codes[:, f].astype(np.int64) * lanes + self.fold
            shape = (n_levels, lanes)
            size = n_levels * lanes
            weight_of += np.bincount(key, self.weight, minlength=size).reshape(shape)
            y_of += np.bincount(key, self.weight * y, minlength=size).reshape(shape)
        fold_weight = _sums(self.fold, self.weight, lanes)
        fold_y = _sums(self.fold, self.weight * y, lanes)
        log_y = np.log(np.where(y > 0, y, 1.0))
        self.level_weight = _rest(weight_of)
        self.level_y, self.held_level_y = _rest(y_of), y_of
        self.total, self.held_weight = _rest(fold_weight), fold_weight[1:]
        self.y_total, self.held_y = _rest(fold_y), fold_y
        self.held_constant = np.bincount(self.fold, self.weight * (y * log_y - y), minlength=lanes)
        if (self.y_total == 0).any():
            msg = (
                "all incidents fall into one cross-validation fold; there are too few of them "
                "to choose factors (use more incidents, or fewer folds)"
            )
            raise FitError(msg, code="one_fold")

    def _view(self, columns: NDArray[np.intp]) -> _View:
        """See the rows through some columns only."""
        number = np.full(len(self.levels), -1, dtype=np.int64)
        meaning: list[Floats] = []
        offset = 0
        for low, high in zip(
            self.codes.min(axis=0).tolist(), self.codes.max(axis=0).tolist(), strict=True
        ):
            levels = self.levels[low : high + 1][:, columns]
            marks = np.flatnonzero(levels.any(axis=1))
            if len(marks) == 0:
                continue
            patterns, code = distinct_rows((levels[marks] != 0).astype(np.uint8))
            number[low + marks] = code + offset
            meaning.append(patterns.astype(float) * self.sign)
            offset += len(patterns)
        if offset > MOST_LEVELS:
            msg = (
                f"the factors' columns combine in {offset:,} ways, more than {MOST_LEVELS:,}; use "
                "fewer factors or fewer distances"
            )
            raise FitError(msg, code="too_many_combinations")
        starts, listed = list_levels(self.codes, number)
        kept = number >= 0
        y, held_y = np.zeros((offset, self.lanes)), np.zeros((offset, self.lanes))
        np.add.at(y, number[kept], self.level_y[kept])
        np.add.at(held_y, number[kept], self.held_level_y[kept])
        stacked = np.concatenate(meaning) if meaning else np.zeros((0, len(columns)))
        return _View(
            columns=columns, starts=starts, listed=listed, meaning=stacked, y=y, held_y=held_y
        )

    def look(self, view: _View, before: _Looked | None = None) -> _Looked:
        """Pass over the rows: gradients, loss and kept-out deviance of every lane.

        Gradients of columns that the view does not see stay as they were ``before``.
        """
        eta = view.meaning @ self.beta[view.columns]
        with np.errstate(over="ignore"):  # a step too far is halved by its caller
            factors, base = np.exp(eta), np.exp(self.intercept)
        by_level, total, kept = sum_over_pieces(
            len(self.weight),
            lambda start, stop: pass_over_rows(
                view.starts, view.listed, self.weight, self.fold, factors, base, start, stop
            ),
        )
        explained = (view.y * eta).sum(0) + self.y_total * self.intercept
        held_explained = (view.held_y * eta).sum(0) + self.held_y * self.intercept
        gradient = np.empty((self.p, self.lanes)) if before is None else before.gradient.copy()
        gradient[view.columns] = view.meaning.T @ (by_level - view.y) / self.total
        return _Looked(
            gradient=gradient,
            slope=(total - self.y_total) / self.total,
            loss=(total - explained) / self.total,
            held=2 * (kept - held_explained + self.held_constant),
        )

    def curvature(self, view: _View, lane: int = 0) -> Floats:
        """Hessian of one lane over the view's columns, with the intercept in front."""
        factors = np.exp(view.meaning @ self.beta[view.columns, lane])
        base = float(np.exp(self.intercept[lane]))
        weight = self.weight if lane == 0 else np.where(self.fold == lane, 0.0, self.weight)
        table, total = sum_over_pieces(
            len(self.weight),
            lambda start, stop: cross_tabulate(
                view.starts, view.listed, weight, factors, base, start, stop
            ),
        )
        table += np.triu(table, 1).T
        hessian = np.empty((len(view.columns) + 1, len(view.columns) + 1))
        hessian[1:, 1:] = view.meaning.T @ table @ view.meaning
        hessian[0, 1:] = hessian[1:, 0] = view.meaning.T @ np.diag(table)
        hessian[0, 0] = total[0]
        return hessian / self.total[lane]

    def settle(self, penalty: float, seen: _Looked) -> tuple[_Looked, bool]:
        """Bring every lane to its optimum at one penalty, from what the last pass reported.

        Steps look only at columns that are in or near the model; when these are settled, one pass
        over all columns confirms it.
        """
        a = self.settings.mixing
        l1, l2 = penalty * a * self.sd, penalty * (1 - a) * self.sd**2
        limit = self.settings.tolerance * penalty * a
        confirmed = True  # the last pass was over all columns
        for step in range(MAX_PASSES):
            excess = self._excess(seen, l1, l2) / limit
            wrong = excess > 1
            if not wrong.any():
                if confirmed:
                    return seen, True
                seen, confirmed = self.look(self.whole), True
                continue
            if step % REFRESH_AFTER == 0:
                self.hessian = None
            confirmed = float(excess.max()) < ONE_STEP_AWAY  # then this step will do
            seen = self._advance(
                np.flatnonzero(wrong), seen, (l1, l2), limit, whole=confirmed, own=step >= OWN_AFTER
            )
        return seen, False

    def _excess(self, seen: _Looked, l1: Floats, l2: Floats) -> Floats:
        """Return each lane's largest violation of its optimality conditions."""
        pull = seen.gradient + l2 * self.beta + l1
        violation = np.where(self.beta > 0, np.abs(pull), np.maximum(0.0, -pull)) / self.sd
        violation[~self.usable] = 0.0
        return np.maximum(violation.max(axis=0), np.abs(seen.slope))

    def _advance(
        self,
        lanes: NDArray[np.intp],
        seen: _Looked,
        penalties: tuple[Floats, Floats],
        limit: float,
        *,
        whole: bool,
        own: bool,
    ) -> _Looked:
        """Take one Newton step in some lanes, halved until none of them loses.

        ``own`` gives each lane the curvature at its own coefficients: dearer, and needed where a
        rare column lies elsewhere in a lane than in the full fit.
        """
        l1, l2 = penalties
        working = self.usable & ((self.beta > 0) | (seen.gradient + l1 < 0))
        view, hessian = self._curved_over(np.asarray(working[:, lanes].any(axis=1)), seen, l1)
        place = np.full(self.p, -1)
        place[view.columns] = np.arange(1, len(view.columns) + 1)
        before = self._objective(seen, l1, l2)
        last_beta, last_intercept = self.beta.copy(), self.intercept.copy()
        for lane in lanes.tolist():
            mine = np.flatnonzero(working[:, lane])
            index = np.concatenate([[0], place[mine]])
            bend = self.curvature(view, lane) if own else hessian
            moved = descend(
                bend[np.ix_(index, index)],
                np.concatenate([[seen.slope[lane]], seen.gradient[mine, lane]]),
                np.concatenate([[self.intercept[lane]], self.beta[mine, lane]]),
                np.concatenate([[0.0], l1[mine, lane]]),
                np.concatenate([[0.0], l2[mine, lane]]),
                EXACTLY * limit * np.concatenate([[1.0], self.sd[mine, lane]]),
            )
            self.intercept[lane] = moved[0]
            self.beta[mine, lane] = moved[1:]
        for _ in range(MAX_HALVINGS):
            seen = self.look(self.whole if whole else view, seen)
            after = self._objective(seen, l1, l2)
            worse = ~(after <= before + 1e-12 * (1 + np.abs(before)))
            if not worse.any():
                break
            self.beta[:, worse] = (self.beta[:, worse] + last_beta[:, worse]) / 2
            self.intercept[worse] = (self.intercept[worse] + last_intercept[worse]) / 2
        return seen

    def _objective(self, seen: _Looked, l1: Floats, l2: Floats) -> Floats:
        value = seen.loss + (l1 * self.beta).sum(0) + 0.5 * (l2 * self.beta**2).sum(0)
        return np.asarray(value, dtype=np.float64)

    def _curved_over(
        self, needed: NDArray[np.bool_], seen: _Looked, l1: Floats
    ) -> tuple[_View, Floats]:
        """Return a view and a curvature that cover the needed columns and all of the model."""
        inside = needed | (self.beta > 0).any(axis=1)
        if self.near is None or np.isin(np.flatnonzero(inside), self.near.columns).sum() < (
            inside.sum()
        ):
            close = (self.usable & (seen.gradient + NEARLY * l1 < 0)).any(axis=1)
            self.near = self._view(np.flatnonzero(inside | close))
            self.hessian = None
        if self.hessian is None:
            self.hessian = self.curvature(self.near)
        return self.near, self.hessian

    def run(self, progress: Callable[[str, int, int], None] | None) -> PenalisedFit:
        settings = self.settings
        seen = self.look(self.whole)
        top = float(np.max(np.abs(seen.gradient[:, 0]) / self.sd[:, 0] * self.usable[:, 0]))
        top /= settings.mixing
        steps = np.linspace(0, 1, settings.n_lambdas)
        lambdas = top * settings.smallest_ratio**steps
        means, errors, betas, intercepts = [], [], [], []
        converged = True
        if progress:
            progress("elastic net", 0, len(lambdas))
        for position, penalty in enumerate(lambdas):
            seen, met = self.settle(float(penalty), seen)
            converged &= met
            fold_mean = seen.held[1:] / self.held_weight
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


def _rest(by_fold: Floats) -> Floats:
    """Return what each lane is trained on: all but its own fold; lane 0 has no fold."""
    own = np.where(np.arange(by_fold.shape[-1]) == 0, 0.0, by_fold)
    return np.asarray(by_fold.sum(axis=-1, keepdims=True) - own, dtype=np.float64)


def _sums(place: NDArray[np.int64], values: Floats, size: int) -> Floats:
    return np.bincount(place, values, minlength=size).astype(np.float64)


def collapse_rows(
    codes: NDArray[np.int32],
    counts: NDArray[np.int64],
    folds: NDArray[np.int64],
    times: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.int64], Floats, Floats]:
    """Make rows with the same codes, count and fold one row with a weight: exact, and less work.

    Rows are told apart by a 64-bit mix of their parts; where two different rows would share one,
    nothing is collapsed.

    Returns
    -------
    Codes, folds, weights and counts.
    """
    weight: Floats = np.ones(len(codes)) if times is None else times.astype(np.float64)
    present = weight > 0
    if not present.all():
        codes, counts, folds = codes[present], counts[present], folds[present]
        weight = weight[present]
    key = np.column_stack([codes, counts, folds]).astype(np.uint64)
    mixed = np.zeros(len(key), dtype=np.uint64)
    draws = np.random.default_rng(0)
    for position in range(key.shape[1]):
        mixer = np.uint64(draws.integers(1, 2**63)) * np.uint64(2) + np.uint64(1)
        mixed += (key[:, position] + np.uint64(0x9E3779B97F4A7C15)) * mixer  # wraps round
        mixed ^= mixed >> np.uint64(29)
    _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
    if len(first) > WORTH_COLLAPSING * len(key) or (key[first][inverse] != key).any():
        return np.ascontiguousarray(codes), folds, weight, counts.astype(np.float64)
    return (
        np.ascontiguousarray(codes[first]),
        folds[first],
        _sums(inverse, weight, len(first)),
        counts[first].astype(np.float64),
    )
