"""TOML files that people write: opened, or told why not; keys held against the known ones."""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from geodata.errors import FaultyFileError


def load_toml(path: Path, error: type[FaultyFileError], remedy: str) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path
        The file.
    error
        What to raise if it cannot be read.
    remedy
        What to do where there is no such file, as in "name the city's TOML file".

    Raises
    ------
    FaultyFileError
        Of the kind asked for: the file is missing, is no UTF-8 text or no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as cause:
        reason = "there is no such file" if isinstance(cause, FileNotFoundError) else str(cause)
        raise error(str(path), [f"{reason}; {remedy}"]) from cause
    except UnicodeDecodeError as cause:
        raise error(str(path), ["is not UTF-8 text; save it as UTF-8"]) from cause
    except (ValueError, RecursionError) as cause:  # endless numbers and nesting too
        raise error(str(path), [f"is not valid TOML: {cause}"]) from cause


def unknown_keys(where: str, given: Iterable[str], known: Collection[str]) -> list[str]:
    """Tell each key that is not known, with the nearest name that is.

    >>> unknown_keys("[city]", ["slug", "nmae"], {"slug", "name"})
    ["[city]: unknown key 'nmae'; did you mean name?"]
    """
    return [f"{where}: unknown key {key!r}{hint(key, known)}" for key in given if key not in known]


def hint(given: str, known: Collection[str]) -> str:
    """Give the nearest known name, or all of them.

    >>> hint("ON HOLD", ["In Progress", "On Hold"])
    '; did you mean On Hold?'
    >>> hint("z", ["a", "b"])
    '; known: a, b'
    """
    folded = {name.casefold(): name for name in sorted(known)}
    near = difflib.get_close_matches(given.casefold(), folded, n=1)
    return f"; did you mean {folded[near[0]]}?" if near else f"; known: {', '.join(sorted(known))}"
