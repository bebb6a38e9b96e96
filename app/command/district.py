"""The district that a commander's page is about: whose it is, its name, its tabs, its clock.

What is patrolled in a district: the run whose zones are in use, these zones, and a plan.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import Forbidden, NotFound

from app.admin.city import CityShell, require_own, shell, staff_city
from app.auth.guard import desk, require_visitor
from app.i18n import place_words
from app.i18n.language import N_, translated
from app.maps.shapes import district_label
from app.usecases.risk.run_access import districts_read
from geodata.repositories import runs, runs_in_use, zone_versions
from geodata.roles import COMMANDER, OFFICER, READERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import geopandas as gpd
    from sqlalchemy.orm import Session

    from geodata.repositories.cities import CityRecord
    from geodata.repositories.patrol_plans import PlanRecord
    from geodata.repositories.runs import RunRecord, RunSummary
    from geodata.repositories.zone_versions import ZoneRecord


DESK = (OFFICER, COMMANDER)  # who sees the districts that are their own
OUTCOME = "outcome.outcome"
TABS: tuple[tuple[str, str, Collection[str]], ...] = (  # endpoint, label, roles that see it
    ("command.district", N_("Overview"), DESK),
    ("plans.plans", N_("Plans"), DESK),
    ("board.board", N_("Board"), DESK),
    ("visits.log", N_("Log"), DESK),
    ("visits.visits", N_("Visits"), DESK),
    ("actions.actions", N_("Actions"), DESK),
    ("command.compliance", N_("Compliance"), DESK),
    (OUTCOME, N_("Outcome"), READERS),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class DistrictPage:
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
        """Return the address of a page of the district."""
        return url_for(endpoint, city=self.city.slug, district=self.code, **values)

    def local(self, ms: float) -> dt.datetime:
        """Return a moment as clocks in the city show it."""
        zone = zoneinfo.ZoneInfo(self.city.timezone)
        return dt.datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)

    def ms(self, local: dt.datetime) -> int:
        """Return a moment of the city's clocks, the first of two where they go back."""
        return _as_ms(self.city, local)

    def zone_name(self, zone: Any) -> str:
        """Call a zone by its streets and rank, among all districts by its district as well."""
        if self.code:
            return zone_label(zone)
        number = f"{district_name(self.city, zone.district)}, zone {zone.rank}"
        words = place_words.called(zone)
        return f"{words} ({number})" if words else number

    def clock(self, ms: float) -> str:
        """Write a moment: the time, and the day where it is another than today.

        The month is written with its name, as nobody then has to guess the order.
        """
        moment, today = self.local(ms), self.now.date()
        return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%b} {moment:%-d %H:%M}"


def own_place(slug: str, code: str, tab: str | None = None) -> DistrictPage:
    """Return a district that is the person's own; ``tab`` is the endpoint of the tab it is in.

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


def outcome_place(slug: str, code: str) -> DistrictPage:
    """Return the district, or with no code the whole city, whose outcome a person may read.

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


def _district(city: CityRecord, code: str, tab: str | None = None) -> DistrictPage:
    """Return what stands around a page about a district."""
    person = require_visitor().person
    name = district_name(city, code)
    own = code in person.districts_of(city.slug)
    tabs = tuple(
        (endpoint, translated(label), url_for(endpoint, city=city.slug, district=code))
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


def _place(city: CityRecord, code: str, name: str, around: CityShell) -> DistrictPage:
    """Set a place at the present moment."""
    true_ms = round(desk().now().replace(tzinfo=dt.UTC).timestamp() * 1000)
    now_ms = true_ms if city.today is None else _as_ms(city, local_now(city))
    return DistrictPage(
        city=city, code=code, name=name, shell=around, now_ms=now_ms, ahead_ms=now_ms - true_ms
    )


def district_name(city: CityRecord, code: str) -> str:
    """Call a district as people do."""
    names = dict(zip(city.districts["code"], city.districts["name"], strict=True))
    return district_label(code, names)


def local_now(city: CityRecord) -> dt.datetime:
    """Return the local time without a zone; a synthetic city's day is that of its own calendar."""
    zone = zoneinfo.ZoneInfo(city.timezone)
    now = desk().now().replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)
    return now if city.today is None else dt.datetime.combine(city.today, now.time())


def _as_ms(city: CityRecord, local: dt.datetime) -> int:
    """Return a local time in milliseconds since 1970 UTC."""
    return round(local.replace(tzinfo=zoneinfo.ZoneInfo(city.timezone)).timestamp() * 1000)


@dataclass(frozen=True, kw_only=True, eq=False)
class Present:
    """The plan that stands for a shift, if any, and the zones that visits can be made to.

    ``names`` says what zones of runs that are not in use are called, by their ids; ``note`` says
    whose zones these are where their run is not in use.
    """

    plan: PlanRecord | None
    run: str | None
    zones: tuple[ZoneRecord, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def label(self, code: str, rank: int) -> str:
        """Return what a zone is called; ``rank`` is that of a plan, for one of another run."""
        found = next((zone for zone in self.zones if zone.code == code), None)
        return zone_label(found) if found else f"Zone {rank}"

    def rank(self, code: str) -> int:
        """Return the rank of a zone, 0 for one of another run."""
        return next((zone.rank for zone in self.zones if zone.code == code), 0)

    def zone_name(self, code: str) -> str:
        """Return what a zone is called, with its run where that is not in use; else its id."""
        if code in self.names:
            return self.names[code]
        rank = self.rank(code)
        return self.label(code, rank) if rank else code


def zone_label(zone: Any) -> str:
    """Call a zone by its streets and its rank, or by its rank alone where it has no name."""
    words = place_words.called(zone)
    return f"{words} (zone {zone.rank})" if words else f"Zone {zone.rank}"


def runs_for_patrols(session: Session, city: CityRecord) -> list[RunSummary]:
    """List the runs in use whose zones may be patrolled, the one put to use last first.

    Runs of sensitive outcomes stay with those who may see them.
    """
    return [runs.get_summary(session, run) for run in runs_in_use.runs_to_show(session, city)]


def runs_to_judge(session: Session, city: CityRecord, *, trials: bool) -> list[RunSummary]:
    """List the runs whose zones may be evaluated: those in use, then those that were.

    With ``trials`` runs that never were in use come after them, the newest first.
    """
    used = [one.run for one in runs_in_use.list_uses(session, city.id)]
    known = {
        run.id: run
        for run in runs.list_runs(session, city.slug)
        if run.zones and not runs_in_use.why_not_usable(city, run) and (trials or run.id in used)
    }
    order = dict.fromkeys([*runs_in_use.runs_to_show(session, city), *used, *known])
    return [known[run] for run in order if run in known]


def patrol_run(session: Session, place: DistrictPage) -> RunRecord | None:
    """Return the run in use, whose zones are this week's, or nothing."""
    return runs_in_use.run_in_use(session, place.city)


def district_zones(run: RunRecord | None, code: str) -> gpd.GeoDataFrame | None:
    """Return the zones of a run in a district, by rank."""
    if run is None:
        return None
    return run.zones[run.zones["district"] == code].sort_values("rank").reset_index(drop=True)


def present(session: Session, place: DistrictPage, plan: PlanRecord | None) -> Present:
    """Return the zones of a plan's run, else of the run in use."""
    run = plan.run if plan else runs_in_use.id_in_use(session, place.city)
    return _present(session, place, plan, run)


def present_of(session: Session, place: DistrictPage, run: str) -> Present:
    """Return the zones of a run in a district, for what was made on it."""
    return _present(session, place, None, run)


def _present(
    session: Session, place: DistrictPage, plan: PlanRecord | None, run: str | None
) -> Present:
    found = zone_versions.district_zones(session, run, place.code) if run else []
    there = Present(plan=plan, run=run, zones=tuple(found))
    if run is None or run in runs_in_use.uses_now(session, place.city.id):
        return there
    there = with_names(session, place.city, there, [(run, zone.code) for zone in found])
    note = f"These are zones of {run_words(session, place.city, run)}."
    return replace(there, note=note)


def with_names(
    session: Session, city: CityRecord, there: Present, wanted: Iterable[tuple[str, str]]
) -> Present:
    """Add what zones of runs that are not in use are called; ``wanted`` are runs and zones."""
    return replace(there, names={**there.names, **zone_names(session, city, wanted)})


def zone_names(
    session: Session, city: CityRecord, wanted: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Say what zones are called by their ids: their rank, and their run where it is not in use.

    Parameters
    ----------
    wanted
        Pairs of the id of a run and the id of a zone.
    """
    now = runs_in_use.uses_now(session, city.id)
    found: dict[str, str] = {}
    for run, pairs in groupby(sorted(set(wanted)), key=lambda pair: pair[0]):
        ranks, words = (
            zone_versions.zone_ranks(session, run),
            zone_versions.zone_words(session, run),
        )
        of = "" if run in now else f" of {run_words(session, city, run)}"
        for _run, code in pairs:
            name = words.get(code)
            number = f"zone {ranks[code]}{of}" if code in ranks else code
            if name is not None and code in ranks:
                found[code] = f"{place_words.called(name)} ({number})"
            else:
                found[code] = f"Z{number[1:]}" if code in ranks else code
    return found


def run_words(session: Session, city: CityRecord, run: str) -> str:
    """Name a run that is not in use, with the day until which it was."""
    name = runs.get_summary(session, run).name
    until = next(
        (one.until for one in runs_in_use.list_uses(session, city.id) if one.run == run), None
    )
    called = _("run %(run)s", run=run) + (f", {name}" if name else "")
    if until is None:
        return _("%(run)s (not in use)", run=called)
    return _("%(run)s (in use until %(day)s)", run=called, day=f"{until:%Y-%m-%d}")
