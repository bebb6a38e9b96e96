"""Why somebody is not let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spatial.errors import SaferGroundError

if TYPE_CHECKING:
    import datetime as dt


class SignInError(SaferGroundError):
    """Somebody is not let in; the message is the same for every reason that must not be told."""


class LockedError(SignInError):
    """Too many tries failed; nothing more is tried for a while."""

    def __init__(self, wait: dt.timedelta) -> None:
        self.wait_s = max(1, round(wait.total_seconds()))
        super().__init__(f"too many tries failed; wait {told_wait(self.wait_s)} and try again")


class TokenError(SignInError):
    """A program has no token that lets it in."""


class ScopeError(SignInError):
    """A token, or the roles of its person, do not reach as far as what is asked."""


class RateError(SaferGroundError):
    """Something is asked for too often."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"this was asked for too often; wait {told_wait(wait_s)} and try again")


def told_wait(seconds: int) -> str:
    """Tell a time to wait.

    >>> told_wait(1), told_wait(45), told_wait(61), told_wait(900)
    ('1 second', '45 seconds', '2 minutes', '15 minutes')
    """
    if seconds < 60:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"
