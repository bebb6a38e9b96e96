"""Names of zones: made of a city's streets and places when zones are, kept by the zone's id.

A zone's id is one outline for ever, so its name is made once; a later street file changes nothing
of it. What earlier versions stored without names gets them from :func:`name_earlier_zones`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import func, select

from geodata.db.tables import City, EditedZone, Run, Zone, ZoneEdition, ZoneName
from geodata.repositories.layers import base_shapes, named_areas
from geodata.repositories.zone_codes import Outlined, codes_of
from spatial.zones.name_words import long_name, short_name
from spatial.zones.naming import ZoneOutline, name_zones, public_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy.orm import Session

    from spatial.zones.names import PlaceName
    from spatial.zones.naming import PublicPlaces

NEIGHBOURHOOD = "neighbourhood"
LANDMARKS = ("park", "water")


def names_of(session: Session, city_id: int, zones: Iterable[str]) -> dict[str, PlaceName]:
    """Return the names of zones by their ids; an id without a name is left out."""
    rows = session.execute(
        select(ZoneName.zone, ZoneName.parts).where(
            ZoneName.city_id == city_id, ZoneName.zone.in_(list(zones))
        )
    )
    return {row[0]: row[1] for row in rows}


def give_names(session: Session, city_id: int, zones: Sequence[Outlined], scope: str = "") -> None:
    """Store names of those zones of one run, or one edition of it, that have none.

    They share no name with the others, nor with those of the newest run of any other scope, as
    districts have that are fitted each by itself. Codes have to be stored already.
    """
    known = names_of(session, city_id, [zone.id for zone in zones])
    if len(known) < len({zone.id for zone in zones}):
        _name(session, city_id, zones, scope, places_of(session, city_id))


def places_of(session: Session, city_id: int) -> PublicPlaces:
    """Return what zones of a city are named by: its streets, neighborhoods, parks and water."""
    city = session.get_one(City, city_id)
    base, areas = base_shapes(session, city_id), named_areas(session, city_id)
    unit_m = float(base.crs.axis_info[0].unit_conversion_factor)
    lines = base[
        (base["kind"] == "street") & (shapely.get_dimensions(base.geometry.to_numpy()) == 1)
    ]
    homes = [frame[frame["kind"] == NEIGHBOURHOOD] for frame in (areas, base)]
    marks = base[base["kind"].isin(LANDMARKS)]
    return public_places(
        names=[name or "" for name in lines["name"]],
        lines=lines.geometry.to_numpy(),
        classes=lines["street_class"].tolist(),
        ranks=lines["rank"].tolist(),
        neighbourhoods=_areas(next((one for one in homes if len(one)), homes[0])),
        landmarks=_areas(marks),
        unit_m=unit_m,
        block_m=city.block_units * unit_m,
    )


def _areas(frame: gpd.GeoDataFrame) -> list[tuple[str, BaseGeometry]]:
    rows = zip(frame["name"], frame.geometry, strict=True)
    return [(name or "", shape) for name, shape in rows if shapely.get_dimensions(shape) == 2]


def _name(
    session: Session, city_id: int, zones: Sequence[Outlined], scope: str, places: PublicPlaces
) -> None:
    known = names_of(session, city_id, [zone.id for zone in zones])
    missing = [zone for zone in zones if zone.id not in known]
    if not missing or places.is_empty:
        return
    others = [*known.values(), *_other_scopes(session, city_id, scope, zones)]
    taken = {say(name) for name in others for say in (long_name, short_name)}
    codes = codes_of(session, city_id, [zone.id for zone in missing])
    outlines = [
        ZoneOutline(id=z.id, district=z.district, code=codes.get(z.id, z.id), shape=z.shape)
        for z in missing
    ]
    for zone, name in sorted(name_zones(outlines, places, taken).items()):
        session.add(ZoneName(city_id=city_id, zone=zone, parts=name))
    session.flush()


def _other_scopes(
    session: Session, city_id: int, scope: str, zones: Sequence[Outlined]
) -> list[PlaceName]:
    """Return names of zones of the newest run of each other district."""
    districts = {zone.district for zone in zones}
    if not scope or len(districts) != 1 or scope not in districts:
        return []
    newest = (
        select(func.max(Run.created_at))
        .where(Run.city_id == city_id, Run.scope.not_in([scope, "city"]))
        .group_by(Run.scope)
    )
    ids = select(Zone.code).join(Run, Run.id == Zone.run_id)
    mine = ids.where(
        Run.city_id == city_id, Run.scope.not_in([scope, "city"]), Run.created_at.in_(newest)
    )
    return list(names_of(session, city_id, session.scalars(mine)).values())


def name_earlier_zones(session: Session) -> int:
    """Name every stored zone that has no name, run by run; return how many were named.

    A city without streets, neighborhoods and landmarks is passed over: its zones are called by
    district and code wherever they are displayed, and get a name once it has some.
    """
    cities = session.scalars(select(City.id).order_by(City.id)).all()
    return sum(_name_city(session, city_id) for city_id in cities)


def _name_city(session: Session, city_id: int) -> int:
    there = select(ZoneName.zone).where(ZoneName.city_id == city_id)
    own = select(Zone.run_id).join(Run, Run.id == Zone.run_id)
    edited = (
        select(ZoneEdition.run_id)
        .join(EditedZone, EditedZone.edition_id == ZoneEdition.id)
        .join(Run, Run.id == ZoneEdition.run_id)
    )
    runs = [
        *session.scalars(own.where(Run.city_id == city_id, Zone.code.not_in(there)).distinct()),
        *session.scalars(
            edited.where(Run.city_id == city_id, EditedZone.code.not_in(there)).distinct()
        ),
    ]
    if not runs:
        return 0
    places = places_of(session, city_id)
    before = session.scalar(select(func.count()).select_from(there.subquery())) or 0
    for run in sorted(set(runs)):
        _name_run(session, city_id, run, places)
    after = session.scalar(select(func.count()).select_from(there.subquery())) or 0
    return after - before


def _name_run(session: Session, city_id: int, run: str, places: PublicPlaces) -> None:
    """Name the zones of a run, then those of each edition beside the names that it keeps."""
    own = select(Zone.code, Zone.district, Zone.geom).where(Zone.run_id == run).order_by(Zone.id)
    scope = session.scalar(select(Run.scope).where(Run.id == run)) or ""
    _name(session, city_id, _outlined(session.execute(own)), scope, places)
    editions = select(ZoneEdition.id).where(ZoneEdition.run_id == run).order_by(ZoneEdition.number)
    for edition in session.scalars(editions).all():
        zones = (
            select(EditedZone.code, EditedZone.district, EditedZone.geom)
            .where(EditedZone.edition_id == edition)
            .order_by(EditedZone.position)
        )
        _name(session, city_id, _outlined(session.execute(zones)), scope, places)


def _outlined(rows: Iterable[Any]) -> list[Outlined]:
    return [Outlined(id=row[0], district=row[1], shape=row[2]) for row in rows]
