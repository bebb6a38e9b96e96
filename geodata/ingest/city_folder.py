"""The folder of a city whose sources are kept by the workbench: its city file and their files.

What a city is made of is what its newest import that stands was told, which is kept with the import
(:mod:`geodata.repositories.import_log`); ``city.toml`` is written from that, so that a terminal
reads the same. A change is written beside it first and becomes the city's when its import has
succeeded.
"""

from __future__ import annotations

import copy
import glob
import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata.cityfile.schema import TagFilter
from geodata.cityfile.toml import write_toml
from geodata.errors import DataError
from geodata.readers.staging import ROWS_ENDING
from geodata.remote.fetch import is_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CITY_FILE, FILES, ASKED = "city.toml", "files", "asked"
NAME_LENGTH = 60
DIGEST_SIGNS = 10
SHAPE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True, kw_only=True, eq=False)
class FolderSection:
    """One source as a city file has it; ``number`` counts from 1 where there may be several."""

    name: str
    number: int | None
    table: Mapping[str, Any]

    @property
    def source(self) -> str:
        """What the city file calls it."""
        return str(self.table.get("source", ""))

    @property
    def in_file(self) -> bool:
        """Whether it lies in a file, not at an address."""
        return bool(self.source) and not is_address(self.source)

    @property
    def key(self) -> str:
        """What names it within a city file, as in "incidents.1"."""
        return self.name if self.number is None else f"{self.name}.{self.number}"


class CityFolder:
    """The folder of one city."""

    def __init__(self, cities: Path, slug: str) -> None:
        self.root = cities / slug
        self.path = self.root / CITY_FILE
        self.files = self.root / FILES
        self.asked = self.root / ASKED

    def keep(self, content: Mapping[str, Any]) -> None:
        """Write the city file, whole or not at all; rows of files that it names no more go."""
        self._write(self.path, write_toml(content))
        files = content.get("files", {})
        named = {Path(str(file)).name.partition(".")[0] for file in files.values()}
        for rows in self.files.glob(f"*{ROWS_ENDING}"):
            if rows.name.partition(".")[0] not in named:
                rows.unlink(missing_ok=True)

    def propose(self, content: Mapping[str, Any]) -> Path:
        """Write a city file that is to be imported; the same one has the same name."""
        text = write_toml(content)
        path = self.asked / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.toml"
        self._write(path, text)
        return path

    def take_in(self, path: Path, name: str) -> str:
        """Copy a file into the folder under a safe name; give where it lies, from the folder.

        Rows that were read of it when it was handed in are taken along, so that the import does not
        parse it again.
        """
        ending = "".join(path.suffixes[-2:]).lower()
        ending = ending if ending.endswith(".gz") else path.suffix.lower()
        parts = _shape_parts(path) if ending == ".shp" else [path]
        kept = f"{Path(safe_name(name)).stem}-{_digest(parts)}"
        self.files.mkdir(parents=True, exist_ok=True)
        for part in parts:
            last = part.suffix.lower() if ending == ".shp" else ending
            self._copy(part, self.files / f"{kept}{last}")
        stem = glob.escape(path.name.partition(".")[0])
        for rows in path.parent.glob(f"{stem}.*{ROWS_ENDING}"):
            self._copy(rows, self.files / f"{kept}{''.join(rows.suffixes[-2:])}")
        return f"{FILES}/{kept}{ending}"

    def adopt(self, content: Mapping[str, Any], root: str) -> dict[str, Any]:
        """Return a city file whose sources all lie in this folder; files from elsewhere are copied.

        Sources keep their names, by which their rows are known; section ``[files]`` says where each
        lies.

        Raises
        ------
        DataError
            If files of the city are no longer where they were when it was imported.
        """
        adopted = copy.deepcopy(dict(content))
        files = dict(adopted.get("files", {}))
        if Path(root) != self.root:
            sources = [section.source for section in sections(content) if section.source]
            names = dict.fromkeys(source for source in sources if not is_address(source))
            there = {name: Path(root) / files.get(name, name) for name in names}
            lost = [name for name, path in there.items() if not path.is_file()]
            if lost:
                msg = (
                    f"{', '.join(lost[:5])}{' and others' if len(lost) > 5 else ''}: not in {root} "
                    "any more, where this city was imported from, so its sources cannot be taken "
                    "over. Put the files back, or import the city file from where they lie now "
                    "with: saferground import CITY.toml"
                )
                raise DataError(msg)
            for name, path in there.items():
                files[name] = self.take_in(path, Path(name).name)
        if files:
            adopted["files"] = files
        return adopted

    def _copy(self, path: Path, kept: Path) -> None:
        if kept.exists():
            return
        handle, made = tempfile.mkstemp(prefix=".taking-", dir=self.files)
        os.close(handle)
        try:
            shutil.copyfile(path, made)
            Path(made).chmod(0o400)
            Path(made).replace(kept)
        finally:
            Path(made).unlink(missing_ok=True)

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(made).replace(path)


def sections(content: Mapping[str, Any]) -> Iterator[FolderSection]:
    """Return every section of a city file that has a source, in its order."""
    for name, value in content.items():
        if isinstance(value, dict) and "source" in value:
            yield FolderSection(name=name, number=None, table=value)
        elif isinstance(value, list):
            for number, table in enumerate(value, start=1):
                yield FolderSection(name=name, number=number, table=table)


def source_label(content: Mapping[str, Any], section: FolderSection) -> str:
    """Return what reports call a source: a factor of the extract by its tags or its library name.

    >>> osm = {"osm": {"source": "a.osm.pbf"}}
    >>> source_label(osm, FolderSection(name="factors", number=1, table={"osm": "bars"}))
    'a.osm.pbf: bars'
    """
    chosen = section.table.get("osm")
    if chosen is None:
        return section.source
    words = chosen if isinstance(chosen, str) else TagFilter.parse(chosen)[0].in_words()
    return f"{content['osm']['source']}: {words}"


def with_sections(
    content: Mapping[str, Any], name: str, tables: list[dict[str, Any]], *, single: bool
) -> dict[str, Any]:
    """Return a city file with sections added, or with its one section of that name replaced."""
    changed = copy.deepcopy(dict(content))
    if single:
        changed[name] = tables[0]
    else:
        changed[name] = [*changed.get(name, []), *tables]
    return changed


def without_section(content: Mapping[str, Any], name: str, number: int | None) -> dict[str, Any]:
    """Return a city file without one of its sections.

    Raises
    ------
    DataError
        If there is none.
    """
    changed = copy.deepcopy(dict(content))
    there = changed.get(name)
    if number is None and isinstance(there, dict):
        del changed[name]
    elif number is not None and isinstance(there, list) and 1 <= number <= len(there):
        del there[number - 1]
        if not there:
            del changed[name]
    else:
        msg = f"the city has no source [{name}] {number or ''} any more; look at its sources"
        raise DataError(msg)
    used = {section.source for section in sections(changed)}
    files = {source: path for source, path in changed.get("files", {}).items() if source in used}
    changed.pop("files", None)
    return {**changed, "files": files} if files else changed


def free_source(content: Mapping[str, Any], name: str) -> str:
    """Return a name for a source that no other of the city has."""
    taken = {section.source for section in sections(content)}
    wanted = safe_name(name)
    path, number = Path(wanted), 1
    while wanted in taken:
        number += 1
        wanted = f"{path.stem}-{number}{path.suffix}"
    return wanted


def safe_name(name: str) -> str:
    r"""Make a file name of plain letters, digits, dots and dashes, whatever its sender calls it.

    >>> safe_name("../Überfälle 2017 (neu).csv")
    'Uberfalle-2017-neu.csv'
    >>> safe_name("\u202e'; rm -rf.csv")
    'rm-rf.csv'
    >>> safe_name("...")
    'file'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    folded = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    stem, dot, ending = folded.rpartition(".")
    stem, ending = (stem, ending) if dot and stem else (folded, "")
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", stem).strip("-")[:NAME_LENGTH].strip("-") or "file"
    tail = re.sub(r"[^A-Za-z0-9]", "", ending)[:10]
    return f"{plain}.{tail}" if tail else plain


def _shape_parts(path: Path) -> list[Path]:
    """Return the parts of a shapefile that are there, however their endings are written."""
    cases = [(path.with_suffix(one), path.with_suffix(one.upper())) for one in SHAPE_PARTS]
    return [
        next(part for part in pair if part.is_file())
        for pair in cases
        if any(part.is_file() for part in pair)
    ]


def _digest(parts: list[Path]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        with part.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()[:DIGEST_SIGNS]
