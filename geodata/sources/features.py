"""Features of many pages into one GeoJSON file, as they come."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from geodata.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType
    from typing import Self


class FeatureFile:
    """Writes features one after another; ``count`` is how many."""

    def __init__(self, path: Path, label: str, most_bytes: int) -> None:
        self.path, self.label, self.most = path, label, most_bytes
        self.count = 0
        self._size = 0
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> Self:
        self._write('{"type": "FeatureCollection", "features": [')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._write("\n]}\n")
        self._file.close()
        if kind is not None:
            self.path.unlink(missing_ok=True)

    def add(self, features: Iterable[Any]) -> int:
        """Write features and tell how many.

        Raises
        ------
        DataError
            If one is no feature, or the file grows too long.
        """
        before = self.count
        for feature in features:
            if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
                msg = f"{self.label}: the service answers with something that is no feature"
                raise DataError(msg)
            plain = {
                "type": "Feature",
                "properties": feature["properties"],
                "geometry": feature.get("geometry"),
            }
            self._write((",\n" if self.count else "\n") + json.dumps(plain, ensure_ascii=False))
            self.count += 1
        return self.count - before

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > self.most:
            msg = (
                f"{self.label}: holds more than {self.most / 1e6:,.0f} MB; ask for fewer rows with "
                "a where in its address"
            )
            raise DataError(msg)
        self._file.write(text)
