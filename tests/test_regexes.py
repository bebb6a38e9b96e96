"""No regular expression of ours may take time that grows faster than its text allows.

What makes one hang is told from its structure: an unbounded repeat inside of another, alternatives
under a repeat that can begin alike, and two repeats of the same characters right after each other.
"""

import ast
import importlib
import pkgutil
import re
import time
from itertools import combinations
from pathlib import Path
from re import _constants as code
from re import _parser as parser

import pytest

import app
import geodata
import spatial
from geodata.formats import HEAD_BYTES, sniff

HERE = Path(__file__).parents[1]
MANY = 100  # a repeat of at least so many counts as unbounded
LETTERS = range(0x300)  # enough to see whether two classes share a character
FUNCTIONS = (
    "compile",
    "match",
    "search",
    "fullmatch",
    "sub",
    "subn",
    "split",
    "findall",
    "finditer",
)
OF_PANDAS = ("contains", "match", "fullmatch", "extract", "extractall", "findall")
REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT)
IN_SCRIPTS = re.compile(
    r"""(?<=[=(,:!&|?\[;])\s?/(?![/*\s])((?:[^\\/\[\n]|\\.|\[(?:[^\\\]\n]|\\.){0,99}\]){1,99})/([a-z]{0,6})"""
)


def letters(item, flags):
    """Give the characters of an item that is one character, nothing where it is more."""
    op, value = item
    if op is code.LITERAL:
        found = {value}
    elif op is code.NOT_LITERAL:
        found = set(LETTERS) - {value}
    elif op is code.ANY:
        found = set(LETTERS) - (set() if flags & re.S else {10})
    elif op is code.IN:
        found = inside(value)
    else:
        return None
    if flags & re.I:
        found |= {ord(c) for n in found for c in (chr(n).lower(), chr(n).upper()) if len(c) == 1}
    return found


def inside(items):
    found, without = set(), False
    for op, value in items:
        if op is code.NEGATE:
            without = True
        elif op is code.LITERAL:
            found.add(value)
        elif op is code.RANGE:
            found |= set(range(value[0], min(value[1], LETTERS[-1]) + 1))
        elif op is code.CATEGORY:
            kind = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(value).rpartition("_")[2]]
            kind = kind.upper() if "NOT" in str(value) else kind
            found |= {n for n in LETTERS if re.fullmatch(kind, chr(n))}
    return set(LETTERS) - found if without else found


def flat(items):
    """Give the items of a sequence, groups opened."""
    for op, value in items:
        if op is code.SUBPATTERN:
            yield from flat(value[3])
        elif op is code.ATOMIC_GROUP:
            yield from flat(value)
        else:
            yield op, value


def begins(items, flags):
    """Give the characters that a sequence can begin with, and whether it can be empty."""
    found = set()
    for op, value in flat(items):
        if op in REPEATS:
            first, empty = begins(value[2], flags)
            empty = empty or value[0] == 0
        elif op is code.BRANCH:
            each = [begins(branch, flags) for branch in value[1]]
            first = set().union(*(one for one, _ in each))
            empty = any(none for _, none in each)
        elif op in (code.AT, code.ASSERT, code.ASSERT_NOT):
            continue
        else:
            first, empty = letters((op, value), flags), False
            first = set(LETTERS) if first is None else first
        found |= first
        if not empty:
            return found, False
    return found, True


def faults(pattern, flags=0):
    """Tell what can make a pattern slow."""
    parsed = parser.parse(pattern, flags)
    return sorted(set(walk(parsed, parsed.state.flags, within=False)))


def walk(items, flags, *, within):
    before = set()  # characters of a repeat that may still be going on
    for op, value in flat(items):
        if op in REPEATS:
            least, most, body = value
            unbounded = most >= MANY
            if unbounded and within:
                yield "a repeat inside of a repeat"
            one = letters(body[0], flags) if len(body) == 1 else None
            if unbounded and one and before & one:
                yield "two repeats of the same characters after each other"
            yield from walk(body, flags, within=within or unbounded)
            kept = before if least == 0 else set()
            before = kept | one if unbounded and one else kept
        elif op is code.BRANCH:
            starts = [begins(branch, flags)[0] for branch in value[1]]
            if within and any(one & other for one, other in combinations(starts, 2)):
                yield "alternatives under a repeat that can begin alike"
            for branch in value[1]:
                yield from walk(branch, flags, within=within)
            before = set()
        elif op in (code.ASSERT, code.ASSERT_NOT):
            yield from walk(value[1], flags, within=within)
        elif op is not code.AT:
            before = set()


def modules():
    for package in (app, geodata, spatial):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in found.name and not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def patterns_of(module):
    """Give every regular expression of a module: compiled ones, and those that calls name."""
    for name, value in vars(module).items():
        values = value.values() if isinstance(value, dict) else [value]
        for one in values:
            if isinstance(one, re.Pattern):
                yield f"{module.__name__}.{name}", one.pattern, one.flags
    for call in ast.walk(ast.parse(Path(module.__file__).read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args:
            place = f"{module.__name__}:{call.lineno}"
            yield from called(place, call, module)


def called(place, call, module):
    ours = call.func.value
    of_re = isinstance(ours, ast.Name) and ours.id == "re" and call.func.attr in FUNCTIONS
    of_pandas = (
        isinstance(ours, ast.Attribute)
        and ours.attr == "str"
        and (call.func.attr in OF_PANDAS or (call.func.attr == "replace" and takes_regex(call)))
    )
    if not (of_re or of_pandas):
        return
    told = call.args[0]
    value = told.value if isinstance(told, ast.Constant) else None
    if isinstance(told, ast.Name):
        value = getattr(module, told.id, None)
    if isinstance(value, re.Pattern):
        yield place, value.pattern, value.flags
    elif isinstance(value, str | bytes):
        yield place, value, flags_of(call)
    else:
        assert (of_re, call.func.attr) == (True, "compile"), f"{place}: name it by a constant"


def takes_regex(call):
    return any(k.arg == "regex" and getattr(k.value, "value", False) for k in call.keywords)


def flags_of(call):
    told = " ".join(ast.unparse(one) for one in (*call.args[1:], *(k.value for k in call.keywords)))
    found = 0
    for name in re.findall(r"\bre\.([A-Z]+)\b", told):
        found |= getattr(re, name)
    return found


def script_patterns():
    for path in sorted((HERE / "app" / "static").glob("*.js")):
        for found in IN_SCRIPTS.finditer(path.read_text()):
            pattern = re.sub(r"\\p\{\w+\}", r"\\w", found[1])
            yield f"{path.name}: {found[0].strip()}", pattern, re.I if "i" in found[2] else 0


def test_every_regular_expression_takes_time_in_proportion_to_its_text():
    found = [one for module in modules() for one in patterns_of(module)]
    assert len(found) > 60
    scripts = list(script_patterns())
    assert len(scripts) > 6
    slow = [(*one, told) for one in (*found, *scripts) if (told := faults(*one[1:]))]
    assert slow == []


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        (rb"\s*(?:<!--.*?-->\s*)*<html", re.S),
        (r"(a+)+$", 0),
        (r"(?:a|ab|b)*c", 0),
        (r"(?:ab|[A-C]b)*c", re.I),
        (r"(\w+\s?)*;", 0),
        (r"^\s*(.*?)\s*$", re.S),
        (r"([0-9]{1,500})*x", 0),
    ],
)
def test_the_check_finds_what_can_hang(pattern, flags):
    assert faults(pattern, flags)


@pytest.mark.parametrize(
    "pattern",
    [
        r"[a-z0-9][a-z0-9_-]*",
        r"(?:\d[ .-]?){7}",
        r"(?:a|b)*c",
        r"<style>(.*?)</style>",
        r"\s+\S+\s*",
    ],
)
def test_the_check_lets_others_be(pattern):
    assert faults(pattern) == []


@pytest.mark.parametrize(
    ("content", "page"),
    [
        (b"<!doctype html><p>", True),
        (b" \n<!-- a --> <!--b-->\n<HTML>", True),
        (b"<!-- never closed <html>", False),
        (b"<htmlx>", False),
        (b"id,date\n1,2024-01-01\n", False),
    ],
)
def test_a_web_page_is_told_by_its_beginning(content, page, tmp_path):
    path = tmp_path / "answer"
    path.write_bytes(content)
    assert (sniff(path) == "page") is page


@pytest.mark.parametrize("begun", [b"", b"<", b"{}", b"{}\n", b"select "])
@pytest.mark.parametrize(
    "unit",
    [b"<!--", b"<!-- -->", b"<!", b"<![", b"<!x[ ] ", b"<?", b"<a", b"\n", b'"type":"', b"}\n"],
)
def test_no_beginning_of_a_file_takes_long_to_recognize(begun, unit, tmp_path):
    path = tmp_path / "answer"
    path.write_bytes((begun + unit * HEAD_BYTES)[:HEAD_BYTES])
    started = time.perf_counter()
    sniff(path)
    assert time.perf_counter() - started < 5, "comments that do not end took more than a minute"
