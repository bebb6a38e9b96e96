"""The command that makes a city of its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.common import json_option, print_json, print_table, say
from app.workbench.city_proposal import CityFiles, propose_city, write_city
from geodata.cityfile.description import SLUG
from geodata.cityfile.schema import SourcePlace
from geodata.errors import DataError
from geodata.ingest.city_folder import CITY_FILE

if TYPE_CHECKING:
    from app.workbench.city_proposal import CityProposal

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("slug")
@click.option("--name", required=True, help="The city's name, such as Hartford, Connecticut.")
@click.option("--districts", required=True, type=FILE, help="Areas of the police districts.")
@click.option("--district-id", required=True, metavar="COLUMN", help="Column of their codes.")
@click.option("--osm", type=FILE, help="OpenStreetMap extract: .osm, .osm.bz2 or .osm.pbf.")
@click.option("--incidents", type=FILE, help="Incidents with day and place; columns are guessed.")
@click.option("--timezone", metavar="ZONE", help="As in America/New_York [default: by the place].")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where city.toml and copies of the files go [default: a folder named SLUG here].",
)
@json_option
def new(
    slug: str,
    name: str,
    districts: Path,
    district_id: str,
    osm: Path | None,
    incidents: Path | None,
    timezone: str | None,
    folder: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write a folder with a city file for SLUG, made of its files, and tell what was found.

    Reference system, cell and block, layers of the map and risk factors are chosen by what the
    files hold; the city file says why. Correct it, then read it with: saferground import
    """
    if not SLUG.fullmatch(slug):
        msg = f"{slug[:80]!r} is no slug; use small letters, digits and hyphens, such as hartford"
        raise DataError(msg, code="slug_form")
    files = CityFiles(
        districts=_place(districts),
        district_id=district_id,
        osm=_place(osm) if osm else None,
        incidents=_place(incidents) if incidents else None,
    )
    proposal = propose_city(slug, name, files, timezone=timezone)
    where = folder or Path(slug)
    write_city(proposal, files, where)
    if as_json:
        print_json(_document(proposal, where))
        return
    _tell(proposal, where)


def _place(path: Path) -> SourcePlace:
    return SourcePlace(label=path.name, path=str(path))


def _document(proposal: CityProposal, folder: Path) -> dict[str, object]:
    return {
        "city": proposal.content["city"]["slug"],
        "folder": str(folder),
        "crs": proposal.system.code,
        "timezone": proposal.system.timezone,
        "cell": proposal.blocks.cell,
        "block": proposal.blocks.block,
        "districts": proposal.districts,
        "base": dict(proposal.survey.base) if proposal.survey else {},
        "factors": [
            {"name": one.factor.name, "title": one.factor.title, "count": one.count,
             "coverage": one.coverage}
            for one in proposal.found
        ],
        "absent": list(proposal.absent),
        "outcomes": dict(proposal.outcomes),
    }  # fmt: skip


def _tell(proposal: CityProposal, folder: Path) -> None:
    system, blocks = proposal.system, proposal.blocks
    lines = [
        [
            "reference system",
            f"{system.code}, {system.name}: {system.why} (another: [city] crs of {CITY_FILE})",
        ],
        ["time zone", f"{system.timezone} (another: --timezone)"],
        ["cell and block", f"{blocks.cell:g} and {blocks.block:g} {system.unit}: {blocks.why}"],
        ["districts", str(proposal.districts)],
    ]
    if proposal.survey:
        base = ", ".join(f"{kind} {count:,}" for kind, count in proposal.survey.base.items())
        lines.append(["for the map", base])
    if proposal.outcomes:
        told = ", ".join(f"{name} {count:,}" for name, count in proposal.outcomes.items())
        lines.append(["outcomes", told])
    for head, text in lines:
        click.echo(f"{head}: {text}")
    if proposal.survey:
        click.echo("")
        print_table(
            ["factor", "called", "count", "districts"],
            [
                [one.factor.name, one.factor.title, one.count, f"{one.coverage:.0%}"]
                for one in proposal.found
            ],
        )
        if proposal.absent:
            click.echo(f"struck out, as there are none: {', '.join(proposal.absent)}")
    click.echo("")
    path = folder / CITY_FILE
    say(f"Written: {path}. Look through it, then: saferground import {path}")
