"""What the public pages read: approved releases, or previews of them; files and nothing else.

Nothing here can reach the database: an import contract keeps it so, and the pages run where there
is none.
"""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING

from app.i18n.language import code
from app.i18n.titles import use_titles
from app.maps.bundle import activity_json, put_bundle, put_file
from app.maps.picture import area_svg
from app.public.published_city import OtherCity, PublicCityView, PublicInitiative
from app.public.release_reader import MAP, ZONES, ReleaseReader
from app.public.released_figures import released_detail, released_figures
from geodata.errors import BrokenReleaseError, NotStoredError
from geodata.releases.folder import (
    CURRENT,
    ID_DIGITS,
    PREVIEW,
    PreviewFolder,
    ReleaseFolder,
    approved_releases,
)
from geodata.releases.gazetteer import GAZETTEER

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from app.maps.bundle import Bundle
    from app.public.released_figures import CityFigures, MeasureDetail
    from geodata.measures.registry import Step
    from geodata.releases.activity import Activity
    from geodata.releases.surroundings import Surroundings
    from spatial.measures.scopes import Scope

KEPT = 4
MAP_FOLDER = re.compile(rf"release-(?P<id>[0-9a-f]{{{ID_DIGITS}}})(-activity|-names)?")


class ReleasedSite:
    """Reads the newest approved release of each city, keeping the last few in memory.

    With a folder of ``previews`` it reads the preview of each city instead, as if it were approved
    after its releases.
    """

    def __init__(
        self, releases: Path, city: str | None, maps: Path, *, previews: Path | None = None
    ) -> None:
        self.maps = maps
        self.preview = previews is not None
        self._root, self._pointer = (releases, CURRENT) if previews is None else (previews, PREVIEW)
        self._folder = ReleaseFolder if previews is None else PreviewFolder
        self._releases, self._city = releases, city
        self._kept: dict[str, ReleaseReader] = {}
        self._folders: dict[Path, ReleaseFolder] = {}  # a manifest never changes: read once
        self._lock = threading.Lock()

    def shown(self, slug: str | None = None) -> PublicCityView | None:
        """Return a city by slug, else the configured one, else the one approved last.

        Raises
        ------
        NotStoredError
            If a city is named of which nothing is published.
        """
        named = slug or self._city
        listed = self._cities()
        if named is None:
            return self._shown(listed[0], listed) if listed else None
        if named not in listed:
            if slug is None:  # the configured one: nothing is published yet
                return None
            msg = f"nothing is published of a city {slug[:80]!r}"
            raise NotStoredError(msg, city=slug[:80], code="city_unpublished")
        return self._shown(named, listed)

    def serves_map(self, folder: str) -> bool:
        """Return whether a folder of maps is one of a release, or preview, that may be seen."""
        named = MAP_FOLDER.fullmatch(folder)
        return named is not None and any(
            self.preview or ReleaseFolder(path=path).state == "approved"
            for path in self._root.glob(f"*/{named['id']}")
        )

    def release(self, published: PublicCityView) -> ReleaseFolder:
        """Return the folder of the release that is shown."""
        return self._read(published).folder

    def releases(self, published: PublicCityView) -> list[ReleaseFolder]:
        """Return the releases of a city that were ever approved, newest first."""
        found = approved_releases(self._releases, published.city.slug)
        every = [self._folders.setdefault(one.path, one) for one in found]
        return [self.release(published), *every] if self.preview else every

    def figures(self, published: PublicCityView, scope: Scope) -> CityFigures:
        """Return every measure that the release tells in a period or month."""
        return released_figures(self._read(published).figures, published, scope)

    def detail(
        self, published: PublicCityView, scope: Scope, identity: str, by: Step
    ) -> MeasureDetail:
        """Return one measure that the release tells in a period or month.

        Raises
        ------
        DataError
            If there is no such measure.
        """
        return released_detail(self._read(published).figures, published, scope, identity, by)

    def initiative(self, published: PublicCityView, slug: str) -> PublicInitiative:
        """Return one initiative of a city, retired or not.

        Raises
        ------
        NotStoredError
            If there is none of that slug.
        """
        found = self._read(published).initiatives.get(slug)
        if found is None:
            msg = f"{published.city.slug} has no initiative {slug[:80]!r}"
            raise NotStoredError(msg, initiative=slug[:80], code="no_initiative")
        return found

    def activity(self, published: PublicCityView) -> Activity | None:
        """Return the alerts and complaints of the release, by week."""
        return self._read(published).activity

    def activity_file(self, published: PublicCityView) -> tuple[str, str] | None:
        """Return the folder and the name of the same as a file of the map."""
        read = self._read(published)
        if read.activity is None:
            return None
        if code() not in read.activity_files:
            content = activity_json(read.activity, published.city.districts)
            folder = f"release-{read.folder.id}-activity"
            read.activity_files[code()] = put_file(self.maps, folder, "activity", content)
        return read.activity_files[code()]

    def bundle(self, published: PublicCityView) -> Bundle:
        """Return the map of the release, its files compressed beside the maps once."""
        return self.bundle_of(self._read(published).folder)

    def bundle_of(self, folder: ReleaseFolder) -> Bundle:
        """Return the map of any release, in the same way."""
        try:
            return put_bundle(self.maps, f"release-{folder.id}", lambda: _map_files(folder))
        except (KeyError, TypeError) as error:  # of another version of this software
            msg = f"release {folder.id} holds no map that can be shown; draft and approve a new one"
            raise BrokenReleaseError(msg, code="no_map") from error

    def zone_picture(self, published: PublicCityView, zone_id: str) -> bytes:
        """Return the picture of one zone."""
        return self._read(published).folder.read(f"{ZONES}/{zone_id}.svg")

    def surroundings(self, published: PublicCityView) -> Surroundings:
        """Return what can be asked of a place or an area of the run that is shown."""
        return self._read(published).surroundings

    def names_file(self, published: PublicCityView) -> tuple[str, str] | None:
        """Return the folder and the name of what can be searched, as a file of the map."""
        folder = self._read(published).folder
        if GAZETTEER not in folder.files:
            return None
        return put_file(self.maps, f"release-{folder.id}-names", "names", folder.read(GAZETTEER))

    def area_picture(self, published: PublicCityView, shape: BaseGeometry) -> bytes:
        """Draw an area in the city's reference system, and what lies around it."""
        return area_svg(self._read(published).scene, shape)

    def warm(self) -> None:
        """Read what the first page needs, so that nobody waits for it."""
        published = self.shown()
        if published is not None:
            self.activity(published)

    def check(self) -> None:
        """Read the release of the shown city.

        Raises
        ------
        BrokenReleaseError
            If it cannot be read.
        """
        self.shown()

    def _cities(self) -> list[str]:
        """Return the cities that have a release, the one approved last first."""
        pointers = self._root.glob(f"*/{self._pointer}")
        found = [path.parent.name for path in sorted(pointers, key=_approved, reverse=True)]
        return [city for city in found if self._shows(city)]

    def _shows(self, city: str) -> bool:
        """Return whether a city has a release to show; one that is broken tells so on its pages."""
        try:
            return self._current(city) is not None
        except BrokenReleaseError:
            return True

    def _current(self, city: str) -> ReleaseFolder | None:
        return self._folder.current(self._root, city)

    def _shown(self, slug: str, listed: list[str]) -> PublicCityView:
        folder = self._current(slug)
        if folder is None:
            msg = f"nothing is published of a city {slug[:80]!r}"
            raise NotStoredError(msg, city=slug[:80], code="city_unpublished")
        with self._lock:
            read = self._kept.get(folder.id)
            if read is None or read.beside != listed or read.folder != folder:
                # another city was published meanwhile, or the same preview was made anew
                read = ReleaseReader(folder, self._others(slug, listed), beside=listed)
            self._kept[folder.id] = read
            while len(self._kept) > KEPT:
                self._kept.pop(next(iter(self._kept)))
        use_titles(read.shown.city.titles, read.shown.city.units)
        return read.shown

    def _others(self, slug: str, listed: list[str]) -> tuple[OtherCity, ...]:
        found = []
        for other in listed:
            folder = None if other == slug else self._current(other)
            if folder is not None:
                found.append(OtherCity(slug=other, name=folder.manifest.city.name))
        return tuple(found)

    def _read(self, published: PublicCityView) -> ReleaseReader:
        """Return what was read of the release that a page shows, even if a newer one is there."""
        with self._lock:
            if published.release.id in self._kept:
                return self._kept[published.release.id]
        return ReleaseReader(
            ReleaseFolder(path=self._root / published.city.slug / published.release.id)
        )


def _approved(pointer: Path) -> str:
    try:
        return str(json.loads(pointer.read_text(encoding="utf-8")).get("at"))
    except (OSError, ValueError, AttributeError) as error:
        msg = f"{pointer} cannot be read ({error}); restore it from a copy"
        raise BrokenReleaseError(msg, code="unreadable") from error


def _map_files(folder: ReleaseFolder) -> dict[str, bytes]:
    inside = [name for name in folder.files if name.startswith(f"{MAP}/")]
    return {name.rpartition("/")[2]: folder.read(name) for name in inside}
