"""Where pages of the workbench lead to, where the page is there."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for


def run_address(city: str, run: str) -> str:
    """Give where a run is read."""
    return _address("reading.run", city=city, run=run) or f"/analyst/{city}/runs/{run}"


def sources_address(city: str) -> str:
    """Give where a city's sources are, nothing where there is no such page."""
    return _address("sources.listed", city=city)


def release_address(city: str, release: str) -> str:
    """Give where a draft is looked at, nothing where there is no such page."""
    return _address("drafts.draft", city=city, release=release)


def _address(endpoint: str, **values: Any) -> str:
    there = endpoint in current_app.view_functions
    return url_for(endpoint, **values) if there else ""
