"""Weekly activity by public site, as one file that the map's own script filters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from flask_babel import ngettext
from pyproj import Transformer

from app import words
from app.language import translated

if TYPE_CHECKING:
    from geodata.publishing.activity import Activity, Layer

DECIMALS = 5


def activity_json(activity: Activity, crs: str) -> bytes:
    """Write weeks, sites and counts: ``counts`` is site, week, class, number, again and again."""
    document = {
        "weeks": [week.isoformat() for week in activity.weeks],
        "through": activity.through.isoformat(),
        "districts": list(activity.districts),
        "layers": [_layer(layer, crs) for layer in activity.layers],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _layer(layer: Layer, crs: str) -> dict[str, object]:
    sites = layer.sites
    weekly = layer.counts.groupby(["site", "week", "class"])["n"].sum().reset_index()
    to_degrees = Transformer.from_crs(crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(sites["x"].to_numpy(), sites["y"].to_numpy())
    metres = sites["radius_units"].to_numpy() * words.Units(crs).metres
    rows = zip(
        np.round(lat, DECIMALS).tolist(),
        np.round(lon, DECIMALS).tolist(),
        np.round(metres).astype(int).tolist(),
        sites["district"].tolist(),
        strict=True,
    )
    return {
        "id": layer.id,
        "title": translated(layer.title),
        "one": ngettext(layer.one, layer.many, 1),
        "many": ngettext(layer.one, layer.many, 2),
        "classes": list(layer.classes),
        "sites": [list(row) for row in rows],
        "counts": weekly.to_numpy().ravel().tolist(),
    }
