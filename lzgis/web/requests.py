"""What the page asks a worker process to do, as a typed record that is sent as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from lzgis.words import Language

Kind = Literal[
    "inspect", "screen", "recheck", "detail", "files", "avoid", "decide", "audit", "issue", "propose", "diff", "window"
]
#: The editions of an answer: for those who may see every layer, and for viewers.
Edition = Literal["internal", "public"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
EDITIONS: tuple[Edition, ...] = get_args(Edition)

#: The folder of the result of a large file, below that of its job.
LARGE = "large"


@dataclass(frozen=True)
class Request:
    """One request to a worker.

    Attributes
    ----------
    kind : str
        What to do.
    folder : str
        The folder of the job, which receives the answers.
    source : str
        The file of the sites.
    reading : mapping
        What is declared about the file: fields of `lzgis.ReadOptions` that are texts.
    activities, facts : mapping
        What is declared about the sites, see `lzgis.screening.declared.with_declared`.
    as_of : str
        The date whose rules apply; today if empty.
    place : str
        The city of a region whose layers and rules apply, and another rule book of it, see `lzgis.web.places`; if empty, a
        city with its own rule book, or all cities of a region, each for what lies in it.
    site : str
        The site that a detail or an avoidance is about.
    within_m : float
        How far that site may be moved, in metres.
    formats : tuple of str
        The formats to write; all together form one result.
    language, edition : str
        Language and edition of files.
    earlier : str
        The folder of the job that is checked again.
    checked : str
        The folder of the diagnosis of the same file, which may hold its sites.
    rule, reason, author, evidence : str
        A decision on the findings of a rule on the site; the evidence is a file in the folder of the job.
    bounds : tuple of float
        West, south, east and north of a window of the map, in degrees.
    number, replaces : str
        The number of a document, and of the one that it replaces for a `reason`.
    part, keys : str, mapping
        The part of the city that `source` is a new file for, and what the catalogue says of it:
        see `lzgis.city.new_version.NewVersion`.
    before, after : str
        Folders of two versions of the city; the one after is made from the one before.
    reports : tuple of (str, str)
        Earlier screenings, whose verdicts may change: key and folder of each job.
    """

    kind: Kind
    folder: str
    source: str = ""
    reading: Mapping[str, str] = field(default_factory=dict)
    activities: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    as_of: str = ""
    place: str = ""
    site: str = ""
    within_m: float = 500.0
    formats: tuple[str, ...] = ()
    language: Language = "zh"
    edition: Edition = "internal"
    earlier: str = ""
    checked: str = ""
    rule: str = ""
    reason: str = ""
    author: str = ""
    evidence: str = ""
    bounds: tuple[float, ...] = ()
    number: str = ""
    replaces: str = ""
    part: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    after: str = ""
    reports: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """Return the request as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Return the request that a line of JSON holds.

        Examples
        --------
        >>> Request.from_json(Request("files", "a", formats=("xlsx",)).to_json()).formats
        ('xlsx',)
        """
        given: dict[str, Any] = json.loads(text)
        known = {one.name for one in fields(cls)}
        made = cls(**{name: value for name, value in given.items() if name in known})
        reports = tuple((key, folder) for key, folder in made.reports)
        return replace(made, formats=tuple(made.formats), bounds=tuple(made.bounds), reports=reports)


def answer_file(folder: str | Path, name: str, language: Language, edition: Edition = "internal") -> Path:
    """Return the file of an answer in a language and edition."""
    return Path(folder) / f"{name}.{edition}.{language}.json"


def files_folder(request: Request) -> Path:
    """Return the folder of a result: one for each combination of formats, language and edition."""
    name = "-".join((*request.formats, request.language, request.edition))
    return Path(request.folder) / "files" / name
