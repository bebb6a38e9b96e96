"""City files of the workbench: what is requested becomes the city's when its import has succeeded.

How sources by address are fetched by this installation.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from geodata.clock import utc_now
from geodata.errors import NotStoredError
from geodata.ingest.city_folder import CityFolder
from geodata.remote import Fetching
from geodata.remote.fetch import fetch, shown_address
from geodata.remote.http import Web
from geodata.repositories import audit
from geodata.repositories.import_log import city_file_of
from geodata.uploads import intake
from geodata.uploads.intake import receive

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.config import Settings
    from geodata.db.engine import Database


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
    """After an import: what was requested is no more requested, and the city file follows."""
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
    handed = intake.HandedIn(
        upload=upload,
        city=city,
        who=who,
        when=utc_now(),
        address=url,
    )
    intake.keep(handed)
    document = {"address": shown_address(url), "bytes": upload.size, "sha256": upload.sha256}
    with database.session(write=True) as session:
        audit.record(session, who, "source.fetch", city, document)
    return upload.id


if TYPE_CHECKING:
    Progress = Callable[[str, int, int], None]


def fetching_for(settings: Settings, progress: Progress | None = None) -> Fetching:
    """Give what fetching needs; progress hears megabytes, so that long answers can be cancelled."""

    def told(size: int) -> None:
        if progress:
            progress("downloading", size // 1_000_000, 0)

    return Fetching(
        folder=settings.sources,
        web=Web(allow_private=settings.allow_private_sources, told=told),
        socrata_token=settings.socrata_token,
    )
