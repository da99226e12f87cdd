"""Polygons cut by a grid of square cells: what each holds of which cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.chains import Chains, Int64s, chains
from lzgis.geometry.index import Geometries

if True:  # pragma: no cover - replaced below
    pass
