"""How much of their budget zones take, and which limit would let them take all of it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from spatial.zones import cut_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from spatial.grid import Grid
    from spatial.spec import ZoneSpec

    Floats = NDArray[np.float64]

LEFT = "the rest lies in pieces too small for a zone or is not above the mean of its district"
CAPPED, UNUSED = "zones.budget_capped", "zones.budget_unused"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something to keep in mind about a run: a stable code, its parameters, and a sentence."""

    code: str
    parameters: dict[str, Any]
    text: str

    def as_json(self) -> dict[str, Any]:
        """Return it as scripts read it."""
        return {"code": self.code, "parameters": self.parameters, "warning": self.text}


def budget_caution(
    grid: Grid, score: Floats, expected: Floats, spec: ZoneSpec, held: Sequence[tuple[str, int]]
) -> Caution | None:
    """Say that zones take less than their budget, and what would let them take it.

    What more zones would take is found by cutting again without a limit of their number. A district
    may leave up to ``min_cells - 1`` cells, which make no zone.

    Parameters
    ----------
    grid, score, expected, spec
        What the zones were cut from, as :func:`spatial.zones.cut_zones` takes it.
    held
        District and number of cells of each zone.
    """
    if not held:
        return None  # scores that are all alike have no zones, and the run says that
    sizes = np.bincount(grid.district[grid.district >= 0], minlength=len(grid.district_ids))
    budget = int(sum(round(spec.area_share * int(size)) for size in sizes))
    spare = (spec.min_cells - 1) * int((sizes > 0).sum())
    cells = sum(number for _, number in held)
    if cells >= budget - spare:
        return None
    number_of = Counter(district for district, _ in held)
    most = uncapped = 0
    if max(number_of.values()) >= spec.max_zones:
        free = cut_zones(grid, score, expected, dataclasses.replace(spec, max_zones=len(grid)))
        most = max(Counter(zone.district for zone in free).values())
        uncapped = sum(len(zone.cells) for zone in free)
    parameters: dict[str, Any] = {"area_share": spec.area_share, "held_share": cells / len(grid)}
    told = (
        f"zones hold {_percent(cells / len(grid))} of the area, {_percent(spec.area_share)} was "
        "the budget"
    )
    if uncapped <= cells:
        return Caution(
            code=UNUSED,
            parameters=parameters,
            text=f"{told}: {LEFT}",
        )
    parameters |= {
        "max_zones": spec.max_zones,
        "max_zones_needed": most,
        "share_without_limit": uncapped / len(grid),
    }
    allowed = f"{told}: {spec.max_zones} zones a district were allowed"
    if uncapped >= budget - spare:
        return Caution(
            code=CAPPED,
            parameters=parameters,
            text=f"{allowed}; to use all of it, allow {most}",
        )
    return Caution(
        code=CAPPED,
        parameters=parameters,
        text=f"{allowed}; with {most} they hold {_percent(uncapped / len(grid))}, and {LEFT}",
    )


def _percent(share: float) -> str:
    """Write a share in percent with two digits that count.

    >>> _percent(0.0174), _percent(0.2), _percent(0.05)
    ('1.7 %', '20 %', '5 %')
    """
    return f"{100 * share:.2g} %"
