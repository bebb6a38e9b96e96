"""A run's report as one file: everything about it, to read, print and keep.

The same typed pages that the site shows are written twice: as self-contained HTML, with charts and
map inside the file, and as PDF.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jinja2
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import SimpleDocTemplate

from app.charts import charts
from app.charts.pdf import Paper
from app.i18n import numbers
from app.i18n.titles import use_titles
from app.private import template_dir
from app.public import pages, scores
from app.run_view import public_run

if TYPE_CHECKING:
    from pathlib import Path

    from app.public.published_city import PublicCity, RunContext
    from geodata.repositories.runs import RunRecord


def write_report(context: RunContext, run: RunRecord, path: Path) -> None:
    """Write the report of a run; the ending, ``.html`` or ``.pdf``, says how.

    An existing file is replaced only when the new one is whole.
    """
    use_titles(context.city.titles, context.city.units)
    content = _pdf(context, run) if path.suffix.lower() == ".pdf" else _html(context, run)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportParts:
    """What a report tells; ``rows`` are zones with their past and expected incidents."""

    city: PublicCity
    run: str
    outcome: str
    period: str
    rows: list[tuple[pages.ZoneRow, int, str]]
    methods: pages.MethodsPage
    validation: scores.ValidationPage
    heads: tuple[str, ...]


def _parts(context: RunContext, run: RunRecord) -> ReportParts:
    """Gather the typed pages that make a report; its readers are staff, so zones have counts."""
    public = public_run(run)
    counts = {
        zone.id: (int(zone.past), numbers.about(zone.expected)) for zone in run.zones.itertuples()
    }
    return ReportParts(
        city=context.city,
        run=public.id,
        outcome=numbers.plain(run.outcome),
        period=numbers.period(numbers.day(run.period_from), numbers.last_day(run.period_to)),
        rows=[(row, *counts[row.id]) for row in pages.zone_rows(context, public)],
        methods=pages.methods_page(context, public),
        validation=scores.validation_page(context, public, {}),
        heads=tuple(numbers.SCORES.values()),
    )


def _charts(context: RunContext, run: RunRecord, form: str) -> dict[str, bytes]:
    """Draw every chart that the run has something for."""
    units = numbers.Units(context.city.crs)
    factors = run.result.model.factors
    drawn = {
        "map": charts.draw(charts.risk_map, run, context.city.districts, units, form=form),
        "factors": charts.draw(
            charts.relative_risks, factors, [numbers.brief(f, units) for f in factors], form=form
        ),
    }
    if context.validations:
        found = context.validations[0]
        drawn["capture"] = charts.draw(charts.capture_curves, found.curves, form=form)
        drawn["calibration"] = charts.draw(charts.calibration, found.levels, form=form)
    if context.certainty:
        result = context.certainty.factors
        drawn["selection"] = charts.draw(
            charts.selection,
            result,
            [numbers.plain(f.name) for f in result],
            units.length,
            form=form,
        )
    return drawn


def _html(context: RunContext, run: RunRecord) -> bytes:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_dir()), autoescape=True, trim_blocks=True
    )
    drawn = {
        name: "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
        for name, svg in _charts(context, run, "svg").items()
    }
    page = environment.get_template("report.html").render(
        **vars(_parts(context, run)), charts=drawn
    )
    return page.encode()


def _pdf(context: RunContext, run: RunRecord) -> bytes:
    parts = _parts(context, run)
    target = io.BytesIO()
    title = f"{parts.outcome.capitalize()} in {context.city.name}"

    def footer(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.setFillColor("#5b6475")
        note = f"Run {run.id}, {parts.period}"
        if context.city.synthetic:
            note += ". Synthetic data."
        canvas.drawString(18 * mm, 10 * mm, note)
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"Page {document.page}")
        canvas.restoreState()

    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=title,
        author="Safer Ground",
        invariant=1,
    )
    story = _story(title, parts, _charts(context, run, "png"), document.width)
    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return target.getvalue()


def _story(title: str, parts: ReportParts, drawn: dict[str, bytes], width: float) -> list[Any]:
    """Lay the parts out for the PDF, in the order of the HTML report."""
    paper, methods = Paper(width), parts.methods
    paper.title(title, f"Risk terrain report, {parts.period}. Run {parts.run}.")
    if parts.city.synthetic:
        paper.text(f"Synthetic data: {parts.city.name} does not exist.", strong=True)
    if methods.edited or methods.warnings:
        paper.heading("To keep in mind")
        paper.bullets([*methods.edited, *methods.warnings])
    paper.heading("Where the risk lies")
    paper.picture(drawn["map"])
    paper.heading("Zones")
    paper.table(
        ["Zone", "Why", "Incidents", "Expected", "Area", "Kept"],
        [
            [row.title, row.brief, past, expected, row.area, row.stability]
            for row, past, expected in parts.rows
        ],
        (0.16, 0.44, 0.1, 0.1, 0.11, 0.09),
    )
    paper.heading("Factors")
    paper.picture(drawn["factors"])
    paper.table(
        ["A cell is marked", "RRV", "95 % interval", "Coefficient (SE)"],
        methods.factors,
        (0.5, 0.1, 0.2, 0.2),
    )
    paper.text(
        f"{methods.candidates} candidates, {methods.screened} kept by the elastic net; "
        f"{methods.family}, BIC {methods.bic}."
    )
    _add_certainty(paper, methods, drawn)
    _add_validation(paper, parts, drawn)
    _add_reading(paper, methods)
    return paper.story


def _add_certainty(paper: Paper, methods: Any, drawn: dict[str, bytes]) -> None:
    """Add how sure the choice of factors is, and the districts beside the city."""
    if methods.certainty:
        paper.heading("How sure the choice is")
        paper.picture(drawn["selection"])
        paper.table(
            ["Factor", "Chosen", "RRV interval with selection", "Most often"],
            methods.certainty.factors,
            (0.26, 0.12, 0.27, 0.35),
        )
    if methods.districts:
        paper.heading("Districts beside the city")
        paper.table(
            ["District", "Factor", "City RRV", "District RRV", "Own data", "Differs"],
            methods.districts,
            (0.14, 0.3, 0.12, 0.24, 0.1, 0.1),
        )


def _add_validation(paper: Paper, parts: ReportParts, drawn: dict[str, bytes]) -> None:
    """Add the scores on later incidents, where the run was validated."""
    scored = parts.validation.scored
    if scored:
        paper.heading("How it did on later incidents")
        paper.text(
            f"Of {scored.incidents} incidents of {scored.period}, {scored.hits} "
            f"({scored.hit_rate}, 95 % interval {scored.hit_rate_interval}) fell inside the zones, "
            f"on {scored.area} of the area."
        )
        paper.picture(drawn["capture"])
        paper.table(
            ["Share of the area", *(f"PAI, {head.lower()}" for head in parts.heads)],
            [[row.share, *(f"{f.pai} ({f.interval})" for f in row.figures)] for row in scored.rows],
            (0.15, *(0.17 for _ in parts.heads)),
        )
        paper.picture(drawn["calibration"], share=0.6)


def _add_reading(paper: Paper, methods: Any) -> None:
    """Add the account of the sources, the limits and every setting."""
    paper.heading("What was read, and what was left out")
    paper.table(
        ["Source", "Kind", "Read", "Stored", "Left out"],
        [
            [
                report.source,
                report.kind,
                f"{report.read:,}",
                f"{report.stored:,}",
                "; ".join(f"{n:,} {reason}" for reason, n in report.left_out.items()) or "none",
            ]
            for report in methods.reports
        ],
        (0.34, 0.14, 0.1, 0.1, 0.32),
    )
    paper.heading("Method and limits")
    paper.bullets(list(numbers.LIMITS))
    paper.table(["Setting", "Value"], methods.settings, (0.5, 0.5))
