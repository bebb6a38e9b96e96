"""The root of every known error; each message names the fault and the remedy."""

from __future__ import annotations

import re
from typing import ClassVar, Self


class SaferGroundError(Exception):
    """A fault that the user can understand and mend.

    ``field`` names the field of a form or a file that it is about, where there is one, and ``what``
    is the message without that name. For programs :attr:`code` names what is wrong: ``kind``, made
    of the name of the class, and after a dot what was named where the error is raised; and
    :attr:`parameters` are what it is about: whatever else the error holds, or is given by name
    beside its message.
    """

    kind: ClassVar[str] = "fault"
    field: str | None = None
    _code: str = ""
    _what: str | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        name = cls.__name__.removesuffix("Error")
        cls.kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()

    def __init__(self, *args: object, code: str = "", **parameters: str | int | None) -> None:
        super().__init__(*args)
        vars(self).update(parameters)
        if code:
            self._code = code

    @property
    def code(self) -> str:
        """Return the kind of fault and, where it has a name, the fault: ``not_stored.no_city``."""
        return f"{self.kind}.{self._code}" if self._code else self.kind

    @property
    def parameters(self) -> dict[str, str | int | list[str]]:
        """Return what the fault is about by name, in JSON's own types."""
        found = vars(self).items()
        return {name: value for name, value in found if value is not None and name[0] != "_"}

    @property
    def what(self) -> str:
        """Return the message without the name of its field."""
        return str(self) if self._what is None else self._what

    @classmethod
    def at(cls, what: str, field: str, code: str = "") -> Self:
        """Return an error about one field."""
        error = cls(f"{field}: {what}", code=code)
        error.field, error._what = field, what
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
