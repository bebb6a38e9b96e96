"""The root of every known error; each message names the fault and the remedy."""

from __future__ import annotations

from typing import Self


class SaferGroundError(Exception):
    """A fault that the user can understand and mend.

    ``field`` names the field of a form or a file that it is about, where there is one, and ``what``
    is the message without that name.
    """

    field: str | None = None

    @property
    def what(self) -> str:
        """Return the message without the name of its field."""
        return str(self).removeprefix(f"{self.field}: ")

    @classmethod
    def at(cls, what: str, field: str) -> Self:
        """Return an error about one field."""
        error = cls(f"{field}: {what}")
        error.field = field
        return error


class SpecError(SaferGroundError, ValueError):
    """A specification holds a value that cannot be right."""


class CrsError(SaferGroundError, ValueError):
    """Coordinates are in no usable reference system."""


class GridError(SaferGroundError, ValueError):
    """A grid cannot be laid over the study area as requested."""


class MaskingError(SaferGroundError, ValueError):
    """Places or counts cannot be made fit for the public as requested."""


class FitError(SaferGroundError, ValueError):
    """A model cannot be fitted to these data."""


class FitWarning(UserWarning):
    """A fit succeeded, but the analyst should know something about it."""


class ForecastError(SaferGroundError, ValueError):
    """A forecast cannot be scored as requested."""


class OutcomeError(SaferGroundError, ValueError):
    """An intervention cannot be evaluated as requested."""


class DosageError(SaferGroundError, ValueError):
    """Patrols cannot be planned as requested."""


class ZoneEditError(SaferGroundError, ValueError):
    """Zones cannot be changed by hand as requested."""


def one_line(error: BaseException) -> str:
    """Return the message of an error on one line, as terminals and logs show it."""
    message = str(error)
    return " ".join(message.split())
