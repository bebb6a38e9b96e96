"""Initiatives of a city: what was stated of each and when; nothing stated is changed or removed.

A version is added when the text of an initiative differs from the newest one. The list of a city's
initiatives and its order is written down in the same way, as the versions of a document under an
empty slug, which no initiative can have: so it stays known which were on the list at what time.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, select

from geodata.cityfile.initiatives import IMPORT_AGAIN, Initiative, differences, digest_document
from geodata.db.tables import City, InitiativeVersion
from geodata.documents import from_json
from geodata.errors import DataError, NotStoredError
from geodata.repositories import audit
from geodata.repositories.cities import get_city

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.cityfile.initiatives import InitiativesFile
    from geodata.repositories.cities import CityRecord

LIST_SLUG = ""
Event = Literal["said", "retired", "returned"]


@dataclass(frozen=True, kw_only=True)
class InitiativeRecord:
    """The newest version of an initiative; ``recorded_at`` is UTC."""

    initiative: Initiative
    listed: bool  # on the city's list; retired if not
    content_sha256: str
    recorded_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """Something that happened to an initiative: a version, leaving the list or coming back.

    ``changes`` names what a version says otherwise than the one before; the first has none.
    """

    event: Event
    recorded_at: dt.datetime
    initiative: Initiative | None
    content_sha256: str | None
    changes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class InitiativesImport:
    """What an import of initiatives did, by slug.

    ``retired`` are all that are stored and not in this file, whenever they left the list.
    """

    city: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    retired: tuple[str, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """Return the account as scripts read it."""
        return {
            "city": self.city,
            "added": list(self.added),
            "changed": list(self.changed),
            "unchanged": list(self.unchanged),
            "retired": list(self.retired),
            "notes": list(self.notes),
        }


def record_initiatives(
    session: Session, file: InitiativesFile, when: dt.datetime, who: str = ""
) -> InitiativesImport:
    """Store what a file says that is not stored yet, all or nothing.

    Parameters
    ----------
    session
        An open transaction, for writing.
    file
        The checked file; its city must be stored.
    when
        Time of the import, UTC without an offset.
    who
        Name of who imports, for the audit.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    DataError
        If an initiative was updated before the version that is stored, or after today.
    """
    city = get_city(session, file.city)
    # One import of a city at a time; SQLite has its write lock instead and leaves this out.
    session.execute(select(City.id).where(City.id == city.id).with_for_update())
    newest = _newest(session, city.id)
    _require_order(file, newest, _last_day(city, when))
    done: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
    notes = []
    for initiative in file.initiatives:
        known = newest.get(initiative.slug)
        if not _add(session, city.id, initiative.slug, initiative.as_json(), known, when):
            done["unchanged"].append(initiative.slug)
        elif known is None:
            done["added"].append(initiative.slug)
        else:
            done["changed"].append(initiative.slug)
            if initiative.updated == _of(known).updated:
                notes.append(
                    f"{initiative.slug}: the text changed, its updated date {initiative.updated} "
                    "did not"
                )
    listed = [initiative.slug for initiative in file.initiatives]
    _add(session, city.id, LIST_SLUG, {"slugs": listed}, newest.get(LIST_SLUG), when)
    session.flush()
    result = InitiativesImport(
        city=file.city,
        added=tuple(done["added"]),
        changed=tuple(done["changed"]),
        unchanged=tuple(done["unchanged"]),
        retired=tuple(sorted(newest.keys() - {LIST_SLUG, *listed})),
        notes=tuple(notes),
    )
    document = {name: list(getattr(result, name)) for name in ("added", "changed", "retired")}
    audit.record(session, who, "data.initiatives", file.city, document)
    return result


def list_initiatives(session: Session, city: str) -> list[InitiativeRecord]:
    """Return a city's initiatives as they stand, in the order of its newest file.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    """
    newest = _newest(session, get_city(session, city).id)
    return [_record(newest[slug], listed=True) for slug in _listed(newest)]


def retired_initiatives(session: Session, city: str) -> list[InitiativeRecord]:
    """Return the newest version of each initiative that is no longer on a city's list, by slug.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    """
    newest = _newest(session, get_city(session, city).id)
    gone = sorted(newest.keys() - {LIST_SLUG, *_listed(newest)})
    return [_record(newest[slug], listed=False) for slug in gone]


def get_initiative(session: Session, city: str, slug: str) -> InitiativeRecord:
    """Return the newest version of an initiative, retired or not.

    Raises
    ------
    NotStoredError
        If the city or the initiative is not stored.
    """
    newest = _newest(session, get_city(session, city).id)
    if slug == LIST_SLUG or slug not in newest:
        raise _not_stored(city, slug, newest)
    return _record(newest[slug], listed=slug in _listed(newest))


def initiative_history(session: Session, city: str, slug: str) -> list[HistoryEntry]:
    """Tell what was stated of an initiative and when, newest first.

    Raises
    ------
    NotStoredError
        If the city or the initiative is not stored.
    """
    number = get_city(session, city).id
    rows = session.scalars(
        select(InitiativeVersion)
        .where(InitiativeVersion.city_id == number, InitiativeVersion.slug.in_([slug, LIST_SLUG]))
        .order_by(InitiativeVersion.id)
    ).all()
    if all(row.slug == LIST_SLUG for row in rows):
        raise _not_stored(city, slug, _newest(session, number))
    return _tell(slug, rows)[::-1]


def _tell(slug: str, rows: Sequence[InitiativeVersion]) -> list[HistoryEntry]:
    """Make events of versions and lists, oldest first."""
    lines: list[HistoryEntry] = []
    before: Initiative | None = None
    listed: bool | None = None
    for row in rows:
        if row.slug == slug:
            after = _of(row)
            lines.append(
                HistoryEntry(
                    event="said",
                    recorded_at=row.recorded_at,
                    initiative=after,
                    content_sha256=row.content_sha256,
                    changes=differences(before, after) if before else (),
                )
            )
            before = after
            continue
        there = slug in _slugs(row)
        if listed is not None and there != listed:
            lines.append(
                HistoryEntry(
                    event="returned" if there else "retired",
                    recorded_at=row.recorded_at,
                    initiative=None,
                    content_sha256=None,
                    changes=(),
                )
            )
        if there or listed is not None:  # lists from before its first version say nothing of it
            listed = there
    return lines


def _add(
    session: Session,
    city_id: int,
    slug: str,
    document: dict[str, object],
    known: InitiativeVersion | None,
    when: dt.datetime,
) -> bool:
    """Add a version unless the newest one says the same; tell whether it was added."""
    digest = digest_document(document)
    if known is not None and known.content_sha256 == digest:
        return False
    session.add(
        InitiativeVersion(
            city_id=city_id,
            slug=slug,
            document=document,
            content_sha256=digest,
            recorded_at=when,
        )
    )
    session.flush()  # numbers follow the order of adding: the list comes after what it lists
    return True


def _require_order(
    file: InitiativesFile, newest: Mapping[str, InitiativeVersion], last: dt.date
) -> None:
    """Refuse what was updated before the stored version, or is dated in the future."""
    faults = []
    for initiative in file.initiatives:
        known = newest.get(initiative.slug)
        stored = _of(known).updated if known else initiative.updated
        if initiative.updated < stored:
            faults.append(
                f"{initiative.slug} was updated on {initiative.updated}, but the stored version is "
                f"of {stored}; import the newer file, or set updated to the day of this text"
            )
        if initiative.updated > last:
            faults.append(
                f"{initiative.slug} was updated on {initiative.updated}, which is after today "
                f"({last}); set updated to the day of this text"
            )
    if faults:
        raise DataError(f"{file.path}: " + "; ".join(faults), code="initiatives")


def _last_day(city: CityRecord, when: dt.datetime) -> dt.date:
    """Return today where the city is; a synthetic city's own calendar may stand later."""
    local = when.replace(tzinfo=dt.UTC).astimezone(zoneinfo.ZoneInfo(city.timezone)).date()
    return max(local, city.today or local)


def _newest(session: Session, city_id: int) -> dict[str, InitiativeVersion]:
    last = (
        select(func.max(InitiativeVersion.id))
        .where(InitiativeVersion.city_id == city_id)
        .group_by(InitiativeVersion.slug)
    )
    rows = session.scalars(select(InitiativeVersion).where(InitiativeVersion.id.in_(last)))
    return {row.slug: row for row in rows}


def _listed(newest: Mapping[str, InitiativeVersion]) -> list[str]:
    return _slugs(newest[LIST_SLUG]) if LIST_SLUG in newest else []


def _slugs(row: InitiativeVersion) -> list[str]:
    what = "a list of initiatives"
    return from_json(dict[str, list[str]], row.document, what, IMPORT_AGAIN)["slugs"]


def _of(row: InitiativeVersion) -> Initiative:
    return Initiative.from_json(row.document)


def _record(row: InitiativeVersion, *, listed: bool) -> InitiativeRecord:
    return InitiativeRecord(
        initiative=_of(row),
        listed=listed,
        content_sha256=row.content_sha256,
        recorded_at=row.recorded_at,
    )


def _not_stored(city: str, slug: str, newest: Mapping[str, InitiativeVersion]) -> NotStoredError:
    known = ", ".join(sorted(newest.keys() - {LIST_SLUG})) or "none yet"
    return NotStoredError(
        f"{city} has no initiative {slug!r} (stored: {known}); import its file with: "
        "saferground initiatives import FILE"
    )
