"""What stands before a public view: which city it shows, and what to say when there is none."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import current_app, render_template, request
from werkzeug.exceptions import NotFound

from app.public import pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from app.public.published_city import PublicCityView
    from app.public.released import ReleasedSite
    from geodata.releases.folder import ReleaseFolder

    View = Callable[..., ResponseReturnValue]


def site() -> ReleasedSite:
    """Return what public pages read from."""
    found: ReleasedSite = current_app.extensions["saferground.site"]
    return found


def with_city(view: View) -> View:
    """Hand a view the shown city; without one, say what to do first."""

    @wraps(view)
    def wrapped(**kwargs: Any) -> ResponseReturnValue:
        published = site().shown(request.args.get("city"))
        if published is None:
            return render_template("public/empty.html", frame=None, preview=site().preview)
        return view(published, **kwargs)

    return wrapped


def with_run(view: View) -> View:
    """Hand a view the shown city and its run; without one, say what to do first."""

    @wraps(view)
    def wrapped(published: PublicCityView, **kwargs: Any) -> ResponseReturnValue:
        if published.run is None:
            return render_template("public/empty.html", frame=pages.frame(published))
        return view(published, published.run, **kwargs)

    return with_city(wrapped)


def with_release(view: View) -> View:
    """Hand a view the shown city and its newest release; without one there is nothing to send."""

    @wraps(view)
    def wrapped(**kwargs: Any) -> ResponseReturnValue:
        published = site().shown(request.args.get("city"))
        if published is None:
            raise NotFound
        return view(published, release_of(published), **kwargs)

    return wrapped


def release_of(published: PublicCityView) -> ReleaseFolder:
    """Return the release that is shown of a city, or its preview."""
    return site().release(published)


def releases_of(published: PublicCityView) -> list[ReleaseFolder]:
    """Return the releases of a city that were ever approved, newest first."""
    return site().releases(published)
