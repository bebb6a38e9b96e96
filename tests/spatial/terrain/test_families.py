import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import nbinom, poisson

from spatial.errors import FitError
from spatial.terrain.families import CountFit, fit_counts, tabulate


def full_loglik(family, columns, counts, beta, dispersion):
    """The likelihood written out row by row with scipy, no collapsing."""
    mu = np.exp(beta[0] + columns @ beta[1:])
    if family == "poisson":
        return poisson.logpmf(counts, mu).sum()
    size = mu / dispersion if family == "nb1" else np.full(len(mu), dispersion)
    return nbinom.logpmf(counts, size, size / (size + mu)).sum()


def overdispersed(family, n=4000, seed=3):
    rng = np.random.default_rng(seed)
    columns = (rng.random((n, 3)) < [0.3, 0.1, 0.5]).astype(np.uint8)
    mu = np.exp(-1.5 + columns @ [0.8, 0.4, -0.3])
    size = mu / 0.7 if family == "nb1" else 0.6
    gamma = 1 if family == "poisson" else rng.gamma(size, 1, n) / size
    return columns, rng.poisson(mu * gamma)


@pytest.mark.parametrize("family", ["poisson", "nb1", "nb2"])
def test_the_collapsed_likelihood_is_the_full_one(family):
    columns, counts = overdispersed(family)
    fit = fit_counts(tabulate(columns, counts), family)
    assert fit.converged
    assert fit.loglik == pytest.approx(
        full_loglik(family, columns, counts, fit.beta, fit.dispersion), abs=1e-7
    )
    assert fit.n_cells == len(counts)


@pytest.mark.parametrize(("family", "p"), [("nb1", 1), ("nb2", 2)])
def test_agrees_with_statsmodels(family, p):
    columns, counts = overdispersed(family)
    ours = fit_counts(tabulate(columns, counts), family)
    design = sm.add_constant(columns.astype(float))
    theirs = sm.NegativeBinomialP(counts, design, p=p).fit(
        disp=0, maxiter=500, gtol=1e-8, method="bfgs"
    )
    np.testing.assert_allclose(ours.beta, theirs.params[:-1], rtol=2e-4)
    alpha = theirs.params[-1]
    assert ours.dispersion == pytest.approx(alpha if family == "nb1" else 1 / alpha, rel=2e-3)
    if family == "nb1":  # both from the observed information
        np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse[:-1], rtol=5e-3)


def test_poisson_agrees_with_statsmodels():
    columns, counts = overdispersed("poisson")
    ours = fit_counts(tabulate(columns, counts), "poisson")
    theirs = sm.GLM(counts, sm.add_constant(columns.astype(float)), sm.families.Poisson()).fit()
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=1e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs.bse, rtol=1e-5)
    assert ours.loglik == pytest.approx(theirs.llf, abs=1e-6)


@pytest.mark.parametrize("family", ["poisson", "nb1", "nb2"])
def test_no_step_from_the_maximum_gains(family):
    columns, counts = overdispersed(family)
    fit = fit_counts(tabulate(columns, counts), family)
    for j in range(4):
        for move in (-1e-3, 1e-3):
            beta = fit.beta.copy()
            beta[j] += move
            assert full_loglik(family, columns, counts, beta, fit.dispersion) < fit.loglik
    if fit.dispersion is not None:
        for ratio in (0.99, 1.01):
            moved = fit.dispersion * ratio
            assert full_loglik(family, columns, counts, fit.beta, moved) < fit.loglik


def test_bic_as_the_published_report_counts_it():
    # S1: 18288.17 + 4 ln 9199 = 18324.68; two factors, an intercept and a dispersion.
    fit = CountFit(
        family="nb1",
        beta=np.array([-4.0, 3.0617, 2.1578]),
        covariance=np.eye(3),
        dispersion=1.0,
        loglik=-18288.17 / 2,
        n_cells=9199,
        converged=True,
    )
    assert fit.bic == pytest.approx(18324.68, abs=0.005)
    assert np.exp(fit.beta[1:]) == pytest.approx([21.3638, 8.6521], abs=5e-4)
    assert np.exp(fit.beta[1:].sum()) == pytest.approx(184.8, abs=0.05)


def test_equal_dispersion_does_not_break_the_negative_binomials():
    rng = np.random.default_rng(1)
    columns = (rng.random((3000, 1)) < 0.4).astype(np.uint8)
    counts = rng.binomial(2, 0.1 + 0.2 * columns[:, 0])  # less spread than a Poisson
    plain = fit_counts(tabulate(columns, counts), "poisson")
    for family in ("nb1", "nb2"):
        fit = fit_counts(tabulate(columns, counts), family)
        assert fit.bic > plain.bic
        assert fit.loglik == pytest.approx(plain.loglik, abs=0.05)


def test_a_column_without_incidents_does_not_break_a_fit():
    columns = np.zeros((500, 1), dtype=np.uint8)
    columns[:50] = 1
    counts = np.zeros(500, dtype=np.int64)
    counts[100:160] = 1
    fit = fit_counts(tabulate(columns, counts), "nb2")
    assert np.isfinite(fit.loglik)
    assert fit.beta[1] < -5


def test_no_incident_is_told():
    with pytest.raises(FitError, match="no incident"):
        fit_counts(tabulate(np.zeros((10, 1), dtype=np.uint8), np.zeros(10, dtype=int)), "nb2")
