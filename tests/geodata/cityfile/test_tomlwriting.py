"""TOML that is written reads back as exactly the same."""

import datetime as dt
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.cityfile.toml import write_toml

TEXTS = st.text(max_size=12)
PLAIN = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.dates(),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_whatever_is_written_reads_back_as_the_same(content):
    assert tomllib.loads(write_toml(content)) == content


def test_sections_and_entries_are_written_as_people_write_them():
    content = {
        "city": {"slug": "town", "today": dt.date(2026, 1, 31)},
        "incidents": [{"source": 'a "b".csv', "outcomes": {"ROBBERY": "robbery"}}, {"source": "c"}],
    }
    assert write_toml(content) == (
        '[city]\nslug = "town"\ntoday = 2026-01-31\n\n'
        '[[incidents]]\nsource = "a \\"b\\".csv"\noutcomes = { ROBBERY = "robbery" }\n\n'
        '[[incidents]]\nsource = "c"\n'
    )


def test_signs_that_nobody_sees_are_escaped():
    written = write_toml({"a": {"b": "\u202etxt\x00"}})
    assert written == '[a]\nb = "\\u202etxt\\u0000"\n'


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError, match="NoneType has no form"):
        write_toml({"a": {"b": None}})
