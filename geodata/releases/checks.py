"""The rules checked against the files of a release, by whoever has nothing but the files.

Each check gives faults, a pair of the rule's name and what breaks it. What needs the exact rows is
in :mod:`geodata.releases.exact_checks`.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata.measures.registry import disclosed
from geodata.releases.dictionary import FILES, KEYS_OF, NEVER, SITE, names
from geodata.releases.documents import PACKAGE, package_layers, read_package
from geodata.releases.encoding import number
from geodata.releases.measure_files import JSON, MONTHS, PERIODS, WEEKS, measures_in, read_csv
from geodata.releases.rules import (
    FEW_PEOPLE,
    HITS,
    LEAST_PEOPLE,
    OF_HITS,
    OF_ZONES,
    PEOPLE_STEP,
    RULES,
    SHOWN_WORDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from geodata.measures.record import Measure
    from geodata.release_manifest import Manifest
    from spatial.disclosure.places import Rule

    Files = Mapping[str, bytes]
    Fault = tuple[str, str]

PLACED: tuple[Rule, ...] = ("place", "cell", "uncounted_cell", "district")
HOURS = {f"{h:02d}-{h + RULES.band_hours:02d}" for h in range(0, 24, RULES.band_hours)}
POINTS = ("alerts", "complaints")
MOST_NAMED = 5


def check_files(files: Files, manifest: Manifest) -> list[Fault]:
    """Hold every rule against files that can be checked against it without the exact rows."""
    closed = [fault for name, content in files.items() for fault in _fields(name, content)]
    if closed:  # nothing that is not on the list is read any further
        return closed
    checks: tuple[Callable[[Files, Manifest], Iterator[Fault]], ...] = (
        _days,
        _places,
        _same_tables,
        _same_package,
        _hidden,
        _coarse,
        _outcomes,
        _people,
    )
    return [fault for check in checks for fault in check(files, manifest)]


def some(found: list[str]) -> str:
    """Name a few and say how many more there are."""
    more = len(found) - MOST_NAMED
    return ", ".join(found[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def properties(content: bytes) -> list[dict[str, object]]:
    """Return the properties of the features of a GeoJSON file."""
    return [feature["properties"] for feature in json.loads(content)["features"]]


def walk(document: Any) -> Iterator[dict[str, Any]]:
    """Return every object within a JSON document."""
    if isinstance(document, dict):
        yield document
    inside = document.values() if isinstance(document, dict) else document
    if isinstance(document, dict | list):
        for part in inside:
            yield from walk(part)


def _fields(name: str, content: bytes) -> Iterator[Fault]:
    """Refuse files and columns that are not on the list."""
    if name not in FILES and not SITE.fullmatch(name):
        yield "fields", f"{name} is not a file that may be published"
        return
    try:
        value = _columns(name, content)
    except (ValueError, KeyError, TypeError, AttributeError):
        yield "fields", f"{name} cannot be read as what its name says"
        return
    allowed = KEYS_OF.get(name) or (set(names(name)) if name in FILES else None)
    more = sorted(value & NEVER if allowed is None else value - allowed)
    if more:
        yield "fields", f"{name} has {some(more)}, which may not be published"


def _columns(name: str, content: bytes) -> set[str]:
    """Name the columns, properties or keys of a file; nothing of pictures, pages and styles."""
    if name.endswith(".csv"):
        header = content.decode().partition("\n")[0]
        return {column.strip().strip('"') for column in header.split(",")}
    if name in FILES and name.endswith(".geojson"):
        return {key for result in properties(content) for key in result}
    if name.endswith((".json", ".geojson")):
        return {str(key) for found in walk(json.loads(content)) for key in found}
    return set()


def _days(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse what is about days younger than the delay."""
    last = manifest.through.isoformat()
    after = (manifest.through + dt.timedelta(days=1)).isoformat()
    latest = {"day": last, "data_through": last, "to": after}
    for name, content in files.items():
        if not name.startswith("data/") or not name.endswith(".csv"):
            continue
        rows = read_csv(content)
        for column, most in latest.items():
            late = [i for i, row in enumerate(rows, start=2) if (row.get(column) or "") > most]
            if late:
                lines = some([str(line) for line in late])
                yield "delay", f"{name}: {column} is after {most} in line {lines}"


def _places(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse places that are no areas, or of no kind that the rule knows."""
    del manifest
    seen: dict[str, tuple[str, ...]] = {}
    for name in (f"data/{kind}.csv" for kind in POINTS):
        for line, row in enumerate(read_csv(files.get(name, b"")), start=2):
            where = f"{name} line {line}"
            drawn = tuple(row[key] for key in ("rule", "longitude", "latitude", "radius_m"))
            if row["rule"] not in PLACED:
                yield "places", f"{where}: rule {row['rule']!r}"
            elif int(row["radius_m"]) < RULES.least_radius_m:
                yield "places", f"{where}: an area of {row['radius_m']} m is too small"
            elif seen.setdefault(row["site"], drawn) != drawn:
                yield "places", f"{where}: {row['site']} stands elsewhere in another row"
            if row.get("hours", "") not in {*HOURS, ""}:
                yield "delay", f"{where}: hours {row['hours']!r} are no band"


def _same_tables(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse a second form of a file that says something else than the first."""
    del manifest
    for kind in POINTS:
        if f"data/{kind}.csv" not in files:
            continue
        rows = read_csv(files[f"data/{kind}.csv"])
        features = json.loads(files[f"data/{kind}.geojson"])["features"]
        same = [_texts(feature["properties"]) for feature in features] == rows
        at = [[f["properties"]["longitude"], f["properties"]["latitude"]] for f in features]
        shapes = [feature["geometry"] for feature in features]
        if not same or shapes != [{"type": "Point", "coordinates": xy} for xy in at]:
            yield "exact", f"data/{kind}.geojson does not say what data/{kind}.csv says"
    if PERIODS in files:
        measures = json.loads(files[JSON])["measures"]
        figures = [
            _texts({"measure": one["id"], **figure})
            for one in measures
            for figure in one["figures"]
        ]
        table = [{key: row[key] for key in figures[0]} for row in read_csv(files[PERIODS])]
        if figures != table:
            yield "suppression", f"{JSON} does not say what {PERIODS} says"


def _same_package(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse a GeoPackage that says anything else than the GeoJSON files."""
    del manifest
    if PACKAGE not in files:
        return
    result, wanted = read_package(files[PACKAGE]), package_layers(files)
    for name in sorted(result.keys() ^ wanted.keys()):
        yield "fields", f"{PACKAGE} has not the layers of the release: {name}"
    for name in sorted(result.keys() & wanted.keys()):
        frame, other = result[name], wanted[name]
        columns = [c for c in other.columns if c != "geometry"]
        if {*frame.columns} != {*other.columns}:
            yield "fields", f"{PACKAGE} has not the columns of data/{name}.geojson in layer {name}"
        elif not (
            frame[columns].astype(str).equals(other[columns].astype(str))
            and frame.geometry.geom_equals_exact(other.geometry, 0).all()
        ):
            yield "exact", f"{PACKAGE} does not say what data/{name}.geojson says"


def _texts(document: Mapping[str, object]) -> dict[str, str]:
    return {key: "" if value is None else str(value) for key, value in document.items()}


def _hidden(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse figures that are hidden and given, shown and small, or hidden beside their base."""
    del manifest
    value, measures = ("value", "low", "high", "numerator"), measures_in(files)
    for name in (PERIODS, MONTHS, WEEKS):
        rows = read_csv(files.get(name, b""))
        visible = {(row["measure"], *_place(row)): row for row in rows}
        for line, row in enumerate(rows, start=2):
            identity, where = row["measure"], f"{name} line {line} ({row['measure']})"
            measure = measures.get(identity)
            if measure is None or measure.disclosure == "staff":
                yield "fields", f"{where}: the measure is not open to the public"
                continue
            if row["shown"] not in SHOWN_WORDS.values():
                yield "suppression", f"{where}: shown {row['shown']!r} is no word of the rule"
            if row["shown"] and any(row[key] for key in value):
                yield "suppression", f"{where}: it is hidden and given"
            base = (OF_HITS.get(identity, measure.follows), *_place(row))
            if base in visible and visible[base]["shown"] != row["shown"]:
                yield "suppression", f"{where}: it is not hidden as {base[0]} is"
            if measure.disclosure == "count" and any(row[key] for key in ("n", "missing")):
                yield "suppression", f"{where}: its rows are counted"
            if _is_small(row, measure):
                count = row["value" if measure.disclosure == "count" else "numerator"]
                yield "suppression", f"{where}: {number(float(count))} is shown"


def _place(row: Mapping[str, str]) -> tuple[str, str, str]:
    return row["district"], row["from"], row["to"]


def _is_small(row: Mapping[str, str], measure: Measure) -> bool:
    """Return whether a row shows a count that is too small; of parts of alerts a zero is too.

    So it is of incidents inside zones, where there were any and the district has zones.
    """
    if row["measure"] == HITS:
        return row["numerator"] != "" and 0 < float(row["numerator"]) < RULES.least_shown
    if measure.disclosure == "part":
        return row["numerator"] != "" and float(row["numerator"]) < RULES.least_shown
    return measure.disclosure == "count" and 0 < float(row["value"] or 0) < RULES.least_shown


def _coarse(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse figures that rest on verified gunfire for anything but the city and whole periods."""
    del manifest
    measures = measures_in(files)
    coarse = {*disclosed(measures, "coarse")}
    for line, row in enumerate(read_csv(files.get(PERIODS, b"")), start=2):
        if row["measure"] in coarse and row["district"]:
            yield "coarse", f"{PERIODS} line {line}: {row['measure']} of a district"
    for line, row in enumerate(read_csv(files.get(MONTHS, b"")), start=2):
        if row["measure"] in coarse:
            yield "coarse", f"{MONTHS} line {line}: {row['measure']} of a month"
    for line, row in enumerate(read_csv(files.get(WEEKS, b"")), start=2):
        closed = row["measure"] not in measures or measures[row["measure"]].sensitive
        if closed or row["measure"] in (*coarse, *OF_ZONES):
            yield "coarse", f"{WEEKS} line {line}: {row['measure']} of a week"


def _outcomes(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse zones and surfaces of sensitive kinds of incidents."""
    sensitive = set(manifest.sensitive_outcomes)
    run = manifest.run
    if run is not None and run.outcome in sensitive:
        yield "outcomes", f"the run {run.id} is about {run.outcome}"
    for name in ("data/zones.csv", "data/zones_accountability.csv"):
        result = np.unique([row["outcome"] for row in read_csv(files.get(name, b""))])
        for outcome in sorted(sensitive & set(result.tolist())):
            yield "outcomes", f"{name} is about {outcome}"


def _people(files: Files, manifest: Manifest) -> Iterator[Fault]:
    """Refuse estimates of who lives in an area that are finer than the rule."""
    del manifest
    for line, row in enumerate(read_csv(files.get("data/residents.csv", b"")), start=2):
        where = f"data/residents.csv line {line}"
        if row["shown"] not in ("", FEW_PEOPLE):
            yield "residents", f"{where}: shown {row['shown']!r} is no word of the rule"
        elif row["shown"] and (row["people"] or row["share"]):
            yield "residents", f"{where}: it is hidden and given"
        elif not row["shown"] and int(row["people"]) % PEOPLE_STEP:
            yield "residents", f"{where}: {row['people']} people are not rounded"
        elif not row["shown"] and not row["group"] and int(row["people"]) < LEAST_PEOPLE:
            yield "residents", f"{where}: {row['people']} people are too few to be told"
    for line, row in enumerate(read_csv(files.get("data/districts.csv", b"")), start=2):
        share = row["incidents_share"]
        if share and round(float(share), 2) != float(share):
            yield "residents", f"data/districts.csv line {line}: incidents_share is not rounded"
