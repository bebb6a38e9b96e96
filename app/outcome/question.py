"""What is asked of an evaluation: frozen and checked, with a key of its own."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING

from geodata.errors import DataError

if TYPE_CHECKING:
    import datetime as dt

    from geodata.store.runs import Edited

MOST_CONTROLS, WIDEST_BUFFER = 10, 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of an evaluation.

    Parameters
    ----------
    city, run, outcome
        Whose zones, and which incidents; the outcome need not be the run's.
    before, after
        Half-open periods.
    zones
        Identifiers of the treated zones; empty means all, or all of ``district``.
    district
        Treat this district's zones only.
    buffer_cells
        Width of the ring around the treated zones in which incidents may have been displaced to;
        0 for none. Left out: one block.
    controls
        How many control areas, 1 to 10.
    alpha
        One minus the level of the intervals.
    zones_compare
        Whether the run's other zones may lie in control areas, having had no intervention.
    """

    city: str
    run: str
    outcome: str
    before: tuple[dt.date, dt.date]
    after: tuple[dt.date, dt.date]
    zones: tuple[str, ...] = ()
    district: str | None = None
    buffer_cells: int | None = None
    controls: int = 3
    alpha: float = 0.05
    zones_compare: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.controls <= MOST_CONTROLS:
            msg = f"ask for 1 to {MOST_CONTROLS} control areas, not {self.controls}"
            raise DataError(msg)
        if self.buffer_cells is not None and not 0 <= self.buffer_cells <= WIDEST_BUFFER:
            msg = f"a buffer has 0 to {WIDEST_BUFFER} cells, not {self.buffer_cells}"
            raise DataError(msg)
        if not 0 < self.alpha < 1:
            msg = f"alpha lies between 0 and 1, such as 0.05; got {self.alpha}"
            raise DataError(msg)

    def key_on(self, edited: Edited | None) -> str:
        """Digest of everything asked and of the edition of the zones that it is asked of."""
        told = dataclasses.asdict(self) | ({"edition": edited.number} if edited else {})
        text = json.dumps(told, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
