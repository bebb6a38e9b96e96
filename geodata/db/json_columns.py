"""JSON columns that are read as classes, and the small documents that stand in them.

Documents that need the engine to be read stay plain JSON here; their repositories read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import JSON
from sqlalchemy.types import TypeDecorator

from geodata.documents import OrAbsent, from_json, to_json
from geodata.errors import StoreError
from geodata.import_report import SourceReport

if TYPE_CHECKING:
    from sqlalchemy import Dialect

_T = TypeVar("_T")
INIT = "bring the database to this version with: saferground init"


class JsonOf(TypeDecorator[_T], Generic[_T]):
    """A column of JSON documents of one class."""

    impl = JSON
    cache_ok = True

    def __init__(self, kind: type[_T]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: _T | None, dialect: Dialect) -> object:
        """Return the document as JSON."""
        del dialect
        if value is None:
            return None
        return to_json(value, self.kind)

    def process_result_value(self, value: object, dialect: Dialect) -> _T | None:
        """Return the document.

        Raises
        ------
        StoreError
            If it has not the fields of the class: another version of this software wrote it.
        """
        del dialect
        if value is None:
            return None
        what = f"a stored {self.kind.__name__} of another version"
        return from_json(self.kind, value, what, INIT, StoreError)


@dataclass(frozen=True, kw_only=True)
class ZoneStep:
    """What a person's step did to the zones of a run.

    ``before`` are ids of zones that it took away or renamed, ``after`` those that it made; ``to``
    is the edition that it goes back to. ``name`` and what it ``was`` belong to a renaming.
    ``elsewhere`` and ``taken`` count cells that a drawn outline left to other districts and zones.
    """

    before: OrAbsent[tuple[str, ...]] = None
    after: OrAbsent[tuple[str, ...]] = None
    to: OrAbsent[int] = None
    name: OrAbsent[str] = None
    was: OrAbsent[str] = None
    elsewhere: OrAbsent[int] = None
    taken: OrAbsent[int] = None


@dataclass(frozen=True, kw_only=True)
class GridShape:
    """The lattice of a run; lengths are in the unit of the city's reference system."""

    x0: float
    y0: float
    cell_units: float
    n_cols: int
    n_rows: int
    district_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a job made: ids of runs, of a release or its preview, of an upload, of an evaluation.

    ``run`` is one that something was worked out about. An import tells what it did by source.
    """

    runs: OrAbsent[tuple[str, ...]] = None
    run: OrAbsent[str] = None
    evaluation: OrAbsent[str] = None
    upload: OrAbsent[str] = None
    release: OrAbsent[str] = None
    preview: OrAbsent[str] = None
    city: OrAbsent[str] = None
    sources: OrAbsent[tuple[SourceReport, ...]] = None


@dataclass(frozen=True, kw_only=True)
class CityFileKept:
    """A city file as it was imported: its sections, and the folder that its sources start from."""

    content: dict[str, Any]
    root: str
