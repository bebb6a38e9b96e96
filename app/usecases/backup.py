"""Back up an instance while it is worked with, and restore it: database, releases, files, key.

A backup is one compressed tar: ``database.sqlite``, whatever kind of database it came from, the
folders of the instance as they lie, and last ``backup.json`` with the digest of every file. The
database is that of one moment; releases recorded later are left out, so that what the public saw
and what the records say agree. Maps and previews are made anew from the rest and are not in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from sqlalchemy import select

from geodata.clock import utc_now
from geodata.db.copying import copy_database, snapshot
from geodata.db.engine import Database, open_database, schema_of, upgrade
from geodata.db.tables import City, ImportVersion, Release
from geodata.documents import from_json, to_json
from geodata.errors import BackupError
from geodata.releases.folder import APPROVAL, MANIFEST, ReleaseFolder
from geodata.releases.repair import repair_releases
from geodata.repositories import audit
from geodata.repositories.releases import APPROVED, WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import IO

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

FORMAT = 1
DATABASE, CONTENTS, KEY = "database.sqlite", "backup.json", "secret_key"
INSTANCE_DATABASE = "saferground.sqlite"
RELEASES = "releases"
FOLDERS = (RELEASES, "photos", "uploads", "cities", "sources")
AT_A_TIME = 1 << 20  # bytes
COMPRESSION = 3  # gzip: of what is kept, photos and Parquet do not shrink; the rest does at once
MOST_FAULTS = 3
ANOTHER = "take another backup"


@dataclass(frozen=True, kw_only=True)
class BackupFile:
    """One file of a backup; ``size`` in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class BackupContents:
    """``backup.json``: what a backup contains, and of which moment.

    ``instance`` is the folder that was backed up; ``schema`` the revision of its database;
    ``audit_seq`` and ``audit_hash`` are number and hash of its last audit entry.
    """

    format: int
    made_at: str
    software: str
    schema: str
    database: str
    instance: str
    audit_seq: int
    audit_hash: str
    files: tuple[BackupFile, ...]

    def counts(self) -> dict[str, int]:
        """Return how many files there are by the folder they are in."""
        return dict(Counter(PurePosixPath(one.name).parts[0] for one in self.files))


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restored instance was checked against: entries of the audit, releases by digest."""

    contents: BackupContents
    audit_entries: int
    releases: int


def write_backup(
    database: Database,
    instance: Path,
    file: Path,
    who: str,
    progress: Callable[[str, int, int], None] | None = None,
) -> BackupContents:
    """Write everything that an instance is into one file, whole or not at all.

    Parameters
    ----------
    database
        Of the instance; it may be worked with meanwhile.
    instance
        Folder of the instance.
    file
        Gets the backup; one that is there is replaced once the new one is whole.
    who
        Who asked, for the audit.

    Raises
    ------
    BackupError
        If a file cannot be read or written.
    """
    tell = progress or (lambda *_: None)
    part = file.with_name(f".{file.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as aside:
            copied = Path(aside) / DATABASE
            with snapshot(database) as connection:
                tell("database", 0, 1)
                head, states = audit.head(connection), _release_states(connection)
                _save_database(connection, copied)
            with tarfile.open(part, "w:gz", compresslevel=COMPRESSION) as tar:
                found = [_add(tar, DATABASE, copied)]
                paths = list(_files(instance, states))
                for number, (name, path) in enumerate(paths):
                    tell("files", number, len(paths))
                    found.append(_add(tar, name, path))
                kept = tuple(one for one in found if one is not None)
                contents = _contents(database, instance, copied, head, kept)
                _add_contents(tar, contents, Path(aside))
        _sync(part)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        msg = f"{file}: the backup cannot be written ({error.strerror or error}); {ANOTHER}"
        raise BackupError(msg, code="unwritable", file=str(file)) from error
    with database.session(write=True) as session:
        audit.record(session, who, "backup.write", file.name, {"files": len(contents.files)})
    return contents


def restore_backup(
    file: Path,
    instance: Path,
    database_url: str | None,
    who: str,
    progress: Callable[[str, int, int], None] | None = None,
) -> Restored:
    """Restore an instance from a backup into a folder that is not there yet, or is empty.

    Everything is unpacked and checked beside the folder and put in its place at the end.

    Parameters
    ----------
    file
        A backup.
    instance
        Folder of the new instance.
    database_url
        An empty database to fill; nothing for SQLite in the instance.
    who
        Who asked, for the audit.

    Raises
    ------
    BackupError
        If the file is no backup, is damaged, or the folder has files of its own.
    StoreError
        If the database cannot be filled.
    """
    tell = progress or (lambda *_: None)
    instance = instance.absolute()
    if instance.exists() and (not instance.is_dir() or any(instance.iterdir())):
        msg = f"{instance} is there already and not empty; name another --instance, or move it away"
        raise BackupError(msg, code="instance_not_empty", instance=str(instance))
    aside = instance.with_name(f".{instance.name}.restoring")
    shutil.rmtree(aside, ignore_errors=True)  # what a restore left that was killed
    try:
        aside.mkdir(parents=True, mode=0o700)
        contents = _unpack(file, aside, tell)
        url = f"sqlite:///{aside / INSTANCE_DATABASE}"
        (aside / DATABASE).rename(aside / INSTANCE_DATABASE)
        restored = _checked(contents, url, aside, instance, tell)
        if database_url is not None:
            _fill(url, database_url, tell)
            (aside / INSTANCE_DATABASE).unlink()
        if instance.exists():
            instance.rmdir()
        aside.rename(instance)
    except OSError as error:
        msg = f"{error.filename or aside}: cannot be restored ({error.strerror or error})"
        raise BackupError(msg, code="unwritable", file=str(file)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    opened = open_database(database_url or f"sqlite:///{instance / INSTANCE_DATABASE}")
    with closing(opened) as database, database.session(write=True) as session:
        audit.record(session, who, "backup.restore", file.name, {"made_at": contents.made_at})
    return restored


def _contents(
    database: Database,
    instance: Path,
    copied: Path,
    head: tuple[int, str],
    files: tuple[BackupFile, ...],
) -> BackupContents:
    return BackupContents(
        format=FORMAT,
        made_at=f"{utc_now().isoformat(timespec='seconds')}Z",
        software=version("saferground"),
        schema=schema_of(f"sqlite:///{copied}") or "",
        database=database.engine.dialect.name,
        instance=str(instance.absolute()),
        audit_seq=head[0],
        audit_hash=head[1],
        files=files,
    )


def _save_database(connection: Connection, path: Path) -> None:
    """Write what a snapshot sees as an SQLite file."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        with closing(sqlite3.connect(path)) as target:
            driver.backup(target)  # in the transaction of the snapshot
        return
    url = f"sqlite:///{path}"
    upgrade(url)
    with closing(open_database(url)) as target_database:
        copy_database(connection, target_database)


def _release_states(connection: Connection) -> dict[str, str]:
    query = select(City.slug, Release.id, Release.state).join(City, City.id == Release.city_id)
    return {f"{slug}/{identity}": state for slug, identity, state in connection.execute(query)}


def _files(instance: Path, states: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Return names in the backup and paths of what the instance keeps, in a fixed order."""
    if (instance / KEY).is_file():
        yield KEY, instance / KEY
    for folder in FOLDERS:
        for path in sorted((instance / folder).rglob("*")):
            name = path.relative_to(instance).as_posix()
            if path.is_symlink() or not path.is_file():
                continue
            if folder != RELEASES or _belongs(name, states):
                yield name, path


def _belongs(name: str, states: Mapping[str, str]) -> bool:
    """Return whether a file of a release was on record at the moment of the database.

    Pointers to releases are left out: they are made anew from the records.
    """
    _, city, *inner = PurePosixPath(name).parts
    state = states.get(f"{city}/{inner[0]}")
    return state is not None and (inner[1:] != [APPROVAL] or state in (APPROVED, WITHDRAWN))


class _Hashed:
    """Reads a file and takes the digest of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        content = self.file.read(size)
        self.digest.update(content)
        return content


def _add(tar: tarfile.TarFile, name: str, path: Path) -> BackupFile | None:
    """Add a file as it is now; one that went meanwhile is left out."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        about = tarfile.TarInfo(name)
        about.size, about.mtime = os.fstat(file.fileno()).st_size, int(path.stat().st_mtime)
        about.mode = 0o600
        reader = _Hashed(file)
        tar.addfile(about, cast("IO[bytes]", reader))
    return BackupFile(name=name, size=about.size, sha256=reader.digest.hexdigest())


def _add_contents(tar: tarfile.TarFile, contents: BackupContents, aside: Path) -> None:
    path = aside / CONTENTS
    path.write_text(json.dumps(to_json(contents), indent=1), encoding="utf-8")
    _add(tar, CONTENTS, path)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _unpack(file: Path, aside: Path, tell: Callable[[str, int, int], None]) -> BackupContents:
    """Unpack a backup and hold every file against its digest."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            for number, member in enumerate(tar):
                tell("unpacking", number, number + 1)
                top = PurePosixPath(member.name).parts[:1]
                if not member.isfile() or top not in {
                    (one,) for one in (*FOLDERS, KEY, DATABASE, CONTENTS)
                }:
                    raise _no_backup(file, f"it has {member.name[:80]!r}, which no backup has")
                tar.extract(member, aside, filter="data")
        document = json.loads((aside / CONTENTS).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not file.exists():
            msg = f"{file}: there is no such file"
            raise BackupError(msg, code="no_file", file=str(file)) from error
        raise _no_backup(file, "it ends before its list of contents") from error
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        raise _no_backup(file, str(error)[:120]) from error
    (aside / CONTENTS).unlink()
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _no_backup(file, "another version of this software made it; restore it with that one")
    contents = from_json(BackupContents, document, str(file), ANOTHER, BackupError)
    faults = [fault for one in contents.files if (fault := _fault(aside, one))]
    if faults:
        raise _no_backup(file, "; ".join(faults[:MOST_FAULTS]))
    return contents


def _fault(aside: Path, one: BackupFile) -> str | None:
    path = aside / one.name
    if not path.is_file():
        return f"{one.name} is missing"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return None if digest == one.sha256 else f"{one.name} differs from its digest"


def _no_backup(file: Path, why: str) -> BackupError:
    msg = f"{file} cannot be restored: {why}. Nothing was changed; use another backup"
    return BackupError(msg, code="unusable", file=str(file))


def _checked(
    contents: BackupContents,
    url: str,
    aside: Path,
    instance: Path,
    tell: Callable[[str, int, int], None],
) -> Restored:
    """Bring the database to this version, then hold audit and releases against what is noted."""
    tell("checking", 0, 2)
    upgrade(url)
    with closing(open_database(url)) as database:
        with database.session(write=True) as session:
            known = (contents.audit_seq, contents.audit_hash) if contents.audit_seq else None
            verdict = audit.verify(session, known)
            if verdict.fault:
                msg = f"the audit of this backup is not whole: {verdict.fault}; {ANOTHER}"
                raise BackupError(msg, code="audit_broken")
            _move_roots(session, contents.instance, str(instance))
        tell("checking", 1, 2)
        folders = sorted(path.parent for path in (aside / RELEASES).glob(f"*/*/{MANIFEST}"))
        for folder in folders:
            faults = ReleaseFolder(path=folder).verify()
            if faults:
                msg = f"release {folder.name}: {'; '.join(faults[:MOST_FAULTS])}; {ANOTHER}"
                raise BackupError(msg, code="release_altered", release=folder.name)
        repair_releases(database, aside / RELEASES)
    return Restored(contents=contents, audit_entries=verdict.entries, releases=len(folders))


def _move_roots(session: Session, before: str, after: str) -> None:
    """Let city files whose sources lay in the instance find them in the new one."""
    for one in session.scalars(select(ImportVersion).where(ImportVersion.city_file.is_not(None))):
        kept = one.city_file
        if kept is not None and Path(kept.root).is_relative_to(before):
            root = Path(after) / Path(kept.root).relative_to(before)
            one.city_file = replace(kept, root=str(root))


def _fill(url: str, database_url: str, tell: Callable[[str, int, int], None]) -> None:
    upgrade(database_url)
    with (
        closing(open_database(url)) as source,
        closing(open_database(database_url)) as target,
        snapshot(source) as connection,
    ):
        copy_database(connection, target, tell)
