"""The district that a commander's page is about: whose it is, its name, its tabs, its clock."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request, url_for
from werkzeug.exceptions import Forbidden, NotFound

from app.guard import desk, require_visitor
from app.maps.shapes import district_label
from app.runs.access import districts_read
from app.staff.city import CityShell, require_own, shell, staff_city
from geodata.roles import COMMANDER, OFFICER, READERS

if TYPE_CHECKING:
    from collections.abc import Collection

    from geodata.store.cities import CityRecord

DESK = (OFFICER, COMMANDER)  # who sees the districts that are their own
OUTCOME = "outcome.outcome"
TABS: tuple[tuple[str, str, Collection[str]], ...] = (  # endpoint, label, roles that see it
    ("command.district", "Overview", DESK),
    ("plans.plans", "Plans", DESK),
    ("board.board", "Board", DESK),
    ("visits.log", "Log", DESK),
    ("visits.visits", "Visits", DESK),
    ("actions.actions", "Actions", DESK),
    ("command.compliance", "Compliance", DESK),
    (OUTCOME, "Outcome", READERS),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """One district of a city, or with no code all of it, and what stands around its page.

    ``now_ms`` is the present moment by the city's calendar, which a synthetic city has of its own;
    ``ahead_ms`` is by how much that is ahead of the true time.
    """

    city: CityRecord
    code: str
    name: str
    shell: CityShell
    now_ms: int
    ahead_ms: int

    @property
    def at(self) -> dict[str, str]:
        """What addresses of the district's pages need."""
        return {"city": self.city.slug, "district": self.code}

    @property
    def now(self) -> dt.datetime:
        """The present moment as clocks in the city show it."""
        return self.local(self.now_ms)

    def url(self, endpoint: str, **values: Any) -> str:
        """Give the address of a page of the district."""
        return url_for(endpoint, city=self.city.slug, district=self.code, **values)

    def local(self, ms: float) -> dt.datetime:
        """Give a moment as clocks in the city show it."""
        zone = zoneinfo.ZoneInfo(self.city.timezone)
        return dt.datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)

    def ms(self, local: dt.datetime) -> int:
        """Give a moment of the city's clocks, the first of two where they go back."""
        return _as_ms(self.city, local)

    def zone_name(self, zone: Any) -> str:
        """Call a zone by its rank, and where all districts are shown by its district as well."""
        if self.code:
            return f"Zone {zone.rank}"
        return f"{district_name(self.city, zone.district)}, zone {zone.rank}"

    def clock(self, ms: float) -> str:
        """Write a moment: the time, and the day where it is another than today.

        The month is written with its name, as nobody then has to guess the order.
        """
        moment, today = self.local(ms), self.now.date()
        return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%b} {moment:%-d %H:%M}"


def own_place(slug: str, code: str, tab: str | None = None) -> Place:
    """Give a district that is the person's own; ``tab`` is the endpoint of the tab it is in.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    NotFound
        If the city has no such district.
    Forbidden
        If it is another's.
    """
    city = staff_city(slug)
    if code not in set(city.districts["code"]):
        raise NotFound
    require_own(city, code)
    return _district(city, code, tab)


def outcome_place(slug: str, code: str) -> Place:
    """Give the district, or with no code the whole city, whose outcome a person may read.

    Raises
    ------
    NotStoredError
        If the city is not stored.
    NotFound
        If the city has no such district.
    Forbidden
        If the person sees other districts only.
    """
    city = staff_city(slug)
    if code and code not in set(city.districts["code"]):
        raise NotFound
    if districts_read(require_visitor().person, city.slug) is None:
        if not code:
            return _place(city, "", city.name, shell(city, OUTCOME))
    elif code:
        require_own(city, code)
    else:
        raise Forbidden
    return _district(city, code, OUTCOME)


def _district(city: CityRecord, code: str, tab: str | None = None) -> Place:
    """Give what stands around a page about a district."""
    person = require_visitor().person
    name = district_name(city, code)
    own = code in person.districts_of(city.slug)
    tabs = tuple(
        (endpoint, label, url_for(endpoint, city=city.slug, district=code))
        for endpoint, label, roles in TABS
        if person.may(roles) and (own or endpoint == OUTCOME)
    )
    around = CityShell(
        slug=city.slug,
        name=f"{city.name}, {name}",
        synthetic=city.synthetic,
        timezone=city.timezone,
        tabs=tabs,
        tab=tab or request.endpoint or "",
        menu="command.home" if own else "analyst.home",
    )
    return _place(city, code, name, around)


def _place(city: CityRecord, code: str, name: str, around: CityShell) -> Place:
    """Set a place at the present moment."""
    true_ms = round(desk().now().replace(tzinfo=dt.UTC).timestamp() * 1000)
    now_ms = true_ms if city.today is None else _as_ms(city, local_now(city))
    return Place(
        city=city, code=code, name=name, shell=around, now_ms=now_ms, ahead_ms=now_ms - true_ms
    )


def district_name(city: CityRecord, code: str) -> str:
    """Call a district as people do."""
    names = dict(zip(city.districts["code"], city.districts["name"], strict=True))
    return district_label(code, names)


def local_now(city: CityRecord) -> dt.datetime:
    """Give the local time without a zone; a synthetic city's day is that of its own calendar."""
    zone = zoneinfo.ZoneInfo(city.timezone)
    now = desk().now().replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
    return now if city.today is None else dt.datetime.combine(city.today, now.time())


def _as_ms(city: CityRecord, local: dt.datetime) -> int:
    """Give a local time in milliseconds since 1970 UTC."""
    return round(local.replace(tzinfo=zoneinfo.ZoneInfo(city.timezone)).timestamp() * 1000)
