import numpy as np
import pytest

from randformer.exact import games, propositions
from randformer.experiments.theory import statements


def test_mixing_helps_in_every_random_game_that_meets_the_condition():
    table = statements.random_games(np.random.default_rng(1))
    assert (table["strictly better"] == table["games"]).all()
    assert (table["least gain"] > 0).all()
    assert (table["least gain"] <= table["mean gain"]).all()


def test_no_game_without_the_condition_meets_it_and_only_the_saddle_point_gains_nothing():
    table = statements.without_condition()
    assert not table["condition met"].any()
    assert (table["value"] < table["pure"] - 1e-6).to_list() == [True, True, False]


def test_the_promise_is_kept_and_too_careful(monkeypatch):
    monkeypatch.setattr(statements, "ELECTIONS", 500)
    votes = statements.votes()
    assert len(votes) == 12
    assert (votes["needed"] <= votes["promised"]).all()
    assert (statements.too_many(votes)["times too many"] >= 1).all()
    assert "times too many" not in votes
    assert all(statements.promises_kept(votes, np.random.default_rng(0)))


def test_few_seeds_show_more_than_the_true_norm_of_who_draws():
    table = statements.by_m(statements.bias_in_m())
    assert table.loc[(2, "half of the inputs")].to_list() == pytest.approx([0.5**0.5] * 9)  # the same for every m
    drawing = table.loc[(10, "half of the seeds")]
    assert drawing.is_monotonic_decreasing
    assert drawing.iloc[-1] > 0.5


def test_batches_show_less_than_their_limit_which_is_more_than_the_true_norm():
    in_n = statements.bias_in_n()
    table = statements.by_n(in_n)
    assert table["L_q"].to_list() == pytest.approx([games.q_norm(statements.RARE, q) for q in statements.QS])
    assert table["limit"].to_list() == pytest.approx(
        [propositions.estimated(statements.RARE, 30, q) for q in statements.QS]
    )
    assert (table["limit"] > table["L_q"]).all()
    assert (table[4] < table["limit"]).all()
    both = statements.both_biases(statements.bias_in_m(), in_n)
    assert both.columns.to_list() == ["q", "m", "strategy", "estimate", "n", "limit", "L_q"]


def test_a_rule_of_distance_1_colours_some_cycles_but_not_all():
    assert statements.most_cycles(5, wrong=0) == (12, 12)
    assert statements.most_cycles(6, wrong=0) is None


def test_every_rule_that_is_found_breaks_no_conflict(monkeypatch):
    monkeypatch.setattr(statements, "KINDS", statements.KINDS[:1])
    table = statements.local_rules()
    assert table["n"].to_list() == [4, 5, 6, 7]
    assert table["a rule for all cycles"].to_list() == ["yes", "yes", "none", "none"]
    assert table["conflicts it breaks"].to_list() == [0, 0, "", ""]
