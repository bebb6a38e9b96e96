"""What a release says of itself: rules, dates, the run it shows, what changed, every file."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from geodata.measures.spans import LAST_YEAR
from geodata.releases.dictionary import title_of
from geodata.releases.encoding import digest
from geodata.releases.folder import identity_of
from geodata.releases.measure_files import JSON
from geodata.releases.public_zones import digest_run
from geodata.releases.rules import RULES
from geodata.releases.run_findings import ZONES
from spatial.disclosure.places import NOT_COUNTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.inputs import Material
    from geodata.repositories.runs import Edited

FORMAT = 1
SECTIONS = ("incidents", "alerts", "calls", "verified", "visits", "occurrences", "counts")
HEADLINE = LAST_YEAR
CHAIN = ("previous", "earlier", "changes")  # what of a manifest depends on earlier releases


def make_manifest(
    material: Material, files: Mapping[str, bytes], current: ReleaseFolder | None
) -> dict[str, Any]:
    """Describe a release, its id included.

    Parameters
    ----------
    material, files
        What it was made from, and its files.
    current
        The release that the public sees now; where it says all the same, the draft is that one.
    """
    options: dict[str, Any] = {
        "format": FORMAT,
        "city": {"slug": material.city.slug, "name": material.city.name},
        "synthetic": material.city.synthetic,
        "through": material.last_day.isoformat(),
        "rules": {**RULES.as_json(), "texts": RULES.texts()},
        "k_counts": _what_k_counts(material),
        "sensitive_outcomes": list(material.city.sensitive_outcomes),
        "sections": _sections(material),
        "run": _run(material),
        "files": [
            {
                "name": name,
                "title": title_of(name),
                "bytes": len(content),
                "sha256": digest(content),
            }
            for name, content in sorted(files.items())
        ],
    }
    if current is not None:
        kept = {key: current.manifest.get(key) for key in CHAIN}
        if identity_of(options | kept) == current.id:
            return {"id": current.id, **options, **kept}
    options |= {
        "previous": current.id if current else None,
        "earlier": sorted(release.id for release in material.earlier),
        "changes": _changes(files, current) if current else None,
    }
    return {"id": identity_of(options), **options}


def _what_k_counts(material: Material) -> dict[str, Any]:
    """Say what k counts in this city: addresses, where it has a list of them."""
    sites = material.places.sites
    counted = bool((sites.addresses != NOT_COUNTED).any())
    text = (
        f"k = {RULES.k} counts addresses of the city's list."
        if counted
        else f"The city has no list of addresses, so k = {RULES.k} counts nothing: rows are given "
        f"by squares of {RULES.square_m:g} m."
    )
    return {"addresses": counted, "text": text}


def _sections(material: Material) -> dict[str, Any]:
    """Return the first and the last published day of each kind of rows."""
    found = {}
    for section in SECTIONS:
        extent = material.ledger.extent(section)
        if extent is not None and extent[0] <= material.last_day:
            last = min(extent[1], material.last_day)
            found[section] = {"from": extent[0].isoformat(), "through": last.isoformat()}
    return found


def _run(material: Material) -> dict[str, Any] | None:
    run = material.run
    if run is None:
        return None
    return {
        "id": run.id,
        "sha256": digest_run(run),
        "outcome": run.outcome,
        "from": run.period_from.isoformat(),
        "to": run.period_to.isoformat(),
        "data_sha256": run.data_sha256,
        **({"zones_edited": _edited(run.edited)} if run.edited else {}),
    }


def _edited(edited: Edited) -> dict[str, Any]:
    """Say that a person changed the zones, on which day last and in how many steps; not who."""
    return {"by": "a person", "on": edited.on.isoformat(), "steps": edited.steps}


def _changes(files: Mapping[str, bytes], before: ReleaseFolder) -> dict[str, Any]:
    """Tell what differs from the release before."""
    old = {entry["name"]: entry["sha256"] for entry in before.manifest["files"]}
    new = {name: digest(content) for name, content in files.items()}
    return {
        "files": {
            "added": sorted(new.keys() - old.keys()),
            "removed": sorted(old.keys() - new.keys()),
            "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
        },
        "measures": _measures(_part(files.get(JSON)), _part(_read(before, JSON))),
        "zones": _zones(_part(files.get(ZONES)), _part(_read(before, ZONES))),
    }


def _read(release: ReleaseFolder, name: str) -> bytes | None:
    return release.read(name) if name in release.files else None


def _part(content: bytes | None) -> dict[str, Any]:
    return json.loads(content) if content else {}


def _measures(new: dict[str, Any], old: dict[str, Any]) -> list[dict[str, Any]]:
    """Tell the measures of the whole city whose figure of the last 12 months differs."""
    before, after = _headlines(old), _headlines(new)
    return [
        {"measure": identity, "before": before.get(identity), "after": after.get(identity)}
        for identity in dict.fromkeys([*after, *before])
        if before.get(identity) != after.get(identity)
    ]


def _headlines(document: dict[str, Any]) -> dict[str, Any]:
    return {
        measure["id"]: figure["shown"] or figure["value"]
        for measure in document.get("measures", [])
        for figure in measure["figures"]
        if figure["period"] == HEADLINE and not figure["district"]
    }


def _zones(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Tell which zones came and went: one with the same outline stays, whatever its name."""
    before, after = _outlines(old), _outlines(new)
    return {
        "gained": [after[outline] for outline in after if outline not in before],
        "lost": [before[outline] for outline in before if outline not in after],
        "kept": sum(outline in before for outline in after),
    }


def _outlines(document: dict[str, Any]) -> dict[str, str]:
    return {
        json.dumps(feature["geometry"]): feature["properties"]["id"]
        for feature in document.get("features", [])
    }


def last_day_of(manifest: Mapping[str, Any]) -> dt.date:
    """Return the last day that a release is about."""
    return dt.date.fromisoformat(manifest["through"])
