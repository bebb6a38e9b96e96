"""Reports of imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from geodata.reports import SourceReport
from geodata.tables.core import Source
from geodata.tables.imports import ImportVersion

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session


def save_report(
    session: Session, city_id: int, report: SourceReport, sha256: str, when: dt.datetime
) -> None:
    """Store the account of one source."""
    session.execute(
        insert(Source).values(
            city_id=city_id,
            kind=report.kind,
            source=report.source,
            content_sha256=sha256,
            read=report.read,
            stored=report.stored,
            left_out=report.left_out,
            notes=report.notes,
            imported_at=when,
        )
    )


def latest_reports(session: Session, city_id: int) -> list[SourceReport]:
    """Give the reports of the newest import that stands, in the order of its city file."""
    undone = select(ImportVersion.imported_at).where(
        ImportVersion.city_id == city_id, ImportVersion.undone_at.is_not(None)
    )
    newest = (
        select(Source.imported_at)
        .where(Source.city_id == city_id, Source.imported_at.not_in(undone))
        .order_by(Source.imported_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.scalars(
        select(Source)
        .where(Source.city_id == city_id, Source.imported_at == newest)
        .order_by(Source.id)
    )
    return [
        SourceReport(
            kind=row.kind,
            source=row.source,
            read=row.read,
            stored=row.stored,
            left_out=row.left_out,
            notes=row.notes,
        )
        for row in rows
    ]
