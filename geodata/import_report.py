"""What an import tells of each source: read = stored + left out, always."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SHOWN_ROWS = 5


@dataclass(kw_only=True)
class SourceReport:
    """One source's account; ``rows_out`` has the numbers of rows by reason, to be looked into."""

    kind: str
    source: str
    read: int = 0
    stored: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rows_out: list[tuple[str, NDArray[np.int64]]] = field(
        default_factory=list, compare=False, repr=False
    )

    def leave_out(self, reason: str, number: int) -> None:
        """Count rows under a reason; each row belongs under one reason only."""
        if number:
            self.left_out[reason] = self.left_out.get(reason, 0) + int(number)

    def require_balance(self) -> None:
        """Refuse an account that does not add up: a fault of this program, never of the data."""
        if self.read != self.stored + sum(self.left_out.values()):
            msg = f"{self.source}: {self.read} rows read do not add up: {self.as_json()}"
            raise RuntimeError(msg)

    def as_json(self) -> dict[str, Any]:
        """Return the account as interface scripts read it."""
        return {
            "kind": self.kind,
            "source": self.source,
            "read": self.read,
            "stored": self.stored,
            "left_out": self.left_out,
            "notes": self.notes,
        }


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
