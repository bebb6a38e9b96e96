"""Read alerts and complaints by week from the tables of a release: files only, no database."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd
from pyproj import CRS, Transformer

from geodata.publishing.activity import LAYERS, count_activity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geodata.publishing.activity import Activity
    from geodata.publishing.folder import ReleaseFolder

TEXTS = {"day": str, "site": str, "rule": str, "district": str, "class": str}


def released_activity(
    release: ReleaseFolder, crs: str, districts: Sequence[str]
) -> Activity | None:
    """Count the alerts and complaints of a release; nothing where it has neither.

    Parameters
    ----------
    release
        With ``data/alerts.csv``, ``data/complaints.csv``, both or none.
    crs
        Reference system of the city, in which places are given.
    districts
        Codes of the city, in its order.

    Raises
    ------
    ReleaseError
        If a file is not what was approved.
    """
    there = [name for name in LAYERS if f"data/{name}.csv" in release.files]
    tables = {name: _rows(release.read(f"data/{name}.csv"), crs) for name in there}
    return count_activity(tables, districts)


def _rows(content: bytes, crs: str) -> pd.DataFrame:
    table = pd.read_csv(io.BytesIO(content), dtype=TEXTS, keep_default_na=False)
    unit_m = float(CRS.from_user_input(crs).axis_info[0].unit_conversion_factor)
    into = Transformer.from_crs(4326, crs, always_xy=True)
    x, y = into.transform(table["longitude"].to_numpy(), table["latitude"].to_numpy())
    return pd.DataFrame(
        {
            "day": pd.to_datetime(table["day"]),
            "class": table.get("class", ""),
            "number": table.get("number", 1),
            "name": table["site"],
            "x": x,
            "y": y,
            "radius_units": table["radius_m"] / unit_m,
            "rule": table["rule"],
            "district": table["district"],
        }
    )
