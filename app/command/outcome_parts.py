"""Evaluations that are stored, as lists and the overview name them; who may read them.

The forms that ask for an evaluation, and for what a pilot could find.

The map of an evaluation: the treated area, its surroundings, the areas it is compared with.

What a pilot could find, as the power page shows it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely
from flask import current_app, url_for
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, HiddenField, SelectChoice, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from app.admin.forms import ChecksField, WholeField, require_calendar
from app.i18n import numbers
from app.i18n.evaluation_words import (
    area_name,
    changed_by,
    days_of,
    found_words,
    sentence_of,
    zones_of,
)
from app.maps import palette
from app.maps.staff_map import Key, MapLayer, staff_map
from app.usecases.evaluation.conclusions import about_controls
from app.usecases.evaluation.evaluate import EVALUATION, document_of
from app.usecases.evaluation.power import MOST_MONTHS, PowerAsk
from app.usecases.evaluation.study import MOST_CONTROLS, WIDEST_BUFFER, city_grid
from geodata.errors import DataError
from geodata.repositories import run_analyses, zone_versions
from spatial.evaluation.design import months_later

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from sqlalchemy.orm import Session

    from app.command.district import DistrictPage
    from app.usecases.evaluation.evaluation_document import EvaluationDocument
    from app.usecases.evaluation.power import Power, PowerAt
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.run_analyses import FindingRecord
    from geodata.repositories.runs import RunRecord
    from spatial.grid import Grid


@dataclass(frozen=True, kw_only=True)
class OutcomeLine:
    """One evaluation in a list: what was compared and what it allows one to say."""

    run: str
    key: str
    outcome: str
    zones: str
    changed: str
    districts: tuple[str, ...]
    before: str
    after: str
    counts: str
    told: str
    made: str


def lines(session: Session, city: CityRecord, district: str = "") -> list[OutcomeLine]:
    """List the evaluations of a city, newest first.

    With a district, those whose treated zones all lie in it: what was found together with another
    district's zones is not this district's alone. Sensitive outcomes are left out.
    """
    where: dict[str, dict[str, str]] = {}
    found = []
    for finding in run_analyses.list_city_findings(session, city.slug, EVALUATION):
        try:
            document = document_of(finding)
        except DataError as error:  # of another version; its own address tells the remedy
            current_app.logger.warning("%s", error)
            continue
        if document.outcome in city.sensitive_outcomes:
            continue
        if finding.run not in where:
            where[finding.run] = zone_versions.zone_districts(session, finding.run)
        districts = treated_districts(document, where[finding.run])
        if district and districts != (district,):
            continue
        found.append(
            OutcomeLine(
                run=finding.run,
                key=finding.key,
                outcome=numbers.plain(document.outcome),
                zones=zones_of(document),
                changed=changed_by(document),
                districts=districts,
                before=days_of(document.before),
                after=days_of(document.after),
                counts=f"{document.treated.before:,} before, {document.treated.after:,} after",
                told=numbers.sentence(sentence_of(about_controls(document))),
                made=numbers.day(finding.created_at.date()),
            )
        )
    return found


def treated_districts(document: EvaluationDocument, where: Mapping[str, str]) -> tuple[str, ...]:
    """Return the districts of the treated zones."""
    return tuple(sorted({where.get(zone, "?") for zone in document.treated.zones}))


if TYPE_CHECKING:
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

    def offer(self, place: DistrictPage, run: RunRecord) -> None:
        """Fill in what can be chosen."""
        known = [name for name in place.city.outcomes if name not in place.city.sensitive_outcomes]
        self.outcome.choices = [SelectChoice(name, numbers.plain(name)) for name in known]
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


class EvaluationForm(ZonesForm):
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

    def arguments(self, place: DistrictPage) -> dict[str, object]:
        """Return the arguments of the job, once the form is valid."""
        document: dict[str, object] = {
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
            document["district"] = place.code
        if self.buffer_cells.data is not None:
            document["buffer_cells"] = self.buffer_cells.data
        return document


class PowerForm(ZonesForm):
    """What a pilot could find; requested by address, so that it can be shared and printed."""

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

    def asked(self, place: DistrictPage) -> PowerAsk:
        """Return what is requested, once the form is valid."""
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


TREATED, AROUND, OF_RING = "treated", "displacement", "displacement control"
CONTROLS = ("#2f5d8a", "#5a7d3c", "#7a4f8f", "#0b7a75", "#8a5a2b", "#4a4a9e", "#7d7a3c", "#a03a6b")
OF_AROUND = "#8b8579"


def outcome_map(city: CityRecord, run: RunRecord, finding: FindingRecord) -> dict[str, object]:
    """Put the map together; the layer of each area is named as the tables name it."""
    if finding.cells is None:
        return staff_map([], city.districts.geometry, base=url_for("ground.base", city=city.slug))
    grid = city_grid(run, city)
    areas = {str(name): _outline(grid, cells) for name, cells in finding.cells.groupby("area")}
    ordered = sorted(areas, key=_height, reverse=True)
    layers = [_layer(city, name, areas[name]) for name in ordered]
    series = gpd.GeoSeries(
        [shape for name, shape in areas.items() if not name.startswith(OF_RING)],
        crs=city.crs,
    )
    base = url_for("ground.base", city=city.slug)
    return staff_map(layers, series, base=base, highest_first=True)


def _layer(city: CityRecord, name: str, shape: Any) -> MapLayer:
    title, colour = _style(name)
    visible = not name.startswith(OF_RING)
    return MapLayer(
        name=name.replace(" ", "-"),
        title=title,
        shapes=gpd.GeoDataFrame(
            {"key": [0], "label": [title if name.startswith("control") else ""], "tip": [title]},
            geometry=[shape],
            crs=city.crs,
        ),
        keys=(Key(label=title, colour=colour),),
        shown=visible,
    )


def _style(name: str) -> tuple[str, str]:
    if name == TREATED:
        return area_name(name).capitalize(), palette.ZONE
    if name == AROUND:
        return area_name(name).capitalize(), "#d6c58a"
    if name.startswith("displacement"):
        return area_name(name).capitalize(), OF_AROUND
    number = int(name.rsplit(" ", 1)[-1])
    return area_name(name).capitalize(), CONTROLS[(number - 1) % len(CONTROLS)]


def _height(name: str) -> tuple[int, int]:
    """Order areas from the highest layer to the lowest, as the legend tells them."""
    kinds = (TREATED, "control", AROUND, OF_RING)
    kind, _, number = name.rpartition(" ") if name[-1].isdigit() else (name, "", "0")
    return kinds.index(kind), int(number)


def _outline(grid: Grid, cells: pd.DataFrame) -> Any:
    """Join the cells of an area."""
    size = grid.cell_units
    west = grid.x0 + cells["col"].to_numpy(dtype=float) * size
    south = grid.y0 + cells["row"].to_numpy(dtype=float) * size
    return shapely.union_all(shapely.box(west, south, west + size, south + size))


def power_words(found: Power) -> list[str]:
    """Tell what a pilot of the length that was requested could find."""
    return [numbers.sentence(text) for text in _describe(found, found.at[0])]  # noqa: PD008


def _describe(found: Power, at: PowerAt) -> list[str]:
    zones = "1 zone" if found.zones == 1 else f"{found.zones} zones"
    notes = [
        f"{zones[0].upper()}{zones[1:]} had {found.before} incidents in the period before; "
        f"{numbers.about(at.expected)} are expected in {at.months} months if nothing changes",
    ]
    if at.likely < at.expected:
        notes.append(
            f"A drop of {_sized(at.half, at.expected)} would be found half of the time, one of "
            f"{_sized(at.likely, at.expected)} in 80 of 100 cases; smaller ones are mostly missed"
        )
    elif at.half < at.expected:
        notes.append(
            f"A drop of {_sized(at.half, at.expected)} would be found half of the time; no drop "
            "would be found in 80 of 100 cases, not even to nothing"
        )
    else:
        notes.append(
            "Even if nothing happened there any more, that would be found less than half of the "
            "time: treat more zones, run the pilot longer, or do not promise a measured effect"
        )
    if found.around:
        notes.append(
            f"The surroundings had {found.around}; counted together with them, a drop has to be of "
            f"{_sized(at.with_around or 0.0, at.expected)} to be found half of the time"
        )
    if found.dispersion > 1.2:
        notes.append(
            f"Counts varied {found.dispersion:.1f} times as much as chance alone makes them; that "
            "is allowed for"
        )
    notes.append(
        f"Simulated with the rule of an evaluation: a drop counts as found when the intervals "
        f"against all {found.controls} control areas lie below 0. That takes {found.controls} "
        "areas with as many incidents to be found, and all to run alike but for the pilot. Where "
        "they do not, no length of a pilot makes up for it"
    )
    notes.append(found_words())
    return notes


def _sized(drop: float, of: float) -> str:
    return f"{drop:.0f} incidents ({numbers.share(drop / of)})" if of else f"{drop:.0f} incidents"


def drop_words(drop: float | None, of: float) -> str:
    """Write a drop as a share of what is expected; a dash where there is none."""
    if drop is None:
        return "–"
    return numbers.share(drop / of) if drop < of else "more than all"
