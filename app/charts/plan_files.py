"""The sheet of a patrol plan: a leaf a unit, as HTML for a phone and as PDF for print.

A patrol plan as files to take along: calendar (ICS), GPX, and a sheet to read or print.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
import shapely
from flask_babel import gettext, ngettext
from flask_babel import gettext as _
from pyproj import Transformer
from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, SimpleDocTemplate

from app.charts import charts
from app.charts.calendars import UNPRINTABLE, escaped, write_calendar
from app.charts.pdf import Paper
from app.i18n import numbers, place_words
from app.i18n.language import N_, code, translated
from app.i18n.numbers import listed, sentence
from app.i18n.patrol_words import gave_way, guidance
from app.i18n.titles import use_titles
from app.maps.shapes import district_label
from app.private import template_dir
from geodata.errors import DataError
from geodata.repositories import cities, layers, runs, zone_versions
from spatial.zones.describe import reasons_of
from spatial.zones.naming import direction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import geopandas as gpd

    from geodata.db.engine import Database
    from geodata.plan_document import PlanDocument, PlanUnit, PlanVisit
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.patrol_plans import PlanRecord


COLUMNS = 2  # of the order of visits on paper
STOPS_ACROSS = 3  # maps of stops side by side on paper
STAFF_ONLY = N_("For staff only: patrol plans are never published.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """A plan with the zones of its district and what is drawn under a map of its city."""

    plan: PlanRecord
    city: CityRecord
    zones: gpd.GeoDataFrame
    base: gpd.GeoDataFrame

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
        start, end = self.plan.document.shift
        last = "" if end.date() == start.date() else f"{numbers.day(end.date())}, "
        times = numbers.interval(f"{start:%H:%M}", f"{last}{end:%H:%M}")
        return f"{numbers.day(start.date())}, {times}"

    @property
    def title(self) -> str:
        """What the plan is called."""
        return _("Patrol plan, %(district)s, %(when)s", district=self.district, when=self.when)

    def rank(self, zone: str) -> int:
        """Return the rank of a zone in its district, by which it is called."""
        return int(self.zones["rank"][self.zones["id"] == zone].iloc[0])

    def row(self, zone: str) -> Any:
        """Return a zone as a named row."""
        return next(row for row in self.zones.itertuples() if row.id == zone)

    def called(self, zone: str) -> str:
        """Call a zone by its streets, or as a person called it, with its rank behind."""
        words = place_words.called(self.row(zone))
        if words:
            return _("%(name)s (zone %(rank)s)", name=words, rank=self.rank(zone))
        return _("Zone %(rank)s", rank=self.rank(zone))

    def zone_title(self, zone: str) -> str:
        """Call a zone by its streets and rank, or by its district and rank."""
        if place_words.called(self.row(zone)):
            return self.called(zone)
        return _("%(district)s, zone %(zone)s", district=self.district, zone=self.rank(zone))

    def location(self, zone: str) -> str:
        """Return where a zone is, as calendars and navigators write a place."""
        words = place_words.called_whole(self.row(zone)) or self.zone_title(zone)
        return f"{words}, {self.city.name}"

    def stop(self, zone: str, before: str | None) -> str:
        """Return what helps to find a stop: its crossing, how far and which way from the last."""
        name, parts = self.row(zone).place_name, []
        if name and name.near.crossing:
            parts.append(_("near %(crossing)s", crossing=name.near.crossing))
        if before is not None and before != zone:
            here, there = (
                shapely.get_coordinates(self.row(one).geometry.centroid)[0]
                for one in (zone, before)
            )
            units = numbers.Units(self.city.crs, self.city.units)
            metres = float(np.hypot(*(here - there))) * units.metres
            way = place_words.way(metres, direction(here - there), us_units=units.us)
            parts.append(_("%(way)s of the stop before", way=way))
        return "; ".join(parts)

    def advice(self, zone: str, visits: Iterable[PlanVisit]) -> list[tuple[str, str, str]]:
        """Return what to look for and do in a zone at the hours of visits, by its reasons."""
        found = reasons_of(self.zones["factors"][self.zones["id"] == zone].iloc[0])
        hours = {hour for visit in visits for hour in (visit.start.hour, visit.end.hour)}
        return guidance([factor.name for factor in found], hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """What one unit's page says.

    ``lines`` are its visits and its break (from, to, where, how to find it), ``advice`` is what,
    where, look for, do; ``stops`` the name of each of its zones with a map of its surroundings.
    """

    unit: str
    lines: tuple[tuple[str, str, str, str], ...]
    visits: int
    travel: int
    advice: tuple[tuple[str, str, str, str], ...]
    picture: bytes
    stops: tuple[tuple[str, bytes], ...]


def unit_pages(sheet: Sheet) -> list[UnitPage]:
    """Return the page of each unit."""
    use_titles(sheet.city.titles, sheet.city.units)
    units = numbers.Units(sheet.city.crs)
    streets = sheet.base.geometry[sheet.base["kind"] == "street"]
    around = {
        zone: charts.draw(charts.stop_map, zone, sheet.zones, sheet.base, units, form="png")
        for zone in dict.fromkeys(v.zone for u in sheet.plan.document.units for v in u.visits)
    }
    pages = []
    for unit in sheet.plan.document.units:
        mine = list(dict.fromkeys(visit.zone for visit in unit.visits))
        picture = charts.draw(charts.patrol_map, sheet.zones, mine, streets, units, form="png")
        pages.append(
            UnitPage(
                unit=unit.unit,
                lines=tuple(_lines(sheet, unit)),
                visits=len(unit.visits),
                travel=unit.travel_minutes,
                advice=_advice_block(sheet, unit, mine),
                picture=picture,
                stops=tuple((sheet.called(zone), around[zone]) for zone in mine),
            )
        )
    return pages


def _lines(sheet: Sheet, unit: PlanUnit) -> Iterator[tuple[str, str, str, str]]:
    before: str | None = None
    for start, end, visit in unit.lines:
        where = sheet.called(visit.zone) if visit else _("Break")
        if visit and visit.pinned:
            where += f" ({_('fixed')})"
        found = sheet.stop(visit.zone, before) if visit else ""
        yield f"{start:%H:%M}", f"{end:%H:%M}", where, found
        before = visit.zone if visit else before


def _advice_block(
    sheet: Sheet, unit: PlanUnit, zones: list[str]
) -> tuple[tuple[str, str, str, str], ...]:
    """Gather advice by factor: the zones that it is about, then what to look for and do."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for zone in zones:
        mine = (visit for visit in unit.visits if visit.zone == zone)
        for entry in dict.fromkeys(sheet.advice(zone, mine)):
            found.setdefault(entry, []).append(sheet.rank(zone))
    everywhere = [entry for entry in found if not entry[0]]
    rows = []
    for entry in [*(entry for entry in found if entry not in everywhere), *everywhere]:
        name, look, do = entry
        ranks = sorted(found[entry])
        where = _("all zones") if len(ranks) == len(zones) else _zones(ranks)
        rows.append((_near(name), where, look, do))
    return tuple(rows)


def _zones(ranks: list[int]) -> str:
    names = listed([str(rank) for rank in ranks])
    return ngettext("zone %(names)s", "zones %(names)s", len(ranks), names=names)


def _near(name: str) -> str:
    """Write what advice is about: a factor, or anywhere where it has no name."""
    name = name or _("anywhere")
    return f"{name[0].upper()}{name[1:]}"


def sheet_html(sheet: Sheet) -> bytes:
    """Write the sheet as one HTML file with its pictures inside."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_dir()),
        autoescape=True,
        trim_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.filters["as_png"] = charts.as_png
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    page = environment.get_template("patrol_sheet.html").render(
        sheet=sheet,
        document=sheet.plan.document,
        lang=code(),
        gave_way=[sentence(gave_way(found)) for found in sheet.plan.document.gave_way],
        staff_only=translated(STAFF_ONLY),
        units=unit_pages(sheet),
    )
    return page.encode()


def sheet_pdf(sheet: Sheet) -> bytes:
    """Write the sheet as PDF."""
    target = io.BytesIO()
    plan, paper = sheet.plan, letter if numbers.Units(sheet.city.crs).us else A4

    def footer(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.setFillColor("#5b6475")
        note = _("Plan %(plan)s, version %(number)s.", plan=plan.id, number=plan.version)
        note = f"{note} {translated(STAFF_ONLY)}"
        if sheet.city.synthetic:
            note += f" {_('Synthetic data.')}"
        canvas.drawString(18 * mm, 10 * mm, note)
        page = _("Page %(number)s", number=document.page)
        canvas.drawRightString(paper[0] - 18 * mm, 10 * mm, page)
        canvas.restoreState()

    document = SimpleDocTemplate(
        target,
        pagesize=paper,
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
    paper.title(
        _("Unit %(unit)s", unit=page.unit),
        f"{sheet.district}, {sheet.when}. "
        + _(
            "%(visits)s visits, %(minutes)s minutes of travel.",
            visits=page.visits,
            minutes=page.travel,
        ),
    )
    paper.picture(page.picture, share=0.62)
    paper.heading(_("Order"))
    rows = max(1, math.ceil(len(page.lines) / COLUMNS))
    columns = [page.lines[i * rows : (i + 1) * rows] for i in range(COLUMNS)]
    paper.table(
        [_("From"), _("To"), _("Where")] * COLUMNS,
        [
            [
                text
                for column in columns
                for text in _cells(column[row] if row < len(column) else None)
            ]
            for row in range(rows)
        ],
        (0.075, 0.075, 0.35) * COLUMNS,
    )
    paper.heading(_("What to look for and do"))
    heads = [_("Near"), _("In"), _("Look for"), _("Do")]
    paper.table(heads, page.advice, (0.15, 0.15, 0.34, 0.36))
    if page.stops:
        paper.heading(_("Around each stop"))
        paper.pictures(page.stops, across=STOPS_ACROSS)
    return paper.story


def _cells(line: tuple[str, str, str, str] | None) -> tuple[str, str, str]:
    if line is None:
        return "", "", ""
    start, end, where, found = line
    return start, end, f"{where}: {found}" if found else where


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
        raise DataError(msg, code="not_writable") from error


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
        raise DataError(msg, code="file_ending")
    return maker(load_sheet(database, plan))


def load_sheet(database: Database, plan: PlanRecord) -> Sheet:
    """Read what files tell of a plan beside the plan itself."""
    with database.session() as session:
        city = cities.get_city(session, plan.city)
        edited = plan.document.edited
        made_for = zone_versions.OWN if edited is None else edited.edition
        run = zone_versions.with_edition(session, runs.get_run(session, plan.run), made_for)
        base = layers.base_shapes(session, city.id)
    zones = run.zones[run.zones["district"] == plan.district].reset_index(drop=True)
    return Sheet(plan=plan, city=city, zones=zones, base=base)


def calendar(sheet: Sheet) -> bytes:
    """Write every visit and break as an event (RFC 5545), in UTC."""
    plan, document = sheet.plan, sheet.plan.document
    places = _degrees(sheet)
    events = []
    stamp = f"{plan.created_at:%Y%m%dT%H%M%SZ}"
    for unit in document.units:
        name = _("Unit %(unit)s", unit=unit.unit)
        for number, (start_ms, minutes, visit) in enumerate(_entries(document, unit), start=1):
            start = dt.datetime.fromtimestamp(start_ms / 1000, dt.UTC)
            end = start + dt.timedelta(minutes=minutes)
            what = _("break") if visit is None else sheet.zone_title(visit.zone)
            event = [
                f"UID:{plan.id}-{unit.unit}-{number}@saferground",
                f"DTSTAMP:{stamp}",
                f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
                f"DTEND:{end:%Y%m%dT%H%M%SZ}",
                f"SUMMARY:{escaped(f'{name}: {what}')}",
                f"CATEGORIES:{escaped(name)}",
                "CLASS:CONFIDENTIAL",
            ]
            if visit is not None:
                lat, lon = places[visit.zone]
                event.append(f"LOCATION:{escaped(sheet.location(visit.zone))}")
                event.append(f"GEO:{lat};{lon}")
                event.append(f"DESCRIPTION:{escaped(_advice(sheet, visit))}")
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
    for unit in document.units:
        route = ET.SubElement(root, f"{{{GPX}}}rte")
        _describe(route, "name", _("Unit %(unit)s", unit=unit.unit))
        for visit in unit.visits:
            lat, lon = places[visit.zone]
            point = ET.SubElement(route, f"{{{GPX}}}rtept", {"lat": str(lat), "lon": str(lon)})
            moment = dt.datetime.fromtimestamp(visit.start_ms / 1000, dt.UTC)
            _describe(point, "time", f"{moment:%Y-%m-%dT%H:%M:%SZ}")
            _describe(point, "name", f"{visit.start:%H:%M} {sheet.zone_title(visit.zone)}")
            _describe(point, "desc", _advice(sheet, visit))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entries(document: PlanDocument, unit: PlanUnit) -> Iterator[tuple[int, int, PlanVisit | None]]:
    """Return start and minutes of each visit of a unit, and of its break (None), in order."""
    wanted = document.asked
    found: list[tuple[int, int, PlanVisit | None]] = [
        (visit.start_ms, wanted.minutes, visit) for visit in unit.visits
    ]
    if unit.break_ms is not None:
        found.append((unit.break_ms, wanted.break_minutes, None))
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


def _advice(sheet: Sheet, visit: PlanVisit) -> str:
    return "\n".join(
        _("%(near)s. Look for: %(look)s. Do: %(do)s.", near=_near(name), look=look, do=do)
        for name, look, do in sheet.advice(visit.zone, [visit])
    )


def _describe(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{GPX}}}{name}").text = UNPRINTABLE.sub("", text)
