"""The map of a district on its sheet: ground, streets, the district's limit, zones by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from app.drawing.charts import INK, round_length
from app.maps import palette

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes

WIDE, TALL = 6.4, 5.2  # inches
ROOM = 0.06  # of the district's size, around it
STREETS = {1: 1.5, 2: 0.9, 3: 0.55}  # width of a line by rank


def district_map(
    zones: gpd.GeoDataFrame, district: gpd.GeoSeries, base: gpd.GeoDataFrame, metres: float
) -> Figure:
    """Draw the zones of a district with their numbers."""
    west, south, east, north = district.total_bounds
    room = ROOM * max(east - west, north - south)
    west, south, east, north = west - room, south - room, east + room, north + room
    tall = min(TALL, max(2.6, WIDE * (north - south) / (east - west)))
    wide = min(WIDE, tall * (east - west) / (north - south))
    figure = Figure(figsize=(wide, tall))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_facecolor(palette.GROUND)
    _ground(axes, base.cx[west:east, south:north])
    district.boundary.plot(ax=axes, color=palette.DISTRICT, linewidth=1.8, zorder=4)
    zones.plot(ax=axes, facecolor="#f3ddd4", edgecolor=palette.ZONE, linewidth=1.6, zorder=5)
    for zone in zones.itertuples():
        spot = zone.geometry.representative_point()
        label = axes.annotate(
            str(zone.rank),
            (spot.x, spot.y),
            ha="center",
            va="center",
            fontweight="bold",
            fontsize=11,
            color=INK,
            zorder=6,
        )
        label.set_path_effects([withStroke(linewidth=3, foreground="#ffffff")])
    axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    _scale(axes, (west, south, east, north), metres)
    return figure


def _ground(axes: Axes, base: gpd.GeoDataFrame) -> None:
    for kind, colour in (("park", palette.PARK), ("water", palette.WATER)):
        rows = base[base["kind"] == kind]
        if len(rows):
            rows.plot(ax=axes, color=colour, linewidth=0, zorder=1)
    streets = base[base["kind"] == "street"]
    for rank in (3, 2, 1):
        rows = streets[streets["rank"] == rank]
        if len(rows):
            rows.plot(ax=axes, color=palette.STREET[rank], linewidth=STREETS[rank], zorder=2)


def _scale(axes: Axes, bounds: tuple[float, float, float, float], metres: float) -> None:
    west, south, east, north = bounds
    length, told = round_length((east - west) / 5, metres)
    left, low = west + 0.03 * (east - west), south + 0.035 * (north - south)
    line = axes.plot([left, left + length], [low, low], color=INK, linewidth=2, zorder=6)
    line[0].set_path_effects([withStroke(linewidth=5, foreground="#ffffff")])
    name = axes.text(left, low + 0.015 * (north - south), told, va="bottom", fontsize=9, zorder=6)
    name.set_path_effects([withStroke(linewidth=3, foreground="#ffffff")])
