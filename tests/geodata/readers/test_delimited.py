"""Every line of a table is accounted for: read, named, or one of those above, between or within."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from geodata.readers.files import read_rows


@pytest.fixture
def read(tmp_path):
    def read_(text, encoding="utf-8"):
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return read_rows(path, "a.csv", None)

    return read_


def lines(rows):
    return "".join(f"{row}\n" for row in rows)


def test_a_stray_mark_takes_no_rows_with_it(read):
    rows = [f"{i},PLACE {i},{i}.5" for i in range(1, 5001)]
    rows[99] = '100,"THE OTHER PUB,100.5'
    layer = read("id,place,lon\n" + lines(rows))
    assert list(layer.frame["id"]) == [str(i) for i in range(1, 5001)]
    assert layer.frame["place"][99] == '"THE OTHER PUB'
    assert any("quotation marks" in note and "row 101" in note for note in layer.notes)


def test_two_stray_marks_do_not_join_the_rows_between(read):
    rows = [f"{i},{i}.5,PLACE {i}" for i in range(1, 301)]
    rows[99] = '100,100.5,"THE OTHER PUB'
    rows[199] = '200,200.5,BAR 6"'
    layer = read("id,lon,place\n" + lines(rows))
    assert len(layer.frame) == 300
    assert layer.unread["another number of columns than the header"].tolist() == []


def test_a_cell_over_several_lines_is_one_cell(read):
    layer = read('id,note,lon\n1,"one\ntwo, three\n\nfour",5\n2,x,6\n3,"y\nz",7\n')
    assert list(layer.frame["id"]) == ["1", "2", "3"]
    assert layer.frame["note"][0] == "one\ntwo, three\n\nfour"
    assert layer.rows.tolist() == [2, 3, 4]
    last = read('id,note\n1,"one\ntwo"\n2,x\n')
    assert list(last.frame["note"]) == ["one\ntwo", "x"]


def test_marks_within_cells_are_read_as_written(read):
    text = 'id,place,lon\n1,"THE "SPOT" BAR",1.5\n2,GAS, FOOD,2.5\n3,"5" AND DIME",3.5\n4,ok,4.5\n'
    layer = read(text)
    assert list(layer.frame["id"]) == ["1", "3", "4"]
    assert list(layer.frame["lon"]) == ["1.5", "3.5", "4.5"]
    assert layer.unread["another number of columns than the header"].tolist() == [3]
    assert layer.rows.tolist() == [2, 4, 5]


def test_a_cell_of_many_kilobytes_is_a_cell(read):
    layer = read("id,note\n1," + "x" * 200_000 + '\n2,"' + "y" * 300_000 + '"\n3,z\n')
    assert [len(note) for note in layer.frame["note"]] == [200_000, 300_000, 1]


def test_blank_lines_count_as_rows_do_in_a_spreadsheet(read):
    layer = read("id,x\n1,2\n\n   \n3,4\n")
    assert layer.rows.tolist() == [2, 5]


def test_rows_with_fewer_or_empty_further_cells_are_kept(read):
    layer = read("id,x,y\n1,2,3,,\n4,5\n6,7,8\n")
    assert list(layer.frame["id"]) == ["1", "4", "6"]
    assert layer.frame["y"].isna().tolist() == [False, True, False]
    assert any("fewer cells" in note and "row 3" in note for note in layer.notes)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("sep=;\nid;lon;lat\n1;-78,9;35,9\n2;-78,8;35,8\n", ""),
        ('"sep=;"\r\nid;lon;lat\r\n1;2;3\r\n2;2;3\r\n', ""),
        ("Robberies of 2024\n\nid,lon,lat\n1,2,3\n2,2,3\n", "1 line above"),
        (
            "Robberies,,\nprinted,Monday,\n".replace("Monday", "") + "id,lon,lat\n1,2,3\n2,2,3\n",
            "2 lines above",
        ),
        ("id|lon|lat\n1|2|3\n2|2|3\n", ""),
        ("id\tlon\tlat\n1\t2\t3\n2\t2\t3", ""),
        ("id,lon,lat\r1,2,3\r2,2,3\r", ""),
    ],
)
def test_separators_and_what_stands_above_the_header(read, text, note):
    layer = read(text)
    assert list(layer.frame.columns) == ["id", "lon", "lat"]
    assert list(layer.frame["id"]) == ["1", "2"]
    assert note in " ".join(layer.notes)


@pytest.mark.parametrize("at", [0, 9_000])
def test_a_windows_sign_anywhere_is_read_and_the_others_stay_utf8(read, at):
    rows = [f"{i},Señor Street".encode() for i in range(10_000)]
    rows[at] = f"{at},Café".encode("cp1252")
    layer = read(b"id,name\n" + b"\n".join(rows))
    assert layer.frame["name"][at] == "Café"
    assert layer.frame["name"][1 if at == 0 else 0] == "Señor Street"
    assert any("1252" in note and "1 line" in note for note in layer.notes)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings_with_and_without_their_mark(read, encoding):
    layer = read("id,name\n1,Zoë\n2,Ana\n", encoding)
    assert list(layer.frame["name"]) == ["Zoë", "Ana"]


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), TEXTS, TEXTS), min_size=1, max_size=12))
def test_what_a_csv_writer_writes_is_read_back_whole(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    frame = pd.DataFrame(rows, columns=["id", "b", "c"])
    out = io.StringIO()
    frame.to_csv(out, index=False)
    path.write_text(out.getvalue(), encoding="utf-8")
    layer = read_rows(path, "a.csv", None)
    assert layer.frame["b"].fillna("").str.strip().tolist() == [b.strip() for _, b, _ in rows]
    assert layer.frame["c"].fillna("").str.strip().tolist() == [c.strip() for _, _, c in rows]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from('ab", 1'), max_size=9), min_size=1, max_size=12))
@example([',,"', '",1'])  # too many cells, in a record of two lines
def test_every_line_is_a_row_a_named_row_blank_or_continues_one(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text("id,x,y\n" + lines(body), encoding="utf-8")
    layer = read_rows(path, "a.csv", None)
    assume(not any("above the header" in note for note in layer.notes))
    unread = [row for rows in layer.unread.values() for row in rows]
    records = sorted([*layer.rows.tolist(), *unread])
    assert len(set(records)) == len(records)
    continued = int(
        sum(text.count("\n") for text in layer.frame.to_numpy().ravel() if text == text)
    )
    blank = sum(not line.strip() for line in body)
    if not unread:  # of a row that is named and not read, nobody knows how many lines it has
        assert len(records) + continued + blank >= len(body)
    assert np.all(np.diff(layer.rows) > 0)
