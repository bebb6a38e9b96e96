"""The explained blocks of the page of measures: contract beside audit, and the link windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.i18n import measure_words, numbers
from app.i18n.language import N_, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.public.released_figures import CityFigures, PublicValue
    from geodata.measures.events import Window

DISPOSITIONS = (
    ("alerts.confirmed", N_("Confirmed"), N_("evidence or a witness of gunfire was found")),
    ("alerts.unconfirmed", N_("Unconfirmed"), N_("no evidence either way")),
    ("alerts.unfounded", N_("Unfounded"), N_("it turned out not to be gunfire")),
    ("alerts.no_disposition", N_("No disposition"), N_("the source tells no result")),
)


@dataclass(frozen=True, kw_only=True)
class BarPart:
    """A part of a bar: from where and how wide in percent, and what it is."""

    name: str
    meaning: str
    number: str
    share: str
    start: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Formulas:
    """The vendor's formula and the auditor's shares of the same alerts."""

    performance: str
    confirmed: str
    contract: tuple[BarPart, ...]
    audit: tuple[BarPart, ...]
    withheld: str
    when: str


@dataclass(frozen=True, kw_only=True)
class WindowCell:
    """The share of events with both, in one window."""

    share: str
    interval: str
    used: bool


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How the share of events with both depends on the window: rows minutes, columns metres."""

    parts: tuple[BarPart, ...]
    events: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[WindowCell, ...]], ...]
    least: str
    most: str


def formulas_of(found: CityFigures) -> Formulas | None:
    """Set the vendor's formula beside the four shares, where there is one."""
    contract = found.same_alerts["alerts.performance"].value.figure
    located = found.same_alerts["alerts.located_25m"].value.figure
    if contract.value is None or contract.numerator is None or contract.denominator is None:
        return None
    failed = contract.denominator - contract.numerator
    counted = [(_("Counted as accurate"), _("placed well or never checked"), contract.numerator)]
    if located.numerator is not None:
        others = contract.numerator - located.numerator
        counted = [
            (_("Verified, within 25 m"), _("checked and well placed"), located.numerator),
            (_("Never checked"), _("counted as accurate because it was published"), others),
        ]
    shares = [
        (found.same_alerts[i], translated(name), translated(meaning))
        for i, name, meaning in DISPOSITIONS
    ]
    withheld = next((public.withheld for public, *_names in shares if public.withheld), "")
    lines = [
        (name, meaning, number)
        for public, name, meaning in shares
        if (number := public.value.figure.numerator) is not None
    ]
    confirmed, days = shares[0][0].value.figure.value, shares[0][0].value.scope
    return Formulas(
        performance=numbers.amount(contract.value, "share"),
        confirmed="" if confirmed is None else numbers.amount(confirmed, "share"),
        contract=parts(
            [
                *counted,
                (_("Missed or misplaced"), _("verified gunfire without a good alert"), failed),
            ]
        ),
        audit=parts([*lines, *_rest(lines, shares)]),
        withheld=translated(withheld),
        when=measure_words.span(days.start, days.end) if days != found.scope else "",
    )


def _rest(
    lines: Sequence[tuple[str, str, float]], shares: Sequence[tuple[PublicValue, str, str]]
) -> list[tuple[str, str, float]]:
    """Return the alerts whose disposition is kept back, so that the others are shares of all."""
    of = max((public.value.figure.denominator or 0.0 for public, *_names in shares), default=0.0)
    rest = of - sum(number for *_names, number in lines)
    return [(_("Not told"), _("small counts are kept back"), rest)] if rest > 0 else []


def parts(lines: Sequence[tuple[str, str, float]]) -> tuple[BarPart, ...]:
    """Lay numbers side by side as parts of a bar."""
    whole, start, found = sum(number for *_names, number in lines), 0.0, []
    for name, meaning, number in lines:
        width = 100 * number / whole if whole else 0.0
        found.append(
            BarPart(
                name=name,
                meaning=meaning,
                number=numbers.number(number),
                share=numbers.amount(number / whole if whole else None, "share"),
                start=round(start, 2),
                width=round(width, 2),
            )
        )
        start += width
    return tuple(found)


def windows_of(found: CityFigures) -> Windows | None:
    """Tell the events and how the share of events with both depends on the window."""
    shares = [window.both.value for window in found.windows if window.both.value is not None]
    count = found.values["events.count"].value.figure.value
    if not shares or count is None:
        return None
    metres = list(dict.fromkeys(window.metres for window in found.windows))
    minutes = list(dict.fromkeys(window.minutes for window in found.windows))
    at = {(window.minutes, window.metres): window for window in found.windows}
    kinds = (
        ("events.alert_only", _("Alert only"), _("nobody called 911")),
        ("events.both", _("Alert and call"), _("both told of it")),
        ("events.call_only", _("Call only"), _("no alert was published")),
    )
    return Windows(
        parts=parts(
            [
                (name, meaning, found.values[identity].value.figure.numerator or 0.0)
                for identity, name, meaning in kinds
            ]
        ),
        events=numbers.number(count),
        heads=tuple(f"{distance:.0f} m" for distance in metres),
        rows=tuple(
            (
                _("%(minutes)s minutes", minutes=numbers.number(after)),
                tuple(_window(at[after, distance]) for distance in metres),
            )
            for after in minutes
        ),
        least=numbers.amount(min(shares), "share"),
        most=numbers.amount(max(shares), "share"),
    )


def _window(window: Window) -> WindowCell:
    return WindowCell(
        share=numbers.amount(window.both.value, "share"),
        interval=numbers.between(window.both.low, window.both.high, "share"),
        used=window.used,
    )
