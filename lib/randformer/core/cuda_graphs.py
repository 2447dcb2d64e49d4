"""A computation on a GPU recorded once and replayed with a single call.

A training step is a few hundred small operations, and on a GPU each takes longer to be asked for than to be done. A
CUDA graph asks for all of them at once. torch.compile would fuse some of them besides, but it takes a minute for every
size of task, network and batch, and a profile has more than a hundred of these; recording takes a moment.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

WARM_UPS = 3  # calls before recording: libraries allocate on their first ones, which must not be recorded


class Replayed:
    """compute(q, state), which returns tensors, for other q and whatever the state's tensors and generators hold then.

    What it reads of the state must be changed in place only, and it must neither read a number back from the GPU nor
    bring one there. Raises RuntimeError where it does. What a call returns is overwritten by the next one.
    """

    def __init__(self, compute: Callable, q: Tensor, state):
        self.q = q.clone()
        drawn = [generator.get_state() for generator in state.generators]
        aside = stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UPS):
                compute(self.q, state)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        for generator, before in zip(state.generators, drawn, strict=True):
            generator.set_state(before)  # as if nothing had been drawn yet
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph, stream=aside):
            self.found = compute(self.q, state)

    def __call__(self, q: Tensor) -> tuple[Tensor, ...]:
        self.q.copy_(q)
        self.graph.replay()
        return self.found


@cache
def stream() -> torch.cuda.Stream:
    """The one that everything is recorded on: libraries keep memory for each stream that they have seen."""
    return torch.cuda.Stream()
