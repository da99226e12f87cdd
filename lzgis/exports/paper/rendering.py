"""Rendering of figures to files and pixels, independent of the user's matplotlib settings; same input, same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lzgis.errors import ExportError
from lzgis.exports.gis.json import origin_text
from lzgis.files.atomic_write import write_atomic
from lzgis.messages import Message
from lzgis.model.report import Report

DPI = 200

_STYLE: dict[str, Any] = {
    "text.parse_math": False,
    "svg.hashsalt": "lzgis",
    "hatch.linewidth": 0.7,
    "axes.linewidth": 0.6,
}


@contextmanager
def settings() -> Iterator[None]:
    """Draw with the settings of lzgis; the user's own are restored afterwards."""
    with matplotlib.style.context(["default", _STYLE]):
        yield


def save(draw: Callable[[], Figure], path: Path, report: Report, title: str) -> None:
    """Draw a figure and write it as PNG, PDF or SVG.

    The time in the metadata is that of the report, so that the same report gives the same bytes.

    Raises
    ------
    ExportError
        If the suffix is none of these, or the file cannot be written.
    """
    made_at = report.provenance.made_at
    origin = origin_text(report)
    metadata: dict[str, dict[str, Any]] = {
        ".png": {"Software": "lzgis", "Title": title, "Description": origin},
        ".pdf": {"Creator": "lzgis", "CreationDate": made_at, "Title": title, "Keywords": origin},
        ".svg": {"Creator": "lzgis", "Date": made_at.isoformat(), "Title": title, "Description": origin},
    }
    suffix = path.suffix.lower()
    if suffix not in metadata:
        raise ExportError(
            str(path),
            Message("a picture cannot be '{suffix}'", suffix=path.suffix),
            Message("use one of {known}", known=", ".join(metadata)),
        )
    with settings():
        figure = draw()
        write_atomic(path, lambda made: figure.savefig(made, dpi=DPI, metadata=metadata[suffix]))


def pixels(draw: Callable[[], Figure]) -> npt.NDArray[np.uint8]:
    """Draw a figure and return its pixels: rows from the top, columns, and red, green, blue."""
    with settings():
        figure = draw()
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def png(draw: Callable[[], Figure]) -> bytes:
    """Draw a figure and return it as a PNG file."""
    made = io.BytesIO()
    with settings():
        draw().savefig(made, format="png", dpi=DPI, metadata={"Software": "lzgis"})
    return made.getvalue()
