"""Sources whose file and settings are those of the newest import: they are not read again.

What an import would make of such a source is what is stored. A source is read again where anything
of the city changed that its reading depends on: reference system, time zone, districts, measures.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.db.geometry import geometry_faults
from geodata.errors import DataError, NotStoredError
from geodata.formats import sniff
from geodata.import_report import ALREADY_STORED, UNCHANGED, SourceReport
from geodata.ingest.recorded_rows import gather_records
from geodata.ingest.sources import Gathered, GatheredRecords
from geodata.readers.files import digest
from geodata.remote.fetch import shown_address
from geodata.repositories.import_log import city_file_of, latest_sources, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.cityfile.description import CityFile
    from geodata.cityfile.schema import SourcePlace
    from geodata.cityfile.sections import RecordSource
    from geodata.ingest.areas import Areas, StoredAreas

DEPENDS_ON = ("city", "districts", "boundary", "measures", "outcomes", "osm")
AREAS = ("districts", "boundary")
AWAITED = "in the future"  # rows that a later reading would keep


@dataclass(frozen=True, kw_only=True)
class KnownSource:
    """What the newest import tells of a source: the digest of its file and its account."""

    sha256: str
    report: SourceReport


@dataclass(frozen=True, kw_only=True)
class KnownSources:
    """Sources that are described as the newest import had them, by section and position.

    ``areas`` are the digests of the files of districts and boundary.
    """

    by_place: Mapping[tuple[str, int], KnownSource]
    areas: Mapping[str, str]

    def unchanged(self, section: str, position: int, path: Path) -> KnownSource | None:
        """Return what is known of a source, nothing where its file has changed.

        A shapefile is never taken for unchanged: its values lie in files beside it.
        """
        known = self.by_place.get((section, position))
        if known is None or not path.is_file() or sniff(path) == "shp":
            return None
        return known if digest(path) == known.sha256 else None


NOTHING_KNOWN = KnownSources(by_place={}, areas={})


def known_sources(session: Session, described: CityFile) -> KnownSources:
    """Return the sources that a city file describes as the newest import that stands did."""
    try:
        before = city_file_of(session, described.slug).content
    except NotStoredError:
        return NOTHING_KNOWN
    content: dict[str, Any] = plain(dict(described.content))
    if any(content.get(name) != before.get(name) for name in DEPENDS_ON):
        return NOTHING_KNOWN
    stored = latest_sources(session, described.slug)
    by_label: dict[tuple[str, str], list[KnownSource]] = defaultdict(list)
    for report, sha256 in stored:
        by_label[report.kind, report.source].append(KnownSource(sha256=sha256, report=report))
    found = {}
    for section, labels in _labels(described).items():
        if content.get(section) != before.get(section):
            continue
        turn: dict[str, int] = defaultdict(int)
        for position, label in enumerate(labels):
            known = by_label[section, label]
            if len(known) == labels.count(label) and _is_complete(known[turn[label]]):
                found[section, position] = known[turn[label]]
            turn[label] += 1
    areas = {report.kind: sha256 for report, sha256 in stored if report.kind in AREAS}
    return KnownSources(by_place=found, areas=areas)


@dataclass(kw_only=True)
class Reading:
    """How the sources of one import are read.

    ``known`` are not read again where they are unchanged. Where it is ``tolerant``, a source that
    cannot be read stays as it is stored; ``stored`` are the areas to go on with then. ``faults``
    are those of addresses of the network; ``no_places`` is that of the city's addresses, without
    which rows that are placed by them are not read.
    """

    known: KnownSources = NOTHING_KNOWN
    tolerant: bool = False
    faults: dict[str, str] = field(default_factory=dict)
    stored: StoredAreas | None = None
    no_places: str = ""

    def forget_known_unless(self, areas: Areas) -> None:
        """Read every source where districts or boundary are not those of the newest import."""
        read = {
            report.kind: sha256 if report.fault is None else self.known.areas.get(report.kind, "")
            for report, sha256 in areas.reports
            if report.kind in AREAS
        }
        if read != self.known.areas:
            self.known = NOTHING_KNOWN

    def layer(
        self,
        section: str,
        position: int | None,
        source: Any,
        gather: Callable[..., Gathered],
        *about: Any,
    ) -> Gathered:
        """Return the rows of incidents, a factor or base shapes, as ``gather`` reads them.

        Raises
        ------
        DataError
            If the source cannot be read and that is not tolerated.
        """
        stays = self._stays(section, position, source)
        if stays is None:
            try:
                self._require_places(source)
                with geometry_faults(source.place.label):
                    return gather(source, *about)
            except DataError as error:
                stays = self.fault(section, source.place, error)
        return Gathered(rows=[], report=stays.report, sha256=stays.sha256, stays=True)

    def records(self, position: int, source: RecordSource, *about: Any) -> GatheredRecords:
        """Return the rows of a source of records.

        Raises
        ------
        DataError
            If it cannot be read and that is not tolerated.
        """
        stays = self._stays(source.section, position, source)
        if stays is None:
            try:
                self._require_places(source)
                with geometry_faults(source.place.label):
                    return gather_records(source, *about)
            except DataError as error:
                stays = self.fault(source.section, source.place, error)
        return GatheredRecords(
            section=source.section,
            rows=pd.DataFrame(),
            report=stays.report,
            sha256=stays.sha256,
            stays=True,
        )

    def _stays(self, section: str, position: int | None, source: Any) -> KnownSource | None:
        """Return the account of a source that is not read again; by address all are."""
        if position is None or getattr(source, "address", None) is not None:
            return None
        known = self.known.unchanged(section, position, Path(source.place.path))
        return known and KnownSource(sha256=known.sha256, report=account_unchanged(known))

    def _require_places(self, source: Any) -> None:
        if self.no_places and getattr(source, "address", None) is not None:
            msg = f"its rows are placed by [addresses], which could not be read: {self.no_places}"
            raise DataError(msg)

    def fault(self, section: str, place: SourcePlace, error: DataError) -> KnownSource:
        """Return the account of a source that could not be read.

        Raises
        ------
        DataError
            The same again, where that is not tolerated.
        """
        if not self.tolerant:
            raise error
        fault = self.faults.get(place.path, str(error))
        report = SourceReport.unread(section, shown_address(place.label), fault)
        return KnownSource(sha256="", report=report)


def account_unchanged(known: KnownSource) -> SourceReport:
    """Return the account of a source that was not read again: its rows are stored already."""
    before = known.report
    left_out = {
        reason: number
        for reason, number in before.left_out.items()
        if reason not in (ALREADY_STORED, UNCHANGED)
    }
    report = replace(before, stored=0, left_out=left_out, notes=[], rows_out=[])
    report.leave_out(UNCHANGED, before.read - sum(left_out.values()))
    report.notes.append("its file is the same as at the last import: not read again")
    return report


def _is_complete(known: KnownSource) -> bool:
    return bool(known.sha256) and AWAITED not in known.report.left_out


def _labels(described: CityFile) -> dict[str, Sequence[str]]:
    """Return how reports call the sources of each section, in its order."""
    found: dict[str, list[str]] = {
        "incidents": [one.place.label for one in described.incidents],
        "factors": [one.place.label for one in described.factors],
    }
    for one in described.records:
        found.setdefault(one.section, []).append(one.place.label)
    return dict(found)
