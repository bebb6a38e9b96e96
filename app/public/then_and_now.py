"""Zones of an earlier release beside those of now: what stayed, what is new, what is gone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
from flask import request, url_for
from flask_babel import gettext as _

from app import forms
from app.i18n import numbers
from app.maps.shapes import zone_full
from app.public.decorators import releases_of, site
from app.public.release_reader import MAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.public.published_city import EarlierZone, PublicCityView, PublicRun
    from geodata.releases.folder import ReleaseFolder

MOSTLY = 0.5  # of one of two zones lies in the other: the same place, where no code tells


@dataclass(frozen=True, kw_only=True)
class ThenPart:
    """What changed since an earlier release.

    ``choices`` are the releases one can compare with, their id and newest day; ``release`` is the
    one chosen, nothing where none is. ``zones`` and ``picture`` are addresses of its files; ``new``
    and ``gone`` have the titles of zones, the new ones with their ids.
    """

    choices: tuple[tuple[str, str], ...]
    release: str = ""
    day: str = ""
    told: str = ""
    zones: str = ""
    picture: str = ""
    new: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()


def then_part(published: PublicCityView, run: PublicRun) -> ThenPart | None:
    """Compare the zones of now with those of the release that the address names as ``then``.

    Only releases that are still public count: one that was withdrawn is shown nowhere.

    Raises
    ------
    AddressError
        If there is no such earlier release.
    """
    earlier = {
        one.id: one
        for one in releases_of(published)
        if one.id != published.release.id and one.state == "approved" and _has_map(one)
    }
    wanted = forms.choice(request.args, "then", list(earlier))
    if not earlier:
        return None
    choices = tuple((key, numbers.day(one.manifest.through)) for key, one in earlier.items())
    if wanted is None:
        return ThenPart(choices=choices)
    bundle = site().bundle_of(earlier[wanted])
    document = json.loads(earlier[wanted].read(f"{MAP}/{bundle.zones}"))
    before = gpd.GeoDataFrame.from_features(document, crs=4326).to_crs(published.city.crs)
    kept, gone = match_zones(run.zones, before, published.earlier_zones)
    names = published.city.districts
    titles = dict(zip(names["code"], names["name"], strict=True))
    day = numbers.day(earlier[wanted].manifest.through)
    return ThenPart(
        choices=choices,
        release=wanted,
        day=day,
        told=_tell(day, run.zones, before, len(kept), len(gone)),
        zones=url_for("public.map_file", folder=bundle.folder, name=bundle.zones),
        picture=url_for("public.map_file", folder=bundle.folder, name=bundle.picture),
        new=tuple(
            (zone.id, zone_full(zone, titles))
            for zone in run.zones.itertuples()
            if zone.id not in kept
        ),
        gone=tuple(str(title) for title in before["title"][before["id"].isin(gone)]),
    )


def match_zones(
    now: gpd.GeoDataFrame, before: gpd.GeoDataFrame, known: Sequence[EarlierZone]
) -> tuple[set[str], set[str]]:
    """Return the ids of zones of now that stood before, and those of before that stand no more.

    A zone is the same where its code is; where one has none, where half of either lies in the
    other.

    Parameters
    ----------
    now
        ``id``, ``code`` and geometry.
    before
        ``id`` and geometry, in the same reference system.
    known
        Codes of zones of earlier releases.
    """
    codes = {zone.id: zone.code for zone in known if zone.code}
    codes |= dict(zip(now["id"], now["code"], strict=True))
    kept, stays = set(), set()
    for old in before.itertuples():
        code = codes.get(old.id)
        if code:
            same = now["code"] == code
        else:
            shared = now.geometry.intersection(old.geometry).area
            same = shared >= MOSTLY * now.geometry.area.clip(upper=old.geometry.area)
        kept.update(now["id"][same])
        if same.any():
            stays.add(old.id)
    return kept, set(before["id"]) - stays


def _has_map(release: ReleaseFolder) -> bool:
    return any(name.startswith(f"{MAP}/zones-") for name in release.files)


def _tell(day: str, now: gpd.GeoDataFrame, before: gpd.GeoDataFrame, kept: int, gone: int) -> str:
    """Say in words what changed."""
    whole = now.geometry.union_all()
    share = whole.intersection(before.geometry.union_all()).area / whole.area
    if kept == len(now) and not gone and share > 0.999:  # outlines are rounded
        return _("The zones are those of the release with data through %(day)s.", day=day)
    return _(
        "Since the release with data through %(day)s: %(kept)s of %(of)s zones stand where one "
        "stood. New: %(new)s. Gone: %(gone)s. %(share)s of the ground of today's zones was in a "
        "zone then.",
        day=day,
        kept=numbers.number(kept),
        of=numbers.number(len(now)),
        new=numbers.number(len(now) - kept),
        gone=numbers.number(gone),
        share=numbers.share(float(share)),
    )
