"""How long it takes from zone to zone: along the streets where they are known, else as a detour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from spatial.errors import DosageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spatial.streets import StreetNetwork

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

KMH_M_PER_MIN = 1000 / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelSpec:
    """How units travel: mean speed, and how much longer than a straight line a way is.

    Both are assumptions: a quiet 32 km/h (20 mph) with its stops, and 1.3 for ways that are not
    known.
    """

    speed_kmh: float = 32.0
    detour: float = 1.3

    def __post_init__(self) -> None:
        if not 1 <= self.speed_kmh <= 130:
            msg = f"a mean speed lies between 1 and 130 km/h, not at {self.speed_kmh}"
            raise DosageError(msg, code="speed_range")
        if not 1 <= self.detour <= 5:
            msg = f"the factor on straight lines lies between 1 and 5, not at {self.detour}"
            raise DosageError(msg, code="detour_range")


def travel_units(places: Floats, network: StreetNetwork | None, detour: float) -> Floats:
    """Measure the way from place to place.

    A way runs straight to the nearest node of the network, times ``detour``, along the shortest
    streets, and straight again. Without a network, or where no street joins two places, it is the
    straight line times ``detour``.

    Parameters
    ----------
    places
        Coordinates, shape ``(n, 2)``.
    network
        Of the streets, if there are any; every street can be travelled both ways.
    detour
        Factor on straight lines.

    Returns
    -------
    Lengths in units of the coordinates, shape ``(n, n)``, symmetric, 0 from a place to itself.
    """
    straight = cdist(places, places) * detour
    if network is None or len(network.first) == 0:
        return straight
    access, node = cKDTree(network.places).query(places)
    wanted, position = np.unique(node, return_inverse=True)
    ways = dijkstra(_graph(network), directed=False, indices=wanted)[:, wanted]
    along = ways[np.ix_(position, position)] + (access[:, None] + access[None]) * detour
    found = np.where(np.isfinite(along), along, straight)
    np.fill_diagonal(found, 0.0)
    return np.asarray((found + found.T) / 2, dtype=np.float64)


def travel_minutes(length_units: Floats, metres: float, spec: TravelSpec) -> Ints:
    """Turn lengths into whole minutes, rounded up; at least one between two places.

    Parameters
    ----------
    length_units
        Of :func:`travel_units`.
    metres
        Length of a unit in metres.
    spec
        Speed.
    """
    minutes = length_units * metres / (spec.speed_kmh * KMH_M_PER_MIN)
    whole = np.ceil(np.round(minutes, 6)).astype(np.int64)
    apart = ~np.eye(len(whole), dtype=bool)
    whole[apart] = np.maximum(whole[apart], 1)
    return whole


def _graph(network: StreetNetwork) -> csr_matrix:
    """Return the network as a matrix of lengths, of parallel pieces the shortest."""
    a = np.minimum(network.first, network.last)
    b = np.maximum(network.first, network.last)
    order = np.lexsort((network.length_units, b, a))
    a, b, length = a[order], b[order], network.length_units[order]
    once = np.ones(len(a), dtype=bool)
    once[1:] = (np.diff(a) != 0) | (np.diff(b) != 0)
    once &= a != b
    n = len(network.places)
    return csr_matrix((length[once], (a[once], b[once])), shape=(n, n))
