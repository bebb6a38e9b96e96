"""All candidate columns of a model: what is considered, what is dropped and why, what is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spatial.notes import Note
from spatial.terrain.factors import Candidate, candidate_columns, candidate_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geopandas import GeoSeries
    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.spec import RiskFactor

COVERS_MOST = 0.5  # a column that marks more says where most cells are (docs/method.md)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A candidate that could not be used, and why."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """The columns a model may choose from.

    Parameters
    ----------
    candidates
        Names of the columns, factor by factor.
    columns
        Shape ``(cells, candidates)``, 0 or 1.
    dropped
        What was considered and left out.
    """

    candidates: tuple[Candidate, ...]
    columns: NDArray[np.uint8]
    dropped: tuple[Dropped, ...]

    @property
    def n_considered(self) -> int:
        """Number of candidates before any was dropped."""
        return len(self.candidates) + len(self.dropped)

    @property
    def factor_names(self) -> tuple[str, ...]:
        """Factors that still have a column, in order."""
        return tuple(dict.fromkeys(candidate.factor for candidate in self.candidates))

    def column(self, candidate: Candidate) -> NDArray[np.uint8]:
        """Return one column by name."""
        return self.columns[:, self.candidates.index(candidate)]

    def keep(self, positions: NDArray[np.intp]) -> Design:
        """Keep some columns; the others are not called dropped, only not chosen."""
        return Design(
            candidates=tuple(self.candidates[i] for i in positions),
            columns=self.columns[:, positions],
            dropped=self.dropped,
        )

    def warnings(self) -> list[Note]:
        """Return which columns mark most of the cells: populated land rather than a cause."""
        share = self.columns.mean(axis=0) if len(self.candidates) else np.zeros(0)
        return [
            Note("model.populated_land", {**candidate.parameters, "share": float(covered)})
            for candidate, covered in zip(self.candidates, share, strict=True)
            if covered > COVERS_MOST
        ]


def build_design(
    grid: Grid,
    layers: Mapping[RiskFactor, GeoSeries],
    block_units: float,
    *,
    min_ones: int = 10,
    progress: Callable[[str, int, int], None] | None = None,
) -> Design:
    """Work out every candidate column; drop and report those that cannot serve.

    Parameters
    ----------
    grid
        The cells.
    layers
        Features of each factor, in the grid's reference system.
    block_units
        Length of a block.
    min_ones
        Fewest cells that a column must mark (and must leave unmarked).
    progress
        Called with a stage, how many are done and how many there are.
    """
    kept: list[Candidate] = []
    dropped: list[Dropped] = []
    seen: dict[bytes, Candidate] = {}
    wanted = sum(len(candidate_list(factor, block_units)) for factor in layers)
    matrix = np.empty((wanted, len(grid)), dtype=np.uint8)  # a column lies together in memory
    for position, (factor, features) in enumerate(layers.items()):
        names = candidate_list(factor, block_units)
        found = candidate_columns(grid, features, factor, block_units)
        empty = len(features) == 0
        for name, column in zip(names, found.T, strict=True):
            key = hashlib.sha256(np.packbits(column).tobytes()).digest()
            reason = _unusable(column, min_ones, empty, seen.get(key))
            if reason:
                dropped.append(Dropped(name, reason))
                continue
            seen[key] = name
            matrix[len(kept)] = column
            kept.append(name)
        if progress:
            progress("risk factors", position + 1, len(layers))
    return Design(candidates=tuple(kept), columns=matrix[: len(kept)].T, dropped=tuple(dropped))


def _unusable(
    column: NDArray[np.uint8], min_ones: int, empty: bool, twin: Candidate | None
) -> str | None:
    ones = int(column.sum())
    if empty:
        return "the factor has no feature"
    if ones == 0 or ones == len(column):
        return "the same in every cell"
    if ones < min_ones:
        return f"marks only {ones} cells (fewer than {min_ones})"
    if len(column) - ones < min_ones:
        return f"leaves only {len(column) - ones} cells unmarked (fewer than {min_ones})"
    if twin is not None:
        return f"the same as {twin.label}"
    return None


@dataclass(frozen=True, kw_only=True, eq=False)
class Patterns:
    """Rows as a few small codes: one code a factor, each code a pattern of that factor's columns.

    The columns of one factor take few distinct patterns, so ``X @ b`` is a sum of table look-ups
    and ``X.T @ r`` a sum of table entries, without ever holding ``X``.

    Parameters
    ----------
    codes
        Shape ``(rows, factors)``; positions in the stacked level tables, 32-bit.
    levels
        Shape ``(all levels, columns)``, 0 or 1: what each code means.
    """

    codes: NDArray[np.int32]
    levels: NDArray[np.float64]


def encode(design: Design) -> Patterns:
    """Turn the columns of a design into one code per factor."""
    owners = np.array([candidate.factor for candidate in design.candidates])
    n, p = design.columns.shape
    codes, tables, offset = [], [], 0
    for name in design.factor_names:
        mine = np.flatnonzero(owners == name)
        patterns, code = distinct_rows(design.columns[:, mine])
        table = np.zeros((len(patterns), p))
        table[:, mine] = patterns
        codes.append((code + offset).astype(np.int32))
        tables.append(table)
        offset += len(patterns)
    return Patterns(
        codes=np.column_stack(codes) if codes else np.zeros((n, 0), dtype=np.int32),
        levels=np.concatenate(tables) if tables else np.zeros((0, p)),
    )


def distinct_rows(columns: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Return the distinct rows of 0 and 1, and for each row which of them it is.

    >>> distinct_rows(np.array([[1, 0], [0, 0], [1, 0]], dtype=np.uint8))
    (array([[0, 0],
           [1, 0]], dtype=uint8), array([1, 0, 1]))
    """
    if columns.shape[1] == 0:
        return np.zeros((1, 0), dtype=np.uint8), np.zeros(len(columns), dtype=np.intp)
    packed = np.ascontiguousarray(np.packbits(columns, axis=1))
    width = packed.shape[1]
    if width <= 8:  # a key of one machine word sorts far faster than a row of bytes
        wide = np.zeros((len(packed), 8), dtype=np.uint8)
        wide[:, :width] = packed
        keys = wide.view(">u8").ravel().astype(np.uint64)
    else:
        keys = packed.view([("", np.void, width)]).ravel()
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    return columns[first], code
