from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from helpers import evaluations, tiny_recall
from randformer.core.adversary import judge
from randformer.core.training import begin
from randformer.experiments.recall import findings, sweep
from randformer.harness import workers
from randformer.report import tables

QS = (1, 8)
N = 4  # of tiny_recall


@pytest.fixture(scope="module")
def trained():
    """Runs with evaluations of untrained models."""
    runs = [tiny_recall(k, q=q, fixed=fixed) for k in range(2) for q in QS for fixed in (True, False)]
    return runs, evaluations(runs)


@pytest.fixture(scope="module")
def size(trained):
    return tables.tidy(*trained)


@pytest.fixture
def stored(trained, monkeypatch):
    """The same models, as if they were records."""
    runs, seen = trained

    def load(folder, run):
        state = begin(run, torch.device("cpu"))
        fixed = {"seed": state.seed[0]} if run.objective.fixed_seed else {}
        return {"parameters": state.parameters * 2} | fixed, seen[runs.index(run)]

    monkeypatch.setattr(workers, "load", load)
    return runs


def test_trainings_have_one_row_for_each_n_with_the_randomized_models_seeds(trained):
    more = [replace(run, task=replace(run.task, n=6)) for run in trained[0]]
    table = findings.trainings(trained[0] + more)
    assert table["N"].to_list() == [N, 6]
    assert table["seeds a step (m)"].to_list() == [3, 3]  # not the 1 of a fixed seed
    assert findings.q_norm_at(trained[0] + more, N) == trained[0][-1]
    assert findings.slots(trained[0][0]) == trained[0][0].network.layers * 3


def test_the_reference_keeps_what_fits_and_guesses_the_rest(size):
    assert findings.reference(np.array([5, 10, 20]), 10, 5) == pytest.approx([100, 100, 100 * (0.5 + 0.5 / 32)])
    assert findings.kept_at_random(size, 2, 1) == {N: 75.0}


def test_selections_hold_what_they_say_and_no_more(size):
    chosen = findings.success(size, 8)
    assert set(chosen["q"]) == {8}
    assert set(chosen["measure"]) == {"average", "95th percentile"}
    assert set(findings.losses(size)["measure"]) == {"loss, average", "loss, 95th percentile"}
    variance = findings.variance(size, q=8)
    assert (len(variance), set(variance["answer"]), set(variance["measure"])) == (2, {"A_R"}, {"variance"})


def test_what_is_printed_of_success_are_rows_of_the_whole_table(size):
    other = size.assign(N=9, value=size["value"] + 1)
    whole = findings.by_size(pd.concat([size, other]))
    few = findings.where_claims_look(pd.concat([size, other]), (N, 7))
    assert set(few.index.get_level_values("N")) == {N}
    assert not {"A_R-majority(5)", "A_R-parts(5)"} & set(few.index.get_level_values("answer"))
    assert whole.loc[few.index, few.columns].equals(few)
    by_answer = findings.by_answer(size, 8, N)
    assert set(by_answer.index) == {"A_R", *findings.VOTES}
    assert by_answer.loc["A_R", "average"] == whole.loc[(8, "A_R", N), "average"]


def test_a_fixed_seed_is_right_never_or_always(trained):
    histogram = tables.chosen(tables.histogram(*trained), N=N, q=8)
    table = findings.never_or_always(histogram, trained[0])
    assert set(table["n"]) == {2}
    assert table.loc["A_r0", ["never right", "always right"]].sum() == pytest.approx(100, abs=0.2)
    assert (table[["never right", "always right"]].sum(axis=1) <= 100.2).all()


def test_a_randomized_model_is_compared_with_the_reference_of_its_n(size):
    table = findings.against_chance(size, 8, slots=2, bits=2)
    means = tables.chosen(size, q=8, answer="A_R", measure="average")["value"].mean()
    assert table["reference"].to_list() == [62.5]
    assert table.loc[N, "average - reference"] == pytest.approx(means - 62.5, abs=0.06)
    assert {"n", "average", "pairs held", "least recalled key", "most recalled key"} < set(table.columns)


def test_what_is_trained_again_is_shown_beside_its_first_training():
    runs = sweep.runs("smoke")
    tried = findings.tried_again(runs)
    again = set(runs["longer"] + runs["one query"])
    first = [run for run in tried if run not in again]
    assert {(run.task.n, run.objective) for run in first} == {(run.task.n, run.objective) for run in again}
    assert again <= set(tried)


def test_trainings_of_other_lengths_are_told_apart(trained):
    runs, seen = trained
    longer = [replace(run, training=replace(run.training, steps=50)) for run in runs]
    tried = findings.trained_how(runs + longer, seen + seen)
    for table in (findings.one_seed_again(tried), findings.votes_again(tried), findings.losses_again(tried)):
        assert set(table.index.get_level_values("steps")) == {20, 50}
        assert table.xs(20, level="steps").equals(table.xs(50, level="steps"))  # the same evaluations
    assert set(findings.votes_again(tried).columns) == {"n", "A_R-majority(30)", "A_R-parts(30)"}


def test_a_fixed_seed_keeps_the_same_pairs_under_every_seed(stored):
    models = findings.shown_models(stored, 8, N)
    assert [run.objective.family for run in models.values()] == ["A_r0", "A_R", "A_R"]
    assert [run.objective.q for run in models.values()] == [8, 1, 8]
    maps = findings.pairs_recalled("smoke", models, seeds=5)
    assert {shares.shape for shares in maps.values()} == {(5, N)}
    assert findings.subsets(maps)["fixed seed, q-norm"] == 1
    held = findings.pairs_held("smoke", models, 8)
    assert list(held) == ["fixed seed, q-norm", "q-norm"]
    assert set(held["fixed seed, q-norm"]) == {int((maps["fixed seed, q-norm"][0] >= 0.5).sum())}


def test_a_map_of_pairs_as_a_table_has_every_seed_and_key():
    table = findings.recalled_table({"a": np.eye(4), "b": np.zeros((4, 4))})
    assert len(table) == 2 * 16
    assert table.loc[(table["model"] == "a") & (table["seed"] == table["key"]), "recalled"].eq(100).all()
    assert findings.subsets({"a": np.eye(4), "b": np.zeros((4, 4))}) == {"a": 4, "b": 1}


@pytest.mark.parametrize(("right", "most"), [(0, 0), (1, 100), (0.5, 100 * (26 + 1) / 32)])
def test_the_best_majority_of_five(right, most):
    assert findings.best_majority_of_five(right) == pytest.approx(most)


def test_more_votes_help_the_most_frequent_answer_be_it_wrong(trained):
    """Two seeds of five are right, and lead unless the three others agree; their bits then lead as well."""
    reader = judge(trained[0][0])[0]
    split = np.stack([reader.targets ^ wrong for wrong in (0, 0, 1, 2, 3)])
    agreed = np.stack([reader.targets ^ wrong for wrong in (0, 0, 1, 1, 1)])
    assert not findings.wrong_answer_leads(reader, split).any()
    assert findings.wrong_answer_leads(reader, agreed).all()
    assert findings.wrong_bit_leads(reader, agreed).all()
    assert not findings.wrong_bit_leads(reader, split).any()  # each bit is wrong under two seeds


def test_inputs_that_votes_mislead_are_counted_run_by_run(stored):
    table = findings.misled("smoke", stored, 8, N)
    assert table["run"].to_list() == [0, 1]
    assert table.drop(columns="run").stack().between(0, 100).all()
    run = next(r for r in stored if r.objective.family == "A_R" and r.objective.q == 8)
    reader, said = findings.said("smoke", run)
    leads = 100 * findings.wrong_bit_leads(reader, reader.answers(said)).mean()
    assert table.loc[0, "a wrong bit leads"] == pytest.approx(leads, abs=0.06)
    parameters = begin(run, torch.device("cpu")).parameters * 2
    assert torch.equal(said, reader.probabilities(parameters, reader.seeds).float())  # of all seeds


def test_blocks_closest_to_the_paper_come_first():
    runs = sweep.runs("smoke")["screening"]
    off = {name: 3 * i for i, name in enumerate(sorted({sweep.block(run) for run in runs}))}
    rows = [
        {"N": run.task.n, "run": 0, "answer": "A_r0", "measure": "average", "value": 50.0 + off[sweep.block(run)]}
        for run in runs
    ]
    table = findings.blocks(runs, pd.DataFrame(rows), dict.fromkeys((3, 4), 50))
    assert table["off the paper by"].to_dict() == off
    assert list(table.index) == list(off)
    assert {3, 4} <= set(table.columns)
    assert findings.block_taken(runs[0]) == sweep.block(sweep.runs("smoke")["size"][0])
