"""A city file's addresses -> files of the instance folder, each with its digest and its day.

Everything is fetched before anything is read. What was fetched is kept under its digest, so that
an import can be looked into later, whatever has become of the address.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from geodata.errors import DataError
from geodata.formats import FORMATS, refusal, sniff
from geodata.readers.sandbox import read_apart
from geodata.remote.arcgis import FeatureFile, is_arcgis, save_arcgis
from geodata.remote.http import Web
from geodata.remote.socrata import SocrataSet, is_socrata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geodata.cityfile.description import CityFile
    from geodata.cityfile.schema import SourcePlace

    Progress = Callable[[str, int, int], None]

SECRET = re.compile(r"token|key|secret|password|signature|sig", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Fetching:
    """What sources by address need.

    ``folder`` keeps what was fetched; ``socrata_token`` is sent to Socrata portals as the
    application's token.
    """

    folder: Path
    web: Web = dataclasses.field(default_factory=Web)
    socrata_token: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One address as it answered."""

    path: Path
    notes: tuple[str, ...]


def fetch_city(
    described: CityFile,
    fetching: Fetching,
    *,
    progress: Progress | None = None,
    faults: dict[str, str] | None = None,
) -> CityFile:
    """Fetch every address that a city file names; give the file with paths in their place.

    An address that several sources name is fetched once. Where ``faults`` is a table, an address
    that cannot be fetched is written into it and stays in the city file.

    Raises
    ------
    DataError
        If an address may not be asked, cannot be reached, or does not answer with data.
    """
    urls = dict.fromkeys(place.path for place in _places(described) if is_address(place.path))
    kept: dict[str, Snapshot] = {}
    for done, url in enumerate(urls, start=1):
        try:
            kept[url] = fetch(url, described.slug, fetching)
        except DataError as error:
            if faults is None:
                raise
            faults[url] = str(error)
        if progress:
            progress("fetching", done, len(urls))
    return _replaced(described, kept) if kept else described


def is_address(path: str) -> bool:
    """Return whether a source is an address, not a path."""
    return path.startswith(("http://", "https://"))


def shown_address(url: str) -> str:
    """Return an address as it may be shown: values that look like secrets are left out.

    >>> shown_address("https://h/q?where=1%3D1&token=abc")
    'https://h/q?where=1%3D1&token=...'
    """
    parts = urlsplit(url)
    if not SECRET.search(parts.query):
        return url
    lines = [(k, "..." if SECRET.search(k) else v) for k, v in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(lines)))


def fetch(url: str, city: str, fetching: Fetching) -> Snapshot:
    """Fetch one address and keep the answer.

    Raises
    ------
    DataError
        As for :func:`fetch_city`.
    """
    label = shown_address(url)
    folder = fetching.folder / city
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".fetching-", dir=folder)
    os.close(handle)
    made = Path(name)
    try:
        ending, notes = _save(url, label, made, fetching)
        with made.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = made.stat().st_size
        path = folder / f"{digest}{ending}"
        made.chmod(0o400)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
    when = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    note = f"fetched {when}, {size:,} bytes, sha256 {digest}, kept as {city}/{path.name}"
    return Snapshot(path=path, notes=(note, *notes))


def _save(url: str, label: str, path: Path, fetching: Fetching) -> tuple[str, list[str]]:
    """Write what an address answers; give the ending that fits it, and notes."""
    web = fetching.web
    if is_arcgis(url):
        with FeatureFile(path, label, web.limits.most_bytes) as file:
            return ".geojson", save_arcgis(web, url, label, file)
    if is_socrata(url):
        data = SocrataSet(web, url, label, fetching.socrata_token)
        if data.ending == "csv":
            return ".csv", data.save_csv(path)
        with FeatureFile(path, label, web.limits.most_bytes) as file:
            return ".geojson", data.save_geojson(file)
    saved = web.save(url, label, path, {})
    return _plain_ending(url, label, path, saved.disposition), []


def _plain_ending(url: str, label: str, path: Path, disposition: str) -> str:
    """Find out what a downloaded file is: by its content, and by its name where that says more."""
    if path.stat().st_size == 0:
        msg = f"{label}: answers with nothing; check the address"
        raise DataError(msg)
    kind = sniff(path)
    if kind == "page":
        msg = (
            f"{label}: answers with a web page, not with data; name the address of the file "
            "itself, as its download link has it"
        )
        raise DataError(msg)
    if why := refusal(kind):
        msg = f"{label}: {why}"
        raise DataError(msg)
    if kind == "shp":
        msg = f"{label}: answers with one part of a shapefile; name the address of its zip archive"
        raise DataError(msg)
    found = read_apart(path, label, rows=None, first_layer=True)
    named = Path(_name_in(disposition) or unquote(urlsplit(url).path)).name.lower()
    endings = FORMATS[found.kind].endings
    return next((ending for ending in endings if named.endswith(ending)), endings[0])


def _name_in(disposition: str) -> str:
    found = re.search(r"filename=\"?([^\";]+)", disposition)
    return Path(found[1]).name if found else ""


def _places(described: CityFile) -> Iterator[SourcePlace]:
    if described.districts is not None:
        yield described.districts.place
    for place in (described.boundary, described.coverage):
        if place is not None:
            yield place
    if described.addresses is not None:
        yield described.addresses.place
    for group in (described.incidents, described.factors, described.base, described.records):
        for source in group:
            yield source.place


def _replaced(described: CityFile, kept: dict[str, Snapshot]) -> CityFile:
    """Put the path of what was fetched into the place of each address."""

    def here(place: Any) -> Any:
        found = None if place is None else kept.get(place.path)
        if found is None:
            return place
        label = shown_address(place.label)
        return dataclasses.replace(place, label=label, path=str(found.path), notes=found.notes)

    def each(sources: Any) -> Any:
        return tuple(dataclasses.replace(one, place=here(one.place)) for one in sources)

    return dataclasses.replace(
        described,
        districts=None if described.districts is None else each([described.districts])[0],
        boundary=here(described.boundary),
        coverage=here(described.coverage),
        addresses=None if described.addresses is None else each([described.addresses])[0],
        incidents=each(described.incidents),
        factors=each(described.factors),
        base=each(described.base),
        records=each(described.records),
    )
