"""Districts, zones with their reasons, the surface, and how the zones of earlier releases did."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import shapely
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from geodata.releases.dictionary import names
from geodata.releases.encoding import csv_bytes, digest, geojson_bytes, number
from geodata.releases.rules import SHOWN_WORDS
from geodata.releases.run_findings import ZONES, accounts
from geodata.releases.sensitive import CITY, CountDisclosure
from geodata.repositories.incidents import incident_points
from geodata.repositories.runs import find_run
from spatial.disclosure.linked import LEAST_SHOWN, VEILED
from spatial.grid import area_of
from spatial.history.forecast import capture
from spatial.intervals import wilson
from spatial.zones.cut import cells_within
from spatial.zones.describe import reasons_of, zone_kind
from spatial.zones.name_words import long_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geodata.releases.inputs import Material
    from geodata.releases.run_findings import Account
    from geodata.releases.sensitive import Where
    from geodata.repositories.runs import RunRecord

    Floats = NDArray[np.float64]

CLASSES = ("at or below the mean", "above the mean", "above mean + 1 SD", "above mean + 2 SD")
NO_CLASS = 255
FOLLOWED = {"combined": "environment and history together", "rtm": "the risk terrain alone"}
FAMILIES = {"poisson": "Poisson", "nb1": "negative binomial 1", "nb2": "negative binomial 2"}
NOT_TOLD = CountDisclosure(label=int(VEILED), value=None)


def district_files(material: Material) -> dict[str, bytes]:
    """Write the outlines of the districts."""
    frame = material.city.districts
    lines = [
        {"code": code, "name": name}
        for code, name in zip(frame["code"], frame["name"], strict=True)
    ]
    return {"data/districts.geojson": geojson_bytes(frame.geometry, lines)}


def zone_files(material: Material) -> dict[str, bytes]:
    """Write the zones of the shown run with their reasons, and its surface."""
    run = material.run
    if run is None:
        return {}
    rows = [_zone(zone, result, run, material.unit_m) for zone, result in _classes(run)]
    table = [
        {
            **row,
            "reasons": _in_words(zone, material.unit_m),
            "near": "; ".join(zone.place_name.near.streets) if zone.place_name else "",
        }
        for row, zone in zip(rows, run.zones.itertuples(), strict=True)
    ]
    return {
        ZONES: geojson_bytes(run.zones.geometry, rows),
        "data/zones.csv": csv_bytes(names("data/zones.csv"), table),
        "data/surface.tif": surface_file(run),
    }


def digest_run(run: RunRecord) -> str:
    """Return the SHA-256 of what a run found: its document, grid, cells and zones.

    Names of zones are no finding: they can be given to an earlier run later on.
    """
    grid = run.grid
    parts = [
        json.dumps(run.result.named({}).as_json(), sort_keys=True).encode(),
        run.data_sha256.encode(),
        *(np.ascontiguousarray(a).tobytes() for a in (grid.cols, grid.rows, grid.district)),
        *(run.cells[name].to_numpy().tobytes() for name in sorted(run.cells.columns)),
        *shapely.to_wkb(np.asarray(run.zones.geometry.array, dtype=object), include_srid=False),
    ]
    return digest(b"".join(parts))


def accountability_file(
    material: Material, document: Mapping[Where, CountDisclosure]
) -> dict[str, bytes]:
    """Score the zones of every earlier release on what happened after its data.

    The zones are taken from the release itself, as it was published. Prior counts are scored on as
    many cells as the zones have: those with most incidents in the period of the run. What follows
    from a count of hits is given where that count is.
    """
    rows = [_account(material, one, document) for one in accounts(material)]
    name = "data/zones_accountability.csv"
    return {name: csv_bytes(names(name), rows)} if rows else {}


def _classes(run: RunRecord) -> list[tuple[Any, str]]:
    """Return each zone with the class of most of its cells; of two as frequent the higher."""
    level = run.cells["risk_class"].to_numpy()
    found = []
    inside = cells_within(run.grid, list(run.zones.geometry))
    for zone, cells in zip(run.zones.itertuples(), inside, strict=True):
        often = np.bincount(level[cells], minlength=len(CLASSES))
        highest = len(CLASSES) - 1 - int(np.argmax(often[::-1]))
        found.append((zone, CLASSES[highest]))
    return found


def _zone(zone: Any, risk_class: str, run: RunRecord, unit_m: float) -> dict[str, object]:
    family, follows = run.result.model.family, run.result.zones_from
    return {
        "id": zone.id,
        "code": getattr(zone, "code", ""),
        "name": long_name(zone.place_name) if zone.place_name else "",
        "near": dataclasses.asdict(zone.place_name.near) if zone.place_name else None,
        "district": zone.district,
        "rank": int(zone.rank),
        "kind": zone_kind(zone.environment_share),
        "class": risk_class,
        "outcome": run.outcome,
        "reasons": [
            {
                "name": factor.name,
                "operation": factor.operation,
                "distance_m": number(factor.distance * unit_m),
                "rrv": number(factor.rrv),
                "extent": number(factor.share),
                "covers": number(factor.covers),
            }
            for factor in reasons_of(zone.factors)
        ],
        "surroundings": number(zone.environment_share),
        "area_m2": number(round(zone.area * unit_m**2)),
        "method": f"follows {FOLLOWED.get(follows, follows)}; "
        f"{FAMILIES.get(family, family)} model{_edited(run)}",
        "trained_from": run.period_from.isoformat(),
        "trained_to": run.period_to.isoformat(),
    }


def _edited(run: RunRecord) -> str:
    """Say that a person changed the zones; not who."""
    if run.edited is None:
        return ""
    word = "step" if run.edited.steps == 1 else "steps"
    return f"; changed by a person, {run.edited.steps} {word}, the last on {run.edited.on}"


def _in_words(zone: Any, unit_m: float) -> str:
    def rounded(value: float | None) -> float:
        return number(value) or 0

    return "; ".join(
        f"{one.name} {one.operation} {rounded(one.distance * unit_m):g} m: "
        f"{rounded(one.rrv):.2f} times, in {100 * rounded(one.share):.0f} % of the zone, "
        f"{100 * rounded(one.covers):.0f} % of all cells"
        for one in reasons_of(zone.factors)
    )


def surface_file(run: RunRecord) -> bytes:
    """Return the risk terrain classes as a GeoTIFF: of the surroundings alone.

    The combined risk is not published by cell, as a class could show where one incident was.
    """
    grid = run.grid
    level = run.cells["risk_class"].to_numpy(np.uint8)
    raster = grid.to_raster(level, fill=NO_CLASS).astype(np.uint8)[::-1]
    west, _, _, north = grid.bounds
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            dtype="uint8",
            count=1,
            height=grid.n_rows,
            width=grid.n_cols,
            crs=rasterio.CRS.from_wkt(run.zones.crs.to_wkt()),
            transform=from_origin(west, north, grid.cell_units, grid.cell_units),
            nodata=NO_CLASS,
            compress="deflate",
        ) as target:
            target.write(np.ascontiguousarray(raster), 1)
            target.set_band_description(1, "risk class")
            target.update_tags(run=run.id, outcome=run.outcome)
        return bytes(memory.read())


def _account(
    material: Material, account: Account, document: Mapping[Where, CountDisclosure]
) -> dict[str, object]:
    """Score one earlier release."""
    city, zones, (start, end) = material.city, account.zones, account.days
    stated = document.get((zones.key, CITY, start, end), NOT_TOLD)
    later = incident_points(material.session, city.id, zones.outcome, start, end)
    x, y = later.geometry.x.to_numpy(), later.geometry.y.to_numpy()
    n = int((area_of(x, y, [city.study_area]) == 0).sum())
    share = float(shapely.area(zones.shapes).sum()) / city.study_area.area
    shown = account.release.manifest.run
    run = shown.id if shown else ""
    scores = _scores(stated.value, n, share) if stated.value is not None else {}
    return {
        "release": account.release.id,
        "state": account.release.state,
        "run": run,
        "outcome": zones.outcome,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "n": n,
        "area_share": number(share),
        "shown": SHOWN_WORDS[stated.label],
        **scores,
        "prior_hit_rate": _prior(material, run, list(zones.shapes), x, y) if scores else None,
    }


def _scores(hits: int, n: int, share: float) -> dict[str, object]:
    document: dict[str, object] = {"hits": hits}
    if n == 0:
        return document
    low, high = wilson(hits, n)
    document |= {"hit_rate": number(hits / n), "low": number(low), "high": number(high)}
    if share > 0:
        document |= {
            "pai": number(hits / n / share),
            "pai_low": number(low / share),
            "pai_high": number(high / share),
        }
    return document


def _prior(material: Material, run_id: str, outlines: list[Any], x: Floats, y: Floats) -> Any:
    """Return the hit rate of as many cells with most incidents before; missing without the run."""
    run = find_run(material.session, run_id)
    if run is None:
        return None
    observed = run.grid.count(x, y)
    cells = sum(len(found) for found in cells_within(run.grid, outlines))
    if observed.sum() == 0 or cells == 0:
        return None
    curve = capture(run.cells["count"].to_numpy(), observed)
    rate = float(curve.hit_rate[min(cells, len(run.grid)) - 1])
    return number(rate) if rate * observed.sum() >= LEAST_SHOWN else None
