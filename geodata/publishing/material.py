"""What a release is made from, read once: rows, places, the shown run, earlier releases.

A release is about days up to ``last_day`` and says nothing of later ones. That day follows from
the newest row and from today, whichever is earlier, so that the same data give the same release on
whatever later day they are drafted.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geodata.measures.ledger import Ledger
from geodata.publishing.outlines import in_districts
from geodata.publishing.places import public_places
from geodata.publishing.rules import RULES
from geodata.store.initiatives import list_initiatives

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from geodata.publishing.folder import ReleaseFolder
    from geodata.publishing.sensitive import Told, Where
    from geodata.store.cities import CityRecord
    from geodata.store.initiatives import InitiativeRecord
    from geodata.store.runs import RunRecord
    from spatial.masking.places import PublicPlaces

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """One city as it is to be published.

    Parameters
    ----------
    ledger
        Rows of the city up to ``last_day``; its today lies the delay after that.
    last_day
        The last day that anything may be about.
    places
        The public places of the city.
    run
        The run whose zones are shown, if there is one, each cut at the border of its district.
    initiatives
        As they stand, in the city's order.
    earlier
        Releases of the city that were approved, newest first, withdrawn ones too.
    told
        What is told of counts that are hidden where they are small, once that is decided.
    """

    session: Session
    city: CityRecord
    ledger: Ledger
    last_day: dt.date
    places: PublicPlaces
    run: RunRecord | None
    initiatives: Sequence[InitiativeRecord]
    earlier: Sequence[ReleaseFolder]
    told: Mapping[Where, Told] = field(default_factory=dict)

    @property
    def end(self) -> dt.date:
        """The day after the last."""
        return self.last_day + DAY

    @property
    def unit_m(self) -> float:
        """Metres in a unit of the city's reference system."""
        return 1.0 / self.ledger.metre_units

    @property
    def targets(self) -> Mapping[str, tuple[float, str]]:
        """The city's own targets with their source, by measure."""
        return {
            target.measure: (target.target, target.source)
            for record in self.initiatives
            for strategy in record.initiative.strategies
            for target in strategy.targets
        }


def last_public_day(session: Session, city: CityRecord, today: dt.date) -> dt.date:
    """Return the newest day that a release of a city may tell of, at least the delay before today.

    Where the data end earlier it is their last day.
    """
    newest = Ledger(session, city, today).newest_day
    delay = dt.timedelta(days=RULES.delay_days)
    return today - delay if newest is None else min(today - delay, newest)


def gather(
    session: Session,
    city: CityRecord,
    today: dt.date,
    earlier: Sequence[ReleaseFolder],
    *,
    run: str | None = None,
) -> Material:
    """Read what a release of a city is made from.

    Parameters
    ----------
    session
        Open for as long as the material is used.
    city
        The city.
    today
        Its day.
    earlier
        Its approved releases, newest first.
    run
        Id of the run that is shown; the run in use if left out.
    """
    last_day = last_public_day(session, city, today)
    as_of = last_day + dt.timedelta(days=RULES.delay_days)
    ledger = Ledger(session, city, as_of, run, until=last_day + DAY)
    return Material(
        session=session,
        city=city,
        ledger=ledger,
        last_day=last_day,
        places=public_places(session, city),
        run=None if ledger.run is None else in_districts(ledger.run, city.districts),
        initiatives=list_initiatives(session, city.slug),
        earlier=earlier,
    )
