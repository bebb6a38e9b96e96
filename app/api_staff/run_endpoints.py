"""Runs by token: their list, their documents, their zones and cells, what was found out later."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
import shapely
from flask import request

from app import forms
from app.api.answers import LIMIT, OFFSET, Link, format_parameter, page, require_known, wanted
from app.api.document import CSV, GEOJSON, JSON, Answer, Day, Moment, Operation, Parameter, describe
from app.api.layer_queries import BBOX, inside
from app.api_staff.blueprint import (
    CITY,
    RUN,
    TABLE,
    bp,
    mime,
    note,
    require_word,
    send,
    send_table,
)
from app.auth.guard import reader
from app.extensions import workroom
from app.i18n.run_words import printed, printed_analysis
from app.usecases.risk.run_access import limited_analysis, read_run, readable_runs
from geodata.analysis_documents import (
    BacktestDocument,
    CertaintyDocument,
    RunAnalysis,
    SensitivityDocument,
    ValidationDocument,
)
from geodata.exporting import GEOJSON_DECIMALS, cells_frame, zones_frame
from geodata.repositories import cities, run_analyses, runs_in_use
from geodata.repositories.run_analyses import read_analysis
from geodata.repositories.runs import EVERY_RUN, city_of_run, list_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from flask.typing import ResponseReturnValue

    from app.usecases.risk.run_access import ReadableRun
    from geodata.repositories.runs import RunRecord

KINDS: Mapping[str, type[RunAnalysis]] = {
    kind.kind: kind
    for kind in (ValidationDocument, BacktestDocument, CertaintyDocument, SensitivityDocument)
}
RUN_COLUMNS = ("run", "outcome", "scope", "from", "to", "incidents", "family", "factors", "zones")

RunLine = TypedDict(
    "RunLine",
    {
        "run": str,
        "name": str,
        "in_use": bool,
        "used_since": Moment | None,
        "outcome": str,
        "scope": str,
        "from": Day,
        "to": Day,
        "created_at": Moment,
        "incidents": int,
        "family": str,
        "factors": int,
        "zones": int,
    },
)
RunLine.__doc__ = "One run in a list; factors and zones are numbers of them."


class Runs(TypedDict):
    """Runs of a city, newest first."""

    city: str
    runs: list[RunLine]
    numberMatched: int
    numberReturned: int
    links: list[Link]


class FoundOut(TypedDict):
    """Something that was worked out about a run later."""

    kind: str
    key: str
    created_at: Moment
    document: dict[str, object]


class Findings(TypedDict):
    """What was worked out about a run, newest first."""

    run: str
    findings: list[FoundOut]


@bp.get("/cities/<city>/runs")
@describe(
    Operation(
        summary="Runs of a city",
        meaning="All runs, newest first.",
        tag="staff",
        scope="read",
        parameters=(CITY, format_parameter("json", "csv"), LIMIT, OFFSET),
        answers={200: Answer(meaning="A page of runs.", forms={JSON: Runs, CSV: TABLE})},
        problems=(404,),
    )
)
def runs(city: str) -> ResponseReturnValue:
    """List the runs of a city."""
    require_known("f", "limit", "offset")
    form, requested = wanted("json", "csv"), page()
    with workroom().database.session() as session:
        record = cities.get_city(session, require_word(city, "city"))
        slug = record.slug
        every = list_runs(session, slug, readable_runs(reader(), record, EVERY_RUN))
        used = runs_in_use.uses_now(session, record.id)
    lines: list[RunLine] = [
        {
            "run": one.id,
            "name": one.name,
            "in_use": one.id in used,
            "used_since": f"{used[one.id].used_at.isoformat(timespec='seconds')}Z"
            if one.id in used
            else None,
            "outcome": one.outcome,
            "scope": one.scope,
            "from": one.period_from.isoformat(),
            "to": one.period_to.isoformat(),
            "created_at": one.created_at.isoformat(timespec="seconds") + "Z",
            "incidents": one.incidents,
            "family": one.family,
            "factors": one.factors,
            "zones": one.zones,
        }
        for one in requested.of(every)
    ]
    links = requested.links(len(every), mime(form), ("json", "csv"))
    if form == "csv":
        return send_table(RUN_COLUMNS, lines, links)
    document: Runs = {
        "city": slug,
        "runs": lines,
        "numberMatched": len(every),
        "numberReturned": len(lines),
        "links": links,
    }
    return send(document, links=links)


@bp.get("/runs/<run>")
@describe(
    Operation(
        summary="One run",
        meaning=(
            "The document that saferground fit prints. Officers and commanders are told the "
            "zones and the factors of their own districts."
        ),
        tag="staff",
        scope="read",
        parameters=(RUN,),
        answers={200: Answer(meaning="The document.", forms={JSON: {"type": "object"}})},
        problems=(404, 422),
    )
)
def run(run: str) -> ResponseReturnValue:
    """Give the document of a run."""
    require_known()
    return send(printed(_run(run).own.result))


def _features(what: str) -> dict[str, object]:
    feature = {
        "type": "object",
        "properties": {
            "type": {"const": "Feature"},
            "id": {"type": ["string", "integer"]},
            "geometry": {"type": "object"},
            "properties": {"type": "object"},
        },
        "required": ["type", "id", "geometry", "properties"],
    }
    return {
        "type": "object",
        "description": what,
        "properties": {
            "type": {"const": "FeatureCollection"},
            "numberMatched": {"type": "integer"},
            "numberReturned": {"type": "integer"},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
            "features": {"type": "array", "items": feature},
        },
        "required": ["type", "numberMatched", "numberReturned", "links", "features"],
    }


def _reading(noun: str, text: str) -> Operation:
    """Describe the reading of shapes of a run, of which each has a place."""
    name = noun.capitalize()
    forms = {GEOJSON: _features(f"{name}."), CSV: TABLE}
    return Operation(
        summary=f"{name} of a run",
        meaning=(
            f"{text} The reading is in the audit; officers and commanders are given their own "
            "districts."
        ),
        tag="staff",
        scope="read",
        parameters=(RUN, format_parameter("geojson", "csv"), LIMIT, OFFSET, BBOX),
        answers={200: Answer(meaning=f"A page of {noun}.", forms=forms)},
        problems=(404, 422),
    )


@bp.get("/runs/<run>/zones")
@describe(_reading("zones", "With the incidents that were counted and are expected in each."))
def run_zones(run: str) -> ResponseReturnValue:
    """Give the zones of a run."""
    record = _run(run).own
    return _shapes(record, "zones", zones_frame(record), "id")


@bp.get("/runs/<run>/cells")
@describe(_reading("cells", "Every cell with its incidents, its score and its parts."))
def run_cells(run: str) -> ResponseReturnValue:
    """Give the cells of a run."""
    record = _run(run).own
    return _shapes(record, "cells", cells_frame(record), "cell")


@bp.get("/runs/<run>/findings", endpoint="findings")
@describe(
    Operation(
        summary="What was found out about a run",
        meaning="Validations, backtests, certainty and sensitivity, as the commands print them.",
        tag="staff",
        scope="read",
        parameters=(
            RUN,
            Parameter(
                name="kind",
                meaning="Only those of one kind.",
                schema={"type": "string", "enum": list(KINDS)},
            ),
        ),
        answers={200: Answer(meaning="The findings.", forms={JSON: Findings})},
        problems=(404, 422),
    )
)
def findings_(run: str) -> ResponseReturnValue:
    """Give what was worked out about a run later."""
    require_known("kind")
    wanted_kind = forms.choice(request.args, "kind", tuple(KINDS))
    readable = _run(run)
    record = readable.own
    with workroom().database.session() as session:
        found = [
            one
            for kind in KINDS
            if wanted_kind in (None, kind)
            for one in run_analyses.list_findings(session, record.id, kind)
        ]
    found.sort(key=lambda one: one.created_at, reverse=True)
    document: Findings = {
        "run": record.id,
        "findings": [
            {
                "kind": one.kind,
                "key": one.key,
                "created_at": one.created_at.isoformat(timespec="seconds") + "Z",
                "document": printed_analysis(
                    limited_analysis(read_analysis(KINDS[one.kind], one), readable)
                ),
            }
            for one in found
        ],
    }
    return send(document)


def _run(identity: str) -> ReadableRun:
    """Give a run of any city to somebody who may read it.

    Raises
    ------
    NotStoredError, Forbidden
        As :func:`app.usecases.risk.run_access.read_run`.
    """
    with workroom().database.session() as session:
        city = cities.get_city(session, city_of_run(session, require_word(identity, "run")))
        return read_run(session, reader(), city, identity)


def _shapes(record: RunRecord, what: str, frame: gpd.GeoDataFrame, key: str) -> ResponseReturnValue:
    """Give a page of shapes of a run, and write down that they were read."""
    require_known("f", "limit", "offset", "bbox")
    form, requested = wanted("geojson", "csv"), page()
    degrees = frame.geometry.to_crs(4326)
    chosen = np.flatnonzero(inside(request.args.get("bbox"), degrees.to_numpy()))
    places = list(requested.of(chosen.tolist()))
    links = requested.links(len(chosen), mime(form), ("geojson", "csv"))
    rows = _rows(frame.iloc[places])
    shapes = degrees.iloc[places]
    note("run.export", record.id, city=record.city, what=what, form=form, rows=len(rows))
    if form == "csv":
        centres = shapes.representative_point() if len(rows) else shapes
        for row, centre in zip(rows, centres, strict=True):
            row["longitude"], row["latitude"] = round(centre.x, 6), round(centre.y, 6)
        columns = [*frame.columns.drop("geometry"), "longitude", "latitude"]
        return send_table(columns, rows, links)
    document = {
        "type": "FeatureCollection",
        "numberMatched": len(chosen),
        "numberReturned": len(rows),
        "links": links,
        "features": [
            {"type": "Feature", "id": row[key], "geometry": json.loads(shape), "properties": row}
            for row, shape in zip(rows, _written(shapes), strict=True)
        ],
    }
    return send(document, form=GEOJSON, links=links)


def _written(shapes: gpd.GeoSeries) -> list[str]:
    """Write shapes by RFC 7946: rounded, rings by the right hand."""
    rounded = shapely.set_precision(shapes.to_numpy(), 10.0**-GEOJSON_DECIMALS, mode="pointwise")
    return list(shapely.to_geojson(shapely.orient_polygons(rounded)))


def _rows(frame: gpd.GeoDataFrame) -> list[dict[str, object]]:
    columns = pd.DataFrame(frame.drop(columns="geometry"))
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in columns.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    result = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(result, float) and not math.isfinite(result) else result
