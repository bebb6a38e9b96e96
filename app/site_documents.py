"""The documents of the public pages, as a release holds them under ``site/``.

Made from the database when a release is drafted; :mod:`app.public.released` reads them.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from app.i18n.language import NAMES
from app.i18n.titles import use_titles
from app.maps.basemap import Ground
from app.maps.bundle import map_files
from app.maps.picture import zone_svg
from app.public.published_city import (
    CityDocument,
    EarlierZone,
    PublicEvent,
    PublicInitiative,
    PublishedResult,
    PublishedRun,
    PublishedZone,
    RunFacts,
)
from app.public.release_reader import (
    CITY,
    EARLIER_ZONES,
    INITIATIVES,
    MAP,
    OUTLINES,
    RUN,
    SOURCES,
    ZONES,
)
from app.public.still import still_files
from app.run_view import public_run
from geodata.analysis_documents import (
    BacktestDocument,
    CertaintyDocument,
    SensitivityDocument,
)
from geodata.basemap.renewal import current_tiles
from geodata.import_report import SourceReport
from geodata.releases.encoding import document_bytes
from geodata.releases.preview import make_preview
from geodata.releases.public_zones import digest_run
from geodata.releases.run_findings import old_enough, public_validations
from geodata.repositories import import_log, initiatives, layers
from geodata.repositories.recorded import TABLES
from geodata.repositories.releases import WITHDRAWN
from geodata.repositories.zone_codes import codes_of
from spatial.disclosure.linked import LEAST_SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.config import Settings
    from geodata.db.engine import Database
    from geodata.releases.build import Progress
    from geodata.releases.folder import PreviewFolder
    from geodata.releases.inputs import Material
    from geodata.repositories.cities import CityRecord
    from geodata.repositories.runs import RunRecord

ALREADY_STORED = "already stored"  # as an import of the same file again reports it


def make_city_preview(
    database: Database,
    settings: Settings,
    city: str,
    *,
    run: str | None = None,
    progress: Progress | None = None,
) -> PreviewFolder:
    """Draft the release of a city for staff to look at, and forget the one before it.

    Raises
    ------
    NotStoredError, DataError, ReleaseError
        As a draft would be refused; then the preview before it stays.
    """
    made = make_preview(
        database,
        settings.releases,
        settings.previews,
        city,
        run=run,
        pages=site_files,
        progress=progress,
    )
    forget_maps(settings)
    return made


def forget_maps(settings: Settings) -> None:
    """Remove the maps of previews that others have replaced."""
    there = {path.name for path in settings.previews.glob("*/*") if path.is_dir()}
    for path in settings.preview_maps.glob("release-*"):
        if path.name.split("-")[1] not in there:
            shutil.rmtree(path, ignore_errors=True)


def site_files(material: Material, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Write everything that pages need beside the data files of a release, and a page of its own.

    Parameters
    ----------
    material
        What the release is made from.
    files
        Its data files.
    """
    use_titles(material.city.titles, material.city.units)
    made = {
        CITY: document_bytes(CityDocument, _city(material.city)),
        SOURCES: document_bytes(tuple[SourceReport, ...], _sources(material)),
        INITIATIVES: document_bytes(tuple[PublicInitiative, ...], _initiatives(material)),
        **_run_files(material),
        **_earlier_zones(material),
    }
    return made | still_files(material, {**files, **made})


def _sources(material: Material) -> tuple[SourceReport, ...]:
    """Give the account of each source, but of dated rows: it counts those that are too new, too."""
    reports = import_log.latest_reports(material.session, material.city.id)
    dated = {"incidents", *TABLES}
    return tuple(_source(report) for report in reports if report.kind not in dated)


def _source(report: SourceReport) -> SourceReport:
    """Return the account of a source; what an earlier import stored is stored, too."""
    left_out = {why: number for why, number in report.left_out.items() if why != ALREADY_STORED}
    stored = report.stored + report.left_out.get(ALREADY_STORED, 0)
    # streets that single rows name (``addresses``) are for analysts
    return replace(report, stored=stored, left_out=left_out, notes=[], addresses=None)


def _city(city: CityRecord) -> CityDocument:
    return CityDocument(
        crs=city.crs,
        timezone=city.timezone,
        today=city.today,
        cell_units=city.cell_units,
        block_units=city.block_units,
        titles=city.titles,
        units=city.units,
    )


def _initiatives(material: Material) -> tuple[PublicInitiative, ...]:
    session, slug = material.session, material.city.slug
    records = [
        *initiatives.list_initiatives(session, slug),
        *initiatives.retired_initiatives(session, slug),
    ]
    return tuple(
        PublicInitiative(
            listed=record.listed,
            initiative=record.initiative,
            history=tuple(
                PublicEvent(
                    event=entry.event,
                    recorded_at=entry.recorded_at.replace(microsecond=0),
                    initiative=entry.initiative,
                    changes=entry.changes,
                )
                for entry in initiatives.initiative_history(session, slug, record.initiative.slug)
            ),
        )
        for record in records
    )


def _run_files(material: Material) -> dict[str, bytes]:
    """Write the shown run, its map and a picture of each zone."""
    run, city = material.run, material.city
    if run is None:
        return {}
    session = material.session
    tiles = current_tiles(session, city)
    ground = Ground(city=city, base=layers.base_shapes(session, city.id), tiles=tiles)
    drawn = map_files(ground, run, NAMES)
    return {
        RUN: document_bytes(PublishedRun, _run(material, run)),
        **{f"{MAP}/{name}": content for name, content in drawn.items()},
        **{f"{ZONES}/{zone}.svg": zone_svg(ground, run, zone) for zone in run.zones["id"]},
    }


def _earlier_zones(material: Material) -> dict[str, bytes]:
    """Write which zones earlier releases showed and this one does not, the newest release first.

    Their addresses lead on to the zone that has their code now. Releases that were withdrawn are
    left out. A release without codes of its own has those that the zones were given since.
    """
    visible = set() if material.run is None else set(material.run.zones["id"])
    found: dict[str, EarlierZone] = {}
    for release in material.earlier:
        if release.state == WITHDRAWN or OUTLINES not in release.files:
            continue
        through = release.manifest.through
        for feature in json.loads(release.read(OUTLINES))["features"]:
            zone = feature["properties"]
            if zone["id"] not in visible:
                code, district = zone.get("code", ""), zone["district"]
                earlier = EarlierZone(id=zone["id"], code=code, district=district, through=through)
                found.setdefault(earlier.id, earlier)
    if not found:
        return {}
    values = codes_of(material.session, material.city.id, found)
    rows = tuple(replace(one, code=one.code or values.get(one.id, "")) for one in found.values())
    return {EARLIER_ZONES: document_bytes(tuple[EarlierZone, ...], rows)}


def _result(result: PublishedResult) -> PublishedResult:
    """Return what a run found; not by district where the districts left out would have few."""
    of = {row.district: row.incidents or 0 for row in result.districts}
    rest = result.incidents - sum(of.values())
    few = any(0 < number < LEAST_SHOWN for number in (rest, *of.values()))
    rows = () if few else tuple(replace(row, incidents=None) for row in result.districts)
    return replace(result, districts=rows)


def _run(material: Material, run: RunRecord) -> PublishedRun:
    public = public_run(run)
    facts = {one.name: getattr(public, one.name) for one in fields(RunFacts)}
    names = [one.name for one in fields(PublishedZone)]
    return PublishedRun(
        **{**facts, "result": _result(public.result)},
        zones=tuple(PublishedZone(**row) for row in public.zones[names].to_dict("records")),
        edited=public.edited,
        validations=public_validations(material, digest_run(run), material.told),
        backtests=old_enough(material, BacktestDocument),
        certainty=old_enough(material, CertaintyDocument),
        sensitivity=old_enough(material, SensitivityDocument),
    )
