"""Risk classes on their lattice, from the surface of a release: files only, no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rasterio.io import MemoryFile

from geodata.publishing.surroundings import RiskClasses

if TYPE_CHECKING:
    from geodata.publishing.folder import ReleaseFolder

SURFACE = "data/surface.tif"


def released_classes(release: ReleaseFolder) -> RiskClasses | None:
    """Read the risk surface of a release; nothing where it has none.

    Raises
    ------
    ReleaseError
        If the file is not what was approved.
    """
    if SURFACE not in release.files:
        return None
    with MemoryFile(release.read(SURFACE)) as memory, memory.open() as opened:
        place = opened.transform
        return RiskClasses(
            levels=opened.read(1).astype(np.uint8),
            west=float(place.c),
            north=float(place.f),
            cell_units=float(place.a),
        )
