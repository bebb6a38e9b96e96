"""Reports of imports.

What an import does to the tables, written down as it happens, and taken back.

Rows are known by their keys, not by their numbers: a row that was changed is one key added and one
row, as it was, removed. A feature belongs to its factor by name.

Imports as versions of a city's data: listed, and undone, the newest first.
"""

from __future__ import annotations

import datetime as dt
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import defer

from geodata.db.geometry import Geometry
from geodata.db.json_columns import CityFileKept
from geodata.db.tables import (
    Base,
    City,
    District,
    Factor,
    Feature,
    ImportChange,
    ImportVersion,
    Run,
    Source,
)
from geodata.errors import DataError, NotStoredError
from geodata.import_report import SourceReport
from geodata.repositories import audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select, Table
    from sqlalchemy.orm import Session

    from geodata.cityfile.description import CityFile


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
            addresses=report.addresses,
            imported_at=when,
        )
    )


def latest_reports(session: Session, city_id: int) -> list[SourceReport]:
    """Return the reports of the newest import that stands, in the order of its city file."""
    return [report for report, _ in _latest(session, city_id)]


def latest_sources(session: Session, slug: str) -> list[tuple[SourceReport, str]]:
    """Return the reports of the newest import that stands, each with the digest of its file."""
    city = session.scalar(select(City.id).where(City.slug == slug))
    return [] if city is None else _latest(session, city)


def _latest(session: Session, city_id: int) -> list[tuple[SourceReport, str]]:
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
        (
            SourceReport(
                kind=row.kind,
                source=row.source,
                read=row.read,
                stored=row.stored,
                left_out=row.left_out,
                notes=row.notes,
                addresses=row.addresses,
            ),
            row.content_sha256,
        )
        for row in rows
    ]


KEYS: Mapping[str, tuple[str, ...]] = {
    "incident": ("outcome", "row_key"),
    "base_shape": ("kind", "row_key"),
    "named_area": ("kind", "row_key"),
    "feature": ("factor", "row_key"),
    "address": ("x", "y"),
    "residents": ("people", "geom"),
    **dict.fromkeys(("alert", "call", "verified", "visit", "occurrence", "tally"), ("row_key",)),
}
WHOLE = ("address", "residents")  # have no key of their own; they are replaced whole
PIECE = 20_000  # keys and rows in one packed piece
CHUNK = 500  # keys in one statement; SQLite allows a bounded number of parameters


class ChangeLog:
    """Keys of rows added and rows removed, by table."""

    def __init__(self) -> None:
        self.added: dict[str, list[list[Any]]] = {}
        self.removed: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, rows: Iterable[Mapping[str, object]], **more: Any) -> None:
        """Note rows that are new; ``more`` are columns that all of them share."""
        keys = [[{**row, **more}[name] for name in KEYS[table]] for row in rows]
        self.added.setdefault(table, []).extend(keys)

    def remove(self, table: str, rows: Iterable[Mapping[str, object]], **more: Any) -> None:
        """Note rows that go, as they are."""
        self.removed.setdefault(table, []).extend({**row, **more} for row in rows)

    def change(self, table: str, rows: Iterable[Mapping[str, object]], **more: Any) -> None:
        """Note rows that are corrected, as they were."""
        before = [{**row, **more} for row in rows]
        self.remove(table, before)
        self.add(table, before)

    def summary(self) -> dict[str, dict[str, int]]:
        """Count what was noted; a changed row is not added or removed but changed."""
        document: dict[str, dict[str, int]] = {}
        for table in KEYS:
            new = {tuple(key) for key in self.added.get(table, [])}
            gone = {tuple(row[name] for name in KEYS[table]) for row in self.removed.get(table, [])}
            counts = {
                "added": len(new - gone),
                "changed": len(new & gone),
                "removed": len(gone - new),
            }
            if any(counts.values()):
                document[table] = counts
        return document

    def save(self, session: Session, import_id: int) -> None:
        """Store what was noted, in pieces."""
        for table in KEYS:
            added, removed = self.added.get(table, []), self.removed.get(table, [])
            for start in range(0, max(len(added), len(removed)), PIECE):
                session.add(
                    ImportChange(
                        import_id=import_id,
                        table=table,
                        added=pack(added[start : start + PIECE]),
                        removed=pack([plain(row) for row in removed[start : start + PIECE]]),
                    )
                )
        session.flush()


def take_back(
    session: Session, city_id: int, changes: Iterable[ImportChange], *, batches: bool = False
) -> None:
    """Take rows out that were added and put rows back that were removed.

    Parameters
    ----------
    session
        A session that writes.
    city_id
        Whose rows they are.
    changes
        All of one import; its factors must be there again. Of a row that several batches of one
        version changed, the first knows what it was before them all.
    batches
        Whether each piece is a batch of its own.
    """
    pieces = list(changes)
    seen: set[tuple[Any, ...]] = set()
    named = select(Factor.name, Factor.id).where(Factor.city_id == city_id)
    factors = {name: number for name, number in session.execute(named)}  # noqa: C416 - rows to a dict
    for piece in pieces:
        _delete(session, city_id, piece.table, unpack(piece.added), factors)
    for piece in pieces:
        table = Base.metadata.tables[piece.table]
        gone = unpack(piece.removed)
        if batches:
            keys = [(piece.table, *(row[n] for n in KEYS[piece.table])) for row in gone]
            gone = [row for row, key in zip(gone, keys, strict=True) if key not in seen]
            seen.update(keys)
            seen.update((piece.table, *key) for key in unpack(piece.added))
        rows = [read_row(table, row) for row in gone]
        if piece.table == "feature":
            owned = [{**row, "factor_id": factors[str(row.pop("factor"))]} for row in rows]
        else:
            owned = [{**row, "city_id": city_id} for row in rows]
        if owned:
            session.execute(insert(table), owned)


def _delete(
    session: Session, city_id: int, name: str, keys: list[list[Any]], factors: Mapping[str, int]
) -> None:
    table = Base.metadata.tables[name]
    if name in WHOLE:
        if keys:
            session.execute(delete(table).where(table.c.city_id == city_id))
        return
    groups: dict[Any, list[str]] = {}
    for *group, key in keys:
        groups.setdefault(tuple(group), []).append(key)
    for group, mine in groups.items():
        if name == "feature":
            owner = [table.c.factor_id == factors.get(group[0], -1)]
        else:
            owner = [table.c.city_id == city_id]
            owner += [table.c[n] == v for n, v in zip(KEYS[name], group, strict=False)]
        for start in range(0, len(mine), CHUNK):
            some = table.c.row_key.in_(mine[start : start + CHUNK])
            session.execute(delete(table).where(*owner, some))


def row_columns(table: Table) -> list[str]:
    """Name the columns of a table that say what a row says, without its number and its owner."""
    return [c.name for c in table.columns if c.name not in ("id", "city_id", "factor_id")]


def read_row(table: Table, row: Mapping[str, object]) -> dict[str, object]:
    """Turn a row as JSON has it into values of its table."""
    return {
        name: _value(table.c[name].type, value) if name in table.c else value
        for name, value in row.items()
    }


def pack(document: Any) -> bytes:
    """Write a document as packed JSON."""
    return zlib.compress(json.dumps(plain(document)).encode(), 6)


def unpack(packed: bytes) -> Any:
    """Read packed JSON."""
    return json.loads(zlib.decompress(packed))


def plain(value: Any) -> Any:
    """Write values that JSON has no form for; a shape keeps the number of its system."""
    if isinstance(value, BaseGeometry):
        return shapely.to_wkb(value, hex=True, include_srid=True)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def _value(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Geometry):
        return shapely.from_wkb(value)
    python = getattr(kind, "python_type", None)
    return python.fromisoformat(value) if python in (dt.date, dt.time, dt.datetime) else value


@dataclass(frozen=True, kw_only=True)
class ImportRecord:
    """One import; ``summary`` has ``added``, ``changed`` and ``removed`` rows by table."""

    id: int
    city: str
    imported_at: dt.datetime
    summary: dict[str, dict[str, int]]
    first: bool
    undone_at: dt.datetime | None
    undone_by: str | None
    imported_by: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the record as scripts read it."""
        return {
            "import": self.id,
            "city": self.city,
            "imported_at": self.imported_at.isoformat(timespec="seconds") + "Z",
            "imported_by": self.imported_by,
            "changes": self.summary,
            "undone_at": self.undone_at.isoformat(timespec="seconds") + "Z"
            if self.undone_at
            else None,
            "undone_by": self.undone_by,
        }


def settings_before(session: Session, slug: str) -> bytes | None:
    """Give what a city, its districts and its factors are, packed; nothing if it is not stored."""
    city = session.scalar(select(City).where(City.slug == slug))
    if city is None:
        return None
    tables = {"city": City, "district": District, "factor": Factor}
    order: dict[str, Any] = {"city": City.id, "district": District.id, "factor": Factor.id}
    document = {}
    for name, model in tables.items():
        owner = City.id if name == "city" else model.city_id  # type: ignore[attr-defined]
        columns = [model.__table__.c[n] for n in row_columns(model.__table__)]  # type: ignore[arg-type]
        rows = session.execute(select(*columns).where(owner == city.id).order_by(order[name]))
        document[name] = [dict(row._mapping) for row in rows]
    return pack(document)


@dataclass(frozen=True, kw_only=True)
class Described(CityFileKept):
    """The city file of an import; ``number`` is that of the import."""

    number: int


def save_version(
    session: Session,
    city_id: int,
    when: dt.datetime,
    log: ChangeLog,
    before: bytes | None,
    *,
    described: CityFile | None,
    who: str = "",
) -> int:
    """Store an import as a version; give its number.

    With it the city file that it read is kept, or that of the import before where it read none.
    """
    if described is None:
        document = session.scalar(
            select(ImportVersion.city_file)
            .where(ImportVersion.city_id == city_id, ImportVersion.undone_at.is_(None))
            .order_by(ImportVersion.id.desc())
            .limit(1)
        )
    else:
        document = CityFileKept(content=plain(dict(described.content)), root=described.root)
    version = ImportVersion(
        city_id=city_id,
        imported_at=when,
        summary=log.summary(),
        before=before,
        city_file=document,
        imported_by=who[:200] or None,
    )
    session.add(version)
    session.flush()
    log.save(session, version.id)
    return version.id


def save_arrival(
    session: Session, slug: str, city_id: int, when: dt.datetime, log: ChangeLog, who: str
) -> int:
    """Add a batch to the version of what arrived that day; give its number.

    What comes after an import begins a version of its own, so that versions stay in their order.
    """
    newest = session.scalar(
        select(ImportVersion)
        .where(ImportVersion.city_id == city_id, ImportVersion.undone_at.is_(None))
        .order_by(ImportVersion.id.desc())
        .limit(1)
    )
    today = newest is not None and newest.imported_at.date() == when.date()
    if newest is None or not (newest.arrivals and today):
        before = settings_before(session, slug)
        number = save_version(session, city_id, when, log, before, described=None, who=who)
        session.get_one(ImportVersion, number).arrivals = True
        return number
    counts = {table: dict(values) for table, values in newest.summary.items()}
    for table, values in log.summary().items():
        there = counts.setdefault(table, dict.fromkeys(values, 0))
        for name, value in values.items():
            there[name] = there.get(name, 0) + value
    newest.summary = counts
    log.save(session, newest.id)
    return newest.id


def list_imports(session: Session, slug: str) -> list[ImportRecord]:
    """Return the imports of a city, newest first."""
    rows = session.execute(_listed().where(City.slug == slug).order_by(ImportVersion.id.desc()))
    return [_record(row, slug, first=first) for row, slug, first in rows]


def newest_import(session: Session, slug: str) -> int | None:
    """Return the number of the newest import of a city that stands.

    Rows that arrive by themselves change no source: they come between others' work without ending
    it, and their versions have no city file of their own.
    """
    return session.scalar(
        select(ImportVersion.id)
        .join(City, City.id == ImportVersion.city_id)
        .where(
            City.slug == slug,
            ImportVersion.undone_at.is_(None),
            ImportVersion.arrivals.is_(False),
        )
        .order_by(ImportVersion.id.desc())
        .limit(1)
    )


def city_file_of(session: Session, slug: str) -> Described:
    """Return the city file of the newest import of a city that stands.

    Raises
    ------
    NotStoredError
        If that import kept none, as those of earlier versions did not.
    """
    number = newest_import(session, slug)
    version = session.get(ImportVersion, number) if number is not None else None
    if version is None or version.city_file is None:
        msg = (
            f"the city file of {slug} is not known here, because it was imported by an earlier "
            "version; import it once more with: saferground import CITY.toml"
        )
        raise NotStoredError(msg, code="no_city_file")
    return Described(number=version.id, **vars(version.city_file))


def require_newest(session: Session, slug: str, number: int) -> None:
    """Refuse to go on from an import that is no longer the newest that stands.

    The city is kept for this transaction, so that of two at once the second sees the first.

    Raises
    ------
    DataError
        If the city's sources were changed since.
    """
    session.execute(select(City.id).where(City.slug == slug).with_for_update())
    newest = newest_import(session, slug)
    if newest != number:
        msg = (
            f"the sources of {slug} were changed meanwhile (import {newest} after import "
            f"{number}); look at them and ask again. Nothing was stored"
        )
        raise DataError(msg, code="changed_meanwhile")


def undo_import(session: Session, number: int, who: str, when: dt.datetime) -> ImportRecord:
    """Make a city's data what they were before an import; needs a session that writes.

    Raises
    ------
    NotStoredError
        If there is none of that number.
    DataError
        If it was undone already, is not the newest that stands, or is the city's first.
    """
    version = session.get(ImportVersion, number)
    if version is None:
        msg = f"there is no import {number}; list them with: saferground imports CITY"
        raise NotStoredError(msg, number=number, code="no_import")
    city = session.get_one(City, version.city_id)
    newest = session.scalar(
        select(ImportVersion.id)
        .where(ImportVersion.city_id == city.id, ImportVersion.undone_at.is_(None))
        .order_by(ImportVersion.id.desc())
        .limit(1)
    )
    if version.undone_at is not None:
        msg = f"import {number} was undone already, on {version.undone_at:%Y-%m-%d}"
        raise DataError(msg, code="undone_already")
    if newest != number:
        msg = f"import {newest} came after import {number}; undo the newest first"
        raise DataError(msg, code="not_the_newest")
    if version.before is None:
        msg = f"import {number} is the first of {city.slug}: there is nothing to go back to"
        raise DataError(msg, code="first_import")
    _restore(session, city.id, unpack(version.before), when)
    changes = session.scalars(
        select(ImportChange).where(ImportChange.import_id == number).order_by(ImportChange.id)
    )
    take_back(session, city.id, changes, batches=version.arrivals)
    _forget_later_factors(session, city.id, unpack(version.before)["factor"])
    version.undone_at, version.undone_by = when, who
    session.flush()
    document = {"import": number, "changes": version.summary}
    audit.record(session, who, "data.undo", city.slug, document)
    return _record(version, city.slug, first=version.before is None)


def undone_imports_of(session: Session, run_id: str) -> list[ImportRecord]:
    """Return the imports that a run may have used and that were undone after it was fitted."""
    return undone_imports(session, [run_id])[run_id]


def undone_imports(session: Session, run_ids: Sequence[str]) -> dict[str, list[ImportRecord]]:
    """Return of each run the imports that :func:`undone_imports_of` tells of it."""
    found: dict[str, list[ImportRecord]] = {run: [] for run in run_ids}
    rows = session.execute(
        _listed(Run.id)
        .join(
            Run,
            (Run.city_id == ImportVersion.city_id)
            & (Run.created_at >= ImportVersion.imported_at)
            & (Run.created_at < ImportVersion.undone_at),
        )
        .where(Run.id.in_(run_ids))
        .order_by(ImportVersion.id)
    )
    for row, slug, first, run in rows:
        found[run].append(_record(row, slug, first=first))
    return found


def _listed(*more: Any) -> Select[Any]:
    """Ask for imports without what they replaced, the slug of their city, whether they are first.

    ``more`` are further columns.
    """
    columns: list[Any] = [ImportVersion, City.slug, ImportVersion.before.is_(None), *more]
    return (
        select(*columns)
        .options(defer(ImportVersion.before), defer(ImportVersion.city_file))
        .join(City, City.id == ImportVersion.city_id)
    )


def _restore(session: Session, city_id: int, before: Mapping[str, Any], when: dt.datetime) -> None:
    """Put back what the city, its districts and its factors were."""
    city = session.get_one(City, city_id)
    (row,) = before["city"]
    for name, value in read_row(City.__table__, row).items():  # type: ignore[arg-type]
        if name not in ("slug", "imported_at"):
            setattr(city, name, value)
    city.imported_at = when  # what was drawn from the data must be drawn again
    session.execute(delete(District).where(District.city_id == city_id))
    districts = [read_row(District.__table__, row) for row in before["district"]]  # type: ignore[arg-type]
    if districts:
        session.execute(insert(District), [{**row, "city_id": city_id} for row in districts])
    there = {
        factor.name: factor
        for factor in session.scalars(select(Factor).where(Factor.city_id == city_id))
    }
    for row in before["factor"]:
        factor = there.get(row["name"])
        if factor is None:
            session.add(Factor(city_id=city_id, **row))
        else:
            for name, value in row.items():
                setattr(factor, name, value)
    session.flush()


def _forget_later_factors(
    session: Session, city_id: int, before: Sequence[Mapping[str, object]]
) -> None:
    names = [row["name"] for row in before]
    for factor in session.scalars(
        select(Factor).where(Factor.city_id == city_id, Factor.name.not_in(names))
    ).all():
        session.execute(delete(Feature).where(Feature.factor_id == factor.id))
        session.delete(factor)
    session.flush()


def _record(row: ImportVersion, slug: str, *, first: bool) -> ImportRecord:
    return ImportRecord(
        id=row.id,
        city=slug,
        imported_at=row.imported_at,
        summary=row.summary,
        first=first,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
        imported_by=row.imported_by,
    )
