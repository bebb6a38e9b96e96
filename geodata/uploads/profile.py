"""What a file seems to hold: what each column is, where its places lie, which trap it is.

Guesses are reported with how sure they are and why, and decide nothing: a person maps the columns.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.cityfile.schema import DEGREES
from geodata.ingest.location import Coordinates, look_at
from geodata.readers import read_place
from geodata.readers.cell_numbers import read_numbers
from geodata.readers.cell_places import PAIR as DEGREES_PAIR
from geodata.readers.cell_places import holds_places, read_places
from geodata.readers.dates import LONGEST_MOMENT, read_moments

if TYPE_CHECKING:
    from geodata.cityfile.schema import SourcePlace
    from geodata.ingest.placing import CityFrame

SURE, LIKELY, PERHAPS = "sure", "likely", "perhaps"
FIRST_ROWS = 10
SAMPLE = 2_000
WIDEST = 80
MOST_CATEGORIES = 40
MOSTLY = 0.9
NAMES: dict[str, re.Pattern[str]] = {
    "x": re.compile(
        r"^(x|lon|lng|long|longitude|point_?x|x_?coord.*|easting)$|_(x|lon|lng)$", re.I
    ),
    "y": re.compile(r"^(y|lat|latitude|point_?y|y_?coord.*|northing)$|_(y|lat)$", re.I),
    "date": re.compile(r"date|day$|occurred|reported|_on$|_at$|^when$", re.I),
    "time": re.compile(r"time|hour|clock", re.I),
    "id": re.compile(r"(^|_|\b)(id|number|no|num|key|case|incident)(_?(id|no|number))?$", re.I),
}
PAIR = DEGREES_PAIR.replace("(-?", "(?:-?")  # the same, without groups
DIGIT = r"\d"
TIME = re.compile(r"^\d{1,2}:\d{2}(:\d{2})?(\s*[ap]m)?$", re.I)


@dataclass(frozen=True, kw_only=True)
class ColumnGuess:
    """One column: how full it is, what is in it, what it seems to be.

    ``role`` is x, y, place, date, time, id, category, number or text; ``sure`` one of "sure",
    "likely", "perhaps"; ``why`` is a sentence.
    """

    name: str
    role: str
    sure: str
    why: str
    filled: float
    different: int
    examples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Preview:
    """A file as it seems to be.

    ``shape`` names the kind of its geometry, if it has one. ``warnings`` are traps, told plainly;
    ``coordinates`` say which columns, or the geometry, hold the places and in which system.
    """

    rows: int
    columns: tuple[ColumnGuess, ...]
    first: tuple[tuple[str, ...], ...]
    shape: str | None
    coordinates: Coordinates | None
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def preview(place: SourcePlace, city: CityFrame | None = None, *, timezone: str = "UTC") -> Preview:
    """Look at a local file.

    Parameters
    ----------
    place
        The file; its columns and its system need not be known.
    city
        Where the city is, if that is known: then systems are tried until places fall into it.
    timezone
        The city's.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    open_place = dataclasses.replace(place, x="?", y="?", crs=None)
    layer = read_place(open_place)  # with columns stated, a missing system is no error here
    frame = layer.frame
    table = pd.DataFrame(frame[[n for n in frame.columns if n != "geometry"]])
    sample = table.iloc[np.unique(np.linspace(0, len(table) - 1, SAMPLE).astype(int))] if len(
        table
    ) else table  # fmt: skip
    guesses = [_guess(str(name), sample[name], timezone) for name in sample.columns]
    shape, coordinates = _places(frame, table, guesses, place.crs, city)
    return Preview(
        rows=len(frame),
        columns=tuple(guesses),
        first=tuple(
            tuple(_text(v) for v in row) for row in table.head(FIRST_ROWS).itertuples(index=False)
        ),
        shape=shape,
        coordinates=coordinates,
        warnings=_warnings(len(frame), guesses, coordinates),
        notes=layer.notes,
    )


def _places(
    frame: pd.DataFrame,
    table: pd.DataFrame,
    guesses: list[ColumnGuess],
    crs: str | None,
    city: CityFrame | None,
) -> tuple[str | None, Coordinates | None]:
    """Find where the places are: in a geometry, in two columns, or in one that holds pairs."""
    if isinstance(frame, gpd.GeoDataFrame) and frame.geometry.notna().any():
        bounds = frame.geometry.bounds
        x = ((bounds.minx + bounds.maxx) / 2).to_numpy(float)
        y = ((bounds.miny + bounds.maxy) / 2).to_numpy(float)
        stated = crs or (frame.crs.to_string() if frame.crs else None)
        shape = "/".join(sorted(frame.geom_type.dropna().unique()))
        return shape, look_at(("geometry",), x, y, stated, city)
    x_name, y_name = _best(guesses, "x"), _best(guesses, "y")
    if x_name and y_name:
        degrees = re.search(r"lon|lng|lat", f"{x_name} {y_name}", re.I)
        stated = crs or (DEGREES if degrees else None)
        x, y = (read_numbers(table[name]) for name in (x_name, y_name))
        return None, look_at((x_name, y_name), x, y, stated, city)
    pair = _best(guesses, "place")
    if pair:
        shapes, code = read_places(table[pair])
        middle = shapely.bounds(shapes)
        x, y = (middle[:, 0] + middle[:, 2]) / 2, (middle[:, 1] + middle[:, 3]) / 2
        stated = crs or (f"EPSG:{code}" if code else DEGREES)
        return None, look_at((pair,), x, y, stated, city)
    return None, None


def _guess(name: str, column: pd.Series[Any], timezone: str) -> ColumnGuess:
    texts = column.astype("string").str.strip()
    result = texts[(texts.notna() & (texts != "")).fillna(value=False)]
    different = int(result.nunique())
    role, sure, why = _role(name, column, result, different, timezone) if len(result) else (
        "text", PERHAPS, "it is empty"
    )  # fmt: skip
    return ColumnGuess(
        name=name,
        role=role,
        sure=sure,
        why=why,
        filled=len(result) / len(texts) if len(texts) else 0.0,
        different=different,
        examples=tuple(_text(v) for v in result.drop_duplicates().head(3)),
    )


def _role(
    name: str, column: pd.Series[Any], values: pd.Series[Any], different: int, timezone: str
) -> tuple[str, str, str]:
    """Return the role of a column that holds something: its values first, then its name."""
    numbers = pd.Series(read_numbers(values), index=values.index)
    numeric = numbers.notna().mean() >= MOSTLY
    named = {role for role, pattern in NAMES.items() if pattern.search(name)}
    for axis in ("x", "y"):
        if axis in named and numeric:
            return axis, *_axis(axis, numbers.dropna())
    if holds_places(values) or values.str.contains(PAIR, regex=True).mean() >= MOSTLY:
        return "place", LIKELY, "its values are places, such as pairs of coordinates"
    if values.str.match(TIME).mean() >= MOSTLY:
        return "time", SURE if "time" in named else LIKELY, "its values are times of day"
    moment = _moment(column, numeric=numeric, named="date" in named, timezone=timezone)
    return moment or _plain_role(values, different, named, numeric=numeric)


def _plain_role(
    values: pd.Series[Any], different: int, named: set[str], *, numeric: bool
) -> tuple[str, str, str]:
    """Return the role of a column that holds neither places nor moments."""
    unique = different == len(values) and len(values) > 1
    if "id" in named and unique:
        return "id", SURE, "its name says so and no value comes twice"
    if "time" in named and numeric:
        return "time", PERHAPS, "its name says so; its numbers may be HHMM, or seconds of the day"
    if numeric:
        return "number", SURE, "its values are numbers"
    if unique and values.str.fullmatch(r"[\w./-]{1,40}").all():
        return "id", PERHAPS, "no value comes twice"
    if different <= MOST_CATEGORIES and different < len(values) / 2:
        why = "the same value throughout" if different == 1 else f"{different} different values"
        return "category", LIKELY, why
    return "text", LIKELY, "its values are texts"


def _axis(axis: str, numbers: pd.Series[Any]) -> tuple[str, str]:
    most = 180 if axis == "x" else 90
    word = "longitude" if axis == "x" else "latitude"
    inside = bool((numbers.abs() <= most).mean() >= MOSTLY)
    if inside:
        return SURE, f"its name says so and its values can be a {word}"
    return LIKELY, f"its name says so; its values are no {word} in degrees, so a projected system"


def _moment(
    column: pd.Series[Any], *, numeric: bool, named: bool, timezone: str
) -> tuple[str, str, str] | None:
    """Return whether a column holds dates: numbers only where its name says so."""
    if numeric and not named and not pd.api.types.is_datetime64_any_dtype(column):
        return None
    texts = column.astype("string").dropna()
    if not numeric and (texts.str.len().median() > LONGEST_MOMENT or not _has_digits(texts)):
        return None
    found = read_moments(column.reset_index(drop=True), None, date_format=None, timezone=timezone)
    result = column.notna() & (column.astype("string").str.strip() != "")
    read = ~np.isnat(found.day)
    share = read.sum() / max(int(result.sum()), 1)
    if share < MOSTLY:
        return None
    alike = "; day and month may be the other way round" if found.notes else ""
    sure = SURE if named and not found.notes else LIKELY
    return "date", sure, f"{share:.0%} of its values are dates written as {found.form}{alike}"


def _has_digits(texts: pd.Series[Any]) -> bool:
    """Return whether most values have a digit, as every day and time has."""
    return bool(texts.str.contains(DIGIT).mean() >= MOSTLY)


def _best(guesses: list[ColumnGuess], role: str) -> str | None:
    mine = [g for g in guesses if g.role == role]
    order = {SURE: 0, LIKELY: 1, PERHAPS: 2}
    return min(mine, key=lambda g: order[g.sure]).name if mine else None


def _warnings(
    rows: int, guesses: list[ColumnGuess], coordinates: Coordinates | None
) -> tuple[str, ...]:
    lines = []
    if rows == 0:
        lines.append("The file holds no rows.")
    if coordinates is None:
        lines.append("No place was found: no geometry, and no two columns that seem to hold one.")
    else:
        lines += coordinates.warnings
    if not any(g.role == "date" for g in guesses):
        lines.append("No column seems to hold dates; incidents need one.")
    return tuple(lines)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)[:WIDEST]
