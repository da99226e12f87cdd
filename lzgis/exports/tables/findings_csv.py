"""CSV of the findings, one table without shapes, for spreadsheets, statistics and other programs.

A second file has what a CSV cannot hold, as the W3C recommendation "Metadata Vocabulary for Tabular Data" names it: the meaning
of each column, the notices, and where the answers come from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.exports.codes import Codes
from lzgis.exports.formats import ReportPieces
from lzgis.exports.gis.json import origin
from lzgis.exports.gis.parquet import TITLES, ahead, columns_of, findings_table
from lzgis.exports.report_text import ReportText
from lzgis.files.atomic_write import write_atomic, write_texts_atomic
from lzgis.files.csv_text import write_csv
from lzgis.model.report import Report, finding_columns
from lzgis.words import Language

if TYPE_CHECKING:
    import pyarrow as pa

#: The types of columns in the words of XML Schema, which CSVW uses.
_DATATYPES = {"str": "string", "float": "double"}
#: Rows that are worded and written at a time.
_ROWS = 20_000


def write_findings_csv(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write all findings as CSV in UTF-8, see `lzgis.exports.formats.ReportWriter`. Conflicting parts are not built.

    Numbers have as many digits as they need to be read back unchanged. Texts that a spreadsheet would evaluate begin with
    an apostrophe.
    """
    texts, findings = ReportText(report, language), report.findings
    columns = {c.name: findings[c.name] for c in finding_columns(findings)}
    # Some rows at a time: the texts of all of them take more memory than the report.
    starts = range(0, max(len(findings), 1), _ROWS)
    pieces = (columns_of({name: one.iloc[at : at + _ROWS] for name, one in columns.items()}) for at in starts)
    _write((findings_table(texts, rows) for rows in pieces), path)


def write_findings_csv_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write the bytes that `write_findings_csv` gives, see `lzgis.exports.formats.PiecesWriter`."""
    texts = ReportText(pieces.head, language)
    _write(ahead(findings_table(texts, rows.drop_columns(["geometry"])) for rows in pieces.findings()), path)


def write_metadata(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write the metadata that belong to the CSV, as CSVW: columns, notices, what is not covered, and provenance."""
    texts = ReportText(report, language)
    codes = Codes(report.city)
    described = [
        {"name": c.name, "datatype": _DATATYPES[c.dtype], "dc:description": codes.shown(c.meaning)}
        for c in finding_columns(report.findings)
    ]
    described += [
        {"name": name, "datatype": "string", "dc:description": f"the wording of {name.removesuffix('_title')}"}
        for name in TITLES
    ]
    document = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": language}],
        "url": path_of_table(path),
        "dialect": {"encoding": "utf-8", "header": True, "lineTerminators": ["\n"]},
        "tableSchema": {"columns": described},
        "notes": [
            {
                "notice": texts.notice,
                "disclaimer": texts.disclaimer,
                "confidentiality": texts.confidentiality,
                **origin(report),
            }
        ],
    }
    write_texts_atomic(path, [json.dumps(document, ensure_ascii=False, indent=1), "\n"])


def path_of_table(path: str | Path) -> str:
    """Return the name of the table that a file of metadata describes.

    Examples
    --------
    >>> path_of_table("out/findings.csv-metadata.json")
    'findings.csv'
    """
    return Path(path).name.removesuffix("-metadata.json")


def _write(tables: Iterable[pa.Table], path: str | Path) -> None:
    write_atomic(path, lambda made: write_csv(tables, made))
