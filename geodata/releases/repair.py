"""Make the files of releases say what the database says of their approval and withdrawal.

Two things cannot change at once: the database and the files that the public pages read. So they
change in an order that is safe wherever it breaks off:

- **approval**: database, then files. A release that is on file but not on record is hidden.
- **withdrawal**: files, then database. One that is on file alone was begun by a person and broke
  off; it is put on record, never undone.

What broke off is completed here: when a server or a worker starts, and before and after every
command that changes releases.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from geodata.clock import utc_now
from geodata.documents import from_json, to_json
from geodata.errors import DataError, ReleaseError
from geodata.release_manifest import Approval, ReleasePointer, Withdrawal
from geodata.releases.folder import APPROVAL, CURRENT, MANIFEST, WITHDRAWAL
from geodata.repositories import releases

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from geodata.db.engine import Database
    from geodata.repositories.releases import ReleaseRecord

_T = TypeVar("_T", Approval, Withdrawal, ReleasePointer)
Signed = Approval | Withdrawal | ReleasePointer
NOBODY = "saferground"
NO_APPROVAL = "The database has no approval of this release."
NO_REASON = "The reason could not be read."
ASIDE = ".aside-"
LEFT_SECONDS = 3_600.0  # writing a small file takes milliseconds: what is older was broken off


@dataclass(frozen=True, kw_only=True)
class Change:
    """One file to be written, or removed where ``document`` is nothing."""

    path: Path
    document: Signed | None


def repair_releases(database: Database, root: Path) -> tuple[str, ...]:
    """Make the files of every city agree with the database.

    Returns
    -------
    Slugs of the cities whose files or records were changed.

    Raises
    ------
    ReleaseError
        If a file cannot be written.
    """
    with database.session() as session:
        cities = set(releases.cities_with_releases(session))
    cities |= {path.parent.name for path in root.glob(f"*/{CURRENT}")}
    cities |= {path.parent.parent.name for path in root.glob(f"*/*/{APPROVAL}")}
    return tuple(city for city in sorted(cities) if repair_city(database, root, city))


def repair_city(database: Database, root: Path, city: str) -> bool:
    """Make the files of a city's releases agree with the database; tell whether they did not.

    Raises
    ------
    ReleaseError
        If a file cannot be written; what was to be hidden is then hidden first.
    """
    folder = root / city
    _forget_left(folder)
    with database.session() as session:
        begun = _begun_withdrawals(session, folder, city)
        if not begun and not _changes(session, folder, city):
            return False
    if begun:
        with database.session(write=True) as session:
            releases.lock_files(session)
            for identity, result in _begun_withdrawals(session, folder, city).items():
                releases.withdraw_release(session, identity, *_signed(result))
    with database.session(write=True) as session:
        releases.lock_files(session)
        for change in _changes(session, folder, city):
            if change.document is None:
                remove_file(change.path)
            else:
                put_document(change.path, change.document, folder)
    return True


def put_document(path: Path, document: Signed, folder: Path) -> None:
    """Write a document in ``folder``, then put it in its place, so that it survives a power cut.

    It is not written beside its place: what is left there would be no part of the release.

    Raises
    ------
    ReleaseError
        If it cannot be written.
    """
    aside = None
    try:
        handle, name = tempfile.mkstemp(prefix=ASIDE, dir=folder)
        aside = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(to_json(document), ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        if aside is not None:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
        msg = f"{path} cannot be written ({error.strerror or error})"
        raise ReleaseError(msg, code="not_writable") from error


def remove_file(path: Path) -> None:
    """Remove a file that may be gone already.

    Raises
    ------
    ReleaseError
        If it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
        flush_folder(path.parent)
    except OSError as error:
        msg = f"{path} cannot be removed ({error.strerror or error})"
        raise ReleaseError(msg, code="not_writable") from error


def flush_folder(folder: Path) -> None:
    """Have the names in a folder on disk before going on."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def moment(when: dt.datetime) -> str:
    """Write a time, UTC, as files of releases have it."""
    return when.isoformat(timespec="microseconds") + "Z"


def _begun_withdrawals(session: Session, folder: Path, city: str) -> dict[str, Withdrawal]:
    """Return the withdrawals by people that are on file and not on record."""
    found = {}
    for record in releases.list_releases(session, city):
        result = _read(Withdrawal, folder / record.id / WITHDRAWAL)
        if result is not None and not result.unrecorded and record.state != releases.WITHDRAWN:
            found[record.id] = result
    return found


def _changes(session: Session, folder: Path, city: str) -> list[Change]:
    """Return what has to change, in this order: hide, approve, point, show again."""
    records = {one.id: one for one in releases.list_releases(session, city)}
    hide, approve, show = [], [], []
    for identity in _on_disk(folder):
        record, place = records.get(identity), folder / identity
        withdrawal = _read(Withdrawal, place / WITHDRAWAL)
        approved = record is not None and record.approved_at is not None
        if record is not None and record.state == releases.WITHDRAWN:
            wanted = _withdrawn(record)
            if withdrawal != wanted:
                hide.append(Change(path=place / WITHDRAWAL, document=wanted))
        elif not approved and withdrawal is None and (place / APPROVAL).is_file():
            hide.append(Change(path=place / WITHDRAWAL, document=_unrecorded()))
        elif approved and withdrawal is not None and withdrawal.unrecorded:
            show.append(Change(path=place / WITHDRAWAL, document=None))
        if (
            record is not None
            and approved
            and _read(Approval, place / APPROVAL) != _approved(record)
        ):
            approve.append(Change(path=place / APPROVAL, document=_approved(record)))
    return [*hide, *approve, *_pointer(folder, list(records.values())), *show]


def _pointer(folder: Path, records: list[ReleaseRecord]) -> list[Change]:
    """Return the change of what the public pages show: the release that was approved last."""
    visible = [
        (one.approved_at, one.id)
        for one in records
        if one.state == releases.APPROVED
        and one.approved_at is not None
        and (folder / one.id / MANIFEST).is_file()
    ]
    path = folder / CURRENT
    if not visible:
        return [Change(path=path, document=None)] if path.exists() else []
    when, identity = max(visible)
    named = _read(ReleasePointer, path)
    if named is not None and named.release == identity and named.at is not None:
        return []
    return [Change(path=path, document=ReleasePointer(release=identity, at=moment(when)))]


def _on_disk(folder: Path) -> list[str]:
    """Return the ids of the releases whose folders are there."""
    return sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}"))


def _approved(record: ReleaseRecord) -> Approval:
    at = record.approved_at
    return Approval(
        by=record.approved_by, at=moment(at) if at else None, drafted_by=record.drafted_by
    )


def _withdrawn(record: ReleaseRecord) -> Withdrawal:
    when = record.withdrawn_at or record.drafted_at
    return Withdrawal(by=record.withdrawn_by or "", at=moment(when), why=record.withdrawn_why or "")


def _unrecorded() -> Withdrawal:
    return Withdrawal(by=NOBODY, at=moment(utc_now()), why=NO_APPROVAL, unrecorded=True)


def _signed(document: Withdrawal) -> tuple[str, dt.datetime, str]:
    """Read who withdrew a release, when and why; a file that was cut off still counts."""
    try:
        when = dt.datetime.fromisoformat(document.at).astimezone(dt.UTC).replace(tzinfo=None)
    except ValueError:
        when = utc_now()
    return document.by or NOBODY, when, document.why or NO_REASON


def _read(kind: type[_T], path: Path) -> _T | None:
    """Read a document; one that cannot be read is there, and says nothing."""
    try:
        return from_json(kind, path.read_bytes(), str(path), "")
    except FileNotFoundError:
        return None
    except (OSError, DataError):
        return kind()


def _forget_left(folder: Path) -> None:
    """Remove what writing that broke off has left."""
    for path in folder.glob(f"{ASIDE}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > LEFT_SECONDS:
                path.unlink()
