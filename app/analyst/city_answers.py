"""What is said of a new city -> its city file, or what is wrong where."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from app.analyst.answers import AS_SAID, OTHER, Faults
from geodata.cityfile.description import SLUG, read_content
from geodata.cityfile.tables import DEGREES
from geodata.errors import CityFileError, DataError
from geodata.gathering.areas import gather_areas
from geodata.gathering.sources import texts_of
from geodata.quarantine import handed_in
from geodata.quarantine.previews import preview
from geodata.quarantine.systems import describe_system, systems_at
from geodata.readers import read_place
from spatial.errors import GridError
from spatial.grid import lay_grid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from geodata.cityfile.description import CityFile
    from geodata.gathering.areas import Areas
    from geodata.quarantine.handed_in import HandedIn
    from geodata.quarantine.previews import Preview

RESERVED = ("new-city",)  # an address of the workbench
MOST_SYSTEMS = 12
CELL = {True: ("60", "120"), False: ("200", "400")}  # metres, feet
SHAPES = ("Polygon", "MultiPolygon")
LONGEST_NAME, LONGEST_SHORT_NAME = 200, 40
LONGEST_UNITS = 1e6


@dataclass(frozen=True, kw_only=True)
class CityAnswers:
    """What is said of a new city; ``district`` is the column of codes, nothing for an outline."""

    name: str = ""
    slug: str = ""
    crs: str = ""
    crs_other: str = ""
    timezone: str = ""
    cell: str = ""
    block: str = ""
    district: str = ""
    district_name: str = ""
    file_crs: str = AS_SAID

    @property
    def system(self) -> str:
        """The reference system that is meant."""
        return self.crs_other.strip() if self.crs == OTHER else self.crs

    def as_json(self) -> dict[str, Any]:
        """Give the answers as they are kept beside the file."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """A file of districts as it seems to be; ``systems`` are those made for where it lies."""

    preview: Preview
    said: str | None
    systems: tuple[tuple[str, str], ...]
    guesses: CityAnswers
    values: Mapping[str, tuple[str, ...]]


def look_at_outline(handed: HandedIn, file_crs: str = AS_SAID) -> Outline:
    """Look at a file that is to be the districts of a new city.

    Raises
    ------
    DataError
        If it cannot be read or holds no areas.
    """
    place = handed_in.place_of(handed)
    seen = preview(place)
    shapes = (seen.shape or "").split("/")
    if not set(shapes) & set(SHAPES):
        msg = (
            f"{handed.upload.name}: districts are areas with an outline, and this file holds none; "
            "export them as GeoJSON, a zipped shapefile or a GeoPackage"
        )
        raise DataError(msg)
    said = seen.coordinates.said if seen.coordinates else None
    frame = read_place(dataclasses.replace(place, x="?", y="?")).frame
    systems = _systems(frame, _usable(file_crs) or said)
    columns = [column.name for column in seen.columns]
    code = next((c.name for c in seen.columns if c.different == seen.rows and c.role == "id"), "")
    metric = not systems or CRS.from_user_input(systems[0][0]).axis_info[0].unit_name == "metre"
    cell, block = CELL[metric]
    return Outline(
        preview=seen,
        said=said,
        systems=systems,
        guesses=CityAnswers(
            district=code, crs=systems[0][0] if systems else OTHER, cell=cell, block=block
        ),
        values={name: tuple(texts_of(frame[name])[:3]) for name in columns},
    )


def _systems(frame: Any, said: str | None) -> tuple[tuple[str, str], ...]:
    """Give the projected systems that are made for where shapes lie: codes and names."""
    if said is None:
        return ()
    west, south, east, north = frame.total_bounds
    if not np.isfinite([west, south, east, north]).all():
        return ()
    turn = Transformer.from_crs(said, DEGREES, always_xy=True)
    lon, lat = turn.transform((west + east) / 2, (south + north) / 2)
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        return ()
    codes = dict.fromkeys(systems_at(lon, lat))
    if CRS.from_user_input(said).is_projected:
        codes = {said: None, **codes}
    return tuple((code, describe_system(code)) for code in list(codes)[:MOST_SYSTEMS])


def _usable(system: str) -> str | None:
    try:
        CRS.from_user_input(system)
    except CRSError:
        return None
    return system or None


def read_city_form(form: Mapping[str, str]) -> CityAnswers:
    """Read what was chosen and typed; a short name that was left empty comes from the name."""
    names = [field.name for field in dataclasses.fields(CityAnswers)]
    answers = CityAnswers(**{name: form.get(name, "").strip() for name in names})
    return dataclasses.replace(answers, slug=answers.slug or short_name(answers.name))


def short_name(name: str) -> str:
    """Make a short name for addresses of what stands before the first comma.

    >>> short_name("San José, California"), short_name("Łódź"), short_name(", ?")
    ('san-jose', 'odz', '')
    """
    plain = unicodedata.normalize("NFKD", name.split(",")[0]).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:LONGEST_SHORT_NAME].strip("-")


def read_city_kept(kept: Mapping[str, Any]) -> CityAnswers | None:
    """Read answers that were kept, nothing where there are none."""
    try:
        return CityAnswers(**kept) if kept else None
    except TypeError:
        return None


def build_city(
    answers: CityAnswers, source: str, columns: Collection[str], taken: Collection[str]
) -> tuple[dict[str, Any], Faults]:
    """Give the city file that answers mean, and what is wrong with them; ``taken`` are slugs."""
    faults = Faults()
    if not answers.name or len(answers.name) > LONGEST_NAME:
        faults.add("name", "give the city's name, such as Hartford, Connecticut")
    if not SLUG.fullmatch(answers.slug) or answers.slug in RESERVED:
        faults.add("slug", "use small letters, digits and hyphens, such as hartford")
    elif answers.slug in taken:
        faults.add("slug", f"there is a city {answers.slug} already; choose another")
    _check_system(answers.system, faults)
    if answers.timezone not in zoneinfo.available_timezones():
        faults.add("timezone", "choose a time zone, such as America/New_York")
    numbers = _lengths(answers, faults)
    _check_columns(answers, columns, faults)
    place = {"source": source, **({"crs": answers.file_crs} if answers.file_crs else {})}
    if answers.file_crs and _usable(answers.file_crs) is None:
        faults.add("file_crs", f"{answers.file_crs[:40]!r} is no known system; write EPSG:2234")
    named = {"name": answers.district_name} if answers.district_name else {}
    area = (
        {"districts": {**place, "id": answers.district, **named}}
        if answers.district
        else {"boundary": place}
    )
    city = {
        "slug": answers.slug,
        "name": answers.name,
        "crs": answers.system,
        "timezone": answers.timezone,
    }
    return {"city": city, **area, "grid": numbers}, faults


def _lengths(answers: CityAnswers, faults: Faults) -> dict[str, float]:
    numbers = {"cell": _number(answers.cell), "block": _number(answers.block)}
    for name, value in numbers.items():
        if not 0 < value < LONGEST_UNITS:
            faults.add(name, "give a length in the units of the system, such as 200")
    return numbers


def _check_columns(answers: CityAnswers, columns: Collection[str], faults: Faults) -> None:
    for name in ("district", "district_name"):
        if getattr(answers, name) and getattr(answers, name) not in columns:
            faults.add(name, "choose a column of the file")
    if answers.district_name and not answers.district:
        faults.add("district", "names need codes beside them; choose the column of the codes")


def _check_system(system: str, faults: Faults) -> None:
    try:
        known = CRS.from_user_input(system) if system else None
    except CRSError:
        known = None
    if known is None:
        faults.add("crs", "choose a system, or type one such as EPSG:2234")
    elif not known.is_projected:
        faults.add(
            "crs", f"{system} is not projected: its unit is degrees; choose one in feet or metres"
        )


def _number(text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return float("nan")
    return int(value) if value.is_integer() else value


def lay_out(content: dict[str, Any], handed: HandedIn, faults: Faults) -> tuple[Areas, int] | None:
    """Read the districts and lay the grid: areas and how many cells; what is wrong goes to faults.

    Lengths are in units of the city's system.
    """
    try:
        described = read_content(content, Path("this city"), handed.upload.path.parent)
        described = with_outline(described, handed)
        areas = gather_areas(described)
        shapes = {code: shape for code, (_, shape) in areas.districts.items()}
        grid = lay_grid(areas.study_area, shapes, described.grid.cell_units)
    except CityFileError as error:
        for fault in error.faults:
            faults.add("block" if "block" in fault else "form", fault)
    except GridError as error:
        faults.add("cell", str(error))
    except DataError as error:
        faults.add("form", str(error))
    else:
        return areas, len(grid.cols)
    return None


def with_outline(described: CityFile, handed: HandedIn) -> CityFile:
    """Give a city file whose districts are the rows that were read of a file that was handed in."""
    districts = described.districts
    if districts is None:
        return described
    place = handed_in.read_before(districts.place, handed)
    return dataclasses.replace(described, districts=dataclasses.replace(districts, place=place))


def zones() -> list[str]:
    """Name the time zones of places, those of America first."""
    found = [z for z in zoneinfo.available_timezones() if "/" in z and not z.startswith("Etc/")]
    return sorted(found, key=lambda z: (not z.startswith("America/"), z))
