"""Commands that judge a run: how it did later, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.cli.common import (
    DAY,
    Progress,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
)
from app.i18n.run_words import printed_analysis, sentence_of
from app.usecases.risk.analyses import bootstrap, vary
from app.usecases.risk.analyses import compare as compare_runs
from app.usecases.risk.validation import backtest
from app.usecases.risk.validation import validate as score_run
from geodata.analysis_documents import BacktestDocument, ValidationDocument
from geodata.documents import to_json
from geodata.repositories.runs import get_run

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from app.usecases.risk.analyses import Agreement
    from geodata.analysis_documents import CertaintyDocument, ChosenBand
    from geodata.run_document import FactorEffect


@click.command()
@click.argument("run")
@click.option("--from", "start", type=DAY, help="First day of the test period, included.")
@click.option("--to", "end", type=DAY, help="Last day of the test period, excluded.")
@click.option("--rolling", type=int, metavar="N", help="Refit at N days of the run's own period.")
@database_option
@json_option
def validate(
    run: str,
    start: dt.date | None,
    end: dt.date | None,
    rolling: int | None,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Score RUN on incidents of a later period, beside what it must be compared with."""
    if (rolling is None) == (start is None) or (start is None) != (end is None):
        msg = "give --from and --to of a later period, or --rolling N"
        raise click.UsageError(msg)
    database = open_for(database_url)
    with Progress() as progress:
        if rolling is not None:
            document: ValidationDocument | BacktestDocument = backtest(
                database, run, rolling, progress=progress
            )
        elif start is not None and end is not None:
            document = score_run(database, run, start, end, progress=progress)
    if as_json:
        print_json(printed_analysis(document))
    else:
        _print_validation(document)


@click.command()
@click.argument("run")
@click.option("--replicates", type=int, default=100, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), help="Processes [default: all cores].")
@click.option("--scheduler", metavar="ADDRESS", help="Use a Dask cluster instead.")
@database_option
@json_option
def certainty(
    run: str,
    replicates: int,
    seed: int,
    workers: int | None,
    scheduler: str | None,
    database_url: str | None,
    *,
    as_json: bool,
) -> None:
    """Tell how sure RUN is, by selecting again and again on resampled data.

    Ctrl-C cancels it; nothing is stored then.
    """
    database = open_for(database_url)
    with Progress() as progress:
        document = bootstrap(
            database,
            run,
            replicates=replicates,
            seed=seed,
            workers=workers,
            scheduler=scheduler,
            progress=progress,
        )
    if as_json:
        print_json(document.as_json())
    else:
        _print_certainty(document)


@click.command()
@click.argument("run")
@click.option("--workers", type=click.IntRange(min=1), help="Processes [default: all cores].")
@click.option("--scheduler", metavar="ADDRESS", help="Use a Dask cluster instead.")
@database_option
@json_option
def sensitivity(
    run: str, workers: int | None, scheduler: str | None, database_url: str | None, *, as_json: bool
) -> None:
    """Refit RUN with other seeds and other lengths of a block, and tell what changes."""
    database = open_for(database_url)
    with Progress() as progress:
        document = vary(database, run, workers=workers, scheduler=scheduler, progress=progress)
    if as_json:
        print_json(document.as_json())
        return
    print_table(
        ["changed", "family", "BIC", "zones kept", "top cells shared", "factors"],
        [
            [
                fit.changed,
                fit.family,
                fit.bic,
                fit.zones_kept,
                fit.top_shared,
                ", ".join(f"{f.name} {f.distance:g}" for f in fit.factors),
            ]
            for fit in document.fits
        ],
    )


@click.command()
@click.argument("run")
@click.argument("other")
@database_option
@json_option
def compare(run: str, other: str, database_url: str | None, *, as_json: bool) -> None:
    """Set RUN beside OTHER: factors, zones gained and lost, scores."""
    with open_for(database_url).session() as session:
        document = compare_runs(get_run(session, run), get_run(session, other))
    if as_json:
        print_json(to_json(document))
        return
    one, two = document.runs
    print_table(
        ["factor", one.run, two.run],
        [[factor.name, *(_rrv(found) for found in factor.runs)] for factor in document.factors],
    )
    for word, zones in vars(document.zones).items():
        click.echo(f"zones {word}: {len(zones)}" + (f" ({', '.join(zones)})" if zones else ""))
    for name in ("rtm", "combined"):
        if document.scores:
            found: Agreement = getattr(document.scores, name)
            correlation = found.rank_correlation
            text = "-" if correlation is None else f"{correlation:.3f}"
            shared = f"{found.top_shared:.0%} of the top cells shared"
            click.echo(f"{name}: rank correlation {text}; {shared}")


def _rrv(found: FactorEffect | None) -> str:
    if found is None:
        return "-"
    return f"{found.rrv:.2f} ({found.operation} {found.distance:g})"


def _print_validation(document: ValidationDocument | BacktestDocument) -> None:
    scored = document if isinstance(document, ValidationDocument) else None
    windows = document.origins if isinstance(document, BacktestDocument) else (document,)
    for window in windows:
        click.echo(
            f"run {document.run}: {window.incidents} incidents from {window.start} to {window.end}"
        )
    if scored:
        zones = scored.zones
        click.echo(
            f"its zones: {zones.hits} of {scored.incidents} incidents "
            f"({zones.hit_rate:.1%}) on {zones.area_share:.1%} of the area"
        )
        beside = zones.scores or {}
        click.echo("beside zones cut under the same limits from prior counts and kernel density:")
        rows = [[name, one.cells, one.hits, one.pai] for name, one in beside.items()]
        print_table(["from", "cells", "hits", "PAI"], rows)
    names = list(document.levels[0].scores)
    click.echo("PAI (ties spread), by share of the area:")
    print_table(
        ["share", "cells", *names],
        [
            [level.share, level.cells, *(level.scores[name].pai for name in names)]
            for level in document.levels
        ],
    )
    for note in scored.warnings if scored else ():
        say(f"warning: {sentence_of(note)}")


def _print_certainty(document: CertaintyDocument) -> None:
    click.echo(
        f"run {document.run}: {document.replicates} replicates over {document.blocks} blocks; "
        + ", ".join(f"{name} {share:.0%}" for name, share in document.families.items())
    )
    print_table(
        ["factor", "in model", "chosen", "RRV", "low", "high", "most often at"],
        [
            [
                factor.name,
                "yes" if factor.in_model else "no",
                factor.chosen,
                factor.rrv,
                factor.rrv_low,
                factor.rrv_high,
                _band(factor.bands),
            ]
            for factor in document.factors
        ],
    )
    print_table(["zone", "stability"], [[zone.id, zone.stability] for zone in document.zones])


def _band(bands: Sequence[ChosenBand]) -> str:
    if not bands:
        return "-"
    first = bands[0]
    return f"{first.operation} {first.distance:g} ({first.share:.0%})"
