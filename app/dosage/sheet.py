"""The sheet of a patrol plan: one page a unit, as HTML for a phone and as PDF for print."""

from __future__ import annotations

import base64
import datetime as dt
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jinja2
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, SimpleDocTemplate

from app import words
from app.dosage.words import guidance
from app.drawing import charts
from app.drawing.paper import Paper
from app.maps.shapes import district_label
from app.paths import template_dir
from app.words import listed
from spatial.reasons import reasons_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geodata.store.cities import CityRecord
    from geodata.store.plans import PlanRecord

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
        last = "" if end.date() == start.date() else f"{words.day(end.date())}, "
        return f"{words.day(start.date())}, {start:%H:%M} to {last}{end:%H:%M}"

    @property
    def title(self) -> str:
        """What the plan is called."""
        return f"Patrol plan, {self.district}, {self.when}"

    def rank(self, zone: str) -> int:
        """Give the rank of a zone in its district, by which it is called."""
        return int(self.zones["rank"][self.zones["id"] == zone].iloc[0])

    def called(self, zone: str) -> str:
        """Give the rank of a zone, and what a person called it where somebody did."""
        given = self.zones["name"][self.zones["id"] == zone].iloc[0] if "name" in self.zones else ""
        return f"{self.rank(zone)}, {given}" if given else f"{self.rank(zone)}"

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
    """Give the page of each unit."""
    metres = words.Units(sheet.city.crs).metres
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
                advice=_advice(sheet, mine),
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


def _advice(sheet: Sheet, zones: list[str]) -> tuple[tuple[str, str, str, str], ...]:
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
