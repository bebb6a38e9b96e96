import subprocess

import numpy as np
import pytest

from spatial.errors import FitError
from spatial.terrain.candidates import Design, encode
from spatial.terrain.penalised import PathSettings, draw_folds, fit_path

FULL = PathSettings(n_lambdas=40, smallest_ratio=1e-3, full_path=True)


def objective(design, counts, beta, intercept, penalty, mixing=0.5, rows=slice(None)):
    """The penalised objective written out, row by row."""
    columns, counts = design.columns[rows].astype(float), counts[rows]
    eta = intercept + columns @ beta
    sd = columns.std(axis=0)
    loss = np.mean(np.exp(eta) - counts * eta)
    ridge = (1 - mixing) / 2 * (sd**2 * beta**2).sum()
    return loss + penalty * (mixing * (sd * np.abs(beta)).sum() + ridge)


def test_the_path_starts_empty_and_ends_full(make_design):
    design, counts = make_design()
    fit = fit_path(encode(design), counts, draw_folds(len(counts), 5, 1), settings=FULL)
    assert fit.converged
    assert np.count_nonzero(fit.coefficients[0]) == 0
    assert np.count_nonzero(fit.coefficients[-1]) >= 4
    assert (fit.coefficients >= 0).all()
    assert np.exp(fit.intercepts[0]) == pytest.approx(counts.mean())


def test_no_move_lowers_the_objective(make_design):
    design, counts = make_design()
    fit = fit_path(encode(design), counts, draw_folds(len(counts), 5, 1), settings=FULL)
    rng = np.random.default_rng(0)
    for k in (5, 20, 39):
        beta, intercept, penalty = fit.coefficients[k], fit.intercepts[k], fit.lambdas[k]
        best = objective(design, counts, beta, intercept, penalty)
        for _ in range(200):
            moved = np.maximum(0, beta + rng.normal(0, 0.02, len(beta)))
            shifted = intercept + rng.normal(0, 0.02)
            assert objective(design, counts, moved, shifted, penalty) >= best - 1e-9


def test_a_fold_is_judged_by_a_fit_that_never_saw_it(make_design):
    design, counts = make_design(n=1200)
    folds = draw_folds(len(counts), 4, 1)
    fit = fit_path(encode(design), counts, folds, settings=FULL)
    k, total = 20, 0.0
    for fold in range(1, 5):
        train = folds != fold
        alone = Design(candidates=design.candidates, columns=design.columns[train], dropped=())
        other = (
            np.arange(train.sum()) % 3 + 1
        )  # folds of the lone fit: its own validation is not looked at
        first = fit_path(encode(alone), counts[train], other, settings=PathSettings(n_lambdas=2))
        ratio = fit.lambdas[k] / first.lambdas[0]  # walk from its largest penalty to the same one
        settings = PathSettings(n_lambdas=30, smallest_ratio=ratio, full_path=True)
        refit = fit_path(encode(alone), counts[train], other, settings=settings)
        assert refit.lambdas[-1] == pytest.approx(fit.lambdas[k])
        eta = refit.intercepts[-1] + design.columns[~train] @ refit.coefficients[-1]
        y = counts[~train]
        total += 2 * np.sum(
            np.exp(eta) - y + np.where(y > 0, y * (np.log(np.maximum(y, 1)) - eta), 0)
        )
    assert fit.cv_mean[k] == pytest.approx(total / len(counts), rel=2e-3)


def test_stopping_early_chooses_the_same_penalty(make_design):
    design, counts = make_design()
    folds = draw_folds(len(counts), 10, 3)
    whole = fit_path(encode(design), counts, folds, settings=PathSettings(full_path=True))
    short = fit_path(encode(design), counts, folds)
    assert len(short.lambdas) < len(whole.lambdas)
    assert short.chosen == whole.chosen
    np.testing.assert_array_equal(short.kept, whole.kept)


def test_the_one_standard_error_rule_keeps_no_more(make_design):
    design, counts = make_design()
    folds = draw_folds(len(counts), 10, 3)
    lowest = fit_path(encode(design), counts, folds)
    sparse = fit_path(encode(design), counts, folds, settings=PathSettings(rule="1se"))
    assert sparse.chosen <= lowest.chosen
    assert len(sparse.kept) <= len(lowest.kept)


def test_protective_is_the_mirror(make_design):
    design, counts = make_design(effects=(-1.2, 0.8), base=-1.0)
    fit = fit_path(encode(design), counts, draw_folds(len(counts), 10, 1), sign=-1)
    assert (fit.coefficients <= 0).all()
    assert {design.candidates[i].factor for i in fit.kept} >= {"factor0"}


def test_folds_are_even_seeded_and_numbered_from_one():
    folds = draw_folds(103, 10, 7)
    assert sorted(np.bincount(folds)[1:]) == [10] * 7 + [11] * 3
    np.testing.assert_array_equal(folds, draw_folds(103, 10, 7))
    assert (folds != draw_folds(103, 10, 8)).any()


def test_no_column_and_no_spread_of_incidents_are_told(make_design):
    design, counts = make_design(n=200)
    nothing = design.keep(np.array([], dtype=int))
    with pytest.raises(FitError, match="no candidate column"):
        fit_path(encode(nothing), counts, draw_folds(200, 5, 1))
    lonely = np.zeros(200, dtype=np.int64)
    lonely[0] = 3
    with pytest.raises(FitError, match="one cross-validation fold"):
        fit_path(encode(design), lonely, draw_folds(200, 5, 1))


def test_agrees_with_glmnet(make_design, tmp_path, r_with_glmnet):
    design, counts = make_design(n=4000, factors=6, bands=4)
    folds = draw_folds(len(counts), 10, 1)
    settings = PathSettings(tolerance=1e-4, full_path=True)
    fit = fit_path(encode(design), counts, folds, settings=settings)
    np.savetxt(tmp_path / "x.csv", design.columns, fmt="%d", delimiter=",")
    np.savetxt(tmp_path / "y.csv", np.column_stack([counts, folds]), fmt="%d", delimiter=",")
    script = """
    suppressMessages(library(glmnet))
    x <- as.matrix(read.csv("x.csv", header = FALSE)); d <- read.csv("y.csv", header = FALSE)
    glmnet.control(fdev = 0, devmax = 1)
    cv <- cv.glmnet(x, d[, 1], family = "poisson", alpha = 0.5, foldid = d[, 2],
                    lower.limits = 0, thresh = 1e-13, maxit = 1e7)
    o <- cbind(cv$lambda, cv$cvm, cv$cvsd, as.matrix(t(coef(cv$glmnet.fit))))
    write.table(o, "out.csv", sep = ",", row.names = FALSE, col.names = FALSE)
    """
    subprocess.run([r_with_glmnet, "-e", script], cwd=tmp_path, check=True, capture_output=True)
    theirs = np.loadtxt(tmp_path / "out.csv", delimiter=",")
    np.testing.assert_allclose(fit.lambdas, theirs[:, 0], rtol=1e-6)
    np.testing.assert_allclose(fit.cv_mean, theirs[:, 1], rtol=1e-4)
    np.testing.assert_allclose(fit.cv_se, theirs[:, 2], rtol=2e-3)
    np.testing.assert_allclose(fit.coefficients, theirs[:, 4:], atol=1e-3)
    assert fit.chosen == int(np.argmin(theirs[:, 1]))
