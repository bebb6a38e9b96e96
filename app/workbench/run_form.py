"""What helps a person to ask for a run: what the data have, what a grid would cost.

The form that asks for a run: what it offers, what was typed, and what is requested with it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
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

from app.admin.forms import ChecksField, WholeField
from app.forms import EARLIEST, LATEST
from app.i18n import numbers
from app.i18n.run_words import sentence_of
from app.usecases.risk.fit import DAYS_OF_YEAR, FactorChoice, FitRequest
from app.usecases.risk.settings import SETTINGS, Setting, parts_of
from app.workbench.job_pages import duration
from geodata.repositories import incidents, job_queue, layers, runs
from geodata.repositories.runs import LONGEST_NAME, LONGEST_NOTE
from spatial.analysis import CITY_SCOPE
from spatial.errors import GridError
from spatial.grid import Grid, lay_grid
from spatial.neighbours import nearest_neighbours
from spatial.spec import MAX_CELLS, ZoneSpec
from spatial.zones.cut import budget_note, cut_zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from app.usecases.risk.settings import RunParts, Spec
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.incidents import OutcomeDays
    from geodata.repositories.runs import RunRecord
    from spatial.spec import RiskFactor


FEWEST_TESTED = 10  # of fewer points a nearest-neighbour test says nothing
POINT_TYPES = (0, 4)  # shapely's numbers of points and multipoints
BYTES_BEFORE = 560e6  # of a fit: measured on 9,329 to 475,892 cells, see docs/workbench.md
BYTES_PER_CELL = 450.0
BYTES_PER_CANDIDATE = 1.0  # of each cell
HEAVY_BYTES = 1e9
MOST_RECUT = 60_000  # cells; these take less than a second, where zones are capped some seconds
MOST_LOOKED_AT = 10  # runs, the newest first
FITTED = "stepwise"  # a stage that only a fit has


@dataclass(frozen=True, kw_only=True)
class FactorHint:
    """A factor of the city as a form shows it."""

    factor: RiskFactor
    places: str
    hint: str
    suggested: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Offer:
    """What a city has to fit a run from."""

    city: CityRecord
    outcomes: tuple[OutcomeDays, ...]
    factors: tuple[FactorHint, ...]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a grid would cost, in words; ``warning`` is empty where there is nothing to warn of."""

    cells: int
    told: str
    warning: str


def read_offer(session: Session, city: CityRecord) -> Offer:
    """Read what a city has to fit a run from."""
    return Offer(
        city=city,
        outcomes=tuple(incidents.outcome_days(session, city.id)),
        factors=tuple(
            factor_hint(factor, layer, city)
            for factor, layer in layers.factor_layers(session, city.id).items()
        ),
    )


def factor_hint(factor: RiskFactor, layer: gpd.GeoDataFrame, city: CityRecord) -> FactorHint:
    """Say what the nearest-neighbour test suggests for a factor, and why."""
    kinds = set(np.unique(shapely.get_type_id(layer.geometry.to_numpy())))
    points = kinds <= set(POINT_TYPES)
    what = "place" if points else "shape"
    count = f"{len(layer):,} {what}{'' if len(layer) == 1 else 's'}"
    if not points:
        text = "lines or areas; the nearest-neighbour test is for points"
        return FactorHint(factor=factor, places=count, hint=text, suggested="")
    if len(layer) < FEWEST_TESTED:
        text = "too few for a nearest-neighbour test"
        return FactorHint(factor=factor, places=count, hint=text, suggested="")
    units = numbers.Units(city.crs)
    at = layer.geometry.centroid
    test = nearest_neighbours(at.x, at.y, city.study_area.area)
    suggested = test.suggests(factor.max_blocks * city.block_units)
    pattern = {"random": "neither clustered nor dispersed"}.get(test.pattern, test.pattern)
    text = (
        f"{pattern}: the nearest other is {units.length(round(test.mean_units))} away, at random "
        f"it would be {units.length(round(test.expected_units))} (z {test.z:.1f}); suggests "
        f"{suggested}"
    )
    return FactorHint(factor=factor, places=count, hint=text, suggested=suggested)


def incidents_told(
    session: Session, city: CityRecord, outcome: str, first: dt.date | None, last: dt.date | None
) -> tuple[int, str]:
    """Count the incidents of a period, both days included, and say so."""
    period = incidents.outcome_period(session, city.id, outcome)
    if period is None:
        return 0, f"There are no incidents of {numbers.plain(outcome)}."
    start, end = first or period[0], (last or period[1]) + dt.timedelta(days=1)
    count = incidents.count_incidents(session, city.id, outcome, start, end)
    days = f"{start} to {end - dt.timedelta(days=1)}"
    noun = "incident" if count == 1 else "incidents"
    return count, f"{count:,} {noun} of {numbers.plain(outcome)}, {days}."


def budget_told(
    session: Session, city: CityRecord, outcome: str, cell_units: float, spec: ZoneSpec
) -> str:
    """Say how much of the budget zones would take, as the newest run of the outcome has it.

    Its scores are cut again with what is requested. Where no run of the city has cells of this
    size, or too many of them to cut while a page waits, only what the limits allow is reported.
    """
    which = runs.RunFilter(outcome=outcome, scope=CITY_SCOPE)
    for listed in runs.list_runs(session, city.slug, which, most=MOST_LOOKED_AT):
        document = runs.find_document(session, listed.id) if listed.readable else None
        cells = document.grid if document else None
        if cells and cells.cell == cell_units and cells.cells <= MOST_RECUT:
            return _as_cut(runs.get_run(session, listed.id), spec)
    districts = len(city.districts)
    most = districts * spec.max_zones * spec.max_cells * cell_units**2 / city.study_area.area
    if most >= spec.area_share:
        return ""
    zones = "1 zone" if spec.max_zones == 1 else f"{spec.max_zones} zones"
    return (
        f"{zones} a district, each of up to {spec.max_cells} cells, can hold "
        f"{numbers.share(most)} of the area at most."
    )


def _as_cut(run: RunRecord, spec: ZoneSpec) -> str:
    """Cut the scores of a run as it is requested, and say what is left of the budget."""
    followed = "combined" if spec.source == "combined" else "score"
    score, expected = (run.cells[name].to_numpy(dtype=float) for name in (followed, "expected"))
    years = (run.period_to - run.period_from).days / DAYS_OF_YEAR
    zones = cut_zones(run.grid, score, expected, spec, years=years)
    kept = [(zone.district, len(zone.cells)) for zone in zones]
    note = budget_note(run.grid, score, expected, spec, kept, years=years)
    return "" if note is None else f"By the scores of run {run.id}, {sentence_of(note)}."


def weigh(grid: Grid, candidates: int, before: str, length: str) -> Cost:
    """Say what a grid would cost.

    How long a fit takes hangs on the data more than on the cells (halving the cell of one city
    took 2.6 times as long, quartering it no longer than before), so the last fit is told as it was.

    Parameters
    ----------
    grid
        The cells.
    candidates
        Columns to be tried: operations times distances, of all factors.
    before
        What the last fit here took, in words; empty where there was none.
    length
        The side of a cell, in words.
    """
    cells = len(grid)
    size = BYTES_BEFORE + cells * (BYTES_PER_CELL + BYTES_PER_CANDIDATE * candidates)
    text = (
        f"{cells:,} cells of {length}, {candidates} candidates; about {size / 1e9:.1f} GB of "
        f"memory. {before or 'How long it takes is not known: nothing was fitted here yet.'}"
    )
    warning = ""
    if size > HEAVY_BYTES:
        warning = (
            f"This is a heavy run: about {size / 1e9:.1f} GB of memory for as long as it lasts, "
            "and other work waits behind it. A cell twice as wide makes a quarter of the cells."
        )
    return Cost(cells=cells, told=text, warning=warning)


def lay(city: CityRecord, cell_units: float) -> Grid:
    """Lay the grid of a city with cells of some size.

    Raises
    ------
    GridError
        If it would hold no cell, or more than can be fitted.
    """
    districts = dict(zip(city.districts["code"], city.districts.geometry, strict=True))
    most = city.study_area.area / MAX_CELLS
    if cell_units > 0 and cell_units**2 < most:
        units = numbers.Units(city.crs)
        least = units.length(np.ceil(most**0.5))
        expected = city.study_area.area / cell_units**2
        msg = (
            f"it would make about {expected:,.0f} cells, more than the {MAX_CELLS:,} that can be "
            f"fitted; take {least} at least"
        )
        raise GridError(msg, code="too_many_cells")
    return lay_grid(city.study_area, districts, cell_units)


def candidates_of(factors: Iterable[RiskFactor]) -> int:
    """Count the columns that factors make: operations times distances."""
    return sum(len(one.operations) * len(one.distances_units(1.0)) for one in factors)


def last_fit(session: Session, city: str) -> str:
    """Say what the last job here took that fitted one run; nothing where there was none."""
    for job in job_queue.list_jobs(
        session, city, state=job_queue.DONE, kind="fit", most=job_queue.USUAL_OF
    ):
        made = (job.result and job.result.runs) or ()
        run = runs.find_document(session, made[0]) if len(made) == 1 else None
        if run is not None and FITTED in job.timings:  # else the run was there already
            tried = run.candidates + len(run.dropped)
            return (
                f"The last fit here, {run.grid.cells:,} cells and {tried} candidates, took "
                f"{duration(sum(job.timings.values()))}."
            )
    return ""


def choices_of(offer: Offer) -> Mapping[str, RiskFactor]:
    """Return the factors of an offer by name."""
    return {hint.factor.name: hint.factor for hint in offer.factors}


WHOLE, CHOSEN, EACH = "city", "chosen", "each"
LONGEST_UNITS = 100_000
OPERATIONS = {
    "both": "both, the data choose",
    "proximity": "proximity: near a place",
    "density": "density: many places together",
}
STEPS = {"half": "half a block", "whole": "a block"}


def _number(least: float, most: float) -> list[Any]:
    text = f"give a number from {least:g} to {most:g}"
    return [InputRequired(text), NumberRange(least, most, text)]


def _choices(document: Mapping[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in document.items()]


class FactorForm(Form):
    """One factor of the city: whether a run takes it, and how its influence is tried."""

    name = HiddenField()
    taken = BooleanField("Take it")
    operation = SelectField("Operation", choices=_choices(OPERATIONS))
    max_blocks = WholeField("Farthest, in blocks", _number(1, 20))
    step = SelectField("Step", choices=_choices(STEPS))


def _field(setting: Setting) -> Any:
    """Return the field of a setting."""
    if setting.choices is not None:
        kind = ChecksField if setting.several else RadioField
        return kind(setting.label, choices=_choices(setting.choices), description=setting.hint)
    times = 100 if setting.percent else 1
    bounds = _number(times * setting.least, times * setting.most)
    kind = WholeField if setting.whole else FloatField
    return kind(setting.label, bounds, description=setting.hint)


SettingsForm: Any = type("SettingsForm", (FlaskForm,), {one.name: _field(one) for one in SETTINGS})


class RunForm(SettingsForm):
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
                f"{numbers.plain(days.outcome)}: {days.count:,}, {days.first} to {days.last}",
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
        for field, result in faults:
            put_at(field, result)
        return not faults

    def asked(self, offered: Offer) -> FitRequest:
        """Return what is requested with a form that was checked."""
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
            **self.parts_asked(),
            name=(self.name.data or "").strip(),
            note=(self.note.data or "").strip(),
        )

    def parts_asked(self) -> RunParts:
        """Return the parts of a run's specification, of fields without faults."""
        return parts_of({one.name: self._value(one) for one in SETTINGS})

    def zones_asked(self) -> ZoneSpec:
        """Return how zones are to be cut, of fields without faults."""
        return ZoneSpec(**{one.field: self._value(one) for one in SETTINGS if one.part == "zones"})

    def _value(self, setting: Setting) -> Any:
        value = self[setting.name].data
        if setting.several:
            return tuple(name for name in setting.choices or () if name in value)
        if setting.percent:
            return round(value / 100, 9)
        return value if setting.choices or setting.whole else setting.number(value)

    def _districts(self, offered: Offer) -> tuple[str, ...]:
        every = tuple(offered.city.districts["code"])
        if self.scope.data == WHOLE:
            return ()
        return every if self.scope.data == EACH else tuple(self.districts.data)

    def chosen(self) -> list[FactorChoice]:
        """Return the factors that are taken and have no fault."""
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
        """Return the chosen factors; none where all are taken as the city has them."""
        known, chosen = choices_of(offered), self.chosen()
        usual = len(chosen) == len(known) and all(
            one.applied_to(known[one.name]) == known[one.name] for one in chosen
        )
        return () if usual else tuple(chosen)


def put_at(field: Any, text: str) -> None:
    """Put a fault at a field."""
    field.errors = [*field.errors, text]


def _plain(number: float) -> float:
    """Return a number that is shown as people write it: 200, not 200.0."""
    return int(number) if number.is_integer() else number


def typed(request: FitRequest, offered: Offer) -> dict[str, object]:
    """Return what a form says when this is requested."""
    city = offered.city
    every = tuple(city.districts["code"])
    each = len(request.districts) == len(every) > 1
    return {
        "outcome": request.outcome,
        "first": request.start,
        "last": request.end - dt.timedelta(days=1) if request.end else None,
        "scope": EACH if each else CHOSEN if request.districts else WHOLE,
        "districts": [] if each else [one for one in request.districts if one != CITY_SCOPE],
        "factors": _typed_factors(request, offered),
        "cell": _plain(city.cell_units if request.cell_units is None else request.cell_units),
        "block": _plain(city.block_units if request.block_units is None else request.block_units),
        **{one.name: _shown_value(one, getattr(request, one.part)) for one in SETTINGS},
        "name": request.name,
        "note": request.note,
    }


def _shown_value(setting: Setting, spec: Spec) -> Any:
    """Return a setting as its field has it."""
    if setting.flag:
        return getattr(spec, setting.field)
    value = setting.plain(spec)
    if setting.percent:
        return _plain(round(100 * value, 7))
    return float(value) if setting.name == "half_life_days" else value


def _typed_factors(request: FitRequest, offered: Offer) -> list[dict[str, object]]:
    chosen = {one.name: one for one in request.factors}
    lines = []
    for name, factor in choices_of(offered).items():
        taken = not chosen or name in chosen
        visible = chosen[name].applied_to(factor) if name in chosen else factor
        lines.append({**dataclasses.asdict(visible), "taken": taken})
    return lines
