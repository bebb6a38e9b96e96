"""What a release says of itself: rules, dates, the run it shows, what changed, every file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geodata.measures.spans import LAST_YEAR
from geodata.release_manifest import (
    CityName,
    CountedByK,
    FileChanges,
    Manifest,
    MeasureChange,
    PublishedDays,
    ReleaseChanges,
    ReleaseFile,
    ShownRun,
    ZoneChanges,
    ZonesEdited,
)
from geodata.releases.dictionary import title_of
from geodata.releases.encoding import digest, read_document
from geodata.releases.figure_documents import MeasuresDocument
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

FORMAT = 1
SECTIONS = ("incidents", "alerts", "calls", "verified", "visits", "occurrences", "counts")
HEADLINE = LAST_YEAR
CHAIN = ("previous", "earlier", "changes")  # what of a manifest depends on earlier releases


def make_manifest(
    material: Material, files: Mapping[str, bytes], current: ReleaseFolder | None
) -> Manifest:
    """Describe a release, its id included.

    Parameters
    ----------
    material, files
        What it was made from, and its files.
    current
        The release that the public sees now; where it says all the same, the draft is that one.
    """
    made = Manifest(
        id="",
        format=FORMAT,
        city=CityName(slug=material.city.slug, name=material.city.name),
        synthetic=material.city.synthetic,
        through=material.last_day,
        rules=RULES,
        k_counts=_what_k_counts(material),
        sensitive_outcomes=tuple(material.city.sensitive_outcomes),
        sections=_sections(material),
        run=_run(material),
        files=tuple(
            ReleaseFile(name=name, title=title_of(name), bytes=len(content), sha256=digest(content))
            for name, content in sorted(files.items())
        ),
    )
    if current is not None:
        same = {key: getattr(current.manifest, key) for key in CHAIN}
        kept = replace(made, id=current.id, **same)
        if identity_of(kept.as_json()) == current.id:
            return kept
    linked = replace(
        made,
        previous=current.id if current else None,
        earlier=tuple(sorted(release.id for release in material.earlier)),
        changes=_changes(files, current) if current else None,
    )
    return replace(linked, id=identity_of(linked.as_json()))


def _what_k_counts(material: Material) -> CountedByK:
    """Say what k counts in this city: addresses, where it has a list of them."""
    sites = material.places.sites
    counted = bool((sites.addresses != NOT_COUNTED).any())
    text = (
        f"k = {RULES.k} counts addresses of the city's list."
        if counted
        else f"The city has no list of addresses, so k = {RULES.k} counts nothing: rows are given "
        f"by squares of {RULES.square_m:g} m."
    )
    return CountedByK(addresses=counted, text=text)


def _sections(material: Material) -> dict[str, PublishedDays]:
    """Return the first and the last published day of each kind of rows."""
    found = {}
    for section in SECTIONS:
        extent = material.ledger.extent(section)
        if extent is not None and extent[0] <= material.last_day:
            last = min(extent[1], material.last_day)
            found[section] = PublishedDays(first=extent[0], through=last)
    return found


def _run(material: Material) -> ShownRun | None:
    run = material.run
    if run is None:
        return None
    edited = run.edited
    return ShownRun(
        id=run.id,
        sha256=digest_run(run),
        outcome=run.outcome,
        start=run.period_from,
        end=run.period_to,
        data_sha256=run.data_sha256,
        zones_edited=ZonesEdited(on=edited.on, steps=edited.steps) if edited else None,
    )


def _changes(files: Mapping[str, bytes], before: ReleaseFolder) -> ReleaseChanges:
    """Tell what differs from the release before."""
    old = {entry.name: entry.sha256 for entry in before.manifest.files}
    new = {name: digest(content) for name, content in files.items()}
    both = new.keys() & old.keys()
    return ReleaseChanges(
        files=FileChanges(
            added=tuple(sorted(new.keys() - old.keys())),
            removed=tuple(sorted(old.keys() - new.keys())),
            changed=tuple(sorted(name for name in both if new[name] != old[name])),
        ),
        measures=_measures(files.get(JSON), _read(before, JSON)),
        zones=_zones(_part(files.get(ZONES)), _part(_read(before, ZONES))),
    )


def _read(release: ReleaseFolder, name: str) -> bytes | None:
    return release.read(name) if name in release.files else None


def _part(content: bytes | None) -> dict[str, object]:
    return json.loads(content) if content else {}


def _measures(new: bytes | None, old: bytes | None) -> tuple[MeasureChange, ...]:
    """Tell the measures of the whole city whose figure of the last 12 months differs."""
    before, after = _headlines(old), _headlines(new)
    return tuple(
        MeasureChange(measure=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys([*after, *before])
        if before.get(name) != after.get(name)
    )


def _headlines(content: bytes | None) -> dict[str, int | float | str | None]:
    if content is None:
        return {}
    found = read_document(MeasuresDocument, content, JSON)
    figures = {one.id: one.figure_of(HEADLINE, None) for one in found.measures}
    return {name: one.shown or one.value for name, one in figures.items() if one is not None}


def _zones(new: dict[str, object], old: dict[str, object]) -> ZoneChanges:
    """Tell which zones came and went: one with the same outline stays, whatever its name."""
    before, after = _outlines(old), _outlines(new)
    return ZoneChanges(
        gained=tuple(after[outline] for outline in after if outline not in before),
        lost=tuple(before[outline] for outline in before if outline not in after),
        kept=sum(outline in before for outline in after),
    )


def _outlines(document: dict[str, Any]) -> dict[str, str]:
    return {
        json.dumps(feature["geometry"]): feature["properties"]["id"]
        for feature in document.get("features", [])
    }
