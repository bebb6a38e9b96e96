"""What each public page shows, as typed values; templates read these and nothing else."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from flask_babel import gettext as _
from flask_babel import ngettext
from pyproj import Transformer

from app.i18n import measure_words, numbers, place_words, run_words, zone_words
from app.i18n.language import N_, translated
from app.maps.palette import RISK_HEX
from app.maps.shapes import district_label, zone_number, zone_title
from app.public.scores import gain_words
from spatial.zones.describe import MOSTLY, reasons_of, zone_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from app.maps.bundle import Bundle
    from app.public.headlines import Headline
    from app.public.initiative_pages import InitiativesInShort
    from app.public.published_city import CurrentRelease, PublicCityView, PublicRun, RunContext
    from geodata.analysis_documents import ResampledFactor
    from geodata.import_report import SourceReport
    from geodata.run_document import DistrictEffect, FactorEffect
    from spatial.zones.names import Nearby

LEAST_WEIGHT = 0.005
NEAR_M = 250.0  # an approximate area reaches about so far
ALLOTMENTS = {
    "even": N_("evenly, by their area"),
    "expected": N_("by the incidents that each expects"),
    "city": N_("where the city's best cells are"),
}
SORTS = {"district": N_("District"), "surroundings": N_("Surroundings"), "area": N_("Area")}
SORTED_BY = {"surroundings": "environment_share", "area": "area"}


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around every page.

    ``calendar`` is the day at which a synthetic city's calendar stands still, ``rules`` the version
    of the rules that the release was made under, ``preview`` how long ago a preview was made.
    """

    city: str
    slug: str
    synthetic: bool
    outcome: str
    period: str
    run: str
    others: tuple[tuple[str, str], ...]
    data_through: str
    stale: bool
    calendar: str
    release: str
    approved: str
    rules: str
    preview: str


@dataclass(frozen=True, kw_only=True)
class ZoneRow:
    """One zone in a table."""

    id: str
    district: str
    district_name: str
    rank: int
    title: str
    number: str
    kind: str
    reasons: tuple[str, ...]
    brief: str
    surroundings: str
    parts: str
    area: str
    stability: str


@dataclass(frozen=True, kw_only=True)
class LegendEntry:
    """One class of the legend in words, with the share of the area it covers."""

    colour: str
    words: str
    share: str


@dataclass(frozen=True, kw_only=True)
class HomePage:
    """The front page."""

    zones: int
    districts: int
    incidents: str
    tops: tuple[ZoneRow, ...]
    kinds: str
    factors: tuple[str, ...]
    picture: str
    bundle: Bundle
    standing: InitiativesInShort | None
    headlines: tuple[Headline, ...]


@dataclass(frozen=True, kw_only=True)
class ZonesPage:
    """The table of zones; ``factors`` and ``shares`` are those of :func:`zone_words.matrix`."""

    rows: tuple[ZoneRow, ...]
    districts: tuple[tuple[str, str], ...]
    district: str | None
    sort: str
    kinds: str
    sorts: tuple[tuple[str, str], ...]
    factors: Sequence[tuple[str, str, str]]
    shares: Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One reason of a zone, its relative risk and interval; the bar is in percent of the axis."""

    sentence: str
    rrv: str
    low: str
    high: str
    bar: float
    from_: float
    to: float
    extent: str
    others: str


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a combined risk; ``cut`` is the environment's part of the bar in percent."""

    environment: str
    history: str
    cut: float


@dataclass(frozen=True, kw_only=True)
class ZonePage:
    """One zone."""

    row: ZoneRow
    whole: str
    near: Nearby | None
    reasons: tuple[Reason, ...]
    parts: Parts
    past_first: bool
    hot_spot: bool
    axis: str
    of: int
    picture: str
    around: str
    weeks: tuple[str, str] | None


@dataclass(frozen=True, kw_only=True)
class CombinedPart:
    """The combined risk: whether zones follow it, its two parts, its components, and its gain."""

    followed: bool
    parts: Parts
    components: tuple[tuple[str, str], ...]
    half_life: str
    gain: str


@dataclass(frozen=True, kw_only=True)
class CertaintyPart:
    """What a bootstrap of the whole selection says; one row a factor."""

    replicates: str
    blocks: str
    factors: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, kw_only=True)
class MethodsPage:
    """Method, definitions, settings and what was left out."""

    family: str
    bic: str
    alternatives: tuple[tuple[str, str], ...]
    factors: tuple[tuple[str, str, str, str], ...]
    candidates: int
    screened: int
    dropped: int
    cells: str
    cell: str
    block: str
    score_max: str
    score_mean: str
    top_share: str
    legend: tuple[LegendEntry, ...]
    combined: CombinedPart
    diagnostics: tuple[tuple[str, str, str], ...]
    certainty: CertaintyPart | None
    districts: tuple[tuple[str, ...], ...]
    sensitivity: tuple[tuple[str, ...], ...]
    edited: tuple[str, ...]
    warnings: tuple[str, ...]
    limits: tuple[str, ...]
    reports: tuple[SourceReport, ...]
    settings: tuple[tuple[str, str], ...]


def frame(published: PublicCityView) -> Frame:
    """Tell what city and which run a page is about."""
    run = published.run
    period = ""
    if run is not None:
        period = numbers.period(numbers.day(run.period_from), numbers.last_day(run.period_to))
    return Frame(
        city=published.city.name,
        slug=published.city.slug,
        synthetic=published.city.synthetic,
        outcome=numbers.plain(run.outcome) if run else "",
        period=period,
        run=run.id if run else "",
        others=tuple((other.slug, other.name) for other in published.others),
        data_through=numbers.day(published.through),
        stale=published.stale,
        calendar=numbers.day(published.city.today) if published.city.today else "",
        release=published.release.id,
        approved=numbers.day(published.release.approved) if published.release.approved else "",
        rules=str(published.release.rules),
        preview=_previewed(published.release),
    )


def _previewed(release: CurrentRelease) -> str:
    """Return how long ago a preview was made, nothing of what is published."""
    return measure_words.minutes_ago(release.previewed) if release.previewed else ""


def zone_rows(context: RunContext, run: PublicRun) -> tuple[ZoneRow, ...]:
    """Tell every zone of a run, by district and rank."""
    units = numbers.Units(context.city.crs)
    names = dict(zip(context.city.districts["code"], context.city.districts["name"], strict=True))
    certain = context.certainty.zones if context.certainty else ()
    kept = {zone.id: zone.stability for zone in certain}
    return tuple(
        ZoneRow(
            id=zone.id,
            district=zone.district,
            district_name=district_label(zone.district, names),
            rank=int(zone.rank),
            title=zone_title(zone, names),
            number=zone_number(zone, names) if place_words.called(zone) else "",
            kind=zone_words.kind(zone),
            reasons=zone_words.reasons(zone, units),
            brief=zone_words.brief(zone, units),
            surroundings=numbers.share(zone.environment_share),
            parts=zone_words.parts(zone.environment_share),
            area=units.area(zone.area),
            stability=numbers.share(kept[zone.id]) if zone.id in kept else "",
        )
        for zone in run.zones.itertuples()
    )


def sorted_rows(run: PublicRun, rows: tuple[ZoneRow, ...], sort: str) -> tuple[ZoneRow, ...]:
    """Sort by a column, the largest first; by district keeps district and rank."""
    if sort == "district":
        return rows
    order = (
        run.zones[SORTED_BY[sort]]
        .reset_index(drop=True)
        .sort_values(ascending=False, kind="stable")
    )
    return tuple(rows[i] for i in order.index)


def legend(run: PublicRun) -> tuple[LegendEntry, ...]:
    """Tell the classes, highest first."""
    return tuple(
        LegendEntry(
            colour=RISK_HEX[number],
            words=translated(numbers.CLASSES[number]),
            share=numbers.share(run.class_shares[number]),
        )
        for number in (3, 2, 1, 0)
    )


def followed(run: PublicRun) -> str:
    """Tell what the zones of a run were cut from."""
    if run.result.zones_from == "combined":
        return _("Zones, cut from past incidents and surroundings together")
    return _("Zones, cut from the surroundings alone")


def zone_page(
    context: RunContext,
    run: PublicRun,
    row: ZoneRow,
    picture: str,
    weeks: tuple[str, str] | None,
) -> ZonePage:
    """Tell one zone: its reasons with the interval of each relative risk.

    ``weeks`` are the first and the last that the link to alerts near it asks for.
    """
    units = numbers.Units(context.city.crs)
    zone = run.zones[run.zones["id"] == row.id].iloc[0]
    table = {factor.key: factor for factor in run.result.model.factors}
    highest = max((factor.rrv_high for factor in run.result.model.factors), default=1.0)
    lines = []
    others = Counter(
        factor.key
        for one in run.zones.itertuples()
        if one.id != row.id
        for factor in reasons_of(one.factors)
    )
    for factor in sorted(reasons_of(zone["factors"]), key=lambda one: others[one.key]):
        full = table[factor.key]
        lines.append(
            Reason(
                sentence=zone_words.sentence_case(numbers.where(factor, units)),
                rrv=numbers.number(full.rrv, 1),
                low=numbers.number(full.rrv_low, 1),
                high=numbers.number(full.rrv_high, 1),
                bar=round(100 * full.rrv / highest, 1),
                from_=round(100 * full.rrv_low / highest, 1),
                to=round(100 * full.rrv_high / highest, 1),
                extent=zone_words.extent(factor),
                others=_also_elsewhere(others[factor.key], len(run.zones) - 1),
            )
        )
    return ZonePage(
        row=row,
        whole=place_words.whole(zone["place_name"]) if zone["place_name"] else row.title,
        near=zone["place_name"].near if zone["place_name"] else None,
        reasons=tuple(lines),
        parts=_parts(zone["environment_share"]),
        past_first=zone["environment_share"] <= MOSTLY,
        hot_spot=zone_kind(zone["environment_share"]) == "hot spot",
        axis=numbers.number(highest),
        of=int((run.zones["district"] == row.district).sum()),
        picture=picture,
        around=_around(zone.geometry, context.city.crs),
        weeks=weeks,
    )


def _also_elsewhere(number: int, of: int) -> str:
    """Tell how many of the other zones have a reason too."""
    if number == 0:
        return _("No other zone has this reason.")
    if number == of:
        return _("All other zones have this reason too.")
    return _("%(number)s of the %(of)s other zones have this reason too.", number=number, of=of)


def _around(shape: BaseGeometry, crs: str) -> str:
    """Return a circle that holds a zone and what is near it, as addresses of areas name it."""
    middle, metres = shape.centroid, numbers.Units(crs).metres
    reach_m = shapely.hausdorff_distance(middle, shape) * metres + NEAR_M
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(middle.x, middle.y)
    return f"{lat:.5f},{lon:.5f},{math.ceil(reach_m / 50) * 50}"


def _parts(environment: float) -> Parts:
    return Parts(
        environment=numbers.share(environment),
        history=numbers.share(1.0 - environment),
        cut=round(100 * environment, 1),
    )


def methods_page(context: RunContext, run: PublicRun) -> MethodsPage:
    """Tell how the shown run was made."""
    units, result = numbers.Units(context.city.crs), run.result
    model = result.model
    return MethodsPage(
        family=translated(numbers.FAMILIES[model.family]),
        bic=numbers.number(model.bic, 1),
        alternatives=tuple(
            (translated(numbers.FAMILIES[other.family]), numbers.number(other.bic, 1))
            for other in result.alternatives
        ),
        factors=tuple(
            (
                numbers.where(f, units),
                numbers.number(f.rrv, 2),
                _rrv_interval(f),
                f"{numbers.number(f.coefficient, 4)} ({numbers.number(f.se, 4)})",
            )
            for f in model.factors
        ),
        candidates=result.candidates,
        screened=result.screened,
        dropped=len(result.dropped),
        cells=numbers.number(result.grid.cells),
        cell=units.length(run.spec.grid.cell_units),
        block=units.length(run.spec.grid.block_units),
        score_max=numbers.number(result.score.max, 1),
        score_mean=numbers.number(result.score.mean, 2),
        top_share=numbers.share(result.score.share_above_2sd),
        legend=legend(run),
        combined=_combined_part(run, units),
        diagnostics=_diagnostics(run),
        certainty=_certainty(context, units),
        districts=_districts(context, run, units),
        sensitivity=_sensitivity(context, units),
        edited=_edited(run),
        warnings=run_words.sentences(result.warnings),
        limits=tuple(translated(limit) for limit in numbers.LIMITS),
        reports=tuple(context.reports),
        settings=_settings(run),
    )


def _edited(run: PublicRun) -> tuple[str, ...]:
    """Say that zones are not as the model cut them."""
    if run.edited is None:
        return ()
    day, steps = run.edited
    return (
        ngettext(
            "A person changed the zones that the model had cut: %(num)s step, on %(day)s.",
            "A person changed the zones that the model had cut: %(num)s steps, the last on "
            "%(day)s.",
            steps,
            day=numbers.day(day),
        ),
    )


def _rrv_interval(factor: FactorEffect | DistrictEffect | ResampledFactor) -> str:
    return numbers.interval(numbers.number(factor.rrv_low, 2), numbers.number(factor.rrv_high, 2))


def _certainty(context: RunContext, units: numbers.Units) -> CertaintyPart | None:
    if context.certainty is None:
        return None
    found = context.certainty
    return CertaintyPart(
        replicates=numbers.number(found.replicates),
        blocks=numbers.number(found.blocks),
        factors=tuple(
            (
                numbers.plain(factor.name)
                if factor.in_model
                else _("%(factor)s (not in the model)", factor=numbers.plain(factor.name)),
                numbers.share(factor.chosen),
                _rrv_interval(factor),
                numbers.band(factor.bands, units),
            )
            for factor in found.factors
        ),
    )


def _sensitivity(context: RunContext, units: numbers.Units) -> tuple[tuple[str, ...], ...]:
    if context.sensitivity is None:
        return ()
    return tuple(
        (
            _changed(fit.changed),
            numbers.number(fit.bic, 1),
            numbers.share(fit.zones_kept),
            "; ".join(numbers.brief(factor, units) for factor in fit.factors) or _("none"),
        )
        for fit in context.sensitivity.fits
    )


def _changed(text: str) -> str:
    """Tell what was changed in a fit of the comparison: a seed, or the length of a block."""
    if seed := re.fullmatch(r"seed (\S+)", text):
        return _("seed %(value)s", value=seed[1])
    if block := re.fullmatch(r"block (\S+) instead of (\S+)", text):
        return _("block %(value)s instead of %(usual)s", value=block[1], usual=block[2])
    return text


def _districts(
    context: RunContext, run: PublicRun, units: numbers.Units
) -> tuple[tuple[str, ...], ...]:
    """Set every district's RRVs beside the city's."""
    names = dict(zip(context.city.districts["code"], context.city.districts["name"], strict=True))
    return tuple(
        (
            district_label(row.district, names),
            numbers.brief(row, units),
            numbers.number(row.city_rrv, 2),
            f"{numbers.number(row.rrv, 2)} ({_rrv_interval(row)})",
            numbers.share(row.own_share),
            _("differs") if row.differs else "",
        )
        for row in run.result.districts
    )


def _combined_part(run: PublicRun, units: numbers.Units) -> CombinedPart:
    combined, days = run.result.combined, run.spec.history.half_life_days
    years = round((days or 0.0) / 365)
    return CombinedPart(
        followed=run.result.zones_from == "combined",
        parts=_parts(combined.environment_share),
        components=tuple(
            (numbers.component(part, units), numbers.share(part.weight))
            for part in combined.components
            if part.weight >= LEAST_WEIGHT
        ),
        half_life=_("never")
        if days is None
        else ngettext("after %(years)s year", "after %(years)s years", years, years=years),
        gain=gain_words(),
    )


def _diagnostics(run: PublicRun) -> tuple[tuple[str, str, str], ...]:
    """Tell what the fit leaves, each with its figure and how to read it."""
    found = run.result.diagnostics
    inflation = [factor.variance_inflation for factor in found.factors]
    return (
        (
            _("Dispersion"),
            numbers.number(found.dispersion, 2),
            _(
                "Pearson's chi-square over its degrees of freedom; 1 where counts vary as the "
                "model says, more where they vary more."
            ),
        ),
        (
            _("Moran's I of the residuals"),
            f"{numbers.number(found.moran.i, 3)} (p = {numbers.number(found.moran.p, 3)})",
            _(
                "How alike neighbouring cells are in what the factors leave unexplained; 0 is not "
                "at all. What is left in space is why zones also follow past incidents."
            ),
        ),
        (
            _("Highest variance inflation"),
            numbers.number(max(inflation), 2) if inflation else "–",
            _(
                "1 where each factor speaks for itself; above 5 one shares its variance with "
                "others."
            ),
        ),
    )


def _settings(run: PublicRun) -> tuple[tuple[str, str], ...]:
    model, zones = run.spec.model, run.spec.zones
    return (
        (_("run"), run.id),
        (_("software version"), run.code_version),
        (_("seed"), str(run.seed)),
        (_("cross-validation folds"), str(model.folds)),
        (_("elastic-net mixing"), f"{model.mixing:g}"),
        (_("penalty rule"), model.lambda_rule),
        (_("share of the city that zones may take"), numbers.share(zones.area_share)),
        (_("allotted to districts"), translated(ALLOTMENTS[zones.allotment])),
        (_("cells of a zone"), numbers.interval(str(zones.min_cells), str(zones.max_cells))),
        (_("zones of a district"), _("at most %(aim)s", aim=zones.max_zones)),
        (_("digest of the data"), run.data_sha256[:16]),
    )
