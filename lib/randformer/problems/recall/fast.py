"""The recall network at a fraction of the cost: the same numbers as transformer.forward, to rounding.

Three facts make it cheap where the blocks are nothing but linear attention. A batch shares its m seeds, and a value is
one of V = 2^bits, so of all its tokens at most n x m x V differ: those are embedded once, and as everything behind is
linear, only their keys, values, queries and outputs are kept. What attention adds to a token is d wide (the key size),
so a layer changes the keys of the next one through a d x d matrix, and nothing as wide as the network is formed per
sequence. And the state of a memory does not depend on what it is asked for: it is the sum S of k v^T over its pairs,
which answers any number of queries.

Shapes: K models, m seeds, M memories, Q queries to each, X = m x M, n pairs, V values, d key size, L layers. Axes of
sequences come last: what is done to them is elementwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from randformer.core.transformer import Network, shapes, unflatten
from randformer.harness.checks import default_but_for

if TYPE_CHECKING:
    from randformer.problems.recall.task import Recall


def applies(task: Recall, network: Network) -> bool:
    """Whether this module computes that; what it does not know, fields yet to come too, is not for it."""
    sizes = ("width", "layers", "key_size", "embedding")
    of_task = ("n", "bits", "seed_bits", "queries")
    return default_but_for(network, *sizes, *Network.INITIAL) and default_but_for(task, *of_task)


def fast_logits(task: Recall, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
    """Logits (K, m, M, Q, bits) of models (K, P) on inputs (K, M, n or n + 1) under seeds (K, m, 1, seed bits)."""
    w = unflatten(parameters, shapes(network, task.token_size, task.bits))
    layers, d = network.layers, network.key_size
    reads = [w[f"{i}.{name}"] for i in range(layers) for name in ("key", "value", "query")] + [w["output.w"]]
    embedding = Embedding(task, network, w, seeds, torch.cat(reads, -1))
    pairs = embedding.pairs(inputs, (3 * layers - 1) * d).split(d, 2)  # K, n, d, X each
    queries = embedding.queries(inputs).split([d] * 3 * layers + [task.bits], 1)  # K, d, Q, m, M each
    for i in range(layers):
        rest = 3 * i + 3  # the first read of the layers to come
        update = w[f"{i}.out"] @ torch.cat(reads[rest:], -1)  # K, d, columns to come
        if i < layers - 1:
            added, memory = Recurrence.apply(*pairs[rest - 3 : rest])
            pairs = add(pairs, rest, added, update, 2)
        else:
            memory = (pairs[rest - 3].unsqueeze(3) * pairs[rest - 2].unsqueeze(2)).sum(1)  # K, d, d, X
        key, value, query = queries[rest - 3 : rest]  # K, d, Q, m, M
        added = answer(memory.unflatten(3, (seeds.shape[1], -1)), query) + (query * key).sum(1, keepdim=True) * value
        queries = add(queries, rest, added, update, 1)
    return (queries[-1] + w["output.b"].view(-1, task.bits, 1, 1, 1)).permute(0, 3, 4, 2, 1)


class Embedding:
    """From values and keys to all that is ever read off their tokens: C = 3 L d + bits columns.

    A token's first map is a sum of a part of its value, of its key and of the seed. What is linear behind the GELU is
    one product with the columns.
    """

    def __init__(self, task: Recall, network: Network, w: dict[str, Tensor], seeds: Tensor, columns: Tensor):
        self.task, models = task, len(seeds)
        if network.embedding:
            weight, bias = w["embed0.w"], w["embed0.b"].unsqueeze(1)
        else:  # padded with zeros
            weight = torch.eye(task.token_size, network.width, dtype=seeds.dtype, device=seeds.device)
            weight, bias = weight.expand(models, -1, -1), 0
        self.of_value, of_key, of_seed = weight.split([task.bits, task.n, task.seed_bits], 1)
        self.of_key = of_key.unsqueeze(-1)  # K, n, D, 1
        self.of_seed = (seeds.squeeze(2) @ of_seed + bias).transpose(1, 2).contiguous().unsqueeze(1)  # K, 1, D, m
        self.bent = network.embedding == 2  # by a GELU
        offset = columns.new_zeros(models, 1, columns.shape[-1])
        if self.bent:
            offset, columns = w["embed1.b"].unsqueeze(1) @ columns, w["embed1.w"] @ columns
        self.columns = columns.transpose(1, 2).unsqueeze(1).expand(-1, task.n, -1, -1)  # K, n, C, D
        self.offset = offset.transpose(1, 2).unsqueeze(1)  # K, 1, C, 1

    def read(self, values: Tensor | None, columns: int | None = None) -> Tensor:
        """The first columns (K, n, C, m V) read off tokens of the part of a value (K, n or 1, D, V); None: value 0."""
        known = self.of_key + self.of_seed  # K, n, D, m
        tokens = known if values is None else (known.unsqueeze(4) + values.unsqueeze(3)).flatten(3)
        tokens = F.gelu(tokens.contiguous()) if self.bent else tokens  # it is slow where not contiguous
        return self.columns[:, :, :columns] @ tokens + self.offset[:, :, :columns]

    def pairs(self, inputs: Tensor, columns: int) -> Tensor:
        """The first columns read off the pairs of each memory, (K, n, C, X)."""
        task, values = self.task, inputs[..., : self.task.n]
        if values.shape[1] <= 2**task.bits:  # as few memories as values: no token to be had twice
            part = task.split(values).to(self.of_value.dtype) @ self.of_value.unsqueeze(1)  # K, M, n, D
            return self.read(part.permute(0, 2, 3, 1).contiguous(), columns)
        every = torch.arange(2**task.bits, device=inputs.device)
        part = task.split(every).to(self.of_value.dtype) @ self.of_value
        table = self.read(part.transpose(1, 2).unsqueeze(1), columns)
        # a product with one-hot values: faster than gathering, and much faster backwards
        held = F.one_hot(values, len(every)).to(table.dtype).permute(0, 2, 3, 1)  # K, n, V, M
        found = table.unflatten(3, (-1, len(every))).flatten(2, 3) @ held
        return found.unflatten(2, (columns, -1)).flatten(3)

    def queries(self, inputs: Tensor) -> Tensor:
        """All columns read off the query tokens, whose value is 0, (K, C, Q, m, M or 1).

        The last axis is 1 where every memory is asked for all keys.
        """
        found = self.read(None).transpose(1, 2)  # K, C, n, m
        if inputs.shape[-1] == self.task.n:
            return found.unsqueeze(-1)
        asked = F.one_hot(inputs[..., self.task.n], self.task.n).to(found.dtype).transpose(1, 2)  # K, n, M
        flat = found.transpose(2, 3).flatten(1, 2) @ asked  # K, C m, M
        return flat.unflatten(1, (found.shape[1], 1, -1))


def answer(memory: Tensor, query: Tensor) -> Tensor:
    """What memories (K, d, d, m, M) give to queries (K, d, Q, m, M or 1), (K, d, Q, m, M)."""
    if query.shape[-1] == 1:  # the same of every memory: one product per seed
        return torch.einsum("kabmx,kaqm->kbqmx", memory, query.squeeze(-1))
    return (memory.unsqueeze(3) * query.unsqueeze(2)).sum(1)


def add(reads: tuple[Tensor, ...], first: int, added: Tensor, update: Tensor, axis: int) -> tuple[Tensor, ...]:
    """The reads with what a layer added to the tokens, d wide, put through its update (K, d, C) from the first on."""
    sizes = [read.shape[axis] for read in reads[first:]]
    weight = update[..., : sum(sizes)].transpose(1, 2)  # the pairs' reads end before the queries' do
    if axis == 2:  # pairs: K, n, d, X
        new = torch.matmul(weight.unsqueeze(1), added)
    else:  # queries: K, d, Q, m, M
        new = (weight @ added.flatten(2)).unflatten(2, added.shape[2:])
    parts = zip(reads[first:], new.split(sizes, axis), strict=True)
    return (*reads[:first], *(read + part for read, part in parts))


class Recurrence(torch.autograd.Function):
    """Causal linear attention over the pairs, one after the other, the state kept in the processor's cache.

    key, value, query: (K, n, d, X). Returns (K, n, d, X), for each pair the sum of (q.k) v over it and those before
    it, and the state behind the last, the sum of k v^T, (K, d, d, X).
    """

    @staticmethod
    def forward(ctx, key: Tensor, value: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(key, value, query)
        k, n, d, x = key.shape
        state, scratch, result = key.new_zeros(k, d, d, x), key.new_empty(k, d, d, x), key.new_empty(key.shape)
        for i in range(n):
            state.addcmul_(key[:, i].unsqueeze(2), value[:, i].unsqueeze(1))
            torch.sum(torch.mul(state, query[:, i].unsqueeze(2), out=scratch), 1, out=result[:, i])
        return result, state

    @staticmethod
    def backward(ctx, result: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        key, value, query = ctx.saved_tensors
        k, n, d, x = key.shape
        state, scratch = key.new_zeros(k, d, d, x), key.new_empty(k, d, d, x)
        to_key, to_value, to_query = (key.new_empty(key.shape) for _ in range(3))
        for i in range(n):
            state.addcmul_(key[:, i].unsqueeze(2), value[:, i].unsqueeze(1))
            torch.sum(torch.mul(state, result[:, i].unsqueeze(1), out=scratch), 2, out=to_query[:, i])
        later = last.clone(memory_format=torch.contiguous_format)  # what the states from here on are worth
        for i in reversed(range(n)):
            later.addcmul_(query[:, i].unsqueeze(2), result[:, i].unsqueeze(1))
            torch.sum(torch.mul(later, value[:, i].unsqueeze(1), out=scratch), 2, out=to_key[:, i])
            torch.sum(torch.mul(later, key[:, i].unsqueeze(2), out=scratch), 1, out=to_value[:, i])
        return to_key, to_value, to_query
