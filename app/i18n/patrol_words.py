"""Patrol plans in words, in the reader's language: what gave way, how good a plan is, advice.

What commands and scripts read is made here too, always in English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from app.i18n.language import N_, translated
from app.i18n.numbers import listed, plain, sentence, share
from geodata.documents import to_json
from geodata.plan_document import STREETS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from geodata.plan_document import PlanDocument
    from geodata.stored_documents import Note

SMALLEST_GAP = 5e-4  # of the bound; less is rounding
ANYWHERE = (
    N_("People and places that are usual here, and what is not as usual"),
    N_(
        "Be seen, on foot where you can; talk to people; note lights that are out and sight lines "
        "that are blocked"
    ),
)
# Hours of the day, local, in which pupils are under way and parks are open, and the others: advice
# that needs a crossing guard or an open park is none at 23:00.
BY_DAY = frozenset(range(6, 20))
AT_NIGHT = frozenset(range(24)) - BY_DAY
ALWAYS = BY_DAY | AT_NIGHT
SCHOOLS = ("school", "schools", "child", "university", "college", "campus")
PARKS = ("park", "parks", "trail", "trails", "playground", "recreation", "greenway")
# What a factor's name holds, in which hours -> what to look for, what to do. General advice about
# kinds of places.
GUIDES: tuple[tuple[tuple[str, ...], frozenset[int], str, str], ...] = (
    (
        ("bar", "bars", "club", "clubs", "tavern", "pub", "nightclub"),
        ALWAYS,
        N_(
            "Closing times, crowds outside, people who walk off alone or cannot look after "
            "themselves"
        ),
        N_(
            "Speak with door staff and managers; walk the ways to parking and stops at closing time"
        ),
    ),
    (
        ("liquor", "alcohol", "package"),
        ALWAYS,
        N_(
            "Groups that drink outside, people who wait near the door, the sides and back of the "
            "shop"
        ),
        N_("Speak with clerks; look at lights and the view through windows; check the lot on foot"),
    ),
    (
        ("gas", "fuel", "convenience", "corner"),
        ALWAYS,
        N_("The pumps and the sides of the lot, people who approach customers, windows covered up"),
        N_("Step inside and speak with clerks; ask for a clear view from street to counter"),
    ),
    (
        ("bank", "banks", "atm", "atms", "cash", "check", "pawn"),
        ALWAYS,
        N_("People who wait without business at machines, dark corners beside them"),
        N_("Stand in view of the machine for a while; report lights that are out to the owner"),
    ),
    (
        ("bus", "rail", "railroads", "railroad", "transit", "station", "stop", "stops", "train"),
        ALWAYS,
        N_("People who wait alone, phones in the open, ways to and from the stop that are not lit"),
        N_("Wait at the stop and walk its ways; report shelters and lights that need repair"),
    ),
    (
        ("restaurant", "restaurants", "food", "grocery", "groceries", "supermarket", "cafe"),
        ALWAYS,
        N_("Delivery and closing times, staff who carry cash, the back door and the lot"),
        N_("Speak with managers about closing and cash; walk the lot and the back"),
    ),
    (
        ("vacant", "abandoned", "foreclosed", "blight", "demolition"),
        ALWAYS,
        N_("Open doors and windows, signs of use, overgrown ground that hides people"),
        N_("Do not enter alone; report what is open to code enforcement; look from all sides"),
    ),
    (
        SCHOOLS,
        BY_DAY,
        N_("The way to and from at start and end of the day, places where older youths wait"),
        N_("Be on the way at those hours; speak with staff and crossing guards"),
    ),
    (
        PARKS,
        BY_DAY,
        N_("Entrances, parking at trail heads, parts that cannot be seen from the street"),
        N_("Walk in from the entrance; speak with regulars; report cut-back and lights"),
    ),
    (
        ("hotel", "hotels", "motel", "motels", "lodging", "inn"),
        ALWAYS,
        N_("Lots at night, doors that are propped open, visits at all hours"),
        N_("Speak with the desk; walk the lot and the outside stairs"),
    ),
    (
        ("laundromat", "laundromats", "laundry", "pharmacy", "pharmacies", "drugstore", "barber"),
        ALWAYS,
        N_("Late hours with few people, entrances out of sight of the street"),
        N_("Step inside and speak with staff; check that the front can be seen from outside"),
    ),
    (
        ("parking", "garage", "lot", "lots"),
        ALWAYS,
        N_("Rows far from the exit, glass on the ground, people who move from car to car"),
        N_("Walk the rows; tell owners of things left in view"),
    ),
    (
        ("light", "lights", "lighting", "lamp"),
        ALWAYS,
        N_("Lamps that are out, trees in front of lamps"),
        N_("Note the pole's number and report it"),
    ),
    (
        ("residential", "care", "shelter", "housing", "apartment", "apartments"),
        ALWAYS,
        N_("Entrances and mail rooms, strangers who follow residents in, paths between buildings"),
        N_("Speak with residents and managers; walk the paths between buildings"),
    ),
    (
        SCHOOLS,
        AT_NIGHT,
        N_("Open doors and windows, people on the grounds after hours, lights that are out"),
        N_("Walk around the buildings; report what is open or dark to the school"),
    ),
    (
        PARKS,
        AT_NIGHT,
        N_("Cars at entrances after closing time, lights that are out"),
        N_("Stop where you can see in and be seen; do not walk in alone"),
    ),
)


def guidance(factors: Iterable[str], hours: Collection[int] = ALWAYS) -> list[tuple[str, str, str]]:
    """Return for each factor of a zone, by name, what it is called, what to look for and to do.

    ``hours`` are the local hours of the visits; advice of other hours is left out. A factor of no
    known kind, and a zone without factors, get what holds anywhere, without a name.

    >>> guidance(["liquor_stores"])[0][0], guidance([])[0][0]
    ('liquor stores', '')
    """
    found = []
    for factor in factors:
        words = set(factor.replace("_", " ").lower().replace("-", " ").split())
        look, do = next(
            (
                (look, do)
                for keys, when, look, do in GUIDES
                if words & set(keys) and when & set(hours)
            ),
            (None, None),
        )
        if look is not None and do is not None:
            found.append((plain(factor), translated(look), translated(do)))
    look, do = map(translated, ANYWHERE)
    return [*found, ("", look, do)]


def quality(document: PlanDocument) -> list[str]:
    """Tell how good a plan is, against what no plan can exceed and against the rule alone."""
    gap, greedy = document.gap, document.greedy
    if gap <= SMALLEST_GAP:
        first = _("All visits that the units can make were placed")
    elif gap < 1:
        first = _(
            "No plan of these visits can be worth more than %(share)s above this one",
            share=share(gap),
        )
    else:
        first = _("No visit could be placed")
    by_streets = document.travel_by == STREETS
    second = _(
        "%(visits)s visits with %(minutes)s minutes of travel by %(way)s; sending whoever is free "
        "to where a visit is due, without a search, would make %(others)s with %(theirs)s",
        visits=document.visits,
        minutes=document.travel_minutes,
        way=_("streets") if by_streets else _("straight lines"),
        others=greedy.visits,
        theirs=greedy.travel_min,
    )
    lines = [first, second]
    if not document.finished:
        lines.append(
            _(
                "The search ended at its limit of %(limit)s seconds: with more time it may find a "
                "better plan",
                limit=f"{document.asked.limit_seconds:g}",
            )
        )
    return [sentence(text) for text in lines]


def gave_way(found: Note) -> str:
    """Tell in a sentence what could not be had, where, and what would help."""
    return GAVE_WAY[found.code](**found.parameters)


def warning(found: Note) -> str:
    """Tell in a sentence what must be known of a plan."""
    return WARNINGS[found.code](**found.parameters)


def printed(document: PlanDocument) -> dict[str, object]:
    """Return a plan as scripts read it: its figures, with the sentences in English."""
    content = to_json(document)
    del content["form"], content["synthetic"]
    content["gave_way"] = [
        {"kind": found.code, "zones": found.parameters["zones"], "words": gave_way(found)}
        for found in document.gave_way
    ]
    content["warnings"] = [warning(found) for found in document.warnings]
    return content


def _where(ranks: Sequence[str], of: int) -> str:
    names = [_("zone %(rank)s", rank=rank) for rank in ranks]
    if len(names) <= 6:
        return listed(names)
    return _("%(number)s of %(of)s zones", number=len(names), of=of)


def _fewer(*, zones: Sequence[str], ranks: Sequence[str], of: int, missing: int) -> str:
    visits = ngettext("%(num)s visit", "%(num)s visits", missing)
    where = _where(ranks, of)
    if len(zones) == 1:
        return _("%(where)s gets %(visits)s fewer than its share", where=where, visits=visits)
    return _("%(where)s get %(visits)s fewer than their share", where=where, visits=visits)


def _unvisited(*, zones: Sequence[str], ranks: Sequence[str], of: int, **figures: int) -> str:
    where, remedy = _where(ranks, of), _remedy(**figures)
    if len(zones) == 1:
        return _(
            "%(where)s gets no visit, as zones where more is expected come first: %(remedy)s",
            where=where,
            remedy=remedy,
        )
    return _(
        "%(where)s get no visit, as zones where more is expected come first: %(remedy)s",
        where=where,
        remedy=remedy,
    )


def _gaps(
    *, zones: Sequence[str], ranks: Sequence[str], of: int, longest: int, **figures: int
) -> str:
    values = {
        "where": _where(ranks, of),
        "gap": figures["gap_minutes"],
        "longest": longest,
        "remedy": _remedy(**figures),
    }
    if len(zones) == 1:
        return _(
            "%(where)s waits longer than %(gap)s minutes, up to %(longest)s: %(remedy)s", **values
        )
    return _("%(where)s wait longer than %(gap)s minutes, up to %(longest)s: %(remedy)s", **values)


def _remedy(
    *, units: int, minutes: int, gap_minutes: int, capacity: int, units_for_rule: int
) -> str:
    if units_for_rule <= units:
        return _(
            "the units are enough for a visit at least every %(gap)s minutes in every zone; try "
            "another seed, or one unit more",
            gap=gap_minutes,
        )
    return _(
        "%(units)s can make about %(capacity)s visits of %(minutes)s minutes; for a visit at least "
        "every %(gap)s minutes in every zone it takes about %(enough)s units, shorter visits or "
        "fewer zones",
        units=ngettext("%(num)s unit", "%(num)s units", units),
        capacity=capacity,
        minutes=minutes,
        gap=gap_minutes,
        enough=units_for_rule,
    )


def _search_ended(*, limit_seconds: float) -> str:
    return _(
        "the search was ended after %(limit)s seconds; another run may give another plan: allow "
        "more with --limit",
        limit=f"{limit_seconds:g}",
    )


def _straight_lines(*, detour: float) -> str:
    return _(
        "no street joins the zones: travel is taken along straight lines times %(detour)s",
        detour=f"{detour:g}",
    )


GAVE_WAY: dict[str, Callable[..., str]] = {
    "fewer": _fewer,
    "unvisited": _unvisited,
    "gaps": _gaps,
}
WARNINGS: dict[str, Callable[..., str]] = {
    "synthetic": lambda: _("Synthetic data: this city does not exist."),
    "search_ended": _search_ended,
    "straight_lines": _straight_lines,
    "no_time_of_day": lambda: _(
        "no incident has a time of day: every hour of a day is taken to be alike"
    ),
}
ELSEWHERE = ("synthetic", "search_ended")  # what pages tell in a place of its own
