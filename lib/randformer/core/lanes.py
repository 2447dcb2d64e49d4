"""Vectors of LANES floats for compiled code, as numba has none: what a processor's registers for such hold.

A kernel computes so many things of one kind side by side, one in each lane. All is done lane by lane, in the order in
which it stands: no lane hears of another, and on one machine the numbers are always the same. In memory a number of
every lane is a row of LANES floats of a flat array.
"""

from math import erf, log, sqrt

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model
from numpy.polynomial import chebyshev

LANES = 16
LOG2E = np.float32(1 / log(2))
FLAT = 5.4  # the normal distribution function is 0 or 1 to single precision beyond


def polynomial(function, degree: int) -> tuple[np.float32, ...]:
    """Coefficients, the highest first, of a function on [-1, 1]."""
    series = chebyshev.chebinterpolate(np.vectorize(function), degree)
    return tuple(chebyshev.cheb2poly(series).astype(np.float32)[::-1])


def bell(s: float) -> float:
    """(Phi(x) - 1/2) / x, an even function of x, where s goes from -1 to 1 as x^2 does from 0 to FLAT^2."""
    x = FLAT * sqrt(max(s + 1, 1e-12) / 2)
    return erf(x / sqrt(2)) / (2 * x)


BELL = polynomial(bell, 14)
POWER = polynomial(lambda f: 2 ** (f / 2), 6)  # of 2f


# A vector of LANES floats, as numba has none


class Vector(types.Type):
    """The type of LANES floats in a register."""


VECTOR = Vector("Vector")
NOTHING = ir.FloatType()(-np.inf)
FLOATS, WHOLE = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(32), LANES)


@register_model(Vector)
class _(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, FLOATS)


def splat(builder, value: ir.Value) -> ir.Value:
    """A scalar in every lane."""
    single = builder.insert_element(ir.Constant(FLOATS, ir.Undefined), value, ir.IntType(32)(0))
    return builder.shuffle_vector(single, single, ir.Constant(WHOLE, [0] * LANES))


def address(context, builder, array_type, array, index) -> ir.Value:
    """Of an element of a contiguous array; a negative index is none."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


@intrinsic
def load(typing, array, index):
    """The LANES floats from array[index] on."""

    def emit(context, builder, signature, values):
        at = address(context, builder, signature.args[0], *values)
        return builder.load(builder.bitcast(at, FLOATS.as_pointer()), align=4)

    return VECTOR(array, types.intp), emit


@intrinsic
def store(typing, array, index, vector):
    """Write them there."""

    def emit(context, builder, signature, values):
        at = address(context, builder, signature.args[0], *values[:2])
        builder.store(values[2], builder.bitcast(at, FLOATS.as_pointer()), align=4)

    return types.void(array, types.intp, VECTOR), emit


@intrinsic
def spread(typing, array, index):
    """array[index] in every lane."""

    def emit(context, builder, signature, values):
        return splat(builder, builder.load(address(context, builder, signature.args[0], *values)))

    return VECTOR(array, types.intp), emit


@intrinsic
def get(typing, array, index):
    """array[index], of an index that is not negative: numba's own access looks whether it is."""

    def emit(context, builder, signature, values):
        return builder.load(address(context, builder, signature.args[0], *values))

    return array.dtype(array, types.intp), emit


@intrinsic
def put(typing, array, index, value):
    """array[index] = value, likewise."""

    def emit(context, builder, signature, values):
        builder.store(values[2], address(context, builder, signature.args[0], *values[:2]))

    return types.void(array, types.intp, array.dtype), emit


@intrinsic
def everywhere(typing, value):
    """A number in every lane."""
    return VECTOR(types.float32), lambda context, builder, signature, values: splat(builder, *values)


def operation(count: int, emit):
    """What the processor does with so many vectors, lane by lane."""

    def code(context, builder, signature, values):
        return emit(builder, *values)

    if count == 1:
        return intrinsic(lambda typing, a: (VECTOR(VECTOR), code))
    if count == 2:
        return intrinsic(lambda typing, a, b: (VECTOR(VECTOR, VECTOR), code))
    return intrinsic(lambda typing, a, b, c: (VECTOR(VECTOR, VECTOR, VECTOR), code))


def of_llvm(name: str, count: int):
    """An operation that LLVM has a name for."""

    def emit(builder, *values):
        kind = ir.FunctionType(FLOATS, [FLOATS] * count)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32"), values)

    return operation(count, emit)


def exponent(builder, n):
    """2^n of whole n from -127 on, which is 0, made of the bits that a float has for its exponent."""
    biased = builder.add(builder.fptosi(n, WHOLE), ir.Constant(WHOLE, [127] * LANES))
    return builder.bitcast(builder.shl(biased, ir.Constant(WHOLE, [23] * LANES)), FLOATS)


multiply_add, rounded, root = of_llvm("fma", 3), of_llvm("rint", 1), of_llvm("sqrt", 1)
two_to_the = operation(1, exponent)
larger = operation(2, lambda b, x, y: b.select(b.fcmp_ordered(">", x, y), x, y))
smaller = operation(2, lambda b, x, y: b.select(b.fcmp_ordered("<", x, y), x, y))
masked = operation(3, lambda b, x, t, last: b.select(b.fcmp_ordered("<=", t, last), x, splat(b, NOTHING)))
plus, minus = operation(2, lambda b, x, y: b.fadd(x, y)), operation(2, lambda b, x, y: b.fsub(x, y))
times, over = operation(2, lambda b, x, y: b.fmul(x, y)), operation(2, lambda b, x, y: b.fdiv(x, y))


# Arrays are made outside and outlive the call: not to count who refers to them saves a fourth of the time. A division
# by 0 is none of Python's errors. What is compiled is called by compiled functions only.
HOW = {"_nrt": False, "error_model": "numpy"}
compiled = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **HOW)


@compiled
def exp(x):
    """e^x of x <= 0, 0 below -88."""
    x = larger(times(x, everywhere(LOG2E)), everywhere(np.float32(-127)))
    whole = rounded(x)
    f = minus(x, whole)
    f = plus(f, f)  # from -1 to 1
    y = everywhere(POWER[0])
    for c in POWER[1:]:
        y = multiply_add(y, f, everywhere(c))
    return times(y, two_to_the(whole))


@compiled
def gelu(x):
    """x Phi(x), exact to single precision."""
    near = larger(smaller(x, everywhere(np.float32(FLAT))), everywhere(np.float32(-FLAT)))
    s = multiply_add(times(near, near), everywhere(np.float32(2 / FLAT**2)), everywhere(np.float32(-1)))
    y = everywhere(BELL[0])
    for c in BELL[1:]:
        y = multiply_add(y, s, everywhere(c))
    return times(x, multiply_add(near, y, everywhere(np.float32(0.5))))


@compiled
def clear(y, rows):
    """Rows of y, all 0."""
    for i in range(rows):
        store(y, i * LANES, everywhere(np.float32(0)))
