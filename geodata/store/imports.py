"""Imports as versions of a city's data: listed, and undone, the newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from geodata.errors import DataError, NotStoredError
from geodata.store import audit
from geodata.store.changes import pack, plain, read_row, row_columns, take_back, unpack
from geodata.tables.core import City, District, Factor, Feature, Run
from geodata.tables.imports import ImportChange, ImportVersion

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.orm import Session

    from geodata.cityfile.description import CityFile
    from geodata.store.changes import ChangeLog


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

    def as_json(self) -> dict[str, Any]:
        """Give the record as scripts read it."""
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
    told = {}
    for name, model in tables.items():
        owner = City.id if name == "city" else model.city_id  # type: ignore[attr-defined]
        columns = [model.__table__.c[n] for n in row_columns(model.__table__)]  # type: ignore[arg-type]
        rows = session.execute(select(*columns).where(owner == city.id).order_by(order[name]))
        told[name] = [dict(row._mapping) for row in rows]
    return pack(told)


@dataclass(frozen=True, kw_only=True)
class Described:
    """The city file of an import: its sections, and the folder that its sources start from.

    ``number`` is that of the import.
    """

    number: int
    content: dict[str, Any]
    root: str


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
        told = session.scalar(
            select(ImportVersion.city_file)
            .where(ImportVersion.city_id == city_id, ImportVersion.undone_at.is_(None))
            .order_by(ImportVersion.id.desc())
            .limit(1)
        )
    else:
        told = {"content": plain(dict(described.content)), "root": described.root}
    version = ImportVersion(
        city_id=city_id,
        imported_at=when,
        summary=log.summary(),
        before=before,
        city_file=told,
        imported_by=who[:200] or None,
    )
    session.add(version)
    session.flush()
    log.save(session, version.id)
    return version.id


def list_imports(session: Session, slug: str) -> list[ImportRecord]:
    """List the imports of a city, newest first."""
    rows = session.scalars(
        select(ImportVersion)
        .join(City, City.id == ImportVersion.city_id)
        .where(City.slug == slug)
        .order_by(ImportVersion.id.desc())
    )
    return [_record(row, slug) for row in rows]


def newest_import(session: Session, slug: str) -> int | None:
    """Give the number of the newest import of a city that stands."""
    return session.scalar(
        select(ImportVersion.id)
        .join(City, City.id == ImportVersion.city_id)
        .where(City.slug == slug, ImportVersion.undone_at.is_(None))
        .order_by(ImportVersion.id.desc())
        .limit(1)
    )


def city_file_of(session: Session, slug: str) -> Described:
    """Give the city file of the newest import of a city that stands.

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
        raise NotStoredError(msg)
    kept = version.city_file
    return Described(number=version.id, content=kept["content"], root=kept["root"])


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
        raise DataError(msg)


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
        raise NotStoredError(msg)
    city = session.get_one(City, version.city_id)
    newest = session.scalar(
        select(ImportVersion.id)
        .where(ImportVersion.city_id == city.id, ImportVersion.undone_at.is_(None))
        .order_by(ImportVersion.id.desc())
        .limit(1)
    )
    if version.undone_at is not None:
        msg = f"import {number} was undone already, on {version.undone_at:%Y-%m-%d}"
        raise DataError(msg)
    if newest != number:
        msg = f"import {newest} came after import {number}; undo the newest first"
        raise DataError(msg)
    if version.before is None:
        msg = f"import {number} is the first of {city.slug}: there is nothing to go back to"
        raise DataError(msg)
    _restore(session, city.id, unpack(version.before), when)
    changes = session.scalars(
        select(ImportChange).where(ImportChange.import_id == number).order_by(ImportChange.id)
    )
    take_back(session, city.id, changes)
    _forget_later_factors(session, city.id, unpack(version.before)["factor"])
    version.undone_at, version.undone_by = when, who
    session.flush()
    told = {"import": number, "changes": version.summary}
    audit.record(session, who, "data.undo", city.slug, told)
    return _record(version, city.slug)


def undone_imports_of(session: Session, run_id: str) -> list[ImportRecord]:
    """Give the imports that a run may have used and that were undone after it was fitted."""
    run = session.get(Run, run_id)
    if run is None:
        return []
    city = session.get_one(City, run.city_id)
    rows = session.scalars(
        select(ImportVersion)
        .where(
            ImportVersion.city_id == run.city_id,
            ImportVersion.imported_at <= run.created_at,
            ImportVersion.undone_at > run.created_at,
        )
        .order_by(ImportVersion.id)
    )
    return [_record(row, city.slug) for row in rows]


def _restore(session: Session, city_id: int, before: dict[str, Any], when: dt.datetime) -> None:
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


def _forget_later_factors(session: Session, city_id: int, before: list[dict[str, Any]]) -> None:
    names = [row["name"] for row in before]
    for factor in session.scalars(
        select(Factor).where(Factor.city_id == city_id, Factor.name.not_in(names))
    ).all():
        session.execute(delete(Feature).where(Feature.factor_id == factor.id))
        session.delete(factor)
    session.flush()


def _record(row: ImportVersion, slug: str) -> ImportRecord:
    return ImportRecord(
        id=row.id,
        city=slug,
        imported_at=row.imported_at,
        summary=row.summary,
        first=row.before is None,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
        imported_by=row.imported_by,
    )
