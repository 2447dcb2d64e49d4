from dataclasses import replace
from itertools import pairwise
from math import inf

import pandas as pd
import pytest
import torch

from helpers import tiny_gridworld
from randformer.core.objective import Objective
from randformer.core.training import begin
from randformer.experiments.gridworld import findings
from randformer.experiments.gridworld.claims import Evidence
from randformer.harness import records, workers

SEEN = {"steps": {"average": 18.0, "percentile95": 24.0, "worst": 30.0}, "found": 0.75, "shortest": 1.0}
SEEN |= {"visits": [0.0, 4.0, 9.0], "walks": [15, 5], "seeds": 20}
WATCHED = {"watched": {"average": [1.0, 0.5], "95th percentile": [1.0, 0.75], "worst input": [1.0, 0.75]}}


@pytest.fixture
def stored(monkeypatch):
    """Every run has untrained weights and one history as its record, and took a second of one core."""

    def load(profile, run):
        return WATCHED | {"parameters": begin(run, torch.device("cpu")).parameters, "loss_history": [0.5, 0.5]}, {}

    monkeypatch.setattr(workers, "load", load)
    monkeypatch.setattr(records, "read_json", lambda path: {"cpu_seconds": 1.0})


def test_runs_are_told_apart_by_their_seeds_and_their_adversary():
    runs = [tiny_gridworld(q=q, fixed=fixed) for q in (1, inf) for fixed in (False, True)]
    assert findings.of_family(runs, "A_r0") == [runs[1], runs[3]]
    assert findings.on_worst_cell(runs) == [runs[2]]
    assert findings.randomized(runs, [{"i": i} for i in range(4)]) == [(runs[0], {"i": 0}), (runs[2], {"i": 2})]


@pytest.mark.usefixtures("stored")
def test_the_cost_of_training_is_of_the_expected_loss_with_random_seeds():
    runs = [tiny_gridworld(q=1), tiny_gridworld(q=inf, generations=7), tiny_gridworld(q=1, fixed=True, generations=7)]
    seconds, micro = findings.cost_of_training("smoke", runs)
    assert seconds == 1 / 20  # generations
    assert micro == pytest.approx(1e6 / (20 * 6 * 3 * 8 * 6))  # of candidates, seeds, cells, half of two episodes of 6


def test_searchers_are_told_in_steps_and_percent():
    table = findings.gridworlds([tiny_gridworld(q=10)], [SEEN]).set_index("measure")["value"]
    assert table[["average", "95th percentile", "worst cell"]].to_list() == [18, 24, 30]
    assert table[["found in episode 1", "shortest ways", "on the same walk"]].to_list() == [75, 100, 75]
    assert table[["largest first visit", "distinct walks"]].to_list() == [9, 2]


def test_progress_is_in_steps_of_both_episodes():
    table = findings.progress([tiny_gridworld(generations=20)], [WATCHED])
    average = table[table["measure"] == "average"]
    assert average["generation"].to_list() == [10, 20]
    assert average["value"].to_list() == [12, 6]  # two episodes of 6 steps at most
    assert set(table["measure"]) == {"average", "95th percentile", "worst cell"}


@pytest.mark.usefixtures("stored")
def test_averages_by_m_end_with_what_is_measured_after_training():
    runs = [tiny_gridworld(generations=20)]
    table = findings.averages_by_m("smoke", runs, findings.gridworlds(runs, [SEEN]))
    assert table["generation"].to_list() == [10, 20, "after training"]
    assert table["value"].to_list() == [12, 6, 18]


def test_a_table_after_training_has_one_model_and_the_measures_asked_for():
    runs = [tiny_gridworld(k, q=q, fixed=fixed) for q in (inf, 1) for k in (0, 1) for fixed in (False, True)]
    told = findings.after_training(findings.gridworlds(runs, [SEEN] * 8), "A_R", ["q"], "distinct walks")
    assert told.columns.to_list() == ["n", "average", "95th percentile", "worst cell", "distinct walks"]
    assert told["n"].to_dict() == {1: 2, inf: 2}
    spread = findings.spread(findings.gridworlds(runs, [SEEN] * 8))
    assert spread.index.to_list() == [(1, 0), (1, 1), (inf, 0), (inf, 1)]
    assert spread.columns.to_list() == list(findings.SPREAD)


def test_what_is_saved_and_lost_is_against_training_on_the_average():
    def told(runs, worst, average):
        return findings.gridworlds(runs, [SEEN | {"steps": {"average": average, "worst": worst}}] * len(runs))

    few = replace(tiny_gridworld(q=inf), objective=Objective(inf, 1))
    over_m = pd.concat([told([few], 50.0, 30.0), told([tiny_gridworld(q=inf)], 30.0, 22.0)])
    table = findings.saved_and_lost(Evidence(told([tiny_gridworld(q=1)], 40.0, 20.0), over_m, 3)).set_index("m")
    assert table.loc[1].to_list() == pytest.approx([-25, 50, 1])
    assert table.loc[3].to_list() == pytest.approx([25, 10, 1])


@pytest.mark.usefixtures("stored")
def test_both_walks_begin_at_the_start_and_go_by_single_steps():
    run = tiny_gridworld()
    shown = findings.walks("smoke", run, 4, cell=1)
    assert 1 <= len(shown) <= 4
    assert list(shown) == sorted(shown)
    assert len({tuple(first) for first, _ in shown.values()}) == len(shown)  # no walk twice
    assert set(findings.walks("smoke", run, 1, cell=1)) == {0}
    for walk in (walk for both in shown.values() for walk in both):
        assert walk[0] == 0
        assert len(walk) - 1 <= run.task.episode
        assert 1 not in walk[:-1]
        ways = [abs(a // 3 - b // 3) + abs(a % 3 - b % 3) for a, b in pairwise(walk)]
        assert max(ways) <= 1
    table = findings.steps_of_walks(shown)
    assert len(table) == sum(len(walk) for both in shown.values() for walk in both)
    last = max(shown)
    assert table[(table["seed"] == last) & (table["episode"] == 2)]["cell"].to_list() == shown[last][1]


def test_first_visits_are_means_over_the_runs_of_each_q():
    runs = [tiny_gridworld(k, q=q) for q in (1, inf, 10) for k in (0, 1)] + [tiny_gridworld(q=1, fixed=True)]
    seen = [{"visits": [0.0, i]} for i in (1, 3, 5, 7, 9, 11, 100)]
    table = findings.first_visits(runs, seen)
    assert table.to_dict("list") == {"cell": [0, 1], "expected loss": [0, 2], "worst cell": [0, 6], "q = 10": [0, 10]}


def test_shortest_ways_are_counted_where_enough_seeds_went_one():
    ways = [
        {"cell": 4, "exist": 2, "pairs": 60, "used": 1},
        {"cell": 8, "exist": 6, "pairs": 80, "used": 3},
        {"cell": 5, "exist": 3, "pairs": 10, "used": 3},
    ]
    runs = [tiny_gridworld(q=1), tiny_gridworld(q=1, fixed=True)]
    table = findings.shortest_ways(runs, [{"ways": ways}] * 2, 50)
    assert table.loc[(1, 0)].to_dict() == {"pairs": 70, "exist": 4, "used": 2, "cells": 2, "alone": 1}
    assert len(table) == 1
    assert len(findings.shortest_ways(runs, [{"ways": ways}] * 2, 100)) == 0
