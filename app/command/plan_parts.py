"""The forms that ask for a plan and for another version of one.

The map of a patrol plan: the zones by rank, and the order of each unit.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, SelectChoice, SelectField, TimeField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from app.admin.forms import ChecksField, WholeField, require_calendar
from app.maps import palette
from app.maps.staff_map import Key, MapLayer, staff_map
from app.usecases.patrol.planning import PlanRequest, moment_of, request_of, swapped
from geodata.errors import DataError
from geodata.plan_document import PinAsk
from spatial.patrol.allocation import FEWEST_MIN, MOST_MIN, MOST_UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.charts.plan_files import Sheet
    from app.command.district import DistrictPage
    from app.config import Shift
    from geodata.plan_document import PlanUnit, PlanVisit
    from geodata.repositories.patrol_plans import PlanRecord
    from geodata.repositories.runs import RunSummary


LONGEST_LIMIT_S = 8  # the answer waits for the search
LONGEST_BREAK_MIN = 240
MOST_SEED = 2**31 - 1
OTHER = "other"
NONE = ""


def _number(label: str, least: int, most: int, text: str = "", **options: Any) -> WholeField:
    rule = lazy_gettext("give a whole number from %(least)s to %(most)s", least=least, most=most)
    checks = [InputRequired(rule), NumberRange(least, most, rule)]
    return WholeField(label, checks, description=text, **options)


class PlanForm(FlaskForm):
    """What every plan is requested."""

    units = _number(lazy_gettext("Units"), 1, MOST_UNITS, default=2)
    minutes = _number(
        lazy_gettext("Minutes of a visit"),
        FEWEST_MIN,
        MOST_MIN,
        lazy_gettext("10 to 16 had the longest effect where it was studied."),
        default=15,
    )
    break_minutes = _number(
        lazy_gettext("Break of each unit, minutes"),
        0,
        LONGEST_BREAK_MIN,
        lazy_gettext("0 for none."),
        default=30,
    )
    seed = _number(
        lazy_gettext("Seed"),
        0,
        MOST_SEED,
        lazy_gettext("Another number, another order; the same, the same plan."),
        default=1,
    )
    limit = _number(
        lazy_gettext("Search at most, seconds"),
        1,
        LONGEST_LIMIT_S,
        lazy_gettext("The page waits so long."),
        default=LONGEST_LIMIT_S,
    )


class NewPlanForm(PlanForm):
    """A plan for a shift."""

    run = SelectField(
        "Zones of run", description="Runs in use; the one put to use last comes first."
    )
    day = DateField("Shift begins on", [InputRequired("give a day"), require_calendar])
    shift = RadioField("Shift")
    start = TimeField("From", [Optional()])
    end = TimeField("To", [Optional()], description="No later than its start: on the next day.")

    def offer(self, runs: Sequence[RunSummary], shifts: Sequence[Shift]) -> None:
        """Fill in what can be chosen."""
        self.run.choices = [
            SelectChoice(
                run.id,
                f"{run.id}{', ' * bool(run.name)}{run.name}: {run.outcome}, {run.period_from} to "
                f"{run.period_to}",
            )
            for run in runs
        ]
        self.shift.choices = [
            *(
                SelectChoice(shift.name, f"{shift.name}, {shift.start:%H:%M} to {shift.end:%H:%M}")
                for shift in shifts
            ),
            SelectChoice(OTHER, "other times"),
        ]

    @property
    def times_open(self) -> bool:
        """Return whether times of one's own are wanted, or wrong."""
        return self.shift.data == OTHER or bool(self.start.errors or self.end.errors)

    @property
    def search_open(self) -> bool:
        """Return whether something is wrong with the run or the search."""
        return any(field.errors for field in (self.run, self.seed, self.limit))

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field, and that other times are given where they are wanted."""
        valid: bool = super().validate(extra_validators)
        for field, what in ((self.start, "begins"), (self.end, "ends")):
            if self.shift.data == OTHER and field.data is None and not field.errors:
                field.errors = [f"give the time that the shift {what} at, or choose a shift"]
                valid = False
        return valid

    def asked(self, place: DistrictPage, shifts: Sequence[Shift]) -> PlanRequest:
        """Return what is requested, once the form is valid."""
        start, end = next(
            ((shift.start, shift.end) for shift in shifts if shift.name == self.shift.data),
            (self.start.data, self.end.data),
        )
        return PlanRequest(
            city=place.city.slug,
            district=place.code,
            run=self.run.data,
            shift=shift_of(self.day.data, start, end),
            units=self.units.data,
            minutes=self.minutes.data,
            seed=self.seed.data,
            break_minutes=self.break_minutes.data,
            limit_s=float(self.limit.data),
        )


class ChangeForm(PlanForm):
    """Another version of a plan: what stays fixed, what is left out, what changes places."""

    keep = ChecksField(lazy_gettext("Keep as it is"))
    leave = ChecksField(lazy_gettext("Leave out"))
    swap_one = SelectField(lazy_gettext("Exchange"), default=NONE)
    swap_two = SelectField(lazy_gettext("with"), default=NONE)
    pin_unit = SelectField(lazy_gettext("Unit"), default=NONE)
    pin_zone = SelectField(lazy_gettext("Zone"), default=NONE)
    pin_at = TimeField(lazy_gettext("At"), [Optional()])

    def offer(self, plan: PlanRecord) -> None:
        """Fill in what can be chosen: visits are named ``unit|start``, zones by their code."""
        ranks = plan.document.ranks
        visits = [
            (unit.key(visit), _describe(unit, visit, ranks))
            for unit in plan.document.units
            for visit in unit.visits
        ]
        zones = [(zone, _("Zone %(rank)s", rank=rank)) for zone, rank in ranks.items()]
        units = [(unit.unit, _("Unit %(unit)s", unit=unit.unit)) for unit in plan.document.units]
        nothing = SelectChoice(NONE, "–")
        self.keep.choices = [SelectChoice(*one) for one in visits]
        self.leave.choices = [SelectChoice(*one) for one in zones]
        for field in (self.swap_one, self.swap_two):
            field.choices = [nothing, *(SelectChoice(*one) for one in visits)]
        self.pin_unit.choices = [nothing, *(SelectChoice(*one) for one in units)]
        self.pin_zone.choices = [nothing, *(SelectChoice(*one) for one in zones)]

    def validate_swap_two(self, field: SelectField) -> None:
        """Refuse to exchange anything but two different visits."""
        if bool(field.data) != bool(self.swap_one.data):
            msg = _("choose both visits that are to be exchanged")
            raise ValidationError(msg)
        if field.data and field.data == self.swap_one.data:
            msg = _("choose two different visits")
            raise ValidationError(msg)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field, and that a further visit has its unit, zone and time."""
        valid: bool = super().validate(extra_validators)
        parts = [self.pin_unit.data, self.pin_zone.data, self.pin_at.data is not None]
        if any(parts) and not all(parts) and not self.pin_at.errors:
            self.pin_at.errors = [_("a visit that is added needs its unit, its zone and its time")]
            valid = False
        return valid

    def asked(self, plan: PlanRecord) -> PlanRequest:
        """Return what is requested, once the form is valid.

        Raises
        ------
        DataError
            If nothing is changed, or a time is not within the shift.
        """
        before = request_of(plan)
        exchanged: tuple[PinAsk, ...] = ()
        if self.swap_one.data:
            one, two = (_named(field.data) for field in (self.swap_one, self.swap_two))
            exchanged = swapped(plan, one, two)
        taken = {(pin.unit, pin.start) for pin in exchanged}
        kept = tuple(pin for pin in self._kept(plan) if (pin.unit, pin.start) not in taken)
        wanted = dataclasses.replace(
            before,
            units=self.units.data,
            minutes=self.minutes.data,
            seed=self.seed.data,
            break_minutes=self.break_minutes.data,
            limit_s=float(self.limit.data),
            pins=tuple(dict.fromkeys((*kept, *exchanged, *self._added(before)))),
            dropped=tuple(self.leave.data or ()),
        )
        if _settled(wanted) == _settled(before):
            msg = "nothing was changed; fix, leave out, exchange, or give another number or seed"
            raise DataError(msg, code="nothing_changed")
        return wanted

    def _kept(self, plan: PlanRecord) -> list[PinAsk]:
        chosen = set(self.keep.data or ())
        return [
            PinAsk(unit=int(unit.unit), zone=visit.zone, start=visit.start)
            for unit in plan.document.units
            for visit in unit.visits
            if unit.key(visit) in chosen
        ]

    def _added(self, before: PlanRequest) -> tuple[PinAsk, ...]:
        if not self.pin_unit.data:
            return ()
        start = moment_of(before.shift, f"{self.pin_at.data:%H:%M}")
        return (PinAsk(unit=int(self.pin_unit.data), zone=self.pin_zone.data, start=start),)


def change_form(plan: PlanRecord, *, filled: bool) -> ChangeForm:
    """Make the form of a plan's next version; ``filled`` with what the plan was requested."""
    if not filled:
        form = ChangeForm()
        form.offer(plan)
        return form
    wanted = plan.document.asked
    form = ChangeForm(
        formdata=None,
        units=wanted.units,
        minutes=wanted.minutes,
        break_minutes=wanted.break_minutes,
        seed=plan.seed,
        limit=min(LONGEST_LIMIT_S, max(1, round(wanted.limit_seconds))),
        keep=[
            unit.key(visit) for unit in plan.document.units for visit in unit.visits if visit.pinned
        ],
        leave=[zone.zone for zone in plan.document.zones if zone.dropped],
    )
    form.offer(plan)
    return form


def shift_of(day: dt.date, start: dt.time, end: dt.time) -> tuple[dt.datetime, dt.datetime]:
    """Return the two ends of a shift; one that ends no later than it starts ends the day after.

    >>> import datetime as dt
    >>> shift_of(dt.date(2026, 1, 5), dt.time(23), dt.time(7))[1].isoformat()
    '2026-01-06T07:00:00'
    """
    begin = dt.datetime.combine(day, start)
    last = dt.datetime.combine(day, end)
    return begin, last if last > begin else last + dt.timedelta(days=1)


def _describe(unit: PlanUnit, visit: PlanVisit, ranks: dict[str, int]) -> str:
    return _(
        "Unit %(unit)s, %(time)s, zone %(rank)s",
        unit=unit.unit,
        time=f"{visit.start:%H:%M}",
        rank=ranks[visit.zone],
    )


def _named(value: str) -> tuple[int, str]:
    unit, _, start = value.partition("|")
    return int(unit), start


def _settled(request: PlanRequest) -> PlanRequest:
    """Return what is asked without regard to the order of pins and of zones that are left out."""
    return dataclasses.replace(
        request,
        pins=tuple(sorted(set(request.pins), key=lambda pin: (pin.unit, pin.start, pin.zone))),
        dropped=tuple(sorted(set(request.dropped))),
    )


ORDER = "#1c4a86"
SHOWN = "order"  # of the layers of this group one is shown at a time


def plan_map(sheet: Sheet, place: DistrictPage) -> dict[str, object]:
    """Put the map together; a unit's layer names each zone by its places in the unit's order."""
    own = place.city.districts[place.city.districts["code"] == place.code]
    district = gpd.GeoDataFrame({"key": [0]}, geometry=own.geometry.to_list(), crs=sheet.city.crs)
    layers = [
        MapLayer(
            name="district",
            title=place.name,
            shapes=district,
            keys=(Key(label=place.name, colour=palette.DISTRICT),),
            filled=False,
        ),
        _zones(sheet),
        *(_unit(sheet, unit) for unit in sheet.plan.document.units),
    ]
    return staff_map(
        layers, sheet.zones.geometry, base=url_for("ground.base", city=sheet.city.slug)
    )


def _zones(sheet: Sheet) -> MapLayer:
    zones = sheet.zones
    visits = {zone.zone: zone.visits for zone in sheet.plan.document.zones}
    shapes = gpd.GeoDataFrame(
        {
            "key": 0,
            "label": [str(rank) for rank in zones["rank"]],
            "tip": [
                _(
                    "%(zone)s: %(visits)s visits",
                    zone=sheet.called(zone),
                    visits=visits.get(zone, 0),
                )
                for zone in zones["id"]
            ],
        },
        geometry=zones.geometry.to_list(),
        crs=sheet.city.crs,
    )
    key = Key(label=_("a zone, with its number"), colour=palette.ZONE)
    return MapLayer(name="zones", title=_("All zones"), shapes=shapes, keys=(key,), group=SHOWN)


def _unit(sheet: Sheet, unit: PlanUnit) -> MapLayer:
    spots = dict(zip(sheet.zones["id"], sheet.zones.geometry, strict=True))
    places: dict[str, list[int]] = {}
    for number, visit in enumerate(unit.visits, start=1):
        places.setdefault(visit.zone, []).append(number)
    way = [spots[visit.zone].representative_point() for visit in unit.visits]
    shapes: list[Any] = [spots[zone] for zone in places]
    labels: list[str] = [
        f"{', '.join(str(number) for number in numbers)}" for numbers in places.values()
    ]
    tips: list[str] = [sheet.called(zone) for zone in places]
    if len({(spot.x, spot.y) for spot in way}) > 1:
        shapes.append(shapely.LineString(way))
        labels.append("")
        tips.append("")
    return MapLayer(
        name=f"unit-{unit.unit}",
        title=_("Unit %(unit)s, order of its visits", unit=unit.unit),
        shapes=gpd.GeoDataFrame(
            {"key": 0, "label": labels, "tip": tips}, geometry=shapes, crs=sheet.city.crs
        ),
        keys=(
            Key(label=_("the numbers tell when; lines join one stop to the next"), colour=ORDER),
        ),
        filled=False,
        group=SHOWN,
        shown=False,
    )
