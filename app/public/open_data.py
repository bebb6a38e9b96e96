"""What of a release anyone can take away: a file, some rows of it, everything as one archive."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app import forms
from geodata.errors import ReleaseError
from geodata.releases.encoding import read_document
from geodata.releases.figure_documents import MeasuresDocument
from geodata.releases.folder import MANIFEST, identity_of
from geodata.spreadsheets import inert
from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from geodata.releases.figure_documents import ReportedMeasure
    from geodata.releases.folder import ReleaseFolder

DATA, MEASURES = "data/", "data/measures.json"
FORMATS = {
    "csv": ("CSV", "text/csv"),
    "geojson": ("GeoJSON", "application/geo+json"),
    "json": ("JSON", "application/json"),
    "gpkg": ("GeoPackage", "application/geopackage+sqlite3"),
    "tif": ("GeoTIFF", "image/tiff"),
}
OTHER = "application/octet-stream"
ABOUT_THE_PAGE = ("city", "lang")  # fields of an address that choose no rows
CLASSES = ("single", "multiple", "probable", "other")
OTHER_CLASS = CLASSES[-1]
KEPT = 24
DAY = dt.timedelta(days=1)
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Filterable:
    """What the rows of a file can be chosen by: its column of days, and columns by field."""

    day: str | None = None
    columns: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of an address that choose rows."""
        return (*(("from", "to", "through") if self.day else ()), *self.columns)


FILTERABLE = {
    "alerts": Filterable(day="day", columns=("district", "class")),
    "complaints": Filterable(day="day", columns=("district",)),
    "zones": Filterable(columns=("district", "class")),
    "measures": Filterable(columns=("measure", "district", "period")),
    "measures_monthly": Filterable(day="from", columns=("measure", "district")),
    "incidents_monthly": Filterable(columns=("outcome", "district")),
    "residents": Filterable(columns=("area", "district")),
}
TABLES = (".csv", ".geojson")  # forms that have rows


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChoice:
    """Rows that somebody requested: days from ``start`` until before ``end``, values by column."""

    day: str | None = None
    start: dt.date | None = None
    end: dt.date | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.start or self.end or self.values)

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row is one of them."""
        if self.day is not None:
            day = str(row[self.day])
            if (self.start and day < self.start.isoformat()) or (
                self.end and day >= self.end.isoformat()
            ):
                return False
        return all(_describe(row, column) in wanted for column, wanted in self.values.items())

    def name(self, file: str) -> str:
        """Name a file after what it holds.

        >>> chosen = RowChoice(day="day", start=dt.date(2025, 1, 1), values={"district": ("D3",)})
        >>> chosen.name("a.csv")
        'a_from-2025-01-01_D3.csv'
        """
        stem, _, ending = file.rpartition(".")
        parts = [stem]
        parts += [f"from-{self.start}"] if self.start else []
        parts += [f"through-{self.end - DAY}"] if self.end else []
        parts += [value for values in self.values.values() for value in values]
        plain = "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-") for part in parts)
        return f"{plain[:LONGEST_NAME]}.{ending}"


def _describe(row: Mapping[str, Any], column: str) -> str:
    """Return a value to choose by; a class that is not reported is an other one, as on the map."""
    value = str(row[column])
    return value or (OTHER_CLASS if column == "class" else "")


def mimetype(name: str) -> str:
    """Return the type of a file by its ending."""
    return FORMATS.get(name.rpartition(".")[2], ("", OTHER))[1]


def format_name(name: str) -> str:
    """Name the format of a file.

    >>> format_name("data/zones.geojson")
    'GeoJSON'
    """
    ending = name.rpartition(".")[2]
    return FORMATS.get(ending, (ending.upper(), ""))[0]


def stem(name: str) -> str:
    """Return what the forms of one table have in common.

    >>> stem("data/zones.geojson")
    'zones'
    """
    return name.removeprefix(DATA).rpartition(".")[0]


@lru_cache(maxsize=KEPT)
def table(release: ReleaseFolder, name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a CSV file of a release; without the file, none."""
    if name not in release.files:
        return ()
    return tuple(csv.DictReader(io.StringIO(release.read(name).decode())))


@lru_cache(maxsize=KEPT)
def document(release: ReleaseFolder, name: str) -> Mapping[str, Any]:
    """Return a JSON or GeoJSON file of a release; without the file, an empty one."""
    if name not in release.files:
        return {}
    found: Mapping[str, Any] = json.loads(release.read(name))
    return found


def measures(release: ReleaseFolder) -> dict[str, ReportedMeasure]:
    """Return the measures of a release by id; none where it has none."""
    if MEASURES not in release.files:
        return {}
    found = read_document(MeasuresDocument, release.read(MEASURES), MEASURES)
    return {one.id: one for one in found.measures}


def districts(release: ReleaseFolder) -> dict[str, str]:
    """Return the names of the districts by code, in the city's order."""
    features = document(release, "data/districts.geojson").get("features", [])
    lines = [feature["properties"] for feature in features]
    return {str(one["code"]): str(one["name"]) for one in lines}


def choose(args: MultiDict[str, str], release: ReleaseFolder, name: str) -> RowChoice:
    """Read which rows of a file an address asks for.

    ``from`` is the first day, ``to`` the day after the last, or ``through`` the last; any other
    field may be given more than once. Empty fields choose nothing.

    Raises
    ------
    SpecError
        If a field cannot be read, names nothing that there is, or is none of this file.
    """
    by = FILTERABLE.get(stem(name)) if name.endswith(TABLES) else None
    by = by or Filterable()
    for requested in args:
        if requested not in (*by.fields, *ABOUT_THE_PAGE):
            known = f"choose by {', '.join(by.fields)}" if by.fields else "it is given whole only"
            msg = f"{name.removeprefix(DATA)} has no rows by {requested[:40]!r}; {known}"
            raise SpecError(msg, code="no_breakdown")
    values = {}
    for column in by.columns:
        wanted = [value for value in args.getlist(column) if value]
        if not wanted:
            continue
        known_values = _known(release, name, column)
        for value in wanted:
            forms.choice({column: value}, column, known_values)
        values[column] = tuple(dict.fromkeys(wanted))
    start, end = _days(args) if by.day else (None, None)
    return RowChoice(day=by.day, start=start, end=end, values=values)


def chosen(release: ReleaseFolder, name: str, choice: RowChoice) -> bytes:
    """Return a file with the rows that were requested, in the form that the whole file has."""
    if name.endswith(".csv"):
        rows = table(release, name)
        columns = next(csv.reader(io.StringIO(release.read(name).decode())))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        kept = (row for row in rows if choice.keeps(row))
        writer.writerows({column: inert(value) for column, value in row.items()} for row in kept)
        return text.getvalue().encode()
    lines = [
        json.dumps(feature, ensure_ascii=False, separators=(",", ":"))
        for feature in document(release, name)["features"]
        if choice.keeps(feature["properties"])
    ]
    body = ",\n".join(lines)
    return f'{{"type":"FeatureCollection","features":[\n{body}\n]}}\n'.encode()


def _known(release: ReleaseFolder, name: str, column: str) -> list[str]:
    """Return the values that rows can be chosen by."""
    if column == "district":
        return list(districts(release))
    if column == "class" and stem(name) == "alerts":
        return list(CLASSES)
    rows: Sequence[Mapping[str, Any]] = (
        table(release, name)
        if name.endswith(".csv")
        else [feature["properties"] for feature in document(release, name)["features"]]
    )
    return list(dict.fromkeys(str(row[column]) for row in rows if row[column] != ""))


def _days(args: Mapping[str, str]) -> tuple[dt.date | None, dt.date | None]:
    start, end, through = (forms.day(args, key) for key in ("from", "to", "through"))
    if end is not None and through is not None:
        msg = "through and to both name the end of the days; give one of them"
        raise SpecError(msg, code="two_ends")
    if through is not None:
        if through == dt.date.max:
            msg = f"the day {through} is too far in the future; give an earlier one"
            raise SpecError(msg, code="day_in_future")
        end = through + DAY
    if end == dt.date.min:
        msg = f"no day lies before {end}; give a later end"
        raise SpecError(msg, code="period_empty")
    if start is not None and end is not None and start >= end:
        msg = f"no day lies from {start} until before {end}; give a later end"
        raise SpecError(msg, code="period_empty")
    return start, end


def archive_name(release: ReleaseFolder) -> str:
    """Name the archive of a release, and the folder in it, without its ending."""
    manifest = release.manifest
    return f"{manifest.city.slug}-{manifest.through}-{release.id}"


def archive(release: ReleaseFolder) -> Iterator[bytes]:
    """Write a release as one ZIP archive, part by part; the same release has the same bytes.

    Who approved it is not in it. Every file is checked against its digest before the first byte.

    Raises
    ------
    ReleaseError
        If a file is not what was approved.
    """
    for name in release.files:
        release.read(name)
    return _parts(release)


def _parts(release: ReleaseFolder) -> Iterator[bytes]:
    sink = _Sink()
    day = release.manifest.through
    with zipfile.ZipFile(sink, "w") as packed:  # type: ignore[call-overload] # it only writes
        for name in (MANIFEST, *release.files):
            info = zipfile.ZipInfo(
                f"{archive_name(release)}/{name}", (*day.timetuple()[:3], 0, 0, 0)
            )
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            info.external_attr = 0o100644 << 16
            packed.writestr(info, _content(release, name), compresslevel=6)
            yield sink.take()
    yield sink.take()


def _content(release: ReleaseFolder, name: str) -> bytes:
    return manifest_bytes(release) if name == MANIFEST else release.read(name)


def manifest_bytes(release: ReleaseFolder) -> bytes:
    """Return the manifest as it was written, after holding it against the release's id.

    Raises
    ------
    ReleaseError
        If it is not what the id was taken from.
    """
    content = (release.path / MANIFEST).read_bytes()
    if identity_of(json.loads(content)) != release.id:
        msg = f"release {release.id}: {MANIFEST} is not what was approved; restore it from a copy"
        raise ReleaseError(msg, code="altered")
    return content


class _Sink:
    """Takes what an archive writes and hands it on; it cannot go back."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, content: bytes) -> int:
        self._held += content
        return len(content)

    def flush(self) -> None:
        """Do nothing: what is written is kept already."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken, self._held = bytes(self._held), bytearray()
        return taken


def digest(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
