"""The pages anyone may read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import (
    Blueprint,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from app import forms
from app.charts import charts
from app.headers import allow_position
from app.i18n import numbers, zone_words
from app.i18n.language import by_address, translated
from app.maps.bundle import NAMED
from app.public import initiative_pages, pages, periods, scores
from app.public.decorators import release_of, site, with_run
from app.public.explore import map_page
from app.public.headlines import headline_of
from app.public.method_words import plain_words
from geodata.measures.outcomes import GROUP, measure_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from flask.typing import ResponseReturnValue

    from app.maps.bundle import Bundle
    from app.public.headlines import Headline
    from app.public.initiative_pages import InitiativesInShort
    from app.public.published_city import PublicCityView, PublicRun, RunContext

bp = Blueprint("public", __name__)
FOR_EVER = 31_536_000
SHORT_S = 300  # as other pictures of a release: a withdrawal takes them back
OF_ROWS = ("activity-", "zones-", "surface-", "overview-")  # files of a map that tell of incidents
MONTH_WEEKS = 5
TILES = ".pmtiles"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


@bp.get("/")
@with_run
def home(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Show the city, its map in small and the first zone of each district."""
    rows = pages.zone_rows(published, run)
    bundle = site().bundle(published)
    page = pages.HomePage(
        zones=len(rows),
        districts=len({row.district for row in rows}),
        incidents=numbers.number(run.result.incidents),
        tops=tuple(row for row in rows if row.rank == 1),
        kinds=zone_words.kinds(list(run.zones["environment_share"])),
        factors=tuple(numbers.plain(factor.name) for factor in run.result.model.factors),
        picture=_file_url(bundle, bundle.picture),
        bundle=bundle,
        standing=_standing(published),
        headlines=_headlines(published, run.outcome),
    )
    return render_template("public/home.html", frame=pages.frame(published), page=page)


def _headlines(published: PublicCityView, first: str) -> tuple[Headline, ...]:
    """Tell whether there were more or fewer incidents than a year before, of each outcome.

    The outcome that the zones are about stands first.
    """
    scope = periods.last_year(published)
    own = [one.id for one in published.measures.values() if one.group == GROUP]
    own.sort(key=lambda identity: identity != measure_id(first))
    details = [site().detail(published, scope, identity, "month") for identity in own]
    return tuple(line for line in map(headline_of, details) if line is not None)


def _standing(published: PublicCityView) -> InitiativesInShort | None:
    """Tell how the initiatives stand, with the course of a few measures over the last months."""
    scope = periods.last_year(published)
    found = site().figures(published, scope)
    details = [
        site().detail(published, scope, identity, "month")
        for identity in initiative_pages.key_measures(found)
    ]
    return initiative_pages.standing(published, found, details)


@bp.get("/map")
@with_run
def map_(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Show the map, and beside it every zone in a table."""
    answer = make_response(map_page(published, run))
    allow_position(answer)
    return answer


@bp.get("/zones/")
@with_run
def zones(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """List the zones, by district or by another column."""
    choices = periods.district_choices(published)
    district = forms.choice(request.args, "district", [code for code, _ in choices])
    sort = forms.choice(request.args, "sort", pages.SORTS) or "district"
    rows = pages.sorted_rows(run, pages.zone_rows(published, run), sort)
    listed = [zone for zone in run.zones.itertuples() if district in (None, zone.district)]
    factors, shares = zone_words.matrix(listed, numbers.Units(published.city.crs))
    page = pages.ZonesPage(
        rows=tuple(row for row in rows if district in (None, row.district)),
        factors=factors,
        shares=shares,
        districts=choices,
        district=district,
        sort=sort,
        kinds=zone_words.kinds([zone.environment_share for zone in listed]),
        sorts=tuple((value, translated(label)) for value, label in pages.SORTS.items()),
    )
    return render_template("public/zones.html", frame=pages.frame(published), page=page)


@bp.get("/zones/<zone_id>")
@with_run
def zone(published: PublicCityView, run: PublicRun, zone_id: str) -> ResponseReturnValue:
    """Show one zone and why it is one."""
    if zone_id not in set(run.zones["id"]):
        return _led_on(published, run, zone_id)
    row = _row(published, run, zone_id)
    picture = url_for("public.zone_picture", zone_id=zone_id, city=published.city.slug)
    page = pages.zone_page(published, run, row, picture, _last_month(published))
    return render_template("public/zone.html", frame=pages.frame(published), page=page)


def _led_on(published: PublicCityView, run: PublicRun, wanted: str) -> ResponseReturnValue:
    """Lead from a code, or from a zone of an earlier release, to the zone that is there now.

    Raises
    ------
    NotFound
        If no release ever showed a zone of that id or code.
    """
    now = {code: zone for zone, code in zip(run.zones["id"], run.zones["code"], strict=True)}
    before = [zone for zone in published.earlier_zones if wanted in (zone.id, zone.code)]
    code = wanted if wanted in now else before[0].code if before else ""
    city = request.args.get("city")
    if code and code in now:
        return redirect(url_for("public.zone", zone_id=now[code], city=city), 302)
    if not before:
        raise NotFound
    result = render_template(
        "public/zone_gone.html",
        frame=pages.frame(published),
        code=before[0].code or wanted,
        district=before[0].district,
        through=numbers.day(before[0].through),
    )
    return result, 410


def _last_month(published: PublicCityView) -> tuple[str, str] | None:
    """Return the first and the last of the weeks that reach a month back."""
    activity = site().activity(published)
    if activity is None:
        return None
    weeks = activity.weeks[-MONTH_WEEKS:]
    return weeks[0].isoformat(), weeks[-1].isoformat()


@bp.get("/zones/<zone_id>/picture.svg")
@by_address
@with_run
def zone_picture(published: PublicCityView, run: PublicRun, zone_id: str) -> ResponseReturnValue:
    """Draw one zone and its surroundings."""
    _row(published, run, zone_id)
    response = current_app.response_class(
        site().zone_picture(published, zone_id), mimetype="image/svg+xml"
    )
    response.cache_control.public = True
    response.cache_control.max_age = SHORT_S
    return response


@bp.get("/methods/")
@with_run
def methods(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Tell the method, its limits and how the shown run was made."""
    page, plain = (
        pages.methods_page(published, run),
        plain_words(release_of(published), numbers.Units(published.city.crs)),
    )
    return render_template(
        "public/methods.html", frame=pages.frame(published), page=page, plain=plain
    )


@bp.get("/methods/validation")
@with_run
def validation(published: PublicCityView, run: PublicRun) -> ResponseReturnValue:
    """Tell how the shown run did on incidents that it had not seen."""
    at = {name: url_for("public.chart", name=name, city=published.city.slug) for name in CHARTS}
    page = scores.validation_page(published, run, at)
    return render_template("public/validation.html", frame=pages.frame(published), page=page)


@bp.get("/methods/charts/<name>.svg")
@by_address
@with_run
def chart(published: PublicCityView, run: PublicRun, name: str) -> ResponseReturnValue:
    """Draw one chart of the shown run."""
    drawn = CHARTS[name](published, run) if name in CHARTS else None
    if drawn is None:
        raise NotFound
    response = current_app.response_class(drawn, mimetype="image/svg+xml")
    response.cache_control.public = True
    response.cache_control.max_age = SHORT_S
    return response


def _capture_chart(context: RunContext, _run: PublicRun) -> bytes | None:
    if not context.validations:
        return None
    return charts.draw(charts.capture_curves, context.validations[0].curves)


def _calibration_chart(context: RunContext, _run: PublicRun) -> bytes | None:
    if not context.validations:
        return None
    return charts.draw(charts.calibration, context.validations[0].levels)


def _factors_chart(context: RunContext, run: PublicRun) -> bytes | None:
    factors, units = run.result.model.factors, numbers.Units(context.city.crs)
    return charts.draw(charts.relative_risks, factors, [numbers.brief(f, units) for f in factors])


def _selection_chart(context: RunContext, _run: PublicRun) -> bytes | None:
    if context.certainty is None:
        return None
    units, found = numbers.Units(context.city.crs), context.certainty.factors
    labels = [numbers.plain(factor.name) for factor in found]
    return charts.draw(charts.selection, found, labels, units.length)


CHARTS: dict[str, Callable[[RunContext, PublicRun], bytes | None]] = {
    "capture": _capture_chart,
    "calibration": _calibration_chart,
    "factors": _factors_chart,
    "selection": _selection_chart,
}


MIMETYPES = {
    "js": "text/javascript",
    "css": "text/css",
    "json": "application/geo+json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "pmtiles": "application/vnd.pmtiles",
}


@bp.get("/maps/<folder>/<name>")
def map_file(folder: str, name: str) -> ResponseReturnValue:
    """Send a file of a map that may be seen; its name holds its digest."""
    path = safe_join(str(site().maps), folder, name)
    if path is None or not NAMED.fullmatch(name) or not site().serves_map(folder):
        raise NotFound
    if not Path(path).is_file():
        raise NotFound
    for encoding, ending in ENCODINGS:
        if encoding in request.accept_encodings.values() and Path(path + ending).is_file():
            response = _send_map(path + ending, name)
            response.headers["Content-Encoding"] = encoding
            return response
    return _send_map(path, name)


def _send_map(path: str, name: str) -> Response:
    """Send a file of a map; browsers and caches ask again for what a withdrawal takes back."""
    stays = not name.startswith(OF_ROWS)
    response = send_file(
        path,
        mimetype=MIMETYPES[name.rpartition(".")[2]],
        max_age=FOR_EVER if stays else None,
        etag=name if name.endswith(TILES) else not stays,
    )
    response.cache_control.immutable = stays
    response.cache_control.public = True
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _file_url(bundle: Bundle, name: str) -> str:
    return url_for("public.map_file", folder=bundle.folder, name=name)


def _row(context: RunContext, run: PublicRun, zone_id: str) -> pages.ZoneRow:
    found = [row for row in pages.zone_rows(context, run) if row.id == zone_id]
    if not found:
        raise NotFound
    return found[0]
