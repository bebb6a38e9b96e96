"""Patrol plans in plain words: what gave way, and what to look for and do in a zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.i18n.numbers import listed, plain, sentence, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from spatial.patrol.allocation import PlanSpec
    from spatial.patrol.plan import GaveWay, PatrolPlan

SMALLEST_GAP = 5e-4  # of the bound; less is rounding
ANYWHERE = (
    "People and places that are usual here, and what is not as usual",
    "Be seen, on foot where you can; talk to people; note lights that are out and sight lines that "
    "are blocked",
)
# What a factor's name holds -> what to look for, what to do. General advice about kinds of places.
GUIDES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("bar", "bars", "club", "clubs", "tavern", "pub", "nightclub"),
        "Closing times, crowds outside, people who walk off alone or cannot look after themselves",
        "Speak with door staff and managers; walk the ways to parking and stops at closing time",
    ),
    (
        ("liquor", "alcohol", "package"),
        "Groups that drink outside, people who wait near the door, the sides and back of the shop",
        "Speak with clerks; look at lights and the view through windows; check the lot on foot",
    ),
    (
        ("gas", "fuel", "convenience", "corner"),
        "The pumps and the sides of the lot, people who approach customers, windows covered up",
        "Step inside and speak with clerks; ask for a clear view from street to counter",
    ),
    (
        ("bank", "banks", "atm", "atms", "cash", "check", "pawn"),
        "People who wait without business at machines, dark corners beside them",
        "Stand in view of the machine for a while; report lights that are out to the owner",
    ),
    (
        ("bus", "rail", "railroads", "railroad", "transit", "station", "stop", "stops", "train"),
        "People who wait alone, phones in the open, ways to and from the stop that are not lit",
        "Wait at the stop and walk its ways; report shelters and lights that need repair",
    ),
    (
        ("restaurant", "restaurants", "food", "grocery", "groceries", "supermarket", "cafe"),
        "Delivery and closing times, staff who carry cash, the back door and the lot",
        "Speak with managers about closing and cash; walk the lot and the back",
    ),
    (
        ("vacant", "abandoned", "foreclosed", "blight", "demolition"),
        "Open doors and windows, signs of use, overgrown ground that hides people",
        "Do not enter alone; report what is open to code enforcement; look from all sides",
    ),
    (
        ("school", "schools", "child", "university", "college", "campus"),
        "The way to and from at start and end of the day, places where older youths wait",
        "Be on the way at those hours; speak with staff and crossing guards",
    ),
    (
        ("park", "parks", "trail", "trails", "playground", "recreation", "greenway"),
        "Entrances, parking at trail heads, parts that cannot be seen from the street",
        "Walk in from the entrance; speak with regulars; report cut-back and lights",
    ),
    (
        ("hotel", "hotels", "motel", "motels", "lodging", "inn"),
        "Lots at night, doors that are propped open, visits at all hours",
        "Speak with the desk; walk the lot and the outside stairs",
    ),
    (
        ("laundromat", "laundromats", "laundry", "pharmacy", "pharmacies", "drugstore", "barber"),
        "Late hours with few people, entrances out of sight of the street",
        "Step inside and speak with staff; check that the front can be seen from outside",
    ),
    (
        ("parking", "garage", "lot", "lots"),
        "Rows far from the exit, glass on the ground, people who move from car to car",
        "Walk the rows; tell owners of things left in view",
    ),
    (
        ("light", "lights", "lighting", "lamp"),
        "Lamps that are out, trees in front of lamps",
        "Note the pole's number and report it",
    ),
    (
        ("residential", "care", "shelter", "housing", "apartment", "apartments"),
        "Entrances and mail rooms, strangers who follow residents in, paths between buildings",
        "Speak with residents and managers; walk the paths between buildings",
    ),
)


def guidance(factors: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return for each factor of a zone its name, what to look for and what to do.

    A factor of no known kind, and a zone without factors, get what holds anywhere.

    >>> guidance([{"name": "liquor_stores"}])[0][0]
    'liquor stores'
    """
    found = []
    for factor in factors:
        name = plain(factor["name"])
        words = set(name.lower().replace("-", " ").split())
        look, do = next(
            ((look, do) for keys, look, do in GUIDES if words & set(keys)), (None, None)
        )
        if look is not None and do is not None:
            found.append((name, look, do))
    return [*found, ("anywhere", *ANYWHERE)]


def quality(document: Mapping[str, Any]) -> list[str]:
    """Tell how good a plan is, against what no plan can exceed and against the rule alone."""
    gap, greedy = document["gap"], document["greedy"]
    lines = [
        "All visits that the units can make were placed"
        if gap <= SMALLEST_GAP
        else f"No plan of these visits can be worth more than {share(gap)} above this one"
        if gap < 1
        else "No visit could be placed",
        f"{document['visits']} visits with {document['travel_minutes']} minutes of travel by "
        f"{document['travel_by']}; sending whoever is free to where a visit is due, without a "
        f"search, would make {greedy['visits']} with {greedy['travel_min']}",
    ]
    if not document["finished"]:
        lines.append(
            f"The search ended at its limit of {document['asked']['limit_seconds']:g} seconds: "
            "with more time it may find a better plan"
        )
    return [sentence(text) for text in lines]


def gave_way(found: GaveWay, plan: PatrolPlan, spec: PlanSpec, ranks: Sequence[int]) -> str:
    """Tell in a sentence what could not be had, where, and what would help."""
    names = [f"zone {ranks[zone]}" for zone in found.zones]
    where = listed(names) if len(names) <= 6 else f"{len(names)} of {len(ranks)} zones"
    one = len(names) == 1
    if found.kind == "fewer":
        missing = sum(plan.zones[zone].target - plan.zones[zone].visits for zone in found.zones)
        visits = "1 visit" if missing == 1 else f"{missing} visits"
        get = "gets" if one else "get"
        return f"{where} {get} {visits} fewer than {'its' if one else 'their'} share"
    units = "1 unit" if spec.units == 1 else f"{spec.units} units"
    enough = f"a visit at least every {spec.gap_min} minutes in every zone"
    remedy = (
        f"{units} can make about {plan.capacity} visits of {spec.visit_min} minutes; for {enough} "
        f"it takes about {plan.units_for_rule} units, shorter visits or fewer zones"
        if plan.units_for_rule > spec.units
        else f"the units are enough for {enough}; try another seed, or one unit more"
    )
    if found.kind == "unvisited":
        first = "zones where more is expected come first"
        return f"{where} {'gets' if one else 'get'} no visit, as {first}: {remedy}"
    longest = max(plan.zones[zone].longest_gap_min for zone in found.zones)
    wait = "waits" if one else "wait"
    return f"{where} {wait} longer than {spec.gap_min} minutes, up to {longest}: {remedy}"
