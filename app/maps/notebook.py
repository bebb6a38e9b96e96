"""The base map on a map of Folium's outside of the product's pages, such as in a notebook."""

from __future__ import annotations

import base64
from pathlib import Path

from branca.element import Element, Figure, MacroElement
from folium.template import Template

STATIC = Path(__file__).parents[1] / "static"
SCRIPTS = ("vendor/protomaps/protomaps-leaflet.js", "base-map.js")


class InlineScript(Element):
    """A script of ours written into the page, so that none is loaded from elsewhere."""

    _template = Template("<script>{{ this.text }}</script>")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class NotebookBaseMap(MacroElement):
    """A base map on any map of Folium's.

    Parameters
    ----------
    tiles
        The bytes of a PMTiles file, which the page then holds, or its address.
    attribution
        Whose data it is drawn from; it stands on the map.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        (() => {
            {% if this.address %}
            const file = {{ this.address|tojson }};
            {% else %}
            const packed = atob({{ this.packed|tojson }});
            const { buffer } = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
            const file = {
                getKey: () => {{ this.get_name()|tojson }},
                getBytes: async (from, length) => ({ data: buffer.slice(from, from + length) }),
            };
            {% endif %}
            BaseMap.draw({{ this._parent.get_name() }}, file, {{ this.attribution|tojson }});
        })();
        {% endmacro %}
        """
    )

    def __init__(self, tiles: bytes | str, attribution: str = "") -> None:
        super().__init__()
        self._name = "base_map"
        self.address = tiles if isinstance(tiles, str) else ""
        self.packed = "" if isinstance(tiles, str) else base64.b64encode(tiles).decode()
        self.attribution = attribution

    def render(self, **kwargs: object) -> None:
        """Write the element, and before it the scripts that draw it, once a page."""
        root = self.get_root()
        if isinstance(root, Figure):
            for name in SCRIPTS:
                script = InlineScript((STATIC / name).read_text(encoding="utf-8"))
                root.header.add_child(script, name=name)
        super().render(**kwargs)
