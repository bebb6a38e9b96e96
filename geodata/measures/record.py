"""What a measure is and what it comes to: definition and figure in one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from geodata.cityfile.measures import MeasureGroup
    from geodata.measures.ledger import MeasureData
    from spatial.measures.scopes import Scope, Scopes

Direction = Literal["up", "down", "neither"]
Status = Literal["met", "not met", "not enough data", "stale"]
Disclosure = Literal["staff", "open", "coarse", "part", "count", "follows", "hits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a measure comes to in a scope.

    ``n`` counts the rows it was worked out from, ``missing`` those that lacked what it needs;
    together they are all rows of the scope; both are None where a release does not publish them.
    ``value`` is missing, never 0, where there is nothing to work it out from. ``low`` and ``high``
    are a 95 % interval. ``year_before`` is the value of the same days a year before, of measures
    that are read against it.
    """

    value: float | None
    n: int | None
    missing: int | None = 0
    numerator: float | None = None
    denominator: float | None = None
    low: float | None = None
    high: float | None = None
    year_before: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure: what it is called, what it means and how it is worked out.

    ``title`` and ``definition`` are for residents, ``formula`` is exact; ``numerator`` and
    ``denominator`` name what they count. ``target`` is in the measure's unit. ``sources`` are the
    sections of the city file that its date is told from. ``figures`` works the measure out for many
    scopes at once. ``sensitive`` figures are outcomes of
    single alerts, of which small counts are not published. ``least_n`` is how many rows a figure
    needs before it is checked against its target.

    ``disclosure`` is how a release publishes the measure: not at all (``staff``); as it is
    (``open``); of the city and whole periods only (``coarse``); as one of the shares that are
    together all alerts (``part``), as a count (``count``) or as incidents inside zones (``hits``),
    each where it is not small; or where the measure is published that it ``follows``.

    A measure that ``adds_up`` does so with dated points and totals of its id; ``kinds`` says that
    their kinds stand apart. ``key`` is its place among the key figures, ``part`` its
    heading within its group, ``enforcement`` what it is called beside other enforcement.
    """

    id: str
    title: str
    unit: str
    direction: Direction
    definition: str
    formula: str
    figures: Callable[[MeasureData, Scopes], list[Figure]]
    sources: tuple[str, ...]
    numerator: str | None = None
    denominator: str | None = None
    target: float | None = None
    target_source: str = ""
    caveat: str = ""
    owner: str = "Police department"
    sensitive: bool = False
    least_n: int = 10
    disclosure: Disclosure = "staff"
    follows: str = ""
    adds_up: bool = False
    kinds: bool = False
    key: int = 0
    part: str = ""
    enforcement: str = ""
    declared_group: MeasureGroup | None = None

    @property
    def group(self) -> str:
        """The part of the id before the first dot."""
        return self.id.split(".", 1)[0]

    @property
    def is_share(self) -> bool:
        """Whether the value lies between 0 and 1."""
        return self.unit == "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureValue:
    """A measure and its figure, with its status, date and target."""

    measure: Measure
    scope: Scope
    figure: Figure
    target: float | None
    target_source: str
    status: Status | None
    data_through: dt.date | None
    computed_at: dt.datetime

    def as_json(self) -> dict[str, object]:
        """Return the record as interface scripts read it."""
        measure, figure = self.measure, self.figure
        return {
            "id": measure.id,
            "title": measure.title,
            "value": figure.value,
            "unit": measure.unit,
            "direction": measure.direction,
            "numerator": figure.numerator,
            "denominator": figure.denominator,
            "n": figure.n,
            "missing": figure.missing,
            "low": figure.low,
            "high": figure.high,
            "year_before": figure.year_before,
            "target": self.target,
            "target_source": self.target_source,
            "status": self.status,
            "data_through": self.data_through.isoformat() if self.data_through else None,
            "computed_at": self.computed_at.isoformat(timespec="seconds") + "Z",
            "definition": measure.definition,
            "formula": measure.formula,
            "caveat": measure.caveat,
            "owner": measure.owner,
            "district": self.scope.district,
        }


def status_of(
    measure: Measure, figure: Figure, target: float | None, *, stale: bool
) -> Status | None:
    """Tell how a figure stands; nothing for a measure without a target that has its data."""
    few = figure.n is not None and figure.n < measure.least_n
    if figure.value is None or (target is not None and few):
        return "not enough data"
    if stale:
        return "stale"
    if target is None or measure.direction == "neither":
        return None
    reached = figure.value >= target if measure.direction == "up" else figure.value <= target
    return "met" if reached else "not met"
