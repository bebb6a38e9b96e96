"""The command that turns positions of units into visits to zones."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.common import (
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    this_person,
)
from geodata.matching import MatchAsk, PositionsFile, match_positions
from geodata.store.cities import get_city

if TYPE_CHECKING:
    from geodata.matching import MatchResult

SHOWN = 20


@click.group()
def visits() -> None:
    """Visits to zones: matched from the positions of units."""


@visits.command()
@click.argument("city")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--run", required=True, help="Run whose zones positions are matched to.")
@click.option("--district", help="Only the zones of one district.")
@click.option("--unit", default="unit", show_default=True, help="Column of the unit.")
@click.option(
    "--time",
    "times",
    multiple=True,
    help="Column of the moment; give it twice for a date and a time column [default: time].",
)
@click.option("--x", default="x", show_default=True, help="Column of longitude or easting.")
@click.option("--y", default="y", show_default=True, help="Column of latitude or northing.")
@click.option("--crs", default="EPSG:4326", show_default=True, help="Their reference system.")
@click.option("--activity", help="Column of what was done, if there is one.")
@click.option("--date-format", help="As in %m/%d/%Y, where dates could be read in two ways.")
@click.option(
    "--buffer",
    "buffer_m",
    type=float,
    default=25.0,
    show_default=True,
    help="Metres outside of a zone in which a unit has not left it yet.",
)
@click.option(
    "--joined",
    "joined_minutes",
    type=float,
    default=5.0,
    show_default=True,
    help="Minutes up to which two stays of a unit in a zone are one.",
)
@click.option(
    "--least",
    "least_minutes",
    type=float,
    default=3.0,
    show_default=True,
    help="Minutes below which it is no visit.",
)
@click.option(
    "--silent",
    "silent_minutes",
    type=float,
    default=5.0,
    show_default=True,
    help="Minutes without a position after which nobody knows where the unit was.",
)
@click.option(
    "--dry-run", "dry", is_flag=True, help="Tell what would be stored, and store nothing."
)
@as_option
@database_option
@json_option
def match(
    city: str,
    file: Path,
    run: str,
    district: str | None,
    unit: str,
    times: tuple[str, ...],
    x: str,
    y: str,
    crs: str,
    activity: str | None,
    date_format: str | None,
    buffer_m: float,
    joined_minutes: float,
    least_minutes: float,
    silent_minutes: float,
    who: str | None,
    database_url: str | None,
    *,
    dry: bool,
    as_json: bool,
) -> None:
    """Match the positions in FILE to the zones of a run of CITY and store them as visits.

    A visit begins where a unit enters a zone and ends where it leaves the zone and the buffer
    around it. What is stored is an import, which can be undone: saferground imports CITY.
    """
    if len(times) > 2:
        msg = "name one column, or a date and a time column"
        raise click.BadParameter(msg, param_hint="--time")
    database = open_for(database_url)
    source = PositionsFile(
        path=file,
        unit=unit,
        time=times or ("time",),
        x=x,
        y=y,
        crs=crs,
        activity=activity,
        date_format=date_format,
    )
    ask = MatchAsk(
        run=run,
        district=district,
        buffer_m=buffer_m,
        joined_minutes=joined_minutes,
        least_minutes=least_minutes,
        silent_minutes=silent_minutes,
        dry=dry,
    )
    result = match_positions(database, city, source, ask, this_person(who))
    if as_json:
        print_json(result.as_json())
        return
    with database.session() as session:
        zone = zoneinfo.ZoneInfo(get_city(session, city).timezone)
    _print(result, zone)


def _print(result: MatchResult, zone: zoneinfo.ZoneInfo) -> None:
    report = result.positions
    say(f"{report.read:,} positions read, {report.stored:,} of them in visits.")
    for reason, number in report.left_out.items():
        say(f"  left out: {number:,} {reason}")
    for note in report.notes:
        say(f"  {note}")
    for what, number in result.visits.items():
        say(f"  visits {what.replace('_', ' ')}: {number:,}")
    if result.number is not None:
        say(f"  stored as import {result.number}; saferground imports undo {result.number}")
    if len(result.found) == 0:
        say("No visit was found. Check the columns, the run and --buffer.")
        return

    def local(ms: float) -> str:
        return f"{dt.datetime.fromtimestamp(ms / 1000, zone):%Y-%m-%d %H:%M}"

    print_table(
        ["zone", "unit", "start", "minutes", "positions"],
        [
            [
                row["zone"],
                row["unit"],
                local(row["start_ms"]),
                round((row["end_ms"] - row["start_ms"]) / 60_000, 1),
                row["positions"],
            ]
            for row in result.found.head(SHOWN).to_dict("records")
        ],
    )
    if len(result.found) > SHOWN:
        say(f"... and {len(result.found) - SHOWN} more; --json tells all")
