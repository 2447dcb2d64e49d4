import errno
import os
from dataclasses import replace

import pytest
import torch

from clones import contents
from helpers import tiny
from randformer.core import gradient, runs, training
from randformer.experiments.registry import declared
from randformer.harness import jobs, processes, records, workers
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


@pytest.mark.parametrize("harm", ["damaged", "of other weights", "of another version"])
def test_an_evaluation_that_is_not_used_is_named_and_made_anew(elsewhere, capsys, harm):
    ensure_records("smoke", RUNS[:2], jobs=1)
    before = contents(elsewhere / "results")
    where, other = (workers.folder("smoke", run) / "evaluation.json" for run in RUNS[:2])
    if harm == "damaged":
        where.write_text(where.read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
    elif harm == "of other weights":
        where.write_bytes(other.read_bytes())
    else:
        records.write_evaluation(where.parent, -1, records.read_json(where)["weights"], {})
    outcome = ensure_records("smoke", RUNS[:2], jobs=1)
    assert (outcome.evaluated, list(outcome.refused)) == (RUNS[:1], RUNS[:1])
    told = capsys.readouterr().err
    assert f"not used: evaluation of record {RUNS[0].key} ({RUNS[0]}): evaluation.json " in told
    assert RUNS[1].key not in told
    assert contents(elsewhere / "results") == before


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


def test_an_evaluation_that_fails_fails_its_run_alone(monkeypatch):
    """The first of two runs trained side by side cannot be evaluated."""
    evaluate = Coloring.evaluate

    def failing(task, run, *rest):
        if run.run_index == 0:
            raise MemoryError("no more")
        return evaluate(task, run, *rest)

    monkeypatch.setattr(Coloring, "evaluate", failing)
    outcome = ensure_records("smoke", RUNS[:2], jobs=1)
    assert outcome.trained == RUNS[1:2]
    assert outcome.failed == {RUNS[0]: "MemoryError: no more"}


def test_a_record_that_cannot_be_stored_fails_its_run_alone(monkeypatch):
    write_record = records.write_record

    def failing(folder, run, *rest):
        if run.run_index == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_record(folder, run, *rest)

    monkeypatch.setattr(records, "write_record", failing)
    outcome = ensure_records("smoke", RUNS[:2], jobs=1)
    assert outcome.trained == RUNS[1:2]
    assert outcome.failed == {RUNS[0]: "the disk is full, at None"}


def test_what_a_killed_job_has_on_disk_is_done(monkeypatch):
    """A process is killed after it trained and evaluated one of two runs, at both tries."""

    def killed(job, tick):
        attempt(replace(job, runs=job.runs[:1]), tick)
        return processes.Killed("its process was killed twice")

    attempt = workers.attempt
    monkeypatch.setattr(workers, "attempt", killed)
    outcome = ensure_records("smoke", RUNS[:2], jobs=1)
    assert outcome.trained == RUNS[:1]
    assert list(outcome.failed) == RUNS[1:2]
    assert "killed" in outcome.failed[RUNS[1]]


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
    (left / "run.json").write_text("{}", encoding="utf-8")
    (elsewhere / ".cache").mkdir()
    (elsewhere / ".cache" / ".x.checkpoint.1.tmp").write_text("half", encoding="utf-8")
    ensure_records("smoke", RUNS[:1], jobs=1)
    assert not left.exists()
    assert contents(elsewhere / ".cache") == {}


def test_notebooks_of_the_process_that_is_alone_do_not_wait_for_it(monkeypatch):
    with workers.exclusive_lock():
        assert workers.ALONE in os.environ
        with workers.exclusive_lock():
            pass
    assert workers.ALONE not in os.environ


def test_a_link_that_a_killed_process_left_is_swept_away_and_not_what_it_points_to(elsewhere):
    """And a record's folder that is a link, to nothing or to a damaged record, is named and replaced."""
    theirs = elsewhere / "theirs"
    theirs.mkdir()
    (theirs / "run.json").write_text("{", encoding="utf-8")
    where = workers.folder("smoke", RUNS[0])
    where.parent.mkdir(parents=True)
    for link in (where.parent / ".abc.1.old.tmp", where):
        link.symlink_to(theirs)
    workers.folder("smoke", RUNS[1]).symlink_to(elsewhere / "nowhere")
    outcome = ensure_records("smoke", RUNS[:2], jobs=1)
    assert set(outcome.refused) == set(outcome.trained) == set(RUNS[:2])
    assert [path.name for path in where.parent.glob(".*")] == []
    assert not where.is_symlink()
    assert ensure_records("smoke", RUNS[:2], jobs=1).reused == RUNS[:2]
    assert contents(theirs) == {"run.json": b"{"}


def test_training_anew_takes_a_linked_record_away_and_leaves_what_it_points_to(elsewhere):
    ensure_records("smoke", RUNS[:1], jobs=1)
    where = workers.folder("smoke", RUNS[0])
    where.rename(elsewhere / "theirs")
    where.symlink_to(elsewhere / "theirs")
    before = contents(elsewhere / "theirs")
    assert ensure_records("smoke", RUNS[:1], jobs=1, retrain=True).trained == RUNS[:1]
    assert contents(elsewhere / "theirs") == before
    assert not where.is_symlink()


def test_a_folder_in_the_place_of_an_evaluation_is_replaced(elsewhere):
    ensure_records("smoke", RUNS[:1], jobs=1)
    path = workers.folder("smoke", RUNS[0]) / "evaluation.json"
    whole = path.read_bytes()
    path.unlink()
    (path / "x").mkdir(parents=True)
    assert ensure_records("smoke", RUNS[:1], jobs=1).evaluated == RUNS[:1]
    assert path.read_bytes() == whole


def test_records_are_set_aside_and_replaced_where_no_folder_can_be_renamed(elsewhere, no_folder_is_renamed):
    """A cache on another file system; records in an overlay's lower layer."""
    ensure_records("smoke", RUNS[:2], jobs=1)
    where, before = workers.folder("smoke", RUNS[0]), contents(elsewhere / "results", but=("provenance.json",))
    no_folder_is_renamed.append(where)
    assert ensure_records("smoke", RUNS[:1], jobs=1, retrain=True).trained == RUNS[:1]
    assert (elsewhere / ".cache" / "replaced" / RUNS[0].key / "run.json").exists()
    (where / "run.json").write_text("{", encoding="utf-8")
    assert ensure_records("smoke", RUNS[:2], jobs=1).trained == RUNS[:1]
    assert contents(elsewhere / "results", but=("provenance.json",)) == before
    assert [path.name for path in where.parent.glob(".*")] == []


def test_a_missing_gpu_is_told():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(BadInput, match="device = 'cuda': PyTorch sees no CUDA device here, give cpu"):
        ensure_records("smoke", RUNS, device="cuda")


def test_a_folder_that_cannot_be_written_is_told(elsewhere):
    (elsewhere / "results").write_text("in the way", encoding="utf-8")
    with pytest.raises(BadInput, match=r"results/smoke is not writable \(.*\): records and checkpoints go there"):
        ensure_records("smoke", RUNS)
