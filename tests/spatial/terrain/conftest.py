import os
import shutil
import subprocess

import numpy as np
import pytest

from spatial.terrain.candidates import Design
from spatial.terrain.factors import Candidate


@pytest.fixture
def make_design():
    """Nested columns of several factors over random cells, and counts drawn from two of them."""

    def make(n=3000, factors=4, bands=3, seed=0, base=-2.5, effects=(0.9, 0.6)):
        rng = np.random.default_rng(seed)
        columns, names = [], []
        for f in range(factors):
            far = rng.exponential(1.0, n)
            for band in range(1, bands + 1):
                columns.append((far <= 0.15 * band).astype(np.uint8))
                names.append(Candidate(f"factor{f}", "proximity", 100.0 * band))
        design = Design(candidates=tuple(names), columns=np.column_stack(columns), dropped=())
        eta = base + sum(b * columns[i * bands] for i, b in enumerate(effects))
        mu = np.exp(eta) * rng.gamma(2.0, 0.5, n)
        return design, rng.poisson(mu)

    return make


@pytest.fixture(scope="session")
def r_with_glmnet():
    """Path of Rscript; without it the reference cannot be run, which is a failure in CI."""
    rscript = shutil.which("Rscript")
    ready = rscript and (
        subprocess.run([rscript, "-e", "library(glmnet)"], capture_output=True).returncode == 0
    )
    if not ready:
        reason = "R with glmnet is not installed (Debian: r-cran-glmnet)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return rscript
