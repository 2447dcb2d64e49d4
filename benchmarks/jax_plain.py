"""JAX, the plain computation: one sequence through the network, mapped over inputs, seeds and models, and compiled.

Random numbers are drawn inside the compiled step, with optax and evosax as optimizers. Whole sequences of a fixed
length go through the network, as compiled code needs them; in the grid world that is once a step.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from evosax.algorithms import PGPE
from jax import nn, vmap

from randformer.core.transformer import shapes
from randformer.problems.gridworld.task import FOUND, MOVES, STEP

from .workloads import Workload


def cut(run, row):
    """The weights {name: array} of a flat row (P,)."""
    named = shapes(run.network, run.task.token_size, run.task.outputs)
    ends = np.cumsum([int(np.prod(shape)) for shape in named.values()])[:-1]
    return {name: part.reshape(shape) for part, (name, shape) in zip(jnp.split(row, ends), named.items(), strict=True)}


def norm(w: dict, name: str, x):
    """LayerNorm over the last axis."""
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-5) * w[f"{name}.scale"] + w[f"{name}.shift"]


def embed(network, w: dict, x):
    """What goes into the first block."""
    for i in range(network.embedding):
        x = (nn.gelu(x, approximate=False) if i else x) @ w[f"embed{i}.w"] + w[f"embed{i}.b"]
    return x


def mlp(network, w: dict, i: int, x):
    """x with what the MLP of block i adds to it."""
    y = norm(w, f"{i}.norm_mlp", x) if network.layer_norm else x
    y = nn.gelu(y @ w[f"{i}.mlp_in.w"] + w[f"{i}.mlp_in.b"], approximate=False)
    return x + y @ w[f"{i}.mlp_out.w"] + w[f"{i}.mlp_out.b"]


def transformer(network, w: dict, tokens, mask):
    """What the head reads (T, D), of one sequence's tokens (T, I) and its mask (T, T)."""
    x = embed(network, w, tokens)
    for i in range(network.layers):
        y = norm(w, f"{i}.norm_attention", x) if network.layer_norm else x
        q, k, v = ((y @ w[f"{i}.{part}"]).reshape(len(x), network.heads, -1) for part in ("query", "key", "value"))
        scores = jnp.einsum("qhd,shd->hqs", q, k)
        if network.attention == "softmax":
            weights = nn.softmax(jnp.where(mask, scores * network.key_size**-0.5, -jnp.inf))
        else:
            weights = scores * mask
        x = x + jnp.einsum("hqs,shd->qhd", weights, v).reshape(len(x), -1) @ w[f"{i}.out"]
        x = mlp(network, w, i, x) if network.mlp else x
    return x


def head(w: dict, x):
    return x @ w["output.w"] + w["output.b"]


def recall_losses(run, row, inputs, seeds):
    """Losses (m, B) of one model (P,) on inputs (B, n + 1) under seeds (m, 1, seed bits)."""
    task, w = run.task, cut(run, row)

    def loss(x, r):
        bits = (x[:-1, None] >> jnp.arange(task.bits) & 1).astype(r.dtype)
        names = nn.one_hot(jnp.append(jnp.arange(task.n), x[-1]), task.n)
        known = jnp.concatenate([jnp.pad(bits, ((0, 1), (0, 0))), names], 1)
        tokens = jnp.concatenate([known, jnp.broadcast_to(r, (task.n + 1, task.seed_bits))], 1)
        mask = jnp.tril(jnp.ones((task.n + 1, task.n + 1), bool))
        logits = head(w, transformer(run.network, w, tokens, mask)[-1])
        return optax.sigmoid_binary_cross_entropy(logits, bits[x[-1]]).sum()

    return vmap(lambda r: vmap(lambda x: loss(x, r))(inputs))(seeds[:, 0])


def coloring_losses(run, row, cycles, seeds):
    """Losses (m, B) of one model (P,) on cycles (B, n) under seeds (m, 1, n)."""
    w, n = cut(run, row), run.task.n

    def loss(cycle, r):
        step = jnp.zeros((n, n), bool).at[cycle, jnp.roll(cycle, -1)].set(True)
        tokens = jnp.concatenate([jnp.eye(n), r[:, None]], 1)
        along = nn.softmax(head(w, transformer(run.network, w, tokens, step | step.T)))[cycle]
        return (along * jnp.roll(along, -1, 0)).sum()

    return vmap(lambda r: vmap(lambda cycle: loss(cycle, r))(cycles))(seeds[:, 0])


def draw_recall(run, key):
    """One model's inputs (B, n + 1) and seeds (m, 1, seed bits)."""
    task, keys = run.task, jax.random.split(key, 3)
    values = jax.random.randint(keys[0], (run.training.batch, task.n), 0, 2**task.bits)
    asked = jax.random.randint(keys[1], (run.training.batch, 1), 0, task.n)
    seeds = jax.random.bernoulli(keys[2], shape=(run.objective.m, 1, task.seed_bits)).astype(jnp.float32)
    return jnp.concatenate([values, asked], 1), seeds


def draw_coloring(run, key):
    """One model's cycles (B, n) and seeds (m, 1, n)."""
    keys, n = jax.random.split(key), run.task.n
    cycles = jax.random.uniform(keys[0], (run.training.batch, n)).argsort(-1)
    return cycles, jax.random.uniform(keys[1], (run.objective.m, 1, n))


DRAWS = {"recall": draw_recall, "coloring": draw_coloring}
PLAIN = {"recall": recall_losses, "coloring": coloring_losses}


def schedule(training):
    """The learning rate of step 0, 1, ... for optax."""

    def rate(step):
        along = (step - training.warmup) / max(1, training.steps - training.warmup)
        cosine = (
            training.final_learning_rate
            + (training.learning_rate - training.final_learning_rate) * (1 + jnp.cos(jnp.pi * along)) / 2
        )
        return jnp.where(step < training.warmup, training.learning_rate * (step + 1) / training.warmup, cosine)

    return rate


def objective(losses, q: float):
    """Of losses (m, B): what training descends on, and L_q."""
    mean = losses.mean(0)
    largest = jax.lax.stop_gradient(mean.max())
    power = ((mean / largest) ** q).mean()
    return largest * power, largest * jax.lax.stop_gradient(power) ** (1 / q)


class JaxStep:
    """A compiled training step, with losses(run, row, inputs, seeds) -> (m, B)."""

    def __init__(self, workload: Workload, device, losses):
        run, training = workload.run, workload.run.training
        self.key, self.rows = jax.random.key(0), jnp.asarray(workload.begin(device).parameters.numpy())
        decoupled = optax.adamw(
            schedule(training), training.beta1, training.beta2, training.eps, weight_decay=training.weight_decay
        )
        optimizer = optax.chain(optax.clip_by_global_norm(training.clip), decoupled)
        self.optimizer = vmap(optimizer.init)(self.rows)

        def one(row, optimizer_state, inputs, seeds):
            wanted = lambda row: objective(losses(run, row, inputs, seeds), run.objective.q)  # noqa: E731
            gradient, l_q = jax.grad(wanted, has_aux=True)(row)
            change, optimizer_state = optimizer.update(gradient, optimizer_state, row)
            return row + change, optimizer_state, l_q

        def drawn(rows, optimizer_state, key):
            inputs, seeds = vmap(partial(DRAWS[run.problem], run))(jax.random.split(key, len(rows)))
            return vmap(one)(rows, optimizer_state, inputs, seeds)

        self.given, self.drawn, self.beta1 = jax.jit(vmap(one)), jax.jit(drawn), training.beta1

    def step(self) -> None:
        self.key, key = jax.random.split(self.key)
        self.keep(self.drawn(self.rows, self.optimizer, key))

    def update(self, inputs, seeds) -> None:
        self.keep(self.given(self.rows, self.optimizer, jnp.asarray(inputs.numpy()), jnp.asarray(seeds.numpy())))

    def keep(self, results) -> None:
        self.rows, self.optimizer, self.loss = jax.block_until_ready(results)

    def numbers(self) -> dict:
        mean = optax.tree_utils.tree_get(self.optimizer, "mu")
        found = {"loss": self.loss, "gradient": mean / (1 - self.beta1), "parameters": self.rows}
        return {name: np.asarray(value) for name, value in found.items()}


def play(run, row, treasure, r):
    """Share of all steps of both episodes of one candidate (P,), with the treasure in a cell, under a seed."""
    task, w = run.task, cut(run, row)
    n, places = task.n, task.places
    mask, moves = jnp.tril(jnp.ones((places, places), bool)), jnp.array(MOVES)
    rows = jnp.concatenate([jnp.zeros((places, task.token_size - places)), jnp.eye(places)], 1)

    def token(cell, reward):
        return jnp.concatenate([nn.one_hot(cell // n, n), nn.one_hot(cell % n, n), jnp.reshape(reward, 1)])

    def tick(at, state):
        tokens, cell, taken, second, ended, playing, total = state
        x = transformer(run.network, w, tokens, mask)[at - 1]
        ahead = jnp.array([cell // n, cell % n]) + moves[head(w, x).argmax()]
        ahead = jnp.clip(ahead, 0, n - 1) @ jnp.array([n, 1])
        cell, taken = jnp.where(ended, 0, ahead), jnp.where(ended, 0, taken + 1)
        total, found, second = total + (playing & ~ended), (cell == treasure) & ~ended, second | ended
        ends = found | (taken == task.episode)
        reward = jnp.where(ended, 0.0, jnp.where(found, FOUND, STEP))
        tokens = tokens.at[at, task.seed_size : -places].set(token(cell, reward), mode="drop")
        return tokens, cell, taken, second, ends & ~second, playing & ~(ends & second), total

    tokens = rows.at[0, : task.seed_size].set(r).at[1, task.seed_size : -places].set(token(0, 0.0))
    state = (tokens, jnp.int32(0), jnp.int32(0), jnp.bool(False), jnp.bool(False), jnp.bool(True), jnp.int32(0))
    return jax.lax.fori_loop(2, places + 1, tick, state)[-1] / (2 * task.episode)


def search_losses(run, row, seeds):
    """Losses (m, cells - 1) of one candidate (P,) under seeds (m, seed_size)."""
    treasures = jnp.arange(1, run.task.cells)
    return vmap(lambda r: vmap(lambda treasure: play(run, row, treasure, r))(treasures))(seeds)


class JaxGeneration:
    """evosax's PGPE with Adam, ranks and no change of a deviation above 20 %, around losses(run, row, seeds)."""

    def __init__(self, workload: Workload, device, losses):
        run, training = workload.run, workload.run.training
        row = jnp.asarray(workload.begin(device).parameters[0].numpy())
        adam = optax.adam(training.learning_rate, training.beta1, training.beta2, training.eps)
        strategy, self.beta1 = PGPE(training.batch, row, adam), training.beta1
        parameters = strategy.default_params.replace(std_init=training.std, std_lr=training.std_learning_rate)
        self.key = jax.random.key(0)
        self.state = strategy.init(self.key, row, parameters)

        def given(state, candidates, seeds, key):
            every = vmap(lambda candidate: losses(run, candidate, seeds))(candidates)
            l_q = every.mean(1).max(1)
            return strategy.tell(key, candidates, l_q, state, parameters)[0], l_q.mean(), every

        def drawn(state, key):
            keys = jax.random.split(key, 3)
            candidates, state = strategy.ask(keys[0], state, parameters)
            return given(state, candidates, jax.random.normal(keys[1], (run.objective.m, run.task.seed_size)), keys[2])

        self.given, self.drawn = jax.jit(given), jax.jit(drawn)

    def step(self) -> None:
        self.key, key = jax.random.split(self.key)
        self.keep(self.drawn(self.state, key))

    def update(self, noise, seeds) -> None:
        noise, seeds = jnp.asarray(noise.numpy()), jnp.asarray(seeds[0, :, 0].numpy())
        candidates = self.state.mean + jnp.concatenate([noise, -noise])
        self.keep(self.given(self.state, candidates, seeds, self.key))

    def keep(self, results) -> None:
        self.state, self.loss, self.losses = jax.block_until_ready(results)

    def numbers(self) -> dict:
        state = self.state
        mean = optax.tree_utils.tree_get(state.opt_state, "mu") / (1 - self.beta1)
        found = {"loss": self.loss, "gradient": mean, "parameters": state.mean, "std": state.std}
        return {name: np.asarray(value)[None] for name, value in found.items()} | {"losses": np.asarray(self.losses)}
