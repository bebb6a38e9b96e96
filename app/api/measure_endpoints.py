"""Public figures and initiatives: what the pages show, in the form of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict

from flask import jsonify, request

from app import forms
from app.api.answers import format_parameter, seal, send_table, wanted
from app.api.document import (
    CITY,
    CSV,
    JSON,
    Answer,
    Day,
    Keywords,
    Moment,
    Operation,
    Parameter,
    describe,
)
from app.api.release_endpoints import TABLE, bp, shown_city
from app.public import periods, release_words
from app.public.decorators import site
from geodata.errors import NotStoredError
from geodata.measures.registry import MEASURES

if TYPE_CHECKING:
    import datetime as dt

    from flask.typing import ResponseReturnValue

    from app.public.published_city import PublicCityView
    from spatial.measures.scopes import Scope

DAY_SCHEMA = {"type": "string", "anyOf": [{"format": "date"}, {"const": ""}]}
WHOEVER = Parameter(  # empty fields choose nothing here, as in the forms of the pages
    name="city",
    meaning=CITY.meaning,
    schema={"type": "string", "pattern": "^([a-z0-9][a-z0-9-]*)?$"},
)
PERIOD = (
    WHOEVER,
    Parameter(
        name="district",
        meaning="Code of a police district; without it the whole city.",
        schema={"type": "string"},
    ),
    Parameter(
        name="period",
        meaning="all, year, ytd or a month such as 2025-03; a release tells no other days.",
        schema={"type": "string"},
    ),
    Parameter(name="from", meaning="First day, in place of a period.", schema=DAY_SCHEMA),
    Parameter(name="through", meaning="Last day.", schema=DAY_SCHEMA),
    Parameter(name="to", meaning="Day after the last.", schema=DAY_SCHEMA),
)
COLUMNS = (
    "id",
    "title",
    "value",
    "unit",
    "low",
    "high",
    "numerator",
    "denominator",
    "n",
    "missing",
    "withheld",
    "target",
    "target_source",
    "status",
    "from",
    "to",
    "district",
    "data_through",
    "definition",
    "formula",
    "caveat",
    "owner",
)


Value = TypedDict(
    "Value",
    {
        "id": str,
        "title": str,
        "value": Annotated[float | None, "Nothing where it is missing or withheld."],
        "unit": str,
        "direction": str,
        "numerator": float | None,
        "denominator": float | None,
        "n": int | None,
        "missing": int | None,
        "low": Annotated[float | None, "Lower end of the 95 % interval."],
        "high": Annotated[float | None, "Upper end of the 95 % interval."],
        "target": float | None,
        "target_source": str,
        "status": str | None,
        "data_through": Day | None,
        "computed_at": Moment,
        "definition": str,
        "formula": str,
        "caveat": str,
        "owner": str,
        "district": str | None,
        "withheld": Annotated[str | None, "Why the figure is not told."],
        "from": Annotated[Day, "First day that it is about."],
        "to": Annotated[Day, "Day after the last."],
    },
)
Value.__doc__ = "A measure in a period and an area."
Figures = TypedDict(
    "Figures",
    {"city": str, "from": Day, "to": Day, "district": str | None, "measures": list[Value]},
)
Figures.__doc__ = "Every measure of a city."


class Kind(TypedDict):
    """A part of a measure by its kind."""

    kind: str
    value: float | None


Course = TypedDict(
    "Course",
    {
        "city": str,
        "from": Day,
        "to": Day,
        "district": str | None,
        "by": Annotated[str, Keywords(enum=["month", "week"])],
        "measure": Value,
        "series": list[Value],
        "districts": list[Value],
        "year_to_date": Annotated[list[Value], "This year and the like of the year before."],
        "kinds": list[Kind],
    },
)
Course.__doc__ = "One measure with its course, its districts and its year."


class Initiatives(TypedDict):
    """The initiatives of a city, retired ones last."""

    city: str
    initiatives: list[dict[str, object]]


@bp.get("/measures")
@describe(
    Operation(
        summary="All measures",
        meaning="Every measure of a city in a period, all days if none is named.",
        tag="release",
        parameters=(*PERIOD, format_parameter("json", "csv")),
        answers={200: Answer(meaning="The measures.", forms={JSON: Figures, CSV: TABLE})},
        problems=(404,),
    )
)
def measures() -> ResponseReturnValue:
    """Give every measure of a city in a period, all days if none is named."""
    visible, form = shown_city(), wanted("json", "csv")
    scope = periods.choose(request.args, visible, default="all").scope
    lines = [value.as_json() for value in site().figures(visible, scope).values.values()]
    if form == "csv":
        return send_table(COLUMNS, lines, modified=_approved(visible))
    return seal(jsonify(**_about(visible, scope), measures=lines), modified=_approved(visible))


@bp.get("/measures/<identity>")
@describe(
    Operation(
        summary="One measure",
        meaning="Its figure, its months or weeks, its districts, its year.",
        tag="release",
        parameters=(
            Parameter(
                name="identity",
                where="path",
                meaning="Id of a measure.",
                schema={"type": "string", "enum": list(MEASURES)},
            ),
            *PERIOD,
            Parameter(
                name="by",
                meaning="Step of the series.",
                schema={"type": "string", "enum": ["month", "week", ""], "default": "month"},
            ),
        ),
        answers={200: Answer(meaning="The measure.", forms={JSON: Course})},
        problems=(404,),
    )
)
def measure(identity: str) -> ResponseReturnValue:
    """Give one measure of a city: its figure, its months or weeks, its districts, its year."""
    view = shown_city()
    if identity not in view.measures:
        ids = ", ".join(view.measures)
        msg = f"there is no measure {identity[:80]!r}; the ids are {ids}"
        raise NotStoredError(msg, measure=identity[:80], code="no_measure")
    scope = periods.choose(request.args, view, default="all").scope
    by = forms.choice(request.args, "by", ["month", "week"])
    found = site().detail(view, scope, identity, "week" if by == "week" else "month")
    answer = jsonify(
        **_about(view, scope),
        by=found.by,
        measure=found.value.as_json(),
        series=[one.as_json() for one in found.series],
        districts=[one.as_json() for one in found.districts],
        year_to_date=[found.year.now.as_json(), found.year.before.as_json()] if found.year else [],
        kinds=[{"kind": kind, "value": value} for kind, value in found.kinds],
    )
    return seal(answer, modified=_approved(view))


@bp.get("/initiatives")
@describe(
    Operation(
        summary="All initiatives",
        meaning="What stands of every initiative of a city, retired ones last.",
        tag="release",
        parameters=(WHOEVER,),
        answers={200: Answer(meaning="The initiatives.", forms={JSON: Initiatives})},
        problems=(404,),
    )
)
def initiatives() -> ResponseReturnValue:
    """Give what stands of every initiative of a city, retired ones last."""
    view = shown_city()
    answer = jsonify(
        city=view.city.slug,
        initiatives=[
            {**record.initiative.as_json(), "listed": record.listed}
            for record in (*view.initiatives, *view.retired)
        ],
    )
    return seal(answer, modified=_approved(view))


def _approved(published: PublicCityView) -> dt.datetime:
    """Return when the release that is shown was approved."""
    return release_words.approved_at(site().release(published))


def _about(published: PublicCityView, scope: Scope) -> dict[str, object]:
    return {"city": published.city.slug, **_days(scope), "district": scope.district}


def _days(scope: Scope) -> dict[str, str]:
    return {"from": scope.start.isoformat(), "to": scope.end.isoformat()}
