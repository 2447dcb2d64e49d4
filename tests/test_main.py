import subprocess

import pytest

from helpers import ROOT, finish, python
from randformer import __main__ as runner
from randformer.experiments.registry import declared, experiments
from randformer.report import notebooks

# A small part of the smoke profile, so that a whole run takes seconds: what the runner is asked for in these tests.
FEW = """
from dataclasses import replace
from randformer import __main__ as runner
from randformer.experiments import registry
declared = registry.declared
registry.declared = lambda *a: declared(*a)[:3]
"""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "desktop"], "profile = 'desktop': give one of smoke, laptop, paper"),
        (["--only", "games"], "only = 'games': give one of start, theory, recall, coloring, gridworld, cost"),
        (["--jobs", "0"], "jobs = 0: give a whole number, at least 1"),
        (["--jobs", "two"], "argument --jobs: invalid int value: 'two'; --help lists what is allowed"),
        (["--scheduler", "tcp:/x"], "scheduler = 'tcp:/x': give tcp://HOST:PORT of a Dask scheduler"),
        (["--scheduler", "a:8786"], "scheduler = 'a:8786': give tcp://HOST:PORT of a Dask scheduler"),
        (
            ["--scheduler", "tcp://a:8786", "--jobs", "2"],
            "jobs, scheduler: give only one, the cluster's workers say how many jobs run at once",
        ),
        (["--device", "tpu"], "device = 'tpu': give one of cpu, cuda"),
        (["--profil", "smoke"], "unrecognized arguments: --profil smoke; --help lists what is allowed"),
    ],
)
def test_bad_arguments_are_told_in_one_line(capsys, arguments, told):
    assert runner.main(arguments) == 2
    assert capsys.readouterr().err == f"randformer: {told}\n"


def test_a_missing_gpu_is_told_before_anything_is_done(clone):
    process = python(clone, "-m", "randformer", "--profile", "smoke", "--device", "cuda")
    status, out, err = finish(process)
    assert (status, out) == (2, "")
    assert err == "randformer: device = 'cuda': PyTorch sees no CUDA device here, give cpu\n"


def test_a_record_folder_that_cannot_be_written_is_told(clone):
    (clone / "results").write_text("a file in the way")
    status, _, err = finish(python(clone, "-m", "randformer", "--profile", "smoke"))
    assert status == 2
    assert err.startswith("randformer: ")
    assert "results/smoke is not writable (" in err
    assert err.count("\n") == 1


def explained(clone) -> list[str]:
    status, out, _ = finish(python(clone, "-m", "randformer", "--profile", "smoke", "--explain"))
    assert status == 0
    return out.splitlines()


def test_explain_says_what_would_be_reused_and_what_changed(clone):
    assert all("no record" in line and line.startswith("trained") for line in explained(clone))
    assert not (clone / "results").exists()
    finish(python(clone, "-c", FEW + "runner.main(['--profile', 'smoke', '--no-figures'])"))
    lines = explained(clone)
    assert sum(line.startswith("reused") for line in lines) == 3
    fourth = next(line for line in lines if line.startswith("trained"))
    assert "no record; the nearest record differs in " in fourth
    folder = next((clone / "results" / "smoke" / "recall").iterdir())
    (folder / "evaluation.json").unlink()
    assert any(line.startswith("evaluated") and "evaluation.json is missing" in line for line in explained(clone))


def test_differences_between_configs_are_named():
    old = {"training": {"steps": 100, "batch": 4}, "number": 0}
    new = {"training": {"steps": 200, "batch": 4}, "number": 0}
    assert runner.differences(runner.flat(old), runner.flat(new)) == ["training.steps (100, now 200)"]


def test_two_commands_at_once_do_no_damage_and_the_second_says_that_it_waits(clone):
    command = FEW + "raise SystemExit(runner.main(['--profile', 'smoke', '--no-figures', '--jobs', '1']))"
    first, second = (python(clone, "-c", command) for _ in range(2))
    ends = [finish(process) for process in (first, second)]
    assert [status for status, _, _ in ends] == [0, 0]
    assert sum("is at work in this clone; waiting for it to end" in err for _, _, err in ends) == 1
    assert (
        sorted(word in out for word in ("3 trained", "3 runs reused") for _, out, _ in ends) == [False] * 2 + [True] * 2
    )
    assert len(list((clone / "results" / "smoke" / "recall").iterdir())) == 3


def test_a_failed_run_is_named_and_ends_with_status_1(clone):
    poison = """
from randformer.core import gradient
losses = gradient.losses
gradient.losses = lambda run, *of: losses(run, *of) * (float("nan") if run.objective.fixed_seed else 1)
"""
    command = FEW + poison + "raise SystemExit(runner.main(['--profile', 'smoke', '--no-figures', '--jobs', '1']))"
    status, out, _ = finish(python(clone, "-c", command))
    assert status == 1
    assert "1 trained, 0 evaluated anew, 2 failed" in out
    assert out.count("failed: recall A_r0^E n=3 q=1 ") == 2
    assert "the loss is not a number at step 1" in out
    assert "The same command, without --retrain, trains what is missing." in out


def test_a_notebook_is_not_executed_where_any_of_its_runs_failed(monkeypatch):
    """Whichever task they are of: other notebooks of the same task go on."""
    executed = []
    monkeypatch.setattr(notebooks, "execute", lambda file, profile: executed.append(file))
    others = [run for name in ("theory", "recall", "coloring") for run in declared("smoke", name)]
    alone = next(run for run in declared("smoke", "cost") if run not in others)
    broken = runner.figures(runner.parse(["--profile", "smoke"]), {alone})
    assert list(broken) == ["05_cost_of_randomness.ipynb"]
    assert sorted([*executed, *broken]) == sorted(experiment.notebook for experiment in experiments().values())


def test_training_needs_torch_numpy_and_safetensors_alone(clone):
    """So that a GPU machine with nothing else can train and evaluate."""
    others = ["pandas", "scipy", "tqdm", "matplotlib", "seaborn", "papermill", "nbformat", "distributed", "pysat"]
    bare = f"import sys; sys.modules |= dict.fromkeys({others})\n"
    command = FEW + "raise SystemExit(runner.main(['--profile', 'smoke', '--no-figures', '--jobs', '1']))"
    status, out, err = finish(python(clone, "-c", bare + command))
    assert (status, err) == (0, "")
    assert "3 trained" in out
    assert out.endswith("Records are in results/smoke/.\n")


def test_run_all_refuses_an_environment_without_the_packages(tmp_path):
    subprocess.run(["python3", "-m", "venv", "--without-pip", tmp_path / "empty"], check=True)
    environment = {"PATH": f"{tmp_path}/empty/bin:/usr/bin:/bin", "VIRTUAL_ENV": str(tmp_path / "empty")}
    done = subprocess.run([ROOT / "run_all.sh", "--help"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("run_all.sh: the active environment lacks packages")


def test_the_explanation_ignores_damaged_records(clone):
    finish(python(clone, "-c", FEW + "runner.main(['--profile', 'smoke', '--no-figures'])"))
    folder = next((clone / "results" / "smoke" / "recall").iterdir())
    (folder / "run.json").write_text("{")
    lines = explained(clone)
    assert sum("run.json is damaged" in line and line.startswith("trained") for line in lines) == 1
