"""The root of every known error; each message names the fault and the remedy."""


class SaferGroundError(Exception):
    """A fault that the user can understand and mend."""


class SpecError(SaferGroundError, ValueError):
    """A specification holds a value that cannot be right."""


class CrsError(SaferGroundError, ValueError):
    """Coordinates are in no usable reference system."""


class GridError(SaferGroundError, ValueError):
    """A grid cannot be laid over the study area as asked."""


class MaskingError(SaferGroundError, ValueError):
    """Places or counts cannot be made fit for the public as asked."""


class FitError(SaferGroundError, ValueError):
    """A model cannot be fitted to these data."""


class FitWarning(UserWarning):
    """A fit succeeded, but the analyst should know something about it."""


class ForecastError(SaferGroundError, ValueError):
    """A forecast cannot be scored as asked."""


class OutcomeError(SaferGroundError, ValueError):
    """An intervention cannot be evaluated as asked."""


class DosageError(SaferGroundError, ValueError):
    """Patrols cannot be planned as asked."""


class ZoneEditError(SaferGroundError, ValueError):
    """Zones cannot be changed by hand as asked."""
