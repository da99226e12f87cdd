"""The command ``override``: the entry of ``overrides.toml`` that overrules a finding."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer


@dataclass(frozen=True)
class OverrideOptions:
    """Options of a decision: on what, why, by whom, when, on what evidence."""

    feature: Annotated[
        str, typer.Option("--feature", help="Id of the feature; all that the rule found if not given.")
    ] = ""
    reason: Annotated[str, typer.Option("--reason", help="Why the finding is overruled.")] = ""
    author: Annotated[str, typer.Option("--author", help="Who decides.")] = ""
    date: Annotated[str | None, typer.Option("--date", help="When, as 2026-11-21; that of the rules if not given.")] = (
        None
    )
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="File that the decision rests on; its fingerprint is taken.")
    ] = None


def run_override(
    finding: tuple[str, str], sites: Path | None, layers: Path | None, as_of: str | None, options: OverrideOptions
) -> None:
    """Print the entry of a decision on what a rule found on a site."""
    from lzgis.city.provenance import date_of
    from lzgis.city.reference import reference_city
    from lzgis.screening.overrides import Decision, override_entry
    from lzgis.screening.screen import screen

    day: dt.date | None = None if options.date is None else date_of(options.date)
    report = screen(sites or reference_city() / "sites.gpkg", layers or reference_city(), as_of=as_of)
    decision = Decision(options.reason, options.author, day, options.evidence or "")
    entry = override_entry(report, *finding, feature=options.feature, decision=decision)
    # TOML is UTF-8 whatever the console's own encoding is.
    sys.stdout.buffer.write(entry.encode("utf-8"))
