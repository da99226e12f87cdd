"""The report of a screening, from its findings and setting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np

from lzgis.city.catalogue import unknown_values
from lzgis.city.provenance import provenance_of
from lzgis.coordinates.shifted_maps import suspected_shift, vertices
from lzgis.model.report import Layer, Problem, Report, SiteTable
from lzgis.screening.admission_lists import unit_lists
from lzgis.screening.pieces import Screened
from lzgis.screening.setting import Setting


def report_of(answers: Screened, setting: Setting, sites: SiteTable | None, made_at: dt.datetime | None) -> Report:
    """Make the report of answers; of `sites` only where they come from is taken."""
    city, book, layers = setting.city, setting.book, setting.layers
    shifted = shift_problems(sites, layers) if sites is not None else []
    problems = (
        *answers.problems,
        *setting.lacking,
        *shifted,
        *(p for one in setting.loaded.values() for p in one.problems),
    )
    return Report(
        city=city.city,
        book=book,
        layers=layers,
        sites=answers.sites,
        findings=answers.findings,
        verdicts=answers.verdicts,
        unit_lists=unit_lists(answers.findings, book, layers, setting.day),
        backdrop=city.backdrop,
        problems=(*problems, *(p for layer in layers.values() for p in unknown_values(book, layer))),
        provenance=provenance_of(city, book, setting.loaded, (setting.day, made_at), sites),
        breakdown=answers.breakdown,
    )


def shift_problems(sites: SiteTable, layers: Mapping[str, Layer]) -> list[Problem]:
    """Warn of sites whose vertices meet those of the city's layers once a shift such as GCJ-02 is taken away."""
    known = [vertices(layer.frame.geometry.to_numpy()) for layer in layers.values()]
    if not known:
        return []
    found = suspected_shift(vertices(sites.frame.geometry.to_numpy()), np.concatenate(known))
    return [found.problem(sites.source.name)] if found is not None else []
