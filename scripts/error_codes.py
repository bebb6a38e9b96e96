"""Print the table of docs/errors.md: every code of an error, its status and what it says.

It is read from the source: each ``raise`` of an error of ours that names a code, with its sentence.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import app.cli
from app.errors import STATUS
from spatial.errors import SaferGroundError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "geodata", "spatial")


class RaisedError(NamedTuple):
    """A ``raise`` of an error of ours: where, its class, the code it names, what it says."""

    path: str
    line: int
    error: type[SaferGroundError]
    code: str
    says: str

    @property
    def whole_code(self) -> str:
        """The code as programs read it."""
        return f"{self.error.kind}.{self.code}" if self.code else self.error.kind

    @property
    def status(self) -> int:
        """The status of its answer."""
        return next(STATUS[kind] for kind in self.error.__mro__ if kind in STATUS)


def kinds() -> dict[str, type[SaferGroundError]]:
    """Return every class of error of ours by its name."""
    for module in pkgutil.iter_modules(app.cli.__path__, "app.cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)  # commands have errors of their own

    def below(kind: type[SaferGroundError]) -> Iterator[type[SaferGroundError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from below(child)

    ours = (kind for kind in below(SaferGroundError) if kind.__module__.startswith(PACKAGES))
    return {kind.__name__: kind for kind in ours}


def every_raise() -> list[RaisedError]:
    """Return every ``raise`` of an error of ours, by place."""
    known = kinds()
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
            for node in ast.walk(tree):
                call = node.exc if isinstance(node, ast.Raise) else None
                name = _class_of(call) if isinstance(call, ast.Call) else ""
                if isinstance(call, ast.Call) and name in known:
                    found.append(
                        RaisedError(
                            path=str(path.relative_to(ROOT)),
                            line=call.lineno,
                            error=known[name],
                            code=_code_of(call),
                            says=_says(call, functions),
                        )
                    )
    return found


def _class_of(call: ast.Call) -> str:
    """Return the name of the class: of ``DataError(...)`` and of ``DataError.at(...)``."""
    made = call.func
    if isinstance(made, ast.Attribute) and made.attr == "at":
        made = made.value
    return made.id if isinstance(made, ast.Name) else ""


def _code_of(call: ast.Call) -> str:
    named = [one.value for one in call.keywords if one.arg == "code"]
    return str(named[0].value) if named and isinstance(named[0], ast.Constant) else ""


def _says(call: ast.Call, functions: list[ast.FunctionDef]) -> str:
    """Return the sentence, with an ellipsis for each value."""
    text: ast.expr | None = call.args[0] if call.args else None
    if isinstance(text, ast.Name):
        text = _assigned(text, call, functions)
    if isinstance(text, ast.Call) and isinstance(text.func, ast.Name):
        message = text.func.id == "_"  # of the catalogue
        text = text.args[0] if message else _returned(text.func.id, functions)
    if isinstance(text, ast.Constant):
        return re.sub(r"%\(\w+\)[sd]", "…", str(text.value))
    if isinstance(text, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.Constant) else "…" for one in text.values)
        return "".join(str(part) for part in parts)
    return ""


def _assigned(name: ast.Name, call: ast.Call, functions: list[ast.FunctionDef]) -> ast.expr | None:
    """Return what a name was last set to before a call, in the function around it."""
    around = [one for one in functions if one.lineno <= call.lineno <= (one.end_lineno or 0)]
    sets = [
        node
        for one in around
        for node in ast.walk(one)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == name.id
        and node.lineno < call.lineno
    ]
    return max(sets, key=lambda node: node.lineno).value if sets else None


def _returned(name: str, functions: list[ast.FunctionDef]) -> ast.expr | None:
    """Return what a function of the module returns."""
    returns = [
        node.value
        for one in functions
        if one.name == name
        for node in ast.walk(one)
        if isinstance(node, ast.Return)
    ]
    return returns[0] if returns else None


def table() -> str:
    """Return the table of codes, one row a code."""
    rows: dict[str, tuple[int, str]] = {}
    for one in every_raise():
        if one.code:
            status, says = rows.get(one.whole_code, (one.status, ""))
            rows[one.whole_code] = (status, says or one.says)
    lines = ["| code | status | what it says |", "|---|---|---|"]
    for code, (status, says) in sorted(rows.items()):
        lines.append(f"| `{code}` | {status} | {says.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
