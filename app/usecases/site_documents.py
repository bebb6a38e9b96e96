"""The documents of the public pages, as a release holds them under ``site/``.

Made from the database when a release is drafted; :mod:`app.public.released` reads them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.i18n.language import NAMES
from app.maps.basemap import Ground
from app.maps.bundle import map_files
from app.maps.picture import zone_svg
from app.public.published_city import ZONE_COLUMNS, public_run
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
from app.usecases.risk.analyses import CERTAINTY, SENSITIVITY
from app.usecases.risk.validation import BACKTEST, VALIDATION
from geodata.releases.encoding import json_bytes
from geodata.releases.public_zones import digest_run
from geodata.releases.run_findings import public_documents
from geodata.repositories import import_log, initiatives, layers
from geodata.repositories.recorded import TABLES
from geodata.repositories.releases import WITHDRAWN
from geodata.repositories.zone_codes import codes_of
from spatial.disclosure.linked import LEAST_SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.import_report import SourceReport
    from geodata.releases.inputs import Material
    from geodata.repositories.runs import RunRecord

ALREADY_STORED = "already stored"  # as an import of the same file again reports it
FINDINGS = {
    "validations": VALIDATION,
    "backtests": BACKTEST,
    "certainty": CERTAINTY,
    "sensitivity": SENSITIVITY,
}


def site_files(material: Material, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Write everything that pages need beside the data files of a release, and a page of its own.

    Parameters
    ----------
    material
        What the release is made from.
    files
        Its data files.
    """
    made = {
        CITY: json_bytes(_city(material)),
        SOURCES: json_bytes(_sources(material)),
        INITIATIVES: json_bytes(_initiatives(material)),
        **_run_files(material),
        **_earlier_zones(material),
    }
    return made | still_files(material, {**files, **made})


def _city(material: Material) -> dict[str, Any]:
    city = material.city
    return {
        "crs": city.crs,
        "timezone": city.timezone,
        "today": city.today.isoformat() if city.today else None,
        "cell_units": city.cell_units,
        "block_units": city.block_units,
    }


def _sources(material: Material) -> list[dict[str, Any]]:
    """Give the account of each source, but of dated rows: it counts those that are too new, too."""
    reports = import_log.latest_reports(material.session, material.city.id)
    dated = {"incidents", *TABLES}
    return [_source(report) for report in reports if report.kind not in dated]


def _source(report: SourceReport) -> dict[str, Any]:
    """Give the account of a source; what an earlier import stored is stored, too."""
    left_out = {why: number for why, number in report.left_out.items() if why != ALREADY_STORED}
    stored = report.stored + report.left_out.get(ALREADY_STORED, 0)
    return {**report.as_json(), "stored": stored, "left_out": left_out, "notes": []}


def _initiatives(material: Material) -> list[dict[str, Any]]:
    session, slug = material.session, material.city.slug
    records = [
        *initiatives.list_initiatives(session, slug),
        *initiatives.retired_initiatives(session, slug),
    ]
    return [
        {
            "listed": record.listed,
            "initiative": record.initiative.as_json(),
            "history": [
                {
                    "event": entry.event,
                    "recorded_at": entry.recorded_at.isoformat(timespec="seconds"),
                    "initiative": entry.initiative.as_json() if entry.initiative else None,
                    "changes": list(entry.changes),
                }
                for entry in initiatives.initiative_history(session, slug, record.initiative.slug)
            ],
        }
        for record in records
    ]


def _run_files(material: Material) -> dict[str, bytes]:
    """Write the shown run, its map and a picture of each zone."""
    run, city = material.run, material.city
    if run is None:
        return {}
    ground = Ground(city=city, base=layers.base_shapes(material.session, city.id))
    drawn = map_files(ground, run, NAMES)
    return {
        RUN: json_bytes(_run(material, run)),
        **{f"{MAP}/{name}": content for name, content in drawn.items()},
        **{f"{ZONES}/{zone}.svg": zone_svg(ground, run, zone) for zone in run.zones["id"]},
    }


def _earlier_zones(material: Material) -> dict[str, bytes]:
    """Write which zones earlier releases showed and this one does not, the newest release first.

    Their addresses lead on to the zone that has their code now. Releases that were withdrawn are
    left out. A release without codes of its own has those that the zones were given since.
    """
    shown = set() if material.run is None else set(material.run.zones["id"])
    found: dict[str, dict[str, Any]] = {}
    for release in material.earlier:
        if release.state == WITHDRAWN or OUTLINES not in release.files:
            continue
        for feature in json.loads(release.read(OUTLINES))["features"]:
            zone = feature["properties"]
            if zone["id"] not in shown:
                told = {"id": zone["id"], "code": zone.get("code", "")}
                told |= {"district": zone["district"], "through": release.manifest["through"]}
                found.setdefault(zone["id"], told)
    if not found:
        return {}
    given = codes_of(material.session, material.city.id, found)
    rows = [{**told, "code": told["code"] or given.get(zone, "")} for zone, told in found.items()]
    return {EARLIER_ZONES: json_bytes(rows)}


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a run found; not by district where the districts left out would have few."""
    of = {row["district"]: row["incidents"] for row in result["districts"]}
    rest = result["incidents"] - sum(of.values())
    few = any(0 < number < LEAST_SHOWN for number in (rest, *of.values()))
    return {**result, "districts": []} if few else dict(result)


def _run(material: Material, run: RunRecord) -> dict[str, Any]:
    public = public_run(run)
    kept = [name for name in ZONE_COLUMNS if name not in ("geometry", "district", "rank")]
    return {
        "id": public.id,
        "outcome": public.outcome,
        "from": public.period_from.isoformat(),
        "to": public.period_to.isoformat(),
        "seed": public.seed,
        "spec": public.spec,
        "data_sha256": public.data_sha256,
        "code_version": public.code_version,
        "result": _result(public.result),
        "class_shares": public.class_shares,
        "zones": public.zones[kept].to_dict("records"),
        **({"edited": [public.edited[0].isoformat(), public.edited[1]]} if public.edited else {}),
        **{
            name: public_documents(material, kind, digest_run(run), material.told)
            for name, kind in FINDINGS.items()
        },
    }
