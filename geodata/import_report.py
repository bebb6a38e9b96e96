"""What an import tells of each source: read = stored + left out, always."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads it
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from geodata.documents import OrAbsent, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SHOWN_ROWS = 5
ALREADY_STORED, UNCHANGED = "already stored", "unchanged"


@dataclass(kw_only=True)
class SourceReport:
    """One source's account; ``rows_out`` has the numbers of rows by reason, to be looked into.

    ``fault`` says why the source could not be read, if so: what is stored of it stays.
    ``addresses`` counts the rows that were placed by their address, if any had to be.
    """

    kind: str
    source: str
    read: int = 0
    stored: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    addresses: OrAbsent[Mapping[str, object]] = None
    fault: OrAbsent[str] = None
    rows_out: Annotated[list[tuple[str, Any]], Field(exclude=True)] = field(
        default_factory=list, compare=False, repr=False
    )

    @classmethod
    def unread(cls, kind: str, source: str, fault: str) -> SourceReport:
        """Return the account of a source that could not be read, and why."""
        notes = [f"not read, and what is stored of it stays: {fault}"]
        return cls(kind=kind, source=source, notes=notes, fault=fault)

    def leave_out(self, reason: str, number: int) -> None:
        """Count rows under a reason; each row belongs under one reason only."""
        if number:
            self.left_out[reason] = self.left_out.get(reason, 0) + int(number)

    def account(self, new: int, corrected: int, same: int, conflicting: int) -> None:
        """Say what became of the rows that were stored."""
        self.stored = new + corrected
        self.leave_out(ALREADY_STORED, same)
        self.leave_out("same id from another source with other content", conflicting)
        if corrected:
            self.notes.append(f"{corrected} rows stored earlier were corrected")

    def require_balance(self) -> None:
        """Refuse an account that does not add up: a fault of this program, never of the data."""
        if self.read != self.stored + sum(self.left_out.values()):
            msg = f"{self.source}: {self.read} rows read do not add up: {self.as_json()}"
            raise RuntimeError(msg)

    def as_json(self) -> dict[str, object]:
        """Return the account as interface scripts read it."""
        written: dict[str, object] = to_json(self)
        return written


class Sieve:
    """Keeps the rows that pass every rule and counts each of the others under its first fault."""

    def __init__(self, report: SourceReport, rows: NDArray[np.int64]) -> None:
        self.report = report
        self.rows = rows  # numbers as the file's reader would count them
        self.keep = np.ones(len(rows), dtype=bool)

    def leave_out(self, reason: str, bad: NDArray[np.bool_], *, examples: bool = True) -> int:
        """Leave out the rows that are bad and not left out already; tell the first of them."""
        fresh = bad & self.keep
        number = int(fresh.sum())
        if number:
            self.report.leave_out(reason, number)
            self.report.rows_out.append((reason, self.rows[fresh]))
            if examples:
                self.report.notes.append(f"{reason}: {number} ({name_rows(self.rows[fresh])})")
            self.keep &= ~bad
        return number


def notes_of_alike(alike: Mapping[str, int]) -> list[str]:
    """Return what an account says of rows that equal stored ones, by the source of those.

    >>> notes_of_alike({"old.csv": 1})[0][:60]
    '1 row is equal in day, place and outcome to rows of source o'
    """
    return [
        f"{number:,} {'row is' if number == 1 else 'rows are'} equal in day, place and outcome to "
        f"rows of source {source} that are stored already; if they are the same incidents, keep "
        "one of the two sources, or give both the same ids"
        for source, number in alike.items()
    ]


def notes_of_reclassified(number: int) -> list[str]:
    """Return what an account says of incidents that left the outcome they were stored under.

    >>> notes_of_reclassified(1)
    ['1 incident is of another kind now: it left the outcome it was stored under']
    """
    if not number:
        return []
    who = "incident is" if number == 1 else "incidents are"
    it, was = ("it", "it was") if number == 1 else ("they", "they were")
    return [f"{number:,} {who} of another kind now: {it} left the outcome {was} stored under"]


def name_rows(rows: Sequence[int] | NDArray[np.int64]) -> str:
    """Name the first rows of several.

    >>> name_rows([4, 8])
    'rows 4, 8'
    >>> name_rows(list(range(2, 20)))
    'rows 2, 3, 4, 5, 6 and 13 more'
    """
    label = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
    more = len(rows) - SHOWN_ROWS
    word = "row" if len(rows) == 1 else "rows"
    return f"{word} {label}" + (f" and {more} more" if more > 0 else "")
