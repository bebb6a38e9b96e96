"""Files that a system puts into a folder, read by the sources of the city file that name them.

A file belongs to a source whose file has the same name, or the same name before a date or a number:
``alerts.csv`` and ``alerts_2026-11-30.csv`` belong to ``source = "exports/alerts.csv"``. A file is
read once its size and time have not changed for a while, and then moved: to ``done``, or to
``failed`` with a text that says why. What belongs to no source stays where it is.
"""

from __future__ import annotations

import dataclasses
import re
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from geodata.clock import utc_now
from geodata.errors import DataError
from geodata.files_waiting import states
from geodata.ingest.arrivals import city_file_now, sources_of, store_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geodata.cityfile.description import CityFile
    from geodata.db.engine import Database
    from geodata.import_report import SourceReport
    from geodata.ingest.arrivals import FeedSource

DONE, FAILED = "done", "failed"
STEADY_SECONDS = 2.0  # a file that was written to since may not be whole
DATED = re.compile(r"[-_. T]?\d[\d\-_.T ]{0,30}")


@dataclass(frozen=True, kw_only=True)
class ArrivedFile:
    """A file that was read, or was not: its account by source, or the fault."""

    name: str
    reports: tuple[SourceReport, ...] = ()
    fault: str = ""


def read_folder(
    database: Database, slug: str, folder: Path, who: str, *, steady_s: float = STEADY_SECONDS
) -> list[ArrivedFile]:
    """Read every file of a folder that belongs to a source, the oldest first.

    Raises
    ------
    DataError
        If there is no such folder.
    NotStoredError
        If there is no such city, or its city file was not kept.
    """
    if not folder.is_dir():
        msg = f"there is no folder {folder}; make it, or name another one"
        raise DataError(msg)
    before = states(folder)
    if not before:
        return []
    described = city_file_now(database, slug)
    sources = sources_of(described)
    mine = {name: found for name in before if (found := sources_for(name, sources))}
    if mine:
        time.sleep(steady_s)
    after = states(folder)
    whole = [name for name, state in after.items() if name in mine and state == before[name]]
    return [
        _read(database, described, folder / name, mine[name], who)
        for name in sorted(whole, key=lambda name: (after[name].changed_ns, name))
    ]


def sources_for(name: str, sources: Sequence[FeedSource]) -> list[FeedSource]:
    """Return the sources that a file belongs to by its name."""
    wanted = name.casefold()
    exact = [one for one in sources if wanted == _file_name(one.place.label)]
    return exact or [one for one in sources if is_named_like(name, one.place.label)]


def is_named_like(name: str, source: str) -> bool:
    """Return whether a file has the name of a source's file, with or without a date in it.

    >>> is_named_like("Robberies_2024-01-08.csv", "data/robberies.csv")
    True
    """
    wanted, own = name.casefold(), _file_name(source)
    stem = own.partition(".")[0]
    if wanted == own or not wanted.startswith(stem):
        return wanted == own
    rest = wanted[len(stem) :].rpartition(".")[0] or wanted[len(stem) :]
    return DATED.fullmatch(rest) is not None


def _file_name(source: str) -> str:
    return PurePosixPath(source.replace("\\", "/")).name.casefold()


def _read(
    database: Database, described: CityFile, path: Path, sources: Sequence[FeedSource], who: str
) -> ArrivedFile:
    reports = []
    try:
        for source in sources:
            place = dataclasses.replace(source.place, path=str(path))
            reports.append(
                store_source(database, described, dataclasses.replace(source, place=place), who)
            )
    except DataError as error:
        kept = _move(path, FAILED)
        kept.with_name(f"{kept.name}.txt").write_text(f"{error}\n", encoding="utf-8")
        return ArrivedFile(name=path.name, reports=tuple(reports), fault=str(error))
    _move(path, DONE)
    return ArrivedFile(name=path.name, reports=tuple(reports))


def _move(path: Path, to: str) -> Path:
    """Put a file aside under a name that no other has."""
    folder = path.parent / to
    folder.mkdir(exist_ok=True)
    kept = folder / f"{utc_now():%Y%m%dT%H%M%S%f}-{path.name}"
    path.replace(kept)
    return kept
