"""The command ``override``: print the entry of ``overrides.toml`` that overrules a finding."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lzgis.cli.console import print_utf8
from lzgis.cli.options import AsOfOption, LayersOption, SitesOption, gathers


@dataclass(frozen=True)
class OverrideOptions:
    """Options of a decision: feature, reason, author, date, evidence."""

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


@gathers(OverrideOptions, "options")
def override(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    sites: SitesOption = None,
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    options: OverrideOptions = OverrideOptions(),
) -> None:
    """Print the entry of overrides.toml that overrules a finding; the finding itself stays."""
    run_override((site, rule), sites, layers, as_of, options)


def run_override(
    finding: tuple[str, str], sites: Path | None, layers: Path | None, as_of: str | None, options: OverrideOptions
) -> None:
    """Print the entry of a decision on a finding, which is given by site and rule."""
    from lzgis.city.provenance import date_of
    from lzgis.city.reference import city_or_reference, sites_or_reference
    from lzgis.screening.overrides import Decision, override_entry
    from lzgis.screening.screen import screen

    day: dt.date | None = None if options.date is None else date_of(options.date)
    report = screen(sites_or_reference(sites), city_or_reference(layers), as_of=as_of)
    decision = Decision(options.reason, options.author, day, options.evidence or "")
    print_utf8(override_entry(report, *finding, feature=options.feature, decision=decision))
