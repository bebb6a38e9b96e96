"""What a city file says -> TOML that reads back as exactly the same."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in table.items())


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


def _value(value: Any) -> str:
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
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    msg = f"{type(value).__name__} has no form in TOML"
    raise TypeError(msg)
