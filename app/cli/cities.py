"""Commands about the database and the cities in it."""

from __future__ import annotations

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
    stage_lines,
    this_person,
    with_secret_key,
)
from app.fetching import fetching_for
from app.private import close_instance
from geodata.cityfile.description import read_city_file
from geodata.database import upgrade
from geodata.importing import import_city
from geodata.store.cities import list_cities


@click.command()
@database_option
def init(database_url: str | None) -> None:
    """Create the database, or upgrade it to this version; make the secret key if there is none."""
    settings = settings_for(database_url)
    close_instance(settings)
    upgrade(settings.database_url, stage_lines())
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
@database_option
@json_option
def cities(database_url: str | None, *, as_json: bool) -> None:
    """List the cities in the database."""
    with open_for(database_url).session() as session:
        found = list_cities(session)
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
