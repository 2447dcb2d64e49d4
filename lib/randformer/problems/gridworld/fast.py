"""The kernel at hand: the walks of task.Agents, to rounding, several times as fast, on a processor that numba knows.

Where it is not installed, on a GPU, in double precision, and for networks that the kernel was not made for, task.Agents
walks itself.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from randformer.core.transformer import MLP_EXPANSION, Network, linear
from randformer.harness.checks import default_but_for

if TYPE_CHECKING:
    from randformer.problems.gridworld.task import Agents, GridWorld

SIZES = ("width", "layers", "heads", "key_size")


@cache
def kernel() -> ModuleType | None:
    """The compiled code, imported when it is first wanted; None where numba cannot be had."""
    try:
        from randformer.problems.gridworld import kernel
    except ImportError:
        return None
    return kernel


def versions() -> dict[str, str]:
    """Of what compiles it."""
    import numba

    return {"numba": numba.__version__}


def applies(task: GridWorld, network: Network, parameters: Tensor) -> bool:
    """Whether the kernel computes that; what it does not know, fields yet to come too, is not for it."""
    known = default_but_for(task, "n", "episode", "seed_size")
    known &= default_but_for(network, *SIZES, "attention", "mlp", "layer_norm")
    known &= (network.attention, network.mlp, network.layer_norm) == ("softmax", True, True)
    known &= parameters.device.type == "cpu" and parameters.dtype == torch.float32
    return known and kernel() is not None


def fast_play(agents: Agents, parameters: Tensor, seeds: Tensor) -> tuple[Tensor, ...]:
    """All that Episodes are made of, of agents with parameters (K, P) under seeds (K, m, 1, seed_size)."""
    from randformer.problems.gridworld.task import FOUND, STEP  # which needs this file

    task, network = agents.task, agents.stepper.network
    shape = (*seeds.shape[:2], task.cells)
    first = torch.zeros(*seeds.shape[:2], task.episode + 1, dtype=torch.long)
    second = torch.full((*shape, task.episode), -1)
    visits, again = torch.full((2, *shape), task.episode)
    visits[..., 0] = 0
    walks = first, second, torch.zeros(shape, dtype=torch.bool), visits, again
    starts = linear(seeds, agents.seeds).squeeze(2) + agents.places[:, :1]
    tables = starts, agents.states.flatten(1), agents.places.flatten(1), agents.reward.squeeze(1), agents.onwards
    sizes = [getattr(network, name) for name in SIZES]
    kernel().play(
        parameters.contiguous().numpy(),
        (*sizes, task.outputs, (task.token_size + 1) * network.width),
        *(table.contiguous().numpy() for table in tables),
        np.float32(STEP),
        np.float32(FOUND),
        room(task, network),
        tuple(walk.numpy() for walk in walks),
    )
    return walks


def room(task: GridWorld, network: Network):
    """What the kernel works in: PyTorch's memory, whose beginning suits a register, so that loads are twice as fast."""
    width, lanes, inner = network.width, kernel().LANES, network.heads * network.key_size
    tokens, rows = 2 * (task.episode + 1), max(MLP_EXPANSION * width, 3 * inner)
    kept = network.layers * tokens * 2 * inner
    floats = [torch.zeros(rows * lanes).numpy() for rows in (width, rows, rows, tokens, kept, kept, 2)]
    return kernel().Room(*floats, *np.zeros((len(kernel().Room._fields) - len(floats), lanes), np.int64))
