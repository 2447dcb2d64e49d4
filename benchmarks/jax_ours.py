"""JAX, our computation: what the library computes and how, one model at a time, mapped over models and compiled.

Recall: all tokens that differ are embedded once, and a recurrence over pairs has its own backward pass. Colouring: what
the cycles of a batch share is computed once, and looked up. Grid world: one walk serves all treasures of the first
episode, keys and values are kept. One thing cannot be had in compiled code, whose sizes are fixed: ours goes on with
the treasures that are not found yet, this one with all of them to the end.
"""

import jax
import jax.numpy as jnp
from jax import nn

from randformer.problems.gridworld.task import FOUND, MOVES, STEP

from .jax_plain import cut, embed, head, mlp, norm


def total(x, axis: int = 0):
    """The sum over a short axis, written out: an order of magnitude faster here than what a reduction compiles to."""
    return sum(jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis]))


@jax.custom_vjp
def recurrence(key, value, query):
    """Causal linear attention over pairs, (n, d, X) each: what it adds to each pair, and the last state (d, d, X)."""

    def pair(state, parts):
        k, v, q = parts
        state = state + k[:, None] * v
        return state, total(state * q[:, None])

    d, x = key.shape[1:]
    state, result = jax.lax.scan(pair, jnp.zeros((d, d, x)), (key, value, query))
    return result, state


def recurrence_backward(saved, gradients):
    """The states are computed again, then run through from the last pair to the first."""

    def again(state, parts):
        k, v, to_result = parts
        state = state + k[:, None] * v
        return state, total(state * to_result, 1)

    def back(later, parts):
        k, v, q, to_result = parts
        later = later + q[:, None] * to_result
        return later, (total(later * v, 1), total(later * k[:, None]))

    (key, value, query), (result, last) = saved, gradients
    _, to_query = jax.lax.scan(again, jnp.zeros_like(last), (key, value, result))
    _, (to_key, to_value) = jax.lax.scan(back, last, (key, value, query, result), reverse=True)
    return to_key, to_value, to_query


recurrence.defvjp(lambda *parts: (recurrence(*parts), parts), recurrence_backward)


@jax.custom_vjp
def memory_of(key, value):
    """The sum of k v^T over all pairs, (d, d, X), of (n, d, X) each."""
    return total(key[:, :, None] * value[:, None])


def memory_backward(saved, gradient):
    key, value = saved
    return total(gradient * value[:, None], 2), total(gradient * key[:, :, None], 1)


memory_of.defvjp(lambda *parts: (memory_of(*parts), parts), memory_backward)


@jax.custom_vjp
def answer(memory, query):
    """What memories (d, d, X) give to queries (d, X), (d, X)."""
    return total(memory * query[:, None])


def answer_backward(saved, gradient):
    memory, query = saved
    return query[:, None] * gradient, total(memory * gradient, 1)


answer.defvjp(lambda *parts: (answer(*parts), parts), answer_backward)


def tables(run, w, columns, seeds):
    """What columns (D, C) read off every token: of pairs (C, n, m, V), of queries (C, n, m)."""
    task = run.task
    of_value, of_key, of_seed = jnp.split(w["embed0.w"], [task.bits, task.bits + task.n])
    known = of_key.T[:, :, None] + (seeds[:, 0] @ of_seed + w["embed0.b"]).T[:, None]  # D, n, m
    bits = (jnp.arange(2**task.bits)[:, None] >> jnp.arange(task.bits) & 1).astype(seeds.dtype)
    tokens = known[..., None] + (bits @ of_value).T[:, None, None]  # D, n, m, V
    offset, columns = w["embed1.b"] @ columns, w["embed1.w"] @ columns
    read = lambda x: jnp.tensordot(columns.T, nn.gelu(x, approximate=False), 1)  # noqa: E731
    few = columns.shape[1] - task.bits - run.network.key_size  # the last layer's queries and the head: not of pairs
    pairs = jnp.tensordot(columns[:, :few].T, nn.gelu(tokens, approximate=False), 1)
    return pairs + offset[:few, None, None, None], read(known) + offset[:, None, None]


def recall_losses(run, row, inputs, seeds):
    """Losses (m, B) of one model (P,) on inputs (B, n + 1) under seeds (m, 1, seed bits)."""
    task, w, layers, d = run.task, cut(run, row), run.network.layers, run.network.key_size
    parts = ("key", "value", "query")
    columns = jnp.concatenate([w[f"{i}.{part}"] for i in range(layers) for part in parts] + [w["output.w"]], 1)
    of_pairs, of_queries = tables(run, w, columns, seeds)
    held = nn.one_hot(inputs[:, :-1], 2**task.bits, axis=1)  # M, V, n
    pairs = jnp.einsum("cnmv,Mvn->ncmM", of_pairs, held).reshape(task.n, len(of_pairs), -1)  # n, C, X
    queries = jnp.einsum("cnm,Mn->cmM", of_queries, nn.one_hot(inputs[:, -1], task.n)).reshape(len(of_queries), -1)
    for i in range(layers):
        update = (w[f"{i}.out"] @ columns[:, 3 * d * (i + 1) :]).T  # of the columns to come
        key, value, query = (queries[j * d : (j + 1) * d] for j in range(3))
        k, v = pairs[:, :d], pairs[:, d : 2 * d]
        if i < layers - 1:
            added, memory = recurrence(k, v, pairs[:, 2 * d : 3 * d])
            few = update[: pairs.shape[1] - 3 * d]
            pairs = pairs[:, 3 * d :] + jnp.stack([few @ pair for pair in added])  # faster than one batched product
        else:
            memory = memory_of(k, v)
        added = answer(memory, query) + total(query * key) * value
        queries = queries[3 * d :] + update @ added
    logits = (queries + w["output.b"][:, None]).reshape(task.bits, len(seeds), -1)
    right = jnp.take_along_axis(inputs[:, :-1], inputs[:, -1:], 1)[:, 0] >> jnp.arange(task.bits)[:, None] & 1
    return nn.softplus(logits * (1 - 2 * right[:, None])).sum(0)


def coloring_losses(run, row, cycles, seeds):
    """Losses (m, B) of one model (P,) on cycles (B, n) under seeds (m, 1, n)."""
    w, d, n, m = cut(run, row), run.network.key_size, cycles.shape[1], len(seeds)
    ids = jnp.broadcast_to(jnp.eye(n), (m, n, n))
    tokens = embed(run.network, w, jnp.concatenate([ids, seeds[:, 0, :, None]], -1))  # m, n, D
    to_query, to_key, read = of_pairs(w, tokens, d)
    scores = jnp.einsum("mvad,mwbd->vawbm", to_query, to_key)
    scores = scores + jnp.einsum("vwwbm->vwbm", scores)[:, None]
    scores = scores + jnp.einsum("vawvm->vawm", scores)[:, :, :, None]
    views = read[:, :, :, None] + read[:, :, None]  # columns, n, n, n, m
    walk = cycles.T
    last, after = jnp.roll(walk, 1, 0), jnp.roll(walk, -1, 0)
    to_next = scores[walk, last, after, jnp.roll(walk, -2, 0)]  # n, B, m
    to_last = scores[walk, after, last, jnp.roll(walk, 2, 0)]
    value, own = jnp.split(views[:, walk, after, last], 2)  # 3, n, B, m
    p = nn.softmax(own + to_next * jnp.roll(value, -1, 1) + to_last * jnp.roll(value, 1, 1), 0)
    return (p * jnp.roll(p, 1, 1)).sum((0, 1)).T


def of_pairs(w, tokens, d):
    """Of each pair (vertex, neighbour) its part in query and key (m, n, n, d), and in value and logits (6, n, n, m)."""
    reads = [w["1.query"], w["1.key"], w["1.value"] @ (w["1.out"] @ w["output.w"]), w["output.w"]]
    reads = jnp.concatenate(reads, 1)
    columns = [w["0.query"], w["0.key"], w["0.value"] @ (w["0.out"] @ reads), reads / 2]
    sizes = [d, 2 * d, 2 * d + reads.shape[1]]
    query, key, sent, half = jnp.split(tokens @ jnp.concatenate(columns, 1), sizes, -1)
    weight = jnp.einsum("mvd,mad->mva", query, key)
    query, key, rest = jnp.split(half[:, :, None] + weight[..., None] * sent[:, None], [d, 2 * d], -1)
    colors = w["output.b"].shape[0]
    rest = rest + jnp.concatenate([jnp.zeros(colors), w["output.b"] / 2])
    return query, key, rest.transpose(3, 1, 2, 0)


OURS = {"recall": recall_losses, "coloring": coloring_losses}


def attend(network, w, i, x, own, at, shared=None):
    """What layer i adds to x (m, C, D), the token of number at, and its own keys and values with this token's.

    own: (2, T, H, d, m, C); shared: keys and values (2, T', H, d, m) and what of them is seen (T', m, C).
    """
    heads, shape = (network.heads, network.key_size), x.shape[:-1]
    y = norm(w, f"{i}.norm_attention", x)
    project = jnp.concatenate([w[f"{i}.{part}"] for part in ("query", "key", "value")], 1)
    q, k, v = jnp.moveaxis((y @ project).reshape(*shape, 3, *heads), (2, 3, 4), (0, 1, 2))  # H, d, m, C
    own = jax.lax.dynamic_update_index_in_dim(own, jnp.stack([k, v]), at, 1)
    q = q * network.key_size**-0.5
    seen = (jnp.arange(own.shape[1]) <= at)[:, None, None, None]
    scores = jnp.where(seen, total(own[0] * q, 2), -jnp.inf)  # T, H, m, C
    if shared is not None:
        (keys, values), sees = shared
        before = jnp.where(sees[:, None], jnp.einsum("thdm,hdmc->thmc", keys, q), -jnp.inf)
        scores = jnp.concatenate([scores, before])
    weights = nn.softmax(scores, 0)
    mixed = jnp.einsum("thmc,thdmc->hdmc", weights[: own.shape[1]], own[1])
    if shared is not None:
        mixed = mixed + jnp.einsum("thmc,thdm->hdmc", weights[own.shape[1] :], values)
    return jnp.moveaxis(mixed, (0, 1), (2, 3)).reshape(*shape, -1) @ w[f"{i}.out"], own


def forward(network, w, x, caches, at, shared=None):
    """Outputs (m, C, outputs) at embedded tokens x (m, C, D), and every layer's keys and values with theirs."""
    kept = []
    for i in range(network.layers):
        added, own = attend(network, w, i, x, caches[i], at, None if shared is None else (shared[0][i], shared[1]))
        x, kept = mlp(network, w, i, x + added), [*kept, own]
    return head(w, x), jnp.stack(kept)


def search_losses(run, row, seeds):
    """Losses (m, cells - 1) of one candidate (P,) under seeds (m, seed_size)."""
    task, network, w = run.task, run.network, cut(run, row)
    n, m, episode = task.n, len(seeds), task.episode
    ends = [task.seed_size, task.seed_size + 2 * n, task.seed_size + 2 * n + 1]
    of_seed, of_cell, of_reward, of_place = jnp.split(w["embed0.w"], ends)
    place, of_reward = of_place + w["embed0.b"], of_reward[0]
    cells = jnp.arange(task.cells)
    states = jnp.concatenate([nn.one_hot(cells // n, n), nn.one_hot(cells % n, n)], 1) @ of_cell
    ahead = jnp.stack([cells // n, cells % n], 1)[:, None] + jnp.array(MOVES)
    onwards = jnp.clip(ahead, 0, n - 1) @ jnp.array([n, 1])

    def caches(sequences_per_seed):
        return jnp.zeros((network.layers, 2, episode + 1, network.heads, network.key_size, m, sequences_per_seed))

    def go(cell, reward, at, kept, number, shared=None):
        x = states[cell] + place[at] + jnp.expand_dims(reward, -1) * of_reward
        logits, kept = forward(network, w, x, kept, number, shared)
        return onwards[cell, logits.argmax(-1)], kept

    def first(carry, step):
        cell, kept = go(carry[0], jnp.where(step, STEP, 0.0), step + 1, carry[1], step + 1)
        return (cell, kept), cell

    _, kept = forward(network, w, (seeds @ of_seed + place[0])[:, None], caches(1), 0)
    (last, kept), walk = jax.lax.scan(first, (jnp.zeros((m, 1), int), kept), jnp.arange(episode))
    visits = entered(walk[..., 0], episode, task.cells)  # m, cells
    found = (walk[..., 0].T[:, :, None] == cells).any(1).at[:, 0].set(False)
    target, ends = jnp.where(found, cells, 0), jnp.where(found, visits, episode)  # cell 0: where nothing was found
    shared = kept[..., 0], jnp.arange(episode + 1)[:, None, None] <= ends

    def second(carry, step):
        cell, kept = go(carry[0], jnp.where(step, STEP, 0.0), ends + 2 + step, carry[1], step + 1, shared)
        return (cell, kept), cell

    end, reward = jnp.where(found, target, last), jnp.where(found, FOUND, STEP)
    _, kept = go(end, reward, ends + 1, caches(task.cells), 0, shared)
    _, paths = jax.lax.scan(second, (jnp.zeros((m, task.cells), int), kept), jnp.arange(episode))
    again = jnp.where((there := paths == cells).any(0), there.argmax(0) + 1, episode)
    never = entered(paths[..., 0], episode, task.cells)  # in the branch of what was not found
    return (jnp.where(found, visits + again, episode + never) / (2 * episode))[:, 1:]


def entered(walk, never: int, cells: int):
    """Step 1, 2, ... at which walks (T, m) first enter each cell, (m, cells)."""
    there = walk[..., None] == jnp.arange(cells)
    return jnp.where(there.any(0), there.argmax(0) + 1, never)
