"""Commands that keep an instance from being lost: backup, restore, copies of databases."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from app.cli.common import (
    Progress,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    settings_for,
    this_person,
)
from app.usecases.backup import restore_backup, write_backup
from geodata.db.copying import copy_database, snapshot
from geodata.db.engine import open_database
from geodata.db.engine import upgrade as upgrade_database

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=FILE)
@as_option
@database_option
@json_option
def backup(file: Path, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Write everything that this instance is to FILE, while it is worked with.

    Database, releases, photos, uploads, city files and the secret key, each file with its digest.
    Whoever has FILE can read all of it: keep it where the instance itself could be kept.
    """
    settings = settings_for(database_url)
    with Progress() as progress:
        made = write_backup(
            open_for(database_url), settings.instance, file, this_person(who), progress
        )
    has_key = settings.key_file.name in made.counts()
    if as_json:
        document = {
            "file": str(file),
            "bytes": file.stat().st_size,
            "made_at": made.made_at,
            "schema": made.schema,
            "database": made.database,
            "files": made.counts(),
            "audit": {"last": made.audit_seq, "hash": made.audit_hash},
            "secret_key": has_key,
        }
        print_json(document)
        return
    say(f"{file}: {len(made.files):,} files, {file.stat().st_size / 2**20:,.1f} MB.")
    if not has_key:
        say("The secret key is not in it: it is in the environment. Keep a copy of it yourself.")


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--instance",
    type=click.Path(path_type=Path, file_okay=False),
    help="New folder of the instance [default: SAFERGROUND_INSTANCE, else instance].",
)
@click.option(
    "--database",
    "database_url",
    metavar="URL",
    help="Empty database to fill [default: SQLite in the instance folder].",
)
@as_option
@json_option
def restore(
    file: Path, instance: Path | None, database_url: str | None, who: str | None, *, as_json: bool
) -> None:
    """Restore the backup FILE into a new instance folder, and check it whole.

    Every file is held against its digest, the audit against its chain, every release against its
    manifest. An older backup is brought to this version. A database elsewhere is filled only if
    it is empty; nothing is overwritten.
    """
    folder = instance or settings_for(None).instance
    with Progress() as progress:
        made = restore_backup(file, folder, database_url, this_person(who), progress)
    if as_json:
        document = {
            "instance": str(folder.absolute()),
            "made_at": made.contents.made_at,
            "files": made.contents.counts(),
            "audit_entries": made.audit_entries,
            "releases": made.releases,
        }
        print_json(document)
        return
    say(
        f"{folder}: restored as of {made.contents.made_at}; {made.audit_entries:,} entries of the "
        f"audit and {made.releases:,} releases are whole."
    )


@click.group()
def database() -> None:
    """Work on a database as a whole."""


@database.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@json_option
def copy(source: str, target: str, *, as_json: bool) -> None:
    """Copy all rows of the database FROM into the empty database TO, and compare them.

    Both are addresses: sqlite:///folder/file.sqlite or postgresql://user:password@host/name. The
    schema is made in TO if it has none. Only the database is copied, not the instance's files.
    """
    with closing(open_database(source)) as origin, Progress() as progress:
        upgrade_database(target)
        with closing(open_database(target)) as place, snapshot(origin) as connection:
            found = copy_database(connection, place, progress)
    if as_json:
        tables = {name: {"rows": one.rows, "sha256": one.sha256} for name, one in found.items()}
        print_json({"tables": tables})
        return
    print_table(["table", "rows"], [[name, one.rows] for name, one in found.items() if one.rows])
    say("Every row is the same in both.")
