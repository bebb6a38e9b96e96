"""The report of an area that somebody drew: zones, risk, alerts and complaints in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from app import words, words_zones
from app.language import translated
from app.maps.palette import RISK_HEX
from app.maps.shapes import zone_title
from app.views.activity import CLASS_WORDS, span_told
from geodata.publishing.formats import csv_bytes
from geodata.publishing.surroundings import report_area

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.site.shown import PublicRun, Shown
    from app.views.drawn import Drawn
    from geodata.publishing.activity import Choice
    from geodata.publishing.surroundings import AreaReport, LayerCount, Surroundings

COLUMNS = ("section", "what", "value", "unit", "least", "most")


@dataclass(frozen=True, kw_only=True)
class ZoneIn:
    """A zone of which a part lies in the area."""

    id: str
    title: str
    within: str
    covers: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RiskIn:
    """A risk class and how much of the area it covers; ``bar`` is in percent."""

    words: str
    share: str
    bar: float
    colour: str


@dataclass(frozen=True, kw_only=True)
class LayerIn:
    """Alerts or complaints in the area, and how sure that is."""

    title: str
    many: str
    number: str
    least: str
    most: str
    apart: int
    months: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class AreaPage:
    """The report of one area."""

    title: str
    size: str
    where: str
    rated: str
    zones: tuple[ZoneIn, ...]
    risk: tuple[RiskIn, ...]
    layers: tuple[LayerIn, ...]
    span: str
    class_: str
    field: str
    text: str
    picture: str
    download: str
    back: str


def area_page(
    shown: Shown,
    run: PublicRun,
    ground: Surroundings,
    drawn: Drawn,
    choice: Choice | None,
    names: Mapping[str, str],
    urls: Mapping[str, str],
) -> AreaPage:
    """Tell what an area holds; ``urls`` are those of its picture, its table and the map."""
    units = words.Units(shown.city.crs)
    found = report_area(ground, drawn.shape, choice)
    activity = ground.activity
    return AreaPage(
        title=_title(drawn, units),
        size=units.area(found.area),
        where=words.listed([names[code] for code in found.districts]) if found.districts else "",
        rated=words.share(found.rated / found.area),
        zones=_zones(shown, run, found, units),
        risk=_risk(found),
        layers=tuple(_layer(ground, one) for one in found.layers),
        span=span_told(activity, choice) if activity and choice else "",
        class_=translated(CLASS_WORDS[choice.classes[0]]) if choice and choice.classes else "",
        field=drawn.field,
        text=drawn.text,
        picture=urls["picture"],
        download=urls["download"],
        back=urls["map"],
    )


def _title(drawn: Drawn, units: words.Units) -> str:
    if drawn.radius_m is None:
        return _("Area with %(number)d corners", number=len(drawn.corners))
    return _(
        "%(radius)s around %(latitude)s, %(longitude)s",
        radius=units.length(drawn.radius_m / units.metres),
        latitude=f"{drawn.corners[0][0]:.4f}",
        longitude=f"{drawn.corners[0][1]:.4f}",
    )


def _zones(
    shown: Shown, run: PublicRun, found: AreaReport, units: words.Units
) -> tuple[ZoneIn, ...]:
    names = dict(zip(shown.city.districts["code"], shown.city.districts["name"], strict=True))
    every = list(run.zones.itertuples())
    rows = [(every[place], within, covers) for place, within, covers in found.zones]
    return tuple(
        ZoneIn(
            id=zone.id,
            title=zone_title(zone, names),
            within=words.share(within),
            covers=words.share(covers),
            reasons=words_zones.reasons(zone, units),
        )
        for zone, within, covers in rows
    )


def _risk(found: AreaReport) -> tuple[RiskIn, ...]:
    if not found.rated:
        return ()
    shares = [area / found.rated for area in found.levels]
    return tuple(
        RiskIn(
            words=translated(words.CLASSES[level]),
            share=words.share(shares[level]),
            bar=round(100 * shares[level], 1),
            colour=RISK_HEX[level],
        )
        for level in (3, 2, 1, 0)
    )


def _layer(ground: Surroundings, one: LayerCount) -> LayerIn:
    layer = next(layer for layer in ground.activity.layers if layer.id == one.layer)  # type: ignore[union-attr]
    return LayerIn(
        title=translated(layer.title),
        many=ngettext(layer.one, layer.many, one.number),
        number=words.number(one.number),
        least=words.number(one.least),
        most=words.number(one.most),
        apart=one.apart,
        months=tuple((words.month(month), number) for month, number in one.by_month),
    )


def area_csv(
    run: PublicRun, ground: Surroundings, drawn: Drawn, choice: Choice | None, metres: float
) -> bytes:
    """Write the report as a table: one figure a row, with the bounds of what is uncertain."""
    found = report_area(ground, drawn.shape, choice)
    rows = [
        {"section": section, "what": what, "value": value, "unit": unit, "least": low, "most": high}
        for section, what, value, unit, low, high in _figures(
            run, ground, drawn, choice, found, metres
        )
    ]
    return csv_bytes(COLUMNS, rows)


def _figures(
    run: PublicRun,
    ground: Surroundings,
    drawn: Drawn,
    choice: Choice | None,
    found: AreaReport,
    metres: float,
) -> Iterator[tuple[object, ...]]:
    yield "area", drawn.field, drawn.text, "degrees; metres", "", ""
    yield "area", "size", round(found.area * metres**2), "square metres", "", ""
    yield "area", "in the risk surface", round(found.rated / found.area, 4), "share", "", ""
    for place, within, covers in found.zones:
        zone = run.zones["id"].iloc[place]
        yield "zone within the area", zone, round(within, 4), "share of the zone", "", ""
        yield "area within the zone", zone, round(covers, 4), "share of the area", "", ""
    for level, area in enumerate(found.levels):
        share = round(area / found.rated, 4) if found.rated else ""
        yield "risk", words.CLASSES[level], share, "share of the risk surface", "", ""
    if ground.activity and choice:
        weeks = ground.activity.weeks
        yield "chosen", "first week from", weeks[choice.first].isoformat(), "date", "", ""
        yield "chosen", "last week from", weeks[choice.last].isoformat(), "date", "", ""
        yield (
            "chosen",
            "class of alerts",
            choice.classes[0] if choice.classes else "all",
            "",
            "",
            "",
        )
    for one in found.layers:
        yield one.layer, "mostly within", one.number, "rows", one.least, one.most
        yield one.layer, "known by district only", one.apart, "rows, not counted", "", ""
        for month, number in one.by_month:
            yield one.layer, f"{month:%Y-%m}", number, "rows mostly within", "", ""
