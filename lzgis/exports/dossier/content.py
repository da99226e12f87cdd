"""Makes the dossier of a project from a report: its facts, sections and maps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import shapely

from lzgis.exports.dossier.abstract import CODE_MM, abstract_of
from lzgis.exports.dossier.document import SECTIONS, Dossier, Grid, Picture, Section
from lzgis.exports.dossier.grids import (
    answer_grids,
    basis_grid,
    corridors_grid,
    divisions_grid,
    findings_grid,
    ladder_grid,
    overrides_grid,
    problems_grid,
    provenance_grids,
    unchecked_grid,
    zones_grid,
)
from lzgis.exports.dossier.maps import ProjectMaps
from lzgis.exports.dossier.project import DossierSource, Project
from lzgis.exports.dossier.sections import (
    answers_section,
    basis_section,
    findings_section,
    hits_grid,
    provenance_section,
    unchecked_section,
)
from lzgis.exports.links import map_link, qr_png
from lzgis.exports.report_text import number, text, visible
from lzgis.exports.rounding import NONE
from lzgis.model.report import Report
from lzgis.rules.for_sites import INFORMING_KINDS
from lzgis.words import Language

_MAX_ATTRIBUTES = 20


def dossier(report: Report, site_id: str, *, language: Language = "zh", mu: bool = False) -> Dossier:
    """Return the dossier of one project: everything that a report says about it.

    Parameters
    ----------
    report : Report
        The report.
    site_id : str
        Id of the project.
    language : {"zh", "en"}
        Language of titles and wording; data are not translated.
    mu : bool
        Whether areas are given in mu (亩) as well.

    Raises
    ------
    ExportError
        If the report has no such project.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> from lzgis.screening.screen import screen
    >>> report = screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21")
    >>> dossier(report, "T01").project["area_m2"]
    '10,000'
    """
    return DossierMaker(report, language=language, mu=mu).make(site_id)


class DossierMaker:
    """Makes the dossiers of a report one after another; what they share is computed once.

    Parameters
    ----------
    report : Report
        The report.
    language : {"zh", "en"}
        Language of titles and wording.
    mu : bool
        Whether areas are given in mu as well.
    map_address : str
        Where the review map is published, for the QR code; by default its name in the folder of the result.
    """

    def __init__(self, report: Report, *, language: Language = "zh", mu: bool = False, map_address: str = "") -> None:
        self.source = DossierSource(report, language, mu=mu)
        self._address = map_address
        self._maps = ProjectMaps(self.source)
        self._provenance = provenance_grids(self.source)

    @property
    def sites(self) -> list[str]:
        """Ids of the projects, in the report's order."""
        return self.source.sites

    def make(self, site_id: str) -> Dossier:
        """Make the dossier of one project."""
        return self._made(site_id, SECTIONS)

    def text(self, site_id: str) -> Dossier:
        """Make the dossier of one project without its maps."""
        return self._made(site_id, [name for name in SECTIONS if name != "maps"])

    def _made(self, site_id: str, wanted: Collection[str]) -> Dossier:
        source = self.source
        project = Project(source, site_id)
        facts = _project_facts(project)
        about = about_facts(source)
        verdict = source.texts.word("verdict", project.verdict["verdict"])
        project_grids = _project_grids(project, facts)
        pictures = (self._maps.small(project), self._code(project)) if "maps" in wanted else (None, None)
        abstract = abstract_of(project, facts, about, pictures)
        return Dossier(
            language=source.language,
            title=about["title"],
            subtitle=facts["name"],
            verdict=source.wording("conclusion", verdict=verdict),
            verdict_code=project.verdict["verdict"],
            project=facts,
            about=about,
            abstract=abstract,
            sections=tuple(self._sections(project, about, project_grids, wanted)),
            tables=(*project_grids, *self._tables(project), *((abstract.findings,) if abstract.findings else ())),
        )

    def _code(self, project: Project) -> Picture:
        """Return the QR code of the project in the review map."""
        link = map_link(self.source.report, project.id, self._address)
        return Picture("code", self.source.wording("map-link", link=link), qr_png(link), CODE_MM, CODE_MM)

    def _sections(
        self, project: Project, about: dict[str, str], own: tuple[Grid, ...], wanted: Collection[str]
    ) -> list[Section]:
        source = self.source
        attributes = next((grid for grid in own if grid.name == "attributes"), None)
        made: dict[str, dict[str, Any]] = {
            "maps": self._maps_section(project) if "maps" in wanted else {},
            "findings": findings_section(project),
            "answers": answers_section(project),
            "basis": basis_section(project),
            "not_checked": unchecked_section(project),
            "provenance": provenance_section(
                source,
                about,
                self._provenance,
                problems=problems_grid(project, notes="this site"),
                own=attributes,
            ),
        }
        ordinals = source.wording("numbers").split("|")
        return [
            Section(name, number, source.words("dossier_section", name), **made[name])
            for name, number in zip(SECTIONS, ordinals, strict=False)
            if name in wanted
        ]

    def _tables(self, project: Project) -> list[Grid]:
        """Return all that is known of a project as tables, for an office's template."""
        parts, _ = divisions_grid(project)
        found = [findings_grid(project), overrides_grid(project), parts, ladder_grid(project)[1]]
        found += [corridors_grid(project), zones_grid(project), basis_grid(project), hits_grid(project)]
        found += [unchecked_grid(project), problems_grid(project), *answer_grids(project), *self._provenance.values()]
        return [grid for grid in found if grid is not None]

    def _maps_section(self, project: Project) -> dict[str, Any]:
        source = self.source
        drawn = (self._maps.location(project), self._maps.detail(project), self._maps.insets(project))
        pictures: tuple[Picture, ...] = tuple(picture for picture in drawn if picture is not None)
        return {"paragraphs": (source.wording("maps" if pictures else "no-map"),), "pictures": pictures}


def _project_facts(project: Project) -> dict[str, str]:
    source, texts, verdict = project.source, project.source.texts, project.verdict
    rounding = source.rounding
    area, length = verdict["site_area_m2"], verdict["site_length_m"]
    has_shape = project.shape is not None and not project.shape.is_empty
    kind = ("point", "line", "polygon")[shapely.get_dimensions(project.shape)] if has_shape else ""
    nearest = number(verdict["nearest_m"])
    rule = visible(texts.rule(text(verdict["nearest_rule"])))
    return {
        "id": visible(project.id),
        "name": visible(text(verdict["site_name"])) or source.wording("unnamed"),
        "activity": project.activity,
        "shape": source.words("shape", kind) if has_shape else source.wording("no-shape"),
        "area_m2": rounding.square_metres(area),
        "area_ha": rounding.hectares(area),
        "area_mu": rounding.mu(area),
        "length_m": rounding.metres(length),
        "centre": texts.code(_centre(project.shape)) if has_shape else NONE,
        "divisions": _divisions(project) or NONE,
        "verdict": texts.word("verdict", verdict["verdict"]),
        "nearest": NONE if nearest is None else source.wording("nearest", rule=rule, m=rounding.metres(nearest)),
    }


def _centre(shape: Any) -> str:
    point = shapely.point_on_surface(shape)
    return f"{_degrees(point.x, 'EW')}　{_degrees(point.y, 'NS')}"


def _degrees(value: float, sides: str) -> str:
    seconds = round(abs(value) * 3600)
    return f"{seconds // 3600}°{seconds // 60 % 60:02d}′{seconds % 60:02d}″{sides[0] if value >= 0 else sides[1]}"


def _divisions(project: Project) -> str:
    """List the townships and villages that the project lies in, with the area or length and share in each."""
    source = project.source
    levels = set(source.report.city.divisions)
    lines = []
    for found in project.hits:
        if found["kind"] in INFORMING_KINDS and found["layer"] in levels:
            size = project.size(found)
            name = visible(text(found["feature_name"]))
            share = source.rounding.percent(found["share"])
            lines.append(source.wording("place-share", name=name, size=size, share=share) if size else name)
    return "\n".join(lines)


def _project_grids(project: Project, facts: dict[str, str]) -> tuple[Grid, ...]:
    source = project.source
    heads = {
        "id": source.texts.column("site_id"),
        "name": source.texts.column("site_name"),
        "activity": source.texts.column("activity"),
        "verdict": source.texts.column("verdict"),
        "nearest": source.texts.column("nearest_rule"),
    }
    rows = []
    for name in ("id", "name", "activity", "shape", "area", "centre", "divisions", "verdict", "nearest"):
        if name == "area":
            size = project.whole_size
            column = "length_m" if "length_m" in project.measures else "area_m2"
            if size:
                rows.append((source.texts.column(f"site_{column}").partition("（")[0].partition(" (")[0], size))
        else:
            rows.append((heads.get(name) or source.column(name).title, facts[name]))
    columns = (source.column("name", 1.5), source.column("value", 4))
    marks = tuple(
        project.verdict["verdict"] if value == facts["verdict"] and head == heads["verdict"] else ""
        for head, value in rows
    )
    grids = [Grid("project", columns, tuple(rows), marks=marks, marked="value", heads=False)]
    own = _attributes(project)
    if own:
        title = source.words("dossier_column", "attribute")
        grids.append(Grid("attributes", columns, own, title=title, heads=False))
    return tuple(grids)


def _attributes(project: Project) -> tuple[tuple[str, str], ...]:
    """Return the other attributes that the file of sites has for this project, unchanged."""
    sites = project.source.report.sites
    names = [n for n in sites.columns if n not in ("id", "name", "activity", sites.geometry.name)]
    pairs = ((_attribute_name(project, str(n)), visible(text(sites[n].iloc[project.row]))) for n in names)
    return tuple(pair for pair in pairs if pair[1])[:_MAX_ATTRIBUTES]


def _attribute_name(project: Project, name: str) -> str:
    """Return the heading of a column of the file of sites; its own name if the program has no wording of it."""
    words = project.source.words
    return words("attribute", name) if words.has("attribute", name) else visible(name)


def about_facts(source: DossierSource) -> dict[str, str]:
    """Return the single facts of the screening and of the city, by the names in `ABOUT_FACTS`."""
    report, texts, provenance = source.report, source.texts, source.report.provenance
    facts = {
        "title": source.wording("title", city=texts.city),
        "city": texts.city,
        "adcode": report.city.adcode,
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "confidentiality": texts.confidentiality,
        "as_of": provenance.as_of.isoformat(),
        "made_at": provenance.made_at.isoformat(sep=" ", timespec="seconds"),
        "rule_book": provenance.rule_book,
        "rule_book_version": provenance.rule_book_version,
        "crs": "EPSG:4490 (CGCS2000)",
        "plane": provenance.plane,
        "area": source.words("provenance", "area_value"),
    }
    return {name: visible(value) for name, value in facts.items()}
