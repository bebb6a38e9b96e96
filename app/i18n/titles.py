"""What the city that an answer is about calls its factors and outcomes, and its units of length."""

from __future__ import annotations

from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

from geodata.cityfile.risk_factors import title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

NONE: Mapping[str, str] = MappingProxyType({})
_UNITS: ContextVar[str] = ContextVar("units", default="")
_CURRENT: ContextVar[Mapping[str, str]] = ContextVar("titles", default=NONE)


def use_titles(titles: Mapping[str, str], units: str = "") -> None:
    """Call factors and outcomes as a city does until the answer is made, or another city's is.

    ``units`` are ``us`` or ``metric`` where its file says so, empty where its country tells.
    """
    _CURRENT.set(titles)
    _UNITS.set(units)


def chosen_units() -> str:
    """Return ``us`` or ``metric`` as the city's file says, empty where it says neither."""
    return _UNITS.get()


def register(app: Flask) -> None:
    """Begin every request with no city's titles: a thread answers for one city after another."""

    @app.before_request
    def _begin() -> None:
        use_titles(NONE)


def title(name: str) -> str:
    """Return what the city, or else the library of risk factors, calls a name, in English.

    >>> title("liquor_stores"), title("atms"), title("vehicle_theft")
    ('liquor stores', 'cash machines', 'vehicle theft')
    """
    return _CURRENT.get().get(name) or title_of(name) or name.replace("_", " ").strip()
