"""Releases: who drafted, approved and withdrew them; their content is never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from geodata.db.tables import City, Release
from geodata.errors import NotStoredError, ReleaseError
from geodata.repositories import audit

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session

    from geodata.release_manifest import Manifest

DRAFTED, APPROVED, WITHDRAWN, RETURNED = "drafted", "approved", "withdrawn", "returned"
LONGEST_REASON = 1_000
FILES_LOCK = 7_263_741  # any number that no other advisory lock of the database has


@dataclass(frozen=True, kw_only=True)
class ReleaseRecord:
    """One release and its state; times are UTC."""

    id: str
    city: str
    state: str
    drafted_by: str
    drafted_at: dt.datetime
    approved_by: str | None
    approved_at: dt.datetime | None
    withdrawn_by: str | None
    withdrawn_at: dt.datetime | None
    withdrawn_why: str | None
    returned_by: str | None
    returned_at: dt.datetime | None
    returned_why: str | None
    manifest: Manifest

    def as_json(self) -> dict[str, object]:
        """Return the record without its manifest, as scripts read it."""
        return {
            "release": self.id,
            "city": self.city,
            "state": self.state,
            "through": self.manifest.through.isoformat(),
            "drafted_by": self.drafted_by,
            "drafted_at": _moment(self.drafted_at),
            "approved_by": self.approved_by,
            "approved_at": _moment(self.approved_at),
            "withdrawn_by": self.withdrawn_by,
            "withdrawn_at": _moment(self.withdrawn_at),
            "withdrawn_why": self.withdrawn_why,
            "returned_by": self.returned_by,
            "returned_at": _moment(self.returned_at),
            "returned_why": self.returned_why,
            "previous": self.manifest.previous,
            "files": len(self.manifest.files),
        }


def add_release(
    session: Session, city: str, manifest: Manifest, who: str, when: dt.datetime
) -> ReleaseRecord:
    """Store a draft; one of the same content is stored already and stays as it is.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    ReleaseError
        If a draft of the same content was returned.
    """
    there = session.get(Release, manifest.id)
    if there is not None and there.state == RETURNED:
        msg = (
            f"nothing has changed since {there.returned_by} returned draft {manifest.id} "
            f"({there.returned_why}); change what the reason names, then draft anew"
        )
        raise ReleaseError(msg, code="returned_unchanged")
    if there is None:
        number = session.scalar(select(City.id).where(City.slug == city))
        if number is None:
            msg = f"no city {city!r} is stored; import it first"
            raise NotStoredError(msg, city=city, code="no_city")
        session.add(
            Release(
                id=manifest.id,
                city_id=number,
                state=DRAFTED,
                drafted_by=who,
                drafted_at=when,
                manifest=manifest,
            )
        )
        session.flush()
        document = {"city": city, "through": manifest.through.isoformat()}
        audit.record(session, who, "release.draft", manifest.id, document)
    return get_release(session, manifest.id)


def get_release(session: Session, identity: str) -> ReleaseRecord:
    """Return a release.

    Raises
    ------
    NotStoredError
        If there is none of that id.
    """
    row = _row(session, identity)
    return _record(row, session.get_one(City, row.city_id).slug)


def list_releases(session: Session, city: str) -> list[ReleaseRecord]:
    """Return the releases of a city, the newest draft first."""
    rows = session.scalars(
        select(Release)
        .join(City, City.id == Release.city_id)
        .where(City.slug == city)
        .order_by(Release.drafted_at.desc(), Release.id)
    )
    return [_record(row, city) for row in rows]


def cities_with_releases(session: Session) -> list[str]:
    """Return the slugs of the cities that have a release in any state."""
    query = select(City.slug).where(City.id.in_(select(Release.city_id))).order_by(City.slug)
    return list(session.scalars(query))


def lock_files(session: Session) -> None:
    """Keep others from changing the files of releases until the transaction ends.

    On SQLite a session that writes does that already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": FILES_LOCK})


def approve_release(session: Session, identity: str, who: str, when: dt.datetime) -> ReleaseRecord:
    """Note that somebody else than the drafter approved a release; twice is once.

    Raises
    ------
    NotStoredError
        If there is none of that id.
    ReleaseError
        If it was approved by another or withdrawn, or the same person drafted it.
    """
    row = _row(session, identity)
    if row.state == APPROVED and same_person(who, row.approved_by or ""):
        return get_release(session, identity)
    if row.state == RETURNED:
        msg = f"draft {identity} was returned by {row.returned_by}; approve a new draft instead"
        raise ReleaseError(msg, code="was_returned")
    if row.state != DRAFTED:
        msg = f"release {identity} is {row.state} already; only a draft can be approved"
        raise ReleaseError(msg, code="not_a_draft")
    if same_person(who, row.drafted_by):
        msg = (
            f"release {identity} needs another person than the drafter, {row.drafted_by}; let "
            "somebody else approve it"
        )
        raise ReleaseError(msg, code="second_person")
    row.state, row.approved_by, row.approved_at = APPROVED, who, when
    audit.record(session, who, "release.approve", identity, {"drafted_by": row.drafted_by})
    return get_release(session, identity)


def return_release(
    session: Session, identity: str, who: str, when: dt.datetime, why: str
) -> ReleaseRecord:
    """Note that a draft goes back to its drafter, with the reason; it can never be approved.

    Raises
    ------
    NotStoredError
        If there is none of that id.
    ReleaseError
        If it is no draft that waits, or who or why is missing or too long.
    """
    row, who, why = _row(session, identity), " ".join(who.split()), why.strip()
    if row.state != DRAFTED:
        msg = f"release {identity} is {row.state} already; only a draft that waits can be returned"
        raise ReleaseError(msg, code="not_waiting")
    if not 0 < len(why) <= LONGEST_REASON or not 0 < len(who) <= 120:
        msg = f"say who you are and why the draft is returned, in 1 to {LONGEST_REASON} characters"
        raise ReleaseError(msg, code="who_or_why_missing")
    row.state, row.returned_by, row.returned_at, row.returned_why = RETURNED, who, when, why
    audit.record(session, who, "release.return", identity, {"why": why})
    return get_release(session, identity)


def withdraw_release(
    session: Session, identity: str, who: str, when: dt.datetime, why: str
) -> ReleaseRecord:
    """Note that a release is not shown any more; twice by one person for one reason is once.

    Raises
    ------
    NotStoredError
        If there is none of that id.
    ReleaseError
        If it was withdrawn before, by another or for another reason.
    """
    row = _row(session, identity)
    if row.state == WITHDRAWN:
        if same_person(who, row.withdrawn_by or "") and why == row.withdrawn_why:
            return get_release(session, identity)
        msg = f"release {identity} was withdrawn before, by {row.withdrawn_by}"
        raise ReleaseError(msg, code="withdrawn_before")
    row.state, row.withdrawn_by, row.withdrawn_at, row.withdrawn_why = WITHDRAWN, who, when, why
    audit.record(session, who, "release.withdraw", identity, {"why": why})
    return get_release(session, identity)


def same_person(one: str, other: str) -> bool:
    """Return whether two names are one: spaces and capitals make no difference.

    >>> same_person(" Ana  Ruiz", "ana ruiz")
    True
    """
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _row(session: Session, identity: str) -> Release:
    row = session.get(Release, identity)
    if row is None:
        msg = f"no release {identity[:40]!r} is stored; see: saferground publish list CITY"
        raise NotStoredError(msg, release=identity[:40], code="no_release")
    return row


def _record(row: Release, city: str) -> ReleaseRecord:
    fields = {
        name: getattr(row, name) for name in ReleaseRecord.__dataclass_fields__ if name != "city"
    }
    return ReleaseRecord(city=city, **fields)


def _moment(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") + "Z" if moment else None
