"""Every file and column that may be published, with its meaning: the list that is the gate.

A file or a column that is not here is for staff. ``data/dictionary.csv`` is made from this list,
and a draft whose files say anything else is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from geodata.releases.encoding import csv_bytes

Type = Literal["text", "date", "month", "number", "whole number", "list", "object", "shape"]

SITE = re.compile(r"site/(?=[a-z0-9])(?:[a-z0-9._-]|/(?=[a-z0-9]))*")  # the pages' own documents
NEVER = frozenset(  # keys that no document of a release has, whoever made it
    {
        "row_key",
        "officer",
        "officers",
        "badge",
        "shift",
        "shifts",
        "plan",
        "plans",
        "visit",
        "disposition",
        "verified_x",
        "verified_y",
        "triggered_ms",
        "occurred_time",
        "drafted_by",
        "approved_by",
        "password",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file."""

    name: str
    type: Type
    meaning: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file that may be published; a GeoJSON file has its columns as properties."""

    title: str
    columns: tuple[Column, ...]


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, type="text", meaning=meaning)


def _number(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name=name, type="number", meaning=meaning, unit=unit)


def _whole(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name=name, type="whole number", meaning=meaning, unit=unit)


def _day(name: str, meaning: str) -> Column:
    return Column(name=name, type="date", meaning=meaning)


DISTRICT = _text("district", "code of the police district; empty for the whole city")
FROM = _day("from", "first day, included")
TO = _day("to", "day after the last")
PLACE = (
    _day("day", "local day"),
    _text("site", "identifier of the public place; the same place keeps it"),
    _text(
        "rule",
        "what placed it: place (intersection or middle of a block), cell (square shared by enough "
        "addresses), uncounted_cell (square where no addresses are known), district",
    ),
    _number("longitude", "of the public place", "degrees WGS 84"),
    _number("latitude", "of the public place", "degrees WGS 84"),
    _whole("radius_m", "radius of the area that the place stands for", "metres"),
    _text("district", "code of the police district"),
)
ALERTS = (
    PLACE[0],
    _text("hours", "four hours of the day by the local clock, such as 20-24"),
    _text("class", "single, multiple, probable or other; empty if the source does not tell"),
    *PLACE[1:],
)
COMPLAINTS = (*PLACE, _number("number", "complaints that the row stands for"))
ZONES = (
    _text("id", "identifier of the zone within its run"),
    _text("code", "what the place is called over runs: a zone that overlaps an earlier one has it"),
    _text("name", "where it is in words, from streets, crossings and neighborhoods; may be empty"),
    Column(
        name="near",
        type="object",
        meaning="streets in the zone, the longest first; the crossing nearest its middle; its "
        "neighbourhood; in the table the streets alone",
    ),
    _text("district", "code of the police district"),
    _whole("rank", "1 is the highest of its district"),
    _text(
        "kind",
        "hot spot where less than a quarter of its combined risk is from the surroundings, else "
        "risk terrain zone",
    ),
    _text("class", "risk terrain class of most of its area, in words: of the surroundings alone"),
    _text("outcome", "kind of incident that the zone is about"),
    Column(
        name="reasons",
        type="list",
        meaning="features of the surroundings that set the zone apart, most telling first: name, "
        "operation, distance_m, rrv (how many times as many incidents are expected near it), "
        "extent (share of the zone) and covers (share of all cells)",
    ),
    _number(
        "surroundings",
        "share of the model's score that is from the surroundings, 0 to 1; the rest is from past "
        "incidents",
    ),
    _number("area_m2", "area", "square metres"),
    _text("method", "what zones follow and the family of the model"),
    _day("trained_from", "first day of the incidents that the zone was drawn from"),
    _day("trained_to", "day after the last of them"),
)
FIGURE = (
    _number("value", "what the measure comes to; empty if missing or hidden"),
    _number("low", "lower end of the 95 % interval"),
    _number("high", "upper end of the 95 % interval"),
    _number("numerator", "what a share or ratio was worked out from"),
    _number("denominator", "what a share or ratio was worked out from"),
    _whole("n", "rows that the figure was worked out from; not given for sensitive counts"),
    _whole("missing", "rows that lacked what the measure needs; not given for sensitive counts"),
    _text("shown", "empty; or why the figure is hidden: fewer than 5, held back, not given"),
    _text("status", "met, not met, not enough data, stale; empty without a target or if hidden"),
    _number("year_before", "of incidents: the value of the same days of the year before, if told"),
)
MEASURES = (
    _text("measure", "identifier of the measure"),
    _text("title", "name of the measure"),
    _text("unit", "unit of value, low, high and target"),
    _text("period", "whole, last 12 months or this year"),
    FROM,
    TO,
    DISTRICT,
    *FIGURE,
    _number("target", "in the measure's unit"),
    _text("target_source", "where the target comes from"),
    _day("data_through", "last day that the measure's source tells of"),
    _text("definition", "what is counted"),
    _text("formula", "how it is worked out"),
    _text("caveat", "what to mind"),
    _text("owner", "who answers for the measure"),
)
MONTHLY = (
    MEASURES[0],
    Column(name="month", type="month", meaning="calendar month"),
    FROM,
    TO,
    DISTRICT,
    *FIGURE,
)
WEEKLY = (
    MEASURES[0],
    _day("week", "Monday of the week"),
    *MONTHLY[2:],
)
ACCOUNT = (
    _text("release", "identifier of an earlier release"),
    _text("state", "approved or withdrawn"),
    _text("run", "run whose zones it showed"),
    _text("outcome", "kind of incident"),
    Column(name="from", type="date", meaning="first day after the data of that release"),
    TO,
    _whole("n", "incidents in the study area in those days"),
    _whole("hits", "of them inside the zones"),
    _number("hit_rate", "hits / n"),
    _number("low", "lower end of the hit rate's 95 % interval (Wilson)"),
    _number("high", "upper end of it"),
    _number("area_share", "area of the zones / area of the city"),
    _number("pai", "hit rate / share of the area", "times chance"),
    _number("pai_low", "lower end of its 95 % interval", "times chance"),
    _number("pai_high", "upper end of it", "times chance"),
    _number(
        "prior_hit_rate",
        "hit rate of as many cells, those with most incidents before; ties are spread",
    ),
    _text("shown", "why hits and what follows from them are not given; empty if they are"),
)
INCIDENTS = (
    _text("outcome", "kind of incident that the city calls sensitive"),
    Column(name="month", type="month", meaning="calendar month; empty for all of them"),
    DISTRICT,
    _whole("number", "incidents; empty if hidden"),
    _text("shown", "empty; or why the number is hidden: fewer than 5, held back, not given"),
)
EVENNESS = (
    _text("district", "code of the police district"),
    _text("name", "its name"),
    _number("area_m2", "its area", "square metres"),
    _number("area_share", "its share of all districts' area"),
    _number(
        "incidents_share",
        "its share of the incidents that the zones were drawn from, rounded to hundredths; empty "
        "where they are fewer than 100",
    ),
    _whole("zones", "zones in it"),
    _number("zones_area_m2", "their area", "square metres"),
    _number("zones_share", "its share of the area of all zones"),
    _whole("alerts", "gunshot alerts in it from the first day to the last"),
    _number("alerts_share", "its share of all districts' alerts"),
    Column(name="from", type="date", meaning="first day of the alerts, included"),
    TO,
)
RESIDENTS = (
    _text(
        "area",
        "city; district; zones (within zones); alerts (within the areas that alerts of the last 12 "
        "months stand for)",
    ),
    DISTRICT,
    _text("group", "name of the group as the city gives it; empty for everybody"),
    _whole("people", "estimate, rounded to tens; empty if hidden"),
    _number("share", "of the area's people"),
    _text("shown", "empty; or fewer than 100, where so few live in the area"),
)
DISTRICTS = (_text("code", "code of the police district"), _text("name", "its name"))

FILES: dict[str, File] = {
    "index.html": File(title="The release as a page, to be opened anywhere", columns=()),
    "es.html": File(title="The same in Spanish", columns=()),
    "data/districts.geojson": File(title="Police districts", columns=DISTRICTS),
    "data/districts.csv": File(
        title="How area, zones and alerts fall on the districts", columns=EVENNESS
    ),
    "data/zones.geojson": File(title="Risk terrain zones, outlines", columns=ZONES),
    "data/zones.csv": File(title="Risk terrain zones, table", columns=ZONES),
    "data/zones_accountability.csv": File(
        title="How the zones of earlier releases did", columns=ACCOUNT
    ),
    "data/alerts.csv": File(title="Gunshot alerts at public places, table", columns=ALERTS),
    "data/alerts.geojson": File(title="Gunshot alerts at public places", columns=ALERTS),
    "data/complaints.csv": File(
        title="Dirt-bike complaints at public places, table", columns=COMPLAINTS
    ),
    "data/complaints.geojson": File(
        title="Dirt-bike complaints at public places", columns=COMPLAINTS
    ),
    "data/measures.csv": File(title="Measures of whole periods, table", columns=MEASURES),
    "data/measures.json": File(title="Measures, everything", columns=()),
    "data/measures_monthly.csv": File(title="Measures by month, table", columns=MONTHLY),
    "data/measures_weekly.csv": File(
        title="Measures of the whole city by week, table", columns=WEEKLY
    ),
    "data/incidents_monthly.csv": File(
        title="Sensitive incidents by district and month", columns=INCIDENTS
    ),
    "data/residents.csv": File(
        title="Who lives in districts, zones and near alerts", columns=RESIDENTS
    ),
    "data/surface.tif": File(
        title="Risk surface (GeoTIFF)",
        columns=(
            _whole(
                "band 1",
                "risk class of a cell: 0 at or below the mean, 1 above the mean, 2 above mean + 1 "
                "SD, 3 above mean + 2 SD; 255 outside of the city",
            ),
        ),
    ),
    "data/release.gpkg": File(
        title="Districts, zones, alerts and complaints (GeoPackage)", columns=()
    ),
    "data/initiatives.json": File(title="Initiatives as they stand", columns=()),
    "data/dictionary.csv": File(
        title="Data dictionary",
        columns=(
            _text("file", "name of the file"),
            _text("column", "column, property or band"),
            _text("type", "text, date, month, number, whole number, list or shape"),
            _text("unit", "unit, if it has one"),
            _text("meaning", "what it says"),
        ),
    ),
}
MEASURE_KEYS = frozenset(  # of data/measures.json
    {"city", "through", "rules", "periods", "measures", "id", "group", "direction", "sensitive"}
    | {"numerator_of", "denominator_of", "figures", "whole", "last 12 months"}
    | {"this year"}
    | {column.name for column in (*MEASURES, *MONTHLY)} - {"measure"}
)

INITIATIVE_KEYS = frozenset(  # of data/initiatives.json
    {"city", "initiatives", "slug", "number", "title", "goal", "status", "owner", "updated"}
    | {"narrative", "why", "doing", "next", "analysis", "strategies", "summary", "measures"}
    | {"also_touched", "targets", "measure", "target", "source", "facts", "label", "value", "unit"}
    | {"period", "url", "quality", "retrieved", "note"}
)
KEYS_OF = {"data/measures.json": MEASURE_KEYS, "data/initiatives.json": INITIATIVE_KEYS}


def names(file: str) -> list[str]:
    """Return the names of a file's columns."""
    return [column.name for column in FILES[file].columns]


def title_of(file: str) -> str:
    """Say what a file of a release is."""
    return FILES[file].title if file in FILES else "Document of the public pages"


def dictionary(files: set[str]) -> bytes:
    """Describe the columns of the files that a release holds."""
    rows = [
        {
            "file": name,
            "column": column.name,
            "type": column.type,
            "unit": column.unit,
            "meaning": column.meaning,
        }
        for name, file in FILES.items()
        if name in files
        for column in file.columns
    ]
    return csv_bytes(names("data/dictionary.csv"), rows)
