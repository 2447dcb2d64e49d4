import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from randformer.core.transformer import Network, Stepper, embed, forward, initialize, shapes, unflatten
from randformer.harness.checks import BadInput

K, S, T, I, O = 3, 4, 6, 7, 5
KINDS = [
    Network(width=8, key_size=4, heads=heads, attention=attention, mlp=mlp, layer_norm=norm, embedding=embedding)
    for attention, mlp, norm in itertools.product(("linear", "softmax"), (False, True), (False, True))
    for heads, embedding in ((1, 1), (2, 0), (2, 2))
]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def example(network: Network) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = torch.stack([initialize(network, I, O, generator(k)) for k in range(K)])
    parameters = rows.double() + 0.1 * torch.randn(rows.shape, generator=generator(9))  # biases too
    mask = torch.rand(1, 1, T, T, generator=generator(8)) < 0.5
    return parameters, torch.randn(K, S, T, I, generator=generator(7)).double(), mask | torch.eye(T, dtype=torch.bool)


@pytest.mark.parametrize("network", KINDS, ids=str)
def test_models_together_give_what_each_gives_alone(network):
    parameters, tokens, mask = example(network)
    together = forward(network, parameters, tokens, mask, O)
    for k in range(K):
        alone = forward(network, parameters[k : k + 1], tokens[k : k + 1], mask, O)
        torch.testing.assert_close(together[k : k + 1], alone)


def test_initial_weights_have_the_deviation_that_the_network_says():
    """1 / sqrt(fan-in), A.2, times the scale; cut off at two deviations of the uncut normal, or not at all."""
    for truncated, scale in itertools.product((True, False), (0.5, 1.0, 2.0)):
        network = Network(width=200, initial_scale=scale, truncated=truncated)
        weights = unflatten(initialize(network, 100, 5, generator()).unsqueeze(0), shapes(network, 100, 5))
        first = next(w for name, w in weights.items() if w.shape == (1, 100, 200))  # 20,000 numbers
        assert first.std().item() == pytest.approx(scale / 10, rel=0.02)
        assert (first.abs().max() < 0.23 * scale) == truncated


@pytest.mark.parametrize("network", KINDS, ids=str)
def test_a_sequence_does_not_depend_on_the_others(network):
    parameters, tokens, mask = example(network)
    changed = tokens.clone()
    changed[:, 1:] = 100
    before, after = (forward(network, parameters, x, mask, O) for x in (tokens, changed))
    torch.testing.assert_close(before[:, 0], after[:, 0])
    assert not torch.allclose(before[:, 1], after[:, 1])


@pytest.mark.parametrize("network", KINDS, ids=str)
def test_changing_a_hidden_token_changes_nothing(network):
    """Under a causal mask the first tokens do not hear of the last; without the mask they do."""
    parameters, tokens, _ = example(network)
    causal = torch.ones(T, T, dtype=torch.bool).tril().view(1, 1, T, T)
    changed = tokens.clone()
    changed[:, :, -1] += 1
    before, after = (forward(network, parameters, x, causal, O) for x in (tokens, changed))
    torch.testing.assert_close(before[:, :, :-1], after[:, :, :-1])
    seeing = forward(network, parameters, changed, torch.ones_like(causal), O)
    blind = forward(network, parameters, tokens, torch.ones_like(causal), O)
    assert not torch.allclose(seeing[:, :, :-1], blind[:, :, :-1])


@pytest.mark.parametrize("network", KINDS, ids=str)
def test_axes_of_size_one_stand_for_the_whole_axis(network):
    """Tokens shared by sequences with their own masks: the same as tokens repeated."""
    parameters, tokens, _ = example(network)
    masks = (torch.rand(1, S, T, T, generator=generator(5)) < 0.5) | torch.eye(T, dtype=torch.bool)
    shared = forward(network, parameters, tokens[:, :1], masks, O)
    repeated = forward(network, parameters, tokens[:, :1].expand(K, S, T, I), masks, O)
    torch.testing.assert_close(shared, repeated)


def test_linear_attention_is_the_formula():
    """x + (Q K^T * mask) V O, then the output: no softmax, no scale."""
    network = Network(width=I, layers=1, key_size=4, embedding=0)
    parameters, tokens, mask = example(network)
    w = {name: v[0] for name, v in unflatten(parameters, shapes(network, I, O)).items()}
    x = tokens[0, 0]
    scores = (x @ w["0.query"]) @ (x @ w["0.key"]).T * mask[0, 0]
    expected = (x + scores @ (x @ w["0.value"]) @ w["0.out"]) @ w["output.w"] + w["output.b"]
    torch.testing.assert_close(forward(network, parameters, tokens, mask, O)[0, 0], expected)


def test_softmax_attention_is_pytorchs():
    network = Network(width=I, layers=1, key_size=4, attention="softmax", embedding=0)
    parameters, tokens, mask = example(network)
    w = {name: v[0] for name, v in unflatten(parameters, shapes(network, I, O)).items()}
    x = tokens[0]
    mixed = F.scaled_dot_product_attention(*(x @ w[f"0.{name}"] for name in ("query", "key", "value")), mask[0])
    expected = (x + mixed @ w["0.out"]) @ w["output.w"] + w["output.b"]
    torch.testing.assert_close(forward(network, parameters, tokens, mask, O)[0], expected)


def test_without_positions_the_order_of_tokens_does_not_matter():
    network = Network(width=8, key_size=4, attention="softmax", mlp=True)
    parameters, tokens, mask = example(network)
    order = torch.randperm(T, generator=generator())
    straight = forward(network, parameters, tokens, mask, O)[:, :, order]
    permuted = forward(network, parameters, tokens[:, :, order], mask[:, :, order][..., order], O)
    torch.testing.assert_close(straight, permuted)


def test_initial_weights_have_fan_in_variance_and_residual_scale():
    network = Network(width=64, layers=4, key_size=64, mlp=True, layer_norm=True)
    w = unflatten(initialize(network, 64, 64, generator()).unsqueeze(0), shapes(network, 64, 64))
    assert w["0.query"].std() == pytest.approx(1 / 8, rel=0.05)
    assert w["0.query"].abs().max() < 2.01 / 8 / 0.8796
    assert w["0.out"].std() == pytest.approx(1 / 8 / (2 * math.sqrt(4)), rel=0.05)
    assert w["0.mlp_out.w"].std() == pytest.approx(1 / 16 / (2 * math.sqrt(4)), rel=0.05)
    assert not w["embed0.b"].any()
    assert w["0.norm_mlp.scale"].eq(1).all()


def test_the_coloring_network_has_the_public_codes_size():
    """2,291 parameters; its sizes are table 2's."""
    assert initialize(Network(), 11, 3, generator()).numel() == 2291


def test_impossible_sizes_are_refused():
    for bad in ({"heads": 0}, {"width": 2.5}, {"attention": "cosine"}, {"embedding": 3}, {"mlp": 1}, {"layers": True}):
        with pytest.raises(BadInput, match=f"{next(iter(bad))} = .*: give"):
            Network(**bad)
    with pytest.raises(BadInput, match="at least the token size"):
        shapes(Network(width=8, embedding=0), 9, 1)
    with pytest.raises(ValueError, match="parameters per model"):
        unflatten(torch.zeros(1, 3), shapes(Network(), 11, 3))


@pytest.mark.parametrize("network", [n for n in KINDS if n.attention == "softmax"], ids=str)
def test_token_by_token_is_forward_with_a_causal_mask(network):
    """S sequences of half of the tokens each go on as two branches: one saw all of it, one a piece only."""
    parameters, tokens, _ = example(network)
    causal = torch.ones(T, T, dtype=torch.bool).tril()
    w, half = unflatten(parameters, shapes(network, I, O)), T // 2
    stepper, embedded = Stepper(network, w, T), embed(network, w, tokens)
    whole = forward(network, parameters, tokens, causal, O)
    for t in range(half):
        torch.testing.assert_close(stepper.step(embedded[:, :, None, t])[:, :, 0], whole[:, :, t])
    seen = torch.tensor([[True] * half, [True] + [False] * (half - 1)])
    stepper.branch(seen.expand(K, S, 2, half))
    sequences_per_seed = [stepper.step(embedded[:, :, None, t].expand(-1, -1, 2, -1)) for t in range(half, T - 1)]
    torch.testing.assert_close(torch.stack([y[:, :, 0] for y in sequences_per_seed], 2), whole[:, :, half:-1])
    stepper.select(torch.ones(K, S, 1, dtype=torch.long))
    piece = causal.clone()
    piece[half:, 1:half] = False
    torch.testing.assert_close(
        stepper.step(embedded[:, :, None, -1])[:, :, 0], forward(network, parameters, tokens, piece, O)[:, :, -1]
    )
