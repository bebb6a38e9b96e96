"""What a release says of itself, in sentences: dates, what changed, how to cite and verify it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from app.i18n import measure_words, numbers
from app.i18n.language import translated
from app.public import open_data

if TYPE_CHECKING:
    from geodata.release_manifest import FileChanges, ZoneChanges
    from geodata.releases.figure_documents import ReportedMeasure
    from geodata.releases.folder import ReleaseFolder

NAMED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One measure whose figure of the last 12 months differs from the release before."""

    id: str
    title: str
    before: str
    after: str


def approved_at(release: ReleaseFolder) -> dt.datetime:
    """Return when a release was approved, UTC."""
    return _moment(str(release.approval and release.approval.at))


def withdrawn_at(release: ReleaseFolder) -> dt.datetime | None:
    """Return when a release was withdrawn, UTC, if it was."""
    withdrawal = release.withdrawal
    return _moment(withdrawal.at) if withdrawal else None


def why_withdrawn(release: ReleaseFolder) -> str:
    """Return the reason that stands beside a withdrawn release."""
    return release.withdrawal.why if release.withdrawal else ""


def through(release: ReleaseFolder) -> str:
    """Write the last day that a release is about."""
    return numbers.day(release.manifest.through)


def changes(release: ReleaseFolder) -> list[str]:
    """Tell what differs from the release before, a sentence each."""
    stated = release.manifest.changes
    if stated is None:
        return [_("This is the first release.")]
    lines = [*_zones(stated.zones), *_files(stated.files)]
    number = len(stated.measures)
    if number:
        lines.append(
            ngettext(
                "The figure of the last 12 months changed in %(num)d measure.",
                "The figures of the last 12 months changed in %(num)d measures.",
                number,
            )
        )
    return lines or [_("Nothing changed but the dates.")]


def moved(release: ReleaseFolder) -> tuple[Moved, ...]:
    """Tell the measures that changed, each with its figure before and after."""
    stated = release.manifest.changes
    if stated is None:
        return ()
    known = open_data.measures(release)
    return tuple(
        Moved(
            id=one.measure,
            title=translated(known[one.measure].title if one.measure in known else one.measure),
            before=_figure(one.before, known.get(one.measure)),
            after=_figure(one.after, known.get(one.measure)),
        )
        for one in stated.measures
    )


def citation(release: ReleaseFolder, url: str) -> str:
    """Write how to cite a release."""
    return _(
        "%(city)s. Safer Ground open data, release %(release)s, data through %(through)s, "
        "published %(approved)s. %(url)s",
        city=release.manifest.city.name,
        release=release.id,
        through=through(release),
        approved=numbers.day(approved_at(release).date()),
        url=url,
    )


def size(number: int) -> str:
    """Write the size of a file.

    >>> size(812), size(23_118), size(815_104), size(2_400_000)
    ('1 KB', '23 KB', '815 KB', '2.4 MB')
    """
    if number < 1_000_000:
        return f"{max(1, round(number / 1000)):,} KB"
    return f"{number / 1_000_000:.1f} MB"


def _zones(options: ZoneChanges) -> list[str]:
    gained, lost, kept = len(options.gained), len(options.lost), options.kept
    if not gained and not lost:
        return (
            [ngettext("The %(num)d zone stays.", "All %(num)d zones stay.", kept)] if kept else []
        )
    return [
        _(
            "Of the zones, %(kept)d stay, %(gained)d are new and %(lost)d are no longer zones.",
            kept=kept,
            gained=gained,
            lost=lost,
        )
    ]


def _files(options: FileChanges) -> list[str]:
    lines = []
    for names, sentence in (
        (options.added, _("New files: %(files)s.")),
        (options.removed, _("Files no longer given: %(files)s.")),
    ):
        found = [name.removeprefix(open_data.DATA) for name in names if _is_data(name)]
        if found:
            lines.append(sentence % {"files": numbers.listed(found[:NAMED]) + _more(found)})
    return lines


def _more(found: list[str]) -> str:
    more = len(found) - NAMED
    return f" (+{more})" if more > 0 else ""


def _is_data(name: str) -> bool:
    return str(name).startswith(open_data.DATA)


def _figure(value: float | str | None, measure: ReportedMeasure | None) -> str:
    """Write a figure of the change log: a number, words where it is hidden, or nothing."""
    if value is None:
        return _("no data")
    if isinstance(value, str):
        return value
    return measure_words.figure(float(value), measure.unit if measure else "")


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
