"""Who answers for a release and under which license it is given, as the city says it.

What the plain words about the method need: rules and gaps of the release that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.i18n import measure_words, numbers
from app.i18n.language import translated
from app.public import open_data

if TYPE_CHECKING:
    from geodata.release_manifest import PublishedDays
    from geodata.releases.folder import ReleaseFolder


NAME = "site/contact.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """The office that answers, how it is reached, and the license; empty where not reported."""

    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    url: str = ""
    license: str = ""
    license_url: str = ""


def notices(release: ReleaseFolder) -> Notices:
    """Read what a release says of its office and its license."""
    document = open_data.document(release, NAME)
    contact, license_ = document.get("contact") or {}, document.get("license") or {}
    return Notices(
        **{key: str(contact.get(key, "")) for key in ("name", "email", "phone", "address", "url")},
        license=str(license_.get("name", "")),
        license_url=str(license_.get("url", "")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainWords:
    """Numbers of the rules in words, what k counts, the records there are, and who answers."""

    k: str
    addresses: bool
    reach: str
    square: str
    delay: str
    hours: str
    least: str
    sensitive: tuple[str, ...]
    records: tuple[tuple[str, str], ...]
    notices: Notices


def plain_words(release: ReleaseFolder, units: numbers.Units) -> PlainWords:
    """Read them from a release; lengths are written in the units of its city."""
    manifest = release.manifest
    rules = manifest.rules
    return PlainWords(
        k=str(rules.k),
        addresses=manifest.k_counts.addresses,
        reach=units.length(rules.reach_m / units.metres),
        square=units.length(rules.square_m / units.metres),
        delay=str(rules.delay_days),
        hours=str(rules.band_hours),
        least=str(rules.least_shown),
        sensitive=tuple(numbers.plain(name) for name in manifest.sensitive_outcomes),
        records=tuple(
            (
                measure_words.capital(translated(measure_words.SECTIONS.get(name, name))),
                _days(days),
            )
            for name, days in manifest.sections.items()
        ),
        notices=notices(release),
    )


def _days(days: PublishedDays) -> str:
    return f"{numbers.day(days.first)} – {numbers.day(days.through)}"
