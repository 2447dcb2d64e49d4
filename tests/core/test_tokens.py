"""A kept token at a time it is what the whole sequence through transformer.forward gives."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from numba import njit

from randformer.core import tokens
from randformer.core.lanes import HOW, LANES
from randformer.core.transformer import Network, forward, initialize

OUTPUTS = 3


class Room(NamedTuple):
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    weights: np.ndarray


@njit(**HOW)
def step(room, kept, w, network, places, sees, shared, own, begin):
    tokens.step(room, kept, w, network, places, sees, shared, own, begin)


def stepped(network: Network, row: torch.Tensor, x: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Outputs (T, OUTPUTS, L) at tokens x (T, D, L), of which each lane has the first so many as shared ones."""
    width, inner, length = network.width, network.heads * network.key_size, len(x)
    rows = max(4 * width, 3 * inner)
    room = Room(*(np.zeros(n * LANES, np.float32) for n in (width, rows, rows, 2 * length)))
    kept = np.zeros(network.layers * 2 * length * 2 * inner * LANES, np.float32)
    sizes = (width, network.layers, network.heads, network.key_size, OUTPUTS, (width + 1) * width)
    found, own = [], np.zeros(LANES, np.int64)
    for t in range(length):
        first = t < shared
        own[~first] += 1
        places = np.where(first, t, length + own - 1)
        sees = np.stack([np.minimum(t, shared - 1), own - 1]).astype(np.float32)
        room.x[:] = x[t].ravel()
        counts = min(t + 1, shared.max()), own.max()
        step(room, kept, row.numpy(), sizes, places, sees.ravel(), *map(np.int64, counts), np.int64(length))
        found.append(room.y[: OUTPUTS * LANES].reshape(OUTPUTS, LANES).copy())
    return np.stack(found)


@pytest.mark.parametrize(
    ("width", "layers", "heads", "key_size"), [(8, 1, 2, 4), (16, 1, 2, 4), (16, 2, 2, 4), (80, 2, 4, 10), (7, 3, 1, 5)]
)
def test_it_is_what_the_whole_sequence_gives(width, layers, heads, key_size):
    network = Network(width, layers, heads, key_size, "softmax", mlp=True, layer_norm=True)
    generator = torch.Generator().manual_seed(0)
    row = initialize(network, width, OUTPUTS, generator)
    row += 0.1 * torch.randn(row.shape, generator=generator)
    embedding = row[: (width + 1) * width].split([width * width, width])
    embedding[0][:], embedding[1][:] = torch.eye(width).ravel(), 0  # so that tokens come as they are
    x = torch.randn(9, width, LANES, generator=generator)
    shared = np.arange(LANES) % 8 + 1
    found = stepped(network, row, x.numpy(), shared)
    mask = torch.ones(9, 9, dtype=torch.bool).tril().expand(1, LANES, -1, -1)
    expected = forward(network, row.double().unsqueeze(0), x.double().permute(2, 0, 1).unsqueeze(0), mask, OUTPUTS)
    np.testing.assert_allclose(found.transpose(2, 0, 1), expected[0], rtol=0, atol=2e-5)
    changed = x.numpy().copy()
    changed[..., 1:] = 100 * changed[..., :0:-1]
    alone = stepped(network, row, changed, np.where(np.arange(LANES) == 0, shared, 9))
    assert np.array_equal(found[..., 0], alone[..., 0])  # to the last bit, whatever the others see
