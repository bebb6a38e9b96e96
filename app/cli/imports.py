"""Commands about imports as versions: list them, undo the newest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from app.city_files import follow
from app.cli.common import (
    ListingGroup,
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
from geodata.store.cities import get_city
from geodata.store.imports import list_imports, undo_import

if TYPE_CHECKING:
    from geodata.store.imports import ImportRecord


@click.group(cls=ListingGroup)
def imports() -> None:
    """List the imports of a city ("imports CITY"), or undo the newest."""


@imports.command("list")
@click.argument("city")
@database_option
@json_option
def list_(city: str, database_url: str | None, *, as_json: bool) -> None:
    """List the imports of CITY, the newest first, and what each changed."""
    with open_for(database_url).session() as session:
        get_city(session, city)
        found = list_imports(session, city)
    if as_json:
        print_json({"city": city, "imports": [record.as_json() for record in found]})
        return
    if not found:
        say(f"No import of {city} is written down; those of earlier versions cannot be undone.")
        return
    print_table(
        ["import", "when", "what", "undone"],
        [
            [
                record.id,
                f"{record.imported_at:%Y-%m-%d %H:%M} UTC",
                _changes(record),
                _undone(record),
            ]
            for record in found
        ],
    )


@imports.command()
@click.argument("number", metavar="IMPORT", type=click.IntRange(1, 2**31 - 1))
@as_option
@database_option
@json_option
def undo(number: int, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Make the data of a city what they were before IMPORT, its newest that stands.

    Runs and releases stay as they are; runs that used the data say so.
    """
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    with open_for(database_url).session(write=True) as session:
        record = undo_import(session, number, this_person(who), now)
    follow(open_for(database_url), settings_for(database_url), record.city)
    if as_json:
        print_json(record.as_json())
        return
    say(f"Import {record.id} of {record.city} is undone ({_changes(record)}).")


def _changes(record: ImportRecord) -> str:
    told = [
        f"{table}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
        for table, counts in record.summary.items()
    ]
    return "; ".join(told) or "nothing changed"


def _undone(record: ImportRecord) -> str | None:
    return f"{record.undone_at:%Y-%m-%d} by {record.undone_by}" if record.undone_at else None
