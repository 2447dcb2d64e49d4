from dataclasses import replace
from math import log

import pytest
import torch

from randformer.harness.checks import BadInput
from randformer.problems.highway import data
from randformer.problems.highway.run import Network, StackRun, cosines_of, gradient_of, ks, placed

MLP = StackRun(30, 0, "digits", 4, 8, 16, 1e-2, "highway", 1)
GRU = StackRun(30, 0, "adding", 8, 6, 8, 1e-2, "highway", 2)


def first(run):
    return run.begin(torch.Generator().manual_seed(run.run_index))["parameters"]


def trained(run, tmp_path):
    return run.train([run], torch.device("cpu"), tmp_path, lambda steps: None)[0][run]


@pytest.mark.parametrize("run", [MLP, GRU], ids=["MLP", "GRU"])
def test_all_ways_begin_alike_and_k_equal_to_l_ends_as_backpropagation_does(run, tmp_path):
    ways = [replace(run, way=way, k=run.layers) for way in ("backpropagation", "highway", "fixed point")]
    assert all(torch.equal(first(way), first(run)) for way in ways)
    exact, *others = (trained(way, tmp_path).tensors["parameters"] for way in ways)
    for other in others:
        assert torch.allclose(exact, other, atol=1e-4)
    assert not torch.allclose(exact, trained(run, tmp_path).tensors["parameters"], atol=1e-4)


def test_it_learns(tmp_path):
    run = replace(MLP, steps=150)
    found = trained(run, tmp_path)
    assert found.content["loss_history"][0] == pytest.approx(log(10), abs=0.3)
    seen = run.evaluate(run.restore(found.tensors))
    assert seen["accuracy"] > 60
    assert seen["loss"] < 1.5


def test_cosines_end_at_1_and_are_told_layer_by_layer():
    for run in (MLP, GRU):
        found = cosines_of(run, first(run))
        assert found["k"] == ks(run.layers)
        for name in ("whole", "fixed point"):
            assert found[name][-1] == pytest.approx(1, abs=1e-9)
            assert found[name][0] < 1
        assert [len(each) for each in found["layers"]] == [run.layers] * len(found["k"])
        assert found["layers"][-1] == [1] * run.layers
        assert found["layers"][0][-1] == 1  # of the last layer even the residual path knows all


def test_fixed_points_need_as_many_iterations_as_layers_to_hear_of_the_loss():
    whole, layers = gradient_of(MLP, first(MLP), 1, True)
    zero = [all(not part.any() for part in layer) for layer in layers]
    assert zero == [True, True, False, False]
    assert len(whole) == 4 * len(layers[0])


def test_which_ks_are_compared():
    assert ks(16) == [0, 1, 2, 4, 8, 16]
    assert ks(5) == [0, 1, 2, 4, 5]


def test_networks_say_what_their_parameters_say():
    seen, targets = data.tested("adding", 8, 0)
    assert torch.equal(placed(GRU, first(GRU))(seen), placed(GRU, first(GRU))(seen))
    assert Network(replace(GRU, way="backpropagation", k=8)).stack.k is None
    assert placed(GRU, first(GRU)).loss(seen, targets) > 0


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"k": -1}, "k = -1: give a whole number, at least 0 and at most 4"),
        ({"k": 5}, "k = 5: give a whole number, at least 0 and at most 4"),
        ({"way": "back"}, "way = 'back': give one of backpropagation, highway, fixed point"),
        ({"way": "backpropagation"}, "k = 1: give 4, all layers, for backpropagation"),
        ({"data": "letters"}, "data = 'letters': give one of digits, pixels, adding"),
        ({"data": "pixels"}, "layers = 4: give 64, the pixels of an image"),
        ({"layers": 1}, "layers = 1: give a whole number, at least 2"),
        ({"units": 0}, "units = 0: give a whole number, at least 1"),
        ({"learning_rate": -0.1}, "learning_rate = -0.1: give a number, at least 0"),
    ],
)
def test_bad_input_is_told_in_a_line(fields, told):
    with pytest.raises(BadInput, match=f"^{told}"):
        replace(MLP, **fields)
