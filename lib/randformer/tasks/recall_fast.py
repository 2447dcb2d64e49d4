"""The recall network at a fraction of the cost: the same numbers as transformer.forward, to rounding.

Three facts make it cheap where the blocks are nothing but linear attention. A batch shares its m seeds, and a value is
one of V = 2^bits, so of all its tokens only n x m x V differ: those are embedded once, and as everything behind is
linear, only their keys, values, queries and outputs are kept. What attention adds to a token is d wide (the key size),
so a layer changes the keys of the next one through a d x d matrix, and nothing as wide as the network is formed per
sequence. And the state of a memory does not depend on what it is asked for: it is the sum S of k v^T over its pairs,
which answers any number of queries.

Shapes: K models, m seeds, M memories, Q queries to each, X = m x M, n pairs, V values, d key size, L layers. Axes of
sequences come last: what is done to them is elementwise.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..transformer import Network, shapes, unflatten


def applies(network: Network) -> bool:
    """Whether the network is of the kind that this module computes."""
    return network.attention == "linear" and network.heads == 1 and not network.mlp and not network.layer_norm


def fast_logits(task, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
    """Logits (K, m, M, Q, bits) of models (K, P) on inputs (K, M, n or n + 1) under seeds (K, m, 1, seed bits)."""
    w = unflatten(parameters, shapes(network, task.token_size, task.bits))
    layers, d = network.layers, network.key_size
    reads = [w[f"{i}.{name}"] for i in range(layers) for name in ("key", "value", "query")] + [w["output.w"]]
    hidden, after, bias = distinct_tokens(task, network, w, seeds)
    columns = torch.cat(reads, -1)  # K, D, 3 L d + bits: all that is ever read off a token
    bias, columns = (None if bias is None else bias @ columns), (columns if after is None else after @ columns)
    pairs = look_up(task, hidden, columns[..., : (3 * layers - 1) * d], bias, inputs)
    queries = ask(task, hidden, columns, bias, inputs)
    pairs, queries = list(pairs.split(d, 2)), list(queries.split([d] * 3 * layers + [task.bits], 1))
    for i in range(layers):
        rest = 3 * i + 3  # the first read of the layers to come
        update = w[f"{i}.out"] @ torch.cat(reads[rest:], -1)  # K, d, columns to come
        if i < layers - 1:
            added, memory = Recurrence.apply(*pairs[rest - 3 : rest])
            pairs = add(pairs, rest, added, update, 2)
        else:
            memory = (pairs[rest - 3].unsqueeze(3) * pairs[rest - 2].unsqueeze(2)).sum(1)  # K, d, d, X
        key, value, query = queries[rest - 3 : rest]  # K, d, Q, m, M
        memory = memory.unflatten(-1, (seeds.shape[1], -1)).unsqueeze(3)
        added = (memory * query.unsqueeze(2)).sum(1) + (query * key).sum(1, keepdim=True) * value
        queries = add(queries, rest, added, update, 1)
    return (queries[-1] + w["output.b"].view(-1, task.bits, 1, 1, 1)).permute(0, 3, 4, 2, 1)


def distinct_tokens(task, network: Network, w: dict[str, Tensor], seeds: Tensor) -> tuple:
    """Every token there can be, before the last linear map of the embedding, and that map's weight and bias or None.

    Returns (K, n, D, m V), and (K, D, D) with (K, 1, D).
    """
    if network.embedding:
        weight, bias = w["embed0.w"], w["embed0.b"].unsqueeze(1)
    else:
        weight = torch.eye(task.token_size, network.width, dtype=seeds.dtype, device=seeds.device)
        weight = weight.expand(len(seeds), -1, -1)
        bias = weight.new_zeros(len(seeds), 1, network.width)
    values = task.split(torch.arange(2**task.bits, device=seeds.device)).to(seeds.dtype)
    of_value, of_key, of_seed = weight.split([task.bits, task.n, task.seed_bits], 1)
    of_value = (values @ of_value).transpose(1, 2).unsqueeze(2)  # K, D, 1, V
    of_seed = (seeds.squeeze(2) @ of_seed + bias).transpose(1, 2).unsqueeze(3)  # K, D, m, 1
    tokens = (of_value + of_seed).flatten(2).unsqueeze(1) + of_key.unsqueeze(3)
    if network.embedding < 2:
        return tokens, None, None
    return F.gelu(tokens.contiguous()), w["embed1.w"], w["embed1.b"].unsqueeze(1)


def look_up(task, hidden: Tensor, columns: Tensor, bias: Tensor | None, inputs: Tensor) -> Tensor:
    """What is read off the pairs of each memory, (K, n, C, X), from distinct tokens (K, n, D, m V), columns (K, D, C).

    A product with one-hot values, which is faster than gathering, and much faster backwards.
    """
    k, n, values, reads = len(hidden), task.n, 2**task.bits, columns.shape[-1]
    table = torch.bmm(
        columns.transpose(1, 2).unsqueeze(1).expand(k, n, -1, -1).flatten(0, 1), hidden.flatten(0, 1)
    )  # K n, C, m V
    if bias is not None:
        table = table + bias[..., :reads].transpose(1, 2).unsqueeze(1).expand(k, n, -1, 1).flatten(0, 1)
    held = F.one_hot(inputs[..., :n], values).to(hidden.dtype).permute(0, 2, 3, 1).flatten(0, 1)  # K n, V, M
    return torch.bmm(table.view(k * n, -1, values), held).view(k, n, reads, -1)


def ask(task, hidden: Tensor, columns: Tensor, bias: Tensor | None, inputs: Tensor) -> Tensor:
    """What is read off the query tokens, (K, C, Q, m, M); M is 1 where all memories are asked for all keys.

    A query has value 0, so its token is one of the distinct ones.
    """
    hidden = hidden.unflatten(-1, (-1, 2**task.bits))[..., 0]  # K, n, D, m
    found = torch.matmul(columns.transpose(1, 2).unsqueeze(1), hidden)
    if bias is not None:
        found = found + bias.transpose(1, 2).unsqueeze(1)
    found = found.transpose(1, 2)  # K, C, n, m
    if inputs.shape[-1] == task.n:
        return found.unsqueeze(-1)
    asked = F.one_hot(inputs[..., task.n], task.n).to(found.dtype).transpose(1, 2)  # K, n, M
    flat = found.transpose(2, 3).flatten(1, 2) @ asked  # K, C m, M
    return flat.view(len(flat), found.shape[1], 1, found.shape[3], -1)


def add(reads: list[Tensor], first: int, added: Tensor, update: Tensor, axis: int) -> list[Tensor]:
    """The reads with what a layer added to the tokens, d wide, put through its update (K, d, C) from the first on."""
    sizes = [read.shape[axis] for read in reads[first:]]
    weight = update[..., : sum(sizes)].transpose(1, 2)  # the pairs' reads end before the queries' do
    if axis == 2:  # pairs: K, n, d, X
        new = torch.matmul(weight.unsqueeze(1), added)
    else:  # queries: K, d, Q, m, M
        new = (weight @ added.flatten(2)).unflatten(2, added.shape[2:])
    parts = zip(reads[first:], new.split(sizes, axis), strict=True)
    return reads[:first] + [read + part for read, part in parts]


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
