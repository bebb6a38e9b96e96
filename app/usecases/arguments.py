"""Arguments of a job, as JSON has them -> typed values; every fault is reported at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

from geodata.cityfile.toml import unknown_keys
from spatial.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 1_000


class Arguments:
    """Reads values by name and gathers what is wrong with them; :meth:`check` tells it."""

    def __init__(self, kind: str, given: Mapping[str, object]) -> None:
        self.kind = kind
        self.given = given
        self.known: set[str] = set()
        self.faults: list[str] = []
        self._parts: list[Arguments] = []

    def text(self, name: str, *, required: bool = True) -> str:
        """Read a text; empty where it is absent and may be."""
        value = self._take(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
            self.faults.append(f"{name} must be text, got {value!r:.60}")
            return ""
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of texts, empty where it is absent."""
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.faults.append(f"{name} must be a list of texts, got {value!r:.60}")
            return ()
        return tuple(value)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> Any:
        """Read one of several words."""
        value = self._take(name)
        if value is not None and value not in choices:
            self.faults.append(f"{name} must be one of {', '.join(choices)}, got {value!r:.60}")
        return value if value in choices else default

    def choice_or_none(self, name: str, choices: tuple[str, ...]) -> Any:
        """Read one of several words, nothing where it is absent."""
        return None if self._take(name) is None else self.choice(name, choices, choices[0])

    def whole(self, name: str, default: int | None = None) -> int:
        """Read a whole number from 0; required where there is no default."""
        value = self._take(name, required=default is None)
        if value is None:
            return default or 0
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
            self.faults.append(f"{name} must be a whole number from 0, got {value!r:.60}")
            return default or 0
        return value

    def number(self, name: str, default: float) -> float:
        """Read a number."""
        value = self._take(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.faults.append(f"{name} must be a number, got {value!r:.60}")
            return default
        return float(value)

    def number_or_none(self, name: str) -> float | None:
        """Read a number, nothing where it is absent."""
        return None if self._take(name) is None else self.number(name, 0.0)

    def whole_or_none(self, name: str) -> int | None:
        """Read a whole number from 0, nothing where it is absent."""
        return None if self._take(name) is None else self.whole(name, 0)

    def objects(self, name: str) -> list[Arguments]:
        """Read a list of objects, each by its own names; empty where it is absent.

        What is wrong with one of them is reported with its place in the list.
        """
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.faults.append(f"{name} must be a list of objects, got {value!r:.60}")
            return []
        made = [Arguments(f"{name} {place}", one) for place, one in enumerate(value, start=1)]
        self._parts += made
        return made

    def flag(self, name: str) -> bool:
        """Read true or false, false where it is absent."""
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            self.faults.append(f"{name} must be true or false, got {value!r:.60}")
        return value is True

    def day(self, name: str) -> dt.date:
        """Read an ISO date."""
        value = self._take(name, required=True)
        return (value is not None and self._day(name, value)) or dt.date.min

    def day_or_none(self, name: str) -> dt.date | None:
        """Read an ISO date, nothing where it is absent."""
        value = self._take(name)
        return None if value is None else self._day(name, value)

    def period(self, name: str) -> tuple[dt.date, dt.date]:
        """Read two ISO dates, the first included, the second not."""
        value = self._take(name, required=True)
        if isinstance(value, list) and len(value) == 2:
            first, last = (self._day(name, one) for one in value)
            if first and last:
                return first, last
        elif value is not None:
            self.faults.append(f'{name} must be ["2018-01-01", "2018-07-01"], got {value!r:.60}')
        return dt.date.min, dt.date.min

    def check(self) -> None:
        """Raise what was gathered.

        Raises
        ------
        SpecError
            If an argument is missing, unknown, or of the wrong kind.
        """
        faults = [*unknown_keys(self.kind, self.given, self.known), *self.faults]
        for part in self._parts:
            faults += unknown_keys(part.kind, part.given, part.known)
            faults += [f"{part.kind}: {fault}" for fault in part.faults]
        if faults:
            msg = f"a job of kind {self.kind} cannot be asked so: {'; '.join(faults)}"
            raise SpecError(msg, code="job_arguments")

    def _take(self, name: str, *, required: bool = False) -> Any:
        self.known.add(name)
        value = self.given.get(name)
        if value is None and required:
            self.faults.append(f"{name} is missing")
        return value

    def _day(self, name: str, value: Any) -> dt.date | None:
        try:
            return dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            self.faults.append(f"{name}: {value!r:.60} is not a date; write it as 2013-01-31")
            return None


def digest_arguments(arguments: Mapping[str, object]) -> str:
    """Return the digest that knows the same arguments again.

    Raises
    ------
    SpecError
        If they cannot be written as JSON.

    >>> digest_arguments({"a": 1, "b": 2}) == digest_arguments({"b": 2, "a": 1})
    True
    """
    try:
        plain = json.dumps(arguments, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        msg = f"the arguments of a job must be plain JSON: {error}"
        raise SpecError(msg, code="job_arguments") from error
    return hashlib.sha256(plain.encode()).hexdigest()
