"""Cities and runs that are left out of lists: archived, restored, and which they are.

What is archived can be read by its address as before, and a published release is not touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from geodata.db.tables import Archived
from geodata.errors import DataError
from geodata.repositories import audit

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

CITY, RUN = "city", "run"


@dataclass(frozen=True, kw_only=True)
class ArchivedRecord:
    """By whom and when (UTC) a city or run was archived."""

    key: str
    archived_at: dt.datetime
    archived_by: str


def archived_keys(kind: str) -> Select[str]:
    """Return the query of the slugs of archived cities, or the ids of archived runs."""
    return select(Archived.key).where(Archived.kind == kind)


def list_archived(session: Session, kind: str) -> dict[str, ArchivedRecord]:
    """Return what is archived of a kind, by slug or id."""
    rows = session.scalars(select(Archived).where(Archived.kind == kind).order_by(Archived.key))
    return {
        row.key: ArchivedRecord(
            key=row.key, archived_at=row.archived_at, archived_by=row.archived_by
        )
        for row in rows
    }


def is_archived(session: Session, kind: str, key: str) -> bool:
    """Return whether a city or run is archived."""
    return session.get(Archived, (kind, key)) is not None


def archive(session: Session, kind: str, key: str, who: str, when: dt.datetime) -> None:
    """Leave a city or run out of lists; twice is once. Callers check that it may be."""
    if not is_archived(session, kind, key):
        session.add(Archived(kind=kind, key=key, archived_at=when, archived_by=who))
        session.flush()
        audit.record(session, who, f"{kind}.archive", key)


def restore(session: Session, kind: str, key: str, who: str) -> None:
    """List a city or run again; twice is once."""
    row = session.get(Archived, (kind, key))
    if row is not None:
        session.delete(row)
        session.flush()
        audit.record(session, who, f"{kind}.restore", key)


def require_archived(session: Session, kind: str, key: str) -> None:
    """Refuse to remove what is not archived.

    Raises
    ------
    DataError
        If it is not.
    """
    if not is_archived(session, kind, key):
        msg = f"{kind} {key} is not archived; archive it before it is removed"
        raise DataError(msg, code="not_archived")
