"""Folium elements of our own: each names a file to draw and how, and carries no data itself.

Folium executes what it is given, so nothing but our own words, numbers and file names goes in.

Put a map together with Folium and split it into a fragment, a script and a style.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import folium
from branca.element import MacroElement
from folium.template import Template

if TYPE_CHECKING:
    from branca.element import Element


SAFE_FILE = re.compile(r"[A-Za-z0-9._-]+")


class Shapes(MacroElement):
    """Outlines drawn by the page's own script from a file beside the map's."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        SaferGround.{{ this.how }}({{ this._parent.get_name() }}, {{ this.file|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, how: str, file: str) -> None:
        super().__init__()
        self._name = how
        self.how = how
        self.file = checked_file(file)


class BaseTiles(MacroElement):
    """The base map, drawn by the page's own script from a file of tiles beside the map's."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        SaferGround.tiles(
            {{ this._parent.get_name() }}, {{ this.file|tojson }}, {{ this.attribution|tojson }}
        );
        {% endmacro %}
        """
    )

    def __init__(self, file: str, attribution: str) -> None:
        super().__init__()
        self._name = "tiles"
        self.file = checked_file(file)
        self.attribution = attribution


class Picture(MacroElement):
    """A picture stretched between two corners, from a file beside the map's."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        SaferGround.surface(
            {{ this._parent.get_name() }}, {{ this.file|tojson }}, {{ this.bounds|tojson }}
        );
        {% endmacro %}
        """
    )

    def __init__(self, file: str, bounds: list[list[float]]) -> None:
        super().__init__()
        self._name = "surface"
        self.file = checked_file(file)
        self.bounds = bounds


class Furniture(MacroElement):
    """Scale, start view and keyboard: what the page's own script adds to any map."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        SaferGround.furnish({{ this._parent.get_name() }}, {{ this.bounds|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, bounds: list[list[float]]) -> None:
        super().__init__()
        self._name = "furniture"
        self.bounds = bounds


def checked_file(name: str) -> str:
    """Let through only a plain file name."""
    if not SAFE_FILE.fullmatch(name):
        msg = f"{name!r} is no plain file name"
        raise ValueError(msg)
    return name


STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Files:
    """Names of the files that a map draws."""

    base: str
    surface: str
    districts: str
    zones: str
    neighbourhoods: str = ""
    tiles: str = ""
    attribution: str = ""


@dataclass(frozen=True, kw_only=True)
class MapParts:
    """A map in three parts, none of which needs another site or an inline script."""

    fragment: str
    script: str
    style: str


def compose(
    files: Files,
    surface_bounds: tuple[float, float, float, float],
    bounds: tuple[float, float, float, float],
) -> MapParts:
    """Compose the map of a run.

    Parameters
    ----------
    files
        Names of the files to draw, plain and ours.
    surface_bounds, bounds
        South, west, north and east of the picture and of the first view, in degrees.
    """
    south, west, north, east = bounds
    chart = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=12,
        zoom_snap=0.25,
        prefer_canvas=False,
        attribution_control=False,
    )
    if files.tiles:
        BaseTiles(files.tiles, files.attribution).add_to(chart)
    else:
        Shapes("base", files.base).add_to(chart)
    s, w, n, e = surface_bounds
    Picture(files.surface, [[s, w], [n, e]]).add_to(chart)
    Shapes("districts", files.districts).add_to(chart)
    if files.neighbourhoods:
        Shapes("neighbourhoods", files.neighbourhoods).add_to(chart)
    Shapes("zones", files.zones).add_to(chart)
    Furniture([[south, west], [north, east]]).add_to(chart)
    return _split(chart)


def _split(chart: folium.Map) -> MapParts:
    root = chart.get_root()
    _number(root)
    root.render()
    own = chart._template.module.header(chart, {})
    style = "\n".join(part.strip() for part in STYLE.findall(own) if "#map_" in part)
    return MapParts(
        fragment=root.html.render().strip(),
        script=f'"use strict";\n{root.script.render().strip()}\n',
        style=f"{style}\n",
    )


def _number(element: Element, start: int = 0) -> int:
    """Return every element a number of its place in the tree, so that the same map has one text."""
    element._id = f"{start:04d}"
    start += 1
    for child in element._children.values():
        start = _number(child, start)
    return start
