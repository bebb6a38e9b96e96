"""The sheet of a patrol plan: one page a unit, as HTML for a phone and as PDF for print.

A patrol plan as files to take along: calendar (ICS), GPX, and a sheet to read or print.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jinja2
import shapely
from pyproj import Transformer
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, SimpleDocTemplate

from app.charts import charts
from app.charts.calendars import UNPRINTABLE, escaped, write_calendar
from app.charts.pdf import Paper
from app.i18n import numbers
from app.i18n.numbers import listed
from app.i18n.patrol_words import guidance
from app.maps.shapes import district_label
from app.private import template_dir
from geodata.errors import DataError
from geodata.repositories import cities, layers, runs, zone_versions
from spatial.zones.describe import reasons_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import geopandas as gpd

    from geodata.db.engine import Database
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.patrol_plans import PlanRecord


COLUMNS = 3  # of the order of visits on paper
STAFF_ONLY = "For staff only: patrol plans are never published."


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """A plan with the zones of its district and the streets of its city."""

    plan: PlanRecord
    city: CityRecord
    zones: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame

    @property
    def district(self) -> str:
        """The district by name."""
        frame = self.city.districts
        return district_label(
            self.plan.district, dict(zip(frame["code"], frame["name"], strict=True))
        )

    @property
    def when(self) -> str:
        """The shift in words."""
        start, end = (dt.datetime.fromisoformat(text) for text in self.plan.document["shift"])
        last = "" if end.date() == start.date() else f"{numbers.day(end.date())}, "
        return f"{numbers.day(start.date())}, {start:%H:%M} to {last}{end:%H:%M}"

    @property
    def title(self) -> str:
        """What the plan is called."""
        return f"Patrol plan, {self.district}, {self.when}"

    def rank(self, zone: str) -> int:
        """Return the rank of a zone in its district, by which it is called."""
        return int(self.zones["rank"][self.zones["id"] == zone].iloc[0])

    def called(self, zone: str) -> str:
        """Return the rank of a zone, and what a person called it where somebody did."""
        value = self.zones["name"][self.zones["id"] == zone].iloc[0] if "name" in self.zones else ""
        return f"{self.rank(zone)}, {value}" if value else f"{self.rank(zone)}"

    def zone_title(self, zone: str) -> str:
        """Call a zone by its district besides."""
        return f"{self.district}, zone {self.called(zone)}"

    def factors(self, zone: str) -> list[Mapping[str, Any]]:
        """Return the factors that are reasons for a zone, first what sets it apart most."""
        return reasons_of(self.zones["factors"][self.zones["id"] == zone].iloc[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a unit's order: a visit or its break."""

    start: str
    end: str
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """What one unit's page says; ``advice`` is what, where, look for, do."""

    unit: str
    lines: tuple[Line, ...]
    travel: int
    advice: tuple[tuple[str, str, str, str], ...]
    picture: bytes


def unit_pages(sheet: Sheet) -> list[UnitPage]:
    """Return the page of each unit."""
    metres = numbers.Units(sheet.city.crs).metres
    pages = []
    for unit in sheet.plan.document["units"]:
        mine = list(dict.fromkeys(visit["zone"] for visit in unit["visits"]))
        picture = charts.draw(
            charts.patrol_map, sheet.zones, mine, sheet.streets.geometry, metres, form="png"
        )
        pages.append(
            UnitPage(
                unit=unit["unit"],
                lines=_lines(sheet, unit),
                travel=unit["travel_minutes"],
                advice=_advice_block(sheet, mine),
                picture=picture,
            )
        )
    return pages


def _lines(sheet: Sheet, unit: dict[str, Any]) -> tuple[Line, ...]:
    found = [
        (
            visit["start"],
            visit["end"],
            f"Zone {sheet.called(visit['zone'])}",
            "fixed" if visit["pinned"] else "",
        )
        for visit in unit["visits"]
    ]
    if unit["break"]:
        found.append((*unit["break"], "Break", ""))
    return tuple(
        Line(start=start[11:], end=end[11:], what=what, note=note)
        for start, end, what, note in sorted(found)
    )


def _advice_block(sheet: Sheet, zones: list[str]) -> tuple[tuple[str, str, str, str], ...]:
    """Gather advice by factor: the zones that it is about, then what to look for and do."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for zone in zones:
        for entry in dict.fromkeys(guidance(sheet.factors(zone))):
            found.setdefault(entry, []).append(sheet.rank(zone))
    everywhere = [entry for entry in found if entry[0] == "anywhere"]
    rows = []
    for entry in [*(entry for entry in found if entry not in everywhere), *everywhere]:
        name, look, do = entry
        ranks = sorted(found[entry])
        where = "all zones" if len(ranks) == len(zones) else _zones(ranks)
        rows.append((f"{name[0].upper()}{name[1:]}", where, look, do))
    return tuple(rows)


def _zones(ranks: list[int]) -> str:
    return f"zone{'s' if len(ranks) > 1 else ''} {listed([str(rank) for rank in ranks])}"


def sheet_html(sheet: Sheet) -> bytes:
    """Write the sheet as one HTML file with its pictures inside."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_dir()), autoescape=True, trim_blocks=True
    )
    page = environment.get_template("patrol_sheet.html").render(
        sheet=sheet,
        document=sheet.plan.document,
        staff_only=STAFF_ONLY,
        units=[
            (page, "data:image/png;base64," + base64.b64encode(page.picture).decode())
            for page in unit_pages(sheet)
        ],
    )
    return page.encode()


def sheet_pdf(sheet: Sheet) -> bytes:
    """Write the sheet as PDF."""
    target = io.BytesIO()
    plan = sheet.plan

    def footer(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.setFillColor("#5b6475")
        note = f"Plan {plan.id}, version {plan.version}. {STAFF_ONLY}"
        canvas.drawString(18 * mm, 10 * mm, note + (" Synthetic data." * sheet.city.synthetic))
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, f"Page {document.page}")
        canvas.restoreState()

    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=14 * mm,
        bottomMargin=16 * mm,
        title=sheet.title,
        author="Safer Ground",
        invariant=1,
    )
    story: list[Any] = []
    for page in unit_pages(sheet):
        story += [*([PageBreak()] if story else []), *_unit_story(sheet, page, document.width)]
    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return target.getvalue()


def _unit_story(sheet: Sheet, page: UnitPage, width: float) -> list[Any]:
    paper = Paper(width)
    visits = sum(1 for line in page.lines if line.what != "Break")
    paper.title(
        f"Unit {page.unit}",
        f"{sheet.district}, {sheet.when}. {visits} visits, {page.travel} minutes of travel.",
    )
    paper.picture(page.picture, share=0.62)
    paper.heading("Order")
    rows = max(1, math.ceil(len(page.lines) / COLUMNS))
    columns = [page.lines[i * rows : (i + 1) * rows] for i in range(COLUMNS)]
    paper.table(
        ["From", "To", "Where"] * COLUMNS,
        [
            [
                text
                for column in columns
                for text in (
                    (
                        column[row].start,
                        column[row].end,
                        " ".join(filter(None, [column[row].what, column[row].note])),
                    )
                    if row < len(column)
                    else ("", "", "")
                )
            ]
            for row in range(rows)
        ],
        (0.09, 0.09, 0.153) * COLUMNS,
    )
    paper.heading("What to look for and do")
    paper.table(["Near", "In", "Look for", "Do"], page.advice, (0.15, 0.15, 0.34, 0.36))
    return paper.story


ENDINGS = (".ics", ".gpx", ".html", ".pdf")
GPX = "http://www.topografix.com/GPX/1/1"
DECIMALS = 6


def write_plan(database: Database, plan: PlanRecord, path: Path) -> None:
    """Write a plan to a file; the ending says how. An existing file is replaced when it is whole.

    Raises
    ------
    DataError
        If the ending is none of those known, or the folder cannot be written.
    """
    content = plan_file(database, plan, path)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        msg = f"{path} cannot be written ({error.strerror}); choose a folder that exists"
        raise DataError(msg) from error


def plan_file(database: Database, plan: PlanRecord, path: Path) -> bytes:
    """Return the content of a file of a plan; the ending says how.

    Raises
    ------
    DataError
        If the ending is none of those known.
    """
    makers: dict[str, Callable[[Sheet], bytes]] = {
        ".ics": calendar,
        ".gpx": gpx,
        ".html": sheet_html,
        ".pdf": sheet_pdf,
    }
    maker = makers.get(path.suffix.lower())
    if maker is None:
        msg = f"{path.name} ends in none of {', '.join(ENDINGS)}; choose one of these"
        raise DataError(msg)
    return maker(load_sheet(database, plan))


def load_sheet(database: Database, plan: PlanRecord) -> Sheet:
    """Read what files tell of a plan beside the plan itself."""
    with database.session() as session:
        city = cities.get_city(session, plan.city)
        made_for = (plan.document.get("edited") or {}).get("edition", zone_versions.OWN)
        run = zone_versions.with_edition(session, runs.get_run(session, plan.run), made_for)
        base = layers.base_shapes(session, city.id)
    zones = run.zones[run.zones["district"] == plan.district].reset_index(drop=True)
    return Sheet(plan=plan, city=city, zones=zones, streets=base[base["kind"] == "street"])


def calendar(sheet: Sheet) -> bytes:
    """Write every visit and break as an event (RFC 5545), in UTC."""
    plan, document = sheet.plan, sheet.plan.document
    places = _degrees(sheet)
    events = []
    stamp = f"{plan.created_at:%Y%m%dT%H%M%SZ}"
    for unit in document["units"]:
        name = f"Unit {unit['unit']}"
        for number, (start_ms, minutes, zone) in enumerate(_entries(document, unit), start=1):
            start = dt.datetime.fromtimestamp(start_ms / 1000, dt.UTC)
            end = start + dt.timedelta(minutes=minutes)
            what = "break" if zone is None else sheet.zone_title(zone)
            event = [
                f"UID:{plan.id}-{unit['unit']}-{number}@saferground",
                f"DTSTAMP:{stamp}",
                f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
                f"DTEND:{end:%Y%m%dT%H%M%SZ}",
                f"SUMMARY:{escaped(f'{name}: {what}')}",
                f"CATEGORIES:{escaped(name)}",
                "CLASS:CONFIDENTIAL",
            ]
            if zone is not None:
                lat, lon = places[zone]
                event.append(f"GEO:{lat};{lon}")
                event.append(f"DESCRIPTION:{escaped(_advice(sheet, zone))}")
            events.append(event)
    return write_calendar(sheet.title, "Patrol plan", events)


def gpx(sheet: Sheet) -> bytes:
    """Write a route a unit (GPX 1.1): each visit a point with its time, name and advice."""
    document, places = sheet.plan.document, _degrees(sheet)
    ET.register_namespace("", GPX)
    root = ET.Element(f"{{{GPX}}}gpx", {"version": "1.1", "creator": "Safer Ground"})
    about = ET.SubElement(root, f"{{{GPX}}}metadata")
    _describe(about, "name", sheet.title)
    _describe(about, "time", f"{sheet.plan.created_at:%Y-%m-%dT%H:%M:%SZ}")
    for unit in document["units"]:
        route = ET.SubElement(root, f"{{{GPX}}}rte")
        _describe(route, "name", f"Unit {unit['unit']}")
        for visit in unit["visits"]:
            lat, lon = places[visit["zone"]]
            point = ET.SubElement(route, f"{{{GPX}}}rtept", {"lat": str(lat), "lon": str(lon)})
            moment = dt.datetime.fromtimestamp(visit["start_ms"] / 1000, dt.UTC)
            _describe(point, "time", f"{moment:%Y-%m-%dT%H:%M:%SZ}")
            _describe(point, "name", f"{visit['start'][11:]} {sheet.zone_title(visit['zone'])}")
            _describe(point, "desc", _advice(sheet, visit["zone"]))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entries(
    document: Mapping[str, Any], unit: Mapping[str, Any]
) -> Iterator[tuple[int, int, str | None]]:
    """Return start, minutes and zone of each visit of a unit, and of its break, in order."""
    wanted = document["asked"]
    found = [(visit["start_ms"], wanted["minutes"], visit["zone"]) for visit in unit["visits"]]
    if unit["break_ms"] is not None:
        found.append((unit["break_ms"], wanted["break_minutes"], None))
    yield from sorted(found, key=lambda entry: entry[0])


def _degrees(sheet: Sheet) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude of a point in each zone."""
    turn = Transformer.from_crs(sheet.city.crs, 4326, always_xy=True)
    spots = shapely.get_coordinates(sheet.zones.geometry.representative_point().array)
    lon, lat = turn.transform(spots[:, 0], spots[:, 1])
    return {
        zone: (round(float(y), DECIMALS), round(float(x), DECIMALS))
        for zone, x, y in zip(sheet.zones["id"], lon, lat, strict=True)
    }


def _advice(sheet: Sheet, zone: str) -> str:
    return "\n".join(
        f"{name[0].upper()}{name[1:]}. Look for: {look}. Do: {do}."
        for name, look, do in guidance(sheet.factors(zone))
    )


def _describe(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{GPX}}}{name}").text = UNPRINTABLE.sub("", text)
