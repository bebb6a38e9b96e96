"""Street lines -> a network, and the points of a city that belong to nobody.

Those points are intersections and block mid-points.

Street files differ. Some cut a street at every crossing, some let lines run through one another,
some leave gaps of a hand's breadth. So lines are first cut wherever they cross, overlap or come
within a tolerance of a line's end, and ends that lie within the tolerance are one node. A node
where three or more pieces end is an intersection; one where two end is only a bend. A block runs
from intersection to intersection, or to a dead end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Lines = NDArray[np.object_]

DECIMALS = 1  # of the coordinates of public places, in units of the city's reference system
BEND = 2  # pieces that end at a node where nothing branches off


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetNetwork:
    """Nodes where streets meet, bend or end, and the pieces between them.

    ``places`` has the coordinates of each node, shape ``(n, 2)``; piece ``i`` runs from node
    ``first[i]`` to node ``last[i]`` and is ``length_units[i]`` long.
    """

    places: Floats
    first: Ints
    last: Ints
    length_units: Floats


def street_network(
    streets: Sequence[BaseGeometry] | Lines, tolerance_units: float
) -> StreetNetwork | None:
    """Join street lines to a network that can be travelled; nothing where there is no line.

    Parameters
    ----------
    streets
        Lines and multilines in a projected reference system; what is no line is passed over.
    tolerance_units
        Ends no farther apart than this meet.
    """
    lines = _plain_lines(streets)
    if len(lines) == 0:
        return None
    pieces = _join(lines, tolerance_units)
    return StreetNetwork(
        places=pieces.places,
        first=pieces.first,
        last=pieces.last,
        length_units=pieces.end - pieces.start,
    )


def public_candidates(streets: Sequence[BaseGeometry] | Lines, tolerance_units: float) -> Floats:
    """Find intersections and block mid-points.

    Parameters
    ----------
    streets
        Lines and multilines in a projected reference system; other shapes, empty lines and lines
        with a coordinate that is no number are passed over.
    tolerance_units
        Ends no farther apart than this meet.

    Returns
    -------
    Coordinates to one decimal, shape ``(n, 2)``, each once, by x, then y. They depend neither on
    the order of the streets nor on the direction in which a line was drawn.
    """
    lines = _plain_lines(streets)
    if len(lines) == 0:
        return np.empty((0, 2))
    net = _join(lines, tolerance_units)
    ends_at = np.bincount(np.concatenate([net.first, net.last]), minlength=len(net.places))
    piece, at = _half_way(net.start, net.end, net.first, net.last, ends_at)
    middles = shapely.get_coordinates(shapely.line_interpolate_point(lines[net.line[piece]], at))
    found = np.vstack([net.places[ends_at > BEND], middles])
    return cast("Floats", np.unique(np.round(found, DECIMALS) + 0.0, axis=0))  # + 0.0: no -0.0


def block_lengths(streets: Sequence[BaseGeometry] | Lines) -> Floats:
    """Measure streets from intersection to intersection, or to a dead end.

    Parameters
    ----------
    streets
        Lines in a projected reference system that share a vertex where they meet, as those of
        OpenStreetMap do; lines that only cross, as on a bridge, do not meet.

    Returns
    -------
    A length for each block, in the unit of the system, in no order that means something.
    """
    lines = shapely.get_parts(np.asarray(streets, dtype=object))
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    _, vertex = np.unique(xy, axis=0, return_inverse=True)
    inside = owner[1:] == owner[:-1]
    length = np.hypot(*np.diff(xy, axis=0).T)[inside]
    first, last = vertex.ravel()[:-1][inside], vertex.ravel()[1:][inside]
    if len(first) == 0:
        return np.empty(0)
    ends_at = np.bincount(np.concatenate([first, last]))
    return cast("Floats", np.bincount(_blocks(first, last, ends_at), weights=length))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """Pieces of lines between nodes: which line, from where to where along it, and their nodes."""

    places: Floats
    line: Ints
    start: Floats
    end: Floats
    first: Ints
    last: Ints


def _join(lines: Lines, tolerance: float) -> _Pieces:
    """Cut lines where they meet and make one node of ends that lie within the tolerance."""
    line, start, end = _pieces(lines, tolerance)
    ends = np.concatenate([shapely.line_interpolate_point(lines[line], at) for at in (start, end)])
    node, places = _gather(shapely.get_coordinates(ends), tolerance)
    first, last = node.reshape(2, -1)
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], (start + end) / 2))
    kept = _different(first, last, end - start, middle, tolerance)
    return _Pieces(
        places=places,
        line=line[kept],
        start=start[kept],
        end=end[kept],
        first=first[kept],
        last=last[kept],
    )


def _plain_lines(streets: Sequence[BaseGeometry] | Lines) -> Lines:
    """Single lines that do not cross themselves, each once, in an order of their own."""
    shapes = np.asarray(streets, dtype=object).ravel()
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    parts = shapely.get_parts(shapely.force_2d(shapes))
    parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING]
    parts = parts[np.isfinite(shapely.length(parts)) & (shapely.length(parts) > 0)]
    simple = shapely.is_simple(parts)
    noded = shapely.get_parts(shapely.node(parts[~simple]))
    parts = shapely.normalize(np.concatenate([parts[simple], noded]))
    _, order = np.unique(shapely.to_wkb(parts, output_dimension=2), return_index=True)
    return parts[order]


def _pieces(lines: Lines, tolerance: float) -> tuple[Ints, Floats, Floats]:
    """Cut lines where they meet others; line, start and end of each piece along its line."""
    cut_line, cut_point = _meetings(lines, tolerance)
    at = shapely.line_locate_point(lines[cut_line], cut_point)
    length = shapely.length(lines)
    inner = (at > tolerance) & (at < length[cut_line] - tolerance)
    everyone = np.arange(len(lines))
    line = np.concatenate([cut_line[inner], everyone, everyone])
    at = np.concatenate([at[inner], np.zeros(len(lines)), length])
    order = np.lexsort((at, line))
    line, at = line[order], at[order]
    is_end = at >= length[line]
    again = np.zeros(len(at), dtype=bool)
    again[1:] = (line[1:] == line[:-1]) & (np.diff(at) <= tolerance) & ~is_end[1:]
    line, at = line[~again], at[~again]
    same = np.flatnonzero(line[1:] == line[:-1])
    return line[same], at[same], at[same + 1]


def _meetings(lines: Lines, tolerance: float) -> tuple[Ints, Lines]:
    """Points at which a line is met by another: crossings, overlaps, ends beside it."""
    tree = shapely.STRtree(lines)
    pairs = tree.query(lines)
    a, b = pairs[:, pairs[0] < pairs[1]]
    inside = shapely.relate_pattern(lines[a], lines[b], "T********")  # faster than in the query
    a, b = a[inside], b[inside]
    shared = shapely.intersection(lines[a], lines[b])
    corners, of = shapely.get_coordinates(shared, return_index=True)
    crossing = shapely.points(corners)
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    end, beside = tree.query(ends, predicate="dwithin", distance=tolerance)
    other = end % len(lines) != beside
    return (
        np.concatenate([a[of], b[of], beside[other]]),
        np.concatenate([crossing, crossing, ends[end[other]]]),
    )


def _gather(xy: Floats, tolerance: float) -> tuple[Ints, Floats]:
    """Make one node of points that lie within the tolerance; it stands on its least member."""
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    pairs = cKDTree(xy).query_pairs(tolerance, output_type="ndarray")
    linked = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(xy),) * 2)
    n, group = connected_components(linked, directed=False)
    places = np.empty((n, 2))
    places[group[order[::-1]]] = xy[order[::-1]]  # written last: the least
    return group, places


def _different(
    first: Ints, last: Ints, length: Floats, middle: Floats, tolerance: float
) -> NDArray[np.bool_]:
    """Tell which pieces lead somewhere and are not drawn a second time."""
    there = (first != last) | (length > 2 * tolerance)
    least, most = np.minimum(first, last), np.maximum(first, last)
    key = np.column_stack([least, most, _gather(middle, tolerance)[0]])
    _, once = np.unique(key, axis=0, return_index=True)
    keep = np.zeros(len(first), dtype=bool)
    keep[once] = True
    return cast("NDArray[np.bool_]", keep & there)


def _blocks(first: Ints, last: Ints, ends_at: Ints) -> Ints:
    """Return each piece the number of its block; pieces that meet at a mere bend are one."""
    n = len(first)
    node = np.concatenate([first, last])
    piece = np.tile(np.arange(n), 2)
    bend = ends_at[node] <= BEND
    order = np.argsort(node[bend], kind="stable")
    node, piece = node[bend][order], piece[bend][order]
    joined = np.flatnonzero(node[1:] == node[:-1])
    linked = coo_matrix((np.ones(len(joined)), (piece[joined], piece[joined + 1])), shape=(n, n))
    return cast("Ints", connected_components(linked, directed=False)[1])


def _half_way(
    start: Floats, end: Floats, first: Ints, last: Ints, ends_at: Ints
) -> tuple[Ints, Floats]:
    """Find the middle of each block: its piece, and how far along that piece's line."""
    block = _blocks(first, last, ends_at)
    order = np.argsort(block, kind="stable")
    bounds = np.append(np.flatnonzero(np.diff(block[order], prepend=-1)), len(order))
    piece = order[bounds[:-1]]
    at = (start + end)[piece] / 2
    for i in np.flatnonzero(np.diff(bounds) > 1).tolist():
        walk = _walk(order[bounds[i] : bounds[i + 1]], first, last, ends_at)
        left = sum(end[p] - start[p] for p, _ in walk) / 2
        for p, forward in walk:
            length = end[p] - start[p]
            if left <= length:
                piece[i], at[i] = p, start[p] + left if forward else end[p] - left
                break
            left -= length
    return piece, at


def _walk(pieces: Ints, first: Ints, last: Ints, ends_at: Ints) -> list[tuple[int, bool]]:
    """Put the pieces of a block one after the other, each with whether it runs forward."""
    touching: dict[int, list[int]] = {}
    for piece in pieces.tolist():
        for node in (int(first[piece]), int(last[piece])):
            touching.setdefault(node, []).append(piece)
    node = min([node for node in touching if ends_at[node] != BEND] or touching)
    left, walked = set(pieces.tolist()), []
    while left:
        piece = next(p for p in touching[node] if p in left)
        left.remove(piece)
        forward = int(first[piece]) == node
        walked.append((piece, forward))
        node = int(last[piece] if forward else first[piece])
    return walked
