"""Texts of the layers below that pages show: taken for the catalogue from the values themselves.

Measures, sections and reasons are written in ``geodata``, which knows no Flask and no languages;
many are put together from parts, which no reading of the code could find. Pages translate them
when they show them, and this module lists them for the tool that gathers messages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.charts import charts, measure_charts
from app.charts.charts import title_of
from app.i18n.import_words import reasons_of_fields
from app.i18n.measure_words import ONE
from app.public import accountability
from geodata.cityfile.initiatives import SECTIONS
from geodata.cityfile.risk_factors import library
from geodata.measures import outcomes
from geodata.measures.registry import GROUPS, MEASURES, groups_of
from geodata.releases.activity import LAYERS
from geodata.releases.dictionary import FILES
from geodata.releases.rules import FEW_PEOPLE, RULES, SHOWN_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geodata.measures.record import Measure

    Message = tuple[int, str | None, str | tuple[str, str], list[str]]

CHARTS = (  # that pages show
    charts.capture_curves,
    charts.calibration,
    charts.relative_risks,
    charts.selection,
    charts.treated_and_controls,
    charts.running_difference,
    measure_charts.course,
    measure_charts.districts,
    accountability.later_hits,
)
PLACES: dict[str, Iterable[str]] = {  # texts by what they belong to
    "groups of measures": [
        text
        for group in (*groups_of(MEASURES).values(), GROUPS["incidents"])
        for text in (group.title, group.about)
    ],
    "sections of an initiative": SECTIONS.values(),
    "a rule of publishing": RULES.texts.values(),
    "a file of a release": [file.title for file in FILES.values()],
    "a layer of the map": [title for title, *_ in LAYERS.values()],
    "in place of a figure of a release": (*SHOWN_WORDS.values(), FEW_PEOPLE),
    "why rows were left out": sorted(set(reasons_of_fields())),
    "a risk factor of the library": [factor.title for factor in library().values()],
    "title of a chart": [title_of(chart) for chart in CHARTS],
}


def told_of(measure: Measure) -> tuple[str, ...]:
    """Return every text of a measure that pages show, empty ones left out."""
    texts = (
        measure.title,
        measure.definition,
        measure.formula,
        measure.numerator,
        measure.denominator,
        measure.caveat,
        measure.target_source,
        measure.owner,
        measure.part,
        measure.enforcement,
    )
    return tuple(text for text in texts if text)


def texts() -> Iterator[tuple[str, str]]:
    """Return each text and what it belongs to."""
    of_outcome = replace(outcomes.measures_of([""], {})[0], title="")
    for measure in (*MEASURES.values(), of_outcome):
        for text in told_of(measure):
            yield text, measure.id
    for place, found in PLACES.items():
        for text in filter(None, found):
            yield text, place


def counted() -> Iterator[tuple[str, str]]:
    """Return the words for one and for many of what is counted."""
    yield from ((one, many) for _, one, many in LAYERS.values())
    yield from ((one, many) for many, one in ONE.items())


def texts_below(
    fileobj: object, keywords: object, comment_tags: object, options: object
) -> Iterator[Message]:
    """Return them as Babel wants messages; ``babel.cfg`` names this function as an extractor."""
    del fileobj, keywords, comment_tags, options
    for text, place in texts():
        yield 0, None, text, [place]
    for pair in counted():
        yield 0, "ngettext", pair, ["a unit"]
