"""Makes the dossier of a project from a report."""

from __future__ import annotations

from typing import Any

import shapely

from lzgis.exports.dossier import law, numbers
from lzgis.exports.dossier.answers import answer_grids, levels_missing
from lzgis.exports.dossier.document import SECTIONS, Dossier, Grid, Picture, Section
from lzgis.exports.dossier.maps import Atlas
from lzgis.exports.dossier.project import Batch, Subject
from lzgis.exports.report_text import number, text, visible
from lzgis.model.report import Report, State
from lzgis.words import Language

_MOST_ATTRIBUTES = 20


def dossier(report: Report, site_id: str, *, language: Language = "zh", mu: bool = False) -> Dossier:
    """Say all that a report holds of one project.

    Parameters
    ----------
    report : Report
        The report.
    site_id : str
        Id of the project.
    language : {"zh", "en"}
        Language of titles and wording; data stay as they are.
    mu : bool
        Whether areas are given in mu (亩) as well.

    Raises
    ------
    ExportError
        If the report has no such project.

    Examples
    --------
    >>> from lzgis.city.catalogue import reference_city
    >>> from lzgis.screening.screen import screen
    >>> report = screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21")
    >>> dossier(report, "T01").project["area_m2"]
    '10,000.01'
    """
    return DossierMaker(report, language=language, mu=mu).make(site_id)


class DossierMaker:
    """Makes the dossiers of a report one after another; what they share is worked out once.

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
        self.batch = Batch(report, language, mu=mu)
        self._atlas = Atlas(self.batch)
        self._provenance = law.provenance_grids(self.batch)

    @property
    def sites(self) -> list[str]:
        """Ids of the projects, in the report's order."""
        return self.batch.sites

    def make(self, site_id: str) -> Dossier:
        """Make the dossier of one project."""
        batch = self.batch
        subject = Subject(batch, site_id)
        project = _project_facts(subject)
        about = _about_facts(batch)
        verdict = batch.texts.word("verdict", subject.verdict["verdict"])
        return Dossier(
            language=batch.language,
            title=about["title"],
            subtitle=project["name"],
            verdict=batch.say("conclusion", verdict=verdict),
            verdict_code=subject.verdict["verdict"],
            project=project,
            about=about,
            sections=tuple(self._sections(subject, project, about)),
            signatures=tuple(batch.say("signatures").split(",")),
        )

    def _sections(self, subject: Subject, project: dict[str, str], about: dict[str, str]) -> list[Section]:
        batch = self.batch
        made: dict[str, dict[str, Any]] = {
            "project": {"grids": _project_grids(subject, project)},
            "data": {"paragraphs": (_data_line(about, batch),), "grids": (self._provenance["layers"],)},
            "findings": _findings_section(subject),
            "ladder": _ladder_section(subject),
            "corridors": _optional(batch, "corridors", checks.corridors_grid(subject)),
            "answers": _answers_section(subject),
            "zones": _zones_section(subject),
            "basis": _basis_section(subject),
            "maps": self._maps_section(subject),
            "not_checked": _unchecked_section(subject),
            "provenance": {
                "paragraphs": tuple(p for p in (about["disclaimer"], about["notice"]) if p),
                "grids": tuple(
                    self._provenance[name]
                    for name in ("about", "repairs", "sources", "transforms", "tolerances", "versions")
                    if self._provenance[name].rows
                ),
            },
        }
        numbers = batch.say("numbers").split("|")
        return [
            Section(name, number, batch.words("dossier_section", name), **made[name])
            for name, number in zip(SECTIONS, numbers, strict=False)
        ]

    def _maps_section(self, subject: Subject) -> dict[str, Any]:
        batch = self.batch
        drawn = (self._atlas.location(subject), self._atlas.detail(subject))
        pictures: tuple[Picture, ...] = tuple(picture for picture in drawn if picture is not None)
        return {"paragraphs": (batch.say("maps" if pictures else "no-map"),), "pictures": pictures}


def _project_facts(subject: Subject) -> dict[str, str]:
    batch, texts, verdict = subject.batch, subject.batch.texts, subject.verdict
    area, length = verdict["site_area_m2"], verdict["site_length_m"]
    there = subject.shape is not None and not subject.shape.is_empty
    kind = ("point", "line", "polygon")[shapely.get_dimensions(subject.shape)] if there else ""
    nearest = number(verdict["nearest_m"])
    rule = visible(texts.rule(text(verdict["nearest_rule"])))
    return {
        "id": visible(subject.id),
        "name": visible(text(verdict["site_name"])) or batch.say("unnamed"),
        "activity": subject.activity,
        "shape": batch.words("shape", kind) if there else batch.say("no-shape"),
        "area_m2": numbers.square_metres(area),
        "area_ha": numbers.in_hectares(area),
        "area_mu": numbers.in_mu(area),
        "length_m": numbers.metres(length),
        "centre": _centre(subject.shape) if there else numbers.NONE,
        "divisions": _divisions(subject) or numbers.NONE,
        "verdict": texts.word("verdict", verdict["verdict"]),
        "nearest": numbers.NONE if nearest is None else batch.say("nearest", rule=rule, m=numbers.metres(nearest)),
    }


def _centre(shape: Any) -> str:
    point = shapely.point_on_surface(shape)
    return f"{_degrees(point.x, 'EW')}　{_degrees(point.y, 'NS')}"


def _degrees(value: float, sides: str) -> str:
    seconds = round(abs(value) * 3600)
    return f"{seconds // 3600}°{seconds // 60 % 60:02d}′{seconds % 60:02d}″{sides[0] if value >= 0 else sides[1]}"


def _divisions(subject: Subject) -> str:
    """Say which townships and villages the project lies in, and how much of it."""
    batch = subject.batch
    levels = set(batch.report.city.divisions)
    told = []
    for found in subject.met:
        if found["kind"] == "identify" and found["layer"] in levels:
            size = subject.size(found)
            name = visible(text(found["feature_name"]))
            share = numbers.percent(found["share"])
            told.append(batch.say("place-share", name=name, size=size, share=share) if size else name)
    return "\n".join(told)


def _project_grids(subject: Subject, project: dict[str, str]) -> tuple[Grid, ...]:
    batch = subject.batch
    heads = {
        "id": batch.texts.column("site_id"),
        "name": batch.texts.column("site_name"),
        "activity": batch.texts.column("activity"),
        "verdict": batch.texts.column("verdict"),
        "nearest": batch.texts.column("nearest_rule"),
    }
    rows = []
    for name in ("id", "name", "activity", "shape", "area", "centre", "divisions", "verdict", "nearest"):
        if name == "area":
            size = subject.size(
                {"area_m2": subject.verdict["site_area_m2"], "length_m": subject.verdict["site_length_m"]}
            )
            column = "length_m" if "length_m" in subject.measures else "area_m2"
            if size:
                rows.append((batch.texts.column(f"site_{column}").partition("（")[0].partition(" (")[0], size))
        else:
            rows.append((heads.get(name) or batch.head(name).title, project[name]))
    columns = (batch.head("name", 1.5), batch.head("value", 4))
    marks = tuple(
        subject.verdict["verdict"] if value == project["verdict"] and head == heads["verdict"] else ""
        for head, value in rows
    )
    grids = [Grid("project", columns, tuple(rows), marks=marks, marked="value", heads=False)]
    own = _attributes(subject)
    if own:
        title = batch.words("dossier_column", "attribute")
        grids.append(Grid("attributes", columns, own, title=title, heads=False))
    return tuple(grids)


def _attributes(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Whatever else the file of the projects says of this one, word for word."""
    sites = subject.batch.report.sites
    names = [n for n in sites.columns if n not in ("id", "name", "activity", sites.geometry.name)]
    told = ((visible(str(n)), visible(text(sites[n].iloc[subject.row]))) for n in names)
    return tuple(pair for pair in told if pair[1])[:_MOST_ATTRIBUTES]


def _about_facts(batch: Batch) -> dict[str, str]:
    report, texts, provenance = batch.report, batch.texts, batch.report.provenance
    facts = {
        "title": batch.say("title", city=texts.city),
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
        "area": batch.words("provenance", "area_value"),
    }
    return {name: visible(value) for name, value in facts.items()}


def _data_line(about: dict[str, str], batch: Batch) -> str:
    return batch.say("data", as_of=about["as_of"], book=about["rule_book"], version=about["rule_book_version"])


def _findings_section(subject: Subject) -> dict[str, Any]:
    batch = subject.batch
    states = [found["state"] for found in subject.findings]
    counts = {
        "rules": len({found["rule"] for found in subject.findings}),
        "involved": states.count(State.INVOLVED),
        "sliver": states.count(State.SLIVER),
        "unchecked": states.count(State.NOT_CHECKED),
        "clear": states.count(State.CLEAR),
    }
    parts, note = checks.divisions_grid(subject)
    found = (checks.findings_grid(subject), checks.overrides_grid(subject), parts)
    grids = tuple(grid for grid in found if grid)
    notes = (note,) if note else ()
    return {"paragraphs": (batch.say("findings", **counts),), "grids": grids, "notes": notes}


def _ladder_section(subject: Subject) -> dict[str, Any]:
    line, grid = checks.ladder(subject)
    return {"paragraphs": (line,), "grids": (grid,) if grid else ()}


def _optional(batch: Batch, name: str, grid: Grid | None, **values: str) -> dict[str, Any]:
    """Give a section with its grid, or the sentence that there is nothing to show."""
    if grid is None:
        return {"paragraphs": (batch.say(f"no-{name}"),)}
    return {"paragraphs": (batch.say(name, **values),), "grids": (grid,)}


def _zones_section(subject: Subject) -> dict[str, Any]:
    return _optional(subject.batch, "zones", checks.zones_grid(subject), activity=subject.activity)


def _answers_section(subject: Subject) -> dict[str, Any]:
    batch = subject.batch
    grids = answer_grids(subject)
    lines = [batch.say("answers")]
    missing = levels_missing(grid for grid in grids if grid.name == "general")
    lines += [batch.say("general-missing", levels=batch.say("separator").join(missing))] if missing else []
    lines += [] if any(grid.name == "answers" for grid in grids) else [batch.say("no-units")]
    return {"paragraphs": tuple(lines), "grids": tuple(grids)}


def _basis_section(subject: Subject) -> dict[str, Any]:
    batch = subject.batch
    notes = (batch.say("english-law"),) if batch.language == "en" else ()
    return {"paragraphs": (batch.say("basis"),), "grids": (law.basis_grid(subject),), "notes": notes}


def _unchecked_section(subject: Subject) -> dict[str, Any]:
    open_rules, problems = law.unchecked_grid(subject), law.problems_grid(subject)
    line = subject.batch.say("unchecked-lead" if open_rules else "none-unchecked")
    return {"paragraphs": (line,), "grids": tuple(g for g in (open_rules, problems) if g)}
