"""Findings about runs: what was worked out later, by kind and key; the newest is read."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
from sqlalchemy import delete, select

from geodata.clock import utc_now
from geodata.db.tables import City, Finding, Run
from geodata.documents import from_json
from geodata.errors import NotStoredError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from geodata.analysis_documents import RunAnalysis

    _A = TypeVar("_A", bound=RunAnalysis)


@dataclass(frozen=True, kw_only=True, eq=False)
class FindingRecord:
    """One finding: a document, and for some kinds a table about cells that goes with it."""

    run: str
    kind: str
    key: str
    document: Mapping[str, object]
    cells: pd.DataFrame | None
    created_at: dt.datetime


def keep_finding(
    session: Session,
    run: str,
    kind: str,
    key: str,
    document: Mapping[str, object],
    cells: pd.DataFrame | None = None,
) -> None:
    """Store a finding in the place of an older one of the same run, kind and key.

    Raises
    ------
    NotStoredError
        If no such run is stored.
    """
    if session.scalar(select(Run.id).where(Run.id == run)) is None:
        msg = f"no run {run!r} is stored; list them with: saferground runs CITY"
        raise NotStoredError(msg, run=run, code="no_run")
    session.execute(
        delete(Finding).where(Finding.run_id == run, Finding.kind == kind, Finding.key == key)
    )
    session.add(
        Finding(
            run_id=run,
            kind=kind,
            key=key,
            document=document,
            cells=None if cells is None else _to_parquet(cells),
            created_at=utc_now(),
        )
    )
    session.flush()


def keep_analysis(
    session: Session, key: str, document: RunAnalysis, cells: pd.DataFrame | None = None
) -> None:
    """Store what was worked out about a run in the place of an older one of its kind and key.

    Raises
    ------
    NotStoredError
        If no such run is stored.
    """
    keep_finding(session, document.run, document.kind, key, document.as_json(), cells)


def analyses_of(session: Session, run: str, kind: type[_A]) -> list[_A]:
    """Return what was worked out of one kind about a run, newest first.

    Raises
    ------
    DataError
        If another version wrote it; the message names the field and the remedy.
    """
    return [read_analysis(kind, one) for one in list_findings(session, run, kind.kind)]


def read_analysis(kind: type[_A], found: FindingRecord) -> _A:
    """Return a finding as the class of its kind."""
    what = f"{found.kind} {found.key} of run {found.run}"
    return from_json(kind, found.document, what, "have it worked out again")


def list_findings(session: Session, run: str, kind: str) -> list[FindingRecord]:
    """Return the findings of one kind about a run, newest first."""
    rows = session.scalars(
        select(Finding)
        .where(Finding.run_id == run, Finding.kind == kind)
        .order_by(Finding.created_at.desc(), Finding.id.desc())
    )
    return [
        _record(row, None if row.cells is None else pd.read_parquet(io.BytesIO(row.cells)))
        for row in rows
    ]


def list_city_findings(session: Session, city_slug: str, kind: str) -> list[FindingRecord]:
    """Return a kind's findings about all runs of a city, newest first, without their cells."""
    rows = session.execute(
        select(Finding.run_id, Finding.kind, Finding.key, Finding.document, Finding.created_at)
        .join(Run, Run.id == Finding.run_id)
        .join(City, City.id == Run.city_id)
        .where(City.slug == city_slug, Finding.kind == kind)
        .order_by(Finding.created_at.desc(), Finding.id.desc())
    )
    return [_record(row, None) for row in rows]


def _record(row: Any, cells: pd.DataFrame | None) -> FindingRecord:
    return FindingRecord(
        run=row.run_id,
        kind=row.kind,
        key=row.key,
        document=row.document,
        cells=cells,
        created_at=row.created_at,
    )


def get_finding(session: Session, run: str, kind: str, key: str) -> FindingRecord:
    """Return one finding, whole.

    Raises
    ------
    NotStoredError
        If there is none.
    """
    for found in list_findings(session, run, kind):
        if found.key == key:
            return found
    msg = f"run {run!r} has no {kind} {key!r}; it may have been asked for anew"
    raise NotStoredError(msg, run=run, kind=kind, key=key, code="no_finding")


def _to_parquet(cells: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    cells.reset_index(drop=True).to_parquet(buffer, compression="zstd", index=False)
    return buffer.getvalue()
