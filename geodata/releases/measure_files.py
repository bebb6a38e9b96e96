"""Figures -> the measure files of a release, and back."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, Any

from geodata.cityfile.measures import measures_of_json, usual_measures
from geodata.measures.registry import Measures, disclosed, measures_of
from geodata.releases.dictionary import names
from geodata.releases.encoding import csv_bytes, json_bytes, number
from geodata.releases.rules import HITS, RULES, SHOWN_WORDS
from geodata.releases.sensitive import CITY, CountDisclosure, hits_of
from spatial.disclosure.linked import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from geodata.releases.figures import Figures, PublishedFigure
    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.inputs import Material
    from geodata.releases.sensitive import Where

PERIODS, MONTHS, JSON = "data/measures.csv", "data/measures_monthly.csv", "data/measures.json"
WEEKS = "data/measures_weekly.csv"
COURSE = "site/figures.json"
ACCOUNT, RUN = "data/zones_accountability.csv", "site/run.json"
DECLARED = "declared"  # measures of the city, where they are not the usual ones
LABELS = {words: label for label, words in SHOWN_WORDS.items()}


def measure_files(material: Material, figures: Figures) -> dict[str, bytes]:
    """Write the measures for whole periods, by month and, for the whole city, by week."""
    periods = [{"period": one.when, **_row(one)} for one in figures.of_periods]
    months = [{"month": one.when, **_row(one)} for one in figures.of_months]
    weeks = [{"week": one.when, **_row(one)} for one in figures.of_weeks]
    return {
        PERIODS: csv_bytes(names(PERIODS), (_only(PERIODS, row) for row in periods)),
        JSON: json_bytes(_document(material, figures, periods)),
        MONTHS: csv_bytes(names(MONTHS), (_only(MONTHS, row) for row in months)),
        WEEKS: csv_bytes(names(WEEKS), (_only(WEEKS, row) for row in weeks)),
    }


def read_csv(content: bytes) -> list[dict[str, str]]:
    """Read a table of a release."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def measures_in(files: Mapping[str, bytes]) -> Measures:
    """Return every measure of a release, by id: its city may have declared some."""
    declared = json.loads(files[COURSE]).get(DECLARED) if COURSE in files else None
    return measures_of(usual_measures() if declared is None else measures_of_json(declared))


def told_counts(
    content: bytes, measures: Measures, zones: str = ""
) -> Iterator[tuple[Where, CountDisclosure]]:
    """Read what a file of measures says of the counts of sensitive measures.

    ``measures`` are those of the release. What a share says is its numerator. ``zones``
    is the digest of the run whose zones it is about.
    """
    shares, counts = {*disclosed(measures, "part"), HITS}, {*disclosed(measures, "count")}
    for row in read_csv(content):
        identity = row["measure"]
        if identity not in shares and identity not in counts:
            continue
        label = LABELS[row["shown"]]
        value = row["value" if identity in counts else "numerator"]
        count = None if label != SHOWN else round(float(value or 0))
        start, end = (dt.date.fromisoformat(row[key]) for key in ("from", "to"))
        name = hits_of(zones) if identity == HITS else identity
        yield (name, row["district"], start, end), CountDisclosure(label=label, value=count)


def told_accounts(
    content: bytes, zones: Mapping[str, str]
) -> Iterator[tuple[Where, CountDisclosure]]:
    """Read what a file says of the hits of earlier zones; ``zones`` are digests by release."""
    for row in read_csv(content):
        if row["release"] not in zones:
            continue
        start, end = (dt.date.fromisoformat(row[key]) for key in ("from", "to"))
        label = LABELS[row.get("shown") or ""]
        count = int(row["hits"]) if row["hits"] else None
        yield (
            (hits_of(zones[row["release"]]), CITY, start, end),
            CountDisclosure(label=label, value=count),
        )


def told_everywhere(
    files: Mapping[str, bytes], run: Mapping[str, Any] | None, zones: Mapping[str, str]
) -> Iterator[tuple[str, Where, CountDisclosure]]:
    """Read what a release says of sensitive counts and of hits, in whatever file.

    Parameters
    ----------
    files
        Its files.
    run
        What its manifest tells of its run.
    zones
        Digest of the run of each earlier release, by release.

    Returns
    -------
    Name of the file, which count, and what is reported of it.
    """
    own, measures = run["sha256"] if run else "", measures_in(files)
    for name in (PERIODS, MONTHS):
        for where, result in told_counts(files.get(name, b""), measures, own):
            yield name, where, result
    for where, result in told_accounts(files.get(ACCOUNT, b""), zones):
        yield ACCOUNT, where, result
    for document in json.loads(files[RUN])["validations"] if RUN in files else ():
        hits = document.get("zones", {}).get("hits")
        if hits is not None:
            start, end = (dt.date.fromisoformat(document[key]) for key in ("from", "to"))
            yield (
                RUN,
                (hits_of(own), CITY, start, end),
                CountDisclosure(label=int(SHOWN), value=hits),
            )


def zones_by_release(releases: Sequence[ReleaseFolder]) -> dict[str, str]:
    """Return the digest of the run that each release showed, by release."""
    runs = {one.id: one.manifest.get("run") for one in releases}
    return {identity: run["sha256"] for identity, run in runs.items() if run}


def _row(one: PublishedFigure) -> dict[str, Any]:
    value, figure = one.value, one.value.figure
    measure = value.measure
    return {
        "measure": measure.id,
        "title": measure.title,
        "unit": measure.unit,
        "from": value.scope.start.isoformat(),
        "to": value.scope.end.isoformat(),
        "district": value.scope.district or "",
        "value": number(figure.value),
        "low": number(figure.low),
        "high": number(figure.high),
        "numerator": number(figure.numerator),
        "denominator": number(figure.denominator),
        "n": figure.n if one.counted else None,
        "missing": figure.missing if one.counted else None,
        "shown": one.shown,
        "status": value.status,
        "target": number(value.target),
        "target_source": value.target_source,
        "data_through": value.data_through.isoformat() if value.data_through else None,
        "definition": measure.definition,
        "formula": measure.formula,
        "caveat": measure.caveat,
        "owner": measure.owner,
    }


def _only(file: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in names(file)}


def _document(
    material: Material, figures: Figures, rows: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """Return the periods' figures by measure, each with its definition once."""
    kept = ["period", "from", "to", "district", "value", "low", "high", "numerator"]
    kept += ["denominator", "n", "missing", "shown", "status"]
    known = measures_of(material.city.measures)
    by_measure: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_measure.setdefault(row["measure"], []).append(row)
    measures = []
    for identity, own in by_measure.items():
        measure, first = known[identity], own[0]
        measures.append(
            {
                "id": identity,
                "title": measure.title,
                "group": measure.group,
                "unit": measure.unit,
                "direction": measure.direction,
                "sensitive": measure.sensitive,
                "definition": measure.definition,
                "formula": measure.formula,
                "numerator_of": measure.numerator,
                "denominator_of": measure.denominator,
                "caveat": measure.caveat,
                "owner": measure.owner,
                **{key: first[key] for key in ("target", "target_source", "data_through")},
                "figures": [{key: row[key] for key in kept} for row in own],
            }
        )
    return {
        "city": material.city.slug,
        "through": material.last_day.isoformat(),
        "rules": RULES.version,
        "periods": {
            name: {"from": scope.start.isoformat(), "to": scope.end.isoformat()}
            for name, scope in figures.periods.items()
        },
        "measures": measures,
    }
