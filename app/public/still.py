"""The page that a release carries with it: it needs no server, only its own folder.

``index.html`` and ``es.html`` show zones with reasons on a map, measures and the files, from the
same typed values as the site's pages. What they draw lies beside them under ``site/``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from flask_babel import gettext, ngettext

from app.i18n.language import NAMES, speaking, translated
from app.maps.bundle import MANIFEST
from app.private import template_dir
from app.public import pages, periods
from app.public.measure_pages import measures_page
from app.public.open_data import DATA
from app.public.release_reader import MAP, ReleaseReader
from app.public.release_words import size
from app.public.released_figures import released_figures
from geodata.releases.dictionary import title_of
from geodata.releases.folder import UnwrittenRelease
from geodata.releases.manifest import make_manifest
from geodata.releases.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.public.measure_pages import Group
    from geodata.releases.inputs import Material

HERE = Path(__file__).parents[1] / "static"
PARTS = "site/page"
LEAFLET = ("vendor/leaflet/leaflet.js", "vendor/leaflet/leaflet.css")
TILES = ("vendor/protomaps/protomaps-leaflet.js", "base-map.js")
ASSETS = ("icon.svg", "still.css", "still.js", *LEAFLET, *TILES)
FONTS = ("vendor/fonts/public-sans.woff2", "vendor/fonts/source-serif-4.woff2")
FILE_NAMES = {"en": "index.html", "es": "es.html"}


@dataclass(frozen=True, kw_only=True)
class StillPage:
    """Everything of the page, in one language; addresses are relative to its folder."""

    frame: pages.Frame
    rows: tuple[pages.ZoneRow, ...]
    followed: str
    groups: tuple[Group, ...]
    period: str
    files: tuple[tuple[str, str, str], ...]
    rules: tuple[str, ...]
    map: Mapping[str, object] | None
    interactive: bool
    others: tuple[tuple[str, str, str], ...]


def still_files(material: Material, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Write the page in every language, and what it needs beside the release's other files."""
    manifest = make_manifest(material, files, None)
    reader = ReleaseReader(UnwrittenRelease(path=Path(), told=manifest, contents=files))
    assets = {f"{PARTS}/{Path(name).name}": content for name, content in _assets()}
    found = dict(assets)
    for language, name in FILE_NAMES.items():
        with speaking(language):
            page = _page(reader, language, interactive=f"{PARTS}/leaflet.js" in assets)
            found[name] = _render(page, language)
    return found


def _assets() -> Iterator[tuple[str, bytes]]:
    """Return scripts, styles and fonts; those of packages only where they were built."""
    for name in (*ASSETS, *FONTS):
        if (HERE / name).is_file():
            yield name, (HERE / name).read_bytes()


def _page(reader: ReleaseReader, language: str, *, interactive: bool) -> StillPage:
    visible, run = reader.shown, reader.shown.run
    period = periods.Period(scope=periods.last_year(visible), named="year")
    found = released_figures(reader.figures, visible, period.scope)
    measures = measures_page(visible, period, found, None)
    drawn = json.loads(reader.folder.read(f"{MAP}/{MANIFEST}"))[language] if run else None
    return StillPage(
        frame=pages.frame(visible),
        rows=pages.zone_rows(visible, run) if run else (),
        followed=pages.followed(run) if run else "",
        groups=measures.groups,
        period=measures.filter.period,
        files=tuple(
            (name, translated(title_of(name)), size(len(reader.folder.read(name))))
            for name in reader.folder.files
            if name.startswith(DATA)
        ),
        rules=tuple(translated(text) for text in RULES.texts.values()),
        map=drawn,
        interactive=interactive and drawn is not None,
        others=tuple(
            (FILE_NAMES[code], code, name) for code, name in NAMES.items() if code != language
        ),
    )


def _render(page: StillPage, language: str) -> bytes:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_dir()),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined] # of the extension
        gettext, ngettext, newstyle=True
    )
    template = environment.get_template("release/still.html")
    return template.render(page=page, language=language, parts=PARTS, map_folder=MAP).encode()
