"""The command that evaluates an intervention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from app.cli.common import (
    PERIOD,
    Progress,
    database_option,
    json_option,
    open_for,
    print_json,
    print_table,
    say,
)
from app.i18n.evaluation_words import printed, sentence_of, zones_of
from app.i18n.numbers import sentence
from app.usecases.evaluation.evaluate import evaluate as run_evaluation
from app.usecases.evaluation.evaluation_document import AreaDifference, RateRatio
from app.usecases.evaluation.study import Question

if TYPE_CHECKING:
    import datetime as dt

    from app.usecases.evaluation.evaluation_document import AreaCounts, EvaluationDocument


@click.command()
@click.argument("city")
@click.option("--run", required=True, help="The run whose zones were treated.")
@click.option("--outcome", required=True, help="Incidents to count; need not be the run's.")
@click.option("--before", required=True, type=PERIOD, help="Period before, the end excluded.")
@click.option("--after", required=True, type=PERIOD, help="Period after, the end excluded.")
@click.option("--zone", "zones", multiple=True, metavar="ID", help="A treated zone; repeatable.")
@click.option("--district", help="Treated are this district's zones.")
@click.option(
    "--buffer",
    "buffer_cells",
    type=int,
    metavar="N",
    help="Cells around the zones where incidents may be displaced to, 0 for none "
    "[default: one block].",
)
@click.option("--controls", type=int, default=3, show_default=True, help="Control areas.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="1 - level.")
@click.option(
    "--other-zones-untreated",
    is_flag=True,
    help="The run's other zones had no intervention and may lie in control areas.",
)
@database_option
@json_option
def evaluate(
    city: str,
    run: str,
    outcome: str,
    before: tuple[dt.date, dt.date],
    after: tuple[dt.date, dt.date],
    zones: tuple[str, ...],
    district: str | None,
    buffer_cells: int | None,
    controls: int,
    alpha: float,
    database_url: str | None,
    *,
    other_zones_untreated: bool,
    as_json: bool,
) -> None:
    """Compare zones of CITY before and after with areas that had no intervention."""
    question = Question(
        city=city,
        run=run,
        outcome=outcome,
        before=before,
        after=after,
        zones=zones,
        district=district,
        buffer_cells=buffer_cells,
        controls=controls,
        alpha=alpha,
        zones_compare=other_zones_untreated,
    )
    with Progress() as progress:
        document = run_evaluation(open_for(database_url), question, progress=progress)
    if as_json:
        print_json(printed(document))
    else:
        _print_evaluation(document)


def _print_evaluation(document: EvaluationDocument) -> None:
    before, after = document.before, document.after
    click.echo(
        f"{document.outcome} in {document.city}, run {document.run}: {zones_of(document)}; "
        f"{before[0]} to {before[1]} against {after[0]} to {after[1]}"
    )
    click.echo(
        f"{1 - document.alpha:.0%} intervals, widened by the dispersion "
        f"({document.dispersion:.2f}); WDD below 0 and ratio below 1 mean fewer than expected"
    )
    rows = [_line("treated", document.treated)]
    rows += [_line(found.name, found) for found in document.controls]
    rows.append(_line("synthetic control", document.synthetic_control))
    rows.append(_line("rest of the city", document.rest_of_city))
    moved = document.displacement
    if moved is not None:
        rows.append(_line("around the zones", moved))
        for found in moved.controls:
            rows.append(_line(found.name, found))
            rows.append(_line(f"total, {found.beside}", found.total))
    print_table(
        ["area", "cells", "before", "after", "WDD", "interval", "ratio", "interval", "alike"], rows
    )
    for note in document.verdict:
        click.echo(sentence(sentence_of(note)))
    for note in document.warnings:
        say(f"warning: {sentence_of(note)}")


def _line(name: str, found: AreaCounts | AreaDifference | RateRatio) -> list[Any]:
    """Write one row; what an area does not have is a dash."""
    difference = interval = ratio = ratios = None
    if isinstance(found, AreaDifference):
        difference = f"{found.wdd:+.1f}"
        interval = f"{found.low_widened:+.1f} to {found.high_widened:+.1f}"
    if isinstance(found, RateRatio) and found.rate_ratio is not None:
        ratio = f"{found.rate_ratio:.2f}"
        ratios = f"{found.rate_ratio_low:.2f} to {found.rate_ratio_high:.2f}"
    counts = [getattr(found, field, None) for field in ("cells", "before", "after")]
    like = getattr(found, "passes", None)
    alike = None if like is None else ("yes" if like else "no")
    return [name, *counts, difference, interval, ratio, ratios, alike]
