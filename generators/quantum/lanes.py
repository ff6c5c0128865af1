# ruff: noqa: ANN001, ANN202, ARG001, PLW0108 - numba reads names, hints and lambdas
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, untyped-decorator"
"""Sixteen numbers side by side as one value of a compiled kernel.

In a plain loop over sixteen rows the compiler cannot know that a store leaves the coefficients
alone, so it reads them again for every amplitude. A `Lanes` value is a machine register (or a few,
on narrow machines): what a kernel has loaded stays loaded, and several gates act on an amplitude
between one load and one store.

Everything here is meant for functions compiled by numba and does nothing outside them.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, cast

from llvmlite import ir
from numba import njit, types
from numba.core.extending import intrinsic, models, overload, register_model

if TYPE_CHECKING:
    from collections.abc import Callable

    Kernel = Callable[..., Any]

LANES = 16


class Lanes(types.Type):
    """The type of sixteen numbers of one floating-point kind."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    """How the type looks to LLVM: a vector."""

    def __init__(self, manager: Any, lanes: Any) -> None:
        element = manager.lookup(lanes.dtype).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(element, LANES))


def compiled(function: Kernel) -> Kernel:
    """Compile a function that other compiled functions call."""
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("Kernel", njit(nogil=True, **options)(function))


def entry(function: Kernel) -> Kernel:
    """Compile a function that Python calls, keeping it on disk where the disk allows it.

    The cache looks at the file of the function alone: after a change to what it calls, touch it.
    """
    try:
        return cast("Kernel", njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder for the cache can be written
        return cast("Kernel", njit(nogil=True)(function))


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    offset = builder.mul(args[1], ir.Constant(args[1].type, LANES))
    first = builder.gep(array.data, [offset])
    return builder.bitcast(first, ir.PointerType(ir.VectorType(first.type.pointee, LANES)))


@intrinsic
def load(typing: Any, array: Any, index: Any) -> Any:
    """Return the lanes number `index` of a flat array; nothing checks the bounds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_place(context, builder, signature, args))
        value.align = array.dtype.bitwidth // 8
        return value

    return Lanes(array.dtype)(array, types.intp), generate


@intrinsic
def store(typing: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Write the lanes number `index` of a flat array; nothing checks the bounds."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _place(context, builder, signature, args)
        builder.store(args[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic
def fill(typing: Any, number: Any) -> Any:
    """Return lanes that all hold one number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        i32 = ir.IntType(32)
        nothing = ir.Constant(context.get_value_type(signature.return_type), ir.Undefined)
        first = builder.insert_element(nothing, args[0], ir.Constant(i32, 0))
        everywhere = ir.Constant(ir.VectorType(i32, LANES), [0] * LANES)
        return builder.shuffle_vector(first, nothing, everywhere)

    return Lanes(number)(number), generate


@intrinsic(prefer_literal=True)
def swap(typing: Any, lanes: Any, bit: Any) -> Any:
    """Return the lanes with each one exchanged with the lane that differs in one bit."""
    places = [lane ^ bit.literal_value for lane in range(LANES)]

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        nothing = ir.Constant(args[0].type, ir.Undefined)
        order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), places)
        return builder.shuffle_vector(args[0], nothing, order)

    return lanes(lanes, bit), generate


def _arithmetic(instruction: str) -> Any:
    @intrinsic
    def act(typing: Any, x: Any, y: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            # `contract` lets a product and a sum become one instruction.
            return getattr(builder, instruction)(*args, flags=("contract",))

        return x(x, y), generate

    return act


_add, _subtract, _multiply = (_arithmetic(name) for name in ("fadd", "fsub", "fmul"))


@overload(operator.add)
def _overload_add(x, y):
    if isinstance(x, Lanes) and isinstance(y, Lanes):
        return lambda x, y: _add(x, y)
    return None


@overload(operator.sub)
def _overload_subtract(x, y):
    if isinstance(x, Lanes) and isinstance(y, Lanes):
        return lambda x, y: _subtract(x, y)
    return None


@overload(operator.mul)
def _overload_multiply(x, y):
    if isinstance(x, Lanes) and isinstance(y, Lanes):
        return lambda x, y: _multiply(x, y)
    return None
