"""What a worker process does: it keeps the city open, and reads, screens and exports as a Python program would."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import hashlib
import json
import math
import os
import pickle
import shutil
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import shapely

from lzgis import model
from lzgis.audits.audit import audit
from lzgis.audits.recheck import recheck
from lzgis.batch import BatchOptions, screen_batch
from lzgis.city.catalogue import Catalogue, open_catalogue
from lzgis.city.new_version import NewVersion, write_version
from lzgis.city.provenance import date_of
from lzgis.city.reference import city_or_reference
from lzgis.city.region import Region, is_region, open_city_or_region, open_region
from lzgis.coordinates.candidates import compass
from lzgis.coordinates.helmert import read_helmert
from lzgis.errors import LzgisError, SourceError
from lzgis.exports import export_as
from lzgis.exports.audit import export_audit
from lzgis.exports.avoidance import avoidance_document, avoidance_lines
from lzgis.exports.dossier.content import DossierMaker
from lzgis.exports.folder import export_folder
from lzgis.exports.formats import FORMATS, WHOLE
from lzgis.exports.map.layers import drawn_layers, window_layers
from lzgis.exports.public_edition import public_edition
from lzgis.exports.report_text import records
from lzgis.files.atomic_write import digest_of, write_bytes_atomic
from lzgis.files.manifest import InputPaths
from lzgis.geometry import ready_loops
from lzgis.messages import Message
from lzgis.model.report import Problem, Report, SiteTable, Verdict
from lzgis.model.rules import RuleBook
from lzgis.reading import ReadOptions, read_sites, sites_from_frame
from lzgis.screening.avoidance import avoid
from lzgis.screening.declared import with_declared
from lzgis.screening.inspect import inspect_file
from lzgis.screening.overrides import OVERRIDES_FILE, Decision, override_entry, with_overrides
from lzgis.screening.screen import screen
from lzgis.web.answers import (
    basis_of,
    city_map,
    city_page,
    collection,
    detail,
    diagnosis,
    on_page,
    site_shapes,
    summary,
)
from lzgis.web.of_regions import changed_verdicts, only_city, region_verdict_changes
from lzgis.web.places import place_rows, places_of
from lzgis.web.proposal import audited, compared, verdict_changes
from lzgis.web.region_versions import copy_region, differing, write_region_version
from lzgis.web.requests import EDITIONS, LANGUAGES, LARGE, Edition, Request, answer_file, files_folder
from lzgis.words import Language, Words

#: Called with the name of a step, how many parts of it are done, and how many there are.
Progress = Callable[[str, int, int], None]
#: How many tables and reports stay in memory.
_KEPT = 8
#: Up to so many sites, the detail of each is written with the answer, in the language of the one who asked.
_DETAILED = 3
#: Up to so many sites, the sites that a diagnosis read are stored for the other workers.
_SHARED = 1000
#: Formats of the answers for a large file, of which those are written that hold so many sites.
_LARGE = ("xlsx", "gpkg", "parquet", "verdicts")
#: The folder of the layers of reports, beside the folders of jobs.
_LAYERS = "layers"
_SCREEN_AGAIN = Message("it was made by another version: screen the sites again")
_REPORT, _SITES, _FIRST = "report.pickle.gz", "sites.pickle.gz", "screened.pickle.gz"


class Office:
    """A city that is open, and what the worker does with it.

    Parameters
    ----------
    layers : path, optional
        The folder of the city; the reference city if not given.
    scheduler : str
        The address of a dask scheduler whose workers screen large files; empty for this process.
    """

    def __init__(self, layers: Path | None, scheduler: str = "") -> None:
        self._scheduler = scheduler
        self._folder = city_or_reference(layers)
        self._city: Catalogue | Region | None = None
        self._state: tuple[tuple[str, int, int], ...] = ()
        self._tables: OrderedDict[str, SiteTable] = OrderedDict()
        self._reports: OrderedDict[str, Report] = OrderedDict()
        self._layers: OrderedDict[str, Any] = OrderedDict()
        self._places: dict[str, Catalogue | Region] = {}
        #: A report on the city as each edition shows it, for windows of the map.
        self._shown: dict[Edition, Report] = {}
        #: The digest of layers and rules of each place, see `basis_of`; empty until something was screened with them.
        self._bases: dict[str, str] = {}
        #: Whether a request is being done, and whether the files of the city were looked at for it.
        self._doing = self._looked = False
        #: Whether what is done now uses a report that another version stored.
        self._foreign = False

    @property
    def city(self) -> Catalogue | Region:
        """The city or region; for each request it is opened again if one of its files has changed."""
        if self._city is not None and self._looked:
            return self._city
        folders = self._city.folders if isinstance(self._city, Region) else (Path(self._folder),)
        found = sorted({one for folder in folders for one in folder.rglob("*") if one.is_file()})
        state = tuple((one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in found)
        if self._city is None or state != self._state:
            self._city = open_city_or_region(self._folder)
            self._state = state
            self._tables.clear()
            self._shown.clear()
            self._places, self._bases = places_of(self._city), {}
        self._looked = self._doing
        return self._city

    def _place(self, request: Request) -> Catalogue | Region:
        """Return the city or region that a request chooses."""
        _ = self.city
        if request.place not in self._places:
            what = Message("there is no city or rule book '{name}'", name=request.place)
            raise SourceError(Path(request.folder).name, what, Message("choose one of those that the page offers"))
        return self._places[request.place]

    @property
    def _book(self) -> RuleBook:
        """The activities and facts that forms ask for."""
        return self.city.vocabulary if isinstance(self.city, Region) else self.city.book

    def warm_up(self, folder: Path) -> dict[str, Any]:
        """Screen one point of each city, so that layers and loops are ready; write what forms and maps need of them."""
        ready_loops(None)
        city = self.city
        report = self._warm_report(city)
        self._bases = self._bases_of(report)
        for language in LANGUAGES:
            about = city_page(report, city, language) | {"places": place_rows(self._places, Words(language))}
            _write(answer_file(folder, "city", language), about)
        for editions, shown in _editions(report):
            self._shown |= dict.fromkeys(editions, shown)
            drawn = drawn_layers(shown, city.plane)
            for language in LANGUAGES:
                made = city_map(shown, city, drawn, language)
                for edition in editions:
                    _write(answer_file(folder, "map", language, edition), made)
        return {"bases": self._bases}

    @staticmethod
    def _warm_report(city: Catalogue | Region) -> Report:
        """Screen one point of each city."""
        outlines = [one.outline for one in city.cities.values()] if isinstance(city, Region) else [city.outline]
        points = shapely.point_on_surface(outlines)
        import geopandas as gpd

        frame = gpd.GeoDataFrame({"id": [str(at) for at in range(len(points))]}, geometry=points, crs="EPSG:4490")
        return screen(sites_from_frame(frame), city)

    def _bases_of(self, report: Report | None = None) -> dict[str, str]:
        """Return the digest of layers and rules for each place that can be used; `report` is a screening of the first one.

        The digests are those of today's rules: screenings of another day must not differ by their day alone.
        """
        found = {}
        for name, place in self._places.items():
            with contextlib.suppress(LzgisError):
                made = report if report is not None and not name else self._warm_report(place)
                found[name] = basis_of(made.provenance)
        return found

    def _basis_of(self, request: Request) -> dict[str, Any]:
        """Return the digest of what a request was screened with, and those of all places."""
        self._bases = self._bases or self._bases_of()
        return {"basis": self._bases.get(request.place, ""), "bases": self._bases}

    def do(self, request: Request, progress: Progress | None = None) -> dict[str, Any]:
        """Do what is requested; answers are written to the folder of the request, and a short result is returned.

        Raises
        ------
        LzgisError
            As the function that does it.
        """
        Path(request.folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        does = {
            "inspect": self._inspect,
            "screen": self._screen,
            "recheck": self._recheck,
            "detail": self._detail,
            "files": self._files,
            "avoid": self._avoid,
            "decide": self._decide,
            "audit": self._audit,
            "issue": self._issue,
            "propose": self._propose,
            "diff": self._diff,
            "window": self._window,
        }
        self._foreign, self._doing = False, True
        try:
            return does[request.kind](request, progress)
        except LzgisError:
            raise
        except Exception as error:
            if self._foreign:
                what = Message("cannot be read ({error})", error=type(error).__name__)
                raise SourceError(Path(request.folder).name, what, _SCREEN_AGAIN) from error
            raise
        finally:
            self._doing = self._looked = False

    def _inspect(self, request: Request, _: Progress | None) -> dict[str, Any]:
        options = _options(request)
        sheet = inspect_file(request.source, options=options, city=self.city)
        hidden = Path(request.source).parent
        refused = tuple(_relative_problem(one, hidden) for one in sheet.refused)
        assumed = tuple(_relative_problem(one, hidden) for one in sheet.assumed)
        sheet, table = replace(sheet, refused=refused, assumed=assumed), None
        if sheet.sites is not None:
            table = self._keep_table(request, sheet.sites)
            if len(table.frame) <= _SHARED:
                _pickle(Path(request.folder) / _SITES, (self._reading_state(), _key_of(request), table))
        book = self._book
        for language in LANGUAGES:
            _write(answer_file(request.folder, "diagnosis", language), diagnosis(sheet, table, book, language))
        return {"readable": table is not None, "sites": 0 if table is None else len(table.frame), "name": sheet.name}

    def _table(self, request: Request) -> SiteTable:
        """Return the sites of a file as it is declared; the last ones are kept, so that a file is read once."""
        city, key = self.city, _key_of(request)
        if key in self._tables:
            return self._tables[key]
        if (found := self._checked_table(request)) is not None:
            return found
        try:
            read = read_sites(request.source, options=_options(request), near=city.outline)
        except LzgisError as error:
            shown = _relative_error(error, Path(request.source).parent)
            raise shown from error
        return self._keep_table(request, read)

    def _checked_table(self, request: Request) -> SiteTable | None:
        """Return the sites as another worker read them for the diagnosis of the same city; None if they are not stored."""
        stored = Path(request.checked) / _SITES
        if not request.checked or not stored.is_file():
            return None
        with contextlib.suppress(SourceError):
            state, key, table = _unpickled(stored)
            if (state, key) == (self._reading_state(), _key_of(request)):
                _keep(self._tables, key, table)
                found: SiteTable = table
                return found
        return None

    def _reading_state(self) -> tuple[Any, ...]:
        """Return what a table depends on besides the file: the files of the city, and the records of this version."""
        return (self._state, _records())

    def _keep_table(self, request: Request, read: SiteTable) -> SiteTable:
        hidden = Path(request.source).parent
        table = replace(read, problems=tuple(_relative_problem(one, hidden) for one in read.problems))
        _keep(self._tables, _key_of(request), table)
        return table

    def _screen(self, request: Request, progress: Progress | None) -> dict[str, Any]:
        table = self._table(request)
        if len(table.frame) > WHOLE:
            return self._screen_large(request, table, progress)
        table = with_declared(table, self._book, activities=request.activities, facts=request.facts)
        report = screen(table, self._place(request), as_of=request.as_of or None, progress=progress)
        report = replace(report, provenance=replace(report.provenance, command=("lzgis", "serve")))
        return self._keep_report(request, report, table)

    def _screen_large(self, request: Request, table: SiteTable, progress: Progress | None) -> dict[str, Any]:
        """Screen a large file in shards, as `lzgis.screen_batch` does: the answers are files, and the page counts verdicts."""
        folder, source = Path(request.folder), Path(request.source)
        reading = _options(request)
        if request.activities or request.facts:
            declared = with_declared(table, self._book, activities=request.activities, facts=request.facts)
            source, reading = folder / f"{source.stem}-declared.parquet", ReadOptions()
            declared.frame.to_parquet(source)
        names = tuple(name for name in _LARGE if FORMATS[name].holds(len(table.frame)))
        settings = BatchOptions(
            names, reading=reading, language=request.language, command=("lzgis", "serve"), restart=True
        )
        done = screen_batch(
            source, self._place(request), folder / LARGE, as_of=request.as_of or None, client=self._client(), progress=progress,
            settings=settings,
        )  # fmt: skip
        counts = [done.verdicts.get(one.value, 0) for one in Verdict]
        for editions, shown in _editions(done.report):
            for language in LANGUAGES:
                made = summary(shown, language)
                made["counts"] = [one | {"count": count} for one, count in zip(made["counts"], counts, strict=True)]
                for edition in editions:
                    _write(answer_file(folder, "summary", language, edition), made)
                    _write(answer_file(folder, "shapes", language, edition), {name: collection([], []) for name in
                                                                              ("sites", "parts")})  # fmt: skip
        return {
            "sites": done.sites,
            "verdicts": counts,
            "as_of": done.report.provenance.as_of.isoformat(),
            "large": sorted(one.name for one in done.files if one.is_file()),
            **self._basis_of(request),
        }

    def _client(self) -> Any:
        """Return the connection to the cluster, if there is one."""
        if not self._scheduler:
            return None
        from lzgis.web.cluster import client_of

        return client_of(self._scheduler)

    def _keep_report(self, request: Request, report: Report, table: SiteTable) -> dict[str, Any]:
        folder = Path(request.folder)
        for editions, shown in _editions(report):
            shapes = site_shapes(shown, LANGUAGES)
            for language in LANGUAGES:
                for name, made in (("summary", summary(shown, language)), ("shapes", shapes[language])):
                    for edition in editions:
                        _write(answer_file(folder, name, language, edition), made)
            if len(report.sites) <= _DETAILED:
                sites = [str(one) for one in shown.sites["id"]]
                self._write_details(folder, shown, editions, sites, (request.language,))
        _pickle(folder / _SITES, table)
        self._store(folder, report)
        _keep(self._reports, request.folder, report)
        counts = report.verdicts["verdict"].value_counts()
        return {
            "sites": len(report.sites),
            "verdicts": [int(counts.get(one.value, 0)) for one in Verdict],
            "as_of": report.provenance.as_of.isoformat(),
            **self._basis_of(request),
            "names": [f"{i} {n}".strip() for i, n in zip(report.sites["id"], report.sites["name"], strict=True)][:200],
        }

    def _store(self, folder: Path, report: Report) -> None:
        """Store a report; its layers, which are large, once for all reports that were made with them."""
        named = json.dumps([basis_of(report.provenance), sorted(report.layers)])
        key = hashlib.sha256(named.encode()).hexdigest()
        place = folder.parent / _LAYERS
        place.mkdir(mode=0o700, exist_ok=True)
        if not (place / key).exists():
            _pickle(place / key, dict(report.layers))
        _pickle(folder / _REPORT, (replace(report, layers={}), key, _records()))

    def _stored(self, folder: Path, name: str) -> Report:
        found = _unpickled(folder / name)
        if isinstance(found, Report):
            self._foreign = True
            return found
        report, key, *records = found
        # Records of another version may lack what this one asks of them.
        self._foreign = self._foreign or records != [_records()]
        if key not in self._layers:
            _keep(self._layers, key, _unpickled(folder.parent / _LAYERS / key))
        made: Report = replace(report, layers=self._layers[key])
        return made

    def _report(self, request: Request) -> Report:
        if request.folder not in self._reports:
            _keep(self._reports, request.folder, self._stored(Path(request.folder), _REPORT))
        return self._reports[request.folder]

    def _detail(self, request: Request, _: Progress | None) -> dict[str, Any]:
        report = self._report(request)
        shown = report if request.edition == "internal" else public_edition(report)
        self._write_details(Path(request.folder), shown, [request.edition], [request.site], (request.language,))
        return {}

    def _write_details(
        self, folder: Path, report: Report, editions: Sequence[Edition], sites: list[str], languages: Sequence[Language]
    ) -> None:
        for language in languages:
            maker = DossierMaker(report, language=language)
            for site in sites:
                made = detail(maker, site)
                for edition in editions:
                    _write(detail_file(folder, maker.sites, site, language, edition), made)

    def _recheck(self, request: Request, progress: Progress | None) -> dict[str, Any]:
        """Screen again, and list what differs from the earlier report and why."""
        earlier = self._report(replace(request, folder=request.earlier))
        result = self._screen(request, progress)
        place = self._place(request)
        if isinstance(place, Region):
            changes = changed_verdicts(earlier, self._report(request))
        else:
            before = Path(request.folder) / "earlier.json"
            export_as("json", earlier, before, language="zh")
            changes = recheck(before, place, as_of=request.as_of or date_of(None)).changes
        for language in LANGUAGES:
            words = Words(language)
            rows = [
                row | {name: words("verdict", row[name]) for name in ("verdict_before", "verdict_after") if row[name]}
                for row in records(changes, changes.columns)
            ]
            for edition in EDITIONS:
                _write(answer_file(request.folder, "changes", language, edition), {"rows": rows})
        return result | {"changed": len({row["site_id"] for row in rows})}

    def _files(self, request: Request, progress: Progress | None) -> dict[str, Any]:
        """Write a report in the formats requested into one result folder, and the folder as a zip."""
        report = self._report(request)
        out = files_folder(request)
        options = {"mode": request.edition, "workers": 0}
        names = [name for name in request.formats if FORMATS[name].installed and FORMATS[name].holds(len(report.sites))]
        given = InputPaths(sites=report_name(report), layers="")
        made = export_folder(
            report, out, names, language=request.language, options=options, given=given, progress=progress
        )
        if len(made) == 1 and made[0].is_file():
            return {"file": str(made[0].relative_to(out))}
        return {"file": str(_zipped(out).relative_to(out))}

    def _avoid(self, request: Request, _: Progress | None) -> dict[str, Any]:
        report = self._report(request)
        table: SiteTable = _unpickled(Path(request.folder) / _SITES)
        city = self._place(request)
        if isinstance(city, Region):
            city = only_city(city, request.site, table)
        found = avoid(
            request.site, table, city, as_of=report.provenance.as_of, within_m=request.within_m
        )  # fmt: skip
        document = avoidance_document(found)
        for language in LANGUAGES:
            words = Words(language)
            lines, advice = avoidance_lines(found, request.within_m, words), ""
            if found.shift is not None and found.shift.distance_m > 0:
                towards = words.message(compass(found.shift.azimuth_deg))
                advice = words("web", "shift_it", m=f"{math.ceil(found.shift.distance_m):,}", direction=towards)
            place = avoid_file(Path(request.folder), DossierMaker(report).sites, request.site, language)
            _write(place, {"lines": lines, "advice": advice, "within_m": request.within_m, **document})
        return {}

    def _decide(self, request: Request, _: Progress | None) -> dict[str, Any]:
        """Add a decision to a screening; its answers are written again, and files that were made before are removed."""
        folder = Path(request.folder)
        first, listed = folder / _FIRST, folder / OVERRIDES_FILE
        if not first.exists():
            shutil.copyfile(folder / _REPORT, first)
        report = self._stored(folder, _FIRST)
        before = listed.read_text("utf-8") if listed.exists() else ""
        decision = Decision(request.reason, request.author, dt.date.today(), request.evidence)
        # The evidence is named as it lies beside the file of decisions.
        with contextlib.chdir(folder):
            entry = override_entry(report, request.site, request.rule, decision=decision)
            write_bytes_atomic(listed, f"{before}\n{entry}".encode())
            try:
                decided = with_overrides(report, OVERRIDES_FILE)
            except LzgisError:
                write_bytes_atomic(listed, before.encode())
                raise
        shutil.rmtree(folder / "files", ignore_errors=True)
        for stale in folder.glob("detail-*.json"):
            stale.unlink()
        (folder / "report.json").unlink(missing_ok=True)
        self._keep_report(request, decided, _unpickled(folder / _SITES))
        return {}

    def _issue(self, request: Request, progress: Progress | None) -> dict[str, Any]:
        """Write a report as a document with a number, which names the document that it replaces."""
        report = self._report(replace(request, folder=request.earlier))
        named = f"{request.replaces}：{request.reason}" if request.replaces else ""
        numbered = replace(report, number=request.number, replaces=named)
        notes = [
            Problem(
                "note", request.number, Message("is the number of this document"), Message("cite it in correspondence")
            )
        ]
        if request.replaces:
            what = Message("replaces document {number}: {reason}", number=request.replaces, reason=request.reason)
            notes.append(Problem("note", request.number, what, Message("the replaced document is no longer valid")))
        numbered = replace(numbered, problems=(*notes, *report.problems))
        out = files_folder(request)
        options = {"mode": request.edition, "workers": 0}
        given = InputPaths(sites=report_name(report), layers="")
        made = export_folder(
            numbered, out, list(request.formats), language=request.language, options=options, given=given,
            progress=progress,
        )  # fmt: skip
        file = made[0] if len(made) == 1 and made[0].is_file() else _zipped(out)
        target = Path(request.after)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{request.number}{file.suffix}"
        partial = target / f"{name}.part"
        shutil.copyfile(file, partial)
        partial.replace(target / name)
        return {"file": name, "sha256": digest_of(target / name)}

    def _propose(self, request: Request, progress: Progress | None) -> dict[str, Any]:
        """Make a version of the city with a new file, audit it, compare it, and judge earlier screenings by it."""
        before, after = Path(request.before), Path(request.after)
        if not before.exists():
            partial = before.with_name(f"{before.name}.part")
            shutil.rmtree(partial, ignore_errors=True)
            if is_region(self._folder):
                copy_region(self._folder, partial)
            else:
                shutil.copytree(self._folder, partial)
            partial.replace(before)
        shutil.rmtree(after, ignore_errors=True)
        keys: dict[str, Any] = {name: value for name, value in request.keys.items() if value}
        if "date" in keys:
            keys["date"] = dt.date.fromisoformat(keys["date"])
        given = NewVersion(request.part, Path(request.source), **keys)
        try:
            if is_region(before):
                cities = write_region_version(before, after, given)
                return self._judged(request, cities, (open_region(before), open_region(after)), progress)
            write_version(before, after, given)
            return self._judged(request, (before, after), None, progress)
        except LzgisError as error:
            shutil.rmtree(after, ignore_errors=True)
            shown = _relative_error(_relative_error(error, after), Path(request.source).parent)
            raise shown from error

    def _judged(
        self, request: Request, cities: tuple[Path, Path], regions: tuple[Region, Region] | None,
        progress: Progress | None,
    ) -> dict[str, Any]:  # fmt: skip
        """Audit and compare a city before and after, and judge earlier screenings by it, or by the regions that it is part of."""
        before, after = (open_catalogue(one) for one in cities)
        folder, day = Path(request.folder), date_of(request.as_of or None)
        checks, differs = audited(after, folder, progress), compared(before, after, folder)
        changed: list[tuple[str, dict[Language, list[dict[str, Any]]]]] = []
        rows: list[dict[str, Any]] = []
        unread = 0
        for done, (key, place) in enumerate(request.reports):
            if progress:
                progress("recheck", done, len(request.reports))
            made = self._report_json(Path(place))
            if made is None:
                unread += 1
            elif regions is None:
                changed.append((key, verdict_changes(made, before, after, day)))
            else:
                table: SiteTable = _unpickled(Path(place) / _SITES)
                changed.append((key, region_verdict_changes(table, *regions, day)))
        for language in LANGUAGES:
            rows = [row | {"job": key} for key, found in changed for row in found[language]]
            value = {"audit": checks[language], "diff": differs[language], "rows": rows}
            _write(answer_file(request.folder, "proposal", language), value)
        return {"checked": len(changed), "unread": unread, "changed": len(rows), "conflicts": checks["zh"]["conflicts"]}

    def _report_json(self, folder: Path) -> Path | None:
        """Return the report of a job as JSON, written when it is needed first; None if another version made the report."""
        made = folder / "report.json"
        self._foreign = False
        if not made.exists():
            try:
                report = self._report(Request("screen", str(folder)))
                export_as("json", report, made, language="zh")
            except Exception:
                made.unlink(missing_ok=True)
                if not self._foreign:
                    raise
                return None
        return made

    def _diff(self, request: Request, _: Progress | None) -> dict[str, Any]:
        """Compare two versions of the city; of a region, the city that differs, or its first one if none does."""
        folder = Path(request.folder)
        before, after = Path(request.before), Path(request.after)
        if is_region(before):
            before, after = differing(before, after)
        made = compared(open_catalogue(before), open_catalogue(after), folder)
        for language in LANGUAGES:
            _write(answer_file(folder, "proposal", language), {"diff": made[language]})
        return {}

    def _window(self, request: Request, _: Progress | None) -> dict[str, Any]:
        """Write the shapes of the layers in a window of the map, in more detail than the map of the whole city has."""
        city = self.city
        if not self._shown:
            for editions, shown in _editions(self._warm_report(city)):
                self._shown |= dict.fromkeys(editions, shown)
        west, south, east, north = request.bounds
        step_m, layers = window_layers(self._shown[request.edition], city.plane, (west, south, east, north))
        made = {"step_m": step_m, "layers": layers}
        _write(answer_file(request.folder, "window", request.language, request.edition), made)
        return {}

    def _audit(self, request: Request, progress: Progress | None) -> dict[str, Any]:
        out = files_folder(request)
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        suffix = FORMATS[request.formats[0]].suffix
        city = self.city
        if isinstance(city, Region):
            for name, one in city.cities.items():
                export_audit(audit(one, progress=progress), out / f"audit-{name}{suffix}", language=request.language)
            return {"file": str(_zipped(out).relative_to(out))}
        found = audit(city, progress=progress)
        return {"file": export_audit(found, out / f"audit{suffix}", language=request.language).name}


def _editions(report: Report) -> list[tuple[tuple[Edition, ...], Report]]:
    """Return the editions of a report; one for both where nothing is withheld."""
    public = public_edition(report)
    return [(EDITIONS, report)] if public is report else [(("internal",), report), (("public",), public)]


def _key_of(request: Request) -> str:
    return json.dumps([request.source, dict(request.reading)], sort_keys=True)


def report_name(report: Report) -> str:
    """Return the name of the file of sites that a report was made from."""
    return next((one.name for one in report.provenance.sources if one.role == "sites"), "")


def detail_file(folder: Path, sites: list[str], site: str, language: Language, edition: Edition) -> Path:
    """Return the file of the detail of a site; its name is the position of the site, never its id."""
    return answer_file(folder, f"detail-{sites.index(site)}", language, edition)


def avoid_file(folder: Path, sites: list[str], site: str, language: Language) -> Path:
    """Return the file of the avoidance of a site."""
    return answer_file(folder, f"avoid-{sites.index(site)}", language)


def error_texts(error: LzgisError) -> dict[str, str]:
    """Return an error as a sentence in each language."""
    return {one: on_page(Words(one).sentence(error.place, error.what, error.remedy), Words(one)) for one in LANGUAGES}


def _zipped(out: Path) -> Path:
    """Pack the files of a result folder into a zip beside it."""
    target = out / ".lzgis-all.zip"
    partial = target.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(out.rglob("*")):
            inside = path.relative_to(out)
            if path.is_file() and not inside.parts[0].startswith("."):
                bundle.write(path, inside.as_posix())
    shutil.move(partial, target)
    return target


def _options(request: Request) -> ReadOptions:
    given: dict[str, Any] = {name: value for name, value in request.reading.items() if value}
    if "helmert" in given:
        given["helmert"] = read_helmert(given["helmert"])
    return ReadOptions(**given)


def _relative(text: str, folder: Path) -> str:
    """Return a message without the folder of an upload: where the server stores it means nothing to a reader."""
    if isinstance(text, Message):
        values = {name: _relative(one, folder) if isinstance(one, str) else one for name, one in text.values.items()}
        return Message(text.template, **values)
    return text.replace(f"{folder}{os.sep}", "")


def _relative_problem(problem: Problem, folder: Path) -> Problem:
    place, what, remedy = (_relative(one, folder) for one in (problem.place, problem.what, problem.remedy))
    return Problem(problem.level, place, what, remedy)


def _relative_error(error: LzgisError, folder: Path) -> LzgisError:
    parts = (_relative(one, folder) for one in (error.place, error.what, error.remedy))
    return type(error)(*parts)


def _keep(cache: OrderedDict[str, Any], key: str, value: Any) -> None:
    cache[key] = value
    while len(cache) > _KEPT:
        cache.popitem(last=False)


def _write(path: Path, value: Any) -> None:
    """Write an answer, in one step; it is not read back, as results for users are."""
    data = json.dumps(value, ensure_ascii=True, allow_nan=False, default=str).encode("ascii")
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _pickle(path: Path, value: Any) -> None:
    write_bytes_atomic(path, gzip.compress(pickle.dumps(value, protocol=5), compresslevel=1, mtime=0))


@cache
def _records() -> str:
    """Return a digest of the records that reports are made of, as this version defines them."""
    text = "".join(path.read_text("utf-8") for path in sorted(Path(model.__file__).parent.glob("*.py")))
    return hashlib.sha256(text.encode()).hexdigest()


def _unpickled(path: Path) -> Any:
    """Return what this program pickled before into its private folder."""
    try:
        return pickle.loads(gzip.decompress(path.read_bytes()))
    except Exception as error:
        what = Message("cannot be read ({error})", error=type(error).__name__)
        raise SourceError(path.name, what, _SCREEN_AGAIN) from error
