"""A patrol plan as files to take along: calendar (ICS), GPX, and a sheet to read or print."""

from __future__ import annotations

import datetime as dt
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import shapely
from pyproj import Transformer

from app.dosage.sheet import Sheet, sheet_html, sheet_pdf
from app.dosage.words import guidance
from geodata.errors import DataError
from geodata.store import cities, editions, layers, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from geodata.database import Database
    from geodata.store.plans import PlanRecord

ENDINGS = (".ics", ".gpx", ".html", ".pdf")
FOLD = 75  # octets of a line (RFC 5545, 3.1)
GPX = "http://www.topografix.com/GPX/1/1"
DECIMALS = 6
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


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
    """Give the content of a file of a plan; the ending says how.

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
        made_for = (plan.document.get("edited") or {}).get("edition", editions.OWN)
        run = editions.with_edition(session, runs.get_run(session, plan.run), made_for)
        base = layers.base_shapes(session, city.id)
    zones = run.zones[run.zones["district"] == plan.district].reset_index(drop=True)
    return Sheet(plan=plan, city=city, zones=zones, streets=base[base["kind"] == "street"])


def calendar(sheet: Sheet) -> bytes:
    """Write every visit and break as an event (RFC 5545), in UTC."""
    plan, document = sheet.plan, sheet.plan.document
    places = _degrees(sheet)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Safer Ground//Patrol plan//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{escaped(sheet.title)}",
    ]
    stamp = f"{plan.created_at:%Y%m%dT%H%M%SZ}"
    for unit in document["units"]:
        name = f"Unit {unit['unit']}"
        for number, (start_ms, minutes, zone) in enumerate(_entries(document, unit), start=1):
            start = dt.datetime.fromtimestamp(start_ms / 1000, dt.UTC)
            end = start + dt.timedelta(minutes=minutes)
            what = "break" if zone is None else sheet.zone_title(zone)
            lines += [
                "BEGIN:VEVENT",
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
                lines.append(f"GEO:{lat};{lon}")
                lines.append(f"DESCRIPTION:{escaped(_advice(sheet, zone))}")
            lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines).encode()


def gpx(sheet: Sheet) -> bytes:
    """Write a route a unit (GPX 1.1): each visit a point with its time, name and advice."""
    document, places = sheet.plan.document, _degrees(sheet)
    ET.register_namespace("", GPX)
    root = ET.Element(f"{{{GPX}}}gpx", {"version": "1.1", "creator": "Safer Ground"})
    about = ET.SubElement(root, f"{{{GPX}}}metadata")
    _told(about, "name", sheet.title)
    _told(about, "time", f"{sheet.plan.created_at:%Y-%m-%dT%H:%M:%SZ}")
    for unit in document["units"]:
        route = ET.SubElement(root, f"{{{GPX}}}rte")
        _told(route, "name", f"Unit {unit['unit']}")
        for visit in unit["visits"]:
            lat, lon = places[visit["zone"]]
            point = ET.SubElement(route, f"{{{GPX}}}rtept", {"lat": str(lat), "lon": str(lon)})
            moment = dt.datetime.fromtimestamp(visit["start_ms"] / 1000, dt.UTC)
            _told(point, "time", f"{moment:%Y-%m-%dT%H:%M:%SZ}")
            _told(point, "name", f"{visit['start'][11:]} {sheet.zone_title(visit['zone'])}")
            _told(point, "desc", _advice(sheet, visit["zone"]))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entries(
    document: Mapping[str, Any], unit: Mapping[str, Any]
) -> Iterator[tuple[int, int, str | None]]:
    """Give start, minutes and zone of each visit of a unit, and of its break, in order."""
    asked = document["asked"]
    found = [(visit["start_ms"], asked["minutes"], visit["zone"]) for visit in unit["visits"]]
    if unit["break_ms"] is not None:
        found.append((unit["break_ms"], asked["break_minutes"], None))
    yield from sorted(found, key=lambda entry: entry[0])


def _degrees(sheet: Sheet) -> dict[str, tuple[float, float]]:
    """Give latitude and longitude of a point in each zone."""
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


def _told(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{GPX}}}{name}").text = UNPRINTABLE.sub("", text)


def escaped(text: str) -> str:
    """Escape a text value (RFC 5545, 3.3.11)."""
    plain = UNPRINTABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    for mark in ("\\", ";", ","):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("\n", "\\n")


def folded(line: str) -> str:
    """Fold a line so that no part exceeds 75 octets, never within a character."""
    parts, size = [""], 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > FOLD:
            parts.append(" ")
            size = 1
        parts[-1] += letter
        size += octets
    return "\r\n".join(parts)
