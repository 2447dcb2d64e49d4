import numpy as np
import pandas as pd
import pytest
import torch

from helpers import tiny_recall
from randformer.core.training import begin
from randformer.exact import games
from randformer.experiments.theory import findings
from randformer.harness import workers


@pytest.fixture
def stored(monkeypatch):
    """Every run has untrained weights as its record."""

    def load(profile, run):
        return {"parameters": begin(run, torch.device("cpu")).parameters * 2}, {}

    monkeypatch.setattr(workers, "load", load)
    monkeypatch.setattr(workers, "load_or_train", lambda profile, runs: [])


@pytest.fixture
def solved(monkeypatch) -> findings.Solved:
    monkeypatch.setattr(findings, "RECALL", [(2, 1, 4), (3, 1, 2)])
    return findings.recall_games() | findings.other_games(np.random.default_rng(0), 3)


def test_the_tiny_game_loses_once_in_every_row_and_column():
    tiny = findings.tiny_game()
    assert tiny.sum(axis=0).to_list() == tiny.sum(axis=1).to_list() == [1] * 4
    assert games.solve(tiny).value == pytest.approx(0.25)


def test_recall_is_as_its_closed_form(solved):
    recall = {name: of for name, of in solved.items() if name.startswith("recall")}
    error, spread = findings.against_closed_form(recall)
    assert error < 1e-9
    assert spread < 1e-6
    name = next(iter(recall))
    losses, solution = recall[name]
    wrong = recall | {name: (losses, games.Solution(solution.mixture, solution.inputs, 0.0, 0.0))}
    assert findings.against_closed_form(wrong)[0] == pytest.approx(0.375)


def test_every_solved_game_has_a_row_and_a_reader_sees_one_of_each_kind(solved):
    table = findings.solved_games(solved)
    assert len(table) == len(solved) == 7
    assert (table["value"] < table["pure"]).all()
    assert table["proved to 1e-9"].all()
    more = pd.DataFrame({"game": ["recall, 2 of 5 pairs, 4 values", "random 10"]})
    shown = findings.shown(pd.concat([table, more]))
    assert shown["game"].to_list() == [
        "rock, paper, scissors",
        "a lock of 6 digits, one try",
        "random 0",
        "recall, 2 of 5 pairs, 4 values",
    ]


def test_mixing_saves_nothing_at_q_1_and_comes_to_the_value_at_a_large_q(monkeypatch):
    monkeypatch.setattr(findings, "QS", (1, 2, 500))
    matrices = findings.games_of_q()
    path = findings.mixing(matrices)
    assert path["error"].max() < 1e-6
    worst = findings.worst_cases(path)
    assert worst.index.to_list() == list(matrices)
    assert (worst[500] < 1.01).all()
    assert (worst[1] > 1.5).all()
    assert path.loc[path["q"] == 1, "saved"].to_numpy() == pytest.approx(0, abs=1e-4)
    weights = findings.steady_weight(path)
    assert list(weights) == [1, 2, 500]
    assert weights[1] == 1 > weights[2] > weights[500] > 0
    assert findings.mixing_begins({"even": findings.ROCK_PAPER_SCISSORS})["even"] == pytest.approx(1, abs=1e-3)
    learned = pd.DataFrame({"measure": ["variance", "average"], "q": 1, "run": 0, "value": [0.1, 50.0]})
    numbers = findings.mixing_numbers(path, learned)
    assert numbers.columns.to_list() == ["game", "q", "excess", "saved", "run", "value"]
    assert numbers["value"].dropna().to_list() == [0.1]


@pytest.mark.usefixtures("stored")
def test_norms_of_networks_grow_with_q_and_stand_beside_what_kind_they_are():
    runs = [tiny_recall(k, q=q) for q in (1, 8) for k in (0, 1)]
    norms = findings.norms_of_networks("smoke", runs)
    assert norms.groupby(["trained with q", "run"])["norm"].agg(lambda values: values.is_monotonic_increasing).all()
    kinds = [(q, run, measure) for q in (1, 8) for run in (0, 1) for measure in ("variance", "average")]
    learned = pd.DataFrame(kinds, columns=["q", "run", "measure"]).assign(answer="A_R", value=range(8))
    wide = findings.mean_norms(norms, learned)
    assert wide.columns.to_list() == ["n", "variance", "average", *findings.NORMS]
    assert wide["n"].to_list() == [2, 2]
    assert wide["variance"].to_list() == [1, 5]
    best = findings.best_at(wide)
    assert all(wide.loc[network, q] == wide[q].min() for q, network in best.items())


def test_equation_1_and_proposition_1_hold_in_solved_games_and_fail_where_a_solution_is_wrong(solved):
    assert findings.equation_1(solved, []) == [True] * 14
    assert findings.mixing_helps(solved, []) == [True] * 7
    losses = findings.ROCK_PAPER_SCISSORS
    wrong = {"pure": (losses, games.Solution(np.eye(3)[0], np.eye(3)[0], 0.0, 1.0))}
    assert findings.mixing_helps(wrong, []) == [False]


@pytest.mark.usefixtures("stored")
def test_fixed_seeds_are_told_by_problem_without_a_sweep_that_is_part_of_one():
    runs = {"recall": [tiny_recall(0), tiny_recall(1)], "q": [tiny_recall(0)]}
    table = findings.fixed_seeds("smoke", runs)
    assert len(table) == 4
    same = table.loc[table["inputs"] == "same inputs", "saved"]
    assert (same >= 0).all()
    short = findings.by_problem(table)
    assert short.index.to_list() == [("recall", "same inputs"), ("recall", "other inputs")]
    assert short["networks"].to_list() == [2, 2]
    assert short.loc[("recall", "same inputs"), ["least", "most"]].to_list() == pytest.approx(
        [same.min(), same.max()], abs=0.05
    )
