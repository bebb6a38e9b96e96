"""The cells of a grid as lines."""

import shapely

from app.maps.shapes import cell_lines
from spatial.grid import lay_grid

CRS = "EPSG:32617"


def test_a_square_has_a_line_for_each_row_and_column_of_edges():
    lines = cell_lines(lay_grid(shapely.box(0, 0, 300, 200), {}, 100.0), CRS)
    assert len(lines) == 3 + 4
    assert lines.length.sum() == 3 * 300 + 4 * 200
    assert lines.total_bounds.tolist() == [0, 0, 300, 200]


def test_lines_are_the_edges_of_the_cells_and_no_others():
    area = shapely.Polygon([(0, 0), (900, 0), (900, 300), (400, 300), (400, 800), (0, 700)])
    area = area.difference(shapely.box(210, 110, 290, 190))  # a hole of one cell
    grid = lay_grid(area, {}, 50.0)
    cells = [
        shapely.box(x - 25, y - 25, x + 25, y + 25) for x, y in zip(grid.x, grid.y, strict=True)
    ]
    edges = shapely.union_all([cell.boundary for cell in cells])
    drawn = cell_lines(grid, CRS)
    assert shapely.union_all(drawn.geometry.to_numpy()).symmetric_difference(edges).length < 1e-6
    assert drawn.length.sum() == edges.length  # each edge once
