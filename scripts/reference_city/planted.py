"""The conflicts that are planted on purpose: their places and shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage

from .frame import CELL_M, Frame
from .zoning import Terrain

SLIVER_WIDTH_M = 0.8
SLIVER_LENGTH_M = 420.0


@dataclass(frozen=True)
class Meeting:
    """A straight stretch of a column border of the grid, redline on one side and town boundary on the other.

    `x` is its easting, `south` and `north` its ends, `town_side` +1 when the town lies east of it.
    """

    x: float
    south: float
    north: float
    town_side: int
    town_block: shapely.Polygon


def arrange_meetings(
    terrain: Terrain, redline: np.ndarray, town: np.ndarray, banned: np.ndarray
) -> tuple[list[Meeting], np.ndarray]:
    """Extend redline and town boundary at two places until they meet; both masks are changed in place.

    Returns the places, and the cells that must not be changed afterwards.
    """
    frame = terrain.frame
    far, (rr, rc) = ndimage.distance_transform_edt(~redline, return_indices=True)
    unfit = ndimage.binary_dilation(banned, iterations=25) | (frame.rim_m < 1500)
    rows, cols = np.nonzero(town & ~unfit & (far < 60))
    order = np.argsort(far[rows, cols], kind="stable")
    frozen = np.zeros(frame.shape, dtype=bool)
    meetings: list[Meeting] = []
    for row, col in zip(rows[order], cols[order], strict=True):
        red_row, red_col = int(rr[row, col]), int(rc[row, col])
        if abs(col - red_col) < 3 * abs(row - red_row) or unfit[red_row, red_col]:
            continue
        x, y = (float(v) for v in (frame.xy[0][0, red_col], frame.xy[1][red_row, 0]))
        if any(np.hypot(m.x - x, m.south - y) < 9000 for m in meetings):
            continue
        meetings.append(_join_up(frame, (redline, town, frozen), (red_row, red_col), (int(row), int(col))))
        if len(meetings) == 2:
            return meetings, frozen
    raise ValueError("no two places where redline and town boundary come near each other")


def _join_up(
    frame: Frame,
    masks: tuple[np.ndarray, np.ndarray, np.ndarray],
    red: tuple[int, int],
    built: tuple[int, int],
) -> Meeting:
    redline, town, frozen = masks
    side = 1 if built[1] > red[1] else -1
    rows = slice(red[0] - 9, red[0] + 9)
    edge = red[1] + 1 if side > 0 else red[1]
    red_cols = slice(edge - 14, edge) if side > 0 else slice(edge, edge + 14)
    reach = abs(built[1] - red[1]) + 12
    town_cols = slice(edge, edge + reach) if side > 0 else slice(edge - reach, edge)
    redline[rows, red_cols], town[rows, red_cols] = True, False
    redline[rows, town_cols], town[rows, town_cols] = False, True
    frozen[rows.start - 3 : rows.stop + 3, min(red_cols.start, town_cols.start) - 3 :][:, : reach + 20] = True
    x = frame.extent[0] + edge * CELL_M
    north, south = (frame.extent[3] - v * CELL_M for v in (rows.start, rows.stop))
    return Meeting(x, south, north, side, shapely.box(*sorted_box(x, x + side * reach * CELL_M, south, north)))


def sorted_box(x1: float, x2: float, south: float, north: float) -> tuple[float, float, float, float]:
    """Order the corners of a box."""
    return min(x1, x2), south, max(x1, x2), north


def sliver(meeting: Meeting) -> shapely.Polygon:
    """Draw a strip, less than a metre wide, of town boundary inside the redline."""
    middle = (meeting.south + meeting.north) / 2
    south, north = middle - SLIVER_LENGTH_M / 2, middle + SLIVER_LENGTH_M / 2
    side = meeting.town_side
    return shapely.box(*sorted_box(meeting.x - side * SLIVER_WIDTH_M, meeting.x + side * 12, south, north))


def overlap(meeting: Meeting) -> shapely.Polygon:
    """Draw a parcel of town boundary inside the redline."""
    side = meeting.town_side
    middle = (meeting.south + meeting.north) / 2
    corners = [(14, -115), (-118, -92), (-171, 31), (-140, 104), (14, 96)]
    return shapely.Polygon([(meeting.x + side * dx, middle + dy) for dx, dy in corners])


def gap_lens(point: np.ndarray, turn: float) -> shapely.Polygon:
    """Draw a small area that belongs to no control unit."""
    corners = np.array([(-34, 0), (-15, 11), (12, 13), (33, 2), (14, -10), (-13, -12)], dtype=float)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return shapely.Polygon(point + corners @ rotation)


def gap_place(frame: Frame, townships: np.ndarray, busy: np.ndarray) -> np.ndarray:
    """Choose a point on a border of two townships, as far as possible from every other zone."""
    free = ndimage.distance_transform_edt(~busy & (frame.rim_m > 800))
    border = np.zeros(townships.shape, dtype=bool)
    border[:, 1:] |= townships[:, 1:] != townships[:, :-1]
    border[1:, :] |= townships[1:, :] != townships[:-1, :]
    row, col = np.unravel_index(np.argmax(np.where(border, free, -1)), free.shape)
    return np.array([frame.xy[0][0, col], frame.xy[1][row, 0]])
