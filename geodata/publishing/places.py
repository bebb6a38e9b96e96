"""The public places of a city, and rows moved to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.store.addresses import address_points
from geodata.store.layers import base_shapes
from spatial.masking.places import coarsen_time, is_old_enough, make_public_places, snap
from spatial.spec import MaskingSpec

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session

    from geodata.store.cities import CityRecord
    from spatial.masking.places import PublicPlaces


def public_places(session: Session, city: CityRecord) -> PublicPlaces:
    """Choose a city's public places from its streets and addresses.

    Where the city has no list of addresses, k counts nothing and only squares are used.
    """
    base = base_shapes(session, city.id)
    streets = base.geometry[base["kind"] == "street"].to_numpy()
    unit_m = float(city.districts.crs.axis_info[0].unit_conversion_factor)
    return make_public_places(
        streets,
        dict(zip(city.districts["code"], city.districts.geometry, strict=True)),
        address_points(session, city.id),
        MaskingSpec.for_unit(unit_m),
    )


def mask_rows(rows: pd.DataFrame, places: PublicPlaces, today: dt.date) -> pd.DataFrame:
    """Give rows as the public may see them.

    Parameters
    ----------
    rows
        ``x``, ``y``, ``district`` (a code, or missing), ``local`` (date and time by the city's
        clock) and whatever else is to be kept.
    places
        Of the city.
    today
        Rows younger than the delay are left out.

    Returns
    -------
    Without the exact columns; with ``day``, ``band`` (of four hours, -1 unknown), ``site``
    (position in ``places.sites``) and ``district``. Rows outside of every district are left out.
    """
    time = coarsen_time(rows["local"].to_numpy())
    found = snap(places, rows["x"], rows["y"], rows["district"].to_numpy(dtype=object))
    masked = rows.drop(columns=["x", "y", "local"]).assign(
        day=pd.to_datetime(time.day), band=time.band, site=found.site
    )
    keep = is_old_enough(time.day, today) & (found.district >= 0)
    return masked[np.asarray(keep)].reset_index(drop=True)
