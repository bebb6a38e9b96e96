"""Alerts and complaints by week from the rows themselves: what a release drafted now would tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geodata.releases.activity import count_activity
from geodata.releases.inputs import mask_rows, public_places
from geodata.releases.points import exact_alerts, exact_complaints

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.measures.ledger import Ledger
    from geodata.releases.activity import Activity
    from spatial.disclosure.places import PublicPlaces


def public_activity(session: Session, ledger: Ledger) -> Activity | None:
    """Mask and count the alerts and complaints of a city; nothing where it has neither.

    Parameters
    ----------
    session
        Open.
    ledger
        Rows of the city; its today decides what is old enough.
    """
    exact = {}
    if ledger.has("alerts"):
        exact["alerts"] = exact_alerts(session, ledger)
    if ledger.has("occurrences"):
        complaints = exact_complaints(ledger)
        if len(complaints):
            exact["complaints"] = complaints
    if not exact:
        return None
    places = public_places(session, ledger.city)
    tables = {
        name: _placed(mask_rows(rows, places, ledger.today), places) for name, rows in exact.items()
    }
    return count_activity(tables, [str(code) for code in ledger.city.districts["code"]])


def _placed(masked: pd.DataFrame, places: PublicPlaces) -> pd.DataFrame:
    sites, site = places.sites, masked["site"].to_numpy()
    codes = np.array([*places.district_ids, ""], dtype=object)
    return pd.DataFrame(
        {
            "day": masked["day"],
            "class": masked["class"].fillna("") if "class" in masked else "",
            "number": masked.get("value", 1),
            "name": sites.name[site],
            "x": sites.x[site],
            "y": sites.y[site],
            "radius_units": sites.radius_units[site],
            "rule": sites.rule[site],
            "district": codes[sites.district[site]],
        }
    )
