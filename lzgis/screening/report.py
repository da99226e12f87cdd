"""Build the `Report` of a screening from its results and its setting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial

import numpy as np
import shapely

from lzgis.city.catalogue import unknown_values
from lzgis.city.provenance import provenance_of
from lzgis.coordinates.shifted_maps import suspected_shift, vertices
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import Layer, Problem, Report, SiteTable
from lzgis.rules.book import not_covered
from lzgis.screening.admission_lists import unit_lists
from lzgis.screening.pieces import Screened
from lzgis.screening.setting import Setting

#: Layers of more vertices are compared with the sites near sites alone.
_MANY = 2_000_000
#: Shifted maps lie at most 1.4 km off.
_SHIFTED_DEG = 0.02


def report_of(result: Screened, setting: Setting, sites: SiteTable | None, made_at: dt.datetime | None) -> Report:
    """Make the report of a screening; `sites` gives its provenance and the vertices in which a shift may be seen."""
    city, book, layers = setting.city, setting.book, setting.layers
    problems = [*result.problems, *setting.problems]
    problems += shift_problems(sites, layers) if sites is not None else []
    problems += [problem for one in setting.loaded.values() for problem in one.problems]
    problems += [problem for layer in layers.values() for problem in unknown_values(book, layer)]
    return Report(
        city=city.city,
        book=book,
        layers=layers,
        sites=result.sites,
        findings=result.findings,
        verdicts=result.verdicts,
        listed=DeferredTable(partial(unit_lists, result.findings, book, layers, setting.day)),
        backdrop=city.backdrop,
        problems=tuple(problems),
        provenance=provenance_of(city, book, setting.loaded, (setting.day, made_at), sites),
        divided=result.divided,
        not_covered=not_covered(city.book, layers, setting.day),
        neighbours=city.neighbours,
    )


def shift_problems(sites: SiteTable, layers: Mapping[str, Layer]) -> list[Problem]:
    """Warn of sites whose vertices coincide with those of the city's layers once a shift such as GCJ-02 is undone."""
    shapes = sites.frame.geometry.to_numpy()
    known = [vertices(_beside(layer.frame.geometry.to_numpy(), shapes)) for layer in layers.values()]
    if not known:
        return []
    found = suspected_shift(vertices(shapes), np.concatenate(known))
    return [found.problem(sites.source.name)] if found is not None else []


def _beside(features: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Return the features of a large layer that sites could meet if a shift were undone; a small layer as it is."""
    if shapely.get_num_coordinates(features).sum() <= _MANY:
        return features
    boxes = shapely.bounds(sites)
    boxes = boxes[np.isfinite(boxes).all(axis=1)] + np.array([-1, -1, 1, 1]) * _SHIFTED_DEG
    found = shapely.STRtree(features).query(shapely.box(*boxes.T))[1]
    return np.asarray(features[np.unique(found)], dtype=object)
