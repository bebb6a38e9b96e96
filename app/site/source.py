"""What public pages read from, and all that they read: one object, whatever stands behind it.

:class:`app.site.released.ReleasedSite` reads approved releases, :class:`app.site.live.LiveSite` the
database, for a preview.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from app.maps.bundle import Bundle
    from app.site.public_figures import CityFigures, MeasureDetail
    from app.site.shown import PublicEvent, PublicInitiative, Shown
    from geodata.measures.record import Scope
    from geodata.measures.registry import Step
    from geodata.publishing.activity import Activity
    from geodata.publishing.folder import ReleaseFolder
    from geodata.publishing.surroundings import Surroundings


class Site(Protocol):
    """Reads cities for public pages."""

    maps: Path
    preview: bool

    def shown(self, slug: str | None = None) -> Shown | None:
        """Give a city by slug, else the configured one, else the newest; nothing without one.

        Raises
        ------
        NotStoredError
            If a city is named that is not there.
        """

    def serves_map(self, folder: str) -> bool:
        """Return whether the files in a folder of maps may be sent to anybody."""

    def release(self, shown: Shown) -> ReleaseFolder | None:
        """Give the folder of the release that is shown, if one is."""

    def releases(self, shown: Shown) -> list[ReleaseFolder]:
        """Give the releases of a city that were ever approved, newest first."""

    def figures(self, shown: Shown, scope: Scope) -> CityFigures:
        """Give every measure of a city in a scope."""

    def detail(self, shown: Shown, scope: Scope, identity: str, by: Step) -> MeasureDetail:
        """Give one measure of a city in a scope, by month or week and by district.

        Raises
        ------
        DataError
            If there is no such measure.
        """

    def initiative(self, shown: Shown, slug: str) -> tuple[PublicInitiative, list[PublicEvent]]:
        """Give one initiative of a city, retired or not, and its history, newest first.

        Raises
        ------
        NotStoredError
            If there is none of that slug.
        """

    def activity(self, shown: Shown) -> Activity | None:
        """Give a city's alerts and complaints as the public may see them, by week."""

    def activity_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of the same as a file of the map."""

    def bundle(self, shown: Shown) -> Bundle:
        """Give the map of the run that is shown."""

    def zone_picture(self, shown: Shown, zone_id: str) -> bytes:
        """Draw one zone of the run that is shown, and its surroundings."""

    def surroundings(self, shown: Shown) -> Surroundings:
        """Give what can be asked of a place or an area of the run that is shown."""

    def names_file(self, shown: Shown) -> tuple[str, str] | None:
        """Give the folder and the name of what can be searched, as a file of the map."""

    def area_picture(self, shown: Shown, shape: BaseGeometry) -> bytes:
        """Draw an area in the city's reference system, and what lies around it."""

    def warm(self) -> None:
        """Work out what the first page needs, so that nobody waits for it."""

    def check(self) -> None:
        """Read from what stands behind it.

        Raises
        ------
        StoreError
            If it cannot be read.
        """
