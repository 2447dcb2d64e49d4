"""The one network: a small transformer, functional and batched over models.

Every function takes the parameters of K models at once and gives the outputs of all K. One model is K = 1;
five runs, a sweep over q, or a population of an evolution strategy are just a larger K. A model's parameters
are one flat row of a (K, P) tensor: an optimizer sees K vectors, and the network cuts them into named weights.

Paper, appendix A.2: blocks of attention, then (where the task has one) an MLP of hidden width 4x, each behind a
residual connection and, where wanted, behind a LayerNorm.

Shapes: K models, S sequences (any number of axes), T tokens, I token size, D width, H heads, d key size.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from randformer.harness.checks import BadInput, at_least, one_of

MLP_EXPANSION = 4  # hidden width of the MLP over the width of the network, A.2
TRUNCATION = 2.0  # initial weights are cut at this many standard deviations
TRUNCATED_STD = 0.87962566  # standard deviation of a unit normal cut there


@dataclass(frozen=True)
class Network:
    """Size and kind of a network. Raises BadInput where a field has an impossible value."""

    width: int = 16  # D, "token size" in the paper's tables 1-3
    layers: int = 2
    heads: int = 1
    key_size: int = 16  # d, per head; the associative memory's size in recall
    attention: str = "linear"  # "linear": (Q K^T * mask) V; "softmax": the usual, scaled by 1/sqrt(d)
    mlp: bool = False
    layer_norm: bool = False
    embedding: int = 1  # linear maps before the first block, GELU between; 0: tokens padded with zeros to the width
    initial_scale: float = 1.0  # of the initial weights' deviation, times what A.2 has
    truncated: bool = True  # False: initial weights are normal, of the same deviation

    INITIAL = ("initial_scale", "truncated")  # change nothing but the initial weights

    def __post_init__(self):
        for name in ("width", "layers", "heads", "key_size"):
            at_least(name, getattr(self, name), 1)
        one_of("attention", self.attention, ("linear", "softmax"))
        one_of("mlp", self.mlp, (False, True))
        one_of("layer_norm", self.layer_norm, (False, True))
        one_of("embedding", self.embedding, (0, 1, 2))
        at_least("initial_scale", self.initial_scale, 0.0)
        one_of("truncated", self.truncated, (False, True))


def shapes(network: Network, token_size: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of one model, in the order they take in a flat parameter row."""
    width, inner = network.width, network.heads * network.key_size
    named = {}
    if network.embedding == 0 and token_size > width:
        raise BadInput(f"width = {width}: without an embedding give at least the token size, {token_size}")
    for i in range(network.embedding):
        named |= {f"embed{i}.w": (width if i else token_size, width), f"embed{i}.b": (width,)}
    for i in range(network.layers):
        if network.layer_norm:
            named |= {f"{i}.norm_attention.scale": (width,), f"{i}.norm_attention.shift": (width,)}
        named |= {f"{i}.{name}": (width, inner) for name in ("query", "key", "value")} | {f"{i}.out": (inner, width)}
        if network.mlp:
            hidden = MLP_EXPANSION * width
            if network.layer_norm:
                named |= {f"{i}.norm_mlp.scale": (width,), f"{i}.norm_mlp.shift": (width,)}
            named |= {f"{i}.mlp_in.w": (width, hidden), f"{i}.mlp_in.b": (hidden,)}
            named |= {f"{i}.mlp_out.w": (hidden, width), f"{i}.mlp_out.b": (width,)}
    return named | {"output.w": (width, outputs), "output.b": (outputs,)}


def initialize(network: Network, token_size: int, outputs: int, generator: torch.Generator) -> Tensor:
    """Initial parameters of one model, a flat row (P,), drawn on the generator's device.

    A.2: weights truncated normal with variance 1 / fan-in, biases zero, and the matrices before a residual sum
    scaled by 1 / (2 sqrt(layers)); the network may say otherwise.
    """
    residual = 1 / (2 * math.sqrt(network.layers))
    rows = []
    for name, shape in shapes(network, token_size, outputs).items():
        row = torch.zeros(shape, device=generator.device)
        if name.endswith(".scale"):
            row += 1
        elif len(shape) == 2:
            std = network.initial_scale * shape[0] ** -0.5
            if network.truncated:
                std /= TRUNCATED_STD
                torch.nn.init.trunc_normal_(row, 0, std, -TRUNCATION * std, TRUNCATION * std, generator=generator)
            else:
                row.normal_(0, std, generator=generator)
            row *= residual if name.endswith((".out", ".mlp_out.w")) else 1
        rows.append(row.flatten())
    return torch.cat(rows)


def forward(network: Network, parameters: Tensor, tokens: Tensor, mask: Tensor, outputs: int) -> Tensor:
    """Outputs (K, *S, T, outputs) of K models with parameters (K, P) on tokens (K, *S, T, I).

    mask: (K or 1, *S, T, T) booleans, true where the token of the row sees the token of the column. An axis of S that
    is 1 in tokens or in mask stands for all of that axis, and what is the same along it is computed once.
    """
    w = unflatten(parameters, shapes(network, tokens.shape[-1], outputs))
    return blocks(network, w, embed(network, w, tokens), lambda layer, x: attend(network, w, layer, x, mask))


def embed(network: Network, w: dict[str, Tensor], tokens: Tensor) -> Tensor:
    """What goes into the first block (K, *S, D), of tokens (K, *S, I)."""
    x = tokens if network.embedding else F.pad(tokens, (0, network.width - tokens.shape[-1]))
    for i in range(network.embedding):
        x = linear(F.gelu(x) if i else x, w[f"embed{i}.w"], w[f"embed{i}.b"])
    return x


def blocks(network: Network, w: dict[str, Tensor], x: Tensor, attention: Callable) -> Tensor:
    """Outputs (K, *S, outputs) of embedded tokens x (K, *S, D); attention(layer, x) is what a layer's adds to x."""
    for i in range(network.layers):
        x = x + attention(i, norm(w, f"{i}.norm_attention", x) if network.layer_norm else x)
        if network.mlp:
            y = norm(w, f"{i}.norm_mlp", x) if network.layer_norm else x
            y = F.gelu(linear(y, w[f"{i}.mlp_in.w"], w[f"{i}.mlp_in.b"]))
            x = x + linear(y, w[f"{i}.mlp_out.w"], w[f"{i}.mlp_out.b"])
    return linear(x, w["output.w"], w["output.b"])


def unflatten(parameters: Tensor, named: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Cut rows (K, P) into weights (K, *shape); raises ValueError when P does not fit."""
    sizes = [math.prod(shape) for shape in named.values()]
    if parameters.shape[-1] != sum(sizes):
        raise ValueError(f"{parameters.shape[-1]} parameters per model given, the network has {sum(sizes)}")
    parts = parameters.split(sizes, -1)
    return {name: part.unflatten(-1, shape) for part, (name, shape) in zip(parts, named.items(), strict=True)}


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x (K, *S, I) times each model's weight (K, I, O), plus its bias (K, O)."""
    rows = x.flatten(1, -2)
    y = torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias.unsqueeze(1), rows, weight)
    return y.view(*x.shape[:-1], -1)


def norm(w: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """LayerNorm over the width of x (K, *S, T, D), each model with its own scale and shift."""
    k_first = (x.shape[0],) + (1,) * (x.ndim - 2) + (x.shape[-1],)
    y = F.layer_norm(x, x.shape[-1:])
    return y * w[f"{name}.scale"].view(k_first) + w[f"{name}.shift"].view(k_first)


def attend(network: Network, w: dict[str, Tensor], layer: int, x: Tensor, mask: Tensor) -> Tensor:
    """What attention of one layer adds to x (K, *S, T, D), given who sees whom, mask (K or 1, *S, T, T)."""
    q, k, v = projected(network, w, layer, x)
    scores = torch.einsum("...qhd,...shd->...hqs", q, k)
    visible = mask.unsqueeze(-3)
    if network.attention == "linear":
        weights = scores * visible.to(scores.dtype)
    else:
        weights = (scores * network.key_size**-0.5).masked_fill(~visible, -torch.inf).softmax(-1)
    mixed = torch.einsum("...hqs,...shd->...qhd", weights, v)
    return linear(mixed.flatten(-2), w[f"{layer}.out"])


def projected(network: Network, w: dict[str, Tensor], layer: int, x: Tensor) -> list[Tensor]:
    """Queries, keys and values (K, *S, H, d) of x (K, *S, D)."""
    heads = (*x.shape[:-1], network.heads, network.key_size)
    return [linear(x, w[f"{layer}.{name}"]).view(heads) for name in ("query", "key", "value")]


class Stepper:
    """forward with a causal mask, one token of every sequence at a time: keys and values are kept, not computed again.

    K models have m sequences each, and after branch() C sequences in the place of each, which share what came before.
    w: the models' weights. The network's attention is softmax. most: tokens at most, before and again after branch().
    """

    def __init__(self, network: Network, w: dict[str, Tensor], most: int):
        assert network.attention == "softmax"
        self.network, self.w, self.most = network, w, most
        parts = ("query", "key", "value")
        self.project = [torch.cat([w[f"{i}.{part}"] for part in parts], 2) for i in range(network.layers)]
        self.own: dict[int, Tensor] = {}  # of each layer: keys and values (2, most, d, H, K, m, C) since branch()
        self.shared: dict[int, tuple[Tensor, Tensor]] = {}  # keys (H, K, m, d, T), values (H, K, m, T, d) before it
        self.hidden = None  # (K, m, C, T): -inf where a sequence does not see what is shared, else 0
        self.length = 0  # tokens since branch()

    def step(self, x: Tensor) -> Tensor:
        """Outputs (K, m, C, outputs) at the next tokens, embedded, x (K, m, C, D)."""
        self.length += 1
        return blocks(self.network, self.w, x, self.attend)

    def attend(self, layer: int, x: Tensor) -> Tensor:
        """What attention of one layer adds to x (K, m, C, D), each seeing itself and what came before.

        Sequences are the last axis of what is kept: a head has few numbers, and sums over them run along sequences.
        """
        heads, size = self.network.heads, self.network.key_size
        parts = linear(x, self.project[layer]).view(*x.shape[:-1], 3, heads, size).permute(3, 5, 4, 0, 1, 2)
        q = parts[0] * size**-0.5  # d, H, K, m, C
        if layer not in self.own:
            self.own[layer] = x.new_empty(2, self.most, *q.shape)
        own = self.own[layer]
        own[:, self.length - 1] = parts[1:]
        keys, values = own[:, : self.length]
        scores = (keys * q).sum(1)  # T, H, K, m, C
        largest = scores.amax(0)
        if self.shared:
            before = q.permute(1, 2, 3, 4, 0) @ self.shared[layer][0] + self.hidden  # H, K, m, C, T
            largest = largest.maximum(before.amax(-1))
        weights = (scores - largest).exp_()
        total, mixed = weights.sum(0), (weights.unsqueeze(1) * values).sum(0)
        if self.shared:
            weights = (before - largest.unsqueeze(-1)).exp_()
            total += weights.sum(-1)
            mixed += (weights @ self.shared[layer][1]).movedim(-1, 0)
        mixed = (mixed / total).permute(2, 3, 4, 1, 0)
        return linear(mixed.flatten(-2), self.w[f"{layer}.out"])

    def branch(self, seen: Tensor) -> None:
        """Go on with C sequences in the place of each one, which see what seen (K, m, C, T) says of its T tokens."""
        for layer, own in self.own.items():
            keys, values = own[:, : self.length].squeeze(-1).unbind(0)  # T, d, H, K, m
            self.shared[layer] = keys.permute(2, 3, 4, 1, 0).contiguous(), values.permute(2, 3, 4, 0, 1).contiguous()
        self.own, self.length = {}, 0
        self.hidden = torch.where(seen, 0.0, -torch.inf).to(keys.dtype)

    def select(self, rows: Tensor) -> None:
        """Go on with those of the C sequences only, (K, m, C')."""
        for layer, own in self.own.items():
            kept = own[:, : self.length]
            self.own[layer] = own.new_empty(*own.shape[:-1], rows.shape[-1])
            self.own[layer][:, : self.length] = kept.gather(-1, rows.expand(*kept.shape[:-1], -1))
        self.hidden = self.hidden.gather(2, rows.unsqueeze(-1).expand(-1, -1, -1, self.hidden.shape[-1]))
