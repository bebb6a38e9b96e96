"""What stands beside the files of a release: its manifest, its approval, its withdrawal.

Days are included, unless they are called ``end``. Times are UTC, written as ISO 8601 with a ``Z``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from geodata.documents import OrAbsent, to_json


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a release was made under: numbers, and each rule in plain words by its name.

    A release that was made before there were estimates of residents has none of their numbers.
    """

    version: int
    masking_version: int
    k: int
    reach_m: float
    square_m: float
    least_radius_m: float
    delay_days: int
    band_hours: int
    least_shown: int
    possible_values: int
    least_people: OrAbsent[int] = None
    people_step: OrAbsent[int] = None
    most_age_days: int
    texts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CityName:
    """A city: what it is called in addresses, and for people."""

    slug: str
    name: str


@dataclass(frozen=True, kw_only=True)
class CountedByK:
    """What k counts in a city: addresses, where it has a list of them."""

    addresses: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class PublishedDays:
    """The first and the last published day of a kind of rows."""

    first: Annotated[dt.date, Field(alias="from")]
    through: dt.date


@dataclass(frozen=True, kw_only=True)
class ZonesEdited:
    """That a person changed the zones: on which day last and in how many steps; not who."""

    by: str = "a person"
    on: dt.date
    steps: int


@dataclass(frozen=True, kw_only=True)
class ShownRun:
    """The run whose zones a release shows; ``sha256`` is the digest of what it found."""

    id: str
    sha256: str
    outcome: str
    start: Annotated[dt.date, Field(alias="from")]
    end: Annotated[dt.date, Field(alias="to")]
    data_sha256: str
    zones_edited: OrAbsent[ZonesEdited] = None


@dataclass(frozen=True, kw_only=True)
class ReleaseFile:
    """A file of a release, by its digest."""

    name: str
    title: str
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class FileChanges:
    """Names of files that came, went and became others since the release before."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MeasureChange:
    """A measure whose figure of the last 12 months is another, or is told in other words."""

    measure: str
    before: int | float | str | None
    after: int | float | str | None


@dataclass(frozen=True, kw_only=True)
class ZoneChanges:
    """Ids of zones that came and went since the release before, and how many stay."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    kept: int


@dataclass(frozen=True, kw_only=True)
class ReleaseChanges:
    """What differs from the release before."""

    files: FileChanges
    measures: tuple[MeasureChange, ...]
    zones: ZoneChanges


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a release says of itself; ``id`` is taken from all the rest.

    ``through`` is the last day that it is about. ``previous`` is the release that was public when
    it was drafted, ``earlier`` are all that ever were.
    """

    id: str
    format: int
    city: CityName
    synthetic: bool
    through: dt.date
    rules: Rules
    k_counts: CountedByK
    sensitive_outcomes: tuple[str, ...]
    sections: Mapping[str, PublishedDays]
    run: ShownRun | None
    files: tuple[ReleaseFile, ...]
    previous: str | None = None
    earlier: tuple[str, ...] = ()
    changes: ReleaseChanges | None = None

    def as_json(self) -> dict[str, object]:
        """Return the manifest as JSON has it."""
        written: dict[str, object] = to_json(self)
        return written


@dataclass(frozen=True, kw_only=True)
class Approval:
    """``approval.json``: who approved a release and when, and who had drafted it."""

    by: str | None = None
    at: str | None = None
    drafted_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """``withdrawal.json``: who withdrew a release, when and why; all empty in a file cut off.

    It is ``unrecorded`` where nobody requested it.
    """

    by: str = ""
    at: str = ""
    why: str = ""
    unrecorded: OrAbsent[bool] = None


@dataclass(frozen=True, kw_only=True)
class ReleasePointer:
    """``current.json`` and ``preview.json``: which release it is, and since when."""

    release: str = ""
    at: str | None = None
