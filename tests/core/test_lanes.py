import math

import numpy as np
import pytest
from numba import njit

from randformer.core.lanes import (
    HOW,
    LANES,
    clear,
    exp,
    gelu,
    get,
    larger,
    load,
    masked,
    minus,
    multiply_add,
    over,
    plus,
    put,
    root,
    smaller,
    spread,
    store,
    times,
)


@njit(**HOW)
def each(x, y, out):
    """Row by row of out: what is done with x and y (L,)."""
    a, b = load(x, 0), load(y, 0)
    store(out, 0, plus(a, b))
    store(out, LANES, minus(a, b))
    store(out, 2 * LANES, times(a, b))
    store(out, 3 * LANES, over(a, b))
    store(out, 4 * LANES, larger(a, b))
    store(out, 5 * LANES, smaller(a, b))
    store(out, 6 * LANES, multiply_add(a, b, spread(x, 2)))
    store(out, 7 * LANES, root(times(a, a)))
    store(out, 8 * LANES, masked(a, b, spread(y, 3)))
    clear(out[9 * LANES :], 1)
    put(out, 9 * LANES + 1, get(x, 5))


@njit(**HOW)
def functions(x, powers, bells):
    for i in range(0, len(x), LANES):
        store(powers, i, exp(load(x, i)))
        store(bells, i, gelu(load(x, i)))


def test_lane_by_lane_it_is_what_numpy_does():
    x, y = np.random.default_rng(0).normal(size=(2, LANES)).astype(np.float32)
    out = np.full((10, LANES), np.nan, np.float32)
    each(x, y, out.ravel())
    exact = x.astype(float) * y + x[2]  # rounded once
    expected = [x + y, x - y, x * y, x / y, np.maximum(x, y), np.minimum(x, y), exact.astype(np.float32), abs(x)]
    assert np.array_equal(out[:8], expected)
    assert np.array_equal(out[8], np.where(y <= y[3], x, -np.inf))
    assert out[9].tolist() == [0, x[5], *[0] * (LANES - 2)]


def test_exp_and_gelu_are_exact_to_single_precision():
    x = -np.linspace(0, 100, 64 * LANES, dtype=np.float32)
    powers, bells = np.empty((2, len(x)), np.float32)
    functions(x, powers, bells)
    exact = np.exp(x.astype(float))
    assert (abs(powers - exact) <= 1e-7 + 1e-7 * exact).all()
    assert (powers[x < -89] == 0).all()  # what is not seen has weight 0, and not a small one
    assert powers[0] == 1
    x = np.linspace(-9, 9, 256 * LANES, dtype=np.float32)
    powers, bells = np.empty((2, len(x)), np.float32)
    functions(x, powers, bells)
    exact = [float(z) * (1 + math.erf(z / math.sqrt(2))) / 2 for z in x]
    assert bells.tolist() == pytest.approx(exact, rel=2e-7, abs=6e-7)


def test_minus_infinity_has_weight_0():
    x, out = np.full(LANES, -np.inf, np.float32), np.ones((2, LANES), np.float32)
    functions(x, *out)
    assert (out[0] == 0).all()
