"""What lies under the maps of the staff's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from app.maps.ground import Ground
from app.maps.shapes import base_geojson
from app.workroom import workroom
from geodata.store import cities, layers

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("ground", __name__, url_prefix="/staff")


@bp.get("/<city>/ground.json")
def base(city: str) -> ResponseReturnValue:
    """Give the study area, water, parks, rail and streets of a city."""
    with workroom().database.session() as session:
        found = cities.get_city(session, city)
        drawn = base_geojson(Ground(city=found, base=layers.base_shapes(session, found.id)))
    return Response(drawn, mimetype="application/geo+json")
