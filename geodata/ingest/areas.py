"""Districts and study area: pieces joined, borders checked, overlaps refused.

Read and check the people who live in polygons, such as those of a census.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from geodata.db.geometry import geometry_faults
from geodata.errors import DataError
from geodata.import_report import SourceReport
from geodata.ingest.placing import CityFrame, finite_shapes, mend
from geodata.ingest.sources import Gathered, digest_text, open_source, ordinal_keys, texts_of
from geodata.remote.fetch import shown_address
from spatial.errors import GridError
from spatial.grid import lay_grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from geodata.cityfile.description import CityFile, ResidentsSource
    from geodata.cityfile.schema import SourcePlace
    from geodata.cityfile.sections import DistrictSource, NamedAreas
    from geodata.ingest.sources import OpenedSource
    from spatial.errors import SaferGroundError


OVERLAP_SHARE = 0.01
LONGEST_NAME = 200  # characters of an area's name that are kept
WHOLE_CITY = "city"


@dataclass(frozen=True, kw_only=True, eq=False)
class Areas:
    """Study area and districts in the city's reference system, and what was read for them.

    ``coverage`` is the area of gunshot detection, if the city file tells it.
    """

    study_area: BaseGeometry
    coverage: BaseGeometry | None
    districts: dict[str, tuple[str, BaseGeometry]]
    reports: list[tuple[SourceReport, str]]
    frame: CityFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredAreas:
    """What is stored of a city, which takes the place of a file that cannot be read.

    ``faults`` are those of addresses that could not be fetched.
    """

    study_area: BaseGeometry
    districts: dict[str, tuple[str, BaseGeometry]]
    coverage: BaseGeometry | None
    faults: Mapping[str, str]

    def unread(self, kind: str, place: SourcePlace, error: SaferGroundError) -> SourceReport:
        """Return the account of a file that could not be read."""
        fault = self.faults.get(place.path, str(error))
        return SourceReport.unread(kind, shown_address(place.label), fault)


def gather_areas(described: CityFile, stored: StoredAreas | None = None) -> Areas:
    """Read districts and boundary and check that a grid fits them.

    Where it is given what is ``stored``, that is gone on with in place of each file that cannot be
    used, and of all of them where they do not fit one another; their accounts have the fault.

    Raises
    ------
    DataError
        If a file cannot be used, or if districts overlap.
    GridError
        If the cell of the city file cannot be right for the area.
    """
    try:
        with geometry_faults("districts and boundary"):
            return _read_areas(described, stored)
    except (DataError, GridError) as error:
        if stored is None:
            raise
        return _areas_of(described, stored, error)


def _read_areas(described: CityFile, stored: StoredAreas | None) -> Areas:
    crs = CRS.from_user_input(described.crs)
    reports: list[tuple[SourceReport, str]] = []
    districts: dict[str, tuple[str, BaseGeometry]] = {}
    if (source := described.districts) is not None:
        try:
            with geometry_faults(source.place.label):
                opened = open_area(source.place, "districts", crs, [source.id, source.name])
                districts = _join(opened, source, described.grid.cell_units)
            reports.append((opened.sieve.report, opened.layer.sha256))
        except DataError as error:
            if stored is None:
                raise
            districts = stored.districts
            reports.append((stored.unread("districts", source.place, error), ""))
    study_area = _whole_or_stored(described.boundary, "boundary", crs, reports, stored)
    if study_area is None:
        study_area = shapely.union_all([shape for _, shape in districts.values()])
    if not districts:
        districts = {WHOLE_CITY: (described.name, study_area)}
    coverage = _whole_or_stored(described.coverage, "coverage", crs, reports, stored)
    shapes = {code: shape for code, (_, shape) in districts.items()}
    if not any(shapely.intersects(study_area, shape) for shape in shapes.values()):
        msg = (
            "no district touches the boundary; one of the two files is of another place, or its "
            "crs is wrong. Nothing was stored of them"
        )
        raise DataError(msg)
    lay_grid(study_area, shapes, described.grid.cell_units)
    return Areas(
        study_area=study_area,
        coverage=coverage,
        districts=districts,
        reports=reports,
        frame=CityFrame(crs=crs, bounds=study_area.bounds),
    )


def _areas_of(described: CityFile, stored: StoredAreas, error: SaferGroundError) -> Areas:
    """Return what is stored, where the files together are of no use."""
    places = {
        "districts": described.districts and described.districts.place,
        "boundary": described.boundary,
        "coverage": described.coverage,
    }
    return Areas(
        study_area=stored.study_area,
        coverage=stored.coverage,
        districts=stored.districts,
        reports=[
            (stored.unread(kind, place, error), "") for kind, place in places.items() if place
        ],
        frame=CityFrame(crs=CRS.from_user_input(described.crs), bounds=stored.study_area.bounds),
    )


def _whole_or_stored(
    place: SourcePlace | None,
    kind: Literal["boundary", "coverage"],
    crs: CRS,
    reports: list[tuple[SourceReport, str]],
    stored: StoredAreas | None,
) -> BaseGeometry | None:
    """Read polygons as one area, or give what is stored; nothing where no file is named."""
    if place is None:
        return None
    try:
        with geometry_faults(place.label):
            return _whole(place, kind, crs, reports)
    except DataError as error:
        if stored is None:
            raise
        reports.append((stored.unread(kind, place, error), ""))
        return stored.study_area if kind == "boundary" else stored.coverage


def _whole(
    place: SourcePlace, kind: str, crs: CRS, reports: list[tuple[SourceReport, str]]
) -> BaseGeometry:
    """Read polygons as one area and keep the account."""
    opened = open_area(place, kind, crs)
    opened.sieve.report.stored = len(opened.frame)
    reports.append((opened.sieve.report, opened.layer.sha256))
    return shapely.union_all(opened.frame.geometry.to_numpy())


def gather_named_areas(source: NamedAreas, crs: CRS) -> Gathered:
    """Read areas that people think in; one without a name is left out.

    Raises
    ------
    DataError
        If the file cannot be used, holds no polygon or lies elsewhere.
    """
    opened = open_area(source.place, "areas", crs, [source.name])
    names = texts_of(opened.frame[source.name])
    opened.sieve.leave_out("no name", np.array([not name for name in names], dtype=bool))
    kept = [(n[:LONGEST_NAME], s) for n, s in zip(names, opened.frame.geometry, strict=True) if n]
    keys = ordinal_keys(
        [digest_text(f"{name}|{shapely.to_wkb(shape, hex=True)}") for name, shape in kept]
    )
    rows: list[dict[str, object]] = [
        {"row_key": key, "name": name, "geom": shape}
        for key, (name, shape) in zip(keys, kept, strict=True)
    ]
    return Gathered(rows=rows, report=opened.sieve.report, sha256=opened.layer.sha256)


def open_area(
    place: SourcePlace, kind: str, crs: CRS, columns: Sequence[str | None] = ()
) -> OpenedSource:
    """Read polygons with the columns that are needed, mended and in the city's reference system.

    Raises
    ------
    DataError
        If the file cannot be used, holds no polygon or lies elsewhere.
    """
    opened = open_source(place, kind, columns)
    if not isinstance(opened.frame, gpd.GeoDataFrame):
        msg = f"{place.label}: {kind} must be polygons; this is a table of points"
        raise DataError(msg)
    shapes = finite_shapes(np.asarray(opened.frame.geometry.array, dtype=object), opened.sieve)
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    opened.sieve.leave_out("no geometry", missing)
    opened.sieve.leave_out("not a polygon", ~missing & (shapely.get_dimensions(shapes) != 2))
    opened.frame.geometry = gpd.GeoSeries(mend(shapes, opened.sieve), crs=opened.frame.crs)
    opened.drop_left_out()
    if len(opened.frame) == 0:
        msg = f"{place.label}: holds no polygon; {kind} must be areas with an outline"
        raise DataError(msg)
    _require_in_reach(opened.frame, crs, place.label)
    opened.frame = opened.frame.to_crs(crs)
    # moving vertices to another system can make a valid outline cross itself
    opened.frame.geometry = gpd.GeoSeries(
        mend(np.asarray(opened.frame.geometry.array, dtype=object), opened.sieve), crs=crs
    )
    return opened


def _require_in_reach(frame: gpd.GeoDataFrame, crs: CRS, label: str) -> None:
    """Refuse an area that lies outside the region its reference system is made for."""
    west, south, east, north = frame.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    if frame.crs.is_geographic and not (-180 <= x <= 180 and -90 <= y <= 90):
        msg = (
            f"{label}: coordinates such as {x:.6g}, {y:.6g} are not degrees; the file is in a "
            'projected system: state it with crs = "EPSG:..."'
        )
        raise DataError(msg)
    to_degrees = Transformer.from_crs(frame.crs, 4326, always_xy=True)
    lon, lat = to_degrees.transform(x, y)
    use = crs.area_of_use
    if use is None or (
        use.west - 1 <= lon <= use.east + 1 and use.south - 1 <= lat <= use.north + 1
    ):
        return
    turned = use.west <= lat <= use.east and use.south <= lon <= use.north
    cause = "its axes are swapped" if turned else "it is another place's file, or its crs is wrong"
    msg = (
        f"{label}: lies at longitude {lon:.3f}, latitude {lat:.3f}, but the city's crs "
        f"{crs.to_string()} is for {use.name}; probably {cause}"
    )
    raise DataError(msg)


def _join(
    opened: OpenedSource, source: DistrictSource, cell_units: float
) -> dict[str, tuple[str, BaseGeometry]]:
    """Join the pieces of each district and make the borders agree."""
    frame, report = opened.frame, opened.sieve.report
    codes = frame[source.id]
    if pd.api.types.is_float_dtype(codes) and (codes.dropna() == codes.dropna().round()).all():
        codes = codes.astype("Int64")
    texts = codes.astype("string").str.strip().fillna("")
    opened.sieve.leave_out("no district id", (texts == "").to_numpy())
    texts, frame = texts[opened.sieve.keep], frame[opened.sieve.keep]
    report.stored = len(frame)
    if len(frame) == 0:
        msg = f"{report.source}: no row has a value in its id column {source.id!r}"
        raise DataError(msg)
    names = frame[source.name].astype("string").fillna("") if source.name else texts
    joined: dict[str, tuple[str, BaseGeometry]] = {}
    for code in sorted(texts.unique(), key=_natural):
        pieces = frame.geometry[texts == code].to_numpy()
        name = str(names[texts == code].iloc[0]).strip() or code
        joined[code] = (name, shapely.union_all(pieces))
    if len(frame) > len(joined):
        report.notes.append(f"{len(frame)} pieces joined to {len(joined)} districts")
    return _without_overlap(joined, report, cell_units)


def _without_overlap(
    districts: dict[str, tuple[str, BaseGeometry]], report: SourceReport, cell_units: float
) -> dict[str, tuple[str, BaseGeometry]]:
    """Cut slivers from the later of two districts; refuse an overlap that is no sliver."""
    codes = list(districts)
    shapes = np.array([districts[code][1] for code in codes], dtype=object)
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    slivers, bad = 0, []
    for a, b in sorted(
        (a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True) if a < b
    ):
        shared = shapely.intersection(shapes[a], shapes[b]).area
        if shared <= 0:
            continue
        smaller = min(shapes[a].area, shapes[b].area)
        if shared > OVERLAP_SHARE * smaller and shared > cell_units**2:
            bad.append(f"{codes[a]} and {codes[b]} share {shared / smaller:.0%} of the smaller")
            continue
        shapes[b] = _polygons(shapely.difference(shapes[b], shapes[a]))
        slivers += 1
    if bad:
        more = f" and {len(bad) - 5} more pairs" if len(bad) > 5 else ""
        msg = (
            f"{report.source}: districts overlap: {'; '.join(bad[:5])}{more}. Keep only real "
            "districts with where, or correct the borders"
        )
        raise DataError(msg)
    if slivers:
        report.notes.append(f"{slivers} slivers between districts were given to the first of each")
    return {code: (districts[code][0], shapes[i]) for i, code in enumerate(codes)}


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    parts = [p for p in shapely.get_parts(shape) if shapely.get_dimensions(p) == 2]
    return shapely.union_all(parts) if parts else shape


def _natural(code: str) -> tuple[tuple[bool, int, str], ...]:
    """Sort 2 before 10, and D2 before D10."""
    parts: list[tuple[bool, int, str]] = []
    for part in _digits_apart(code):
        parts.append((not part.isdigit(), int(part) if part.isdigit() else 0, part))
    return tuple(parts)


def _digits_apart(text: str) -> list[str]:
    parts: list[str] = []
    for character in text:
        if parts and parts[-1][-1].isdigit() == character.isdigit():
            parts[-1] += character
        else:
            parts.append(character)
    return parts


PEOPLE = "people"


@dataclass(frozen=True, kw_only=True, eq=False)
class GatheredResidents:
    """Polygons with their people and groups (``people``, ``groups``), and their account.

    Where they could not be read, what is stored ``stays``.
    """

    rows: gpd.GeoDataFrame
    report: SourceReport
    sha256: str
    stays: bool = False


def gather_residents(source: ResidentsSource, areas: Areas) -> GatheredResidents:
    """Read polygons with the people who live in them, those that touch the study area.

    Raises
    ------
    DataError
        If the file cannot be used, or none of its polygons is counted and touches the study area.
    """
    columns = [source.total, *source.groups.values()]
    opened = open_area(source.place, "residents", areas.frame.crs, columns)
    frame, sieve = opened.frame, opened.sieve
    counts = np.column_stack(
        [pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float) for name in columns]
    )
    counted = np.isfinite(counts) & (counts >= 0)
    sieve.leave_out("no number of people", ~counted[:, 0])
    sieve.leave_out("no number of people of a group", ~counted.all(axis=1))
    more = np.asarray((counts > counts[:, :1]).any(axis=1))
    sieve.leave_out("a group of more people than all", more)
    shapes = np.asarray(frame.geometry.array, dtype=object)
    shapely.prepare(areas.study_area)
    touching = np.asarray(shapely.intersects(areas.study_area, shapes))
    sieve.leave_out("outside of the city", ~touching, examples=False)
    keep = sieve.keep
    if not keep.any():
        msg = (
            f"{source.place.label}: no polygon with a number of people in {source.total!r} touches "
            "the study area; check the file, its crs and the columns. Nothing was stored"
        )
        raise DataError(msg)
    rows = frame.loc[keep, ["geometry"]].reset_index(drop=True)
    rows[PEOPLE] = counts[keep, 0]
    rows["groups"] = counts[keep, 1:].tolist()
    return GatheredResidents(rows=rows, report=sieve.report, sha256=opened.layer.sha256)
