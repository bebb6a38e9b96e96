from crawling import uneven_tables

HEAD = "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>"


def test_a_row_of_another_width_is_found():
    assert uneven_tables(f"{HEAD}<tr><td colspan=2>x</td></tr></tbody></table>") == []
    assert uneven_tables(f"{HEAD}<tr><td colspan=3>x</td></tr></tbody></table>") == [[2, 3]]
    assert uneven_tables(f"{HEAD}<tr><td>x</td></tr></tbody></table>") == [[2, 1]]


def test_cells_that_reach_down_count_in_the_rows_below():
    text = (
        "<table><tr><th rowspan=2>a</th><th colspan=2>b</th></tr><tr><th>c</th><th>d</th></tr>"
        "<tr><td>1</td><td>2</td><td>3</td></tr></table>"
    )
    assert uneven_tables(text) == []
    assert uneven_tables(text.replace("<th>d</th>", "")) == [[3, 2, 3]]
