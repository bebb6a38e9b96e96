"""Who answers for a release and under which license it is given, as the city says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.site import open_data

if TYPE_CHECKING:
    from geodata.publishing.folder import ReleaseFolder

NAME = "site/contact.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """The office that answers, how it is reached, and the license; empty where not told."""

    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    url: str = ""
    license: str = ""
    license_url: str = ""


def notices(release: ReleaseFolder) -> Notices:
    """Read what a release says of its office and its license."""
    said = open_data.document(release, NAME)
    contact, license_ = said.get("contact") or {}, said.get("license") or {}
    return Notices(
        **{key: str(contact.get(key, "")) for key in ("name", "email", "phone", "address", "url")},
        license=str(license_.get("name", "")),
        license_url=str(license_.get("url", "")),
    )
