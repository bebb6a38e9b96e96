"""Commands about initiatives: import a city's file, list them, show one and its history.

Commands about measures.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.common import (
    DAY,
    as_option,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
    this_person,
)
from app.i18n import numbers
from app.usecases.measures import measure_city
from geodata.cityfile.initiatives import SECTIONS, city_of, read_initiatives
from geodata.clock import utc_now
from geodata.errors import NotStoredError
from geodata.measures.registry import MEASURES, measures_of_city
from geodata.repositories.cities import get_city
from geodata.repositories.initiatives import (
    get_initiative,
    initiative_history,
    list_initiatives,
    record_initiatives,
    retired_initiatives,
)
from geodata.repositories.runs_in_use import nothing_in_use

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable

    from sqlalchemy.orm import Session

    from geodata.cityfile.initiatives import Initiative, Strategy
    from geodata.measures.record import MeasureValue
    from geodata.repositories.initiatives import HistoryEntry, InitiativeRecord


def known_measures(session: Session, file: Path) -> Collection[str]:
    """Return the ids that a file of initiatives may name: of its city, if it is stored."""
    try:
        return measures_of_city(get_city(session, city_of(file)))
    except NotStoredError:
        return MEASURES


@click.group()
def initiatives() -> None:
    """Import, list and show the initiatives of a city and their strategies."""


@initiatives.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@as_option
@database_option
@json_option
def import_(file: Path, who: str | None, database_url: str | None, *, as_json: bool) -> None:
    """Store what FILE says of a city's initiatives; what was said before is kept."""
    with open_for(database_url).session(write=True) as session:
        read = read_initiatives(file, known_measures(session, file))
        now = utc_now()
        result = record_initiatives(session, read, now, this_person(who))
    if as_json:
        print_json(result.as_json())
        return
    print_table(
        ["initiative", "what"],
        [
            [slug, what]
            for what in ("added", "changed", "unchanged", "retired")
            for slug in getattr(result, what)
        ],
    )
    for note in result.notes:
        say(note)


@initiatives.command("list")
@click.argument("city")
@database_option
@json_option
def list_(city: str, database_url: str | None, *, as_json: bool) -> None:
    """List the initiatives of CITY in the order of its file; retired ones come last."""
    with open_for(database_url).session() as session:
        found = [*list_initiatives(session, city), *retired_initiatives(session, city)]
    if as_json:
        print_json({"city": city, "initiatives": [_summary(record) for record in found]})
        return
    if not found:
        say(f"No initiative of {city} yet; import them with: saferground initiatives import FILE")
        return
    print_table(
        ["initiative", "number", "status", "owner", "updated", "title"],
        [
            [
                record.initiative.slug,
                record.initiative.number,
                record.initiative.status if record.listed else "retired",
                record.initiative.owner,
                record.initiative.updated,
                record.initiative.title,
            ]
            for record in found
        ],
    )


@initiatives.command()
@click.argument("city")
@click.argument("slug")
@click.option("--history", is_flag=True, help="Tell what was said when, newest first.")
@database_option
@json_option
def show(city: str, slug: str, database_url: str | None, *, history: bool, as_json: bool) -> None:
    """Show the initiative SLUG of CITY as it stands."""
    with open_for(database_url).session() as session:
        record = get_initiative(session, city, slug)
        lines = initiative_history(session, city, slug) if history else []
    if as_json:
        document = _stated(record, city)
        print_json(document | ({"history": [_event(e) for e in lines]} if history else {}))
        return
    if history:
        _print_history(lines)
    else:
        _print_initiative(record)


def _summary(record: InitiativeRecord) -> dict[str, object]:
    stated = record.initiative
    keys = ("slug", "number", "title", "goal", "status", "owner")
    return {
        **{key: getattr(stated, key) for key in keys},
        "updated": stated.updated.isoformat(),
        "strategies": [strategy.slug for strategy in stated.strategies],
        "retired": not record.listed,
        "recorded_at": _moment(record.recorded_at),
    }


def _stated(record: InitiativeRecord, city: str) -> dict[str, object]:
    return {
        "city": city,
        "retired": not record.listed,
        "recorded_at": _moment(record.recorded_at),
        "content_sha256": record.content_sha256,
        "initiative": record.initiative.as_json(),
    }


def _event(entry: HistoryEntry) -> dict[str, object]:
    return {
        "event": entry.event,
        "recorded_at": _moment(entry.recorded_at),
        "content_sha256": entry.content_sha256,
        "changes": list(entry.changes),
        "initiative": entry.initiative.as_json() if entry.initiative else None,
    }


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"


def _print_initiative(record: InitiativeRecord) -> None:
    initiative = record.initiative
    click.echo(f"{initiative.number} {initiative.title}")
    click.echo(
        f"{initiative.status}; {initiative.owner}; updated {initiative.updated}"
        + ("" if record.listed else "; retired: no longer on the city's list")
    )
    click.echo(f"goal: {initiative.goal}")
    for key, title in SECTIONS.items():
        _print_paragraphs(title, getattr(initiative.narrative, key))
    for strategy in initiative.strategies:
        _print_strategy(strategy)
    if initiative.facts:
        _print_facts(initiative)


def _print_strategy(strategy: Strategy) -> None:
    _print_paragraphs(f"Strategy: {strategy.title} ({strategy.status})", strategy.summary)
    for head, measures in (
        ("measures", strategy.measures),
        ("also touched", strategy.also_touched),
    ):
        if measures:
            click.echo(f"{head}: {', '.join(measures)}")
    for target in strategy.targets:
        click.echo(f"target: {target.measure} {target.target:g} ({target.source})")


def _print_paragraphs(head: str, paragraphs: Iterable[str]) -> None:
    click.echo(f"\n{head}")
    for paragraph in paragraphs:
        click.echo(f"  {paragraph}")


def _print_facts(initiative: Initiative) -> None:
    click.echo("\nPublished figures")
    for fact in initiative.facts:
        unit, period = (
            f" {fact.unit}" if fact.unit else "",
            f", {fact.period}" if fact.period else "",
        )
        click.echo(f"  {fact.label}: {fact.value}{unit}{period}")
        click.echo(f"    {fact.source} ({fact.quality}), {fact.url}")
        if fact.note:
            click.echo(f"    {fact.note}")


def _print_history(lines: Iterable[HistoryEntry]) -> None:
    for entry in lines:
        initiative = entry.initiative
        what = (
            f"said, updated {initiative.updated}, {initiative.status}"
            if initiative
            else entry.event
        )
        click.echo(f"{_moment(entry.recorded_at)}  {what}")
        for change in entry.changes:
            click.echo(f"  {change}")


@click.command()
@click.argument("city")
@click.option("--from", "start", type=DAY, help="First day [default: the first with any row].")
@click.option("--to", "end", type=DAY, help="Day after the last [default: tomorrow].")
@click.option("--district", metavar="ID", help="Rows of one district only.")
@click.option("--measure", "ids", metavar="ID", multiple=True, help="Only this one; repeatable.")
@database_option
@json_option
def measures(
    city: str,
    start: dt.date | None,
    end: dt.date | None,
    district: str | None,
    ids: tuple[str, ...],
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Work out the measures of CITY, each with its denominator, interval and date."""
    found = measure_city(
        open_for(database_url), city, start=start, end=end, district=district, ids=ids or None
    )
    if found.unused and any(value.measure.id.startswith("zones.") for value in found.values):
        say(f"Measures of zones are not known: {nothing_in_use(city)}")
    if as_json:
        print_json(
            {
                "city": city,
                "from": found.scope.start.isoformat(),
                "to": found.scope.end.isoformat(),
                "district": district,
                "measures": [value.as_json() for value in found.values],
            }
        )
        return
    print_table(
        ["measure", "value", "95 % interval", "of", "missing", "target", "status", "data through"],
        [_row(value) for value in found.values],
    )


def _row(value: MeasureValue) -> list[str]:
    figure, unit = value.figure, value.measure.unit
    return [
        value.measure.id,
        numbers.amount(figure.value, unit),
        numbers.between(figure.low, figure.high, unit),
        f"{figure.n:,}",
        f"{figure.missing:,}",
        numbers.amount(value.target, unit) if value.target is not None else "-",
        value.status or "-",
        value.data_through.isoformat() if value.data_through else "-",
    ]
