"""What the accountability page shows, as typed values read from a release."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.i18n import numbers
from app.i18n.language import translated
from app.maps.shapes import district_label
from app.public import open_data, release_words
from app.public.method_words import NAME as NOTICES
from app.public.released_figures import SMALL
from geodata.measures.spans import LAST_YEAR
from geodata.releases.measure_files import COURSE, measures_in
from geodata.releases.rules import SHOWN_WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geodata.releases.folder import ReleaseFolder

ACCOUNT = "data/zones_accountability.csv"
HEADLINE = LAST_YEAR
MOST_RUNS = 8
BAR = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How the zones of one run did after the data of the first release that showed them."""

    label: str
    rate: float
    low: float
    high: float
    area: float
    prior: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One earlier release in the table; ``beside`` compares it with earlier counts in words."""

    release: str
    withdrawn: bool
    outcome: str
    days: str
    n: str
    hits: str
    rate: str
    interval: str
    area: str
    pai: str
    pai_interval: str
    prior: str
    beside: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareBar:
    """A share in words and as the length of a bar in percent of the longest; empty: not told."""

    told: str
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """Shares of one district, or of one group of people in each kind of area."""

    name: str
    bars: tuple[ShareBar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who lives in the city, in zones and near alerts; ``heads`` tell how many people in all."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[ShareRow, ...]
    by_district: tuple[tuple[str, ...], ...]
    district_heads: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """What officers did, by district in the last 12 months; ``absent`` are measures not told."""

    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    absent: tuple[str, ...]
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """What zones kept, how evenly they and alerts fall, who lives there, what was enforced."""

    release: str
    through: str
    verdict: AccountRow | None
    scores: tuple[Score, ...]
    rows: tuple[AccountRow, ...]
    district_heads: tuple[str, ...]
    districts: tuple[ShareRow, ...]
    uneven: tuple[str, ...]
    alert_days: str
    outcome: str
    trained: str
    people: People | None
    enforcement: Enforcement | None


def account_page(release: ReleaseFolder, withdrawn: Collection[str]) -> AccountPage:
    """Tell everything that a release says of how zones did and on whom they fall.

    ``withdrawn`` are the releases withdrawn by now: a release knows only of those before it.
    """
    rows = open_data.table(release, ACCOUNT)
    run = release.manifest.run
    heads, districts = _districts(release)
    even = open_data.table(release, "data/districts.csv")
    days = next((_days(row) for row in even if row["from"]), "")
    return AccountPage(
        release=release.id,
        through=release_words.through(release),
        verdict=_verdict(rows),
        scores=scores(release),
        rows=tuple(_row(row, withdrawn=row["release"] in withdrawn) for row in reversed(rows)),
        district_heads=heads,
        districts=districts,
        uneven=_uneven(even),
        alert_days=days,
        outcome=numbers.plain(run.outcome) if run else "",
        trained=_period(run.start, run.end) if run else "",
        people=_people(release),
        enforcement=_enforcement(release),
    )


def scores(release: ReleaseFolder) -> tuple[Score, ...]:
    """Return the longest account of each run, newest first: that of the first release with it."""
    first = {
        row["run"]: row for row in reversed(open_data.table(release, ACCOUNT)) if row["hit_rate"]
    }
    longest = sorted(first.values(), key=lambda row: row["from"], reverse=True)[:MOST_RUNS]
    return tuple(
        Score(
            label=_(
                "%(outcome)s, release %(release)s\n%(hits)s of %(n)s since %(day)s",
                outcome=numbers.plain(row["outcome"]),
                release=row["release"],
                hits=row["hits"],
                n=row["n"],
                day=numbers.day(dt.date.fromisoformat(row["from"])),
            ),
            rate=float(row["hit_rate"]),
            low=float(row["low"]),
            high=float(row["high"]),
            area=float(row["area_share"]),
            prior=float(row["prior_hit_rate"]) if row["prior_hit_rate"] else None,
        )
        for row in longest
    )


def _verdict(rows: Sequence[Mapping[str, str]]) -> AccountRow | None:
    """Tell of the release that was followed longest: the one with most later incidents."""
    lines = [row for row in rows if row["hit_rate"]]
    if not lines:
        return None
    return _row(max(lines, key=lambda one: int(one["n"])), withdrawn=False)


def _beside(row: Mapping[str, str]) -> str:
    """Compare zones with as many cells chosen by earlier counts, without saying more than known."""
    if not row["prior_hit_rate"]:
        return _("What earlier counts alone would have held is not known for this release.")
    rate, prior = float(row["hit_rate"]), float(row["prior_hit_rate"])
    low, high = float(row["low"]), float(row["high"])
    kept = numbers.share(prior)
    if low <= prior <= high:
        return _(
            "As many cells, chosen only by where incidents were before, would have held %(share)s: "
            "the difference to the zones is within what chance does to so few incidents.",
            share=kept,
        )
    if prior > rate:
        return _(
            "As many cells, chosen only by where incidents were before, would have held %(share)s: "
            "more than the zones did, and by more than chance explains.",
            share=kept,
        )
    return _(
        "As many cells, chosen only by where incidents were before, would have held %(share)s: "
        "fewer than the zones did, and by more than chance explains.",
        share=kept,
    )


def _untold(row: Mapping[str, str]) -> str:
    """Say why hits are not given."""
    return translated(SMALL) if row["shown"] == SHOWN_WORDS[1] else _("Not told")


def _row(row: Mapping[str, str], *, withdrawn: bool) -> AccountRow:
    result = bool(row["hit_rate"])
    untold = _("none happened") if row["hits"] else _untold(row)
    return AccountRow(
        release=row["release"],
        withdrawn=withdrawn or row["state"] == "withdrawn",
        outcome=numbers.plain(row["outcome"]),
        days=_days(row),
        n=numbers.number(int(row["n"])),
        hits=numbers.number(int(row["hits"])) if row["hits"] else untold,
        rate=numbers.share(float(row["hit_rate"])) if result else untold,
        interval=_interval(row) if result else "",
        area=numbers.share(float(row["area_share"])),
        pai=f"{float(row['pai']):.1f}" if row["pai"] else "",
        pai_interval=f"{float(row['pai_low']):.1f}–{float(row['pai_high']):.1f}"
        if row["pai"]
        else "",
        prior=numbers.share(float(row["prior_hit_rate"]))
        if row["prior_hit_rate"]
        else _("no data"),
        beside=_beside(row) if result else "",
    )


def _districts(release: ReleaseFolder) -> tuple[tuple[str, ...], tuple[ShareRow, ...]]:
    """Set the districts' shares side by side; a column that nothing is reported of is left out."""
    rows = open_data.table(release, "data/districts.csv")
    people, visits = _share_of_people(release), _share_of_visits(release)
    columns = {
        _("Area"): [row["area_share"] for row in rows],
        _("Residents"): [people.get(row["district"], "") for row in rows],
        _("Incidents"): [row["incidents_share"] for row in rows],
        _("Zone area"): [row["zones_share"] for row in rows],
        _("Alerts"): [row["alerts_share"] for row in rows],
        _("Patrol visits"): [visits.get(row["district"], "") for row in rows],
    }
    kept = {head: values for head, values in columns.items() if any(values)}
    most = max((float(v) for values in kept.values() for v in values if v), default=1.0)
    return tuple(kept), tuple(
        ShareRow(
            name=district_label("", {"": row["name"]}),
            bars=tuple(_bar(values[position], most) for values in kept.values()),
        )
        for position, row in enumerate(rows)
    )


def _uneven(rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Name the district in which zones, and alerts, weigh most against its area."""
    lines = []
    for key, sentence in (
        (
            "zones_share",
            _("%(name)s has %(share)s of the zones' area on %(area)s of the city's."),
        ),
        ("alerts_share", _("%(name)s has %(share)s of the alerts on %(area)s of the area.")),
    ):
        known = [row for row in rows if row[key] and row["area_share"] not in ("", "0")]
        if len(known) < 2:
            continue
        top = max(known, key=lambda row: float(row[key]) / float(row["area_share"]))
        shares = {k: numbers.share(float(top[k])) for k in (key, "area_share")}
        lines.append(
            sentence
            % {
                "name": district_label("", {"": top["name"]}),
                "share": shares[key],
                "area": shares["area_share"],
            }
        )
    return tuple(lines)


def _share_of_people(release: ReleaseFolder) -> dict[str, str]:
    """Return each district's share of everybody in districts."""
    rows = [
        row
        for row in open_data.table(release, "data/residents.csv")
        if row["area"] == "district" and not row["group"] and row["people"]
    ]
    total = sum(int(row["people"]) for row in rows)
    return {row["district"]: str(int(row["people"]) / total) for row in rows if total}


def _share_of_visits(release: ReleaseFolder) -> dict[str, str]:
    """Return each district's share of the last 12 months' patrol visits to districts."""
    rows = [
        row
        for row in open_data.table(release, "data/measures.csv")
        if (row["measure"], row["period"]) == ("dosage.visits", HEADLINE)
        and row["district"]
        and row["value"]
    ]
    total = sum(float(row["value"]) for row in rows)
    return {row["district"]: str(float(row["value"]) / total) for row in rows if total}


def _people(release: ReleaseFolder) -> People | None:
    rows = open_data.table(release, "data/residents.csv")
    if not rows:
        return None
    kinds = {
        "city": _("Whole city"),
        "zones": _("Inside zones"),
        "alerts": _("Near alerts"),
    }
    document = {(row["area"], row["district"], row["group"]): row for row in rows}
    there = [kind for kind in kinds if (kind, "", "") in document]
    groups = list(dict.fromkeys(row["group"] for row in rows if row["group"]))
    most = max((float(row["share"]) for row in rows if row["group"] and row["share"]), default=1.0)
    names = open_data.districts(release)
    return People(
        heads=tuple((kinds[kind], _count(document[kind, "", ""])) for kind in there),
        rows=tuple(
            ShareRow(
                name=group,
                bars=tuple(_bar(document[kind, "", group]["share"], most) for kind in there),
            )
            for group in groups
        ),
        by_district=tuple(
            (
                district_label("", {"": names[code]}),
                kinds.get(kind, _("Whole district")),
                _count(document[kind, code, ""]),
                *(_percent(document[kind, code, group]["share"]) for group in groups),
            )
            for code in names
            for kind in ("district", "zones", "alerts")
            if (kind, code, "") in document
        ),
        district_heads=tuple(groups),
        about=str(open_data.document(release, NOTICES).get("residents", "")),
    )


def _enforcement(release: ReleaseFolder) -> Enforcement | None:
    """Tell stops, arrests and citations by district, as the measures tell them."""
    site = {COURSE: release.read(COURSE)} if COURSE in release.files else {}
    known = [one for one in measures_in(site).values() if one.enforcement]
    known.sort(key=lambda one: one.group != "dosage")  # patrols first, then what came of them
    titles = {one.id: translated(one.enforcement) for one in known}
    rows = [
        row
        for row in open_data.table(release, "data/measures.csv")
        if row["period"] == HEADLINE and row["measure"] in titles
    ]
    by_place = {(row["measure"], row["district"]): row for row in rows}
    lines = [one for one in titles if _is_told(by_place.get((one, "")))]
    if not lines:
        return None
    names = {**open_data.districts(release), "": _("Whole city")}
    return Enforcement(
        heads=tuple((one, titles[one]) for one in lines),
        rows=tuple(
            (district_label("", {"": name}), *(_figure(by_place.get((one, code))) for one in lines))
            for code, name in names.items()
        ),
        absent=tuple(title for one, title in titles.items() if one not in lines),
        period=_days(by_place[lines[0], ""]),
    )


def _is_told(row: Mapping[str, str] | None) -> bool:
    return row is not None and bool(row["value"] or row["shown"])


def _figure(row: Mapping[str, str] | None) -> str:
    if row is None or not _is_told(row):
        return _("no data")
    return translated(row["shown"]) or numbers.number(float(row["value"]))


def _count(row: Mapping[str, str]) -> str:
    return translated(row["shown"]) or numbers.number(int(row["people"]))


def _percent(share: str) -> str:
    return numbers.share(float(share)) if share else "–"


def _bar(share: str, most: float) -> ShareBar:
    if not share:
        return ShareBar(told=_("not told"), length=0.0)
    return ShareBar(told=numbers.share(float(share)), length=round(BAR * float(share) / most, 1))


def _interval(row: Mapping[str, str]) -> str:
    return _(
        "%(low)s to %(high)s",
        low=numbers.share(float(row["low"])),
        high=numbers.share(float(row["high"])),
    )


def _days(row: Mapping[str, str]) -> str:
    first, end = (dt.date.fromisoformat(row[key]) for key in ("from", "to"))
    return _period(first, end)


def _period(first: dt.date, end: dt.date) -> str:
    return _("%(first)s to %(last)s", first=numbers.day(first), last=numbers.last_day(end))
