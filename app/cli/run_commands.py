"""Commands about runs: list them, show one, export one.

The command that puts a run to use.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from app.i18n.numbers import sentence
from app.i18n.run_words import printed, sentence_of
from app.run_view import run_context
from app.workbench.run_report import write_report
from geodata.clock import utc_now
from geodata.exporting import export_run
from geodata.repositories import audit, runs_in_use
from geodata.repositories.cities import get_city
from geodata.repositories.import_log import undone_imports, undone_imports_of
from geodata.repositories.runs import RunSummary, get_run, list_runs
from geodata.repositories.runs_in_use import RunUseRecord, nothing_in_use, uses_now
from geodata.repositories.zone_versions import get_run_in_use
from spatial.zones.describe import order_factors, reasons_of

if TYPE_CHECKING:
    import datetime as dt

    from geodata.run_document import RunDocument, ZoneDocument


@click.command()
@click.argument("city")
@database_option
@json_option
def runs(city: str, database_url: str | None, *, as_json: bool) -> None:
    """List the runs of CITY, newest first."""
    with open_for(database_url).session() as session:
        record = get_city(session, city)
        found = list_runs(session, city)
        used = uses_now(session, record.id)
        undone = {
            run: [one.id for one in imports]
            for run, imports in undone_imports(session, [run.id for run in found]).items()
        }
    if as_json:
        print_json(
            {
                "runs": [
                    {
                        "run": run.id,
                        "name": run.name,
                        "note": run.note,
                        "city": run.city,
                        "outcome": run.outcome,
                        "scope": run.scope,
                        "from": run.period_from.isoformat(),
                        "to": run.period_to.isoformat(),
                        "created_at": run.created_at.isoformat(timespec="seconds") + "Z",
                        "in_use": run.id in used,
                        "used_since": _moment(used[run.id].used_at) if run.id in used else None,
                        "family": run.family,
                        "factors": run.factors,
                        "zones": run.zones,
                        "incidents": run.incidents,
                        "undone_imports": undone[run.id],
                    }
                    for run in found
                ]
            }
        )
        return
    if not found:
        say(f"No run of {city} yet; make one with: saferground fit {city} --outcome NAME")
        return
    heads = ["run", "outcome", "scope", "from", "to", "incidents", "family", "factors", "zones"]
    print_table([*heads, "in use", "name"], [_run_row(run, used.get(run.id)) for run in found])
    if not used:
        say(sentence(nothing_in_use(city)))
    for run in found:
        if undone[run.id]:
            say(f"{run.id}: data that it used were undone since; fit it again")


@click.command()
@click.argument("run")
@database_option
@json_option
def show(run: str, database_url: str | None, *, as_json: bool) -> None:
    """Show one RUN: factors, scores, zones, warnings."""
    with open_for(database_url).session() as session:
        record = get_run(session, run)
        used = uses_now(session, get_city(session, record.city).id).get(run)
        undone = undone_imports_of(session, run)
    since = _moment(used.used_at) if used else None
    if as_json:
        print_json(
            {
                **printed(record.result),
                "name": record.name,
                "note": record.note,
                "in_use": used is not None,
                "used_since": since,
            }
        )
    else:
        print_run(record.result, name=record.name, used_since=since)
    for gone in undone:
        say(
            f"This run may have used import {gone.id}, which {gone.undone_by} undid on "
            f"{gone.undone_at:%Y-%m-%d}: fit it again."
        )


@click.command()
@click.argument("run")
@click.option(
    "--what",
    type=click.Choice(["zones", "cells", "surface", "factors", "report"]),
    required=True,
    help="What to write.",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_option
@database_option
def export(run: str, what: str, file: Path, who: str | None, database_url: str | None) -> None:
    """Write a part of RUN to FILE; its ending says how: .geojson .gpkg .csv .tif .html .pdf.

    Zones are those in use: where a person changed the run's own, the file says so. The export is
    in the audit.
    """
    database = open_for(database_url)
    with database.session() as session:
        record = get_run_in_use(session, run)
        context = run_context(session, get_city(session, record.city), run)
    if what == "report":
        write_report(context, record, file)
    else:
        export_run(record, what, file)
    with database.session(write=True) as session:
        document = {"city": record.city, "what": what, "file": file.name}
        audit.record(session, this_person(who), "run.export", record.id, document)
    say(f"{what} of run {record.id} written to {file}")


def print_run(document: RunDocument, *, name: str = "", used_since: str | None = None) -> None:
    """Print one run for people."""
    model, score = document.model, document.score
    click.echo(
        f"run {document.run}: {document.outcome} in {document.city} ({document.scope}), "
        f"{document.start} to {document.end}, {document.incidents} incidents, "
        f"{document.grid.cells} cells"
    )
    if name:
        click.echo(f"called {name}")
    if used_since:
        click.echo(f"in use since {used_since}")
    click.echo(
        f"{document.candidates} candidates, {document.screened} after the elastic net; "
        f"{model.family} with BIC {model.bic:.1f}"
        + "".join(f", {other.family} {other.bic:.1f}" for other in document.alternatives)
    )
    print_table(
        ["factor", "operation", "distance", "coefficient", "se", "RRV", "low", "high"],
        [list(dataclasses.astuple(factor)) for factor in model.factors],
    )
    click.echo(
        f"relative risk score: highest {score.max:.1f}, mean {score.mean:.2f}; "
        f"{score.share_above_2sd:.1%} of cells lie above mean + 2 SD"
    )
    combined = document.combined
    click.echo(
        f"combined risk: {combined.environment_share:.0%} from the environment, "
        f"{combined.history_share:.0%} from history; zones follow {document.zones_from}"
    )
    if document.zones_bound and document.zones:
        kept = sum(zone.expected for zone in document.zones)
        click.echo(
            f"zones hold {kept / document.zones_bound:.0%} of the bound: the expected incidents of "
            "as many free cells under the same budget and allotment"
        )
    print_table(
        ["district", "rank", "code", "area", "expected", "past", "environment", "zone", "reasons"],
        [_zone_row(zone, document) for zone in document.zones],
    )
    for note in document.notes:
        say(f"warning: {sentence_of(note)}")


def _moment(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"


def _run_row(run: RunSummary, used: RunUseRecord | None) -> list[Any]:
    period = [run.period_from, run.period_to]
    return [
        run.id,
        run.outcome,
        run.scope,
        *period,
        run.incidents,
        run.family,
        run.factors,
        run.zones,
        f"since {used.used_at:%Y-%m-%d}" if used else "",
        run.name,
    ]


def _zone_row(zone: ZoneDocument, document: RunDocument) -> list[Any]:
    factors = order_factors(zone.factors, document.covers)
    names = ", ".join(factor.name for factor in reasons_of(factors))
    keys = ("district", "rank", "code", "area", "expected", "past", "environment_share", "id")
    return [*(getattr(zone, key) for key in keys), names]


@click.command()
@click.argument("run")
@click.option("--as", "who", metavar="NAME", required=True, help="Who you are.")
@click.option("--why", metavar="TEXT", required=True, help="Reason; it is kept and in the audit.")
@database_option
@json_option
def use(run: str, who: str, why: str, database_url: str | None, *, as_json: bool) -> None:
    """Put RUN to use: desk, log, measures and the next release take their zones from it.

    Nothing else does that. It holds for the city and the outcome of the run; plans, visits and
    actions keep the zones that they were made for.
    """
    now = utc_now()
    with open_for(database_url).session(write=True) as session:
        made, before = runs_in_use.use_run(session, run, why, who, now)
    if as_json:
        print_json(
            {
                "run": made.run,
                "outcome": made.outcome,
                "in_use": True,
                "used_since": f"{made.used_at.isoformat(timespec='seconds')}Z",
                "used_by": made.used_by,
                "reason": made.reason,
                "before": before,
            }
        )
        return
    instead = f", instead of {before}" if before and before != run else ""
    say(f"Run {run} is in use for {made.outcome} from now on{instead}.")
