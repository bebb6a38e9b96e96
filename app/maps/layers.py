"""Folium elements of our own: each names a file to draw and how, and carries no data itself.

Folium executes what it is given, so nothing but our own words, numbers and file names goes in.
"""

from __future__ import annotations

import re

from branca.element import MacroElement
from folium.template import Template

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
