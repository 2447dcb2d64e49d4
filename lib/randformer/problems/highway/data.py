"""What the stacks learn: digits of 8 x 8 pixels at once, pixel by pixel, and the sum of two numbers seen long ago.

digits   (64,)      all pixels at once; which digit it is
pixels   (64, 1)    one after another, as a recurrence reads them; the same
adding   (L, 2)     numbers of [0, 1], and marks that are 1 at two of them, one in either half; the sum of those two
                    (Hochreiter and Schmidhuber 1997); always to say 1 has a squared error of 1/6. As there, a
                    sum is right when it is off by less than 0.04
"""

from functools import cache

import torch
from torch import Tensor

TESTED = 599  # images of 1,797 that are for testing, a third
SUMS = 1000  # for testing
NEAR = 0.04
SPLIT_STREAM = 10**6  # the generator of a run's test samples starts there, apart from that of its training


@cache
def digits() -> tuple[Tensor, Tensor]:
    """All images (1797, 64) of scikit-learn, with pixels of [0, 1], and which digits they are (1797,)."""
    from sklearn.datasets import load_digits  # takes a second, which who only lists runs need not wait

    found = load_digits()
    return torch.tensor(found.data, dtype=torch.float32) / 16, torch.tensor(found.target)


def split(run_index: int) -> tuple[Tensor, Tensor]:
    """Indices of images to train and to test on, each run's own, the same for all ways to train."""
    generator = torch.Generator().manual_seed(SPLIT_STREAM + run_index)
    order = torch.randperm(len(digits()[0]), generator=generator)
    return order[TESTED:], order[:TESTED]


def sums(length: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Sequences (batch, length, 2) and sums (batch,)."""
    numbers = torch.rand(batch, length, generator=generator)
    half = length // 2
    places = torch.rand(batch, 2, generator=generator) * torch.tensor([half, length - half])
    marks = torch.zeros(batch, length)
    marks.scatter_(1, places.long() + torch.tensor([0, half]), 1.0)
    return torch.stack([numbers, marks], -1), (numbers * marks).sum(1)


def drawn(name: str, length: int, run_index: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A step's samples: what is seen (batch, ...), and what is to be said."""
    if name == "adding":
        return sums(length, batch, generator)
    train, _ = split(run_index)
    return images(name, train[torch.randint(len(train), (batch,), generator=generator)])


def tested(name: str, length: int, run_index: int) -> tuple[Tensor, Tensor]:
    """What a trained network is judged on."""
    if name == "adding":
        return sums(length, SUMS, torch.Generator().manual_seed(SPLIT_STREAM + run_index))
    return images(name, split(run_index)[1])


def images(name: str, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """Those images, at once or pixel by pixel, and their digits."""
    seen, targets = (part[chosen] for part in digits())
    return (seen if name == "digits" else seen.unsqueeze(-1)), targets


def right(said: Tensor, targets: Tensor) -> Tensor:
    """Which samples are answered rightly (B,), of what a network says of them (B, numbers said)."""
    if targets.is_floating_point():
        return (said.squeeze(-1) - targets).abs() < NEAR
    return said.argmax(-1) == targets
