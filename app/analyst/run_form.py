"""The form that asks for a run: what it offers, what was typed, and what is asked with it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FloatField,
    Form,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app import words
from app.analyst.run_hints import choices_of
from app.forms import EARLIEST, LATEST
from app.runs.inputs import FactorChoice
from app.runs.pipeline import FitRequest
from app.staff.forms import ChecksField, WholeField
from geodata.store.runs import LONGEST_NAME, LONGEST_NOTE
from spatial.analysis import CITY_SCOPE
from spatial.spec import HistorySpec, ModelSpec, ZoneSpec

if TYPE_CHECKING:
    from app.analyst.run_hints import Offer

WHOLE, CHOSEN, EACH = "city", "chosen", "each"
LONGEST_UNITS = 100_000
OPERATIONS = {
    "both": "both, the data choose",
    "proximity": "proximity: near a place",
    "density": "density: many places together",
}
STEPS = {"half": "half a block", "whole": "a block"}
FAMILIES = {
    "poisson": "Poisson",
    "nb1": "negative binomial, variance linear in the mean (NB1)",
    "nb2": "negative binomial, variance quadratic in the mean (NB2)",
}


def _number(least: float, most: float) -> list[Any]:
    told = f"give a number from {least:g} to {most:g}"
    return [InputRequired(told), NumberRange(least, most, told)]


def _choices(told: dict[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in told.items()]


class FactorForm(Form):
    """One factor of the city: whether a run takes it, and how its influence is tried."""

    name = HiddenField()
    taken = BooleanField("Take it")
    operation = SelectField("Operation", choices=_choices(OPERATIONS))
    max_blocks = WholeField("Farthest, in blocks", _number(1, 20))
    step = SelectField("Step", choices=_choices(STEPS))


class RunForm(FlaskForm):
    """What decides a run."""

    outcome = SelectField("Outcome", description="What is to be explained.")
    first = DateField(
        "First day", [Optional()], description="Included. Empty: the first day of this outcome."
    )
    last = DateField(
        "Last day",
        [Optional()],
        description="Included. Empty: its last. Leave later days out to validate on them.",
    )
    scope = RadioField(
        "Fitted for",
        choices=_choices(
            {
                WHOLE: "the whole city, in one model",
                CHOSEN: "the districts that are ticked, each by itself",
                EACH: "every district, each by itself",
            }
        ),
    )
    districts = ChecksField("Districts", [Optional()])
    factors = FieldList(FormField(FactorForm), max_entries=200)
    cell = FloatField("Side of a cell", _number(1e-3, LONGEST_UNITS))
    block = FloatField("Length of a block", _number(1e-3, LONGEST_UNITS))
    area_share = FloatField(
        "Share of each district's area, in percent",
        _number(0.01, 50),
        description="How much ground the zones of a district may take together.",
    )
    zones_from = RadioField(
        "Zones follow",
        choices=_choices(
            {
                "combined": "the combined risk: environment and history together",
                "rtm": "the risk terrain alone",
            }
        ),
    )
    sign = RadioField(
        "Look for factors that",
        choices=_choices({"aggravating": "raise risk", "protective": "lower risk"}),
    )
    sharing = RadioField(
        "Districts by themselves",
        choices=_choices(
            {
                "own": "have models of their own; where incidents are few, the city's factors",
                "shared": "deviate from the city's model as far as their data say",
            }
        ),
    )
    min_incidents_district = WholeField(
        "Fewest incidents for a district's own model", _number(1, 1_000_000)
    )
    seed = WholeField(
        "Seed",
        _number(0, 2**31 - 1),
        description="Draws the folds. The same seed and data give the same run.",
    )
    min_cells = WholeField("Fewest cells of a zone", _number(1, 10_000))
    max_cells = WholeField("Most cells of a zone", _number(1, 10_000))
    max_zones = WholeField("Most zones of a district", _number(1, 1_000))
    half_life_days = FloatField(
        "Age at which a past incident counts half, in days",
        _number(0, 36_500),
        description="0 lets all count alike.",
    )
    families = ChecksField("Likelihoods that compete by BIC", choices=_choices(FAMILIES))
    folds = WholeField("Folds of the cross-validation", _number(3, 100))
    mixing = FloatField(
        "Mixing of the elastic net", _number(0.01, 1), description="1 is the lasso."
    )
    lambda_rule = RadioField(
        "Penalty taken from the cross-validation",
        choices=_choices(
            {"min": "the one with the least deviance", "1se": "the strongest within one SE of it"}
        ),
    )

    name = StringField(
        "Name",
        [Optional(), Length(max=LONGEST_NAME, message=f"take up to {LONGEST_NAME} characters")],
        description="What the run is called in lists, such as “Spring, with new bus stops”.",
    )
    note = TextAreaField(
        "Note",
        [Optional(), Length(max=LONGEST_NOTE, message=f"take up to {LONGEST_NOTE} characters")],
        description="Why it is made, what is different. For staff.",
    )

    def offer(self, offered: Offer) -> None:
        """Let the form offer what the city has."""
        self.outcome.choices = [
            SelectChoice(
                days.outcome,
                f"{words.plain(days.outcome)}: {days.count:,}, {days.first} to {days.last}",
            )
            for days in offered.outcomes
        ]
        frame = offered.city.districts
        self.districts.choices = [
            SelectChoice(code, code if code == name else f"{code}: {name}")
            for code, name in zip(frame["code"], frame["name"], strict=True)
        ]

    def fits_the_city(self, offered: Offer) -> bool:
        """Check what no field can check by itself; what is wrong is put at its field."""
        known = choices_of(offered)
        names = [one.form.name.data for one in self.factors]
        faults: list[tuple[Any, str]] = []
        first, last = self.first.data, self.last.data
        faults += [
            (field, f"give a day from {EARLIEST} to {LATEST}")
            for field in (self.first, self.last)
            if field.data and not EARLIEST <= field.data <= LATEST
        ]
        if first and last and first > last:
            faults.append((self.last, f"the last day must not lie before the first, {first}"))
        if self.scope.data == CHOSEN and not self.districts.data:
            faults.append((self.districts, "tick a district at least, or fit the whole city"))
        if set(names) - known.keys() or len(set(names)) < len(names):
            faults.append((self.factors, "the city's factors have changed; reload the page"))
        if not any(one.form.taken.data for one in self.factors):
            faults.append((self.factors, "take one factor at least"))
        if not self.families.data:
            faults.append((self.families, "tick one at least"))
        if (self.min_cells.data or 0) > (self.max_cells.data or 0):
            faults.append((self.max_cells, "a zone cannot have fewer cells at most than at least"))
        for field, told in faults:
            put_at(field, told)
        return not faults

    def asked(self, offered: Offer) -> FitRequest:
        """Give what is asked for with a form that was checked."""
        city = offered.city
        last = self.last.data
        return FitRequest(
            city=city.slug,
            outcome=self.outcome.data,
            start=self.first.data,
            end=last + dt.timedelta(days=1) if last else None,
            districts=self._districts(offered),
            factors=self._factors(offered),
            cell_units=None if self.cell.data == city.cell_units else self.cell.data,
            block_units=None if self.block.data == city.block_units else self.block.data,
            model=ModelSpec(
                sign=self.sign.data,
                folds=self.folds.data,
                mixing=self.mixing.data,
                lambda_rule=self.lambda_rule.data,
                families=tuple(name for name in FAMILIES if name in self.families.data),  # type: ignore[misc]
                min_incidents_district=self.min_incidents_district.data,
                sharing=self.sharing.data,
                seed=self.seed.data,
            ),
            history=HistorySpec(half_life_days=self.half_life_days.data or None),
            zones=self.zones_asked(),
            name=(self.name.data or "").strip(),
            note=(self.note.data or "").strip(),
        )

    def zones_asked(self) -> ZoneSpec:
        """Return how zones are to be cut, of fields without faults."""
        return ZoneSpec(
            source=self.zones_from.data,
            area_share=round(self.area_share.data / 100, 9),
            min_cells=self.min_cells.data,
            max_cells=self.max_cells.data,
            max_zones=self.max_zones.data,
        )

    def _districts(self, offered: Offer) -> tuple[str, ...]:
        every = tuple(offered.city.districts["code"])
        if self.scope.data == WHOLE:
            return ()
        return every if self.scope.data == EACH else tuple(self.districts.data)

    def chosen(self) -> list[FactorChoice]:
        """Give the factors that are taken and have no fault."""
        return [
            FactorChoice(
                name=one.name.data,
                operation=one.operation.data,
                max_blocks=one.max_blocks.data,
                step=one.step.data,
            )
            for one in (entry.form for entry in self.factors)
            if one.taken.data and not one.errors
        ]

    def _factors(self, offered: Offer) -> tuple[FactorChoice, ...]:
        """Give the chosen factors; none where all are taken as the city has them."""
        known, chosen = choices_of(offered), self.chosen()
        usual = len(chosen) == len(known) and all(
            one.applied_to(known[one.name]) == known[one.name] for one in chosen
        )
        return () if usual else tuple(chosen)


def put_at(field: Any, told: str) -> None:
    """Put a fault at a field."""
    field.errors = [*field.errors, told]


def _plain(number: float) -> float:
    """Give a number that is shown as people write it: 200, not 200.0."""
    return int(number) if number.is_integer() else number


def typed(asked: FitRequest, offered: Offer) -> dict[str, Any]:
    """Give what a form says when this is asked for."""
    city, model, zones = offered.city, asked.model, asked.zones
    every = tuple(city.districts["code"])
    each = len(asked.districts) == len(every) > 1
    return {
        "outcome": asked.outcome,
        "first": asked.start,
        "last": asked.end - dt.timedelta(days=1) if asked.end else None,
        "scope": EACH if each else CHOSEN if asked.districts else WHOLE,
        "districts": [] if each else [one for one in asked.districts if one != CITY_SCOPE],
        "factors": _typed_factors(asked, offered),
        "cell": _plain(city.cell_units if asked.cell_units is None else asked.cell_units),
        "block": _plain(city.block_units if asked.block_units is None else asked.block_units),
        "area_share": _plain(round(100 * zones.area_share, 7)),
        "zones_from": zones.source,
        "half_life_days": asked.history.half_life_days or 0.0,
        **{name: getattr(zones, name) for name in ("min_cells", "max_cells", "max_zones")},
        **{
            name: getattr(model, name)
            for name in ("sign", "sharing", "seed", "folds", "mixing", "lambda_rule")
        },
        "families": list(model.families),
        "min_incidents_district": model.min_incidents_district,
        "name": asked.name,
        "note": asked.note,
    }


def _typed_factors(asked: FitRequest, offered: Offer) -> list[dict[str, Any]]:
    chosen = {one.name: one for one in asked.factors}
    told = []
    for name, factor in choices_of(offered).items():
        taken = not chosen or name in chosen
        shown = chosen[name].applied_to(factor) if name in chosen else factor
        told.append({**dataclasses.asdict(shown), "taken": taken})
    return told
