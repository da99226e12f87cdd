"""Is a folder of results what was written, and would it be written again: files, layers, rules and sites by their hashes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import lzgis
from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue, open_catalogue, reference_city
from lzgis.errors import ExportError, LzgisError, SourceError
from lzgis.files.atomic_write import UNFINISHED
from lzgis.files.manifest import InputPaths, Manifest, Result, read_manifest, state_of
from lzgis.files.result_folder import is_unfinished, locked_folder
from lzgis.messages import Message
from lzgis.reading import sha256_of
from lzgis.screening.overrides import OVERRIDES_FILE

#: How the names of results of rasters begin.
RASTER_RESULTS = "raster-"


class Same(StrEnum):
    """How a file stands to the one of that time."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    NEW = "new"


@dataclass(frozen=True)
class Checked:
    """A file that was looked at: of which result, ``file`` or the role of an input, its name, and how it stands."""

    result: str
    role: str
    name: str
    state: Same


@dataclass(frozen=True)
class Verification:
    """What was found of a folder of results.

    `files` are the outputs, `inputs` what they were made from, `versions` the versions of lzgis that made them, by
    result.
    """

    folder: Path
    files: tuple[Checked, ...]
    inputs: tuple[Checked, ...]
    versions: Mapping[str, str]

    @property
    def damaged(self) -> bool:
        """Whether a file is not what was written."""
        return any(one.state is not Same.SAME for one in self.files)

    @property
    def changed(self) -> bool:
        """Whether an input is not what it was, so that the same question may be answered otherwise today."""
        return any(one.state is not Same.SAME for one in self.inputs)

    @property
    def state(self) -> str:
        """The whole in a word: ``same``, ``changed`` or ``damaged``."""
        return "damaged" if self.damaged else "changed" if self.changed else "same"

    @property
    def other_version(self) -> bool:
        """Whether another version of lzgis made a result; this alone changes nothing."""
        return any(version != lzgis.__version__ for version in self.versions.values())


def verify(
    folder: str | Path,
    *,
    sites: str | Path | None = None,
    layers: str | Path | None = None,
    overrides: str | Path | None = None,
) -> Verification:
    """Check the files of a folder of results, and whether sites, layers and rules have changed since.

    Parameters
    ----------
    folder : path
        The folder that was written.
    sites, layers, overrides : path, optional
        Where the inputs are now; where they were then, as it was written then, if not given.

    Raises
    ------
    ExportError
        If the folder holds no result: it is missing, was never written by lzgis, or a batch in it is not finished.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     verify(folder)
    Traceback (most recent call last):
    ...
    lzgis.errors.ExportError: ...: holds no result of lzgis; name the folder that was given with --out
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    moved = {name: str(p) for name, p in (("sites", sites), ("layers", layers), ("overrides", overrides)) if p}
    files: list[Checked] = []
    inputs: list[Checked] = []
    versions = {}
    for name, result in manifest.results.items():
        files += (Checked(name, "file", one.name, Same(state_of(folder, one))) for one in result.files)
        given = result.given.model_copy(update=moved)
        states = [Checked(name, role, file, state) for role, file, state in _inputs(result, given)]
        # What is told of rasters is so of the layers that were read for it, whatever others there are by now.
        inputs += (one for one in states if one.state is not Same.NEW or not name.startswith(RASTER_RESULTS))
        told = result.provenance.get("versions")
        if isinstance(told, dict) and "lzgis" in told:
            versions[name] = str(told["lzgis"])
    return Verification(folder, tuple(files), tuple(inputs), versions)


def _manifest(folder: Path) -> Manifest:
    if is_unfinished(folder):
        # Decided and cut short: this finishes it.
        with locked_folder(folder):
            pass
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is not None and manifest.results:
        return manifest
    if (folder / UNFINISHED / "batch").is_dir():
        what = Message("holds a batch that is not finished")
        raise ExportError(str(folder), what, Message("run the same command again to continue it"))
    what = Message("holds no result of lzgis")
    raise ExportError(str(folder), what, Message("name the folder that was given with --out"))


def _inputs(result: Result, given: InputPaths) -> Iterator[tuple[str, str, Same]]:
    """Go through the inputs of a result: role, name and how it stands now."""
    then = {(s["role"], s["name"]): str(s["sha256"]) for s in result.provenance.get("sources", [])}
    if not then:
        return
    now = _fingerprints(given, dict(then.keys()))
    for key, digest in then.items():
        if key[0] == "sites" and not digest:
            continue  # A table in memory has no file.
        role, name = key
        found = now.get(key)
        yield role, name, Same.MISSING if found is None else Same.SAME if found == digest else Same.CHANGED
    for role, name in now.keys() - then.keys():
        yield role, name, Same.NEW


def _fingerprints(given: InputPaths, names: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Fingerprint what is there now, by role and name; `names` are those of then, by role."""
    found = {}
    root = Path(given.layers) if given.layers else reference_city()
    root = root if root.is_dir() else root.parent
    if "sites" in names:
        path = Path(given.sites) if given.sites else reference_city() / "sites.gpkg"
        if path.exists():
            found["sites", names["sites"]] = sha256_of(path)
    if (root / CATALOGUE_FILE).is_file():
        found["catalogue", CATALOGUE_FILE] = sha256_of(root / CATALOGUE_FILE)
        # A catalogue or rule book that cannot be read is not what it was: its layers count as missing.
        with contextlib.suppress(LzgisError):
            city = open_catalogue(root)
            found |= _of_city(city)
            rasters = {name: city.root / one.source for name, one in city.spec.raster.items() if name in names}
            found |= {(k, city.spec.raster[k].source): sha256_of(path) for k, path in rasters.items() if path.is_file()}
    decisions = Path(given.overrides) if given.overrides else root / OVERRIDES_FILE
    if "sites" in names and decisions.is_file():
        found["overrides", names.get("overrides", decisions.name)] = sha256_of(decisions)
    return found


def _of_city(city: Catalogue) -> dict[tuple[str, str], str]:
    found = {}
    for name in filter(city.exists, city.layers):
        # A database that cannot be reached counts as missing.
        with contextlib.suppress(SourceError):
            source, digest = city.fingerprint(name)
            found[name, source] = digest
    return found | {("rules", name): digest for name, digest in city.book.files}
