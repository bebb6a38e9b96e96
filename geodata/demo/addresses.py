"""Addresses of the demonstration city: houses beside its streets, for masking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.demo.writing import to_degrees

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from geodata.demo.geography import Land
    from geodata.demo.streets import Network

FRONT_M = {1: 70.0, 2: 36.0, 3: 24.0}  # of a lot, by rank of its street
SETBACK_M = 13.0
EMPTY_SHARE = 0.18


def place_addresses(land: Land, network: Network, rng: Generator) -> NDArray[np.float64]:
    """Place houses on both sides of every street, shape ``(addresses, 2)``, in metres."""
    found = []
    for street in network.streets:
        lots = max(1, int(street.line.length / FRONT_M[street.rank]))
        along = (np.arange(lots) + 0.5) * street.line.length / lots
        for side in (SETBACK_M, -SETBACK_M):
            beside = street.line.parallel_offset(abs(side), "left" if side > 0 else "right")
            if beside.is_empty:
                continue
            lived = along[rng.random(lots) > EMPTY_SHARE] / street.line.length
            spots = shapely.line_interpolate_point(beside, lived, normalized=True)
            found.append(shapely.get_coordinates(spots))
    xy = np.concatenate(found)
    wet = shapely.contains_xy(land.water, xy)
    green = shapely.contains_xy(shapely.union_all([shape for _, shape in land.parks]), xy)
    return xy[shapely.contains_xy(land.limit, xy) & ~wet & ~green]


def write_addresses(folder: Path, xy: NDArray[np.float64]) -> None:
    """Write the addresses as bare places: no number, no name."""
    degrees = shapely.get_coordinates(to_degrees(shapely.points(xy)))
    frame = pd.DataFrame(degrees, columns=["longitude", "latitude"]).map("{:.6f}".format)
    frame.to_csv(folder / "addresses.csv", index=False, lineterminator="\n")
