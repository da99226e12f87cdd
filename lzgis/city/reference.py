"""Where the city lies that comes with lzgis."""

from __future__ import annotations

from pathlib import Path


def reference_city() -> Path:
    """Return the folder of the city that comes with lzgis, made of schematic data."""
    installed = Path(__file__).parent / "reference_city"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "layers"
