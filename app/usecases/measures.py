"""Measures of a city, worked out for whoever asks: the command line, the pages, the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.errors import DataError
from geodata.measures.ledger import MeasureData
from geodata.measures.registry import whole_scope, work_out
from geodata.repositories import cities, runs_in_use

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from geodata.db.engine import Database
    from geodata.measures.record import MeasureValue
    from geodata.repositories.cities import CityRecord
    from spatial.measures.scopes import Scope


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The scope that was requested and what each measure comes to in it.

    ``unused`` says that no run is in use, so that nothing can be known of zones.
    """

    scope: Scope
    values: list[MeasureValue]
    unused: bool


def measure_city(
    database: Database,
    slug: str,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    district: str | None = None,
    ids: Sequence[str] | None = None,
) -> Measured:
    """Work out measures of a city.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    DataError
        If the period is empty, or a district or measure is not known.
    """
    with database.session() as session:
        city = cities.get_city(session, slug)
        ledger = MeasureData(session, city, city.this_day())
        scope = checked_scope(ledger, city, start, end, district)
        unused = runs_in_use.id_in_use(session, city) is None
        return Measured(scope=scope, values=work_out(ledger, scope, ids), unused=unused)


def checked_scope(
    ledger: MeasureData,
    city: CityRecord,
    start: dt.date | None,
    end: dt.date | None,
    district: str | None,
) -> Scope:
    """Fill in what was not stated and refuse what cannot be."""
    codes = list(city.districts["code"])
    if district is not None and district not in codes:
        msg = f"{city.slug} has no district {district[:80]!r}; its districts are {', '.join(codes)}"
        raise DataError(msg, code="unknown_district")
    whole = whole_scope(ledger, district)
    scope = whole.within(start or whole.start, end or whole.end)
    if scope.start >= scope.end:
        msg = (
            f"the period from {scope.start} to {scope.end} is empty; the first day is included, "
            "the last is not"
        )
        raise DataError(msg, code="period_empty")
    return scope
