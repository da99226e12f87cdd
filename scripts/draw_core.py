"""Draw docs/core.svg: two polygons cut by a grid, and the terms summed in one cell."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from lzgis.geometry import PolygonGrid

CELL = 4.0
CORNER = (8, 8)
CHOSEN = shapely.box(8, 8, 12, 12)
FEATURE = shapely.Polygon(
    [(1, 1), (9, 0.6), (14.5, 2.2), (15, 7), (13, 9.1), (14.3, 13), (10.7, 11.3), (9.1, 14.8), (4.9, 13.2), (1.2, 14)]
)
SITE = shapely.Polygon([(9.2, 5.3), (18.6, 4.6), (19.1, 12.9), (12.9, 13.9), (9.6, 10.7)])
INK, BLUE, RED = "#333333", "#3b6fb6", "#c0392b"


def grid_picture(axes: Axes) -> None:
    """Draw both polygons over the grid, with the cells of the feature filled."""
    cells = PolygonGrid.build(np.array([FEATURE]), cell=CELL).cells
    for k in range(len(cells.row)):
        whole = cells.span[k, 0] == cells.span[k + 1, 0]
        corner = (cells.column[k] * CELL, cells.row[k] * CELL)
        axes.add_patch(Rectangle(corner, CELL, CELL, facecolor=BLUE, alpha=0.35 if whole else 0.10, edgecolor="none"))
    axes.add_patch(Polygon(np.array(FEATURE.exterior.coords), fill=False, edgecolor=BLUE, linewidth=1.8))
    axes.add_patch(Polygon(np.array(SITE.exterior.coords), fill=False, edgecolor=RED, linewidth=1.8))
    axes.add_patch(Rectangle(CORNER, CELL, CELL, fill=False, edgecolor=INK, linewidth=2.4))
    axes.set_xticks(np.arange(0, 21, CELL))
    axes.set_yticks(np.arange(0, 17, CELL))
    axes.grid(color="#bbbbbb", linewidth=0.6)
    axes.set_xlim(0, 20)
    axes.set_ylim(0, 16)
    axes.set_title("1  cut by the grid: dark cells are wholly inside", fontsize=10, loc="left")


def cell_picture(axes: Axes) -> None:
    """Draw the signed pieces of both polygons in one cell, and their common part."""
    for shape, colour, name in ((FEATURE, BLUE, "feature"), (SITE, RED, "site")):
        cells = PolygonGrid.build(np.array([shape]), cell=CELL).cells
        k = int(np.flatnonzero((cells.row == CORNER[1] // CELL) & (cells.column == CORNER[0] // CELL))[0])
        for i in range(cells.span[k, 0], cells.span[k, 2]):
            xl, xr, yl, slope, weight = cells.piece[i]
            ends = np.array([[xl, yl], [xr, yl + slope * (xr - xl)]])
            axes.plot(*ends.T, color=colour, linewidth=2.2, linestyle="-" if weight > 0 else "--")
            strip = [[xl, 0], *ends, [xr, 0]]
            axes.add_patch(Polygon(strip, facecolor=colour, alpha=0.10, edgecolor="none"))
            x, y = ends.mean(axis=0)
            axes.annotate("+" if weight > 0 else "−", (x, y + 0.12), color=colour, fontsize=13, ha="center")
        common = shapely.intersection(shape, CHOSEN)
        axes.plot([], [], color=colour, label=f"{name}: {common.area:.3f} m² in the cell")
    both = shapely.intersection(shapely.intersection(FEATURE, SITE), CHOSEN)
    for part in shapely.get_parts(both):
        xy = shapely.get_coordinates(part) - CORNER
        axes.add_patch(Polygon(xy, facecolor="none", edgecolor=INK, hatch="////", linewidth=0))
    axes.plot([], [], color=INK, label=f"Σ ± ± ∫ min = {both.area:.3f} m²")
    axes.set_xlim(-0.1, CELL + 0.1)
    axes.set_ylim(-0.1, CELL + 0.35)
    axes.legend(fontsize=8, loc="lower right", framealpha=0.95)
    axes.set_title("2  in one cell: strips below signed pieces", fontsize=10, loc="left")


def main() -> None:
    """Write the picture; every run writes the same bytes."""
    mpl.rcParams["svg.hashsalt"] = "core"
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    grid_picture(left)
    cell_picture(right)
    for axes in (left, right):
        axes.set_aspect("equal")
        axes.tick_params(labelsize=8)
    figure.savefig(Path(__file__).parent.parent / "docs" / "core.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
