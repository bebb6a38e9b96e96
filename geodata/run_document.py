"""The document of a run: what ``fit`` prints, what is stored, what pages and releases read.

One shape from the fit to the page. It is written as JSON by :meth:`RunDocument.as_json` and read
back by :func:`read_run_document`, which refuses what another version wrote with the field that
differs. Lengths and areas are in the unit of the city's reference system.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from geodata.documents import OrAbsent, from_json, to_json
from geodata.stored_documents import Notes
from spatial.combined import Component
from spatial.history.empirical_bayes import Record
from spatial.notes import Note, Parameter
from spatial.spec import RunSpec
from spatial.terrain.diagnostics import Moran
from spatial.terrain.factors import ModelColumn
from spatial.zones.describe import ZoneFactor, order_factors
from spatial.zones.name_words import long_name
from spatial.zones.names import Nearby

if TYPE_CHECKING:
    from spatial.analysis import Analysis
    from spatial.combined import CombinedRisk
    from spatial.terrain.model import TerrainModel
    from spatial.zones.names import PlaceName


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorEffect(ModelColumn):
    """A factor in a model: its column, and what that does to the risk (RRV with 95 % interval)."""

    coefficient: float
    se: float
    rrv: float
    rrv_low: float
    rrv_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDocument:
    """A count model: its likelihood, BIC, intercept, dispersion and factors, strongest first."""

    family: str
    bic: float
    intercept: float
    dispersion: float | None
    factors: tuple[FactorEffect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridDocument:
    """The cells of a run: how many, their side, the reference system."""

    cells: int
    cell: float
    crs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedCandidate:
    """A candidate column that was not considered, and why."""

    candidate: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDocument:
    """Relative risk scores of the cells; ``share_above_2sd`` is that of the highest class."""

    max: float
    mean: float
    sd: float
    share_above_2sd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedDocument:
    """The combined risk: shares of its parts, components by weight, the record of single cells."""

    max: float
    environment_share: float
    history_share: float
    components: tuple[Component, ...]
    record: Record | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictEffect:
    """A factor of the city's model in one district that shares strength with it.

    A release does not tell the ``incidents`` of the district.
    """

    district: str
    incidents: int | None
    name: str
    operation: str
    distance: float
    city_rrv: float
    rrv: float
    rrv_low: float
    rrv_high: float
    own_share: float
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorDiagnostic(ModelColumn):
    """How a chosen column goes with the others, and the share of cells that it marks."""

    variance_inflation: float
    covers: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsDocument:
    """What a fit leaves: dispersion, Moran's I of the residuals, each chosen column."""

    dispersion: float
    moran: Moran
    factors: tuple[FactorDiagnostic, ...]


def _write_factor(factor: ZoneFactor) -> dict[str, object]:
    """Return a factor of a zone as JSON has it; what an earlier version lacks stays away."""
    document = dataclasses.asdict(factor)
    covers = document.pop("covers")
    return document if covers is None else {"covers": covers, **document}


WrittenFactor = Annotated[ZoneFactor, PlainSerializer(_write_factor)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneDocument:
    """A zone; once it is stored ``code`` is what its place is known by over runs.

    ``name`` and ``near`` are what it is called in English and the streets that it covers.
    """

    id: str
    district: str
    rank: int
    area: float
    cells: int
    expected: float
    past: int
    environment_share: float
    factors: tuple[WrittenFactor, ...]
    code: str = ""
    name: OrAbsent[str] = None
    near: OrAbsent[Nearby] = None


@dataclass(frozen=True, kw_only=True)
class ZoneDetails:
    """What is stored of a zone beside its place and rank; ``area`` is in square units."""

    area: float
    n_cells: int
    expected: float
    past: int
    environment_share: float
    factors: tuple[WrittenFactor, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierWarning:
    """A warning with its code as an earlier version stored it beside all sentences."""

    code: str
    parameters: dict[str, Parameter]
    warning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDocument:
    """A run, whole but for its cells; ``end`` is excluded. Zones are those of the fit itself.

    :attr:`notes` are the warnings; ``warning_codes`` are of earlier versions only.
    """

    run: str
    city: str
    outcome: str
    start: Annotated[dt.date, Field(alias="from")]
    end: Annotated[dt.date, Field(alias="to")]
    scope: str
    seed: int
    incidents: int
    grid: GridDocument
    candidates: int
    screened: int
    dropped: tuple[DroppedCandidate, ...]
    factors_from: str = "city"
    model: ModelDocument
    alternatives: tuple[ModelDocument, ...]
    score: ScoreDocument
    combined: CombinedDocument
    districts: tuple[DistrictEffect, ...]
    diagnostics: DiagnosticsDocument
    zones_from: str
    zones_bound: OrAbsent[float] = None  # no zones under the same budget could expect more
    zones: tuple[ZoneDocument, ...]
    warnings: Notes
    warning_codes: OrAbsent[tuple[EarlierWarning, ...]] = None

    def as_json(self) -> dict[str, object]:
        """Return the document as JSON has it; what an earlier version lacks stays away."""
        written: dict[str, object] = to_json(self)
        return written

    @property
    def notes(self) -> tuple[Note, ...]:
        """What must be known of the run; sentences of earlier versions that had a code by it."""
        coded = {one.warning: _note_of(one) for one in self.warning_codes or ()}
        return tuple(coded.get(str(note.parameters.get("text")), note) for note in self.warnings)

    @property
    def covers(self) -> dict[tuple[str, str, float], float]:
        """The share of all cells that each chosen column marks, by the column's key."""
        return {column.key: column.covers for column in self.diagnostics.factors}

    def coded(self, codes: Mapping[str, str]) -> RunDocument:
        """Return the document with the code of each zone, by the zone's id."""
        zones = tuple(dataclasses.replace(z, code=codes.get(z.id, "")) for z in self.zones)
        return dataclasses.replace(self, zones=zones)

    def named(self, names: Mapping[str, PlaceName]) -> RunDocument:
        """Return the document with the name of each zone, by the zone's id, and no other name."""
        found = [(zone, names.get(zone.id)) for zone in self.zones]
        zones = tuple(
            dataclasses.replace(
                zone, name=long_name(name) if name else None, near=name.near if name else None
            )
            for zone, name in found
        )
        return dataclasses.replace(self, zones=zones)

    def within(self, districts: tuple[str, ...]) -> RunDocument:
        """Return the document with the zones and effects of some districts alone."""
        return dataclasses.replace(
            self,
            zones=tuple(one for one in self.zones if one.district in districts),
            districts=tuple(one for one in self.districts if one.district in districts),
        )


def _note_of(earlier: EarlierWarning) -> Note:
    """Return a warning that had a code; whether more zones fill the budget was in the sentence."""
    if "max_zones_needed" not in earlier.parameters:
        return Note(earlier.code, earlier.parameters)
    fills = {"reaches_budget": "to use all of it" in earlier.warning}
    return Note(earlier.code, earlier.parameters | fills)


FIT_AGAIN = "fit it again"
ZONE_DETAILS = tuple(one.name for one in dataclasses.fields(ZoneDetails))


# What the zones of versions before these settings were cut by.
EARLIER_ZONES = {
    "allotment": "even",
    "city_zones": 0,
    "least_compactness": 0.0,
    "least_expected": 0.0,
    "barriers": "crossed",
}


def _fill_zones(value: Any) -> Any:
    """Return a stored way in which a run was made with all settings of its zones."""
    if not (isinstance(value, Mapping) and isinstance(value.get("zones"), Mapping)):
        return value
    return {**value, "zones": {**EARLIER_ZONES, **value["zones"]}}


# How a run was made, of this or an earlier version.
StoredSpec = Annotated[RunSpec, BeforeValidator(_fill_zones)]


def write_run_spec(spec: RunSpec) -> dict[str, object]:
    """Return how a run was made as JSON has it."""
    written: dict[str, object] = to_json(spec)
    return written


def read_run_spec(run: str, document: Mapping[str, object]) -> RunSpec:
    """Return how a run was made, as :func:`write_run_spec` wrote it.

    Raises
    ------
    DataError
        If another version wrote it; the message names the field and the remedy.
    """
    return from_json(StoredSpec, document, f"run {run:.40} of an earlier version", FIT_AGAIN)


def write_details(zone: Any) -> dict[str, object]:
    """Return what is stored of a zone, a row of a frame with :data:`ZONE_DETAILS`."""
    details = ZoneDetails(
        area=float(zone.area),
        n_cells=int(zone.n_cells),
        expected=float(zone.expected),
        past=int(zone.past),
        environment_share=float(zone.environment_share),
        factors=zone.factors,
    )
    written: dict[str, object] = to_json(details)
    return written


def stored_details(details: Mapping[str, object]) -> ZoneDetails:
    """Return what is stored of a zone as :func:`write_details` wrote it."""
    return from_json(ZoneDetails, details, "a zone of an earlier version", FIT_AGAIN)


def read_details(details: Mapping[str, object], run: RunDocument) -> dict[str, object]:
    """Return what is stored of a zone by column, factors ordered as a zone's description has them.

    A run of an earlier version has the share of all cells that a column marks in its diagnostics
    alone.
    """
    found = stored_details(details)
    return {**vars(found), "factors": order_factors(found.factors, run.covers)}


def read_run_document(document: Mapping[str, object]) -> RunDocument:
    """Return a stored document as it was written.

    Raises
    ------
    DataError
        If another version wrote it; the message names the field and the remedy.
    """
    run = str(document.get("run", ""))
    return from_json(RunDocument, document, f"run {run:.40} of an earlier version", FIT_AGAIN)


def describe_run(
    analysis: Analysis,
    *,
    run: str,
    city: str,
    crs: str,
    outcome: str,
    period: tuple[dt.date, dt.date],
    seed: int,
    zones_from: str,
) -> RunDocument:
    """Return the document of an analysis."""
    terrain, score = analysis.terrain, analysis.cells["score"]
    shared = analysis.shared
    effects = [] if shared is None else shared.table().to_dict("records")
    return RunDocument(
        run=run,
        city=city,
        outcome=outcome,
        start=period[0],
        end=period[1],
        scope=analysis.scope,
        seed=seed,
        incidents=analysis.incidents,
        grid=GridDocument(cells=len(analysis.grid), cell=analysis.grid.cell_units, crs=crs),
        candidates=terrain.n_candidates,
        screened=terrain.n_screened,
        dropped=tuple(DroppedCandidate(candidate=n, reason=r) for n, r in terrain.dropped),
        factors_from="city" if terrain.borrowed else analysis.scope,
        model=_model(terrain.model),
        alternatives=tuple(_model(model) for model in terrain.alternatives),
        score=ScoreDocument(
            max=float(score.max()),
            mean=float(score.mean()),
            sd=float(score.std(ddof=0)),
            share_above_2sd=float((analysis.cells["risk_class"] == 3).mean()),
        ),
        combined=_combined(analysis.combined),
        districts=tuple(DistrictEffect(**_by_name(row)) for row in effects),
        diagnostics=_diagnostics(analysis),
        zones_from=zones_from,
        zones_bound=analysis.most_expected,
        zones=_zones(analysis, run),
        warnings=analysis.warnings,
    )


def _by_name(row: Mapping[Any, Any]) -> dict[str, Any]:
    return dict(row)


def _model(model: TerrainModel) -> ModelDocument:
    rows = model.table().to_dict("records")
    return ModelDocument(
        family=model.family,
        bic=model.fit.bic,
        intercept=float(model.fit.beta[0]),
        dispersion=model.fit.dispersion,
        factors=tuple(FactorEffect(**_by_name(row)) for row in rows),
    )


def _combined(combined: CombinedRisk) -> CombinedDocument:
    return CombinedDocument(
        max=float(combined.score.max()),
        environment_share=combined.environment_share,
        history_share=1.0 - combined.environment_share,
        components=tuple(sorted(combined.components, key=lambda c: -c.weight)),
        record=combined.record,
    )


def _diagnostics(analysis: Analysis) -> DiagnosticsDocument:
    found = analysis.diagnostics
    columns = zip(analysis.terrain.model.columns, found.inflation, found.covers, strict=True)
    return DiagnosticsDocument(
        dispersion=found.dispersion,
        moran=found.moran,
        factors=tuple(
            FactorDiagnostic(
                name=column.factor,
                operation=column.operation,
                distance=column.distance_units,
                variance_inflation=inflation,
                covers=covers,
            )
            for column, inflation, covers in columns
        ),
    )


def _zones(analysis: Analysis, run: str) -> tuple[ZoneDocument, ...]:
    return tuple(
        ZoneDocument(
            id=zone_id(run, row.district, row.rank),
            district=row.district,
            rank=int(row.rank),
            area=float(row.area),
            cells=int(row.n_cells),
            expected=float(row.expected),
            past=int(row.past),
            environment_share=float(row.environment_share),
            factors=row.factors,
        )
        for row in analysis.zones.itertuples()
    )


def zone_id(run: str, district: str, rank: int) -> str:
    """Return the lasting name of a zone: the run, the district and the rank, fit for an address.

    >>> zone_id("0a1b2c3d4e5f", "District 3/West", 2)
    '0a1b2c3d-district-3-west-2'
    """
    plain = "".join(c if c.isalnum() else "-" for c in district.lower())
    return f"{run[:8]}-{plain}-{rank}"
