"""Golden outputs: what the commands print and what a release holds, as small committed files.

What is kept under ``tests/golden`` is compared by ``tests/test_golden.py`` and written anew by
``make goldens``. The rules of what is compared:

- Documents of commands are kept whole. Numbers agree within a relative ``TOLERANCE`` (or within
  ``NOTHING`` of 0), everything else exactly.
- Pages and files of a release up to ``WHOLE`` characters are kept whole as well. Of other files
  each column of a table and each path of a JSON document (``features[].properties.id``) is kept by
  itself: how many values, the first, the sum of numbers, and a digest of all in their order,
  numbers of them rounded to ``DIGITS`` digits. So a difference names its file and column.
- Digits that are made from content or chance are replaced, in texts and in file names: ids by
  ``<1>``, ``<2>``, ... in the order in which they appear, a zone's id by that of its run and the
  rest; digests by ``<digest>``. Values of ``CLOCKS`` are when something was done, and are left out,
  as are the ``bytes`` of a release's files and values of the measures ``OF_TODAY``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import re
import sqlite3
import sys
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

import numpy as np
import rasterio
import shapely
from click.testing import CliRunner
from PIL import Image

from app.cli import main

GOLDEN = Path(__file__).parents[1] / "golden"
TOLERANCE, NOTHING = 1e-6, 1e-9
DIGITS = 8  # of numbers within digests
KEPT = 9  # digits of numbers that are kept
WHOLE = 6_000
MOST = 40  # differences that are listed
CLOCKS = {"computed_at", "created_at", "drafted_at", "approved_at", "at", "bytes"}
OF_TODAY = {"site.data_age_days"}  # counted until the day on which the command runs
ID = re.compile(r"(?<![0-9a-z])[0-9a-f]{12}(?![0-9a-z])")
OF_RUN = re.compile(r"(?<![0-9a-z])([0-9a-f]{8})(?=-)")
DIGEST = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{16})(?![0-9a-z])")
IN_NAME = re.compile(r"(?<=-)[0-9a-f]{12}(?=\.\w+)")


def printed(folder, *arguments):
    """Return the JSON document that a command prints, run in an instance of its own.

    Raises
    ------
    AssertionError
        If the command fails.
    """
    clean = {name: value for name, value in os.environ.items() if "SAFERGROUND_" not in name}
    clean |= {
        "SAFERGROUND_INSTANCE": str(folder / "instance"),
        "SAFERGROUND_DATABASE": f"sqlite:///{folder / 'saferground.sqlite'}",
        "SAFERGROUND_USER": "golden",
    }
    with mock.patch.dict(os.environ, clean, clear=True):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return json.loads(result.stdout) if "--json" in arguments else None


class Normal:
    """Replaces what is made from content or chance, the same thing by the same word."""

    def __init__(self):
        self.ids = {}

    def text(self, text):
        text = IN_NAME.sub("<digest>", DIGEST.sub("<digest>", text))
        text = ID.sub(lambda found: self._named(found.group()), text)
        return OF_RUN.sub(self._of_run, text)

    def value(self, value):
        if isinstance(value, dict):
            left_out = CLOCKS | {"value"} if value.get("id") in OF_TODAY else CLOCKS
            return {
                self.text(key): "<clock>" if key in left_out else self.value(one)
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self.value(one) for one in value]
        return self.text(value) if isinstance(value, str) else value

    def _named(self, identity):
        return f"<{self.ids.setdefault(identity, len(self.ids) + 1)}>"

    def _of_run(self, found):
        runs = [identity for identity in self.ids if identity.startswith(found.group())]
        return self._named(runs[0]) if runs else found.group()


# ---- a release ----


def release_content(folder, normal):
    """Return each file of a release by its normal name, reduced as the head of this module says."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = json.loads((folder / "manifest.json").read_text())
    normal.text(manifest["id"])
    if manifest["run"]:
        normal.text(manifest["run"]["id"])
    found = {}
    for path in files:
        name = normal.text(str(path.relative_to(folder)))
        found.setdefault(name, []).append(_reduced(path, normal))
    return {
        name if position == 0 else f"{name} ({position + 1})": content
        for name in sorted(found)
        for position, content in enumerate(sorted(found[name], key=json.dumps))
    }


def _reduced(path, normal):
    read = READERS.get(path.suffix)
    if read is None:
        return {"sha256": _digest(path.read_bytes())}
    document = normal.value(read(path))
    small = path.suffix == ".html" or len(json.dumps(document, ensure_ascii=False)) <= WHOLE
    return rounded(document) if small else {"columns": columns(document)}


def columns(document):
    """Return what is kept of each path of a long document."""
    found = {}
    _collect(document, "", found)
    return {path: _column(values) for path, values in found.items()}


def _collect(value, path, found):
    if isinstance(value, dict):
        for key, one in value.items():
            _collect(one, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list):
        for one in value:
            _collect(one, f"{path}[]", found)
    else:
        found.setdefault(path, []).append(value)


def _column(values):
    numbers = [_number(value) for value in values]
    texts = [
        repr(value) if number is None else f"{number:.{DIGITS}g}"
        for value, number in zip(values, numbers, strict=True)
    ]
    known = [n for n in numbers if n is not None]
    kept = {"n": len(values), "first": rounded(values[0])}
    if isinstance(values[0], str) and len(values[0]) > 60:
        kept["first"] = values[0][:60] + "…"
    if known:
        kept["sum"] = rounded(math.fsum(known))
    return {**kept, "digest": _digest("\n".join(texts).encode())}


def _number(value):
    """Return a number, also one in the text of a table's cell."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:16]


def _read_json(path):
    return json.loads(path.read_text())


def _read_table(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def _read_text(path):
    return path.read_text().splitlines()


class _Visible(HTMLParser):
    """Collects attributes that lead somewhere and the text between tags."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def handle_starttag(self, tag, attrs):
        led = [f"{key}={value}" for key, value in attrs if key in ("href", "src", "id")]
        if led:
            self.lines.append(f"<{tag} {' '.join(led)}>")

    def handle_data(self, data):
        if text := " ".join(data.split()):
            self.lines.append(text)


def _read_page(path):
    page = _Visible()
    page.feed(path.read_text())
    return page.lines


def _read_package(path):
    """Return the rows of each layer, shapes as WKT."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as package:
        tables = package.execute("SELECT table_name, data_type FROM gpkg_contents ORDER BY 1")
        return {name: _rows(package, name) for name, _ in tables.fetchall()}


def _rows(package, table):
    cursor = package.execute(f'SELECT * FROM "{table}" ORDER BY 1')
    names = [one[0] for one in cursor.description]
    return [dict(zip(names, map(_cell, row), strict=True)) for row in cursor.fetchall()]


def _cell(value):
    if not isinstance(value, bytes):
        return value
    bounds = (0, 32, 48, 48, 64)[value[3] >> 1 & 7]  # the header of a GeoPackage's shape
    return shapely.to_wkt(shapely.from_wkb(value[8 + bounds :]), rounding_precision=6)


def _read_raster(path):
    with rasterio.open(path) as raster:
        return {
            "size": list(raster.shape),
            "crs": raster.crs.to_string(),
            "transform": list(raster.transform)[:6],
            "nodata": raster.nodata,
            "bands": list(raster.descriptions),
            "values": _plain(raster.read()),
        }


def _read_image(path):
    with Image.open(path) as image:
        return {"size": list(image.size), "values": _plain(np.asarray(image.convert("RGBA")))}


def _plain(values):
    return np.asarray(values).ravel().tolist()


READERS = {
    ".json": _read_json,
    ".geojson": _read_json,
    ".csv": _read_table,
    ".html": _read_page,
    ".svg": _read_text,
    ".css": _read_text,
    ".js": _read_text,
    ".gpkg": _read_package,
    ".tif": _read_raster,
    ".png": _read_image,
}


# ---- files and differences ----


def rounded(value):
    """Return a document whose numbers have no more digits than are kept."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.{KEPT}g}") if isinstance(value, float) else value


def rendered(value, indent=0):
    """Return a document as JSON with a line for whatever fits one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(line) + indent <= 100:
        return line
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        inner = [f"{json.dumps(k)}: {rendered(one, indent + 1)}" for k, one in value.items()]
    elif all(isinstance(one, int | float | None) for one in value):
        return line
    else:
        inner = [rendered(one, indent + 1) for one in value]
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}\n{pad}" + f",\n{pad}".join(inner) + f"\n{' ' * indent}{right}"


def differences(expected, found, path=""):
    """Yield a line for each place where two documents do not agree."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in dict.fromkeys([*expected, *found]):
            place = f"{path}.{key}" if path else key
            if key not in found:
                yield f"{place}: is gone (was {_short(expected[key])})"
            elif key not in expected:
                yield f"{place}: is new ({_short(found[key])})"
            else:
                yield from differences(expected[key], found[key], place)
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{path}: {len(expected)} -> {len(found)} values"
        for position, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from differences(one, other, f"{path}[{position}]")
    elif not _agree(expected, found):
        yield f"{path}: {_short(expected)} -> {_short(found)}"


def _agree(one, other):
    if isinstance(one, float | int) and isinstance(other, float | int):
        kinds = isinstance(one, bool), isinstance(other, bool)
        return kinds[0] == kinds[1] and math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=NOTHING)
    return type(one) is type(other) and one == other


def _short(value):
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= 120 else f"{line[:117]}…"


def compare(name, document):
    """Hold a document against its golden file, or write the file if ``GOLDEN_WRITE`` is set.

    Raises
    ------
    AssertionError
        If they differ; the message has a line for each place.
    """
    path = GOLDEN / name
    if os.environ.get("GOLDEN_WRITE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered(rounded(document)) + "\n")
        return
    assert path.is_file(), f"{path} is not there; write it with: make goldens"
    found = list(differences(json.loads(path.read_text()), json.loads(json.dumps(document))))
    more = [f"... and {len(found) - MOST} more"] if len(found) > MOST else []
    lines = "\n".join([*found[:MOST], *more])
    assert not found, (
        f"{name} is not what it was, in {len(found)} places (golden -> now):\n{lines}\n"
        "If that is what the change is for, write the goldens anew (make goldens) and say so."
    )


if __name__ == "__main__":
    import pytest

    os.environ["GOLDEN_WRITE"] = "1"
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", str(GOLDEN.parent / "test_golden.py")]))
