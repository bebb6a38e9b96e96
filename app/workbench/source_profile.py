"""A file that was handed in, looked at as a person says it is to be read.

The map of where the places of a file fall in a city's districts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from app.maps.palette import DISTRICT, INK, ZONE
from app.maps.staff_map import Key, MapLayer, staff_map
from app.workbench.column_kinds import KINDS, PAIR, X, Y, guess_kind, guess_roles
from app.workbench.column_mapping import AS_SAID, Answers, read_kept, words_of
from geodata.cityfile.schema import DEGREES
from geodata.errors import DataError
from geodata.formats import OSM_KINDS
from geodata.ingest.location import describe_system, frame_of, look_at, sight
from geodata.readers import read_place
from geodata.readers.cell_numbers import read_numbers
from geodata.uploads import intake
from geodata.uploads.profile import preview

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from app.workbench.column_mapping import Words
    from geodata.cityfile.schema import SourcePlace
    from geodata.ingest.areas import Areas
    from geodata.ingest.location import Coordinates, Sighting
    from geodata.repositories.cities import CityRecord
    from geodata.uploads.intake import HandedIn
    from geodata.uploads.profile import Preview


MOST_COLUMNS = 250
GUESSES = {  # what a column seems to be, for people
    "x": "x or longitude",
    "y": "y or latitude",
    "place": "pairs of coordinates",
    "date": "dates",
    "time": "times of day",
    "id": "numbers of rows",
    "category": "kinds of something",
    "number": "numbers",
    "text": "text",
}


@dataclass(frozen=True, kw_only=True)
class System:
    """A reference system to choose, and whether the places fit it."""

    code: str
    label: str
    told: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What a page tells of a file.

    ``warnings`` are traps of its places, ``remedy`` the system that they fit instead of the one
    that is stated, ``swapped`` that x and y must change places.
    """

    preview: Preview
    answers: Answers
    columns: tuple[str, ...]
    systems: tuple[System, ...]
    warnings: tuple[str, ...]
    remedy: System | None
    swapped: bool
    words: tuple[Words, ...]
    sighting: Sighting | None
    layers: tuple[str, ...]


def place_of(handed: HandedIn, answers: Answers) -> SourcePlace:
    """Return where the rows of a file are, as it is to be read.

    Raises
    ------
    DataError
        If its layer cannot be read.
    """
    x, y = answers.column(X), answers.column(Y)
    system = answers.system or (DEGREES if x else None)
    return replace(
        intake.place_of(handed, answers.layer or None),
        x=x if x and y else None,
        y=y if x and y else None,
        crs=system,
    )


def look(handed: HandedIn, city: CityRecord, answers: Answers | None = None) -> Look:
    """Look at a file; what was not answered yet is guessed.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    answers = answers or read_kept(handed.answers)
    layers = handed.upload.layers
    layer = answers.layer if answers else ""
    if len(layers) > 1 and layer not in layers:
        layer = layers[0]
    plain = intake.place_of(handed, layer or None)
    seen = preview(plain, frame_of(city), timezone=city.timezone)
    if len(seen.columns) > MOST_COLUMNS:
        msg = (
            f"{handed.upload.name}: has {len(seen.columns):,} columns, more than {MOST_COLUMNS}; "
            "leave out those that nobody needs"
        )
        raise DataError(msg)
    if answers is None:
        answers = _guesses(seen, city, layer)
        if handed.upload.kind in OSM_KINDS:
            answers = replace(answers, kind="osm", roles={}, crs=AS_SAID)
    frame = read_place(replace(plain, x="?", y="?"))
    coordinates = _coordinates(frame.frame, answers, city)
    fits = coordinates.fits if coordinates else ()
    wrong = bool(coordinates and coordinates.said and fits and coordinates.said not in fits)
    return Look(
        preview=seen,
        answers=answers,
        columns=tuple(column.name for column in seen.columns),
        systems=_systems(seen, coordinates, city),
        warnings=coordinates.warnings if coordinates and answers.source_kind.placed else (),
        remedy=_system(fits[0], fits) if wrong else None,
        swapped=bool(coordinates and coordinates.swapped),
        words=words_of(frame.frame, answers),
        sighting=sighting_of(handed, city, answers),
        layers=layers,
    )


def sighting_of(handed: HandedIn, city: CityRecord, answers: Answers) -> Sighting | None:
    """Give where the rows fall as the file is to be read; nothing where that cannot be said yet."""
    pair = answers.column(PAIR)
    if not answers.source_kind.placed:
        return None
    try:
        return sight(place_of(handed, answers), city, pair=pair)
    except (DataError, CRSError):
        return None  # reported at the fields, or where the file is checked


def _guesses(seen: Preview, city: CityRecord, layer: str) -> Answers:
    """Guess how a file is to be read; what a guess rests on is reported beside it."""
    kind = guess_kind(seen)
    found = seen.coordinates
    if found is None or (seen.shape and found.said):
        system = AS_SAID
    else:
        system = found.said or next(iter(found.fits), city.crs)
    return Answers(kind=kind, roles=guess_roles(KINDS[kind], seen), crs=system, layer=layer)


def _coordinates(frame: pd.DataFrame, answers: Answers, city: CityRecord) -> Coordinates | None:
    """Hold the places against the city, in the columns and the system that are chosen."""
    x_name, y_name = answers.column(X), answers.column(Y)
    if x_name and y_name and {x_name, y_name} <= set(frame.columns):
        x, y = (read_numbers(frame[name]) for name in (x_name, y_name))
        return look_at((x_name, y_name), x, y, _known(answers.system), frame_of(city))
    if answers.column(PAIR) is None and isinstance(frame, gpd.GeoDataFrame):
        bounds = frame.geometry.bounds
        x = ((bounds.minx + bounds.maxx) / 2).to_numpy(float)
        y = ((bounds.miny + bounds.maxy) / 2).to_numpy(float)
        stated = _known(answers.system) or (frame.crs.to_string() if frame.crs else None)
        return look_at(("geometry",), x, y, stated, frame_of(city))
    return None


def _known(system: str) -> str | None:
    try:
        return CRS.from_user_input(system).to_string() if system else None
    except CRSError:
        return None  # reported at its field


def _systems(
    seen: Preview, coordinates: Coordinates | None, city: CityRecord
) -> tuple[System, ...]:
    """Return the systems to choose from, those that fit first."""
    fits = coordinates.fits if coordinates else ()
    stated = seen.coordinates.said if seen.coordinates else None
    own = []
    if seen.shape and stated:
        own = [System(code=AS_SAID, label=f"as the file says: {describe_system(stated)}", told="")]
    codes = dict.fromkeys([*fits, *([stated] if stated else []), city.crs, DEGREES])
    return (*own, *(_system(code, fits) for code in codes))


def _system(code: str, fits: Sequence[str]) -> System:
    text = "the places fall into the city" if code in fits else ""
    return System(code=code, label=describe_system(code), told=text)


def places_map(city: CityRecord, sighting: Sighting | None, base: str) -> dict[str, object]:
    """Draw the districts, and over them the places in and near them."""
    layers = [districts_layer(city.districts)]
    if sighting is not None and len(sighting.shapes):
        shapes = sighting.shapes.copy()
        shapes["key"] = np.where(shapes.pop("inside"), 0, 1)
        whole = sighting.inside + sighting.near
        few = f" ({len(shapes):,} of {whole:,}, taken evenly)" if len(shapes) < whole else ""
        layers.append(
            MapLayer(
                name="places",
                title=f"Places of the file{few}",
                shapes=shapes,
                keys=(
                    Key(label=f"in a district: {sighting.inside:,}", colour=ZONE),
                    Key(label=f"near, in none: {sighting.near:,}", colour=INK),
                ),
            )
        )
    return staff_map(layers, city.districts.geometry, base=base)


def districts_layer(districts: gpd.GeoDataFrame) -> MapLayer:
    """Draw districts by their outline, with their names where there are few."""
    drawn = districts[["geometry"]].copy()
    drawn["key"] = 0
    if len(districts) <= 30:
        drawn["label"] = districts["code"].astype(str)
    return MapLayer(
        name="districts",
        title="Districts",
        shapes=drawn,
        keys=(Key(label="Districts", colour=DISTRICT),),
        filled=False,
    )


def outline_map(areas: Areas | None) -> dict[str, object]:
    """Draw the districts of a city that is not stored yet; nothing where they cannot be laid."""
    if areas is None:
        return {"bounds": [-60, -150, 70, 150], "base": "", "layers": []}
    districts = gpd.GeoDataFrame(
        {"code": list(areas.districts)},
        geometry=[shape for _, shape in areas.districts.values()],
        crs=areas.frame.crs,
    )
    return staff_map([districts_layer(districts)], districts.geometry)
