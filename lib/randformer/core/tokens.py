"""transformer.Stepper compiled, for one model: the next token of LANES sequences side by side, keys and values kept.

The numbers of transformer.forward to rounding, for networks with softmax attention, MLPs and LayerNorms. What a token
does not see has weight 0, so that a sequence's numbers are the same to the last bit whatever the other lanes have.

Shapes: L lanes, D width, H heads of size d.
"""

import numpy as np

from randformer.core.lanes import (
    LANES,
    clear,
    compiled,
    everywhere,
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
    spread,
    store,
    times,
)

BLOCK = 8  # rows of a product at a time: as many sums as hide how long an addition takes
EPS = np.float32(1e-5)  # of LayerNorm, PyTorch's default


@compiled
def fill(y, w, at, rows):
    """Rows of y, one number in all lanes each."""
    for i in range(rows):
        store(y, i * LANES, spread(w, at + i))


@compiled
def add_product(y, w, at, x, inputs, outputs):
    """y (outputs, L) += the matrix (inputs, outputs) at w[at], transposed, times x (inputs, L)."""
    o = 0
    while o + BLOCK <= outputs:
        row = o * LANES
        y0, y1 = load(y, row), load(y, row + LANES)
        y2, y3 = load(y, row + 2 * LANES), load(y, row + 3 * LANES)
        y4, y5 = load(y, row + 4 * LANES), load(y, row + 5 * LANES)
        y6, y7 = load(y, row + 6 * LANES), load(y, row + 7 * LANES)
        for i in range(inputs):
            v, c = load(x, i * LANES), at + i * outputs + o
            y0 = multiply_add(spread(w, c), v, y0)
            y1 = multiply_add(spread(w, c + 1), v, y1)
            y2 = multiply_add(spread(w, c + 2), v, y2)
            y3 = multiply_add(spread(w, c + 3), v, y3)
            y4 = multiply_add(spread(w, c + 4), v, y4)
            y5 = multiply_add(spread(w, c + 5), v, y5)
            y6 = multiply_add(spread(w, c + 6), v, y6)
            y7 = multiply_add(spread(w, c + 7), v, y7)
        store(y, row, y0)
        store(y, row + LANES, y1)
        store(y, row + 2 * LANES, y2)
        store(y, row + 3 * LANES, y3)
        store(y, row + 4 * LANES, y4)
        store(y, row + 5 * LANES, y5)
        store(y, row + 6 * LANES, y6)
        store(y, row + 7 * LANES, y7)
        o += BLOCK
    for left in range(o, outputs):
        total = load(y, left * LANES)
        for i in range(inputs):
            total = multiply_add(spread(w, at + i * outputs + left), load(x, i * LANES), total)
        store(y, left * LANES, total)


@compiled
def normalise(y, x, w, at, width):
    """y = LayerNorm of x (D, L), scale and shift at w[at]."""
    mean = square = everywhere(np.float32(0))
    for i in range(width):
        mean = plus(mean, load(x, i * LANES))
    share = everywhere(np.float32(1) / np.float32(width))
    mean = times(mean, share)
    for i in range(width):
        off = minus(load(x, i * LANES), mean)
        square = multiply_add(off, off, square)
    factor = over(everywhere(np.float32(1)), root(multiply_add(square, share, everywhere(EPS))))
    for i in range(width):
        off = times(minus(load(x, i * LANES), mean), factor)
        store(y, i * LANES, multiply_add(off, spread(w, at + i), spread(w, at + width + i)))


@compiled
def attend(mixed, q, kept, at, weights, sees, shared, own, begin, heads, size):
    """mixed (H d, L): what each lane's token, queries q (H d, L), gets from those kept from kept[at] on.

    kept has keys, then values, of each token, (., 2 H d, L): shared ones at the beginning, own ones from begin on. Of
    each kind a lane sees those up to the number in sees (2, L).
    """
    token, scale = 2 * heads * size * LANES, everywhere(np.float32(1) / np.sqrt(np.float32(size)))
    for head in range(heads):
        row, n = head * size * LANES, 0
        largest = everywhere(np.float32(-np.inf))
        for part in range(2):
            last, base = load(sees, part * LANES), at + part * begin * token + row
            for t in range(own if part else shared):
                score = everywhere(np.float32(0))
                for d in range(size):
                    score = multiply_add(load(q, row + d * LANES), load(kept, base + d * LANES), score)
                score = masked(times(score, scale), everywhere(np.float32(t)), last)
                largest = larger(largest, score)
                store(weights, n * LANES, score)
                base += token
                n += 1
        total = everywhere(np.float32(0))
        for t in range(n):
            weight = exp(minus(load(weights, t * LANES), largest))
            store(weights, t * LANES, weight)
            total = plus(total, weight)
        for d in range(size):
            got, n = everywhere(np.float32(0)), 0
            for part in range(2):
                base = at + part * begin * token + token // 2 + row + d * LANES
                for _ in range(own if part else shared):
                    got = multiply_add(load(weights, n * LANES), load(kept, base), got)
                    base += token
                    n += 1
            store(mixed, row + d * LANES, over(got, total))


@compiled
def keep(kept, at, new, begin, places, rows):
    """Write rows (rows, L) of new from row begin on to kept, each lane's at its own place of those from at on."""
    for lane in range(LANES):
        to = at + places[lane] * rows * LANES + lane
        for i in range(0, rows * LANES, LANES):
            put(kept, to + i, get(new, begin * LANES + lane + i))


@compiled
def step(room, kept, w, network, places, sees, shared, own, begin):
    """The next token of each lane, embedded, room.x (D, L): room.y becomes what the network says, (outputs, L).

    w: parameters of one model (P,); network: its sizes, and where in P the first block begins. places: where in kept
    the token's keys and values go; sees, shared, own, begin: as in attend, the token itself included.
    """
    width, layers, heads, size, outputs, at = network
    x, y, z, inner, hidden = room.x, room.y, room.z, heads * size, 4 * width
    for layer in range(layers):
        of_layer = layer * (len(kept) // layers)
        normalise(y, x, w, at, width)
        at += 2 * width
        clear(z, 3 * inner)
        for part in range(3):
            add_product(z[part * inner * LANES :], w, at, y, width, inner)
            at += width * inner
        keep(kept, of_layer, z, inner, places, 2 * inner)
        attend(y, z, kept, of_layer, room.weights, sees, shared, own, begin, heads, size)
        add_product(x, w, at, y, inner, width)
        at += inner * width
        normalise(y, x, w, at, width)
        at += 2 * width
        fill(z, w, at + width * hidden, hidden)
        add_product(z, w, at, y, width, hidden)
        at += (width + 1) * hidden
        for i in range(hidden):
            store(z, i * LANES, gelu(load(z, i * LANES)))
        for i in range(width):
            store(x, i * LANES, plus(load(x, i * LANES), spread(w, at + hidden * width + i)))
        add_product(x, w, at, z, hidden, width)
        at += (hidden + 1) * width
    fill(y, w, at + width * outputs, outputs)
    add_product(y, w, at, x, width, outputs)
