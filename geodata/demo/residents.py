"""Addresses of the demonstration city: houses beside its streets, for masking.

People of the demonstration city in blocks, as a census would count them; all invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.demo.city_files import to_degrees, write_layer

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


BLOCK_M = 400.0
LEAST_M2 = 400.0
PER_HOME = 2.3
GROUPS = {  # column and name of a group, its mean share, and how closely places keep to it
    "hisp": ("Hispanic or Latino", 0.21, 9.0),
    "under18": ("Children under 18", 0.22, 40.0),
    "over65": ("Aged 65 or older", 0.15, 30.0),
}
ABOUT = "Invented for the demonstration: no census counted these people"


def write_residents(folder: Path, land: Land, homes: NDArray[np.float64], rng: Generator) -> None:
    """Write blocks with the people of their homes.

    A group's share differs from one part of town to the next by chance alone: it has nothing to do
    with what incidents are drawn from.

    Parameters
    ----------
    folder
        Where to.
    land
        Of the city.
    homes
        Shape ``(homes, 2)``, metres around the city hall.
    rng
        A stream of its own.
    """
    parts = np.array([part.shape for part in land.neighbourhoods], dtype=object)
    shares = {
        column: rng.beta(mean * close, (1 - mean) * close, len(parts))
        for column, (_, mean, close) in GROUPS.items()
    }
    blocks, owner = _blocks(parts)
    tree = shapely.STRtree(blocks)
    block_of_home = tree.query(shapely.points(homes), predicate="intersects")
    number = np.bincount(block_of_home[1], minlength=len(blocks))
    people = rng.poisson(PER_HOME * number)
    counts = {
        column: rng.binomial(people, share[owner]).tolist() for column, share in shares.items()
    }
    names = [f"{1000 + i}" for i in range(len(blocks))]
    write_layer(
        folder / "residents.geojson",
        list(blocks),
        {"block": names, "people": people.tolist(), **counts},
    )


def section() -> str:
    """Return the section of the city file."""
    groups = ", ".join(f'"{name}" = "{column}"' for column, (name, *_) in GROUPS.items())
    return (
        f'\n[residents]\nsource = "residents.geojson"\ntotal = "people"\n'
        f'groups = {{ {groups} }}\nabout = "{ABOUT}"\n'
    )


def _blocks(
    parts: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Cut every part of town into squares; give the pieces and whose they are."""
    found, owner = [], []
    for position, part in enumerate(parts):
        west, south, east, north = part.bounds
        for x in np.arange(np.floor(west / BLOCK_M), np.ceil(east / BLOCK_M)) * BLOCK_M:
            for y in np.arange(np.floor(south / BLOCK_M), np.ceil(north / BLOCK_M)) * BLOCK_M:
                piece = part.intersection(shapely.box(x, y, x + BLOCK_M, y + BLOCK_M))
                pieces = [p for p in shapely.get_parts(piece) if p.area >= LEAST_M2]
                found += pieces
                owner += [position] * len(pieces)
    return np.array(found, dtype=object), np.array(owner)
