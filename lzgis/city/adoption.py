"""Make a city folder from a delivery of official data (``lzgis adopt``): recognise its layers, and list what is undecided.

Nothing is decided silently. Each recognition, each field and each value that was understood is an assumption in the list;
what the data do not show is a decision of the office. A layer is written once, as GeoParquet with the coordinates
and values that were read; the catalogue states the SHA-256 of its source.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue, open_catalogue
from lzgis.city.new_city import start_city
from lzgis.city.readiness import missing_for_screen
from lzgis.city.reference import reference_city
from lzgis.config import load_toml
from lzgis.coordinates.shifted_maps import shifted_by_fields
from lzgis.errors import LzgisError
from lzgis.files.atomic_write import write_atomic, write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.report import Layer, Problem
from lzgis.reading import ReadOptions, read_vector
from lzgis.reading.deliveries import DeliveredLayer, list_delivery

#: The file that lists sources, assumptions and decisions, for programs.
RECORD_FILE = "adopted.json"
#: Area codes of provinces whose rule book comes with lzgis.
_BOOKS = {"43": "hunan", "44": "guangdong", "45": "guangxi"}
#: What the reference city says of a layer that holds for any city.
_TEMPLATE = ("title", "title_en", "role", "geometry", "baseline", "group", "style")
_OUTLINE = "city"


@dataclass(frozen=True)
class Recognised:
    """A delivered layer and the layer of the rule books that it is; `by` says by what it was recognised."""

    layer_id: str
    source: DeliveredLayer
    by: str


@dataclass
class Adoption:
    """The result: the layers that were written, and what was assumed and is to be decided.

    Attributes
    ----------
    folder : Path
        The city folder.
    layers : list of Recognised
        The layers in the catalogue.
    assumed : list of Problem
        What was taken from the data, or from the reference city, and can be looked at.
    decisions : list of Problem
        What the office must decide; until then the rules concerned are 未核查 (not checked).
    """

    folder: Path
    layers: list[Recognised] = field(default_factory=list)
    assumed: list[Problem] = field(default_factory=list)
    decisions: list[Problem] = field(default_factory=list)
    _specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The outline's name and area code, as the data state them.
    _city: dict[str, str] = field(default_factory=dict)

    def assume(self, place: str, what: Message, remedy: Message) -> None:
        """List something that was assumed."""
        self.assumed.append(Problem("note", place, what, remedy))

    def decide(self, place: str, what: Message, remedy: Message) -> None:
        """List something that the office must decide."""
        self.decisions.append(Problem("warning", place, what, remedy))


def adopt(delivery: str | Path, folder: str | Path, *, crs: str | None = None) -> Adoption:
    """Write a city folder from a delivery: catalogue, rule book, layers as GeoParquet, and the list of what is undecided.

    Parameters
    ----------
    delivery : path
        A folder with file geodatabases, GeoPackages, shapefiles, GeoJSON, FlatGeobuf or GeoParquet, or one of these.
    folder : path
        The city folder to make; it must not exist, or be empty.
    crs : str, optional
        The reference system of those layers that state none, as ``EPSG:4526``.

    Raises
    ------
    SourceError
        If there is no such delivery.
    ExportError
        If the folder is not empty or cannot be written.
    """
    delivered, problems = list_delivery(delivery)
    result = Adoption(start_city(folder))
    for problem in problems:
        result.decisions.append(problem)
    for chosen in _one_each(_recognise_all(delivered, result), result):
        _take(chosen, result, crs)
    _find_outline(result)
    _write_catalogue(result)
    _write_rules(result)
    _check(result)
    record = {
        "layers": result._sources,
        "assumed": [str(one) for one in result.assumed],
        "decisions": [str(one) for one in result.decisions],
    }
    write_bytes_atomic(result.folder / RECORD_FILE, json.dumps(record, ensure_ascii=False, indent=1).encode())
    return result


@cache
def _standards() -> dict[str, Any]:
    return tomllib.loads((files("lzgis.city") / "standard_layers.toml").read_text("utf-8"))


@cache
def _templates() -> dict[str, dict[str, Any]]:
    """Return the layers of the reference city: titles, fields, values and styles that hold for any city.

    Their fields have the names in deliveries (`columns`) as well.
    """
    layers: dict[str, dict[str, Any]] = load_toml(reference_city() / CATALOGUE_FILE)["layer"]
    for name in layers.keys() & _standards()["layer"].keys():
        for canonical, more in _standards()["layer"][name].get("columns", {}).items():
            layers[name].setdefault("fields", {}).setdefault(canonical, []).extend(more)
    return layers


# --- recognising -----------------------------------------------------------------------------------------------------


def recognise(layer: DeliveredLayer) -> list[Recognised]:
    """Return what a delivered layer can be; none, one, or several if its names and fields do not decide it.

    A code of a standard (``STBHHX``) counts more than a Chinese title, and both more than the fields.

    Examples
    --------
    >>> def named(name, *fields):
    ...     made = tuple(DeliveredField(one) for one in fields)
    ...     return DeliveredLayer(Path("a.gdb"), name, name, "", "polygon", 1, made)
    >>> from lzgis.reading.deliveries import DeliveredField
    >>> [(one.layer_id, str(one.by)) for one in recognise(named("STBHHX_441882_2023"))]
    [('redline', 'the name STBHHX')]
    >>> [one.layer_id for one in recognise(named("layer1", "HJGKDYBM", "HJGKDYMC"))]
    ['control_units']
    >>> recognise(named("roads2020"))
    []
    """
    texts = (layer.name, layer.alias)
    if any(word in text for text in texts for word in _standards()["not"]):
        return []
    known = [(f"{part}:{name}", one) for part in ("layer", "other") for name, one in _standards()[part].items()]
    for found in (_by_code(layer, known), _by_word(texts, known)):
        if found:
            return [Recognised(name.partition(":")[2], layer, by) for name, by in found.items()]
    by_fields = {
        name: Message("the fields {fields}", fields=", ".join(wanted))
        for name, one in known
        for wanted in one.get("fields", [])
        if set(wanted) <= {name.upper() for name in layer.names}
    }
    return [Recognised(name.partition(":")[2], layer, by) for name, by in by_fields.items()]


def _by_code(layer: DeliveredLayer, known: list[tuple[str, dict[str, Any]]]) -> dict[str, Message]:
    name = layer.name.upper()
    # A code may also be cut by signs, as in ST_BHHX.
    parts = {part.strip("0123456789") for part in re.split(r"[^0-9A-Z]+", name)} | {re.sub(r"[^A-Z]", "", name)}
    return {
        name: Message("the name {code}", code=code)
        for name, one in known
        for code in one.get("codes", [])
        if code in parts
    }


def _by_word(texts: Iterable[str], known: list[tuple[str, dict[str, Any]]]) -> dict[str, Message]:
    """Return what the Chinese titles name; of words that contain each other the longest counts."""
    found: dict[str, str] = {}
    for text in texts:
        for name, one in known:
            for word in one.get("words", []):
                if word in text and len(word) > len(found.get(name, "")):
                    found[name] = word
    longest = max(map(len, found.values()), default=0)
    return {
        name: Message("the title {word}", word=word)
        for name, word in found.items()
        if not any(word in other for other in found.values() if other != word) and len(word) <= longest
    }


def _recognise_all(delivered: list[DeliveredLayer], result: Adoption) -> list[Recognised]:
    """Recognise the layers; list those that are nothing known, or may be several things."""
    chosen = []
    for layer in delivered:
        found = recognise(layer)
        place = _place(layer)
        if not found:
            what = Message("is not recognised ({features} features; fields {names})", features=layer.features,
                           names=", ".join(layer.names[:12]) or "-")  # fmt: skip
            remedy = Message("describe it in {file} if a rule needs it", file=CATALOGUE_FILE)
            result.decide(place, what, remedy)
        elif len(found) > 1:
            what = Message("may be {names}", names=", ".join(one.layer_id for one in found))
            remedy = Message("rename the layer to the one it is, and adopt the delivery again")
            result.decide(place, what, remedy)
        elif layer.features == 0:
            what = Message("is recognised as {id} and has no features", id=found[0].layer_id)
            result.decide(place, what, Message("ask for the data; the layer is left out, so its rules are not checked"))
        else:
            chosen.append(found[0])
    return chosen


def _one_each(recognised: list[Recognised], result: Adoption) -> list[Recognised]:
    """Leave out layers of which a delivery holds several: which of them is in force is not to be guessed."""
    count = Counter(one.layer_id for one in recognised if one.layer_id in _standards()["layer"])
    for name in [name for name, number in count.items() if number > 1]:
        several = [_place(one.source) for one in recognised if one.layer_id == name]
        what = Message("{count} layers are {id}: {names}", count=len(several), id=name, names="; ".join(several))
        remedy = Message("leave the one in force in the delivery, or join them, and adopt it again; none was taken")
        result.decide(CATALOGUE_FILE, what, remedy)
    return [one for one in recognised if count[one.layer_id] < 2]


def _place(layer: DeliveredLayer) -> str:
    return f"{layer.path.name}/{layer.layer}" if layer.layer else layer.path.name


# --- one layer -------------------------------------------------------------------------------------------------------


def _take(chosen: Recognised, result: Adoption, crs: str | None) -> None:
    """Read a recognised layer and write it into the city, or list why that was not done."""
    other = _standards()["other"].get(chosen.layer_id, {})
    if chosen.layer_id in _standards()["other"] and not {"by_digits", "cut"} & set(other):
        what = Message("is recognised by {by} as {id}, which no rule uses", by=chosen.by, id=chosen.layer_id)
        result.assume(
            _place(chosen.source), what, Message("describe it in {file} if a rule needs it", file=CATALOGUE_FILE)
        )
        return
    read = _read(chosen, result, crs)
    if read is None:
        return
    frame, sha256 = read
    if "by_digits" in other:
        recognised = _by_digits(chosen, frame, other["by_digits"], result)
        if recognised is not None:
            _write_layer(recognised, frame, sha256, result)
    elif "cut" in other:
        _cut(chosen, frame, sha256, result)
    else:
        _write_layer(chosen, frame, sha256, result)


def _read(chosen: Recognised, result: Adoption, crs: str | None) -> tuple[gpd.GeoDataFrame, str] | None:
    """Read a layer with its reference system; None, with a decision listed, if that cannot be done without a guess."""
    place = _place(chosen.source)
    try:
        read = read_vector(chosen.source.path, options=ReadOptions(layer=chosen.source.layer))
    except LzgisError as error:
        result.decisions.append(Problem("error", error.place, error.what, error.remedy))
        return None
    frame = read.frame
    for problem in read.problems:
        (result.assumed if problem.level == "note" else result.decisions).append(problem)
    if read.changes:
        what = Message("shapes of {count} rows are not closed", count=sum(len(one.rows) for one in read.changes))
        result.decide(place, what, Message("have them closed where the data are made; the layer is left out"))
        return None
    if frame.crs is None and crs is None:
        what = Message("states no reference system; the layer is left out")
        result.decide(place, what, Message("ask who made it, and adopt again with --crs"))
        return None
    if frame.crs is None:
        frame = frame.set_crs(crs)
        result.assume(place, Message("states no reference system; {crs} is taken", crs=crs), Message("as --crs says"))
    return frame, read.sha256


def _by_digits(
    chosen: Recognised, frame: gpd.GeoDataFrame, rule: Mapping[str, str], result: Adoption
) -> Recognised | None:
    """Distinguish city, townships and villages by the length of their codes; None if it does not decide."""
    column = _column(frame, [rule["field"]])
    lengths = {len(str(value).strip()) for value in frame[column].dropna()} if column else set()
    name = rule.get(str(next(iter(lengths)))) if len(lengths) == 1 else None
    if name is None:
        digits = ", ".join(map(str, sorted(lengths))) or "-"
        what = Message("divisions have codes of {lengths} digits in field '{name}'", lengths=digits, name=rule["field"])
        result.decide(_place(chosen.source), what, Message("give one layer for each level"))
        return None
    if name in result._specs:
        what = Message("is a second layer of {id}; the first is used", id=name)
        result.decide(_place(chosen.source), what, Message("leave one of them in the delivery"))
        return None
    by = Message("{by}, and codes of {count} digits", by=chosen.by, count=next(iter(lengths)))
    return Recognised(str(name), chosen.source, by)


def _cut(chosen: Recognised, frame: gpd.GeoDataFrame, sha256: str, result: Adoption) -> None:
    """Offer the layers that can be cut out of a land survey; whether the city uses them, the office decides."""
    for part in _standards()["other"][chosen.layer_id]["cut"]:
        column = _column(frame, [part["field"]])
        rows = frame[frame[column].astype(str).isin(part["values"])] if column else frame.iloc[:0]
        if not len(rows):
            continue
        source = replace(chosen.source, geometry="polygon", features=len(rows))
        by = Message("{by}, rows with {field} = {values}", by=chosen.by, field=column, values=", ".join(part["values"]))
        _write_layer(Recognised(part["layer"], source, by), rows.reset_index(drop=True), sha256, result, offered=part)


def _column(frame: pd.DataFrame, names: Iterable[str]) -> str | None:
    """Return the first of the columns, ignoring case; a cut name of a shapefile (10 bytes) counts."""
    there = {
        str(name).upper(): str(name) for name in frame.columns if name != getattr(frame, "_geometry_column_name", "")
    }
    for name in names:
        cut = name.encode()[:10].decode("utf-8", "ignore")
        if (found := there.get(name.upper()) or there.get(cut.upper())) is not None:
            return found
    return None


def _write_layer(
    chosen: Recognised,
    frame: gpd.GeoDataFrame,
    sha256: str,
    result: Adoption,
    *,
    offered: Mapping[str, Any] | None = None,
) -> None:
    """Write one layer as GeoParquet and its entry in the catalogue; an offered one only as a comment."""
    name, place = chosen.layer_id, _place(chosen.source)
    template = _templates().get(name, {})
    spec: dict[str, Any] = {key: template[key] for key in _TEMPLATE if key in template}
    spec.setdefault("title", str((offered or {}).get("title") or chosen.source.alias or name))
    if not _right_kind(spec, frame, place, result):
        return
    spec["source"] = f"{name}.parquet"
    frame = _with_ids(spec, template, frame, place, result)
    frame = _name_fields(spec, template, chosen.source, frame, result)
    if str(frame.crs) != "EPSG:4490":
        spec["crs"] = f"EPSG:{frame.crs.to_epsg()}" if frame.crs.to_epsg() else frame.crs.to_wkt()
    for problem in shifted_by_fields(frame.columns, place):
        spec["from"] = "gcj02"
        remedy = Message('it is shifted back by from = "{name}"; look at its place with lzgis layers', name="gcj02")
        assert isinstance(problem.what, Message)
        result.decide(place, problem.what, remedy)
    spec["confidentiality"] = "internal"
    spec["basis"] = f"{place}，sha256 {sha256}"
    if offered is not None and offered["baseline"]:
        spec["baseline"] = offered["baseline"]
    write_atomic(result.folder / spec["source"], frame.to_parquet)
    result._specs[name] = spec | ({"offered": True} if offered is not None else {})
    result._sources[name] = {
        "file": spec["source"], "source": place, "sha256": sha256, "features": len(frame), "by": str(chosen.by),
    }  # fmt: skip
    if offered is not None:
        what = Message("{count} features can serve as layer {id} ({by})", count=len(frame), id=name, by=chosen.by)
        remedy = Message("if so, remove the comment marks of [layer.{id}] in {file}", id=name, file=CATALOGUE_FILE)
        result.decide(place, what, remedy)
        return
    result.layers.append(chosen)
    what = Message("is taken as layer {id}, by {by}", id=name, by=chosen.by)
    result.assume(place, what, Message("correct {file} if it is another", file=CATALOGUE_FILE))
    if spec.get("baseline"):
        what = Message("its geometry is taken as {baseline}, as in the reference city", baseline=spec["baseline"])
        result.decide(place, what, Message("confirm or correct 'baseline': distances are measured from it"))
    if spec.get("baseline") == "centreline" and "half_width_m" not in spec.get("fields", {}):
        what = Message("no field holds half the width: distances from the edge are known only as a band")
        remedy = Message("name it under 'fields' as half_width_m, or give a layer of edges")
        result.decide(place, what, remedy)


def _right_kind(spec: dict[str, Any], frame: gpd.GeoDataFrame, place: str, result: Adoption) -> bool:
    kinds = {2: "polygon", 1: "line", 0: "point"}
    found = {kinds.get(int(one), "other") for one in shapely.get_dimensions(frame.geometry.to_numpy())}
    wanted = spec.get("geometry", "polygon")
    if found <= {wanted, "other"}:
        return True
    what = Message("holds {found}, and the layer is one of {wanted}", found=", ".join(sorted(found)), wanted=wanted)
    result.decide(place, what, Message("ask for the layer with these shapes; this one is left out"))
    return False


def _with_ids(
    spec: dict[str, Any], template: Mapping[str, Any], frame: gpd.GeoDataFrame, place: str, result: Adoption
) -> gpd.GeoDataFrame:
    """Choose the field of ids: complete and without duplicates; without one, rows are numbered in a new field."""
    wanted = [*template.get("fields", {}).get("code", []), *template.get("fields", {}).get("id", []), "BSM", "id"]
    for name in dict.fromkeys(wanted):
        column = _column(frame, [name])
        if column is None or name == "code":
            continue
        text = frame[column].astype("string").str.strip()
        if text.notna().all() and (text != "").all() and text.is_unique:
            spec["id"] = column
            return frame
        what = Message("field '{name}' is empty or repeated in {count} rows", name=column,
                       count=int((text.isna() | (text == "") | text.duplicated(keep=False)).sum()))  # fmt: skip
        result.assume(place, what, Message("it is not used for ids"))
    spec["id"] = "lzgis_row"
    what = Message("no field holds an id for each feature; rows are numbered in '{name}'", name="lzgis_row")
    result.decide(place, what, Message("name a field of ids under 'id': numbers change with the next delivery"))
    return frame.assign(lzgis_row=[str(row + 1) for row in range(len(frame))])


def _name_fields(
    spec: dict[str, Any],
    template: Mapping[str, Any],
    source: DeliveredLayer,
    frame: gpd.GeoDataFrame,
    result: Adoption,
) -> gpd.GeoDataFrame:
    """Find the fields of the layer by names and aliases, and translate their coded values."""
    place = _place(source)
    aliases = {one.alias: one.name for one in source.fields if one.alias}
    codes = {one.name: one.values for one in source.fields if one.values}
    fields: dict[str, list[str]] = {}
    values: dict[str, dict[str, str]] = {}
    used = {spec["id"]}
    correct = Message("correct {file} if it is another", file=CATALOGUE_FILE)
    for canonical, names in template.get("fields", {}).items():
        column = _column(frame, names) or next((aliases[one] for one in names if one in aliases), None)
        if canonical == "id" or column is None:
            continue
        if column in used:
            # The catalogue gives a column one meaning; a second one gets a column of its own.
            frame = frame.assign(**{canonical: frame[column]})
            fields[canonical] = [canonical]
        elif canonical == "name":
            spec["name"] = column
        else:
            fields[canonical] = [column]
        used.add(column)
        what = Message("field '{found}' is taken as {canonical}", found=column, canonical=canonical)
        result.assume(place, what, correct)
        mapped = _values(frame[column], codes.get(column, {}), template.get("values", {}).get(canonical, {}))
        if mapped:
            values[canonical] = mapped
            pairs = "、".join(f"{old}→{new}" for old, new in mapped.items())
            what = Message("values of field '{found}' are read as {pairs}", found=column, pairs=pairs)
            result.assume(place, what, Message("correct 'values' in {file}", file=CATALOGUE_FILE))
    if spec.get("group") and spec["group"] not in fields:
        spec.pop("group")
    spec |= {key: value for key, value in (("fields", fields), ("values", values)) if value}
    missing = [one for one in template.get("fields", {}) if one not in ("id", "name", *fields)]
    if missing:
        there = ", ".join(source.names)
        what = Message("no field was found for {missing}; there are {names}", missing=", ".join(missing), names=there)
        result.assume(place, what, Message("name it under 'fields' in {file} if there is one", file=CATALOGUE_FILE))
    return frame


def _values(column: pd.Series, meanings: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a column that stand for others: by the file's own coded values, then as in the reference city."""
    mapped = {}
    for value in sorted({str(one) for one in column.dropna()}):
        meaning = meanings.get(value, value)
        meaning = known.get(meaning, meaning)
        if meaning != value:
            mapped[value] = meaning
    return mapped


# --- the whole city --------------------------------------------------------------------------------------------------


def _find_outline(result: Adoption) -> None:
    """Take the outline of the city as delivered, or the union of its townships; otherwise the office must give it."""
    folder = result.folder
    if _OUTLINE in result._specs:
        frame = gpd.read_parquet(folder / result._specs[_OUTLINE]["source"])
    elif "townships" in result._specs:
        towns = result._specs["townships"]
        frame = gpd.read_parquet(folder / towns["source"])
        whole = gpd.GeoDataFrame(
            {"id": ["city"]}, geometry=[shapely.union_all(frame.geometry.to_numpy())], crs=frame.crs
        )
        write_atomic(folder / "city.parquet", whole.to_parquet)
        template = {key: value for key, value in _templates()[_OUTLINE].items() if key in _TEMPLATE}
        crs = {"crs": towns["crs"]} if "crs" in towns else {}
        result._specs[_OUTLINE] = template | {"source": "city.parquet", "id": "id", "basis": towns["basis"]} | crs
        what = Message("is the union of the {count} townships: the delivery has no outline", count=len(frame))
        result.decide("city.parquet", what, Message("replace it by the outline in force"))
    else:
        template = {key: value for key, value in _templates()[_OUTLINE].items() if key in _TEMPLATE}
        result._specs[_OUTLINE] = template | {"source": "city.gpkg", "id": "XZQDM", "name": "XZQMC"}
        what = Message("the delivery has no outline of the city, and no townships")
        result.decide(
            CATALOGUE_FILE, what, Message("put one into the folder as city.gpkg: nothing can be screened without it")
        )
        return
    _name_city(frame, result)


def _name_city(frame: gpd.GeoDataFrame, result: Adoption) -> None:
    """Take the area code, and the name if there is one outline with a name."""
    column = _column(frame, ["XZQDM", "adcode"])
    codes = {str(value)[:6] for value in frame[column].dropna()} if column else set()
    if len(codes) == 1 and re.fullmatch(r"\d{6}", code := next(iter(codes))):
        result._city["adcode"] = code
        what = Message("the area code is {code}, as in the data", code=code)
        result.assume(CATALOGUE_FILE, what, Message("correct 'adcode' if it is another"))
    column = _column(frame, ["XZQMC", "name"])
    if column and len(frame) == 1:
        result._city["name"] = str(frame[column].iloc[0])
    elif (name := _named_elsewhere(result)) is not None:
        result._city["name"] = name
        what = Message("the name of the city is '{name}', as other layers state beside its code", name=name)
        result.assume(CATALOGUE_FILE, what, Message("correct 'name' if it is another"))
    else:
        result.decide(
            CATALOGUE_FILE, Message("the name of the city is not in the data"), Message("write it under 'name'")
        )
    dates = Message("date, version and status of the data are not in the delivery; 'in-force' is taken")
    result.decide(CATALOGUE_FILE, dates, Message("write 'date', 'version' and 'status' of each layer"))
    secret = Message("every layer is taken as internal")
    result.assume(
        CATALOGUE_FILE, secret, Message("write 'public' or 'confidential' under 'confidentiality' where that holds")
    )


def _named_elsewhere(result: Adoption) -> str | None:
    """Return the one name that layers state in rows with the area code of the city; None without one."""
    names: set[str] = set()
    for spec in result._specs.values():
        path = result.folder / spec["source"]
        # The outline of the new city may still be missing.
        frame = gpd.read_parquet(path) if path.suffix == ".parquet" else pd.DataFrame()
        code, name = _column(frame, ["XZQDM"]), _column(frame, ["XZQMC"])
        if code is not None and name is not None:
            rows = frame[code].astype("string").str.strip() == result._city.get("adcode", "")
            names |= {str(one).strip() for one in frame.loc[rows.fillna(False), name].dropna()}
    return names.pop() if len(names) == 1 else None


def _write_catalogue(result: Adoption) -> None:
    lines = [
        "# Written by 'lzgis adopt'. README.md says what each key means; adopted.json lists sources, assumptions and decisions.",
        "[city]",
        f"name = {_toml(result._city.get('name', ''))}",
        f"adcode = {_toml(result._city.get('adcode', ''))}",
        f"outline = {_toml(_OUTLINE)}",
        'rules = "rules.toml"',
        'notice = ""',
    ]
    known = [_OUTLINE, *_templates()]
    for name in sorted(result._specs, key=lambda name: known.index(name) if name in known else len(known)):
        spec = dict(result._specs[name])
        mark = "# " if spec.pop("offered", False) else ""
        lines += ["", f"{mark}[layer.{name}]"]
        lines += [f"{mark}{key} = {_toml(value)}" for key, value in spec.items()]
    write_bytes_atomic(result.folder / CATALOGUE_FILE, ("\n".join(lines) + "\n").encode())


def _toml(value: Any) -> str:
    """Return a value as TOML: texts, numbers, truth values, lists and inline tables."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(str(key))} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _write_rules(result: Adoption) -> None:
    """Extend the rule book of the province, if one comes with lzgis."""
    path = result.folder / "rules.toml"
    book = _BOOKS.get(result._city.get("adcode", "")[:2])
    text = path.read_text("utf-8")
    if book is not None:
        text = text.replace('extends = ["national"]\n', f'extends = ["{book}"]\n')
        write_bytes_atomic(path, text.encode())
        what = Message("extends the rule book '{book}', by the area code", book=book)
        result.assume("rules.toml", what, Message("add the rules of the city's own plans"))
    else:
        result.decide(
            "rules.toml", Message("extends the national rules only"), Message("add the rules of province and city")
        )
    what = Message("holds example rules of a city: the corridor of 20 m and the headings of the lists")
    result.decide("rules.toml", what, Message("compare them with the city's own documents"))


def _check(result: Adoption) -> None:
    """Open the city as it is now and list what its rules miss."""
    try:
        city = open_catalogue(result.folder)
    except LzgisError as error:
        result.decisions.append(Problem("error", error.place, error.what, error.remedy))
        return
    loaded = {}
    if city.exists(_OUTLINE):
        loaded = {name: layer for name in city.layers if (layer := _check_layer(city, name, result)) is not None}
    for problem in missing_for_screen(city, loaded, dt.date.today()):
        # A missing outline is in the list already.
        if problem.level != "error" or loaded:
            (result.assumed if problem.level == "note" else result.decisions).append(problem)


def _check_layer(city: Catalogue, name: str, result: Adoption) -> Layer | None:
    """Load a layer and list its problems; None if it cannot be loaded."""
    try:
        loaded = city.load(name)
    except LzgisError as error:
        result.decisions.append(Problem("error", error.place, error.what, error.remedy))
        return None
    for problem in loaded.problems:
        (result.assumed if problem.level == "note" else result.decisions).append(problem)
    return loaded.layer
