"""Faults of files, of what they hold, and of what is or is not stored."""

from spatial.errors import SaferGroundError


class DataError(SaferGroundError):
    """A source cannot be used as it is; the message names file, field or row, and the remedy."""


class FaultyFileError(SaferGroundError):
    """A file that people write has faults; all are gathered in ``faults`` and reported at once."""

    def __init__(self, path: str, faults: list[str]) -> None:
        self.path = path
        self.faults = faults
        super().__init__(f"{path}: " + "; ".join(faults))


class CityFileError(FaultyFileError):
    """A city file has faults."""


class InitiativesFileError(FaultyFileError):
    """A file of initiatives has faults."""


class NotStoredError(SaferGroundError, LookupError):
    """What was requested is not in the database."""


class ReleaseError(SaferGroundError):
    """A release breaks a rule of publishing, or cannot take the step that was requested.

    ``rule`` is the name of the rule, nothing where it is the step that cannot be taken.
    """

    def __init__(self, message: str, rule: str | None = None, *, code: str = "") -> None:
        self.rule = rule
        super().__init__(message, code=code)


class BrokenReleaseError(ReleaseError):
    """A release on disk is not what was approved, or cannot be read."""


class PersonError(SaferGroundError):
    """Somebody cannot be stored, changed or let in as requested."""


class StoreError(SaferGroundError):
    """The database cannot be used as it is."""


class BackupError(SaferGroundError):
    """A backup cannot be written or restored."""


class CancelledError(SaferGroundError):
    """Long work was cancelled by whoever requested it."""
