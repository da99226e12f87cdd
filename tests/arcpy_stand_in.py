"""A stand-in for arcpy, for the tests alone: the few calls of the toolbox, on files that GDAL reads and writes.

It says nothing about how ArcGIS behaves; it holds the toolbox to the names and arguments of arcpy's documentation.
"""

# ruff: noqa: N803, N815 (names of arcpy)
from __future__ import annotations

import inspect
import re
import types
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely.geometry


class Filter:
    def __init__(self) -> None:
        self.type, self.list = "", []


class Parameter:
    def __init__(self, *, displayName: str, name: str, datatype: str, parameterType: str, direction: str,
                 multiValue: bool = False) -> None:  # fmt: skip
        assert parameterType in ("Required", "Optional", "Derived")
        assert direction in ("Input", "Output")
        self.displayName, self.name, self.datatype = displayName, name, datatype
        self.parameterType, self.direction, self.multiValue = parameterType, direction, multiValue
        self.filter, self.parameterDependencies = Filter(), []
        self.value: Any = None
        self.values: list[Any] = []

    @property
    def valueAsText(self) -> str | None:
        return None if self.value is None else str(self.value)


class ExecuteError(Exception):
    pass


class Messages:
    def __init__(self) -> None:
        self.messages: list[str] = []
        self.errors: list[str] = []

    def addMessage(self, text: str) -> None:
        self.messages.append(text)

    addWarningMessage = addMessage

    def addErrorMessage(self, text: str) -> None:
        self.errors.append(text)


def _read(path: Any) -> gpd.GeoDataFrame:
    folder, name = Path(str(path)).parent, Path(str(path)).name
    return pyogrio.read_dataframe(folder, layer=name) if folder.suffix == ".gdb" else pyogrio.read_dataframe(path)


def _write(frame: gpd.GeoDataFrame, path: Any) -> None:
    pyogrio.write_dataframe(frame, Path(path).parent, layer=Path(path).name, driver="OpenFileGDB")


class _System(types.SimpleNamespace):
    pass


def make() -> types.ModuleType:
    """Return a new module `arcpy`; `progress` holds the positions, `copied` the shapes of CopyFeatures."""
    arcpy: Any = types.ModuleType("arcpy")
    arcpy.Parameter, arcpy.ExecuteError = Parameter, ExecuteError
    arcpy.env = types.SimpleNamespace(isCancelled=False)
    arcpy.progress, arcpy.copied = [], {}

    def set_progressor(kind: str, message: str, low: int, high: int, step: int) -> None:
        assert (kind, low, high, step) == ("step", 0, 100, 1)

    def describe(layer: Any) -> Any:
        crs = _read(layer).crs
        code = 0 if crs is None else crs.to_epsg()
        return types.SimpleNamespace(spatialReference=_System(factoryCode=code))

    def add_field(table: str, name: str, kind: str, *, field_length: int) -> None:
        assert kind == "TEXT"
        _write(_read(table).assign(**{name: None}), table)

    def calculate(table: str, name: str, expression: str, kind: str, code: str = "") -> None:
        assert kind == "PYTHON3"
        frame = _read(table)
        scope: dict[str, Any] = {}
        exec(code, scope)

        def value(row: Any) -> Any:
            fields = {f"f{i}": row[one] for i, one in enumerate(re.findall("!(.+?)!", expression))}
            fields = {key: None if pd.isna(one) else one for key, one in fields.items()}
            numbered = iter(range(len(fields)))
            text = re.sub("!(.+?)!", lambda _: f"f{next(numbered)}", expression)
            return eval(text, scope, fields)

        _write(frame.assign(**{name: [value(row) for _, row in frame.iterrows()]}), table)

    class SearchCursor:
        def __init__(self, table: str, names: list[str]) -> None:
            self._rows = _read(table)[names].itertuples(index=False, name=None)

        def __enter__(self) -> Any:
            return self._rows

        def __exit__(self, *_: object) -> None:
            pass

    def create(folder: str, name: str) -> None:
        assert Path(folder).is_dir()
        assert name.endswith(".gdb")

    def copy(shapes: list[Any], path: str) -> None:
        arcpy.copied[path] = shapes

    def list_fields(table: str) -> list[Any]:
        return [types.SimpleNamespace(name=one) for one in _read(table).columns]

    arcpy.SetProgressor, arcpy.SetProgressorPosition = set_progressor, arcpy.progress.append
    arcpy.ResetProgressor, arcpy.Describe, arcpy.ListFields = lambda: None, describe, list_fields
    arcpy.AsShape = lambda shape, is_esri: shapely.geometry.shape(shape)
    arcpy.SpatialReference = lambda code: _System(factoryCode=code)
    arcpy.da = types.SimpleNamespace(SearchCursor=SearchCursor)
    arcpy.conversion = types.SimpleNamespace(
        FeatureClassToFeatureClass=lambda layer, out, name: _write(_read(layer), Path(out) / name)
    )
    arcpy.management = types.SimpleNamespace(
        AddField=add_field,
        CalculateField=calculate,
        CopyFeatures=copy,
        CreateFileGDB=create,
        DefineProjection=lambda path, system: inspect.getattr_static(system, "factoryCode"),
    )
    return arcpy
