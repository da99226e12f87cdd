"""Verify a folder of results: whether its files, and the layers, rules and sites they came from, are unchanged."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import lzgis
from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue, open_catalogue
from lzgis.city.reference import city_or_reference, sites_or_reference
from lzgis.city.region import open_region
from lzgis.errors import ExportError, LzgisError, SourceError
from lzgis.files.atomic_write import UNFINISHED
from lzgis.files.manifest import (
    MANIFEST,
    InputPaths,
    Manifest,
    Result,
    digest_of_values,
    read_manifest,
    state_of,
    unlisted_files,
)
from lzgis.files.result_folder import is_unfinished
from lzgis.messages import Message
from lzgis.reading import is_address, sha256_of
from lzgis.screening.overrides import OVERRIDES_FILE

#: Prefix of the names of results of rasters.
RASTER_RESULTS = "raster-"


class FileState(StrEnum):
    """State of a file, compared with the time of the result; an output is ``new`` if the manifest does not list it."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    NEW = "new"


@dataclass(frozen=True)
class CheckedFile:
    """A file that was checked: its result, its role (``file`` for an output), its name and its state."""

    result: str
    role: str
    name: str
    state: FileState


@dataclass(frozen=True)
class Verification:
    """The outcome of a verification.

    `files` are the outputs, `inputs` are the files they were computed from, and `versions` are the versions of lzgis that
    wrote them, by result. `listed` says whether the manifest is as it was written, by its own digest: ``same``,
    ``changed``, or ``unknown`` for a manifest that has none. `digests` are the digests that documents and workbooks print, by
    result. `proof` says whether a signature fits the manifest and the
    key: ``same``, ``changed`` or ``missing``; it is empty if no key was given.
    """

    folder: Path
    files: tuple[CheckedFile, ...]
    inputs: tuple[CheckedFile, ...]
    versions: Mapping[str, str]
    listed: str = "same"
    proof: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def damaged(self) -> bool:
        """Whether an output or the manifest differs from what was written, or an output is missing; or the proof fails."""
        broken = any(one.state not in (FileState.SAME, FileState.NEW) for one in self.files)
        return broken or self.listed == "changed" or self.proof not in ("", "same")

    @property
    def unlisted(self) -> tuple[str, ...]:
        """The files of the folder that the manifest does not list."""
        return tuple(one.name for one in self.files if one.state is FileState.NEW)

    @property
    def changed(self) -> bool:
        """Whether an input has changed, so that the results may differ if computed today."""
        return any(one.state is not FileState.SAME for one in self.inputs)

    @property
    def state(self) -> str:
        """The overall state: ``same``, ``unlisted`` (more files), ``changed`` (inputs) or ``damaged`` (outputs)."""
        if self.damaged:
            return "damaged"
        return "changed" if self.changed else "unlisted" if self.unlisted else "same"

    @property
    def other_version(self) -> bool:
        """Whether another version of lzgis wrote a result; this does not affect `state`."""
        return any(version != lzgis.__version__ for version in self.versions.values())


def verify(
    folder: str | Path,
    *,
    sites: str | Path | None = None,
    layers: str | Path | None = None,
    overrides: str | Path | None = None,
    key: str | Path | None = None,
) -> Verification:
    """Check the files of a folder of results, and whether sites, layers and rules have changed since.

    Nothing is written, links in the folder are not followed, and no database is asked unless `layers` names its city.
    Without a key this detects damage, not forgery: who can write to the folder can write a manifest that fits.

    Parameters
    ----------
    folder : path
        The folder that was written.
    sites, layers, overrides : path, optional
        The present places of the inputs; the recorded places if not given.
    key : path, optional
        The office's public key (PEM, Ed25519), to check the signature of the manifest.

    Returns
    -------
    Verification
        What was changed, is missing or was added, and whether the results still hold.

    Raises
    ------
    ExportError
        If the folder holds no result: it is missing, was never written by lzgis, or a run in it is not finished; or its
        manifest is damaged, or the key cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     verify(folder)
    Traceback (most recent call last):
    ...
    lzgis.errors.ExportError: ...: holds no result of lzgis; name the folder that was given with --out
    """
    manifest = _manifest(folder := Path(folder))
    moved = {name: str(p) for name, p in (("sites", sites), ("layers", layers), ("overrides", overrides)) if p}
    files: list[CheckedFile] = []
    inputs: list[CheckedFile] = []
    for name, result in manifest.results.items():
        files += (CheckedFile(name, "file", one.name, FileState(state_of(folder, one))) for one in result.files)
        given = result.given.model_copy(update=moved)
        _check_sources(folder, result)
        # The places that the folder states may be a stranger's: only a city that the user names may use the network.
        named = frozenset(moved) | ({"layers"} if not given.layers else set())
        states = [CheckedFile(name, role, file, state) for role, file, state in _inputs(result, given, named=named)]
        # Results of rasters depend only on the layers that were read for them, so new layers do not concern them.
        inputs += (one for one in states if one.state is not FileState.NEW or not name.startswith(RASTER_RESULTS))
    digests = {name: digest_of_values(result.provenance) for name, result in manifest.results.items()}
    files += (CheckedFile("", "file", name, FileState.NEW) for name in unlisted_files(folder, manifest))
    listed = "unknown" if not manifest.sha256 else "same" if manifest.sha256 == manifest.digest else "changed"
    versions = _versions(manifest)
    return Verification(folder, tuple(files), tuple(inputs), versions, listed, _proof(folder, key), digests)


def _versions(manifest: Manifest) -> dict[str, str]:
    """Return the version of lzgis that wrote each result which records one."""
    found = {name: result.provenance.get("versions") for name, result in manifest.results.items()}
    return {name: str(one["lzgis"]) for name, one in found.items() if isinstance(one, dict) and "lzgis" in one}


def _proof(folder: Path, key: str | Path | None) -> str:
    """Check the signature of the manifest with the office's public key; nothing without a key."""
    if key is None:
        return ""
    from lzgis.audits.signature import check_signature

    return check_signature(folder, Path(key))


def _manifest(folder: Path) -> Manifest:
    if is_unfinished(folder):
        # Completing it would carry out what the folder says, and the folder may come from a stranger.
        what = Message("holds a result whose files were not all replaced: its run was interrupted")
        raise ExportError(
            str(folder), what, Message("if the folder is your own, run its command again; else ask for it again")
        )
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is not None and manifest.results:
        return manifest
    if (folder / UNFINISHED / "batch").is_dir():
        what = Message("holds a batch that is not finished")
        raise ExportError(str(folder), what, Message("run the same command again to continue it"))
    what = Message("holds no result of lzgis")
    raise ExportError(str(folder), what, Message("name the folder that was given with --out"))


def _check_sources(folder: Path, result: Result) -> None:
    sources = result.provenance.get("sources", [])
    names = ("role", "name", "sha256")
    for one in sources if isinstance(sources, list) else [None]:
        if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in names):
            what = Message("is damaged: a source has no role, name or sha256")
            raise ExportError(str(folder / MANIFEST), what, Message("screen again, or ask for the folder again"))


def _inputs(result: Result, given: InputPaths, *, named: frozenset[str]) -> Iterator[tuple[str, str, FileState]]:
    """Yield role, name and state of each input of a result."""
    then = {(s["role"], s["name"]): str(s["sha256"]) for s in result.provenance.get("sources", [])}
    if not then:
        return
    now = _fingerprints(given, dict(then.keys()), named=named)
    for key, digest in then.items():
        if key[0] == "sites" and not digest:
            continue  # A table in memory has no file.
        role, name = key
        found = now.get(key)
        yield (
            role,
            name,
            FileState.MISSING if found is None else FileState.SAME if found == digest else FileState.CHANGED,
        )
    for role, name in now.keys() - then.keys():
        yield role, name, FileState.NEW


def _fingerprints(given: InputPaths, names: Mapping[str, str], *, named: frozenset[str]) -> dict[tuple[str, str], str]:
    """Return the sha256 of the present inputs by role and name; `names` are the recorded names by role."""
    if any("/" in role for role in names):
        return _of_several(given, names, named=named)
    found: dict[tuple[str, str], str] = {}
    # Places that are none, or cannot be read, count as missing.
    with contextlib.suppress(OSError, ValueError, LzgisError):
        found |= _of_sites(given, names, named=named)
    with contextlib.suppress(OSError, ValueError, LzgisError):
        root = _local("layers", given, city_or_reference(given.layers), named)
        found |= _of_root(root if root.is_dir() else root.parent, given, names, named=named)
    return found


def _local(name: str, given: InputPaths, path: Path, named: frozenset[str]) -> Path:
    """Return a place; refuse a share of another computer that only the folder states: opening it sends a log-in there."""
    stated: str = getattr(given, name)
    if name not in named and stated.replace("\\", "/").startswith("//"):
        raise SourceError(stated, Message("is on another computer"), Message("name its place if it is to be looked at"))
    return path


def _of_sites(given: InputPaths, names: Mapping[str, str], *, named: frozenset[str]) -> dict[tuple[str, str], str]:
    if "sites" not in names:
        return {}
    path = _local("sites", given, sites_or_reference(given.sites), named)
    return {("sites", names["sites"]): sha256_of(path)} if path.exists() else {}


def _of_root(
    root: Path, given: InputPaths, names: Mapping[str, str], *, named: frozenset[str]
) -> dict[tuple[str, str], str]:
    """Return the sha256 of the catalogue, layers, rules, rasters and decisions of a city."""
    found: dict[tuple[str, str], str] = {}
    if (root / CATALOGUE_FILE).is_file():
        found["catalogue", CATALOGUE_FILE] = sha256_of(root / CATALOGUE_FILE)
        # If the catalogue or rule book cannot be read, the layers count as missing.
        with contextlib.suppress(LzgisError):
            city = open_catalogue(root)
            found |= _of_layers(city, named=named)
            found |= {("rules", name): digest for name, digest in city.book.files}
            rasters = {name: city.root / one.source for name, one in city.spec.raster.items() if name in names}
            found |= {(k, city.spec.raster[k].source): sha256_of(path) for k, path in rasters.items() if path.is_file()}
    decisions = root / OVERRIDES_FILE
    decisions = _local("overrides", given, Path(given.overrides), named) if given.overrides else decisions
    if "sites" in names and decisions.is_file():
        found["overrides", names.get("overrides", decisions.name)] = sha256_of(decisions)
    return found


def _of_several(given: InputPaths, names: Mapping[str, str], *, named: frozenset[str]) -> dict[tuple[str, str], str]:
    """Return the sha256 of the present inputs of a screening of several cities; roles begin with the name of the city."""
    found: dict[tuple[str, str], str] = {}
    with contextlib.suppress(OSError, ValueError, LzgisError):
        found |= _of_sites(given, names, named=named)
    # What cannot be read counts as missing.
    with contextlib.suppress(LzgisError, OSError, ValueError):
        region = open_region(*given.layers.split(os.pathsep))
        common = {name: region.root / one.source for name, one in region.spec.layer.items()}
        # Cities that no site lies in or near were not loaded.
        used = {name: one for name, one in region.cities.items() if any(r.startswith(f"{name}/") for r in names)}
        for name, city in used.items():
            own = {(layer, region.spec.layer[layer].source): file for layer, file in common.items()}
            files = {key: sha256_of(file) for key, file in own.items() if file.is_file() and key[0] not in city.layers}
            files |= {("rules", file): digest for file, digest in (region.book.files if region.book else ())}
            files["catalogue", CATALOGUE_FILE] = city.described
            files |= _of_layers(city, named=named)
            if (city.root / city.city.rules).is_file():
                with contextlib.suppress(LzgisError):
                    files |= {("rules", file): digest for file, digest in city.book.files}
            found |= {(f"{name}/{role}", file): digest for (role, file), digest in files.items()}
    return found


def _of_layers(city: Catalogue, *, named: frozenset[str]) -> dict[tuple[str, str], str]:
    found = {}
    for name in filter(city.exists, city.layers):
        if is_address(city.layers[name].source) and "layers" not in named:
            continue
        # A database that cannot be reached counts as missing.
        with contextlib.suppress(SourceError):
            source, digest = city.fingerprint(name)
            found[name, source] = digest
    return found
