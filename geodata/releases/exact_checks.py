"""The rules checked against the exact rows: places, coordinates, and what can be computed back."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import Transformer
from scipy.spatial import cKDTree
from sqlalchemy import select

from geodata.releases.checks import POINTS, some, walk
from geodata.releases.documents import INCIDENTS, told_incidents
from geodata.releases.measure_files import read_csv, told_everywhere, zones_by_release
from geodata.releases.points import PublicSites, alert_rows, complaint_rows, drawn_sites
from geodata.releases.public_zones import digest_run
from geodata.releases.rules import RULES
from geodata.repositories.incidents import incident_points
from geodata.repositories.recorded import TABLES, read_frame
from spatial.disclosure.places import NOT_COUNTED, coarsen_time, is_old_enough, snap
from spatial.errors import MaskingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geodata.releases.checks import Fault, Files
    from geodata.releases.inputs import Material
    from geodata.releases.sensitive import CountDisclosure, Hidden, Where

    Floats = NDArray[np.float64]

EXACT = {"alerts": alert_rows, "complaints": complaint_rows}
ROUNDED = 1.2e-5  # degrees, about a metre: pages give places with five decimals
AXES = (("longitude", "latitude"), ("lon", "lat"), ("lng", "lat"))
OF_AREAS = ("place", "cell")


def check_truth(material: Material, files: Files, tables: Sequence[Hidden]) -> list[Fault]:
    """Hold files against the exact rows that they were made from."""
    drawn = drawn_sites(material)
    faults: list[Fault] = []
    for kind in POINTS:
        if f"data/{kind}.csv" in files:
            rows = read_csv(files[f"data/{kind}.csv"])
            faults += _sites(f"data/{kind}.csv", rows, material, drawn)
            faults += _rows(kind, rows, material)
    run = "" if material.run is None else digest_run(material.run)
    inferred = _inferred(files, tables, run, zones_by_release(material.earlier))
    return [*faults, *_exact(files, material, drawn), *inferred]


def _sites(
    name: str, rows: Sequence[Mapping[str, str]], material: Material, drawn: PublicSites
) -> Iterator[Fault]:
    """Refuse places that the rule did not choose, or that too few addresses share."""
    sites = material.places.sites
    position = {str(site): at for at, site in enumerate(sites.name)}
    for line, row in enumerate(rows, start=2):
        at = position.get(row["site"])
        if at is None:
            yield "places", f"{name} line {line}: {row['site']} is no public place of the city"
            continue
        texts = (row["rule"], *(float(row[key]) for key in ("longitude", "latitude", "radius_m")))
        chosen = (sites.rule[at], drawn.longitude[at], drawn.latitude[at], drawn.radius_m[at])
        if texts != chosen or row["district"] != drawn.code[at]:
            yield "exact", f"{name} line {line}: {row['site']} is not where the rule put it"
        shared = int(sites.addresses[at])
        if row["rule"] in OF_AREAS and 0 < shared < RULES.k:
            yield "places", f"{name} line {line}: {row['site']} is shared by {shared} addresses"
        if row["rule"] == "uncounted_cell" and shared != NOT_COUNTED:
            yield "places", f"{name} line {line}: {row['site']} is in a district with addresses"


def _rows(kind: str, rows: Sequence[Mapping[str, str]], material: Material) -> Iterator[Fault]:
    """Refuse a file that is not exactly the rows that the rule gives, each at its place."""
    exact = EXACT[kind](material)
    found = snap(material.places, exact["x"], exact["y"], exact["district"].to_numpy(dtype=object))
    time = coarsen_time(exact["local"].to_numpy())
    old = is_old_enough(time.day, material.ledger.today, RULES.delay_days)
    wanted = Counter(
        (str(day), str(site))
        for day, site in zip(time.day[old], found.name[old], strict=True)
        if site != "outside"
    )
    counter = Counter((row["day"], row["site"]) for row in rows)
    if wanted != counter:
        differing = sorted({*(wanted - counter), *(counter - wanted)})
        text = some([f"{site} on {day}" for day, site in differing])
        yield "exact", f"data/{kind}.csv is not what the rule makes of the rows: {text}"


def _exact(files: Files, material: Material, drawn: PublicSites) -> Iterator[Fault]:
    """Refuse any point, in whatever file, that lies at a row and is no public place."""
    points = [
        (name, *at)
        for name, content in files.items()
        if name.endswith((".json", ".geojson"))
        for at in _points(content)
    ]
    if not points:
        return
    chosen = np.column_stack([drawn.longitude, drawn.latitude])
    public = cKDTree(chosen[np.isfinite(chosen).all(axis=1)])
    degrees = np.array([at for _, *at in points])
    apart, _ = public.query(degrees)
    other = np.flatnonzero(apart > ROUNDED)
    if len(other) == 0:
        return
    turn = Transformer.from_crs(4326, material.city.crs, always_xy=True)
    xy = np.column_stack(turn.transform(*degrees[other].T))
    tree = cKDTree(exact_points(material))
    on_earth = np.isfinite(xy).all(axis=1)  # the others lie in no reach of the city
    other, xy = other[on_earth], xy[on_earth]
    near, _ = tree.query(xy)
    close = other[near < RULES.least_radius_m / material.unit_m]
    if len(close):
        text = some([f"{points[i][0]} at {points[i][1]}, {points[i][2]}" for i in close])
        yield "exact", f"points that are no public places lie at exact ones: {text}"


def exact_points(material: Material) -> Floats:
    """Return the place of every exact row of a city, of whatever kind, shape ``(rows, 2)``."""
    found = []
    for table in TABLES.values():
        for x, y in (("x", "y"), ("verified_x", "verified_y")):
            if x not in table.c:
                continue
            mine = table.c.city_id == material.city.id
            wanted = select(table.c[x], table.c[y]).where(mine)
            found.append(read_frame(material.session, wanted).to_numpy(dtype=float))
    for outcome in material.city.outcomes:
        points = _incidents(material, outcome)
        found.append(np.column_stack([points.x, points.y]))
    xy = np.concatenate([np.empty((0, 2)), *found])
    xy = xy[np.isfinite(xy).all(axis=1)]
    return xy if len(xy) else np.full((1, 2), np.inf)


def _incidents(material: Material, outcome: str) -> pd.Series:
    city = material.city
    return incident_points(material.session, city.id, outcome, dt.date.min, dt.date.max).geometry


def _points(content: bytes) -> Iterator[tuple[float, float]]:
    """Return longitude and latitude of every place that a document tells as a point.

    That is a point geometry, an object with both coordinates by name, or an entry of a list of
    ``sites``, latitude first, as the pages write them.
    """
    for found in walk(json.loads(content)):
        values = [found["coordinates"]] if found.get("type") == "Point" else []
        values += found["coordinates"] if found.get("type") == "MultiPoint" else []
        values += [[found[x], found[y]] for x, y in AXES if x in found and y in found]
        sites = found.get("sites")
        values += [site[1::-1] for site in sites] if sites and _are_places(sites) else []
        for at in values:
            yield float(at[0]), float(at[1])


def _are_places(sites: Any) -> bool:
    return isinstance(sites, list) and all(
        isinstance(site, list) and len(site) >= 2 and isinstance(site[0], int | float)
        for site in sites
    )


def _inferred(
    files: Files,
    tables: Sequence[Hidden],
    run: str,
    zones: Mapping[str, str],
) -> Iterator[Fault]:
    """Refuse counts of which too much can be inferred from all tables of the release."""
    options: dict[Where, CountDisclosure] = {}
    every = [
        *told_everywhere(files, run, zones),
        *((INCIDENTS, *found) for found in told_incidents(files.get(INCIDENTS, b""))),
    ]
    for name, where, result in every:
        if options.setdefault(where, result) != result:
            yield "suppression", f"{name}: {_named(where)} is told in two ways"
    known = {where for table in tables for where in table.position}
    for where in options.keys() - known:
        yield "suppression", f"{_named(where)} is in no table that was hidden"
    for table in tables:
        try:
            faults = table.audit(options)
        except MaskingError as error:
            faults = (str(error),)
        for fault in faults:
            yield "suppression", fault


def _named(where: tuple[str, str, dt.date, dt.date]) -> str:
    measure, place, start, end = where
    return f"{measure} of {place or 'the whole city'} from {start} to {end}"
