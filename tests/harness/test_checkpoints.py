import pytest
import torch

from clones import contents
from helpers import tiny, tiny_gridworld
from randformer.core import training
from randformer.core.training import begin, resumed, saved_state, train
from randformer.harness import checkpoints

CPU = torch.device("cpu")


def saved(run, step: int = 7) -> dict[str, torch.Tensor]:
    """What a run would save after that many steps."""
    state = begin(run, CPU)
    state.step, state.history = step, torch.zeros(1, step, state.history.shape[2])
    return saved_state(state, 0)


def load(cache, run):
    return checkpoints.load(cache, run, CPU, lambda tensors: resumed(run, CPU, tensors))


@pytest.fixture(params=[tiny, tiny_gridworld])
def run(request):
    return request.param()


def test_what_is_saved_is_loaded_and_dropped(tmp_path, run):
    assert load(tmp_path, run) is None
    checkpoints.save(tmp_path, run, CPU, saved(run))
    assert load(tmp_path, run).step == 7
    checkpoints.drop(tmp_path, run, CPU)
    assert contents(tmp_path) == {}


def test_the_step_that_is_reached_is_told_and_0_of_what_does_not_fit(tmp_path, run, capsys):
    assert checkpoints.step(tmp_path, run, CPU) == run.begun(CPU, tmp_path) == 0
    checkpoints.save(tmp_path, run, CPU, saved(run))
    assert checkpoints.step(tmp_path, run, CPU) == 7
    assert run.begun(CPU, tmp_path) == 7 * run.width
    path = checkpoints.place(tmp_path, run, CPU)
    path.write_bytes(path.read_bytes()[:-1])
    assert checkpoints.step(tmp_path, run, CPU) == 0
    assert capsys.readouterr().err == ""  # who loads it will say so


def refused(cache, run, capsys) -> str:
    """What is said of a checkpoint that is not taken up; it is set aside."""
    path = checkpoints.place(cache, run, CPU)
    data = path.read_bytes() if path.is_file() else None
    assert load(cache, run) is None
    told = capsys.readouterr().err
    assert told.startswith(f"not used: checkpoint of {run}, which starts anew: {path.name} is damaged (")
    assert told.count("\n") == 1
    assert not path.exists()
    aside = path.with_name(f"{path.name}.refused")
    assert aside.is_dir() if data is None else aside.read_bytes() == data
    assert load(cache, run) is None
    assert capsys.readouterr().err == ""
    return told


def test_a_damaged_checkpoint_is_named_and_set_aside(tmp_path, run, capsys):
    checkpoints.save(tmp_path, run, CPU, saved(run))
    path = checkpoints.place(tmp_path, run, CPU)
    whole = path.read_bytes()
    for data in (whole[:50], whole[:-1], whole[:200] + bytes([whole[200] ^ 8]) + whole[201:], b""):
        path.write_bytes(data)
        refused(tmp_path, run, capsys)
    path.mkdir()
    refused(tmp_path, run, capsys)


@pytest.mark.parametrize("step", [-1, 0, 20, 21, 2**40])
def test_a_step_that_no_training_is_saved_at_is_refused(tmp_path, run, capsys, step):
    tensors = saved(run) | {"step": torch.tensor(step)}
    checkpoints.save(tmp_path, run, CPU, tensors)
    assert f"step {step} is none" in refused(tmp_path, run, capsys)


def test_a_step_within_a_stretch_and_a_history_of_other_length_are_refused(tmp_path, run, capsys, monkeypatch):
    monkeypatch.setattr(training, "HISTORY", 10)  # two steps each
    for tensors in (saved(run, 7), saved(run, 8)):
        checkpoints.save(tmp_path, run, CPU, tensors)
        refused(tmp_path, run, capsys)


@pytest.mark.parametrize("name", ["step", "seconds", "generator", "parameters", "std", "seed", "history"])
def test_a_missing_tensor_and_one_of_another_kind_are_refused(tmp_path, run, capsys, name):
    tensors = saved(run)
    missing = {n: tensor for n, tensor in tensors.items() if n != name}
    for bad in (missing, tensors | {name: torch.zeros(2, 3)}, tensors | {name: tensors[name].to(torch.complex64)}):
        checkpoints.save(tmp_path, run, CPU, bad)
        refused(tmp_path, run, capsys)


@pytest.mark.parametrize("other", [tiny(1), tiny(0, q=4), tiny(0, steps=40), tiny(0, fixed=True)])
def test_another_runs_checkpoint_is_refused_and_the_run_trained_as_ever(tmp_path, capsys, other):
    run = tiny()
    whole, _ = train([run], CPU, tmp_path / "undisturbed", lambda steps: None)
    checkpoints.save(tmp_path, other, CPU, saved(other))
    checkpoints.place(tmp_path, other, CPU).rename(checkpoints.place(tmp_path, run, CPU))
    trained, _ = train([run], CPU, tmp_path, lambda steps: None)
    assert torch.equal(trained[run].parameters, whole[run].parameters)
    assert torch.equal(trained[run].history, whole[run].history)
    told = capsys.readouterr().err
    assert other.key in told
    assert told.count("\n") == 1


def test_a_checkpoint_of_an_earlier_version_is_refused(tmp_path, run, capsys, monkeypatch):
    """Whatever its key says."""
    checkpoints.save(tmp_path, run, CPU, saved(run))
    monkeypatch.setitem(run.config, "version", run.config["version"] + 1)
    assert "version" in refused(tmp_path, run, capsys)
