"""What the pages for other sites show, as typed values.

Small pages for other sites to frame: the zones, or one measure. No script, no cookie.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely
from flask import Blueprint, current_app, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound

from app import forms
from app.i18n import measure_words, numbers
from app.i18n.language import translated
from app.public import open_data, release_words
from app.public.decorators import with_release
from geodata.measures.spans import LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Response
    from flask.typing import ResponseReturnValue

    from app.public.published_city import PublicCityView
    from geodata.releases.figure_documents import ReportedMeasure
    from geodata.releases.folder import ReleaseFolder


HEADLINE = LAST_YEAR
MONTHS = 24
SPARK = (100.0, 28.0)
PICTURE = 640.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedCard:
    """What stands on every card: where, of what days, from which release."""

    city: str
    synthetic: bool
    district: str
    through: str
    release: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An outline of the picture; ``label`` stands at ``x``, ``y``."""

    path: str
    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesCard:
    """Zones in a picture and by district: name, how many, share of the zones' area."""

    about: EmbedCard
    outcome: str
    trained: str
    total: int
    width: float
    height: float
    districts: tuple[Shape, ...]
    zones: tuple[Shape, ...]
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureCard:
    """One measure of the last 12 months, and its course by month as lines of a small picture."""

    about: EmbedCard
    title: str
    figure: str
    unit: str
    interval: str
    absent: str
    definition: str
    period: str
    target: str
    status: str
    lines: tuple[str, ...]


def zones_card(release: ReleaseFolder, district: str | None) -> ZonesCard | None:
    """Tell the zones of a release; nothing where it has none."""
    zones = open_data.document(release, "data/zones.geojson").get("features", [])
    outlines = open_data.document(release, "data/districts.geojson").get("features", [])
    run = release.manifest.run
    if not zones or run is None:
        return None
    if district is not None:
        zones = [one for one in zones if one["properties"]["district"] == district]
        outlines = [one for one in outlines if one["properties"]["code"] == district]
    names = open_data.districts(release)
    view = _EmbedView(outlines or zones)
    count = {code: 0 for code in names if district in (None, code)}
    for zone in zones:
        count[zone["properties"]["district"]] = count.get(zone["properties"]["district"], 0) + 1
    return ZonesCard(
        about=_about(release, district),
        outcome=numbers.plain(run.outcome),
        trained=_(
            "%(first)s to %(last)s", first=numbers.day(run.start), last=numbers.last_day(run.end)
        ),
        total=len(zones),
        width=view.width,
        height=view.height,
        districts=tuple(view.shape(one, names[one["properties"]["code"]]) for one in outlines),
        zones=tuple(view.shape(one, str(one["properties"]["rank"])) for one in zones),
        rows=tuple((names.get(code, code), str(number)) for code, number in count.items()),
    )


def measure_card(release: ReleaseFolder, identity: str, district: str | None) -> MeasureCard | None:
    """Tell one measure of a release; nothing where it has no such measure."""
    measure = open_data.measures(release).get(identity)
    figure = measure.figure_of(HEADLINE, district) if measure else None
    if measure is None or figure is None:
        return None
    unit, value = measure.unit, figure.value
    return MeasureCard(
        about=_about(release, district),
        title=measure_words.title(measure),
        figure="" if value is None else numbers.amount(value, unit),
        unit="" if value is None else measure_words.unit(unit, value),
        interval=numbers.between(figure.low, figure.high, unit),
        absent=translated(figure.shown) or _("no data"),
        definition=translated(measure.definition),
        period=numbers.period(numbers.day(figure.start), numbers.last_day(figure.end)),
        target=_target(measure),
        status=translated(measure_words.STATUSES.get(figure.status or "", "")),
        lines=_course(release, identity, district),
    )


def _about(release: ReleaseFolder, district: str | None) -> EmbedCard:
    manifest = release.manifest
    return EmbedCard(
        city=manifest.city.name,
        synthetic=manifest.synthetic,
        district=open_data.districts(release)[district] if district else "",
        through=release_words.through(release),
        release=release.id,
    )


def _target(measure: ReportedMeasure) -> str:
    aim, unit = measure.target, measure.unit
    if aim is None:
        return ""
    text = f"{100 * aim:g} %" if unit == "share" else measure_words.figure(float(aim), unit)
    if measure.direction == "up":
        return _("Target: at least %(figure)s", figure=text)
    if measure.direction == "down":
        return _("Target: at most %(figure)s", figure=text)
    return _("Target: %(figure)s", figure=text)


def _course(release: ReleaseFolder, identity: str, district: str | None) -> tuple[str, ...]:
    """Draw the last months as lines; a month without a figure breaks the line."""
    rows = [
        row
        for row in open_data.table(release, "data/measures_monthly.csv")
        if row["measure"] == identity and row["district"] == (district or "")
    ]
    values = [float(row["value"]) if row["value"] else None for row in rows[-MONTHS:]]
    notes = [value for value in values if value is not None]
    if len(notes) < 2:
        return ()
    width, height = SPARK
    step, top = width / (len(values) - 1), max([*notes, 0.0]) or 1.0
    lines: list[list[str]] = [[]]
    for position, value in enumerate(values):
        if value is None:
            lines.append([])
            continue
        lines[-1].append(f"{position * step:.1f} {(height - 1) - value / top * (height - 3):.1f}")
    return tuple(f"M{'L'.join(line)}" for line in lines if len(line) > 1)


class _EmbedView:
    """Carries degrees to the picture: equirectangular around the middle of what is shown."""

    def __init__(self, features: Sequence[Mapping[str, Any]]) -> None:
        xy = [at for one in features for ring in _rings(one["geometry"]) for at in ring]
        west, east = min(x for x, _y in xy), max(x for x, _y in xy)
        south, north = min(y for _x, y in xy), max(y for _x, y in xy)
        self._shrink = math.cos(math.radians((south + north) / 2))
        wide, high = max((east - west) * self._shrink, 1e-6), max(north - south, 1e-6)
        self._scale = PICTURE / max(wide, high)
        self._west, self._north = west, north
        self.width, self.height = round(wide * self._scale, 1), round(high * self._scale, 1)

    def shape(self, feature: Mapping[str, Any], label: str) -> Shape:
        """Draw an outline and find a place for its label."""
        rings = [[self._at(at) for at in ring] for ring in _rings(feature["geometry"])]
        inside = shapely.from_geojson(json.dumps(feature["geometry"])).representative_point()
        x, y = self._at((inside.x, inside.y))
        paths = ("L".join(f"{x:.1f} {y:.1f}" for x, y in ring) for ring in rings)
        path = "".join(f"M{one}Z" for one in paths)
        return Shape(path=path, label=label, x=round(x, 1), y=round(y, 1))

    def _at(self, degrees: Sequence[float]) -> tuple[float, float]:
        x = (degrees[0] - self._west) * self._shrink * self._scale
        return x, (self._north - degrees[1]) * self._scale


def _rings(geometry: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    """Return the rings of a polygon or of several."""
    polygons = (
        geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    )
    return [[(at[0], at[1]) for at in ring] for polygon in polygons for ring in polygon]


bp = Blueprint("embed", __name__)
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors *"
)


@bp.get("/embed/zones")
@with_release
def zones(_shown: PublicCityView, release: ReleaseFolder) -> ResponseReturnValue:
    """Show the zones of the city or of one district."""
    district = forms.choice(request.args, "district", open_data.districts(release))
    card = zones_card(release, district)
    if card is None:
        raise NotFound
    more = url_for("public.zones", district=district, city=request.args.get("city"))
    return render_template("public/embed_zones.html", card=card, more=more)


@bp.get("/embed/measure/<identity>")
@with_release
def measure(_shown: PublicCityView, release: ReleaseFolder, identity: str) -> ResponseReturnValue:
    """Show one measure of the last 12 months, of the city or of one district."""
    district = forms.choice(request.args, "district", open_data.districts(release))
    card = measure_card(release, identity, district)
    if card is None:
        raise NotFound
    more = url_for(
        "measures.measure", identity=identity, district=district, city=request.args.get("city")
    )
    return render_template("public/embed_measure.html", card=card, more=more)


@bp.after_request
def may_be_framed(response: Response) -> Response:
    """Let any site frame these pages, and nothing else of this site."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if response.status_code == current_app.response_class.default_status:
        response.cache_control.public = True
        response.cache_control.max_age = 300
    return response
