"""What monitors ask."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, jsonify
from sqlalchemy.exc import SQLAlchemyError

from app.views.doors import site
from geodata.errors import StoreError
from geodata.measures.registry import STALE_DAYS

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(status="ok", version=version("saferground"))


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether pages can be shown and are up to date; if not, why: 503."""
    answer: dict[str, Any] = {"database": "ok", "city": None, "data_through": None}
    answer |= {"age_days": None, "stale_after_days": STALE_DAYS}
    reasons: list[str] = []
    try:
        site().check()
        shown = site().shown()
    except (StoreError, SQLAlchemyError) as error:
        current_app.logger.error("not ready: %s", error)
        answer["database"] = "cannot be read"
        reasons.append("the database cannot be read")
    else:
        if shown is None or shown.data_through is None:
            reasons.append("no data are stored")
        else:
            answer["city"] = shown.city.slug
            answer["data_through"] = shown.data_through.isoformat()
            answer["age_days"] = shown.age_days
            if shown.stale:
                reasons.append(
                    f"the data of {shown.city.slug} are {shown.age_days} days old, more than the "
                    f"{STALE_DAYS} days that are promised"
                )
    status = "not ready" if reasons else "ready"
    response = jsonify(status=status, reasons=reasons, **answer)
    response.cache_control.no_store = True
    return response, 503 if reasons else 200
