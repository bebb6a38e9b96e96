"""What may be asked of a fit, as plain values with names: of a job, a form, the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.runs.inputs import FactorChoice
from app.runs.pipeline import FitRequest
from spatial.spec import HistorySpec, ModelSpec, ZoneSpec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from app.work.arguments import Arguments

OPERATIONS = ("proximity", "density", "both")
STEPS = ("whole", "half")
FAMILIES = ("poisson", "nb1", "nb2")


def read_fit(given: Arguments) -> FitRequest:
    """Read what is asked of a fit.

    Raises
    ------
    SpecError
        If something is missing, unknown or out of bounds.
    """
    taken: dict[str, Any] = {
        "city": given.text("city"),
        "outcome": given.text("outcome"),
        "start": given.day_or_none("from"),
        "end": given.day_or_none("to"),
        "districts": given.texts("districts"),
        "cell_units": given.number_or_none("cell"),
        "block_units": given.number_or_none("block"),
        "name": given.text("name", required=False),
        "note": given.text("note", required=False),
    }
    factors = [_read_factor(one) for one in given.objects("factors")]
    model, zones, history = _read_model(given), _read_zones(given), _read_history(given)
    given.check()
    return FitRequest(
        **taken,
        factors=tuple(FactorChoice(**one) for one in factors),
        model=ModelSpec(**model),
        history=HistorySpec(**history),
        zones=ZoneSpec(**zones),
    )


def fit_arguments(asked: FitRequest) -> dict[str, Any]:
    """Write what is asked of a fit as a job is given it; what is as usual is left out."""
    told: dict[str, Any] = {
        "from": _day(asked.start),
        "to": _day(asked.end),
        "districts": list(asked.districts) or None,
        "factors": [_told_factor(one) for one in asked.factors] or None,
        "cell": asked.cell_units,
        "block": asked.block_units,
        "name": asked.name or None,
        "note": asked.note or None,
        **_other_than_usual(asked),
    }
    return {
        "city": asked.city,
        "outcome": asked.outcome,
        **{name: value for name, value in told.items() if value is not None},
    }


def _read_factor(given: Arguments) -> dict[str, Any]:
    return {
        "name": given.text("name"),
        "operation": given.choice_or_none("operation", OPERATIONS),
        "max_blocks": given.whole_or_none("max_blocks"),
        "step": given.choice_or_none("step", STEPS),
    }


def _read_model(given: Arguments) -> dict[str, Any]:
    usual = ModelSpec()
    return {
        "sign": "protective" if given.flag("protective") else "aggravating",
        "sharing": given.choice("sharing", ("own", "shared"), usual.sharing),
        "seed": given.whole("seed", usual.seed),
        "folds": given.whole("folds", usual.folds),
        "mixing": given.number("mixing", usual.mixing),
        "lambda_rule": given.choice("lambda_rule", ("min", "1se"), usual.lambda_rule),
        "families": given.texts("families") or usual.families,
        "min_incidents_district": given.whole(
            "min_incidents_district", usual.min_incidents_district
        ),
    }


def _read_zones(given: Arguments) -> dict[str, Any]:
    usual = ZoneSpec()
    return {
        "source": given.choice("zones_from", ("combined", "rtm"), usual.source),
        "area_share": given.number("area_share", usual.area_share),
        "min_cells": given.whole("min_cells", usual.min_cells),
        "max_cells": given.whole("max_cells", usual.max_cells),
        "max_zones": given.whole("max_zones", usual.max_zones),
    }


def _read_history(given: Arguments) -> dict[str, Any]:
    """Read how history counts; a half-life of 0 lets all incidents count alike."""
    days = given.number_or_none("half_life_days")
    return {} if days is None else {"half_life_days": days or None}


def _other_than_usual(asked: FitRequest) -> dict[str, Any]:
    model, zones, history = asked.model, asked.zones, asked.history
    told = {
        "protective": (model.sign == "protective", False),
        "sharing": (model.sharing, ModelSpec().sharing),
        "seed": (model.seed, ModelSpec().seed),
        "folds": (model.folds, ModelSpec().folds),
        "mixing": (model.mixing, ModelSpec().mixing),
        "lambda_rule": (model.lambda_rule, ModelSpec().lambda_rule),
        "families": (list(model.families), list(ModelSpec().families)),
        "min_incidents_district": (
            model.min_incidents_district,
            ModelSpec().min_incidents_district,
        ),
        "zones_from": (zones.source, ZoneSpec().source),
        "area_share": (zones.area_share, ZoneSpec().area_share),
        "min_cells": (zones.min_cells, ZoneSpec().min_cells),
        "max_cells": (zones.max_cells, ZoneSpec().max_cells),
        "max_zones": (zones.max_zones, ZoneSpec().max_zones),
        "half_life_days": (history.half_life_days or 0, HistorySpec().half_life_days or 0),
    }
    return {name: value for name, (value, usual) in told.items() if value != usual}


def _told_factor(choice: FactorChoice) -> Mapping[str, Any]:
    told = {
        "name": choice.name,
        "operation": choice.operation,
        "max_blocks": choice.max_blocks,
        "step": choice.step,
    }
    return {name: value for name, value in told.items() if value is not None}


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
