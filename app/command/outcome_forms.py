"""The forms that ask for an evaluation, and for what a pilot could find."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    SelectChoice,
    SelectField,
)
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from app import words
from app.outcome.power import MOST_MONTHS, PowerAsk
from app.outcome.question import MOST_CONTROLS, WIDEST_BUFFER
from app.staff.forms import ChecksField, WholeField, require_calendar
from spatial.outcome.periods import months_later

if TYPE_CHECKING:
    from app.command.place import Place
    from geodata.store.runs import RunRecord

    Days = tuple[dt.date, dt.date]

DAY = dt.timedelta(days=1)
HALF_YEAR, YEAR = 6, 12


def _day(label: str) -> DateField:
    return DateField(label, [InputRequired("give a day"), require_calendar])


class ZonesForm(FlaskForm):
    """Which zones of which run, and which incidents."""

    run = HiddenField()
    outcome = SelectField("Incidents")
    zones = ChecksField("Treated zones", description="None ticked: all of them.")
    buffer_cells = WholeField(
        "Cells around the zones that count as surroundings",
        [Optional(), NumberRange(0, WIDEST_BUFFER, f"give 0 to {WIDEST_BUFFER}")],
        description="0 for none; empty: as wide as a block.",
    )

    def offer(self, place: Place, run: RunRecord) -> None:
        """Fill in what can be chosen."""
        known = [name for name in place.city.outcomes if name not in place.city.sensitive_outcomes]
        self.outcome.choices = [SelectChoice(name, words.plain(name)) for name in known]
        zones = run.zones
        if place.code:
            zones = zones[zones["district"] == place.code]
        self.zones.choices = [
            SelectChoice(zone.id, place.zone_name(zone))
            for zone in zones.sort_values(["district", "rank"]).itertuples()
        ]
        self.run.data = run.id
        if not self.outcome.raw_data and run.outcome in known:
            self.outcome.data = run.outcome


class AskForm(ZonesForm):
    """An evaluation: two periods, from a first to a last day, and how many control areas."""

    before_first, before_last = _day("Before: first day"), _day("Before: last day")
    after_first, after_last = _day("After: first day"), _day("After: last day")
    controls = WholeField(
        "Control areas",
        [
            InputRequired(f"give 1 to {MOST_CONTROLS}"),
            NumberRange(1, MOST_CONTROLS, f"give 1 to {MOST_CONTROLS}"),
        ],
        description="Several can be held against each other.",
        default=3,
    )
    others_untreated = BooleanField(
        "The run’s other zones had no intervention and may lie in control areas"
    )

    def suggest(self, days: Days | None) -> None:
        """Fill in the last half-year of an outcome's ``days`` and the same months a year before."""
        if days is None:
            return
        end = (days[1] + DAY).replace(day=1)
        start = months_later(end, -HALF_YEAR)
        self.after_first.data, self.after_last.data = start, end - DAY
        self.before_first.data = months_later(start, -YEAR)
        self.before_last.data = months_later(end, -YEAR) - DAY

    def validate_before_last(self, field: DateField) -> None:
        """Refuse a period that ends before it starts."""
        _in_order(self.before_first.data, field.data)

    def validate_after_first(self, field: DateField) -> None:
        """Refuse a period after that begins within the one before."""
        before = self.before_last.data
        if field.data and before and field.data <= before:
            msg = "the period after begins within the one before; the same incidents count once"
            raise ValidationError(msg)

    def validate_after_last(self, field: DateField) -> None:
        """Refuse a period that ends before it starts."""
        _in_order(self.after_first.data, field.data)

    def arguments(self, place: Place) -> dict[str, Any]:
        """Give the arguments of the job, once the form is valid."""
        told: dict[str, Any] = {
            "city": place.city.slug,
            "run": self.run.data,
            "outcome": self.outcome.data,
            "before": _half_open(self.before_first.data, self.before_last.data),
            "after": _half_open(self.after_first.data, self.after_last.data),
            "zones": sorted(self.zones.data or ()),
            "controls": self.controls.data,
            "other_zones_untreated": bool(self.others_untreated.data),
        }
        if place.code:
            told["district"] = place.code
        if self.buffer_cells.data is not None:
            told["buffer_cells"] = self.buffer_cells.data
        return told


class PowerForm(ZonesForm):
    """What a pilot could find; asked by address, so that it can be shared and printed."""

    class Meta:
        """Nothing is changed by asking, so there is no token."""

        csrf = False

    before_first, before_last = _day("Before: first day"), _day("Before: last day")
    months = WholeField(
        "Months of the pilot",
        [
            InputRequired(f"give 1 to {MOST_MONTHS}"),
            NumberRange(1, MOST_MONTHS, f"give 1 to {MOST_MONTHS}"),
        ],
        default=HALF_YEAR,
    )

    def suggest(self, days: Days | None) -> None:
        """Fill in the last year of an outcome's ``days``."""
        if days is None:
            return
        end = (days[1] + DAY).replace(day=1)
        self.before_first.data, self.before_last.data = months_later(end, -YEAR), end - DAY
        self.months.data = HALF_YEAR

    def validate_before_last(self, field: DateField) -> None:
        """Refuse a period that ends before it starts."""
        _in_order(self.before_first.data, field.data)

    def asked(self, place: Place) -> PowerAsk:
        """Give what is asked, once the form is valid."""
        return PowerAsk(
            city=place.city.slug,
            run=self.run.data,
            outcome=self.outcome.data,
            before=(self.before_first.data, self.before_last.data + DAY),
            months=self.months.data,
            zones=tuple(self.zones.data or ()),
            district=place.code or None,
            buffer_cells=self.buffer_cells.data,
        )


def _in_order(first: dt.date | None, last: dt.date | None) -> None:
    if first and last and last < first:
        msg = "the last day is before the first"
        raise ValidationError(msg)


def _half_open(first: dt.date, last: dt.date) -> list[str]:
    return [first.isoformat(), (last + DAY).isoformat()]
