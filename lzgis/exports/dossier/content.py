"""Makes the dossier of a project from a report: its facts, sections and maps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import shapely

from lzgis.exports.dossier import numbers
from lzgis.exports.dossier.document import SECTIONS, Dossier, Grid, Picture, Section
from lzgis.exports.dossier.grids import (
    answer_grids,
    basis_grid,
    corridors_grid,
    divisions_grid,
    findings_grid,
    ladder_grid,
    levels_missing,
    overrides_grid,
    problems_grid,
    provenance_grids,
    unchecked_grid,
    zones_grid,
)
from lzgis.exports.dossier.maps import ProjectMaps
from lzgis.exports.dossier.project import DossierSource, Project
from lzgis.exports.report_text import number, text, visible
from lzgis.model.report import Report, State
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
    '10,000.01'
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
    """

    def __init__(self, report: Report, *, language: Language = "zh", mu: bool = False) -> None:
        self.source = DossierSource(report, language, mu=mu)
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
        about = _about_facts(source)
        verdict = source.texts.word("verdict", project.verdict["verdict"])
        return Dossier(
            language=source.language,
            title=about["title"],
            subtitle=facts["name"],
            verdict=source.wording("conclusion", verdict=verdict),
            verdict_code=project.verdict["verdict"],
            project=facts,
            about=about,
            sections=tuple(self._sections(project, facts, about, wanted)),
            signatures=tuple(source.wording("signatures").split(",")),
        )

    def _sections(
        self, project: Project, facts: dict[str, str], about: dict[str, str], wanted: Collection[str]
    ) -> list[Section]:
        source = self.source
        made: dict[str, dict[str, Any]] = {
            "project": {"grids": _project_grids(project, facts)},
            "data": {"paragraphs": (_data_line(about, source),), "grids": (self._provenance["layers"],)},
            "findings": _findings_section(project),
            "ladder": _ladder_section(project),
            "corridors": _optional(source, "corridors", corridors_grid(project)),
            "answers": _answers_section(project),
            "zones": _zones_section(project),
            "basis": _basis_section(project),
            "maps": self._maps_section(project) if "maps" in wanted else {},
            "not_checked": _unchecked_section(project),
            "provenance": {
                "paragraphs": tuple(p for p in (about["disclaimer"], about["notice"]) if p),
                "grids": tuple(
                    self._provenance[name]
                    for name in ("about", "repairs", "sources", "transforms", "tolerances", "versions")
                    if self._provenance[name].rows
                ),
            },
        }
        ordinals = source.wording("numbers").split("|")
        return [
            Section(name, number, source.words("dossier_section", name), **made[name])
            for name, number in zip(SECTIONS, ordinals, strict=False)
            if name in wanted
        ]

    def _maps_section(self, project: Project) -> dict[str, Any]:
        source = self.source
        drawn = (self._maps.location(project), self._maps.detail(project))
        pictures: tuple[Picture, ...] = tuple(picture for picture in drawn if picture is not None)
        return {"paragraphs": (source.wording("maps" if pictures else "no-map"),), "pictures": pictures}


def _project_facts(project: Project) -> dict[str, str]:
    source, texts, verdict = project.source, project.source.texts, project.verdict
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
        "area_m2": numbers.square_metres(area),
        "area_ha": numbers.in_hectares(area),
        "area_mu": numbers.in_mu(area),
        "length_m": numbers.metres(length),
        "centre": _centre(project.shape) if has_shape else numbers.NONE,
        "divisions": _divisions(project) or numbers.NONE,
        "verdict": texts.word("verdict", verdict["verdict"]),
        "nearest": numbers.NONE if nearest is None else source.wording("nearest", rule=rule, m=numbers.metres(nearest)),
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
            share = numbers.percent(found["share"])
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
            size = project.size(
                {"area_m2": project.verdict["site_area_m2"], "length_m": project.verdict["site_length_m"]}
            )
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
    pairs = ((visible(str(n)), visible(text(sites[n].iloc[project.row]))) for n in names)
    return tuple(pair for pair in pairs if pair[1])[:_MAX_ATTRIBUTES]


def _about_facts(source: DossierSource) -> dict[str, str]:
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


def _data_line(about: dict[str, str], source: DossierSource) -> str:
    return source.wording("data", as_of=about["as_of"], book=about["rule_book"], version=about["rule_book_version"])


def _findings_section(project: Project) -> dict[str, Any]:
    source = project.source
    states = [found["state"] for found in project.findings]
    uncounted = int(project.verdict["not_applicable"])
    counts = {
        "rules": len({found["rule"] for found in project.findings}) + uncounted,
        "involved": states.count(State.INVOLVED),
        "sliver": states.count(State.SLIVER),
        "unchecked": states.count(State.NOT_CHECKED),
        "clear": states.count(State.CLEAR),
        "not_applicable": len({f["rule"] for f in project.findings if f["state"] == State.NOT_APPLICABLE}) + uncounted,
        "uncounted": uncounted,
    }
    parts, note = divisions_grid(project)
    found = (findings_grid(project), overrides_grid(project), parts)
    grids = tuple(grid for grid in found if grid)
    notes = (note,) if note else ()
    return {"paragraphs": (source.wording("findings", **counts),), "grids": grids, "notes": notes}


def _ladder_section(project: Project) -> dict[str, Any]:
    line, grid = ladder_grid(project)
    return {"paragraphs": (line,), "grids": (grid,) if grid else ()}


def _optional(source: DossierSource, name: str, grid: Grid | None, **values: str) -> dict[str, Any]:
    """Return a section with its grid, or with the sentence that has_shape is nothing to show."""
    if grid is None:
        return {"paragraphs": (source.wording(f"no-{name}"),)}
    return {"paragraphs": (source.wording(name, **values),), "grids": (grid,)}


def _zones_section(project: Project) -> dict[str, Any]:
    return _optional(project.source, "zones", zones_grid(project), activity=project.activity)


def _answers_section(project: Project) -> dict[str, Any]:
    source = project.source
    grids = answer_grids(project)
    lines = [source.wording("answers")]
    missing = levels_missing(grid for grid in grids if grid.name == "general")
    lines += [source.wording("general-missing", levels=source.wording("separator").join(missing))] if missing else []
    lines += [] if any(grid.name == "answers" for grid in grids) else [source.wording("no-units")]
    return {"paragraphs": tuple(lines), "grids": tuple(grids)}


def _basis_section(project: Project) -> dict[str, Any]:
    source = project.source
    notes = (source.wording("english-law"),) if source.language == "en" else ()
    return {"paragraphs": (source.wording("basis"),), "grids": (basis_grid(project),), "notes": notes}


def _unchecked_section(project: Project) -> dict[str, Any]:
    open_rules, problems = unchecked_grid(project), problems_grid(project)
    line = project.source.wording("unchecked-lead" if open_rules else "none-unchecked")
    return {"paragraphs": (line,), "grids": tuple(g for g in (open_rules, problems) if g)}
