"""Data sets of Socrata portals, page by page, as GeoJSON or CSV.

Rows of a portal have no order of their own: without ``$order`` two pages may hold the same row, so
that the portal's own row number (``:id``) is requested.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from geodata.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geodata.remote.arcgis import FeatureFile
    from geodata.remote.http import Web

DATA_SET = re.compile(
    r"(?P<before>.*)/(?:resource|d|dataset/(?:[^/]+/)?[^/]+)/(?P<id>[a-z0-9]{4}-[a-z0-9]{4})"
    r"(?:\.(?P<ending>csv|geojson|json))?/?"
)
AT_ONCE = 50_000
MOST_PAGES = 10_000
TOKEN = "X-App-Token"  # noqa: S105 - the name of a header
UNCOUNTED = {"$select", "$group", "$having", "$query", "$q"}


def is_socrata(url: str) -> bool:
    """Return whether an address is one of a Socrata data set.

    >>> is_socrata("https://data.example.org/resource/abcd-1234.csv")
    True
    >>> is_socrata("https://data.example.org/resource/robberies.csv")
    False
    """
    return DATA_SET.fullmatch(urlsplit(url).path) is not None


class SocrataSet:
    """One data set, in the form that its address ends in: ``.geojson``, else CSV."""

    def __init__(self, web: Web, url: str, label: str, token: str | None) -> None:
        parts = urlsplit(url)
        found = DATA_SET.fullmatch(parts.path)
        if found is None:
            msg = f"{label}: names no data set; write it as https://host/resource/abcd-1234.csv"
            raise DataError(msg)
        self.web, self.label = web, label
        self.ending = "geojson" if found["ending"] == "geojson" else "csv"
        path = f"{found['before']}/resource/{found['id']}"
        self._base = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        self._asked = {
            name: value
            for name, value in parse_qsl(parts.query)
            if name not in ("$limit", "$offset")
        }
        self._headers = {TOKEN: token} if token else {}

    def save_geojson(self, file: FeatureFile) -> list[str]:
        """Write all rows as features.

        Raises
        ------
        DataError
            If rows are missing, or the portal tells an error.
        """
        expected = self.count()
        for offset in range(0, AT_ONCE * MOST_PAGES, AT_ONCE):
            page = self._read("geojson", offset)
            try:
                rows = json.loads(page)["features"]
                number = file.add(rows)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                msg = f"{self.label}: the portal answers with something that is no GeoJSON"
                raise DataError(msg) from error
            if number < AT_ONCE:
                break
        return self._noted(file.count, expected)

    def save_csv(self, path: Path) -> list[str]:
        """Write all rows as one table.

        Raises
        ------
        DataError
            If rows are missing, pages do not fit together, or the portal tells an error.
        """
        expected = self.count()
        heads: list[str] | None = None
        total = size = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for offset in range(0, AT_ONCE * MOST_PAGES, AT_ONCE):
                text = self._read("csv", offset).decode("utf-8-sig", errors="replace")
                size += len(text)
                self._require_short(size)
                rows = csv.reader(io.StringIO(text, newline=""))
                mine = next(rows, None)
                if mine is None or (heads is not None and mine != heads):
                    msg = f"{self.label}: pages of the portal do not have the same columns"
                    raise DataError(msg)
                if heads is None:
                    heads = mine
                    writer.writerow(heads)
                number = _copy(rows, writer, self.label)
                total += number
                if number < AT_ONCE:
                    break
        return self._noted(total, expected)

    def count(self) -> int | None:
        """Return how many rows there are; nothing where the question does not allow to count."""
        if UNCOUNTED & set(self._asked):
            return None
        query = {k: v for k, v in self._asked.items() if k != "$order"}
        url = f"{self._base}.json?{urlencode({**query, '$select': 'count(*) as n'})}"
        answer = self.web.read_json(url, self.label, self._headers)
        try:
            return int(answer[0]["n"])
        except (ValueError, TypeError, KeyError, IndexError) as error:
            msg = f"{self.label}: the portal does not tell how many rows it has"
            raise DataError(msg) from error

    def _read(self, ending: str, offset: int) -> bytes:
        wanted: Mapping[str, object] = {
            **self._asked,
            **(
                {} if UNCOUNTED & set(self._asked) else {"$order": self._asked.get("$order", ":id")}
            ),
            "$limit": AT_ONCE,
            "$offset": offset,
        }
        url = f"{self._base}.{ending}?{urlencode(wanted)}"
        return self.web.read(url, self.label, self._headers)

    def _require_short(self, size: int) -> None:
        most = self.web.limits.most_bytes
        if size > most:
            msg = f"{self.label}: holds more than {most / 1e6:,.0f} MB; ask for fewer with $where"
            raise DataError(msg)

    def _noted(self, found: int, expected: int | None) -> list[str]:
        if expected is not None and found != expected:
            msg = (
                f"{self.label}: the portal counts {expected} rows and gave {found}; it may have "
                "changed meanwhile: try again"
            )
            raise DataError(msg)
        return [f"Socrata data set: {found} rows"]


def _copy(rows: Any, writer: Any, label: str) -> int:
    number = 0
    try:
        for row in rows:
            writer.writerow(row)
            number += 1
    except csv.Error as error:
        msg = f"{label}: the portal answers with something that is no table ({error})"
        raise DataError(msg) from error
    return number
