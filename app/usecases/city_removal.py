"""An archived city is removed: its rows, and the folders that the instance keeps for it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from geodata.repositories import removal

if TYPE_CHECKING:
    from app.config import Settings
    from geodata.db.engine import Database


def remove_city(database: Database, settings: Settings, slug: str, who: str) -> dict[str, int]:
    """Remove an archived city; return how many rows went, by table.

    The city file and sources that lie outside of the instance are not touched.

    Raises
    ------
    NotStoredError
        If there is no such city.
    DataError
        If it is not archived, or something stands on it.
    """
    with database.session(write=True) as session:
        gone = removal.remove_city(session, slug, who)
    for folder in (settings.cities / slug, settings.previews / slug):
        shutil.rmtree(folder, ignore_errors=True)
    return gone
