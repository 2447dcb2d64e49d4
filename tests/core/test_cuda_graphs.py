from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from helpers import tiny, tiny_recall
from randformer.core.cuda_graphs import Replayed
from randformer.core.gradient import GradientTraining, drawn_gradients, gradients
from randformer.core.training import begin, join, saved_state, train
from randformer.experiments.registry import declared
from randformer.harness import checkpoints

META = torch.device("meta")
KINDS = {  # one run of every kind of network and task that is trained by gradient
    (run.problem, replace(run.network, width=1, key_size=1), replace(run.task, n=9), run.objective.fixed_seed): run
    for run in declared("smoke")
    if isinstance(run.training, GradientTraining)
}


class Within(TorchDispatchMode):
    """Everything that is computed lies on the device; nothing is brought there, and no number is read back."""

    def __torch_dispatch__(self, function, types, given=(), named=None):
        found = function(*given, **(named or {}))
        tensors = [leaf for leaf in tree_leaves(found) if isinstance(leaf, torch.Tensor)]
        assert all(tensor.device == META for tensor in tensors), function
        return found


def test_a_stray_tensor_and_a_number_read_back_are_noticed():
    with pytest.raises(AssertionError), Within():
        torch.ones(2).to(META)
    with pytest.raises(RuntimeError), Within():
        torch.ones(2, device=META).sum().item()


@pytest.mark.parametrize("run", KINDS.values(), ids=str)
def test_a_gradient_asks_nothing_of_the_processor(run):
    """So that a GPU can record it: it runs on tensors without numbers, and on their device alone."""
    state = begin(run, torch.device("cpu"))
    inputs = run.task.draw_inputs(run.training.batch, state.generators[0]).unsqueeze(0)
    seeds = run.task.draw_seeds(run.objective.m, run.training.batch, state.generators[0]).unsqueeze(0)
    given = [tensor.to(META) for tensor in (torch.tensor([run.objective.q]), state.parameters, inputs, seeds)]
    with Within():
        gradient, objective, l_q = gradients(run, *given, 2)
    assert gradient.shape == state.parameters.shape
    assert objective.shape == l_q.shape == (1,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("run", [tiny(), tiny_recall(), tiny(q=1, fixed=True)], ids=str)
def test_a_replayed_gradient_is_the_one_computed(run, tmp_path):
    """For other q, parameters and draws than it was recorded with; so is that of a training taken up half way."""
    cuda = torch.device("cuda")
    ours, theirs = (join([begin(replace(run, run_index=k), cuda) for k in range(2)]) for _ in range(2))
    replayed = Replayed(lambda q, state: drawn_gradients(run, q, state), torch.ones(2, device=cuda), ours)
    for q in (torch.tensor([1.0, 5.0], device=cuda), torch.tensor([3.0, 2.0], device=cuda)):
        for found, expected in zip(replayed(q), drawn_gradients(run, q, theirs), strict=True):
            torch.testing.assert_close(found, expected)
        for state in (ours, theirs):
            state.parameters *= 1.1
    whole, _ = train([run], cuda, tmp_path, lambda steps: None)
    half = begin(run, cuda)
    for _ in range(run.training.steps // 2):
        run.training.step(run, torch.tensor([run.objective.q], device=cuda), half)
    half.history = half.history.new_zeros(1, half.step, 1)
    checkpoints.save(tmp_path, run, half.parameters.device, saved_state(half, 0))
    again, _ = train([run], cuda, tmp_path, lambda steps: None)
    torch.testing.assert_close(whole[run].parameters, again[run].parameters)
