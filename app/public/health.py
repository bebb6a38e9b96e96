"""What monitors ask."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from app.links import CHECKS
from app.public.decorators import site
from geodata.errors import ReleaseError, StoreError
from geodata.measures.registry import STALE_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    Check = Callable[[], tuple[str, str]]

bp = Blueprint("health", __name__)


def checks() -> dict[str, Check]:
    """Return what else has to be ready, by name; parts of the application put their own check here.

    A check gives a word for how it stands, and why that is not ready, empty if it is.
    """
    found: dict[str, Check] = current_app.extensions.get(CHECKS, {})
    return found


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(status="ok", version=version("saferground"))


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether pages can be shown and are up to date; if not, why: 503."""
    answer: dict[str, object] = {"source": "previews" if site().preview else "releases"}
    answer |= {"database": "not used", "city": None, "release": None}
    answer |= {"data_through": None, "age_days": None, "stale_after_days": STALE_DAYS}
    answer["worker"] = "not used"
    reasons: list[str] = []
    try:
        site().check()
        published = site().shown()
    except (StoreError, ReleaseError, SQLAlchemyError) as error:
        current_app.logger.error("not ready: %s", error)
        reasons.append(f"the {answer['source']} cannot be read")
    else:
        if published is None:
            reasons.append("no preview was made" if site().preview else "nothing is published")
        else:
            answer["city"] = published.city.slug
            answer["release"] = published.release.id
            answer["data_through"] = published.through.isoformat()
            answer["age_days"] = published.age_days
            answer["stale_after_days"] = published.stale_after_days
            if published.stale:
                reasons.append(
                    f"the newest data of {published.city.slug} are {published.age_days} days old, "
                    f"more than the {published.stale_after_days} days that are promised"
                )
    for name, check in checks().items():
        answer[name], reason = check()
        reasons += [reason] if reason else []
    status = "not ready" if reasons else "ready"
    response = jsonify(status=status, reasons=reasons, **answer)
    response.cache_control.no_store = True
    return response, 503 if reasons else 200
