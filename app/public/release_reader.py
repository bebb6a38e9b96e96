"""One release -> the values that pages know, each part read when it is first asked for."""

from __future__ import annotations

import datetime as dt
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from app.maps.picture import Scene
from app.maps.surface import levels_picture
from app.public.published_city import (
    EarlierZone,
    OtherCity,
    PublicCity,
    PublicEvent,
    PublicFinding,
    PublicInitiative,
    PublicRun,
    Published,
    Shown,
)
from app.public.released_figures import read_figures
from geodata.cityfile.initiatives import Initiative
from geodata.errors import BrokenReleaseError, NotStoredError
from geodata.import_report import SourceReport
from geodata.releases.activity import released_activity
from geodata.releases.rules import RULES
from geodata.releases.surroundings_read import released_surroundings
from spatial.zones.describe import order_factors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.public.released_figures import ReleasedFigures
    from geodata.releases.activity import Activity
    from geodata.releases.folder import ReleaseFolder
    from geodata.releases.surroundings import Surroundings

CITY, RUN, SOURCES = "site/city.json", "site/run.json", "site/sources.json"
EARLIER_ZONES = "site/earlier_zones.json"
INITIATIVES, MAP, ZONES = "site/initiatives.json", "site/map", "site/zones"
DISTRICTS, OUTLINES = "data/districts.geojson", "data/zones.geojson"


class ReleaseReader:
    """One release, each part read when it is first asked for."""

    def __init__(
        self,
        folder: ReleaseFolder,
        others: tuple[OtherCity, ...] = (),
        *,
        beside: Sequence[str] = (),
    ) -> None:
        self.folder, self._others = folder, others
        self.beside = beside  # slugs of all cities that were published when it was read
        self.activity_files: dict[str, tuple[str, str]] = {}  # by language

    @cached_property
    def approved_at(self) -> dt.datetime | None:
        """When it was approved, if it was."""
        approval = self.folder.approval
        return dt.datetime.fromisoformat(str(approval["at"])) if approval else None

    @cached_property
    def shown(self) -> Shown:
        """The city as the release tells it."""
        manifest, figures = self.folder.manifest, self.figures
        run = self._document(RUN)
        city = self._city()
        listed = [record for record, _ in self.initiatives.values()]
        return Shown(
            city=city,
            run=_run(run, self.folder, city) if run else None,
            reports=[_report(one) for one in self._document(SOURCES) or ()],
            validations=_findings(run, "validations"),
            backtests=_findings(run, "backtests"),
            certainty=next(iter(_findings(run, "certainty")), None),
            sensitivity=next(iter(_findings(run, "sensitivity")), None),
            extents={
                name: (_day(days["from"]), _day(days["through"]))
                for name, days in manifest["sections"].items()
            },
            through=_day(manifest["through"]),
            others=self._others,
            initiatives=tuple(record for record in listed if record.listed),
            retired=tuple(record for record in listed if not record.listed),
            release=Published(
                id=self.folder.id,
                approved=self.approved_at.date() if self.approved_at else None,
                rules=manifest["rules"]["version"],
            ),
            stamp=(self.folder.id,),
            periods=figures.periods,
            months=figures.months,
            measures=figures.measures,
            earlier_zones=tuple(
                EarlierZone(
                    id=one["id"],
                    code=one["code"],
                    district=one["district"],
                    through=_day(one["through"]),
                )
                for one in self._document(EARLIER_ZONES) or ()
            ),
        )

    @cached_property
    def figures(self) -> ReleasedFigures:
        """Its measures."""
        drafted = dt.datetime.combine(_day(self.folder.manifest["through"]), dt.time())
        when = self.approved_at or drafted + dt.timedelta(days=RULES.delay_days)
        return read_figures(self.folder, when.replace(tzinfo=None))

    @cached_property
    def activity(self) -> Activity | None:
        """Its alerts and complaints by week."""
        codes = [str(code) for code in self.shown.city.districts["code"]]
        return released_activity(self.folder, self.shown.city.crs, codes)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What can be asked of a place or an area."""
        run, city = self.shown.run, self.shown.city
        if run is None:
            msg = f"release {self.folder.id} shows no zones"
            raise NotStoredError(msg)
        return released_surroundings(self.folder, city.districts, run.zones, self.activity)

    @cached_property
    def scene(self) -> Scene:
        """What its pictures are drawn from: the files of its map."""
        asked, city = self.surroundings, self.shown.city
        name = next(one for one in self.folder.files if one.startswith(f"{MAP}/base-"))
        base = _frame(json.loads(self.folder.read(name)), city.crs)
        classes = asked.classes
        if classes is None:
            msg = f"release {self.folder.id} has zones without a surface; draft it anew"
            raise BrokenReleaseError(msg)
        return Scene(
            crs=city.crs,
            limit=base.geometry[base["kind"] == "limit"].iloc[0],
            districts=city.districts,
            base=base,
            zones=asked.zones,
            surface=levels_picture(classes.levels),
            bounds=classes.bounds,
        )

    @cached_property
    def initiatives(self) -> dict[str, tuple[PublicInitiative, list[PublicEvent]]]:
        """Its initiatives with what was said when, in the city's order."""
        found = {}
        for one in self._document(INITIATIVES) or ():
            initiative = Initiative.from_json(one["initiative"])
            record = PublicInitiative(initiative=initiative, listed=one["listed"])
            found[initiative.slug] = (record, [_event(entry) for entry in one["history"]])
        return found

    def _document(self, name: str) -> Any:
        return json.loads(self.folder.read(name)) if name in self.folder.files else None

    def _city(self) -> PublicCity:
        manifest, told = self.folder.manifest, self._document(CITY)
        if told is None:
            msg = (
                f"release {self.folder.id} was drafted without the documents of the pages; "
                "draft and approve a new one"
            )
            raise BrokenReleaseError(msg)
        return PublicCity(
            slug=manifest["city"]["slug"],
            name=manifest["city"]["name"],
            synthetic=manifest["synthetic"],
            crs=told["crs"],
            timezone=told["timezone"],
            today=_day(told["today"]) if told["today"] else None,
            cell_units=told["cell_units"],
            block_units=told["block_units"],
            districts=_frame(self._document(DISTRICTS), told["crs"]),
        )


def _frame(document: dict[str, Any], crs: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame.from_features(document["features"], crs=4326).to_crs(crs)


def _run(told: dict[str, Any], folder: ReleaseFolder, city: PublicCity) -> PublicRun:
    """Put the run together from its document and the outlines of its zones."""
    zones = _frame(json.loads(folder.read(OUTLINES)), city.crs)[
        ["id", "district", "rank", "geometry"]
    ]
    for name in ("area", "environment_share", "factors"):
        by_id = {zone["id"]: zone[name] for zone in told["zones"]}
        zones[name] = [by_id[zone] for zone in zones["id"]]
    codes = {zone["id"]: zone.get("code", "") for zone in told["zones"]}  # of late releases only
    zones["code"] = [codes[zone] for zone in zones["id"]]
    columns = told["result"]["diagnostics"]["factors"]
    zones["factors"] = [order_factors(factors, columns) for factors in zones["factors"]]
    return PublicRun(
        id=told["id"],
        outcome=told["outcome"],
        period_from=_day(told["from"]),
        period_to=_day(told["to"]),
        seed=told["seed"],
        spec=told["spec"],
        data_sha256=told["data_sha256"],
        code_version=told["code_version"],
        result=told["result"],
        zones=zones,
        class_shares=tuple(told["class_shares"]),
        edited=_edited(told.get("edited")),
    )


def _edited(told: list[Any] | None) -> tuple[dt.date, int] | None:
    return (_day(told[0]), int(told[1])) if told else None


def _findings(run: dict[str, Any] | None, name: str) -> list[PublicFinding]:
    return [PublicFinding(document=one) for one in (run or {}).get(name, ())]


def _report(told: dict[str, Any]) -> SourceReport:
    return SourceReport(
        kind=told["kind"],
        source=told["source"],
        read=told["read"],
        stored=told["stored"],
        left_out=told["left_out"],
    )


def _event(told: dict[str, Any]) -> PublicEvent:
    said = told["initiative"]
    return PublicEvent(
        event=told["event"],
        recorded_at=dt.datetime.fromisoformat(told["recorded_at"]),
        initiative=Initiative.from_json(said) if said else None,
        changes=tuple(told["changes"]),
    )


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
