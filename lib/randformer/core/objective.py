"""The relaxed worst case of section 2.3 and the four models that the paper compares. Nothing here knows a task.

    L_q = ( E_x [ (E_r L(A(x, r)))^q ] )^(1/q)                                          (equation 4)

q = 1 is the expected loss, q -> infinity the worst input's. Training estimates it from a batch of n inputs and m
seeds that the whole batch shares (equation 5 carries no index of the input on its seeds).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from randformer.harness.checks import BadInput, at_least, one_of


@dataclass(frozen=True)
class Objective:
    """Which loss, and where its seeds come from (section 3.1).

    Raises BadInput for q < 1, m < 1, or a fixed seed with m other than 1.
    """

    q: float = 1.0  # inf: the worst input alone, for training without a gradient
    m: int = 1  # seeds per step
    fixed_seed: bool = False  # True: A_r0, one seed drawn before training and used ever after; False: A_R, fresh ones
    root: bool = False  # True: a gradient is that of L_q, equation 4; False: of its q-th power, equation 5

    def __post_init__(self):
        if self.q != math.inf:
            at_least("q", self.q, 1.0)
        at_least("m", self.m, 1)
        one_of("fixed_seed", self.fixed_seed, (False, True))
        one_of("root", self.root, (False, True))
        if self.fixed_seed and self.m != 1:
            raise BadInput(f"m = {self.m}: a model with a fixed seed sees one seed, give m = 1")
        object.__setattr__(self, "q", float(self.q))  # 10 and 10.0 are one model, with one record

    @property
    def family(self) -> str:
        """A_r0 or A_R."""
        return "A_r0" if self.fixed_seed else "A_R"

    @property
    def name(self) -> str:
        """A_r0^E, A_r0^q, A_R^E or A_R^q."""
        return self.family + ("^E" if self.q == 1 else "^q")


def relaxed_worst_case(mean: Tensor, q: Tensor, rooted: bool = False) -> tuple[Tensor, Tensor]:
    """What training descends on and the L_q it stands for, both (K,), of mean losses over seeds (K, B) and q (K,) >= 1.

    rooted: descends on L_q itself.

    Over inputs the mean of the q-th power, equation 5. The power is taken of the mean loss over the batch's largest
    mean loss, and the result has that loss as its unit again: a step's gradient has equation 5's direction, and q = 500
    stays in range. Its size is equation 5's over max^(q - 1) (our choice: as written, losses of 0.5 to the power 10
    vanish beside the epsilon of table 2's Adam). L_q is the root, equation 4 with sample means.
    """
    largest = mean.detach().amax(1).clamp_min(torch.finfo(mean.dtype).tiny)
    power = ((mean / largest.unsqueeze(1)) ** q.unsqueeze(1)).mean(1)
    # in double precision: a vectorized power of floats rounds differently with the place in memory, and so with K
    under_root = power if rooted else power.detach()
    root = (under_root.double() ** (1 / q.double())).to(power.dtype)
    return largest * (root if rooted else power), largest * root.detach()
