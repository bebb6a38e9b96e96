"""Figures -> the measure files of a release, and back."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING

from geodata.cityfile.measures import usual_measures
from geodata.measures import outcomes
from geodata.measures.registry import Measures, disclosed, measures_of, measures_of_city
from geodata.releases.dictionary import names
from geodata.releases.encoding import csv_bytes, document_bytes, number, read_document
from geodata.releases.figure_documents import (
    FigureCourse,
    FigureDays,
    MeasuresDocument,
    ReportedFigure,
    ReportedMeasure,
)
from geodata.releases.rules import HITS, RULES, SHOWN_WORDS
from geodata.releases.sensitive import CITY, CountDisclosure, hits_of
from spatial.disclosure.linked import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geodata.measures.record import Measure
    from geodata.releases.figures import Figures, PublishedFigure
    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.inputs import Material
    from geodata.releases.sensitive import Where

PERIODS, MONTHS, JSON = "data/measures.csv", "data/measures_monthly.csv", "data/measures.json"
WEEKS = "data/measures_weekly.csv"
COURSE = "site/figures.json"
ACCOUNT, RUN = "data/zones_accountability.csv", "site/run.json"
LABELS = {words: label for label, words in SHOWN_WORDS.items()}


def measure_files(material: Material, figures: Figures) -> dict[str, bytes]:
    """Write the measures for whole periods, by month and, for the whole city, by week."""
    return {
        PERIODS: _table(PERIODS, "period", figures.of_periods),
        JSON: document_bytes(MeasuresDocument, _document(material, figures)),
        MONTHS: _table(MONTHS, "month", figures.of_months),
        WEEKS: _table(WEEKS, "week", figures.of_weeks),
    }


def read_csv(content: bytes) -> list[dict[str, str]]:
    """Read a table of a release."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def measures_in(files: Mapping[str, bytes]) -> Measures:
    """Return every measure of a release, by id: its city has outcomes and may declare more."""
    course = FigureCourse()
    if COURSE in files:
        course = read_document(FigureCourse, files[COURSE], COURSE)
    titles = course.outcomes or {}
    own = outcomes.measures_of(titles, titles)
    declared = measures_of(course.declared or usual_measures())
    return {**{one.id: one for one in own if one.disclosure != "staff"}, **declared}


def told_counts(
    content: bytes, measures: Measures, zones: str = ""
) -> Iterator[tuple[Where, CountDisclosure]]:
    """Read what a file of measures says of the counts of sensitive measures.

    ``measures`` are those of the release. What a share says is its numerator. ``zones``
    is the digest of the run whose zones it is about.
    """
    shares, counts = {*disclosed(measures, "part"), HITS}, {*disclosed(measures, "count")}
    for row in read_csv(content):
        identity = row["measure"]
        if identity not in shares and identity not in counts:
            continue
        label = LABELS[row["shown"]]
        value = row["value" if identity in counts else "numerator"]
        count = None if label != SHOWN else round(float(value or 0))
        start, end = (dt.date.fromisoformat(row[key]) for key in ("from", "to"))
        name = hits_of(zones) if identity == HITS else identity
        yield (name, row["district"], start, end), CountDisclosure(label=label, value=count)


def told_accounts(
    content: bytes, zones: Mapping[str, str]
) -> Iterator[tuple[Where, CountDisclosure]]:
    """Read what a file says of the hits of earlier zones; ``zones`` are digests by release."""
    for row in read_csv(content):
        if row["release"] not in zones:
            continue
        start, end = (dt.date.fromisoformat(row[key]) for key in ("from", "to"))
        label = LABELS[row.get("shown") or ""]
        count = int(row["hits"]) if row["hits"] else None
        yield (
            (hits_of(zones[row["release"]]), CITY, start, end),
            CountDisclosure(label=label, value=count),
        )


def told_everywhere(
    files: Mapping[str, bytes], own: str, zones: Mapping[str, str]
) -> Iterator[tuple[str, Where, CountDisclosure]]:
    """Read what a release says of sensitive counts and of hits, in whatever file.

    Parameters
    ----------
    files
        Its files.
    own
        Digest of the run that it shows, empty if it shows none.
    zones
        Digest of the run of each earlier release, by release.

    Returns
    -------
    Name of the file, which count, and what is reported of it.
    """
    measures = measures_in(files)
    for name in (PERIODS, MONTHS):
        for where, result in told_counts(files.get(name, b""), measures, own):
            yield name, where, result
    for where, result in told_accounts(files.get(ACCOUNT, b""), zones):
        yield ACCOUNT, where, result
    for document in json.loads(files[RUN])["validations"] if RUN in files else ():
        hits = document.get("zones", {}).get("hits")
        if hits is not None:
            start, end = (dt.date.fromisoformat(document[key]) for key in ("from", "to"))
            yield (
                RUN,
                (hits_of(own), CITY, start, end),
                CountDisclosure(label=int(SHOWN), value=hits),
            )


def zones_by_release(releases: Sequence[ReleaseFolder]) -> dict[str, str]:
    """Return the digest of the run that each release showed, by release."""
    return {one.id: one.shown_run for one in releases if one.shown_run}


def _reported(one: PublishedFigure) -> ReportedFigure:
    value, figure = one.value, one.value.figure
    return ReportedFigure(
        period=one.when,
        start=value.scope.start,
        end=value.scope.end,
        district=value.scope.district or "",
        value=number(figure.value),
        low=number(figure.low),
        high=number(figure.high),
        numerator=number(figure.numerator),
        denominator=number(figure.denominator),
        n=figure.n if one.counted else None,
        missing=figure.missing if one.counted else None,
        shown=one.shown,
        status=value.status,
        year_before=number(figure.year_before),
    )


def _table(file: str, column: str, figures: Sequence[PublishedFigure]) -> bytes:
    """Write figures as a table, the period in a column of this name."""
    wanted, rows = names(file), []
    for one in figures:
        measure, value = one.value.measure, one.value
        row = {
            **vars(_reported(one)),
            column: one.when,
            "from": value.scope.start,
            "to": value.scope.end,
            "measure": measure.id,
            "title": measure.title,
            "unit": measure.unit,
            "target": number(value.target),
            "target_source": value.target_source,
            "data_through": value.data_through,
            "definition": measure.definition,
            "formula": measure.formula,
            "caveat": measure.caveat,
            "owner": measure.owner,
        }
        rows.append({name: row[name] for name in wanted})
    return csv_bytes(wanted, rows)


def _document(material: Material, figures: Figures) -> MeasuresDocument:
    """Return the periods' figures by measure, each with its definition once."""
    by_measure: dict[str, list[PublishedFigure]] = {}
    for one in figures.of_periods:
        by_measure.setdefault(one.value.measure.id, []).append(one)
    known = measures_of_city(material.city)
    return MeasuresDocument(
        city=material.city.slug,
        through=material.last_day,
        rules=RULES.version,
        periods={
            name: FigureDays(start=scope.start, end=scope.end)
            for name, scope in figures.periods.items()
        },
        measures=tuple(_measure(known[name], own) for name, own in by_measure.items()),
    )


def _measure(measure: Measure, figures: Sequence[PublishedFigure]) -> ReportedMeasure:
    first = figures[0].value
    return ReportedMeasure(
        id=measure.id,
        title=measure.title,
        group=measure.group,
        unit=measure.unit,
        direction=measure.direction,
        sensitive=measure.sensitive,
        definition=measure.definition,
        formula=measure.formula,
        numerator_of=measure.numerator,
        denominator_of=measure.denominator,
        caveat=measure.caveat,
        owner=measure.owner,
        target=number(first.target),
        target_source=first.target_source,
        data_through=first.data_through,
        figures=tuple(_reported(one) for one in figures),
    )
