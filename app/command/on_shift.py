"""The district that a page of the commander's desk is about, its calendar, plan and zones."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import guard
from app.command.frame import as_ms, local_now, own_place
from app.workroom import workroom
from geodata.store import plans, zones

if TYPE_CHECKING:
    from app.staff.city import CityShell
    from geodata.store.cities import CityRecord
    from geodata.store.plans import PlanRecord
    from geodata.store.zones import ZoneRecord

SOON_MS = 2 * 3_600_000  # a shift that begins so soon is the present one


@dataclass(frozen=True, kw_only=True, eq=False)
class DistrictDesk:
    """What stands around a page about a district.

    ``now_ms`` is the present moment by the city's calendar, which a synthetic city has of its own;
    ``ahead_ms`` is by how much that is ahead of the true time.
    """

    city: CityRecord
    code: str
    name: str
    shell: CityShell
    now_ms: int
    ahead_ms: int

    def local(self, ms: float) -> dt.datetime:
        """Give a moment as clocks in the city show it."""
        zone = zoneinfo.ZoneInfo(self.city.timezone)
        return dt.datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)

    def ms(self, local: dt.datetime) -> int:
        """Give a moment of the city's clocks, the first of two where they go back."""
        return as_ms(self.city, local)

    def clock(self, ms: float) -> str:
        """Write a moment: the time, and the day where it is another than today.

        The month is written with its name, as nobody then has to guess the order.
        """
        moment, today = self.local(ms), self.local(self.now_ms).date()
        return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%b} {moment:%-d %H:%M}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Present:
    """The plan that stands for a shift, if any, and the zones that visits can be made to."""

    plan: PlanRecord | None
    run: str | None
    zones: tuple[ZoneRecord, ...]

    def rank(self, code: str) -> int:
        """Give the rank of a zone, 0 for one of another run."""
        return next((zone.rank for zone in self.zones if zone.code == code), 0)


def district_desk(slug: str, district: str, tab: str | None = None) -> DistrictDesk:
    """Give what stands around a page about one of the person's own districts.

    ``tab`` is the endpoint of the tab it is in, where that is not the page's own.

    Raises
    ------
    NotStoredError, NotFound
        If there is no such city or district.
    Forbidden
        If it is another's.
    """
    place = own_place(slug, district, tab)
    true_ms = round(guard.desk().now().replace(tzinfo=dt.UTC).timestamp() * 1000)
    now_ms = true_ms if place.city.today is None else as_ms(place.city, local_now(place.city))
    return DistrictDesk(
        city=place.city,
        code=district,
        name=place.name,
        shell=place.shell,
        now_ms=now_ms,
        ahead_ms=now_ms - true_ms,
    )


def standing_plans(desk: DistrictDesk) -> list[PlanRecord]:
    """Give the plans that stand for shifts of a district, the latest shift first."""
    with workroom().database.session() as session:
        return plans.standing_plans(session, desk.city.slug, district=desk.code)[::-1]


def present_plan(standing: list[PlanRecord], now_ms: int) -> PlanRecord | None:
    """Give the plan of the shift that is on, else of one that begins soon."""
    on = [p for p in standing if p.shift_start_ms <= now_ms < p.shift_end_ms]
    soon = [p for p in standing if 0 < p.shift_start_ms - now_ms <= SOON_MS]
    return on[0] if on else soon[-1] if soon else None


def present(desk: DistrictDesk, plan: PlanRecord | None) -> Present:
    """Give the zones of a plan's run, else of the newest run that has some."""
    with workroom().database.session() as session:
        run = plan.run if plan else zones.newest_run_id(session, desk.city, desk.code)
        found = zones.district_zones(session, run, desk.code) if run else []
    return Present(plan=plan, run=run, zones=tuple(found))
