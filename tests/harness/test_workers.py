import os

import pytest
import torch

from helpers import contents, tiny
from randformer.core import gradient, runs, training
from randformer.experiments.registry import declared
from randformer.harness import jobs, workers
from randformer.harness.checks import BadInput
from randformer.harness.workers import Outcome, ensure_records, groups, load_or_train, why_stale
from randformer.problems.coloring.task import Coloring


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Records and checkpoints of these tests go to a folder of their own."""
    monkeypatch.setattr(workers, "ROOT", tmp_path)
    for module in (jobs, workers):
        monkeypatch.setattr(module, "CACHE", tmp_path / ".cache")
    return tmp_path


RUNS = [tiny(0), tiny(1), tiny(0, fixed=True)]


def test_what_is_missing_is_made_and_what_is_there_reused():
    assert ensure_records("smoke", RUNS[:2], jobs=1) == Outcome(trained=RUNS[:2])
    again = ensure_records("smoke", RUNS, jobs=1)
    assert again == Outcome(reused=RUNS[:2], trained=RUNS[2:])
    assert all(why_stale("smoke", run) is None for run in RUNS)


def test_a_missing_evaluation_is_made_without_training(elsewhere):
    ensure_records("smoke", RUNS, jobs=1)
    before = contents(elsewhere / "results")
    (workers.folder("smoke", RUNS[1]) / "evaluation.json").unlink()
    assert ensure_records("smoke", RUNS, jobs=1).evaluated == [RUNS[1]]
    assert contents(elsewhere / "results") == before


@pytest.mark.parametrize("damage", ["truncate", "flip", "foreign"])
def test_a_damaged_record_is_named_retrained_and_never_used(elsewhere, capsys, damage):
    ensure_records("smoke", RUNS, jobs=1)
    before = contents(elsewhere / "results", but=("provenance.json",))
    victim = workers.folder("smoke", RUNS[0])
    weights = victim / "weights.safetensors"
    if damage == "truncate":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif damage == "flip":
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
    else:
        (victim / "run.json").write_bytes((workers.folder("smoke", RUNS[1]) / "run.json").read_bytes())
    outcome = ensure_records("smoke", RUNS, jobs=1)
    assert outcome.trained == [RUNS[0]]
    assert list(outcome.refused) == [RUNS[0]]
    assert f"not used: record {RUNS[0].key}" in capsys.readouterr().err
    assert contents(elsewhere / "results", but=("provenance.json",)) == before


def test_retraining_gives_the_same_bytes(elsewhere):
    ensure_records("smoke", RUNS, jobs=1)
    before = contents(elsewhere / "results", but=("provenance.json",))
    assert sorted(map(str, ensure_records("smoke", RUNS, jobs=1, retrain=True).trained)) == sorted(map(str, RUNS))
    assert contents(elsewhere / "results", but=("provenance.json",)) == before


def test_training_anew_can_be_killed_and_resumed_and_loses_nothing(elsewhere, monkeypatch):
    """Killed in the second of three jobs: without --retrain the rest is trained; the old records are set aside."""
    ensure_records("smoke", RUNS, jobs=1)
    before = contents(elsewhere / "results", but=("provenance.json",))
    attempt = workers.attempt
    begun = []

    def killed(job, tick):
        begun.append(job)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return attempt(job, tick)

    monkeypatch.setattr(workers, "attempt", killed)
    with pytest.raises(KeyboardInterrupt):
        ensure_records("smoke", RUNS, jobs=1, retrain=True)
    assert len(list((elsewhere / ".cache" / "replaced").iterdir())) == len(RUNS)
    monkeypatch.setattr(workers, "attempt", attempt)
    outcome = ensure_records("smoke", RUNS, jobs=1)
    assert len(outcome.reused) == len(begun[0].runs)
    assert sorted(map(str, outcome.trained)) == sorted(map(str, begun[1].runs))
    assert contents(elsewhere / "results", but=("provenance.json",)) == before


def test_no_checkpoint_outlives_its_record(elsewhere, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    ensure_records("smoke", RUNS, jobs=1)
    assert contents(elsewhere / ".cache") == {}


def test_a_run_that_diverges_is_named_and_the_others_are_recorded(monkeypatch):
    losses = gradient.losses

    def poisoned(run, *of):
        found = losses(run, *of)
        return found * float("nan") if run.objective.fixed_seed else found

    monkeypatch.setattr(gradient, "losses", poisoned)
    outcome = ensure_records("smoke", RUNS, jobs=1)
    assert outcome.trained == RUNS[:2]
    assert outcome.failed == {RUNS[2]: "the loss is not a number at step 1"}
    with pytest.raises(RuntimeError, match=r"A_r0.*not a number"):
        load_or_train("smoke", RUNS)


def test_an_error_in_one_job_leaves_the_others_alone(monkeypatch):
    train = runs.train

    def failing(asked, *rest):
        if asked[0].objective.fixed_seed:
            raise MemoryError("no more")
        return train(asked, *rest)

    monkeypatch.setattr(runs, "train", failing)
    outcome = ensure_records("smoke", RUNS, jobs=1)
    assert outcome.trained == RUNS[:2]
    assert outcome.failed == {RUNS[2]: "MemoryError: no more"}


def test_of_a_job_that_ends_early_only_what_is_missing_has_failed(monkeypatch):
    """The second of two runs trained side by side cannot be evaluated: the first is done."""
    evaluate = Coloring.evaluate

    def failing(task, run, *rest):
        if run.run_index == 1:
            raise MemoryError("no more")
        return evaluate(task, run, *rest)

    monkeypatch.setattr(Coloring, "evaluate", failing)
    outcome = ensure_records("smoke", RUNS[:2], jobs=1)
    assert outcome.trained == RUNS[:1]
    assert outcome.failed == {RUNS[1]: "MemoryError: no more"}


def test_evaluations_come_in_the_order_asked_for(monkeypatch):
    monkeypatch.setattr(
        workers.processes, "cores", lambda: 1
    )  # workers of other processes know nothing of this test's folder
    forwards = load_or_train("smoke", RUNS)
    assert load_or_train("smoke", RUNS[::-1]) == forwards[::-1]
    assert "sampled" in forwards[2]


def test_groups_hold_every_run_once_and_only_what_may_train_together():
    runs = declared("laptop")
    for device in ("cpu", "cuda"):
        cut = list(groups(runs, device))
        assert sorted(run.key for group in cut for run in group) == sorted(run.key for run in runs)
        assert all(len({run.group for run in group}) == 1 for group in cut)
    sizes = [(len(g), g[0].training.batch * g[0].objective.m) for g in groups(runs, "cpu")]
    assert all(count == 1 or count * each <= workers.SEQUENCES for count, each in sizes)
    assert max(count for count, _ in sizes) > 1


def test_what_a_killed_process_left_is_swept_away(elsewhere):
    left = elsewhere / "results" / "smoke" / "coloring" / ".abc.1.tmp"
    left.mkdir(parents=True)
    (left / "run.json").write_text("{}")
    (elsewhere / ".cache").mkdir()
    (elsewhere / ".cache" / ".x.checkpoint.1.tmp").write_text("half")
    ensure_records("smoke", RUNS[:1], jobs=1)
    assert not left.exists()
    assert contents(elsewhere / ".cache") == {}


def test_notebooks_of_the_process_that_is_alone_do_not_wait_for_it(monkeypatch):
    with workers.exclusive_lock():
        assert workers.ALONE in os.environ
        with workers.exclusive_lock():
            pass
    assert workers.ALONE not in os.environ


def test_a_missing_gpu_is_told():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(BadInput, match="device = 'cuda': PyTorch sees no CUDA device here, give cpu"):
        ensure_records("smoke", RUNS, device="cuda")


def test_a_folder_that_cannot_be_written_is_told(elsewhere):
    (elsewhere / "results").write_text("in the way")
    with pytest.raises(BadInput, match=r"results/smoke is not writable \(.*\): records and checkpoints go there"):
        ensure_records("smoke", RUNS)
