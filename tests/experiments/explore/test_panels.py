import matplotlib
import numpy as np
import pytest
import torch

from helpers import TINY, TINY_GRIDWORLD, TINY_RECALL, like
from randformer.core.training import begin
from randformer.experiments.explore import panels
from randformer.harness.checks import BadInput
from randformer.model import Model
from randformer.problems.coloring.task import all_cycles

matplotlib.use("agg")


def model(run, fixed: bool) -> Model:
    """An untrained model, far from its first weights."""
    run = like(run, 0, 3, fixed)
    state = begin(run, torch.device("cpu"))
    return Model(run, state.parameters * 3, state.seed[0] if fixed else None)


def panel(kind, run):
    return kind(model(run, True), model(run, False))


PANELS = [(panels.Recall, TINY_RECALL), (panels.Coloring, TINY), (panels.Gridworld, TINY_GRIDWORLD)]


@pytest.mark.parametrize(("kind", "run"), PANELS)
def test_every_button_draws_and_the_same_at_every_execution(kind, run):
    pictures = []
    for _ in range(2):
        shown = panel(kind, run)
        view = shown.whole()
        seen = [bytes(shown.image.value)]
        for button in view.children[0].children:
            button.click()
            seen.append(bytes(shown.image.value))
        assert shown.said
        assert shown.message.value == shown.said.replace("\n", "<br>")
        assert all(picture.startswith(b"\x89PNG") for picture in seen)
        pictures.append(seen)
    assert pictures[0] == pictures[1]
    assert len(set(pictures[0])) > 1


@pytest.mark.parametrize(("kind", "run"), PANELS)
def test_models_in_the_wrong_order_are_told(kind, run):
    with pytest.raises(BadInput, match="give a model with a fixed seed"):
        kind(model(run, False), model(run, True))


def test_recall_shows_what_the_models_answer():
    shown = panel(panels.Recall, TINY_RECALL)
    shown.draw_seeds(7)
    answers = shown.answers("A_R")
    for key in range(shown.task.n):
        asked = (shown.values.tolist(), key)
        assert answers[:, key].tolist() == shown.models["A_R"].sample(asked, shown.seeds["A_R"][:, 0].tolist())
        assert set(shown.answers("A_r0")[:, key]) == set(shown.models["A_r0"].sample(asked, 1))


def test_the_adversary_of_recall_names_the_worst_key_under_all_seeds():
    shown = panel(panels.Recall, TINY_RECALL)
    shown.attack()
    assert len(shown.seeds["A_R"].unique(dim=0)) == 2**shown.task.seed_bits
    share = shown.right("A_R").mean(0)
    assert f"random seeds: key {share.argmin()}, right under {100 * share.min():.0f} %" in shown.said


def test_values_and_seed_bits_can_be_set():
    shown = panel(panels.Recall, TINY_RECALL)
    _, typed, row, *_ = shown.whole().children
    typed.value = "3, 2 1 0"
    assert shown.values.tolist() == [3, 2, 1, 0]
    typed.value = "3 2 1 x"
    assert "give whole numbers" in shown.message.value or "values" in shown.message.value
    assert shown.values.tolist() == [3, 2, 1, 0]
    for bit in row.children[1:]:
        bit.value = True
    assert shown.seeds["A_R"].tolist() == [[[1.0] * shown.task.seed_bits]]


def test_the_adversary_of_colouring_finds_the_worst_cycle_of_the_fixed_seed():
    shown = panel(panels.Coloring, TINY)
    shown.attack()
    fails = [not_valid(shown.models["A_r0"], cycle) for cycle in all_cycles(6).tolist()]
    assert not_valid(shown.models["A_r0"], shown.cycles["A_r0"][0].tolist()) == any(fails)
    assert f"coloured under {shown.valid('A_R').sum()} of 30 new seeds" in shown.said


def not_valid(one: Model, cycle: list[int]) -> bool:
    colors = np.array(one(cycle))
    return bool((colors == np.roll(colors, 1)).any())


def test_a_vertex_s_seed_can_be_dragged():
    shown = panel(panels.Coloring, TINY)
    columns = shown.whole().children[1].children
    columns[1].children[0].value = 0.25
    assert shown.seeds["A_R"][0, 0, 1] == 0.25


def test_the_treasure_lies_where_the_slider_says_and_where_the_fixed_seed_finds_it_last():
    shown = panel(panels.Gridworld, TINY_GRIDWORLD)
    shown.whole().children[1].value = 4
    assert shown.treasure == 4
    shown.attack()
    assert shown.visits("A_r0")[shown.treasure] == shown.visits("A_r0")[1:].max()
