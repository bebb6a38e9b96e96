"""TOML files that people write: opened, or reported why not; keys checked against the known ones.

What a city file says -> TOML that reads back as exactly the same.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
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
        Of the kind requested: the file is missing, is no UTF-8 text or no TOML.
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


def unknown_keys(where: str, values: Iterable[str], known: Collection[str]) -> list[str]:
    """Tell each key that is not known, with the nearest name that is.

    >>> unknown_keys("[city]", ["slug", "nmae"], {"slug", "name"})
    ["[city]: unknown key 'nmae'; did you mean name?"]
    """
    return [f"{where}: unknown key {key!r}{hint(key, known)}" for key in values if key not in known]


def hint(value: str, known: Collection[str]) -> str:
    """Return the nearest known name, or all of them.

    >>> hint("ON HOLD", ["In Progress", "On Hold"])
    '; did you mean On Hold?'
    >>> hint("z", ["a", "b"])
    '; known: a, b'
    """
    folded = {name.casefold(): name for name in sorted(known)}
    near = difflib.get_close_matches(value.casefold(), folded, n=1)
    return f"; did you mean {folded[near[0]]}?" if near else f"; known: {', '.join(sorted(known))}"


BARE = re.compile(r"[A-Za-z0-9_-]+")
ESCAPES = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
}


def write_toml(content: Mapping[str, Any]) -> str:
    """Write tables of texts, numbers, flags, days, lists and further tables.

    Tables of the first level become sections, lists of tables become repeated sections; whatever
    lies deeper is written in one line.

    Raises
    ------
    TypeError
        If a value has no form in TOML.
    """
    plain = {name: value for name, value in content.items() if not _is_section(value)}
    blocks = [_lines(plain)] if plain else []
    for name, value in content.items():
        if isinstance(value, dict):
            blocks.append(f"[{_key(name)}]\n{_lines(value)}")
        elif _is_section(value):
            blocks += [f"[[{_key(name)}]]\n{_lines(entry)}" for entry in value]
    return "\n".join(blocks)


def _is_section(value: Any) -> bool:
    tables = isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
    return isinstance(value, dict) or bool(tables)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(name)} = {write_value(value)}\n" for name, value in table.items())


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """Write a text in one line; signs that steer a terminal or a reader's eye are escaped."""
    return '"' + "".join(_sign(sign) for sign in text) + '"'


def _sign(sign: str) -> str:
    if sign in ESCAPES:
        return ESCAPES[sign]
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def write_value(value: Any) -> str:
    """Return a value as it stands behind a key, in one line.

    >>> write_value({"kind": ["bar", "pub"]})
    '{ kind = ["bar", "pub"] }'

    Raises
    ------
    TypeError
        If it has no form in TOML.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(write_value, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(name)} = {write_value(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    msg = f"{type(value).__name__} has no form in TOML"
    raise TypeError(msg)
