"""The tables: places in the city's own projected reference system, times in its local time.

Editions, imports, uses, names and codes are only ever added to; the newest row counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from geodata.db.geometry import Geometry
from geodata.db.json_columns import CityFileKept, GridShape, JobResult, JsonOf, ZoneStep
from geodata.release_manifest import Manifest
from spatial.zones.names import PlaceName

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Every table; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        dict[str, Any]: JSON,
        CityFileKept: JsonOf(CityFileKept),
        dict[str, int]: JSON,
        dict[str, str]: JSON,
        dict[str, dict[str, int]]: JSON,
        list[str]: JSON,
        list[Any]: JSON,
        Mapping[str, object]: JSON,
        GridShape: JsonOf(GridShape),
        JobResult: JsonOf(JobResult),
        Manifest: JsonOf(Manifest),
        PlaceName: JsonOf(PlaceName),
        ZoneStep: JsonOf(ZoneStep),
        BaseGeometry: Geometry,
    }


class City(Base):
    """One city, as its file describes it.

    ``today`` is the day of a synthetic city's calendar; ``coverage`` the area of gunshot detection,
    where it is known; of ``sensitive_outcomes`` only counts may be published. ``contact`` and
    ``license`` are what the public reads; ``residents`` names the groups of the people counted by
    :class:`Residents` and whose counts they are. ``activities`` of visits are the usual ones if
    none are here; ``measures`` are declared by the city, as are ``titles`` and ``units`` of pages.
    """

    __tablename__ = "city"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    crs: Mapped[str] = mapped_column(String(4000))
    timezone: Mapped[str] = mapped_column(String(64))
    cell_units: Mapped[float]
    block_units: Mapped[float]
    synthetic: Mapped[bool] = mapped_column(default=False)
    today: Mapped[dt.date | None]
    study_area: Mapped[BaseGeometry]
    coverage: Mapped[BaseGeometry | None]
    sensitive_outcomes: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    contact: Mapped[dict[str, str] | None]
    license: Mapped[dict[str, str] | None]
    residents: Mapped[Mapping[str, object] | None]
    activities: Mapped[list[Any] | None]
    measures: Mapped[list[Any] | None]
    titles: Mapped[dict[str, str] | None]
    units: Mapped[str | None] = mapped_column(String(8))
    imported_at: Mapped[dt.datetime]


class District(Base):
    """One police district; ``position`` keeps the order of the city's file."""

    __tablename__ = "district"
    __table_args__ = (UniqueConstraint("city_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    code: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(200))
    position: Mapped[int]
    geom: Mapped[BaseGeometry]


class Residents(Base):
    """People who live in one polygon; ``groups`` counts them in the order of the city's groups."""

    __tablename__ = "residents"
    __table_args__ = (Index(None, "city_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    people: Mapped[float]
    groups: Mapped[list[Any]]
    geom: Mapped[BaseGeometry]


class Source(Base):
    """One import of one source and its report: read = stored + left out."""

    __tablename__ = "source"
    __table_args__ = (Index(None, "city_id", "kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    kind: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(1000))
    content_sha256: Mapped[str] = mapped_column(String(64))
    read: Mapped[int]
    stored: Mapped[int]
    left_out: Mapped[dict[str, int]]
    notes: Mapped[list[str]]
    addresses: Mapped[Mapping[str, object] | None]
    imported_at: Mapped[dt.datetime]


class Incident(Base):
    """One incident of one outcome. ``row_key`` is the source's id, or a hash of the row.

    ``place_method`` and ``place_score`` say how its place was found by its address; a row with
    coordinates of its own has neither. The address is not kept.
    """

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("city_id", "outcome", "row_key"),
        Index(None, "city_id", "outcome", "occurred_on"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    source: Mapped[str] = mapped_column(String(1000))
    outcome: Mapped[str] = mapped_column(String(120))
    row_key: Mapped[str] = mapped_column(String(120))
    occurred_on: Mapped[dt.date]
    occurred_time: Mapped[dt.time | None]
    place_method: Mapped[str | None] = mapped_column(String(20))
    place_score: Mapped[float | None]
    geom: Mapped[BaseGeometry]


class Factor(Base):
    """One layer of the environment and how its influence is to be tried."""

    __tablename__ = "factor"
    __table_args__ = (UniqueConstraint("city_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    name: Mapped[str] = mapped_column(String(120))
    operation: Mapped[str] = mapped_column(String(20))
    max_blocks: Mapped[int]
    step: Mapped[str] = mapped_column(String(10))
    position: Mapped[int]


class Feature(Base):
    """One thing of a factor layer: a point, a line or a polygon."""

    __tablename__ = "feature"
    __table_args__ = (UniqueConstraint("factor_id", "row_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    factor_id: Mapped[int] = mapped_column(ForeignKey("factor.id"), index=True)
    row_key: Mapped[str] = mapped_column(String(120))
    geom: Mapped[BaseGeometry]


class BaseShape(Base):
    """One thing drawn under the map: ``kind`` is one of ``BASE_KINDS`` of the city file.

    ``street_class`` is what kind of street, as OpenStreetMap has it (``highway``), where known.
    """

    __tablename__ = "base_shape"
    __table_args__ = (UniqueConstraint("city_id", "kind", "row_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    kind: Mapped[str] = mapped_column(String(20))
    row_key: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(200), default="")
    rank: Mapped[int] = mapped_column(default=2)
    street_class: Mapped[str] = mapped_column(String(20), default="", server_default="")
    geom: Mapped[BaseGeometry]


class NamedArea(Base):
    """One area that people think in, beside districts; ``kind`` is in the city's own words."""

    __tablename__ = "named_area"
    __table_args__ = (UniqueConstraint("city_id", "kind", "row_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    kind: Mapped[str] = mapped_column(String(40))
    row_key: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(200))
    geom: Mapped[BaseGeometry]


# All that lists say of a run: SQLite finds it in the index alone. In the table it stands behind the
# document and the cells, which SQLite would have to walk through (90 MB for 200 runs).
LISTED = (
    *("city_id", "created_at", "id", "outcome", "scope", "period_from", "period_to"),
    *("code_version", "family", "n_factors", "n_incidents", "readable"),
)


class Run(Base):
    """One fit, written once. ``result`` is the JSON document of ``fit``; ``cells`` is Parquet.

    ``family``, ``n_factors``, ``n_incidents`` and ``readable`` (by this version) are what lists
    say of ``result``, so that no list reads it.
    """

    __tablename__ = "run"
    __table_args__ = (Index("ix_run_listed", *LISTED),)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    outcome: Mapped[str] = mapped_column(String(120))
    scope: Mapped[str] = mapped_column(String(80))
    period_from: Mapped[dt.date]
    period_to: Mapped[dt.date]
    seed: Mapped[int]
    spec: Mapped[Mapping[str, object]]
    data_sha256: Mapped[str] = mapped_column(String(64))
    code_version: Mapped[str] = mapped_column(String(40))
    grid: Mapped[GridShape]
    result: Mapped[Mapping[str, object]]
    cells: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime]
    family: Mapped[str] = mapped_column(String(20))
    n_factors: Mapped[int]
    n_incidents: Mapped[int]
    readable: Mapped[bool]


class Zone(Base):
    """One risk terrain zone of one run."""

    __tablename__ = "zone"
    __table_args__ = (UniqueConstraint("run_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    code: Mapped[str] = mapped_column(String(120))
    district: Mapped[str] = mapped_column(String(80))
    rank: Mapped[int]
    details: Mapped[Mapping[str, object]]
    geom: Mapped[BaseGeometry]


class Finding(Base):
    """Something worked out about a run later on: ``kind`` and ``key`` say what; written once."""

    __tablename__ = "finding"
    __table_args__ = (UniqueConstraint("run_id", "kind", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120))
    document: Mapped[Mapping[str, object]]
    cells: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime]


class _Record:
    """What every recorded row has.

    ``row_key`` is the source's id, or a hash of the row. Clocks are milliseconds since 1970 UTC,
    missing where the source has none; places are in units of the city's reference system.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    source: Mapped[str] = mapped_column(String(1000))
    row_key: Mapped[str] = mapped_column(String(120))
    district: Mapped[str | None] = mapped_column(String(80))


class Alert(_Record, Base):
    """One gunshot alert as it was published, with every clock and outcome it has."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("city_id", "row_key"),
        Index(None, "city_id", "triggered_ms"),
    )
    triggered_ms: Mapped[int] = mapped_column(BigInteger)
    review_started_ms: Mapped[int | None] = mapped_column(BigInteger)
    published_ms: Mapped[int | None] = mapped_column(BigInteger)
    received_ms: Mapped[int | None] = mapped_column(BigInteger)
    dispatched_ms: Mapped[int | None] = mapped_column(BigInteger)
    arrived_ms: Mapped[int | None] = mapped_column(BigInteger)
    class_: Mapped[str | None] = mapped_column("class", String(20))
    disposition: Mapped[str | None] = mapped_column(String(20))
    rounds: Mapped[int | None]
    casings: Mapped[int | None]
    guns: Mapped[int | None]
    arrests: Mapped[int | None]
    victims: Mapped[int | None]
    call: Mapped[str | None] = mapped_column(String(120))
    x: Mapped[float]
    y: Mapped[float]
    verified_x: Mapped[float | None]
    verified_y: Mapped[float | None]


class Call(_Record, Base):
    """One 911 call for gunfire."""

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("city_id", "row_key"),
        Index(None, "city_id", "received_ms"),
    )
    received_ms: Mapped[int] = mapped_column(BigInteger)
    dispatched_ms: Mapped[int | None] = mapped_column(BigInteger)
    arrived_ms: Mapped[int | None] = mapped_column(BigInteger)
    event: Mapped[str | None] = mapped_column(String(120))
    x: Mapped[float]
    y: Mapped[float]


class Verified(_Record, Base):
    """Gunfire proven by evidence; ``alert`` is the row key of the alert it produced, if any."""

    __tablename__ = "verified"
    __table_args__ = (
        UniqueConstraint("city_id", "row_key"),
        Index(None, "city_id", "occurred_ms"),
    )
    occurred_ms: Mapped[int] = mapped_column(BigInteger)
    alert: Mapped[str | None] = mapped_column(String(120))
    x: Mapped[float]
    y: Mapped[float]


class Visit(_Record, Base):
    """One stop of officers at a place."""

    __tablename__ = "visit"
    __table_args__ = (UniqueConstraint("city_id", "row_key"), Index(None, "city_id", "start_ms"))
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int | None] = mapped_column(BigInteger)
    unit: Mapped[str | None] = mapped_column(String(120))
    activity: Mapped[str | None] = mapped_column(String(200))
    x: Mapped[float]
    y: Mapped[float]


class Occurrence(_Record, Base):
    """One dated point that counts ``value`` towards a measure."""

    __tablename__ = "occurrence"
    __table_args__ = (
        UniqueConstraint("city_id", "row_key"),
        Index(None, "city_id", "measure", "date"),
    )
    date: Mapped[dt.date]
    measure: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str | None] = mapped_column(String(120))
    value: Mapped[float]
    x: Mapped[float]
    y: Mapped[float]


class Tally(_Record, Base):
    """A figure that exists only as a total; without a district it is the whole city's."""

    __tablename__ = "tally"
    __table_args__ = (
        UniqueConstraint("city_id", "row_key"),
        Index(None, "city_id", "measure", "from"),
    )
    measure: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str | None] = mapped_column(String(120))
    from_: Mapped[dt.date] = mapped_column("from")
    to: Mapped[dt.date]
    value: Mapped[float]


class Address(Base):
    """One address; only how many share a place is ever used of it."""

    __tablename__ = "address"
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"), index=True)
    x: Mapped[float]
    y: Mapped[float]


class InitiativeVersion(Base):
    """What was said of an initiative, from when on; the newest is what stands, none is changed."""

    __tablename__ = "initiative_version"
    __table_args__ = (Index(None, "city_id", "slug"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    slug: Mapped[str] = mapped_column(String(80))
    document: Mapped[Mapping[str, object]]
    content_sha256: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[dt.datetime]


class Plan(Base):
    """One version of a patrol plan of one shift, written once; ``parent`` is what it changes."""

    __tablename__ = "plan"
    __table_args__ = (Index(None, "city_id", "district", "shift_start_ms"),)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    district: Mapped[str] = mapped_column(String(80))
    shift_start_ms: Mapped[int] = mapped_column(BigInteger)
    shift_end_ms: Mapped[int] = mapped_column(BigInteger)
    seed: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int]
    parent: Mapped[str | None] = mapped_column(ForeignKey("plan.id"))
    document: Mapped[Mapping[str, object]]
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str | None] = mapped_column(String(200))


class Release(Base):
    """One public release. Its content is never changed; its state goes forward only.

    ``id`` is taken from the content, so a release is the same wherever it is drafted. The files
    are in the instance's folder; ``manifest`` tells every one by its digest.
    """

    __tablename__ = "release"
    __table_args__ = (Index(None, "city_id", "drafted_at"),)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    state: Mapped[str] = mapped_column(String(20))
    drafted_by: Mapped[str] = mapped_column(String(120))
    drafted_at: Mapped[dt.datetime]
    approved_by: Mapped[str | None] = mapped_column(String(120))
    approved_at: Mapped[dt.datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(120))
    withdrawn_at: Mapped[dt.datetime | None]
    withdrawn_why: Mapped[str | None] = mapped_column(String(1000))
    returned_by: Mapped[str | None] = mapped_column(String(120))
    returned_at: Mapped[dt.datetime | None]
    returned_why: Mapped[str | None] = mapped_column(String(1000))
    manifest: Mapped[Manifest]


class ZoneEdition(Base):
    """What a run's zones became by one step; ``number`` counts from 1. Never changed."""

    __tablename__ = "zone_edition"
    __table_args__ = (UniqueConstraint("run_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    number: Mapped[int]
    action: Mapped[str] = mapped_column(String(20))
    details: Mapped[ZoneStep]
    reason: Mapped[str] = mapped_column(String(1000))
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[dt.datetime]


class EditedZone(Base):
    """One zone of an edition; ``position`` keeps their order. The same code is the same outline."""

    __tablename__ = "edited_zone"
    __table_args__ = (UniqueConstraint("edition_id", "code"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("zone_edition.id"))
    position: Mapped[int]
    code: Mapped[str] = mapped_column(String(120))
    district: Mapped[str] = mapped_column(String(80))
    rank: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    details: Mapped[Mapping[str, object]]
    geom: Mapped[BaseGeometry]


class EditionUse(Base):
    """From when on which edition of a run is used; 0 is the run's own. The newest row counts."""

    __tablename__ = "edition_use"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True)
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(String(1000))
    used_by: Mapped[str] = mapped_column(String(120))
    used_at: Mapped[dt.datetime]


class ImportVersion(Base):
    """One import of a city. ``summary`` counts added and removed rows by table.

    ``before`` is what the city, its districts and its factors were, nothing for the first import.
    ``arrivals`` marks the version of rows that arrived by themselves on one day, batch by batch.
    ``city_file`` is what was imported: ``content``, the sections of the city file, and ``root``,
    the folder that its sources start from; imports of earlier versions have none.
    """

    __tablename__ = "import_version"
    __table_args__ = (Index("ix_import_version_city_id_imported_at", "city_id", "imported_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    imported_at: Mapped[dt.datetime]
    summary: Mapped[dict[str, dict[str, int]]]
    before: Mapped[bytes | None] = mapped_column(LargeBinary)
    arrivals: Mapped[bool] = mapped_column(default=False, server_default=false())
    city_file: Mapped[CityFileKept | None]
    imported_by: Mapped[str | None] = mapped_column(String(200))
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(200))


class ImportChange(Base):
    """A piece of what an import did to a table: keys of rows added, rows removed, packed JSON."""

    __tablename__ = "import_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_version.id"), index=True)
    table: Mapped[str] = mapped_column("table_name", String(40))
    added: Mapped[bytes] = mapped_column(LargeBinary)
    removed: Mapped[bytes] = mapped_column(LargeBinary)


class RunUse(Base):
    """From when on a run is in use for its outcome; ``used_by`` decided it. Times are UTC."""

    __tablename__ = "run_use"
    __table_args__ = (Index(None, "city_id", "outcome"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    outcome: Mapped[str] = mapped_column(String(120))
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"))
    reason: Mapped[str] = mapped_column(String(1000))
    used_by: Mapped[str] = mapped_column(String(120))
    used_at: Mapped[dt.datetime]


class RunName(Base):
    """What a run is called from a moment on, and a note on it; times are UTC."""

    __tablename__ = "run_name"
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(String(1000))
    named_by: Mapped[str] = mapped_column(String(120))
    named_at: Mapped[dt.datetime]


class ZoneCode(Base):
    """The code of a zone, the same over runs as long as zones overlap; ``zone`` is its id."""

    __tablename__ = "zone_code"
    __table_args__ = (UniqueConstraint("city_id", "zone"), Index(None, "city_id", "code"))
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    zone: Mapped[str] = mapped_column(String(120))
    code: Mapped[str] = mapped_column(String(120))


class ZoneName(Base):
    """What a zone is called, made when it was cut or drawn; ``zone`` is its id."""

    __tablename__ = "zone_name"
    __table_args__ = (UniqueConstraint("city_id", "zone"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id"))
    zone: Mapped[str] = mapped_column(String(120))
    parts: Mapped[PlaceName]


class Archived(Base):
    """That a city or a run is left out of lists; its row is taken away when it is restored.

    ``kind`` is ``city`` or ``run``, ``key`` its slug or id. Times are UTC.
    """

    __tablename__ = "archived"
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    archived_at: Mapped[dt.datetime]
    archived_by: Mapped[str] = mapped_column(String(120))
