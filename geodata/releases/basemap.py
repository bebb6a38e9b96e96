"""What a city calls its streets and places, as a release holds it for the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geodata.releases.encoding import geojson_bytes
from geodata.releases.gazetteer import GAZETTEER, make_gazetteer
from geodata.releases.surroundings_read import NEIGHBOURHOODS
from geodata.repositories.layers import base_shapes, named_areas
from geodata.repositories.zone_names import NEIGHBOURHOOD

if TYPE_CHECKING:
    from geodata.releases.inputs import Material


def ground_files(material: Material) -> dict[str, bytes]:
    """Write the names that people search for and the neighbourhoods, if the city has any."""
    city, found = material.city, {}
    base = base_shapes(material.session, city.id)
    areas = named_areas(material.session, city.id, NEIGHBOURHOOD)
    if len(areas):
        base = pd.concat([base[base["kind"] != NEIGHBOURHOOD], areas], ignore_index=True)
    shapes = dict(zip(city.districts["code"], city.districts.geometry, strict=True))
    gazetteer = make_gazetteer(base, shapes)
    if len(gazetteer):
        found[GAZETTEER] = gazetteer.document()
    parts = base[base["kind"] == NEIGHBOURHOOD]
    if len(parts):
        lines = [{"name": name or ""} for name in parts["name"]]
        found[NEIGHBOURHOODS] = geojson_bytes(parts.geometry, lines)
    return found
