"""The colouring network at a fraction of the cost: the same numbers as transformer.forward, to rounding.

Four facts make it cheap where the two blocks are nothing but linear attention. A batch shares its m seeds, so there are
n x m different tokens, whatever the number of cycles. A vertex sees two others, and what it gets from each is a product
of the two, so behind the first layer everything that is linear is a sum of two out of n x n parts: one for each of the
ordered pairs (vertex, neighbour). So the scores of the second layer, of a vertex v with neighbours a and w for its
neighbour w with neighbours v and b, are sums of four out of the products of two parts, and belong to the path a v w b:
there are n^4 of these, and they are had by one product of matrices. What a cycle costs by itself is to look up two
scores and a view (v between a and b) for each vertex, and the loss, a product along the walk.

Shapes: K models, m seeds, B cycles, n vertices, d key size, 3 colours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from randformer.core.transformer import Network, embed, shapes, unflatten
from randformer.harness.checks import default_but_for

if TYPE_CHECKING:
    from randformer.problems.coloring.task import Coloring


def applies(task: Coloring, network: Network) -> bool:
    """Whether this module computes that; what it does not know, fields yet to come too, is not for it."""
    sizes = ("width", "key_size", "embedding")
    return default_but_for(network, *sizes, *Network.INITIAL) and default_but_for(task, "n", "noise")


def fast_losses(task: Coloring, network: Network, parameters: Tensor, cycles: Tensor, seeds: Tensor) -> Tensor:
    """Loss (K, m, B) of models (K, P) on cycles (K, B, n) under seeds (K, m, 1, n)."""
    p = fast_logits(task, network, parameters, cycles, seeds).softmax(0)
    return (p * p.roll(1, 2)).sum(2).sum(0).transpose(1, 2)  # one by one: the order must not depend on K


def fast_logits(task: Coloring, network: Network, parameters: Tensor, cycles: Tensor, seeds: Tensor) -> Tensor:
    """Logits (3, K, n, B, m), vertices along the walk, of models (K, P) on cycles (K, B, n), seeds (K, m, 1, n)."""
    w = unflatten(parameters, shapes(network, task.token_size, task.outputs))
    tokens = embed(network, w, task.tokens(None, seeds).squeeze(2))  # K, m, n, D
    query, key, read = parts(network, w, tokens)
    views, paths = numbers(cycles)
    to_next, to_last = Scores.apply(query.flatten(2, 3), key.flatten(2, 3), paths)  # K, n, B, m
    value, own = look_up(read.unsqueeze(4) + read.unsqueeze(3), views).split(task.outputs)
    return torch.addcmul(torch.addcmul(own, to_next, value.roll(-1, 2)), to_last, value.roll(1, 2))


def middle_probabilities(task: Coloring, network: Network, parameters: Tensor, views: Tensor, seeds: Tensor) -> Tensor:
    """P(colour) (m, W, 3) at the middle of walks (W, 5) along longer cycles, of one model (1, P), seeds (m, 1, n).

    What a vertex says is a matter of those that are no more than two steps away.
    """
    n, m = task.n, len(seeds)
    w = unflatten(parameters, shapes(network, task.token_size, task.outputs))
    query, key, read = parts(network, w, embed(network, w, task.tokens(None, seeds.unsqueeze(0)).squeeze(2)))
    x, a, v, b, y = views.unbind(1)
    paths = torch.stack([((v * n + a) * n + b) * n + y, ((v * n + b) * n + a) * n + x])
    scores = Scores.apply(query.flatten(2, 3), key.flatten(2, 3), paths)  # 2, W, m
    around = torch.stack([(v * n + b) * n + a, (b * n + y) * n + v, (a * n + v) * n + x]).view(1, 3, -1)
    value, own = look_up(read.unsqueeze(4) + read.unsqueeze(3), around).split(task.outputs)  # 3, 1, 3, W, m
    logits = own[:, 0, 0] + scores[0] * value[:, 0, 1] + scores[1] * value[:, 0, 2]
    return logits.softmax(0).view(task.outputs, len(views), m).permute(2, 1, 0).contiguous()


def look_up(table: Tensor, views: Tensor) -> Tensor:
    """What stands in a table (C, K, n, n, n, m) at the numbers of views (K, n, B): (C, K, n, B, m)."""
    columns, size = len(table), table[0, ..., 0].numel()
    rows = views + size * torch.arange(columns, device=views.device).view(-1, 1, 1, 1)
    # rows of a matrix, no index of several axes: backwards this is several times as fast
    return table.flatten(0, 4).index_select(0, rows.flatten()).view(*rows.shape, -1)


def numbers(cycles: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers in base n, model k's from k n^3 or k n^4 on, of what there is along the walks (K, B, n).

    Of each vertex's view, (vertex, next, last), (K, n, B); and of its paths, (vertex, last, next, next but one) and the
    same in the other direction, (2, K, n, B).
    """
    walk = cycles.transpose(1, 2).contiguous()  # so that a roll along the walk moves whole blocks
    n, model = walk.shape[1], torch.arange(len(walk), device=walk.device).view(-1, 1, 1)
    last, after = walk.roll(1, 1), walk.roll(-1, 1)
    forth, back = walk * n + after, walk * n + last  # pairs of a vertex and its neighbour
    first = model * n**2
    paths = (back + first) * n**2 + forth.roll(-1, 1), (forth + first) * n**2 + back.roll(1, 1)
    return (forth + first) * n + last, torch.stack(paths)


def parts(network: Network, w: dict[str, Tensor], tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each pair (vertex, neighbour) its part in what the second layer reads off the vertex, of tokens (K, m, n, D).

    Returns queries and keys (K, m, n, n, d), and (6, K, n, n, m): values, put through all that follows, and logits. The
    sum of a vertex's parts with its two neighbours is the whole, so half of its own token is in either.
    """
    d, out = network.key_size, w["output.w"]
    reads = torch.cat([w["1.query"], w["1.key"], w["1.value"] @ (w["1.out"] @ out), out], 2)
    columns = [w["0.query"], w["0.key"], w["0.value"] @ (w["0.out"] @ reads), reads / 2]
    sizes = [column.shape[2] for column in columns]
    query, key, sent, half = (tokens @ torch.cat(columns, 2).unsqueeze(1)).split(sizes, 3)
    weight = query @ key.transpose(2, 3)  # K, m, n, n
    pairs = torch.addcmul(half.unsqueeze(3), weight.unsqueeze(4), sent.unsqueeze(2))  # K, m, n, n, 2 d + 6
    query, key, value, logits = pairs.split([d, d, out.shape[2], out.shape[2]], 4)
    logits = logits + w["output.b"].view(-1, 1, 1, 1, out.shape[2]) / 2
    return query, key, torch.cat([value, logits], 4).permute(4, 0, 2, 3, 1)


class Scores(torch.autograd.Function):
    """What v, between a and w, gives to w, between v and b, looked up for given paths.

    query, key: (K, m, n^2, d), of pairs; rows: any shape, numbers v a w b in base n, model k's from k n^4 on.
    Returns (*rows, m). Of the n^4 products of two parts, those with b = v are of w's part with v, and those with a = w
    of v's part with w: a score is the sum of four. By hand, because adding these is much cheaper in place.
    """

    @staticmethod
    def forward(ctx, query: Tensor, key: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(query, key, rows)
        models, m, n = len(query), query.shape[1], math.isqrt(query.shape[2])
        table = (query @ key.transpose(2, 3)).view(models, m, -1).transpose(1, 2).contiguous()
        table = table.view(models, n, n, n, n, m)  # K, v, a, w, b, m
        table += table.diagonal(0, 2, 3).permute(0, 1, 4, 2, 3).clone().unsqueeze(2)
        table += table.diagonal(0, 1, 4).permute(0, 4, 1, 2, 3).clone().unsqueeze(4)
        return table.view(-1, m).index_select(0, rows.flatten()).view(*rows.shape, m)

    @staticmethod
    def backward(ctx, scores: Tensor) -> tuple[Tensor, Tensor, None]:
        query, key, rows = ctx.saved_tensors
        models, m, n = len(query), query.shape[1], math.isqrt(query.shape[2])
        table = scores.new_zeros(models * n**4, m).index_add_(0, rows.flatten(), scores.reshape(-1, m))
        table = table.view(models, n, n, n, n, m)
        table.diagonal(0, 1, 4).add_(table.sum(4).permute(0, 2, 3, 4, 1))
        table.diagonal(0, 2, 3).add_(table.sum(2).permute(0, 1, 3, 4, 2))
        table = table.view(models, -1, m).transpose(1, 2).contiguous().view(models, m, n**2, n**2)
        return table @ key, table.transpose(2, 3) @ query, None
