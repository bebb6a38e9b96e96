"""Two runs side by side: settings, factors, scores, zones, and how they did later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import jsonify, render_template, request

from app import forms
from app.admin.city import shell, staff_city
from app.auth.guard import require_visitor
from app.extensions import workroom
from app.i18n import numbers
from app.usecases.risk.analyses import compare as compare_runs
from app.usecases.risk.run_access import read_run, readable_runs
from app.workbench.results_maps import bp, comparison_map
from app.workbench.results_pages import OPERATIONS
from geodata.analysis_documents import ValidationDocument
from geodata.documents import to_json
from geodata.repositories import runs
from geodata.repositories.run_analyses import analyses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.typing import ResponseReturnValue

    from app.usecases.risk.analyses import (
        ComparedFactor,
        ComparedScores,
        ComparedZones,
    )
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord, RunSummary
    from geodata.run_document import FactorEffect

SCORED = {"combined": "Combined risk", "rtm": "Risk terrain alone"}
TOP = (0.01, 0.05, 0.1)  # shares of the area at which validations are set side by side


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One thing reported of both runs."""

    name: str
    one: str
    two: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """How much of the zones' area each run has in common with the other."""

    both: str
    of_one: str
    of_two: str
    lost: int
    gained: int
    kept: int


@dataclass(frozen=True, kw_only=True)
class ComparePage:
    """Two runs."""

    one: str
    two: str
    told: tuple[Pair, ...]
    settings: tuple[Pair, ...]
    factors: tuple[Pair, ...]
    agreement: tuple[tuple[str, str, str], ...]
    cells: str
    shares: Shares
    validation: tuple[Pair, ...]
    periods: tuple[str, str]
    same_period: bool


@bp.get("/<city>/compare")
def compare(city: str) -> ResponseReturnValue:
    """Set two runs side by side, or let two be chosen."""
    record = staff_city(city)
    listed = _listed(record)
    one, two = (forms.choice(request.args, name, [r.id for r in listed]) for name in ("one", "two"))
    page = None
    if one and two and one != two:
        page = _page(*_both(record, one, two))
    return render_template(
        "analyst/compare.html",
        shell=shell(record),
        runs=[(run.id, _label(run)) for run in listed],
        one=one,
        two=two,
        page=page,
    )


@bp.get("/<city>/compare/map.json")
def compare_map(city: str) -> ResponseReturnValue:
    """Give the zones of two runs on one map."""
    record = staff_city(city)
    one, two = _both(record, request.args.get("one", ""), request.args.get("two", ""))
    return jsonify(comparison_map(one, two, record))


def _listed(city: CityRecord) -> list[RunSummary]:
    """List the runs that the person may read."""
    which = readable_runs(require_visitor().person, city, runs.EVERY_RUN)
    with workroom().database.session() as session:
        found = runs.list_runs(session, city.slug, which)
    return [run for run in found if run.readable]


def _both(city: CityRecord, one: str, two: str) -> tuple[RunRecord, RunRecord]:
    person = require_visitor().person
    with workroom().database.session() as session:
        found = [read_run(session, person, city, name).own for name in (one, two)]
    return found[0], found[1]


def _label(run: RunSummary) -> str:
    scope = "" if run.scope == "city" else f", district {run.scope}"
    return (
        f"{numbers.plain(run.outcome)}{scope}, {run.period_from} to {run.period_to} "
        f"({run.id}, {run.created_at:%Y-%m-%d %H:%M})"
    )


def _page(one: RunRecord, two: RunRecord) -> ComparePage:
    result, units = compare_runs(one, two), numbers.Units(one.zones.crs.to_wkt())
    with workroom().database.session() as session:
        scored = [analyses_of(session, run.id, ValidationDocument) for run in (one, two)]
    newest = [found[0] if found else None for found in scored]
    periods = [_period(found) for found in newest]
    return ComparePage(
        one=one.id,
        two=two.id,
        told=_describe(one, two),
        settings=_settings(one, two),
        factors=tuple(_factor(factor, units) for factor in result.factors),
        agreement=_agreement(result.scores),
        cells=numbers.number(result.scores.cells) if result.scores else "",
        shares=_shares(one, two, result.zones),
        validation=_validation(newest[0], newest[1]),
        periods=(periods[0], periods[1]),
        same_period=periods[0] == periods[1],
    )


def _describe(one: RunRecord, two: RunRecord) -> tuple[Pair, ...]:
    """Tell what each run is about and what it found."""

    def row(name: str, of: Any) -> Pair:
        return Pair(name=name, one=of(one), two=of(two))

    return (
        row("Outcome", lambda run: numbers.plain(run.outcome)),
        row("Where", lambda run: "whole city" if run.scope == "city" else f"district {run.scope}"),
        row(
            "Period",
            lambda run: numbers.period(
                numbers.day(run.period_from), numbers.last_day(run.period_to)
            ),
        ),
        row("Incidents", lambda run: numbers.number(run.result.incidents)),
        row("Family", lambda run: numbers.FAMILIES[run.result.model.family]),
        row("BIC", lambda run: numbers.number(run.result.model.bic, 1)),
        row("Highest score", lambda run: numbers.number(run.result.score.max, 1)),
        row("Zones", lambda run: numbers.number(len(run.zones))),
        row("Data", lambda run: run.data_sha256[:12]),
    )


def _settings(one: RunRecord, two: RunRecord) -> tuple[Pair, ...]:
    """Return the settings in which two runs differ."""
    left, right = dict(_flat(to_json(one.spec))), dict(_flat(to_json(two.spec)))
    left["software version"], right["software version"] = one.code_version, two.code_version
    return tuple(
        Pair(name=name, one=left.get(name, "–"), two=right.get(name, "–"))
        for name in dict.fromkeys([*left, *right])
        if left.get(name) != right.get(name)
    )


def _flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Write nested settings as names and values; factors are named by themselves."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name} {key}".strip().replace("_", " "))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for one in value:
            label = numbers.plain(str(one.get("name", "")))
            inner = ", ".join(f"{key} {result}" for key, result in one.items() if key != "name")
            yield f"{name} {label}".strip(), inner.replace("_", " ")
    elif isinstance(value, list):
        yield name, ", ".join(str(one) for one in value)
    else:
        yield name, str(value)


def _factor(factor: ComparedFactor, units: numbers.Units) -> Pair:
    lines = [_rrv(one, units) for one in factor.runs]
    return Pair(name=numbers.plain(factor.name), one=lines[0], two=lines[1])


def _rrv(found: FactorEffect | None, units: numbers.Units) -> str:
    if found is None:
        return "not in the model"
    low, high = numbers.number(found.rrv_low, 2), numbers.number(found.rrv_high, 2)
    how = OPERATIONS.get(found.operation, found.operation)
    return (
        f"{numbers.number(found.rrv, 2)} ({numbers.interval(low, high)}), {how}, "
        f"{units.length(found.distance)}"
    )


def _agreement(scores: ComparedScores | None) -> tuple[tuple[str, str, str], ...]:
    if scores is None:
        return ()
    found = ((SCORED["combined"], scores.combined), (SCORED["rtm"], scores.rtm))
    return tuple(
        (
            title,
            "–" if one.rank_correlation is None else numbers.number(one.rank_correlation, 3),
            numbers.share(one.top_shared),
        )
        for title, one in found
    )


def _shares(one: RunRecord, two: RunRecord, zones: ComparedZones) -> Shares:
    first, second = one.zones.geometry.union_all(), two.zones.geometry.union_all()
    both, whole = first.intersection(second).area, first.union(second).area

    def part(area: float, of: float) -> str:
        return numbers.share(area / of) if of else "–"

    return Shares(
        both=part(both, whole),
        of_one=part(both, first.area),
        of_two=part(both, second.area),
        kept=len(zones.kept),
        lost=len(zones.lost),
        gained=len(zones.gained),
    )


def _period(found: ValidationDocument | None) -> str:
    return f"{found.start} to {found.end} (not included)" if found else "not validated"


def _validation(one: ValidationDocument | None, two: ValidationDocument | None) -> tuple[Pair, ...]:
    """Set the newest validations side by side; nothing where neither run has one."""
    if one is None and two is None:
        return ()
    rows = [
        Pair(name="Hit rate of the zones", one=_zone_hits(one), two=_zone_hits(two)),
        Pair(name="PAI of the zones", one=_zone_pai(one), two=_zone_pai(two)),
    ]
    for share in TOP:
        for name, title in SCORED.items():
            lines = [_level(found, share, name) for found in (one, two)]
            if any(lines):
                at = f"PAI at {numbers.share(share)} of the area, {title.lower()}"
                rows.append(Pair(name=at, one=lines[0] or "–", two=lines[1] or "–"))
    return tuple(rows)


def _zone_hits(found: ValidationDocument | None) -> str:
    zones = found.zones if found else None
    if zones is None or zones.hit_rate is None:
        return "–"
    low, high = numbers.share(zones.hit_rate_low or 0.0), numbers.share(zones.hit_rate_high or 0.0)
    return f"{numbers.share(zones.hit_rate)} ({numbers.interval(low, high)})"


def _zone_pai(found: ValidationDocument | None) -> str:
    if found is None or found.zones.pai is None:
        return "–"
    return f"{numbers.number(found.zones.pai, 1)} times chance"


def _level(found: ValidationDocument | None, share: float, name: str) -> str:
    if found is None:
        return ""
    for level in found.levels:
        if abs(level.share - share) < 1e-9:
            score = level.scores[name]
            low, high = numbers.number(score.pai_low, 1), numbers.number(score.pai_high, 1)
            return f"{numbers.number(score.pai, 1)} ({numbers.interval(low, high)})"
    return ""
