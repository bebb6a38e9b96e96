"""Commands about measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app import words
from app.cli.common import DAY, database_option, json_option, open_for, print_json, print_table, say
from app.measuring import measure_city
from geodata.store.uses import nothing_in_use

if TYPE_CHECKING:
    import datetime as dt

    from geodata.measures.record import MeasureValue


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
        words.amount(figure.value, unit),
        words.between(figure.low, figure.high, unit),
        f"{figure.n:,}",
        f"{figure.missing:,}",
        words.amount(value.target, unit) if value.target is not None else "-",
        value.status or "-",
        value.data_through.isoformat() if value.data_through else "-",
    ]
