"""How inner loops are compiled: as a part of the loops that call them, not by themselves.

numba optimises every function, makes machine code of it and an entry for Python, before it inlines the function into those that
call it, and does all of this again there. Nobody calls an inner loop but other loops, so the first part is wasted.
Here an inner loop stays in LLVM's intermediate representation until it is a part of a loop that Python calls.

Source: "Customizing the Compiler" in numba's documentation for developers.
"""

# numba has no types here.
# mypy: allow-untyped-calls

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import IRLegalization, NativeLowering


class InnerCompiler(CompilerBase):
    """numba's compiler without what an inner loop does not need."""

    def define_pipelines(self) -> list[Any]:
        """Return numba's own passes, with one before and one after that which writes the intermediate representation."""
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state)
        manager.add_pass_after(_UnfinishedLibrary, IRLegalization)
        manager.add_pass_after(_Registration, NativeLowering)
        manager.finalize()
        return [manager]


class _Library(JITCodeLibrary):
    """Code to be linked into other code: neither optimised nor made into machine code."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True


@register_pass(mutates_CFG=False, analysis_only=False)
class _UnfinishedLibrary(LoweringPass):
    _name = "lzgis_unfinished_library"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        state.library = _Library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        return True


@register_pass(mutates_CFG=False, analysis_only=False)
class _Registration(LoweringPass):
    """Registers the code of an inner loop, so that others find it."""

    _name = "lzgis_registration"

    def __init__(self) -> None:
        super().__init__()

    def run_pass(self, state: Any) -> bool:
        lowered = state["cr"]
        state.library.finalize()
        # numba finds code by the function that Python would call.
        key = partial(_refuse, state.func_id.func_qualname)
        state.targetctx.insert_user_function(key, lowered.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = lowered._replace(cfunc=key)
        return True


def _refuse(name: str, *_: object) -> NoReturn:
    raise TypeError(f"{name} is an inner loop: only other loops call it")


def only_for_loops(compiled: Any) -> None:
    """Register the code of an inner loop with other loops alone: there is nothing that Python could call."""

    def add_overload(result: Any) -> None:
        compiled.overloads[tuple(result.signature.args)] = result

    compiled.add_overload = add_overload


def without_literals(compiled: Any) -> None:
    """Compile a loop for types, not for values: once for an integer, rather than again where a caller starts with 0."""
    template = compiled.get_call_template

    def get_call_template(args: Any, kws: Any) -> Any:
        return template(tuple(map(types.unliteral, args)), {key: types.unliteral(one) for key, one in kws.items()})

    compiled.get_call_template = get_call_template
