"""Open, create and upgrade the database: SQLite by default, PostgreSQL with PostGIS on servers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import shapely
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from geodata.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine

BUSY_TIMEOUT_MS = 30_000
DatabaseFailure = DBAPIError  # what the driver raises when the database itself gives way


class Database:
    """An open database whose schema is the one this code was written for."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def session(self, *, write: bool = False, wait_ms: int = BUSY_TIMEOUT_MS) -> Iterator[Session]:
        """Open one transaction: committed at the end, rolled back on any error.

        ``write`` takes SQLite's write lock at once, so that a long transaction cannot find itself
        overtaken half-way; PostgreSQL needs no such word. ``wait_ms`` (milliseconds) is how long
        to wait for that lock. What was read may still be looked at after the end.
        """
        with self.engine.connect() as connection:
            connection = connection.execution_options(
                saferground_write=write, saferground_wait_ms=wait_ms
            )
            with Session(connection, expire_on_commit=False) as session, session.begin():
                yield session
            connection.commit()

    def check(self) -> None:
        """Read from the database.

        Raises
        ------
        StoreError
            If it cannot be read, or no longer has the schema that this code was written for.
        """
        with _connected(self.engine) as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found != _scripts().get_current_head():
            msg = f"{_visible(self.engine.url)} no longer holds this version's schema; restart"
            raise StoreError(msg, code="schema_changed")

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database that is ready for use.

    Raises
    ------
    StoreError
        If it cannot be reached, has no schema, or has another version's schema.
    """
    engine = _engine(url)
    newest = _scripts().get_current_head()
    try:
        with _connected(engine) as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except StoreError:
        engine.dispose()
        raise
    if found == newest:
        return Database(engine)
    engine.dispose()
    _require_known(found, engine.url)
    msg = (
        f"{_visible(engine.url)} holds no Safer Ground database yet; run: saferground init"
        if found is None
        else f"{_visible(engine.url)} is from an older version; upgrade it with: saferground init"
    )
    raise StoreError(msg, code="schema")


def _require_known(found: str | None, url: URL) -> None:
    """Raise ``StoreError`` if a schema is of a version that came after this one."""
    if found is None or found in {script.revision for script in _scripts().walk_revisions()}:
        return
    msg = (
        f"{_visible(url)} was made by a newer version of Safer Ground (schema {found}); install "
        "that version or name another database"
    )
    raise StoreError(msg, code="newer_version")


def schema_of(url: str) -> str | None:
    """Return the revision of a database's schema, nothing where it has none."""
    engine = _engine(url)
    try:
        with _connected(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def upgrade(url: str, progress: Callable[[str], None] | None = None) -> None:
    """Create the schema, or bring it to this version, in one transaction.

    Raises
    ------
    StoreError
        If the database cannot be reached or written, lacks PostGIS, or is of a newer version.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        _make_folder(parsed)
    engine = _engine(url)
    try:
        with _connected(engine) as connection:
            before = MigrationContext.configure(connection).get_current_revision()
            _require_known(before, engine.url)
            if connection.dialect.name == "postgresql":
                _require_postgis(connection)
            connection.commit()
            config = _config()
            config.attributes["connection"] = connection
            with connection.begin():
                command.upgrade(config, "head")
            after = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    if progress:
        progress(
            f"schema {after} is up to date" if before == after else f"schema {after} put in place"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "geodata:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = (
            "the database address cannot be read; write it as sqlite:///folder/file.sqlite or "
            "postgresql://user:password@host/name"
        )
        raise StoreError(msg, code="address_form") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        msg = f"{parsed.get_backend_name()} is no database known here; use sqlite or postgresql"
        raise StoreError(msg, code="unknown_database")
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def _engine(url: str) -> Engine:
    parsed = _parse(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, poolclass=NullPool)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(parsed, pool_pre_ping=True)
    except (NoSuchModuleError, ArgumentError) as error:
        msg = f"no driver for {parsed.drivername}; use sqlite:/// or postgresql://"
        raise StoreError(msg, code="no_driver") from error
    return engine


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """Connect, and tell in one line, without the password, why it failed."""
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        cause = " ".join(str(error.orig).split())[:200]
        remedy = (
            "check that the folder exists and can be written"
            if engine.dialect.name == "sqlite"
            else "check that the server runs and that the address, user and password are right"
        )
        msg = f"{_visible(engine.url)} cannot be used ({cause}); {remedy}"
        raise StoreError(msg, code="unusable") from error


def _visible(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _make_folder(url: URL) -> None:
    from pathlib import Path as _Path

    if not url.database or url.database == ":memory:":
        msg = "an SQLite database needs a file: sqlite:///folder/file.sqlite"
        raise StoreError(msg, code="no_file")
    folder: Path = _Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the folder {folder} cannot be made ({error.strerror}); choose another --database"
        raise StoreError(msg, code="folder_not_writable") from error


def _require_postgis(connection: Connection) -> None:
    try:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
    except DBAPIError as error:
        msg = (
            f"{_visible(connection.engine.url)} has no PostGIS and it cannot be added with this "
            "user; ask its administrator to run: CREATE EXTENSION postgis"
        )
        raise StoreError(msg, code="no_postgis") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Turn on what SQLite leaves off, and give the triggers the box of a shape."""
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    for edge, position in (("west", 0), ("south", 1), ("east", 2), ("north", 3)):
        connection.create_function(f"shape_{edge}", 1, _edge(position), deterministic=True)
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "foreign_keys = ON",
        "synchronous = FULL",  # what files follow must outlast a power cut
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    wait_ms = options.get("saferground_wait_ms", BUSY_TIMEOUT_MS)
    if wait_ms != BUSY_TIMEOUT_MS:  # the connection is closed after its transaction (NullPool)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {wait_ms:d}")
    write = options.get("saferground_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _edge(position: int) -> Callable[[bytes | None], float | None]:
    def edge(wkb: bytes | None) -> float | None:
        if wkb is None:
            return None
        value = float(shapely.bounds(shapely.from_wkb(wkb))[position])
        return None if value != value else value  # an empty shape has no box

    return edge
