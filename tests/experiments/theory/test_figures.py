import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from randformer.experiments.theory import figures
from randformer.problems.gridworld import game

pytestmark = pytest.mark.usefixtures("drawn")


def test_a_walk_starts_lower_left_and_moves_by_single_steps():
    _, axis = plt.subplots()
    walk = (0, 1, 2, 5, 4, 3, 6, 7, 8)
    figures.draw_walk(axis, 3, walk, 10)
    arrows = axis.collections[0]
    assert arrows.N == 8
    along = np.stack([arrows.U, arrows.V]).round()
    assert along.tolist() == [[1, 1, 0, -1, -1, 0, 1, 1], [0, 0, 1, 0, 0, 1, 0, 0]]


def test_the_most_probable_walks_come_first_and_every_cell_has_its_time():
    solution, walks = game.solve(3)
    visits = solution.mixture @ [game.first_visits(3, walk) for walk in walks]
    figure = figures.figure_gridworld(3, {"one episode": (walks, solution.mixture, visits)})
    titles = [axis.get_title() for axis in figure.axes if axis.get_visible()]
    shown = [float(title.split()[-1]) for title in titles if title.startswith("probability")]
    assert shown == sorted(shown, reverse=True)
    assert [text.get_text() for text in figure.axes[-1].texts] == [f"{visit:.1f}" for visit in visits]


def test_the_bias_figure_shows_what_every_input_would_give():
    over_m = pd.DataFrame({"m": [1, 10], "q": [2, 2], "strategy": ["a", "a"], "estimate": [0.5, 0.4]})
    over_n = pd.DataFrame({"n": [4, 16], "q": [2, 2], "estimate": [0.2, 0.3], "limit": [0.35, 0.35]})
    figure = figures.figure_bias(over_m, over_n)
    assert any(np.allclose(line.get_ydata(), 0.35) for line in figure.axes[1].lines)


def test_votes_and_norms_are_drawn_over_their_points():
    votes = pd.DataFrame({"gap": [0.1, 0.2], "wrong answers": [1, 1], "promised": [20, 9], "needed": [10, 5]})
    axis = figures.figure_votes(votes).axes[0]
    assert {tuple(line.get_ydata()) for line in axis.lines if len(line.get_ydata()) == 2} == {(20, 9), (10, 5)}
    norms = pd.DataFrame({"trained with q": ["1", "1", "9", "9"], "q": [1, 9, 1, 9], "norm": [0.1, 0.4, 0.2, 0.3]})
    axis = figures.figure_rows(norms).axes[0]
    assert {tuple(line.get_ydata()) for line in axis.lines if len(line.get_ydata()) == 2} == {(0.1, 0.4), (0.2, 0.3)}


def test_mixing_is_drawn_beside_what_networks_learned():
    path = pd.DataFrame({"game": ["a", "a"], "q": [1, 4], "excess": [2.0, 1.0], "saved": [0.0, 50.0]})
    common = {"answer": "A_R", "measure": "variance"}
    learned = pd.DataFrame([common | {"q": q, "value": value} for q, value in ((1, 0.0), (4, 0.03))])
    axes = figures.figure_mixing(path, learned).axes
    shown = [[tuple(line.get_ydata()) for line in axis.lines] for axis in axes]
    assert [(2.0, 1.0) in shown[0], (0.0, 50.0) in shown[1], (0.0, 0.03) in shown[2]] == [True] * 3
