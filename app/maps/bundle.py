"""A run's map as files on disk: made once, named by content, compressed once.

The folder is made aside and put in place whole, so that a reader sees all of it or nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import brotli
import numpy as np

from app.language import code
from app.maps.activity import activity_json
from app.maps.compose import Files, compose
from app.maps.picture import overview_svg
from app.maps.shapes import (
    base_geojson,
    districts_geojson,
    neighbourhoods_geojson,
    zones_geojson,
)
from app.maps.surface import warped_surface

if TYPE_CHECKING:
    from app.site import Shown
    from geodata.publishing.activity import Activity
    from geodata.publishing.gazetteer import Gazetteer
    from geodata.store.runs import RunRecord

FORMAT = "3"  # raise when the files change for the same run
COMPRESSED = (".js", ".css", ".json", ".svg")
MANIFEST = "map.json"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Names of a map's files, and its fragment of HTML."""

    folder: str
    fragment: str
    script: str
    style: str
    picture: str
    zones: str
    neighbourhoods: bool = False


def map_bundle(root: Path, shown: Shown, run: RunRecord) -> Bundle:
    """Give the map of a run in the language of the answer, making it first if it was never made.

    Parameters
    ----------
    root
        Folder of all maps.
    shown, run
        The city, and the run to draw.
    """
    key = f"{run.id}-{shown.city.imported_at:%Y%m%d%H%M%S}-{FORMAT}-{code()}"
    folder = root / key
    if not (folder / MANIFEST).is_file():
        _make(root, folder, shown, run)
    stored = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Bundle(**stored)


def activity_file(root: Path, shown: Shown, activity: Activity) -> tuple[str, str]:
    """Give the folder and the name of a city's activity file, writing it if it is not there."""
    city = shown.city
    made = f"{city.imported_at:%Y%m%d%H%M%S}-{city.this_day():%Y%m%d}"
    folder = f"activity-{city.slug}-{made}-{code()}"
    there = sorted((root / folder).glob("activity-*.json"))
    if there:
        return folder, there[0].name
    (root / folder).mkdir(parents=True, exist_ok=True)
    return folder, _put(root / folder, "activity", ".json", activity_json(activity, city.crs))


def gazetteer_file(root: Path, shown: Shown, gazetteer: Gazetteer) -> tuple[str, str]:
    """Give the folder and the name of the file that the page's own script searches."""
    city = shown.city
    folder = f"names-{city.slug}-{city.imported_at:%Y%m%d%H%M%S}"
    there = sorted((root / folder).glob("names-*.json"))
    if there:
        return folder, there[0].name
    (root / folder).mkdir(parents=True, exist_ok=True)
    return folder, _put(root / folder, "names", ".json", gazetteer.document())


def _make(root: Path, folder: Path, shown: Shown, run: RunRecord) -> None:
    root.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".making-", dir=root))
    try:
        bundle = _write(aside, folder.name, shown, run)
        (aside / MANIFEST).write_text(json.dumps(asdict(bundle)), encoding="utf-8")
        aside.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    except OSError:
        if not (folder / MANIFEST).is_file():  # another process may have been first
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write(aside: Path, name: str, shown: Shown, run: RunRecord) -> Bundle:
    surface = warped_surface(run)
    parts = neighbourhoods_geojson(shown)
    files = Files(
        base=_put(aside, "base", ".json", base_geojson(shown)),
        surface=_put(aside, "surface", ".png", surface.png),
        districts=_put(aside, "districts", ".json", districts_geojson(shown)),
        zones=_put(aside, "zones", ".json", zones_geojson(shown, run)),
        neighbourhoods=_put(aside, "neighbourhoods", ".json", parts) if parts else "",
    )
    area = shown.city.districts.geometry.to_crs(4326).total_bounds
    west, south, east, north = (round(float(edge), 6) for edge in np.asarray(area))
    split = compose(files, surface.bounds, (south, west, north, east))
    return Bundle(
        folder=name,
        fragment=split.fragment,
        script=_put(aside, "map", ".js", split.script.encode()),
        style=_put(aside, "map", ".css", split.style.encode()),
        picture=_put(aside, "overview", ".svg", overview_svg(shown, run)),
        zones=files.zones,
        neighbourhoods=bool(files.neighbourhoods),
    )


def _put(folder: Path, stem: str, ending: str, content: bytes) -> str:
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}{ending}"
    (folder / name).write_bytes(content)
    if ending in COMPRESSED:
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
        (folder / f"{name}.br").write_bytes(brotli.compress(content, quality=9))
    return name
