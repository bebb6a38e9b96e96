"""What was found out about the shown run, as far as it may be published."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from geodata.publishing.sensitive import CITY, hits_of
from geodata.store.findings import list_findings
from spatial.masking.linked import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geodata.publishing.material import Material
    from geodata.publishing.sensitive import Told, Where

VALIDATION = "validation"
ENDS = (
    "to",
    "through",
    "trained_to",
)  # keys of days that a finding goes up to; ``to`` is the day after
DAY = dt.timedelta(days=1)
OF_HITS = ("hits", "hit_rate", "hit_rate_low", "hit_rate_high", "pai")


def old_enough(material: Material, kind: str) -> list[dict[str, Any]]:
    """Give the findings of a kind about the shown run, newest first, none of too new days."""
    if material.run is None:
        return []
    found = list_findings(material.session, material.run.id, kind)
    return [one.document for one in found if _last_end(one.document) <= material.end]


def scored(material: Material) -> list[tuple[dt.date, dt.date]]:
    """Give the days that the shown zones were scored on; none where a person changed them since."""
    if material.run is None or material.run.edited is not None:
        return []
    documents = old_enough(material, VALIDATION)
    return [_days(document) for document in documents if "zones" in document]


def public_documents(
    material: Material, kind: str, digest: str, told: Mapping[Where, Told]
) -> list[dict[str, Any]]:
    """Give the findings of a kind as they are published: without counts by zone.

    Parameters
    ----------
    material
        Of the city.
    kind
        Kind of finding.
    digest
        Of the shown run.
    told
        What is told of hits; how many the zones held is given only where that is shown.
    """
    return [_public(one, digest, told) for one in old_enough(material, kind)]


def _public(document: Mapping[str, Any], digest: str, told: Mapping[Where, Told]) -> dict[str, Any]:
    zones = document.get("zones")
    if not isinstance(zones, dict):
        return dict(document)
    kept = {key: value for key, value in zones.items() if key != "by_zone"}
    said = told.get((hits_of(digest), CITY, *_days(document)))
    if said is None or said.label != SHOWN or said.value != kept["hits"]:
        kept |= dict.fromkeys(OF_HITS)
    return {**document, "zones": kept}


def _days(document: Mapping[str, Any]) -> tuple[dt.date, dt.date]:
    return dt.date.fromisoformat(document["from"]), dt.date.fromisoformat(document["to"])


def _last_end(document: Mapping[str, Any]) -> dt.date:
    """Give the day after the last that a document tells of anywhere."""
    return max(_ends(document), default=dt.date.min)


def _ends(document: Any) -> Iterator[dt.date]:
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ENDS and isinstance(value, str):
                day = dt.date.fromisoformat(value)
                yield day + DAY if key == "through" else day
            else:
                yield from _ends(value)
    elif isinstance(document, list):
        for value in document:
            yield from _ends(value)
