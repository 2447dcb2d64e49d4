"""Reads what a network does off every cycle at once (section 3.3).

What is counted is exact over cycles: all 181,440 on ten vertices. It is cheap because after L layers a vertex's output
depends on the 2 L + 1 vertices around it only, in either direction alike: 15,120 views decide all 1,814,400 vertices.
"""

import itertools
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from randformer.contract import EvaluationSet
from randformer.core.transformer import Network, forward
from randformer.problems.coloring import fast
from randformer.problems.coloring.task import COLORS, Coloring, all_cycles

CYCLES = 4096  # numbered at once: what is looked up for them stays in the processor's cache


@lru_cache(maxsize=4)
def windows(n: int, layers: int) -> tuple[Tensor, Tensor]:
    """The distinct views of a vertex, and which of them every vertex of every cycle has.

    A view is of the 2 L + 1 vertices around, or of all n where that is fewer. Returns ids (W, w) with the vertex in the
    middle, and the row of each view, (cycles, n).
    """
    width = min(n, 2 * layers + 1)
    middle = width // 2
    views = torch.tensor(list(itertools.permutations(range(n), width)))
    if width < n:
        views = views[views[:, 0] < views[:, -1]]
    place = torch.tensor([n**i for i in range(width)])
    row = torch.empty(n**width, dtype=torch.int32)
    row[views.flip(1) @ place] = torch.arange(len(views), dtype=torch.int32)
    row[views @ place] = torch.arange(len(views), dtype=torch.int32)
    around = torch.stack([all_cycles(n).roll(middle - j, 1) for j in range(width)], -1)
    return views, row[around @ place]


@lru_cache(maxsize=4)
def edges(n: int, layers: int) -> tuple[Tensor, Tensor]:
    """The distinct pairs of views at the ends of an edge, (E, 2), and which of them each edge has, (cycles, n)."""
    views, view_of = windows(n, layers)
    ends = torch.stack([view_of, view_of.roll(-1, 1)]).sort(0).values.long()
    pairs, pair_of = (ends[0] * len(views) + ends[1]).unique(return_inverse=True)
    return torch.stack([pairs // len(views), pairs % len(views)], 1), pair_of.int()


class Cycles(EvaluationSet):
    """Reads what a model does off every cycle on n vertices, under any seeds, by way of the W distinct views."""

    checkable = True
    binary = Coloring.binary

    def __init__(self, task: Coloring, network: Network):
        self.task, self.network = task, network
        self.views, self.view_of = windows(task.n, network.layers)
        walk = torch.arange(self.views.shape[1])
        self.mask = task.mask(walk.view(1, 1, -1))  # of a view, as a closed cycle ...
        if len(walk) < task.n:
            self.mask[..., 0, -1] = self.mask[..., -1, 0] = False  # ... or as a piece of a longer one
        self.place = COLORS ** torch.arange(task.n - 1, -1, -1, dtype=torch.int32)
        colorings = self.colors(np.arange(COLORS**task.n))
        self.valid = (colorings != np.roll(colorings, 1, 1)).all(1)  # of each colouring by its number

    @property
    def inputs(self) -> int:
        return len(self.view_of)

    @property
    def wrong_answers(self) -> int:
        """How many colourings are invalid."""
        return int((~self.valid).sum())

    def probabilities(self, parameters: Tensor, seeds: Tensor) -> Tensor:
        """P(colour) (m, W, 3) at the distinct views, of one model (1, P) under seeds (m, 1, n)."""
        if fast.applies(self.task, self.network) and self.views.shape[1] == 5:
            with torch.no_grad():
                return fast.middle_probabilities(self.task, self.network, parameters, self.views, seeds)
        return self.probabilities_at(slice(None), parameters, seeds)

    def probabilities_at(self, rows, parameters: Tensor, seeds: Tensor) -> Tensor:
        """The same (m, rows, 3) at the views of those rows only, for any network."""
        with torch.no_grad():
            tokens = self.task.tokens(None, seeds.unsqueeze(0)).squeeze(2)[:, :, self.views[rows]]
            logits = forward(self.network, parameters, tokens, self.mask, COLORS)
        return logits[0, :, :, self.views.shape[1] // 2].softmax(-1)

    def answers(self, probabilities: Tensor) -> np.ndarray:
        """Whole answers (m, cycles) uint16 from (m, W, 3): the most probable colours as a number in base 3.

        The first vertex of the walk is the leading digit.
        """
        colors = probabilities.argmax(-1).T.float().contiguous()  # a bag's sum is of floats, and exact
        numbers = np.empty((len(probabilities), self.inputs), np.uint16)
        for start in range(0, self.inputs, CYCLES):
            views = self.view_of[start : start + CYCLES]
            weights = self.place.float().expand(len(views), -1)
            numbers[:, start : start + CYCLES] = F.embedding_bag(
                views, colors, mode="sum", per_sample_weights=weights
            ).T.numpy()
        return numbers

    def probabilities_to(self, index: int, parameters: Tensor, seeds: Tensor) -> Tensor:
        """P(colour) (m, n, 3) along the one cycle of that index in all_cycles, under seeds (m, 1, n)."""
        return self.probabilities_at(self.view_of[index], parameters, seeds)

    def decided(self, probabilities: Tensor) -> np.ndarray:
        """Colourings (...) uint16, as answers has them, from P(colour) (..., n, 3) along a cycle."""
        return (probabilities.argmax(-1) * self.place).sum(-1).numpy().astype(np.uint16)

    def colors(self, answers: np.ndarray) -> np.ndarray:
        """The colours (..., n) along the walk that answers (...) stand for."""
        return answers[..., None] // self.place.numpy() % COLORS

    def right(self, answers: np.ndarray, inputs=slice(None)) -> np.ndarray:
        """Whether colourings (..., inputs) are valid, which does not depend on the cycle they were given for."""
        return self.valid.take(answers)

    def loss(self, probabilities: Tensor) -> np.ndarray:
        """Mean over edges, colours and m seeds of P(u = c) P(v = c), (cycles,), from (m, W, 3): figure 5B."""
        pairs, pair_of = edges(self.task.n, self.network.layers)
        said = probabilities.transpose(0, 1).flatten(1)
        at_edges = (said[pairs[:, 0]] * said[pairs[:, 1]]).sum(1) / len(probabilities)
        return at_edges[pair_of].sum(1).numpy() / (self.task.n * COLORS)

    def sampled(self, probabilities: Tensor) -> np.ndarray:
        """Exact P(valid), (cycles,), of colours sampled independently from one seed's (W, 3).

        The trace of the product along the cycle of the matrices P(u = a) [a != b], one a vertex.
        """
        p = probabilities.double()
        differ = 1 - torch.eye(COLORS, dtype=p.dtype)
        product = torch.eye(COLORS, dtype=p.dtype)
        for at in self.view_of.unbind(1):
            product = (product * p[at].unsqueeze(1)) @ differ
        return product.diagonal(dim1=-2, dim2=-1).sum(-1).numpy()
