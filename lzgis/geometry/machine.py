"""The loops as machine code: made once by numba, used later without it.

numba needs half a second to be imported and to find its compiled functions again. What it compiles is LLVM code; all of
it behind one entry, linked into one object, is loaded by llvmlite in hundredths of a second. The object holds the same
instructions, so the answers are the same bytes.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lzgis.geometry.answers import Areas, Distances, Measured
from lzgis.geometry.calls import Array, Call, Kind, Number, Several, kind_of, plain
from lzgis.geometry.chains import Chains
from lzgis.geometry.compiled import fresh, sources
from lzgis.geometry.layerindex import LayerIndex

#: What compiled loops call to have and to give back memory, in the layout that numba's arrays have.
_MEMORY = """
%Info = type { i64, ptr, ptr, ptr, i64, ptr }
declare ptr @malloc(i64)
declare void @free(ptr)

define ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %align) {
  %wide = zext i32 %align to i64
  %head = add i64 %size, 48
  %room = add i64 %head, %wide
  %info = call ptr @malloc(i64 %room)
  %none = icmp eq ptr %info, null
  br i1 %none, label %done, label %fill
fill:
  %address = ptrtoint ptr %info to i64
  %after = add i64 %address, 47
  %far = add i64 %after, %wide
  %rest = urem i64 %far, %wide
  %start = sub i64 %far, %rest
  %data = inttoptr i64 %start to ptr
  store %Info zeroinitializer, ptr %info
  store i64 1, ptr %info
  %data.at = getelementptr %Info, ptr %info, i64 0, i32 3
  store ptr %data, ptr %data.at
  %size.at = getelementptr %Info, ptr %info, i64 0, i32 4
  store i64 %size, ptr %size.at
  br label %done
done:
  ret ptr %info
}

define void @NRT_MemInfo_call_dtor(ptr %info) {
  call void @free(ptr %info)
  ret void
}
"""
#: All that the object may need from elsewhere: the C library.
_OUTSIDE = {"malloc", "free", "memcpy", "memset", "memmove", "hypot", "sqrt", "floor"}
_ENTRY = "lzgis_measure_piece"

_Call = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_double
)


def identity() -> str:
    """Name the code and the processor that machine code is for.

    Examples
    --------
    >>> identity() == identity(), len(identity())
    (True, 64)
    """
    import llvmlite
    import llvmlite.binding as llvm

    parts = [sources(), llvmlite.__version__, llvm.get_default_triple(), llvm.get_host_cpu_name()]
    return hashlib.sha256("\n".join([*parts, llvm.get_host_cpu_features().flatten()]).encode()).hexdigest()


def machine_code() -> bytes:
    """Compile all loops behind the one entry that measures and return one object; takes about half a minute.

    Raises
    ------
    ValueError
        If numba made something that cannot stand alone.
    """
    from numba import types

    from lzgis.geometry.entry import measure_piece

    return _object({_ENTRY: _compiled(measure_piece, (types.int64, types.int64, types.float64))})


def loops_code() -> tuple[bytes, str]:
    """Compile the loops of `lzgis.geometry.loops` and return one object, and what each takes and gives, as JSON.

    Takes about half a minute, a third of that where numba has kept them.

    Raises
    ------
    ValueError
        If numba made something that cannot stand alone.
    """
    import numba

    from lzgis.geometry.loops import examples

    typeof: Any = numba.typeof

    made, told = {}, {}
    for loop, arguments in examples():
        name = f"{loop.__module__}.{getattr(loop, '__name__', '')}"
        made[name] = _compiled(loop, tuple(typeof(one) for one in arguments))
        takes, gives = made[name].signature.args, made[name].signature.return_type
        told[name] = [plain(Several(tuple(map(_kind, takes)))), plain(_kind(gives))]
    return _object(made), json.dumps(told)


def _compiled(loop: Callable[..., Any], types: tuple[Any, ...]) -> Any:
    made = fresh(loop)
    made.compile(types)
    (one,) = made.overloads.values()
    return one


def _kind(numba_type: Any) -> Kind:
    """Tell what numba's name for a type says."""
    from numba import types

    if isinstance(numba_type, types.Array) and numba_type.layout == "C":
        return Array(str(np.dtype(str(numba_type.dtype))), numba_type.ndim)
    if isinstance(numba_type, types.BaseTuple):
        named, parts = getattr(numba_type, "instance_class", None), getattr(numba_type, "types", ())
        where = f"{named.__module__}:{named.__name__}" if named is not None and named is not tuple else ""
        return Several(tuple(map(_kind, parts)), where)
    if numba_type in (types.int64, types.float64):
        return Number(str(numba_type))
    raise ValueError(f"{numba_type} does not go in or out of machine code")


def _object(made: Mapping[str, Any]) -> bytes:
    """Link compiled functions, with everything below them, into one object in which only they have names."""
    import llvmlite.binding as llvm

    target = _target(llvm)
    module = None
    for name, one in made.items():
        part = llvm.parse_assembly(one.library.get_llvm_str())
        for function in part.functions:
            if function.name == one.fndesc.llvm_func_name:
                function.name = name
            elif not function.is_declaration:
                function.linkage = "internal"
        if module is None:
            module = part
        else:
            module.link_in(part)
    assert module is not None
    memory = f'target triple = "{module.triple}"\ntarget datalayout = "{module.data_layout}"\n' + _MEMORY
    module.link_in(llvm.parse_assembly(memory))
    for function in module.functions:
        if function.name not in made and not function.is_declaration:
            function.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options()))
    called = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")}
    if called - _OUTSIDE:
        raise ValueError(f"the compiled loops call {', '.join(sorted(called - _OUTSIDE))}")
    return bytes(target.emit_object(module))


def _target(llvm: Any) -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_default_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="default",
        codemodel="jitdefault",
    )


def loops(code: bytes, told: str) -> dict[str, Call]:
    """Load the loops that screening calls, by module and name.

    Parameters
    ----------
    code : bytes
        As from `loops_code`, made for this processor.
    told : str
        What each takes and gives, as from there.

    Raises
    ------
    ValueError
        If the C library lacks a function that the code calls, or the code lacks a loop.
    """
    engine = _engine(code)
    release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_c_library()["free"])
    made = {}
    for name, (takes, gives) in json.loads(told).items():
        arguments = kind_of(takes)
        assert isinstance(arguments, Several)
        made[name] = Call(_address(engine, name), arguments, kind_of(gives), release, engine)
    return made


def _engine(code: bytes) -> Any:
    """Load an object; whoever calls what is in it must keep the engine, which owns the memory that the code lies in."""
    import llvmlite.binding as llvm

    target = _target(llvm)
    for name, address in _c_library().items():
        llvm.add_symbol(name, address)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def _address(engine: Any, name: str) -> int:
    address = int(engine.get_function_address(name))
    if not address:
        raise ValueError(f"the code lacks {name}")
    return address


class Machine:
    """The loops, loaded from machine code; may be used by several threads at once.

    Parameters
    ----------
    code : bytes
        As from `machine_code`, made for this processor.

    Raises
    ------
    ValueError
        If the C library lacks a function that the code calls.
    """

    def __init__(self, code: bytes) -> None:
        self._engine = _engine(code)
        self._call = _Call(_address(self._engine, _ENTRY))

    def measure(self, chain: Chains, layers: Sequence[LayerIndex], run_length: float) -> list[Measured]:
        """Measure all sites of `chain` against each layer: as `lzgis.geometry.pairs.against_layer`, byte for byte.

        Raises
        ------
        ValueError
            If a site spans too many cells of a grid.
        """
        n = len(chain.owner_start) - 1
        room = 4 * n + 64
        while True:
            out = [_room(n, room) for _ in layers]
            rows = [_rows(chain)]
            for layer, filled in zip(layers, out, strict=True):
                rows += [layer.table, _rows(filled)]
            table = np.concatenate(rows)
            most, trouble = ctypes.c_int64(0), ctypes.c_void_p()
            done = self._call(
                ctypes.byref(most), ctypes.byref(trouble), table.ctypes.data, len(layers), float(run_length)
            )
            if done:
                raise ValueError("a geometry spans too many cells of the grid: a larger cell is needed")
            if most.value <= room:
                return [_measured(filled) for filled in out]
            room = most.value


def _c_library() -> dict[str, int]:
    """Look up what the object needs of the C library."""
    windows = sys.platform == "win32"
    library = ctypes.CDLL("ucrtbase" if windows else None)
    # memcpy and its kin stand in a library of their own on Windows.
    beside = ctypes.CDLL("vcruntime140") if windows else library
    found = {}
    for name in sorted(_OUTSIDE):
        where = library if hasattr(library, name) else beside
        if not hasattr(where, name):
            raise ValueError(f"the C library lacks {name}")
        found[name] = int(ctypes.cast(getattr(where, name), ctypes.c_void_p).value or 0)
    return found


def _rows(arrays: Iterable[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    return np.array([(a.ctypes.data, a.size) for a in arrays], dtype=np.int64)


def _room(n: int, pairs: int) -> list[npt.NDArray[Any]]:
    whole = [np.empty(1, np.int64), np.empty(pairs, np.int64), np.empty(pairs, np.int64)]
    return [
        *whole,
        np.empty(pairs),
        np.empty(pairs, np.int64),
        np.empty(n, np.int64),
        np.empty(n),
        np.empty(n, np.int64),
    ]


def _measured(filled: list[npt.NDArray[Any]]) -> Measured:
    count = int(filled[0][0])
    left, right, area, undecided = (values[:count].copy() for values in filled[1:5])
    areas = Areas(left, right, area, undecided.astype(bool))
    return Measured(areas, Distances(filled[5], filled[6], filled[7].astype(bool)))
