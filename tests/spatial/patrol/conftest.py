import numpy as np
import pytest


@pytest.fixture
def town():
    """Zones at random places of a square; ways along its sides at 533 m a minute."""

    def make(zones, side_m=6000.0, seed=0):
        rng = np.random.default_rng(seed)
        xy = rng.uniform(0, side_m, (zones, 2))
        travel = np.ceil(np.abs(xy[:, None] - xy[None]).sum(axis=2) / 533).astype(np.int64)
        travel[~np.eye(zones, dtype=bool)] = np.maximum(travel[~np.eye(zones, dtype=bool)], 1)
        return rng.gamma(1, 1, zones), travel

    return make
