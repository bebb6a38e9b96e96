"""Files from outside, parsed in a process of their own with limits of memory and time.

The process that serves pages never parses a file that somebody hands in: a parser that is led into
gigabytes, into endless work or into a crash takes only the child with it. The child gets none of
this process's environment, where keys and passwords may be.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geodata
from geodata.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)
PASSED_ON = ("PATH", "LANG", "LC_ALL", "GDAL_DATA", "PROJ_DATA", "PROJ_LIB", "OGR_SKIP")
ALONE = {  # one thread, and memory that is handed back, so that limits mean what they say
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
}
AT_ONCE = threading.BoundedSemaphore(2)
MOST_ROWS_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    """What a child may use: memory by the size of the file, seconds of work and of waiting."""

    base_bytes: int = 1_500_000_000
    per_byte: int = 15
    most_bytes: int = 8_000_000_000
    seconds: int = 120

    def memory(self, size: int) -> int:
        """Return how much memory a file of some size may take."""
        return min(self.base_bytes + self.per_byte * size, self.most_bytes)


DEFAULT_LIMITS = ChildLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """What a child found: the format (of :data:`geodata.formats.FORMATS`) and the layers.

    ``layer`` is the one that was read, where there are several; ``columns`` is how many it has.
    """

    kind: str
    layers: tuple[str, ...]
    layer: str | None
    columns: int


def read_apart(
    path: Path,
    label: str,
    *,
    rows: Path | None,
    layer: str | None = None,
    first_layer: bool = False,
    keys: Sequence[str] = (),
    limits: ChildLimits = DEFAULT_LIMITS,
) -> ParsedFile:
    """Recognize and read a file in a child process.

    Parameters
    ----------
    path, label
        The file, and what it is called in words.
    rows
        Where its rows are to be written, for :func:`geodata.readers.staging.load_rows`.
    layer, first_layer
        Which layer to read, or whether the first will do where there are several.
    keys
        Which tags to read of an OpenStreetMap extract, the usual ones where none is named.
    limits
        What the child may use.

    Raises
    ------
    DataError
        If the file is refused or cannot be read within the limits.
    """
    memory = limits.memory(path.stat().st_size)
    with AT_ONCE, tempfile.TemporaryDirectory(prefix="saferground-apart-") as folder:
        query = {
            "path": str(path.absolute()),
            "label": label,
            "layer": layer,
            "first_layer": first_layer,
            "keys": list(keys),
            "rows": str(Path(folder) / "rows") if rows is not None else None,
            "memory_bytes": memory,
            "seconds": limits.seconds,
        }
        answer = _ask(query, folder, label, memory, limits)
        if rows is not None:
            _take(Path(folder) / "rows", rows, label)
    return ParsedFile(
        kind=str(answer["kind"]),
        layers=tuple(str(name) for name in answer["layers"]),
        layer=None if answer["layer"] is None else str(answer["layer"]),
        columns=int(answer["columns"]),
    )


def _ask(
    query: dict[str, Any], folder: str, label: str, memory: int, limits: ChildLimits
) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment |= {**ALONE, "TMPDIR": folder, "PYTHONPATH": str(Path(geodata.__file__).parents[1])}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "geodata.readers.child"],
            input=json.dumps(query).encode(),
            capture_output=True,
            timeout=2 * limits.seconds,
            env=environment,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(_too_long(label, limits)) from error
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        answer = {}
    if "fault" in answer:
        raise DataError(str(answer["fault"]))
    if done.returncode == 0 and "kind" in answer:
        return dict(answer)
    if done.returncode == -signal.SIGXCPU:
        raise DataError(_too_long(label, limits))
    if "memory" in answer or done.returncode == -signal.SIGABRT:
        msg = (
            f"{label}: needs more than {memory / 1e6:,.0f} MB of memory to be read; send fewer "
            "rows or columns"
        )
        raise DataError(msg)
    log.warning("%s: reading ended with %s: %s", label, done.returncode, done.stderr[-4_000:])
    msg = f"{label}: cannot be read, its content breaks the reader; export it again"
    raise DataError(msg)


def _too_long(label: str, limits: ChildLimits) -> str:
    return f"{label}: takes longer than {limits.seconds} s to be read; send fewer rows or columns"


def _take(made: Path, rows: Path, label: str) -> None:
    """Put what a child wrote where it is wanted, unless it is more than this process can hold."""
    size = made.stat().st_size
    if size > MOST_ROWS_BYTES:
        msg = (
            f"{label}: its rows take {size / 1e6:,.0f} MB, more than {MOST_ROWS_BYTES / 1e6:,.0f}; "
            "send fewer rows or columns"
        )
        raise DataError(msg)
    writing = rows.with_suffix(".writing")
    try:
        with made.open("rb") as source, writing.open("wb") as target:
            while piece := source.read(1 << 20):
                target.write(piece)
        writing.replace(rows)
    finally:
        writing.unlink(missing_ok=True)
