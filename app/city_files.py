"""City files of the workbench: what is asked becomes the city's when its import has succeeded."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from geodata.cityfile.folder import CityFolder
from geodata.errors import NotStoredError
from geodata.quarantine import handed_in
from geodata.quarantine.uploads import receive
from geodata.sources.fetching import fetch, shown_address
from geodata.store import audit
from geodata.store.imports import city_file_of

if TYPE_CHECKING:
    from app.config import Settings
    from geodata.database import Database
    from geodata.sources import Fetching


def follow(database: Database, settings: Settings, slug: str) -> None:
    """Write the city file of a city as its newest import that stands has it.

    A city whose newest import came from elsewhere has none here: its city file lies there.
    """
    folder = CityFolder(settings.cities, slug)
    with database.session() as session:
        try:
            described = city_file_of(session, slug)
        except NotStoredError:
            return
    if Path(described.root) == folder.root:
        folder.keep(described.content)
    else:
        folder.path.unlink(missing_ok=True)


def settle(database: Database, settings: Settings, slug: str, path: Path) -> None:
    """After an import: what was asked is no more asked for, and the city file follows."""
    folder = CityFolder(settings.cities, slug)
    if path.parent == folder.asked:
        path.unlink(missing_ok=True)
        follow(database, settings, slug)


def fetch_to_look(
    database: Database, settings: Settings, fetching: Fetching, *, city: str, url: str, who: str
) -> str:
    """Fetch an address and put what it answers among the files to be looked at; give its number.

    Raises
    ------
    DataError
        If it may not be asked, cannot be reached, or does not answer with data.
    """
    found = fetch(url, city, fetching)
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2] or "address"
    with found.path.open("rb") as stream:
        most = fetching.web.limits.most_bytes
        upload = receive(stream, name, settings.uploads, most_bytes=most)
    handed = handed_in.HandedIn(
        upload=upload,
        city=city,
        who=who,
        when=dt.datetime.now(dt.UTC).replace(tzinfo=None),
        address=url,
    )
    handed_in.keep(handed)
    told = {"address": shown_address(url), "bytes": upload.size, "sha256": upload.sha256}
    with database.session(write=True) as session:
        audit.record(session, who, "source.fetch", city, told)
    return upload.id
