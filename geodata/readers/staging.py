"""A folder of its own for each file that GDAL reads, with nothing in it that was not checked.

GDAL is never given a path that somebody else chose, nor a virtual file system: it sees plain files
of our names, without what lies beside the original.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from geodata.archives import check_archive
from geodata.errors import DataError
from geodata.formats import FORMATS, refusal, sniff

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPANIONS = (".shx", ".dbf")  # parts that a shapefile cannot be without
PARTS = (".shp", *COMPANIONS, ".prj", ".cpg")
LAYERS = (".shp", ".geojson", ".json", ".gpkg")
NAMES = {"json": "layer.geojson", "json-lines": "layer.geojson", "sqlite": "layer.gpkg",
         "parquet": "layer.parquet", "shp": "layer.shp"}  # fmt: skip


@contextmanager
def staged(path: Path, label: str) -> Iterator[tuple[Path, str]]:
    """Yield a file as GDAL may see it, and its format; the one layer of a zip archive unpacked.

    Raises
    ------
    DataError
        If an archive cannot be trusted or holds no layer, a part of a shapefile is missing, or the
        content is of a format that is not read.
    """
    with tempfile.TemporaryDirectory(prefix="saferground-layer-") as made:
        folder, kind = Path(made), sniff(path)
        if kind == "zip":
            yield _unpack(path, label, folder)
        else:
            yield _link(path.absolute(), kind, label, folder), kind


def _link(path: Path, kind: str, label: str, folder: Path) -> Path:
    if kind not in NAMES:
        msg = f"{label}: {refusal(kind) or f'is {FORMATS[kind].title}, not a map layer'}"
        raise DataError(msg)
    here = folder / NAMES[kind]
    here.symlink_to(path)
    if kind == "shp":
        for ending in PARTS[1:]:
            there = [path.with_suffix(case) for case in (ending, ending.upper())]
            found = next((one for one in there if one.is_file()), None)
            if found is not None:
                here.with_suffix(ending).symlink_to(found)
            elif ending in COMPANIONS:
                msg = f"{label}: its companion {path.stem}{ending} is missing; copy all parts"
                raise DataError(msg)
    return here


def _unpack(path: Path, label: str, folder: Path) -> tuple[Path, str]:
    check_archive(path, label)
    layer = layer_in_zip(path, label)
    stem, ending = layer[: layer.rindex(".")].lower(), PurePosixPath(layer).suffix.lower()
    endings = PARTS if ending == ".shp" else (ending,)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            part = PurePosixPath(entry.filename).suffix.lower()
            if part in endings and entry.filename.lower() == stem + part:
                with archive.open(entry) as packed, (folder / f"layer{part}").open("wb") as plain:
                    shutil.copyfileobj(packed, plain, 1 << 20)
    here = folder / f"layer{ending}"
    kind = sniff(here)
    if ending not in FORMATS[kind].endings:
        told = refusal(kind) or f"holds {FORMATS[kind].title}; export it again"
        msg = f"{label}: {layer[:80]} in the archive {told}"
        raise DataError(msg)
    return here, kind


def layer_in_zip(path: Path, label: str) -> str:
    """Name the one map layer of a zip archive.

    Raises
    ------
    DataError
        If the archive is damaged, holds none or several, or lacks a part of a shapefile.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        msg = f"{label}: the zip archive is damaged; export it again"
        raise DataError(msg) from error
    found = [n for n in names if n.lower().endswith(LAYERS)]
    if len(found) != 1:
        what = "no map layer" if not found else f"{len(found)} map layers ({', '.join(found[:5])})"
        msg = f"{label}: the archive holds {what}; put exactly one shapefile into it"
        raise DataError(msg)
    if found[0].lower().endswith(".shp"):
        stem = found[0][:-4].lower()
        for ending in COMPANIONS:
            if stem + ending not in [name.lower() for name in names]:
                msg = f"{label}: {found[0]} lacks its {ending} part; zip all parts together"
                raise DataError(msg)
    return found[0]
