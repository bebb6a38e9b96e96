"""The command that plans the patrols of a shift.

The command that turns positions of units into visits to zones.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.charts.plan_files import ENDINGS, write_plan
from app.cli.common import (
    Progress,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    this_person,
)
from app.i18n import patrol_words
from app.i18n.numbers import sentence
from app.usecases.patrol.planning import (
    PlanRequest,
    make_plan,
    moment_of,
    request_of,
    swapped,
)
from geodata.errors import DataError
from geodata.ingest.visit_matching import MatchAsk, PositionsFile, match_positions
from geodata.plan_document import PinAsk
from geodata.repositories import audit
from geodata.repositories.cities import get_city
from geodata.repositories.patrol_plans import get_plan
from spatial.patrol.travel import TravelSpec

if TYPE_CHECKING:
    from geodata.db.engine import Database
    from geodata.ingest.visit_matching import MatchResult
    from geodata.plan_document import PlanDocument
    from geodata.repositories.patrol_plans import PlanRecord


NEEDED = ("district", "run", "shift", "units")


class _Shift(click.ParamType[tuple[dt.datetime, dt.datetime]]):
    """Two local moments, the end excluded."""

    name = "start/end"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[dt.datetime, dt.datetime]:
        if isinstance(value, tuple):
            return value
        start, slash, end = str(value).partition("/")
        try:
            moments = dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end)
        except ValueError:
            slash = ""
        if not slash or any(moment.tzinfo for moment in moments):
            self.fail(
                f"{value!r} is not a shift; write it in local time as "
                "2026-01-05T18:00/2026-01-06T06:00",
                param,
                ctx,
            )
        return moments


def _parts(value: str, number: int, example: str) -> list[str]:
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != number or not all(parts):
        msg = f"{value!r} cannot be read; write it as {example}"
        raise click.UsageError(msg)
    return parts


def _unit(text: str) -> int:
    if not text.isdigit():
        msg = f"{text!r} is no unit; units are numbered from 1"
        raise click.UsageError(msg)
    return int(text)


@click.command()
@click.argument("city")
@click.option("--district", help="The district whose zones are patrolled.")
@click.option("--run", help="The run whose zones they are.")
@click.option("--shift", type=_Shift(), help="Local start and end; it may cross midnight.")
@click.option("--units", type=int, help="How many units there are.")
@click.option("--minutes", type=int, help="Length of a visit, 5 to 60 [default: 15].")
@click.option("--seed", type=click.IntRange(min=0), help="Another seed, another order.")
@click.option(
    "--break",
    "break_minutes",
    type=click.IntRange(min=0),
    metavar="MINUTES",
    help="Break of each unit, 0 for none [default: 30 in shifts of 6 hours or more].",
)
@click.option("--pin", "pins", multiple=True, metavar="UNIT,ZONE,TIME", help="Fix a visit.")
@click.option("--drop", "drops", multiple=True, metavar="ZONE", help="Leave a zone out.")
@click.option(
    "--revise", metavar="PLAN", help="Make another version of a plan; its settings are kept."
)
@click.option(
    "--swap",
    "swaps",
    multiple=True,
    metavar="UNIT,TIME,UNIT,TIME",
    help="Exchange the zones of two visits of the revised plan.",
)
@click.option("--speed", type=float, metavar="KMH", help="Mean speed [default: 32].")
@click.option("--limit", type=float, metavar="SECONDS", help="Time for the search [default: 8].")
@click.option("--save/--no-save", default=True, show_default=True, help="Keep the plan.")
@click.option(
    "--export",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Also write it to a file; its ending says how: {' '.join(ENDINGS)}.",
)
@as_option
@database_option
@json_option
def plan(
    city: str,
    district: str | None,
    run: str | None,
    shift: tuple[dt.datetime, dt.datetime] | None,
    units: int | None,
    minutes: int | None,
    seed: int | None,
    break_minutes: int | None,
    pins: tuple[str, ...],
    drops: tuple[str, ...],
    revise: str | None,
    swaps: tuple[str, ...],
    speed: float | None,
    limit: float | None,
    files: tuple[Path, ...],
    who: str | None,
    database_url: str | None,
    *,
    save: bool,
    as_json: bool,
) -> None:
    """Plan the visits of patrols to the zones of a district of CITY in one shift.

    ZONE is a zone's id or its rank in the district, TIME a time of day such as 19:30.
    Plans that are kept and files that are written are in the audit.
    """
    document = {
        "district": district,
        "run": run,
        "shift": shift,
        "units": units,
        "minutes": minutes,
        "seed": seed,
        "break_minutes": break_minutes,
        "limit_s": limit,
        "travel": None if speed is None else TravelSpec(speed_kmh=speed),
    }
    options: dict[str, Any] = {name: value for name, value in document.items() if value is not None}
    database = open_for(database_url)
    wanted, exchanged = _requested(database, revise, city, options, swaps)
    fixed = tuple(
        PinAsk(unit=_unit(unit), zone=zone, start=moment_of(wanted.shift, time))
        for unit, zone, time in (_parts(pin, 3, "2,ZONE,19:30") for pin in pins)
    )
    wanted = dataclasses.replace(
        wanted,
        pins=tuple(dict.fromkeys((*wanted.pins, *exchanged, *fixed))),
        dropped=tuple(dict.fromkeys((*wanted.dropped, *drops))),
    )
    with Progress() as progress:
        record = make_plan(
            database, wanted, save=save, created_by=this_person(who), progress=progress
        )
    for file in files:
        _write(database, record, file, this_person(who))
    if as_json:
        print_json(patrol_words.printed(record.document))
    else:
        _print_plan(record.document)


def _requested(
    database: Database,
    revise: str | None,
    city: str,
    options: dict[str, Any],
    swaps: tuple[str, ...],
) -> tuple[PlanRequest, tuple[PinAsk, ...]]:
    """Return the request, of a new plan or of another version, and pins that come of swaps."""
    if revise is not None:
        return _revised(database, revise, city, options, swaps)
    missing = [f"--{name}" for name in NEEDED if name not in options]
    if missing or swaps:
        msg = f"give {', '.join(missing)}" if missing else "--swap needs --revise PLAN"
        raise click.UsageError(msg)
    return PlanRequest(city=city, **options), ()


def _write(database: Database, record: PlanRecord, file: Path, who: str) -> None:
    """Write a plan to a file; the audit says so, as the plan names exact places."""
    write_plan(database, record, file)
    with database.session(write=True) as session:
        document = {"city": record.city, "file": file.name}
        audit.record(session, who, "plan.export", record.id, document)
    say(f"plan {record.id} written to {file}")


def _revised(
    database: Database, plan_id: str, city: str, options: dict[str, Any], swaps: tuple[str, ...]
) -> tuple[PlanRequest, tuple[PinAsk, ...]]:
    """Return what a stored plan was asked, with what is asked anew, and its swapped visits."""
    with database.session() as session:
        before = get_plan(session, plan_id)
    if before.city != city:
        msg = f"plan {plan_id} is of {before.city}, not of {city}; name that city"
        raise DataError(msg, code="plan_of_another_city")
    exchanged: tuple[PinAsk, ...] = ()
    for swap in swaps:
        one, at, two, to = _parts(swap, 4, "1,19:30,2,20:05")
        exchanged += swapped(before, (_unit(one), at), (_unit(two), to))
    return dataclasses.replace(request_of(before), **options), exchanged


def _print_plan(document: PlanDocument) -> None:
    start, end = (moment.isoformat(timespec="minutes") for moment in document.shift)
    click.echo(
        f"plan {document.plan} (version {document.version}): district "
        f"{document.district}, {start} to {end}; {document.visits} visits, "
        f"{document.travel_minutes} minutes of travel by {document.travel_by}"
    )
    click.echo(
        f"worth {document.worth:.3f} of at most {document.bound:.3f} (gap "
        f"{document.gap:.1%}); the rule alone: {document.greedy.visits} visits, "
        f"{document.greedy.travel_min} minutes of travel"
    )
    for unit in document.units:
        lines = [
            (visit.start, f"zone {document.ranks[visit.zone]}{' (pinned)' * visit.pinned}")
            for visit in unit.visits
        ]
        lines += [(unit.rest[0], "break")] if unit.rest else []
        notes = [f"{moment:%H:%M} {what}" for moment, what in sorted(lines)]
        click.echo(f"unit {unit.unit}: {', '.join(notes) or 'no visit'}")
    print_table(
        ["rank", "zone", "expected", "visits", "target", "longest gap"],
        [
            [
                zone.rank,
                zone.zone,
                zone.expected,
                zone.visits,
                "dropped" if zone.dropped else zone.target,
                zone.longest_gap_minutes,
            ]
            for zone in document.zones
        ],
    )
    for found in document.gave_way:
        say(sentence(patrol_words.gave_way(found)))
    for found in document.warnings:
        say(f"warning: {patrol_words.warning(found)}")


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
