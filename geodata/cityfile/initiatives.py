"""Initiatives, their strategies and what the city says of them: a TOML file -> checked values."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from geodata.cityfile.description import SLUG, parse_day
from geodata.cityfile.toml import hint, load_toml, unknown_keys
from geodata.documents import OrAbsent, from_json, to_json
from geodata.errors import InitiativesFileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path
    from typing import Self

STATUSES = ("In Progress", "On Hold", "Complete/Ongoing")
IMPORT_AGAIN = "import the file of initiatives once more"
REMEDY = "name the TOML file of the city's initiatives"
SECTIONS = {
    "why": "Why it is important",
    "doing": "What we have been doing",
    "next": "What's next",
    "analysis": "Key measures and data analysis",
}
KEYS: dict[str, set[str]] = {
    "file": {"city", "initiatives"},
    "initiatives": {
        "slug",
        "number",
        "title",
        "goal",
        "status",
        "owner",
        "updated",
        "narrative",
        "strategies",
        "facts",
    },
    "strategies": {"slug", "title", "summary", "status", "measures", "also_touched", "targets"},
    "targets": {"measure", "target", "source"},
    "facts": {
        "label",
        "value",
        "unit",
        "period",
        "source",
        "url",
        "quality",
        "measure",
        "retrieved",
        "note",
    },
}
MARKUP = re.compile(
    r"</?[a-z][^<>]*>|<!--"  # a tag or comment
    r"|&(?:[a-z]{2,}[0-9]*|#[0-9]+|#x[0-9a-f]+);"  # a character written as HTML does
    r"|\]\([^)\s]+\)|\*\*[^*\n]+\*\*|^#{1,6} ",  # a Markdown link, bold words, heading
    re.IGNORECASE | re.MULTILINE,
)
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
BLANK_LINES = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrative:
    """The sections that residents read, each as paragraphs of plain text."""

    why: tuple[str, ...]
    doing: tuple[str, ...]
    next: tuple[str, ...]
    analysis: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target of the city's own, which stands instead of the registry's."""

    measure: str
    target: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One strategy. ``measures`` are counted here, ``also_touched`` under another strategy."""

    slug: str
    title: str
    summary: tuple[str, ...]
    status: str
    measures: tuple[str, ...]
    also_touched: tuple[str, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A figure that somebody published, as it was published, and where it comes from.

    ``measure`` is the measure it stands beside, where there is one.
    """

    label: str
    value: str
    unit: OrAbsent[str] = None
    period: OrAbsent[str] = None
    source: str
    url: str
    quality: str
    measure: OrAbsent[str] = None
    retrieved: OrAbsent[dt.date] = None
    note: OrAbsent[str] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiative:
    """One initiative as it was reported on the day ``updated``."""

    slug: str
    number: str
    title: str
    goal: str
    status: str
    owner: str
    updated: dt.date
    narrative: Narrative
    strategies: tuple[Strategy, ...]
    facts: tuple[Fact, ...]

    def as_json(self) -> dict[str, object]:
        """Return the initiative as a JSON document; what it does not state is left out."""
        written: dict[str, object] = to_json(self)
        return written

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> Self:
        """Read what :meth:`as_json` gave.

        Raises
        ------
        DataError
            If another version wrote it.
        """
        return from_json(cls, document, f"initiative {document.get('slug')}", IMPORT_AGAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiativesFile:
    """The initiatives of a city, in the order of its file."""

    path: str
    city: str
    initiatives: tuple[Initiative, ...]


def city_of(path: Path) -> str:
    """Return the slug of the city that a file of initiatives is about; empty if it states none.

    Raises
    ------
    InitiativesFileError
        If the file cannot be read.
    """
    return str(load_toml(path, InitiativesFileError, REMEDY).get("city", ""))


def read_initiatives(path: Path, measures: Collection[str]) -> InitiativesFile:
    """Read and check a file of initiatives.

    Parameters
    ----------
    path
        The TOML file.
    measures
        Ids of the measure registry; any other id is a fault.

    Raises
    ------
    InitiativesFileError
        If the file cannot be read, or with every fault that it has.
    """
    content = load_toml(path, InitiativesFileError, REMEDY)
    return _Reader(path, content, measures).read()


def digest_document(document: Any) -> str:
    """Return the SHA-256 of a JSON document in canonical form: sorted keys, no spaces."""
    canonical = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(before: Initiative, after: Initiative) -> tuple[str, ...]:
    """Name what differs between two versions of an initiative; short values are told in full."""
    if before == after:
        return ()
    return tuple(_walk("", before.as_json(), after.as_json())) or ("another order",)


def _walk(path: str, before: Any, after: Any) -> Iterator[str]:
    """Tell the differences below one place of two JSON documents."""
    if before == after:
        return
    before, after = _by_name(before), _by_name(after)
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            below = f"{path} {key}".strip()
            yield from _walk(below, before.get(key), after.get(key))
    elif before is None or after is None:
        yield f"{path} {'added' if before is None else 'removed'}"
    elif isinstance(before, list) or isinstance(after, list) or len(f"{before}{after}") > 120:
        yield f"{path} changed"
    else:
        yield f"{path}: {before} -> {after}"


def _by_name(value: Any) -> Any:
    """Turn strategies, targets and facts from a list into a table by what tells them apart."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return {} if value == [] else value
    return {_name(entry): entry for entry in value}


def _name(entry: Mapping[str, object]) -> str:
    if "label" in entry:
        return " / ".join(str(entry[key]) for key in ("label", "period", "source") if key in entry)
    return str(entry["slug"] if "slug" in entry else entry["measure"])


class _Reader:
    """Walks the file and gathers faults; what it gives counts only where there are none."""

    def __init__(self, path: Path, content: dict[str, object], measures: Collection[str]) -> None:
        self.path, self.content, self.known = path, content, measures
        self.faults: list[str] = []
        self.primary: dict[str, list[str]] = {}  # strategies that count a measure
        self.touched: list[tuple[str, str]] = []

    def read(self) -> InitiativesFile:
        self.faults += unknown_keys("the initiatives file", self.content, KEYS["file"])
        city = self._slug("the initiatives file", self.content, "city")
        if "initiatives" not in self.content:
            self.faults.append(
                "needs [[initiatives]], one for each; write initiatives = [] to retire them all"
            )
        found = [
            self._initiative(where, table)
            for where, table in self._entries("", self.content, "initiatives")
        ]
        for key in ("slug", "number"):
            self._twice("[[initiatives]]", key, [getattr(one, key) for one in found])
        self._counted_once()
        if self.faults:
            raise InitiativesFileError(str(self.path), self.faults)
        return InitiativesFile(path=str(self.path), city=city, initiatives=tuple(found))

    def _initiative(self, where: str, table: Mapping[str, object]) -> Initiative:
        slug = self._slug(where, table, "slug")
        strategies = [
            self._strategy(below, entry, f"{slug or where}")
            for below, entry in self._entries(where, table, "strategies")
        ]
        facts = [self._fact(*entry) for entry in self._entries(where, table, "facts")]
        self._twice(f"{where} [[strategies]]", "slug", [one.slug for one in strategies])
        named = [" / ".join(filter(None, (f.label, f.period, f.source))) for f in facts]
        self._twice(f"{where} [[facts]]", "label, period and source", named)
        return Initiative(
            slug=slug,
            number=self._line(where, table, "number"),
            title=self._line(where, table, "title"),
            goal=self._line(where, table, "goal"),
            status=self._status(where, table),
            owner=self._line(where, table, "owner"),
            updated=self._day(where, table, "updated", required=True) or dt.date.min,
            narrative=self._narrative(where, table),
            strategies=tuple(strategies),
            facts=tuple(facts),
        )

    def _narrative(self, where: str, table: Mapping[str, object]) -> Narrative:
        narrative = table.get("narrative")
        if not isinstance(narrative, dict):
            self.faults.append(
                f"{where}: needs [initiatives.narrative] with {', '.join(SECTIONS)}"
                if narrative is None
                else f"{where}: narrative must be a table, written [initiatives.narrative]"
            )
            return Narrative(why=(), doing=(), next=(), analysis=())
        within = f"{where} narrative"
        self.faults += unknown_keys(within, narrative, SECTIONS)
        return Narrative(
            **{
                key: self._paragraphs(within, narrative, key, f" ({title})")
                for key, title in SECTIONS.items()
            }
        )

    def _strategy(self, where: str, table: Mapping[str, object], initiative: str) -> Strategy:
        slug = self._slug(where, table, "slug")
        measures = self._measures(where, table, "measures")
        touched = self._measures(where, table, "also_touched")
        name = f"strategy {slug or where} of {initiative}"
        for measure in measures:
            self.primary.setdefault(measure, []).append(name)
        for measure in touched:
            if measure in measures:
                self.faults.append(
                    f"{where}: {measure} is counted here, so it cannot also be under also_touched"
                )
            self.touched.append((where, measure))
        targets = [
            self._target(below, entry, measures)
            for below, entry in self._entries(where, table, "targets")
        ]
        self._twice(f"{where} [[targets]]", "measure", [target.measure for target in targets])
        return Strategy(
            slug=slug,
            title=self._line(where, table, "title"),
            summary=self._paragraphs(where, table, "summary"),
            status=self._status(where, table),
            measures=measures,
            also_touched=touched,
            targets=tuple(targets),
        )

    def _target(self, where: str, table: Mapping[str, object], measures: tuple[str, ...]) -> Target:
        measure = self._line(where, table, "measure")
        if measure and measure not in measures:
            self.faults.append(
                f"{where}: {measure} is not under measures of this strategy; a target stands where "
                "its measure is counted"
            )
        return Target(
            measure=measure,
            target=self._number(where, table, "target"),
            source=self._line(where, table, "source"),
        )

    def _number(self, where: str, table: Mapping[str, object], key: str) -> float:
        value = table.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        text = "is missing" if value is None else f"must be a finite number, got {value!r:.40}"
        self.faults.append(f"{where}: {key} {text}")
        return 0.0

    def _fact(self, where: str, table: Mapping[str, object]) -> Fact:
        measure = self._optional(where, table, "measure")
        if measure:
            self._known_measure(where, measure)
        return Fact(
            label=self._line(where, table, "label"),
            value=self._line(where, table, "value"),
            unit=self._optional(where, table, "unit"),
            period=self._optional(where, table, "period"),
            source=self._line(where, table, "source"),
            url=self._address(where, table),
            quality=self._line(where, table, "quality"),
            measure=measure,
            retrieved=self._day(where, table, "retrieved"),
            note=self._optional(where, table, "note"),
        )

    def _counted_once(self) -> None:
        """Hold every measure to one primary strategy in all of the city."""
        for measure, names in self.primary.items():
            if len(names) > 1:
                self.faults.append(
                    f"{measure} is counted more than once, by {' and by '.join(names)}; leave it "
                    "under measures of one of them and write it under also_touched of the others"
                )
        for where, measure in self.touched:
            if measure not in self.primary:
                self.faults.append(
                    f"{where}: also_touched: {measure} is under measures of no strategy; name it "
                    "there where it is counted"
                )

    def _entries(
        self, where: str, table: Mapping[str, object], section: str
    ) -> list[tuple[str, dict[str, object]]]:
        value = table.get(section, [])
        if not isinstance(value, list) or any(not isinstance(entry, dict) for entry in value):
            self.faults.append(f"{where} {section} must be a list of tables".strip())
            return []
        found = []
        for number, entry in enumerate(value, start=1):
            below = f"{where} [[{section}]] {number}".strip()
            self.faults += unknown_keys(below, entry, KEYS[section])
            found.append((below, entry))
        return found

    def _twice(self, where: str, key: str, values: list[str]) -> None:
        for value in sorted({v for v in values if v and values.count(v) > 1}):
            self.faults.append(f"{where}: {key} {value!r} is given twice; each must differ")

    def _measures(self, where: str, table: Mapping[str, object], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.faults.append(f"{where}: {key} must be a list of measure ids, got {value!r}")
            return ()
        self._twice(where, key, value)
        return tuple(
            measure
            for measure in dict.fromkeys(value)
            if self._known_measure(f"{where}: {key}", measure)
        )

    def _known_measure(self, where: str, measure: str) -> bool:
        if measure in self.known:
            return True
        self.faults.append(f"{where}: unknown measure {measure!r}{hint(measure, self.known)}")
        return False

    def _status(self, where: str, table: Mapping[str, object]) -> str:
        status = self._line(where, table, "status")
        if status and status not in STATUSES:
            self.faults.append(
                f"{where}: status must be one of {', '.join(STATUSES)}, got {status!r}"
            )
        return status

    def _slug(self, where: str, table: Mapping[str, object], key: str) -> str:
        slug = self._line(where, table, key)
        if slug and not SLUG.fullmatch(slug):
            self.faults.append(
                f"{where}: {key} {slug!r}: use small letters, digits and hyphens, 80 at most"
            )
        return slug

    def _day(
        self, where: str, table: Mapping[str, object], key: str, *, required: bool = False
    ) -> dt.date | None:
        value = table.get(key)
        if value is None:
            if required:
                self.faults.append(f"{where}: {key} is missing")
            return None
        try:
            return parse_day(value)
        except ValueError:
            self.faults.append(f"{where}: {key} must be a date such as 2026-01-31, got {value!r}")
            return None

    def _address(self, where: str, table: Mapping[str, object]) -> str:
        url = self._line(where, table, "url")
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and " " not in url
        except ValueError:
            usable = False
        if url and not usable:
            self.faults.append(f"{where}: url must be an http:// or https:// address, got {url!r}")
        return url

    def _optional(self, where: str, table: Mapping[str, object], key: str) -> str | None:
        return self._line(where, table, key) if key in table else None

    def _line(self, where: str, table: Mapping[str, object], key: str) -> str:
        text = self._text(where, table, key)
        if "\n" in text:
            self.faults.append(f"{where}: {key} must be one line")
        return " ".join(text.split())

    def _paragraphs(
        self, where: str, table: Mapping[str, object], key: str, title: str = ""
    ) -> tuple[str, ...]:
        text = self._text(where, table, key, title)
        return tuple(" ".join(part.split()) for part in BLANK_LINES.split(text) if part.strip())

    def _text(self, where: str, table: Mapping[str, object], key: str, title: str = "") -> str:
        """Return a text without its outer spaces, or nothing and a fault."""
        value = table.get(key)
        if value is None:
            self.faults.append(f"{where}: {key}{title} is missing")
            return ""
        if not isinstance(value, str) or not value.strip():
            remedy = "" if isinstance(value, str) else "; write it in quotes"
            self.faults.append(f"{where}: {key}{title} must be text, got {value!r}{remedy}")
            return ""
        markup = MARKUP.search(value)
        if markup:
            self.faults.append(
                f"{where}: {key} must be plain text, without {markup.group()!r}; blank lines part "
                "paragraphs"
            )
        if UNSEEN.search(value):
            self.faults.append(f"{where}: {key} holds control characters; type the text anew")
        return value.strip()
