"""Commands about the database and the cities in it.

Commands about imports as versions: list them, undo the newest.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.common import (
    ListingGroup,
    Progress,
    all_option,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    settings_for,
    stage_lines,
    this_person,
    with_secret_key,
)
from app.private import close_instance
from app.usecases.city_files import fetching_for, follow
from geodata.cityfile.description import read_city_file
from geodata.clock import utc_now
from geodata.db.engine import upgrade
from geodata.ingest.store import import_city
from geodata.repositories.cities import get_city, list_cities
from geodata.repositories.import_log import list_imports, undo_import
from geodata.repositories.zone_names import name_earlier_zones

if TYPE_CHECKING:
    from geodata.repositories.import_log import ImportRecord


@click.command()
@database_option
def init(database_url: str | None) -> None:
    """Create the database, or upgrade it to this version; make the secret key if there is none."""
    settings = settings_for(database_url)
    close_instance(settings)
    upgrade(settings.database_url, stage_lines())
    with open_for(database_url).session(write=True) as session:
        named = name_earlier_zones(session)
    if named:
        say(f"Zones of earlier runs that have a name now: {named}.")
    with_secret_key(settings)
    say("The database is ready.")


@click.command("import")
@click.argument("city_file", type=click.Path(path_type=Path))
@click.option(
    "--data-root",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="SAFERGROUND_DATA_ROOT",
    help="Folder that the city file's relative paths start from [default: the city file's own].",
)
@all_option
@as_option
@database_option
@json_option
def import_(
    city_file: Path,
    data_root: Path | None,
    who: str | None,
    database_url: str | None,
    *,
    as_json: bool,
    everything: bool,
) -> None:
    """Read every source of CITY_FILE into the database, all or nothing."""
    described = read_city_file(city_file, data_root)
    with Progress() as progress:
        result = import_city(
            open_for(database_url),
            described,
            who=this_person(who),
            fetching=fetching_for(settings_for(database_url), progress),
            progress=progress,
            skip_unchanged=not everything,
        )
    if as_json:
        print_json(result.as_json())
        return
    print_table(
        ["kind", "source", "read", "stored", "left out"],
        [
            [
                report.kind,
                report.source,
                report.read,
                report.stored,
                ", ".join(f"{n} {reason}" for reason, n in report.left_out.items()) or "0",
            ]
            for report in result.sources
        ],
    )
    for report in result.sources:
        for note in report.notes:
            say(f"{report.source}: {note}")


@click.command()
@click.option("--all", "with_archived", is_flag=True, help="Archived ones too.")
@database_option
@json_option
def cities(database_url: str | None, *, with_archived: bool, as_json: bool) -> None:
    """List the cities in the database, without the archived ones."""
    with open_for(database_url).session() as session:
        found = list_cities(session, archived=with_archived)
    if as_json:
        print_json(
            {
                "cities": [
                    {
                        "city": city.slug,
                        "name": city.name,
                        "synthetic": city.synthetic,
                        "incidents": city.incidents,
                        "outcomes": list(city.outcomes),
                        "first": city.first.isoformat() if city.first else None,
                        "last": city.last.isoformat() if city.last else None,
                    }
                    for city in found
                ]
            }
        )
        return
    if not found:
        say("No city yet; import one with: saferground import CITY.toml")
        return
    print_table(
        ["city", "name", "incidents", "outcomes", "first", "last"],
        [[c.slug, c.name, c.incidents, ", ".join(c.outcomes), c.first, c.last] for c in found],
    )


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
    now = utc_now()
    with open_for(database_url).session(write=True) as session:
        record = undo_import(session, number, this_person(who), now)
    follow(open_for(database_url), settings_for(database_url), record.city)
    if as_json:
        print_json(record.as_json())
        return
    say(f"Import {record.id} of {record.city} is undone ({_changes(record)}).")


def _changes(record: ImportRecord) -> str:
    lines = [
        f"{table}: " + ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
        for table, counts in record.summary.items()
    ]
    return "; ".join(lines) or "nothing changed"


def _undone(record: ImportRecord) -> str | None:
    return f"{record.undone_at:%Y-%m-%d} by {record.undone_by}" if record.undone_at else None
