"""What was found out about the shown run, as far as it may be published.

Incidents inside zones: counts of a few hectares, hidden together wherever a release tells them.

Of one set of zones that is by district, month and period, and what later releases tell of how the
zones of an earlier one did.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import geopandas as gpd
import numpy as np

from geodata.analysis_documents import ValidationDocument
from geodata.errors import ReleaseError
from geodata.releases.rules import OUTSIDE
from geodata.releases.sensitive import CITY, SensitiveCounts, hide, hits_of
from geodata.repositories.incidents import incident_points
from geodata.repositories.run_analyses import analyses_of
from spatial.disclosure.linked import SHOWN
from spatial.errors import MaskingError
from spatial.grid import area_of
from spatial.measures.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.analysis_documents import RunAnalysis
    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.inputs import Material
    from geodata.releases.sensitive import CountDisclosure, Hidden, Where
    from geodata.repositories.runs import RunRecord

    _A = TypeVar("_A", bound=RunAnalysis)
    Span = tuple[dt.date, dt.date]
    Counts = NDArray[np.int64]


def old_enough(material: Material, kind: type[_A]) -> tuple[_A, ...]:
    """Return what was worked out about the shown run, newest first, of no too new days."""
    if material.run is None:
        return ()
    found = analyses_of(material.session, material.run.id, kind)
    return tuple(one for one in found if one.until <= material.end)


def scored(material: Material) -> list[Span]:
    """Give the days that the shown zones were scored on; none where a person changed them since."""
    if material.run is None or material.run.edited is not None:
        return []
    return [(one.start, one.end) for one in old_enough(material, ValidationDocument)]


def public_validations(
    material: Material, digest: str, stated: Mapping[Where, CountDisclosure]
) -> tuple[ValidationDocument, ...]:
    """Return the validations of the shown run as they are published: without counts by zone.

    Parameters
    ----------
    material
        Of the city.
    digest
        Of the shown run.
    stated
        What is reported of hits; how many the zones kept is given only where that is shown.
    """
    return tuple(_public(one, digest, stated) for one in old_enough(material, ValidationDocument))


def _public(
    document: ValidationDocument, digest: str, stated: Mapping[Where, CountDisclosure]
) -> ValidationDocument:
    hits = stated.get((hits_of(digest), CITY, document.start, document.end))
    visible = hits is not None and hits.label == SHOWN and hits.value == document.zones.hits
    return replace(document, zones=document.zones.public(tells_hits=visible))


ZONES = "data/zones.geojson"


@dataclass(frozen=True, kw_only=True, eq=False)
class Zones:
    """One set of zones, whose hits are reported: outlines in the city's reference system.

    ``key`` names its counts, ``since`` is the first day of which they tell.
    """

    key: str
    outcome: str
    since: dt.date
    shapes: Sequence[BaseGeometry]
    districts: Sequence[str]


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """How the zones of an earlier release did in the days after its data."""

    release: ReleaseFolder
    zones: Zones
    days: Span


def accounts(material: Material) -> list[Account]:
    """Return each earlier release whose zones can be checked against later days, oldest first."""
    found = []
    for release in material.earlier[::-1]:
        run = release.manifest.run
        if run is None or run.outcome in material.city.sensitive_outcomes:
            continue
        start = max(
            release.manifest.through + dt.timedelta(days=1),
            run.end,
        )
        if start >= material.end:
            continue
        features = json.loads(release.read(ZONES))["features"]
        frame = gpd.GeoDataFrame.from_features(features, crs=4326).to_crs(material.city.crs)
        zones = Zones(
            key=hits_of(run.sha256),
            outcome=run.outcome,
            since=run.end,
            shapes=list(frame.geometry),
            districts=list(frame["district"]),
        )
        found.append(Account(release=release, zones=zones, days=(start, material.end)))
    return found


def zones_of(run: RunRecord, digest: str) -> Zones:
    """Return the zones of a run."""
    return Zones(
        key=hits_of(digest),
        outcome=run.outcome,
        since=run.period_to,
        shapes=list(run.zones.geometry),
        districts=list(run.zones["district"]),
    )


def hide_hits(
    material: Material,
    zones: Zones,
    spans: Sequence[Span],
    of_city: Collection[Span],
    earlier: Mapping[Where, CountDisclosure],
) -> Hidden:
    """Decide what is reported of the incidents inside one set of zones.

    Parameters
    ----------
    material
        Of the city.
    zones
        The zones.
    spans
        Days that are reported, the most important first.
    of_city
        Those of them that are reported of the whole city only.
    earlier
        What releases that were public stated.

    Raises
    ------
    ReleaseError
        If a small count follows from what is public already.
    """
    mine = [where[2:] for where in earlier if where[0] == zones.key]
    pieces = cut_days([*spans, *mine], material.end)
    places, counts, known = _count(material, zones, pieces)
    table = SensitiveCounts(
        measures=(zones.key,),
        places=places,
        months=pieces,
        counts=counts[None],
        known=known,
        at_most=True,
        fine=True,
        of_city=frozenset(of_city),
    )
    try:
        return hide(table, spans, earlier)
    except MaskingError as error:
        msg = f"suppression: {error}"
        raise ReleaseError(msg, "suppression", code="suppression_impossible") from error


def cut_days(spans: Iterable[Span], end: dt.date) -> tuple[Scope, ...]:
    """Cut days wherever one of the spans begins or ends."""
    cuts = sorted({day for span in spans for day in span if day <= end})
    return tuple(Scope(start=a, end=b) for a, b in pairwise(cuts))


def _count(
    material: Material, zones: Zones, pieces: Sequence[Scope]
) -> tuple[tuple[str, ...], Counts, Counts]:
    """Count incidents inside zones, and all incidents, by place and piece of days.

    A district without zones has none inside, as everybody sees; so nothing is unknown of it. Where
    districts do not add up to no more than the city, only the city is counted.
    """
    city = material.city
    first = max(zones.since, pieces[0].start)
    points = incident_points(material.session, city.id, zones.outcome, first, pieces[-1].end)
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    starts = np.array([piece.start for piece in pieces], dtype="datetime64[D]")
    days = np.array(list(points["occurred_on"]), dtype="datetime64[D]")
    piece = np.searchsorted(starts, days, side="right") - 1

    def by_piece(chosen: NDArray[np.bool_]) -> Counts:
        return np.bincount(piece[chosen], minlength=len(pieces)).astype(np.int64)

    inside = area_of(x, y, [city.study_area]) == 0
    whole = by_piece(inside & (area_of(x, y, list(zones.shapes)) >= 0)), by_piece(inside)
    hits, known = [], []
    for code, shape in zip(city.districts["code"], city.districts.geometry, strict=True):
        own = [zone for zone, of in zip(zones.shapes, zones.districts, strict=True) if of == code]
        here = area_of(x, y, [shape]) == 0
        hits.append(by_piece(here & (area_of(x, y, own) >= 0)))
        known.append(by_piece(here) if own else np.zeros(len(pieces), dtype=np.int64))
    hits.append(whole[0] - np.sum(hits, axis=0))
    known.append(whole[1] - np.sum(known, axis=0))
    if (hits[-1] < 0).any() or (known[-1] < 0).any():
        return ("(all zones)",), whole[0][None], whole[1][None]
    return (*map(str, city.districts["code"]), OUTSIDE), np.array(hits), np.array(known)
