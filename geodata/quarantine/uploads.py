"""Files that people hand in: kept apart, known by their content, looked at before they are used.

A file comes as a stream into a quarantine folder under a name of ours; what its sender calls it is
only shown. Nothing is unpacked, and nothing of it is stored, before somebody has seen what it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.archives import check_archive
from geodata.errors import DataError
from geodata.readers.files import content_kind
from geodata.readers.tables import read_table
from geodata.readers.vectors import layer_in_zip

if TYPE_CHECKING:
    from typing import IO

CHUNK = 1 << 20
MOST_BYTES = 200_000_000
NAME_LENGTH = 120
KINDS = {
    "csv": ("a table", ".csv"),
    "geojson": ("GeoJSON", ".geojson"),
    "zip": ("a zipped map layer", ".zip"),
    "gpkg": ("a GeoPackage", ".gpkg"),
    "parquet": ("GeoParquet", ".parquet"),
}
READ = "CSV, GeoJSON, a zipped shapefile, GeoPackage and GeoParquet"
SIGNS = {
    "gzip": "a gzip archive; unpack it first",
    "shp": "one part of a shapefile; zip all its parts together",
    "binary": "a file of no kind that is known here",
}
PAGE_STARTS = ("<!doctype", "<html", "<?xml", "<!--")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file in quarantine.

    ``id`` is ours and names the file; ``name`` is what its sender calls it, fit to be shown as
    text. ``kind`` is a key of :data:`KINDS`.
    """

    id: str
    path: Path
    name: str
    kind: str
    size: int
    sha256: str


def receive(stream: IO[bytes], name: str, folder: Path, *, most_bytes: int = MOST_BYTES) -> Upload:
    """Write a stream into quarantine and find out what it is; a refused file is not kept.

    Raises
    ------
    DataError
        If it is empty, too long, of no kind that is read, or an archive that cannot be trusted.
    """
    shown = shown_name(name)
    folder.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(prefix="upload-", dir=folder)
    path = Path(made)
    try:
        with os.fdopen(handle, "wb") as file:
            size, digest = _copy(stream, file, shown, most_bytes)
        kind = recognise(path, shown)
        kept = path.with_suffix(KINDS[kind][1])
        path.replace(kept)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Upload(
        id=path.name.removeprefix("upload-"),
        path=kept,
        name=shown,
        kind=kind,
        size=size,
        sha256=digest,
    )


def forget_old(folder: Path, older_than_s: float) -> int:
    """Remove uploads that nobody came back to; give how many went."""
    end, gone = time.time() - older_than_s, 0
    for path in folder.glob("upload-*"):
        if path.is_file() and path.stat().st_mtime < end:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def recognise(path: Path, label: str) -> str:
    """Tell what a file is by its content: a key of :data:`KINDS`.

    Raises
    ------
    DataError
        If it is of no kind that is read, is not what it begins as, or is an archive that cannot be
        trusted.
    """
    kind = content_kind(path)
    if kind in SIGNS:
        msg = f"{label}: is {SIGNS[kind]}; read are {READ}"
        raise DataError(msg)
    checks = {"zip": _zip, "json": _json, "text": _text}
    names = {"json": "geojson", "text": "csv", "sqlite": "gpkg"}
    if kind in checks:
        checks[kind](path, label)
    return names.get(kind, kind)


def shown_name(name: str) -> str:
    r"""Make a sender's name of a file fit to be shown: its last part, plain signs, not too long.

    >>> shown_name("../../etc/pass\u202ewd\x00.csv")
    'passwd.csv'
    >>> shown_name("C:\\data\\a.csv")
    'a.csv'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip()
    return plain[-NAME_LENGTH:] or "file"


def _copy(stream: IO[bytes], file: IO[bytes], shown: str, most: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(CHUNK):
        size += len(piece)
        if size > most:
            msg = f"{shown}: is longer than {most / 1e6:,.0f} MB; send fewer rows or columns"
            raise DataError(msg)
        digest.update(piece)
        file.write(piece)
    if size == 0:
        msg = f"{shown}: the file is empty; export it again"
        raise DataError(msg)
    return size, digest.hexdigest()


def _zip(path: Path, label: str) -> None:
    check_archive(path, label)
    inside = layer_in_zip(path, label)
    if not inside.lower().endswith((".shp", ".geojson", ".json", ".gpkg")):
        msg = f"{label}: the archive holds no map layer"
        raise DataError(msg)


def _json(path: Path, label: str) -> None:
    try:
        with path.open(encoding="utf-8-sig") as file:
            told: Any = json.load(file)
    except (ValueError, RecursionError) as error:
        msg = f"{label}: is no JSON that can be read ({error.__class__.__name__}); export it again"
        raise DataError(msg) from error
    known = ("FeatureCollection", "Feature")
    if not isinstance(told, dict) or told.get("type") not in known:
        msg = f"{label}: is JSON, but not GeoJSON; export it as a feature collection"
        raise DataError(msg)


def _text(path: Path, label: str) -> None:
    with path.open("rb") as file:
        start = file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(tuple(sign.encode() for sign in PAGE_STARTS)):
        msg = f"{label}: is a web page or XML, not a table; read are {READ}"
        raise DataError(msg)
    try:
        frame, _, _ = read_table(path)
    except DataError as error:
        msg = f"{label}: {str(error).partition(': ')[2]}"
        raise DataError(msg) from error
    if len(frame.columns) < 2:
        msg = f"{label}: has one column only; a table needs columns for its place and its date"
        raise DataError(msg)
