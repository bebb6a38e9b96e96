"""Addresses of a city: a snapshot of bare coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import delete, insert, select

from geodata.store.records import read_frame
from geodata.tables.core import Address, Base

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from geodata.store.changes import ChangeLog

CHUNK = 50_000


def replace_addresses(
    session: Session, city_id: int, rows: pd.DataFrame | None, log: ChangeLog | None = None
) -> bool:
    """Make a city's addresses exactly these, ``x`` and ``y`` sorted; tell whether any changed."""
    there = address_points(session, city_id)
    wanted = np.empty((0, 2)) if rows is None else rows[["x", "y"]].to_numpy(dtype=float)
    before = np.empty((0, 2)) if there is None else there
    if np.array_equal(before, wanted):
        return False
    if log is not None:
        log.remove("address", ({"x": x, "y": y} for x, y in before.tolist()))
        log.add("address", ({"x": x, "y": y} for x, y in wanted.tolist()))
    session.execute(delete(Address).where(Address.city_id == city_id))
    for start in range(0, len(wanted), CHUNK):
        session.execute(
            insert(Address),
            [
                {"city_id": city_id, "x": x, "y": y}
                for x, y in wanted[start : start + CHUNK].tolist()
            ],
        )
    return True


def address_points(session: Session, city_id: int) -> NDArray[np.float64] | None:
    """Give the coordinates of a city's addresses, shape ``(addresses, 2)``; none: nothing."""
    table = Base.metadata.tables["address"]
    statement = select(table.c.x, table.c.y).where(table.c.city_id == city_id).order_by(table.c.id)
    found = read_frame(session, statement).to_numpy(dtype=float)
    return found if len(found) else None
