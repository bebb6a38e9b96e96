"""A city file made of districts, an OpenStreetMap extract and incidents: everything guessed once.

What is guessed stands in the file with why, for a person to correct.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from app.workbench.column_kinds import KINDS, OUTCOME, guess_name, guess_roles, only_kind
from app.workbench.column_mapping import AS_SAID, Answers, build
from geodata.cityfile.description import read_content
from geodata.cityfile.toml import write_toml
from geodata.errors import DataError
from geodata.ingest.areas import gather_areas
from geodata.ingest.city_folder import CITY_FILE, SHAPE_PARTS
from geodata.ingest.extract_survey import ExtractSurvey, choose_blocks, survey_extract
from geodata.ingest.official_systems import OfficialSystem, official_system
from geodata.ingest.placing import CityFrame
from geodata.ingest.sources import open_source, texts_of
from geodata.readers import read_place
from geodata.uploads.profile import preview

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from geodata.cityfile.description import CityFile
    from geodata.cityfile.schema import SourcePlace
    from geodata.ingest.extract_survey import Blocks, FactorCount

MOST_OUTCOMES = 12
LEAST_ROWS = 20  # of an outcome; rarer ones cannot be fitted
GRID = "the grid"


@dataclass(frozen=True, kw_only=True)
class CityFiles:
    """The files of a city that is yet to be, each called as the city file will call it."""

    districts: SourcePlace
    district_id: str = ""  # empty: the areas together are the city
    osm: SourcePlace | None = None
    incidents: SourcePlace | None = None

    def places(self) -> tuple[SourcePlace, ...]:
        """Return the files that are there."""
        there = (self.districts, self.osm, self.incidents)
        return tuple(one for one in there if one is not None)


@dataclass(frozen=True, kw_only=True, eq=False)
class CityProposal:
    """A city file, and what it follows from.

    ``outcomes`` are rows by outcome; ``notes`` stand above the sections of the file, by their names
    and, for a factor, by the factor's.
    """

    content: dict[str, Any]
    system: OfficialSystem
    blocks: Blocks
    districts: int
    survey: ExtractSurvey | None
    outcomes: Mapping[str, int]
    notes: Mapping[str, str]

    @property
    def found(self) -> tuple[FactorCount, ...]:
        """Factors of which the city has any."""
        return tuple(one for one in self._factors if one.count)

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the factors of which it has none."""
        return tuple(one.factor.name for one in self._factors if not one.count)

    @property
    def _factors(self) -> tuple[FactorCount, ...]:
        return self.survey.factors if self.survey else ()

    def without(self, struck: Collection[str]) -> CityProposal:
        """Return the same without the factors that do not fit."""
        kept = [one for one in self.content.get("factors", []) if one["name"] not in struck]
        return dataclasses.replace(self, content={**self.content, "factors": kept})

    def text(self) -> str:
        """Write the city file, each section under what it follows from."""
        blocks = []
        for name, section in self.content.items():
            for table in section if isinstance(section, list) else [section]:
                note = self.notes.get(str(table.get("name")) if name == "factors" else name, "")
                lines = "".join(f"# {line}\n" for line in note.splitlines())
                whole = [table] if isinstance(section, list) else table
                blocks.append(lines + write_toml({name: whole}))
        absent = f"# Not in the extract: {', '.join(self.absent)}.\n" if self.absent else ""
        return "\n".join([*blocks, absent] if absent else blocks)


def _notes(system: OfficialSystem, blocks: Blocks, *, sure: bool) -> dict[str, str]:
    """Return why system and grid are what they are, by section of the city file."""
    return {
        "city": f"{system.code} is {system.name} ({system.unit}): {system.why}.\n"
        f"The time zone {system.timezone} is {'as stated' if sure else 'a guess'}.",
        "grid": f"In {system.unit}: {blocks.why}.",
    }


def _district_frame(files: CityFiles) -> gpd.GeoDataFrame:
    frame = open_source(files.districts, "districts", [files.district_id or None]).frame
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.isna().all():
        msg = f"{files.districts.label}: holds no areas; districts are polygons"
        raise DataError(msg)
    return frame


def propose_city(
    slug: str, name: str, files: CityFiles, *, timezone: str | None = None
) -> CityProposal:
    """Make a city file of what files hold; nothing is written.

    Raises
    ------
    DataError
        If a file cannot be read, or lacks the column of the districts.
    """
    labels = [place.label for place in files.places()]
    if len(set(labels)) < len(labels):
        msg = f"two files are called alike ({', '.join(labels)}); give one another name"
        raise DataError(msg)
    frame = _district_frame(files)
    areas = frame.geometry.to_crs(4326).make_valid().union_all()
    system = official_system(areas, timezone)
    shapes = frame.geometry.to_crs(system.code).make_valid()
    survey = survey_extract(files.osm, shapes, system.unit_m) if files.osm else None
    area = float(shapes.union_all().area)
    blocks = (
        survey.blocks if survey else choose_blocks(np.empty(0, dtype=object), area, system.unit_m)
    )
    notes = _notes(system, blocks, sure=bool(timezone))
    content: dict[str, Any] = {
        "city": {
            "slug": slug,
            "name": name,
            "crs": system.code,
            "timezone": system.timezone,
        },
        **_areas(files),
        "grid": {"cell": _plain(blocks.cell), "block": _plain(blocks.block)},
    }
    outcomes: dict[str, int] = {}
    if files.incidents is not None:
        frame_of = CityFrame(
            crs=CRS.from_user_input(system.code), bounds=tuple(shapes.total_bounds)
        )
        section, outcomes, kind = _incidents(files.incidents, frame_of, system.timezone)
        content["incidents"] = [section]
        if kind:
            title = (kind.lower() if kind.isupper() or kind.istitle() else kind)[:60]
            content["outcomes"] = {section["outcome"]: {"title": title}}
            notes["incidents"] = f"All of its rows are of one kind, {kind!r}."
    if files.osm is not None and survey is not None:
        content["osm"] = {"source": files.osm.label}
        there = [one for one in survey.factors if one.count]
        content["factors"] = [{"name": f.factor.name, "osm": f.factor.name} for f in there]
        notes["osm"] = f"For the map: {_counts(survey.base)}."
        notes |= {one.factor.name: _about(one) for one in there}
    return CityProposal(
        content=content,
        system=system,
        blocks=blocks,
        districts=_number_of(frame, files.district_id),
        survey=survey,
        outcomes=outcomes,
        notes=notes,
    )


def _areas(files: CityFiles) -> dict[str, Any]:
    place: dict[str, Any] = {"source": files.districts.label}
    if files.districts.crs:
        place["crs"] = files.districts.crs
    return (
        {"districts": {**place, "id": files.district_id}}
        if files.district_id
        else {"boundary": place}
    )


def _number_of(frame: gpd.GeoDataFrame, column: str) -> int:
    return int(pd.Series(texts_of(frame[column])).nunique()) if column else 1


def _about(found: FactorCount) -> str:
    return (
        f"{found.factor.title}: {found.count:,}, in {found.coverage:.0%} of the districts.\n"
        f"OpenStreetMap may miss: {found.factor.misses}"
    )


def _counts(base: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in base.items())


def _plain(length: float) -> float:
    return int(length) if float(length).is_integer() else length


def _incidents(
    place: SourcePlace, city: CityFrame, timezone: str
) -> tuple[dict[str, Any], dict[str, int], str]:
    """Describe a file of incidents by the guesses of the upload page; and rows by outcome.

    The third is the kind that a column states for all rows, which the outcome is named after.

    Raises
    ------
    DataError
        If no column seems to hold the date or the place.
    """
    seen = preview(place, city, timezone=timezone)
    found = seen.coordinates
    if found is None or (seen.shape and found.said):
        system = AS_SAID
    else:
        system = found.said or next(iter(found.fits), city.crs.to_string())
    frame = read_place(dataclasses.replace(place, x="?", y="?")).frame
    answers = Answers(
        kind="incidents",
        roles=guess_roles(KINDS["incidents"], seen),
        crs=system,
    )
    kind = "" if answers.column(OUTCOME) else only_kind(frame)
    answers = dataclasses.replace(answers, outcome=guess_name(kind) or _outcome_of(place.label))
    counts: dict[str, int] = {answers.outcome: seen.rows}
    column = answers.column(OUTCOME)
    if column is not None:
        texts = pd.Series(texts_of(frame[column]), dtype=object)
        often = texts[texts != ""].value_counts().head(MOST_OUTCOMES)
        usual = often[often >= LEAST_ROWS] if (often >= LEAST_ROWS).any() else often
        words = {
            str(value): guess_name(str(value)) or f"kind_{number}"
            for number, value in enumerate(usual.index, start=1)
        }
        answers = dataclasses.replace(answers, words={OUTCOME: words})
        counts = {}
        for value, rows in usual.items():
            counts[words[str(value)]] = counts.get(words[str(value)], 0) + int(rows)
    tables, faults = build(answers, place.label, seen.shape)
    if faults:
        told = "; ".join(fault for group in faults.values() for fault in group)
        msg = (
            f"{place.label}: cannot be described by its columns alone ({told}); leave it out here, "
            "and write its [[incidents]] section, or upload it to the workbench"
        )
        raise DataError(msg)
    return tables[0], counts, kind if guess_name(kind) else ""


def _outcome_of(label: str) -> str:
    """Name the outcome of a file whose rows do not tell it.

    >>> _outcome_of("Robberies 2017-2018.csv"), _outcome_of("Thefts.csv.gz"), _outcome_of("24.csv")
    ('robbery', 'theft', 'incidents')
    """
    words = re.sub(r"[\d_\W]+", " ", Path(label).stem.partition(".")[0]).strip()
    name = guess_name(words) or "incidents"
    if name.endswith("incidents"):
        return name
    return re.sub(r"(?<!s)s$", "", re.sub(r"ies$", "y", name))


def write_city(proposal: CityProposal, files: CityFiles, folder: Path) -> CityFile:
    """Write a city file and copies of its files into a folder; give it as it reads.

    Raises
    ------
    DataError
        If there is a city file already, or the districts cannot be used.
    CityFileError
        With every fault of the city file.
    """
    path = folder / CITY_FILE
    if path.exists():
        msg = f"{path} is there already; name another folder with --folder, or remove it"
        raise DataError(msg)
    where = {place.label: str(Path(place.path).absolute()) for place in files.places()}
    described = read_content({**proposal.content, "files": where}, path, folder)
    gather_areas(described)
    folder.mkdir(parents=True, exist_ok=True)
    for place in files.places():
        for source, name in _parts(Path(place.path), place.label):
            if source.absolute() != (folder / name).absolute():
                shutil.copyfile(source, folder / name)
    path.write_text(proposal.text(), encoding="utf-8")
    return described


def _parts(path: Path, label: str) -> list[tuple[Path, str]]:
    """Return the files that make a source: one, or the parts of a shapefile."""
    if path.suffix.lower() != ".shp":
        return [(path, label)]
    stem = Path(label).stem
    found = [(path.with_suffix(case), one) for one in SHAPE_PARTS for case in (one, one.upper())]
    return [(part, f"{stem}{ending}") for part, ending in found if part.is_file()]
