"""What the page of a run shows, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.i18n import numbers, run_words
from app.public import pages, periods, scores
from app.run_view import public_run

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from app.public.pages import MethodsPage
    from app.public.published_city import RunContext
    from app.public.scores import ValidationPage
    from app.workbench.results_maps import OpenedRun
    from geodata.repositories.import_log import ImportRecord
    from geodata.repositories.runs import RunRecord
    from geodata.run_document import FactorDiagnostic, FactorEffect

SORTS = {  # what the table of zones is sorted by: column of the zones, words
    "rank": ("", "District and rank"),
    "expected": ("expected", "Expected incidents"),
    "past": ("past", "Past incidents"),
    "area": ("area", "Area"),
}
OPERATIONS = {"proximity": "near it", "density": "where it gathers"}
FILES = (  # what can be taken along: thing, ending, words
    ("report", "html", "Report, to read"),
    ("report", "pdf", "Report, to print"),
    ("zones", "gpkg", "Zones, GeoPackage"),
    ("zones", "geojson", "Zones, GeoJSON"),
    ("zones", "csv", "Zones, table"),
    ("factors", "csv", "Factor table"),
    ("surface", "tif", "Risk surface, GeoTIFF"),
    ("cells", "gpkg", "Cells, GeoPackage"),
    ("cells", "csv", "Cells, table"),
)


@dataclass(frozen=True, kw_only=True)
class ZoneLine:
    """One zone in the table; ``kept`` is how often resampled fits keep it.

    ``code`` is the same over runs as long as the zone stays where it is.
    """

    id: str
    code: str
    title: str
    name: str
    why: str
    expected: str
    past: str
    area: str
    kept: str


@dataclass(frozen=True, kw_only=True)
class FactorLine:
    """One factor of the model."""

    name: str
    operation: str
    reach: str
    rrv: str
    interval: str
    coefficient: str
    covers: str
    inflation: str


@dataclass(frozen=True, kw_only=True)
class Edit:
    """That the zones in use were changed by a person, or that newer changes are not in use."""

    on: str
    steps: int
    waiting: int


@dataclass(frozen=True, kw_only=True, eq=False)
class RunPage:
    """One run: in words, in tables, and what its maps and charts are called."""

    id: str
    title: str
    scope: str
    period: str
    made: dt.datetime
    name: str
    note: str
    summary: tuple[str, ...]
    edit: Edit | None
    undone: tuple[tuple[int, str, dt.datetime], ...]
    warnings: tuple[str, ...]
    zones: tuple[ZoneLine, ...]
    district: str
    districts: tuple[tuple[str, str], ...]
    sort: str
    factors: tuple[FactorLine, ...]
    dropped: tuple[tuple[str, str], ...]
    methods: MethodsPage
    settings: tuple[tuple[str, str], ...]
    validation: ValidationPage


def run_page(
    opened: OpenedRun,
    context: RunContext,
    undone: Sequence[ImportRecord],
    *,
    district: str = "",
    sort: str = "rank",
) -> RunPage:
    """Tell a run.

    Parameters
    ----------
    opened, context
        The run, and what is known of it.
    undone
        Imports that it may have used and that were undone since.
    district, sort
        Of which district zones are listed, and by what; a key of :data:`SORTS`.
    """
    run, public = opened.run, public_run(opened.run)
    methods = pages.methods_page(context, public)
    result = run.result
    return RunPage(
        id=run.id,
        title=numbers.plain(run.outcome).capitalize(),
        scope="" if run.scope == "city" else f"District {run.scope}",
        period=numbers.period(numbers.day(run.period_from), numbers.last_day(run.period_to)),
        made=run.created_at,
        name=opened.own.name,
        note=opened.own.note,
        summary=_summary(opened, methods),
        edit=_edit(opened),
        undone=tuple(
            (one.id, one.undone_by or "", one.undone_at) for one in undone if one.undone_at
        ),
        warnings=run_words.sentences(result.notes),
        zones=zone_lines(context, run, district=district, sort=sort),
        district=district,
        districts=periods.district_choices(context),
        sort=sort,
        factors=_factors(run, numbers.Units(opened.city.crs)),
        dropped=tuple((one.candidate, one.reason) for one in result.dropped),
        methods=methods,
        settings=_lengths(run, numbers.Units(opened.city.crs)) + methods.settings,
        validation=scores.validation_page(context, public_run(opened.own), {}),
    )


def zone_lines(
    context: RunContext, run: RunRecord, *, district: str = "", sort: str = "rank"
) -> tuple[ZoneLine, ...]:
    """Tell the zones of a run, of one district or all, the highest first."""
    zones = run.zones.reset_index(drop=True)
    names, codes = (
        zones[column].tolist() if column in zones else [""] * len(zones)
        for column in ("name", "code")
    )
    rows = pages.zone_rows(context, public_run(run))
    order: list[int] = list(range(len(zones)))
    column = SORTS[sort][0]
    if column:
        order = zones[column].sort_values(ascending=False, kind="stable").index.tolist()
    return tuple(
        ZoneLine(
            id=rows[i].id,
            code=codes[i],
            title=rows[i].title,
            name=names[i],
            why=rows[i].brief,
            expected=numbers.about(zones["expected"].iloc[i]),
            past=numbers.number(zones["past"].iloc[i]),
            area=rows[i].area,
            kept=rows[i].stability,
        )
        for i in order
        if not district or rows[i].district == district
    )


def _lengths(run: RunRecord, units: numbers.Units) -> tuple[tuple[str, str], ...]:
    """Tell the lengths that a run took, which need not be the city's usual ones."""
    grid = run.spec.grid
    return (
        ("side of a cell", units.length(grid.cell_units)),
        ("length of a block", units.length(grid.block_units)),
    )


def _summary(opened: OpenedRun, methods: MethodsPage) -> tuple[str, ...]:
    """Tell in sentences what a run found."""
    run = opened.run
    result = run.result
    factors = result.model.factors
    if not factors:
        first = (
            f"None of {methods.candidates} candidates goes with where the "
            f"{numbers.number(result.incidents)} incidents were reported; "
            "the risk terrain is flat."
        )
    else:
        strongest = max(factors, key=lambda factor: abs(factor.coefficient))
        named = numbers.listed([numbers.plain(factor.name) for factor in factors])
        first = (
            f"Of {methods.candidates} candidates, {len(factors)} explain best where "
            f"{numbers.number(result.incidents)} incidents were reported: {named}. "
            f"The strongest, {numbers.plain(strongest.name)}, goes with "
            f"{numbers.number(strongest.rrv, 1)} times the risk where it acts."
        )
    parts = methods.combined.parts
    second = (
        f"Of all combined risk {parts.environment} is from the environment and {parts.history} "
        "from past incidents."
    )
    return first, second, _zones_told(opened)


def _zones_told(opened: OpenedRun) -> str:
    """Tell what the zones hold, of the districts that the person may read of."""
    run, zones = opened.run, opened.run.zones
    limited = opened.districts is not None
    if len(zones) == 0:
        if limited:
            return "No zone of this run lies in your districts."
        return "No zone was cut: the scores of every district are all alike."
    incidents = int(run.cells["count"].sum()) if limited else run.result.incidents
    kept = float(zones["past"].sum() / incidents) if incidents else 0.0
    area = float(zones["n_cells"].sum() / len(run.grid))
    count = "1 zone holds" if len(zones) == 1 else f"{len(zones)} zones hold"
    whose, where = ("the", " of your districts") if limited else ("these", "")
    return (
        f"{count} {numbers.share(kept)} of {whose} incidents{where} on {numbers.share(area)} of "
        "the area. That is what the run has seen; how it does on later incidents is told by "
        "validation alone."
    )


def _edit(opened: OpenedRun) -> Edit | None:
    edited, waiting = opened.run.edited, opened.newest - opened.used
    if edited is None and waiting == 0:
        return None
    return Edit(
        on=numbers.day(edited.on) if edited else "",
        steps=edited.steps if edited else 0,
        waiting=waiting,
    )


def _factors(run: RunRecord, units: numbers.Units) -> tuple[FactorLine, ...]:
    noted = {column.key: column for column in run.result.diagnostics.factors}
    return tuple(
        factor_line(factor, noted.get(factor.key), units) for factor in run.result.model.factors
    )


def factor_line(
    factor: FactorEffect, noted: FactorDiagnostic | None, units: numbers.Units
) -> FactorLine:
    """Tell one factor; ``noted`` is what the diagnostics say of it."""
    return FactorLine(
        name=numbers.plain(factor.name),
        operation=OPERATIONS.get(factor.operation, factor.operation),
        reach=units.length(factor.distance),
        rrv=numbers.number(factor.rrv, 2),
        interval=numbers.interval(
            numbers.number(factor.rrv_low, 2), numbers.number(factor.rrv_high, 2)
        ),
        coefficient=f"{numbers.number(factor.coefficient, 4)} ({numbers.number(factor.se, 4)})",
        covers=numbers.share(noted.covers) if noted else "",
        inflation=numbers.number(noted.variance_inflation, 2) if noted else "",
    )
