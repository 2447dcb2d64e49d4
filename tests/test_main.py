import os
import re
import subprocess
import sys

import pandas as pd
import pytest

from clones import finish, python
from randformer import __main__ as runner
from randformer.experiments import registry
from randformer.experiments.registry import declared, experiments
from randformer.report import claims, execution, readme

# A small part of the smoke profile, so that a whole run takes seconds: what the runner is asked for in these tests.
FEW = """
from dataclasses import replace
from randformer import __main__ as runner
from randformer.experiments import registry
declared = registry.declared
registry.declared = lambda profile, only=None: declared(profile, "recall")[:3]
"""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--profile", "desktop"], "profile = 'desktop': give one of smoke, laptop, paper"),
        (["--only", "games"], "only = 'games': give one of start, theory, recall, coloring, gridworld, cost, explore"),
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
    (clone / "results").write_text("a file in the way", encoding="utf-8")
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
    *lines, total, start, explore = explained(clone)
    assert all("no record" in line and line.startswith("trained") for line in lines)
    assert total == f"{len(lines)} runs to train (0 reused)"  # nothing was measured here yet
    assert start.startswith("00_start_here.ipynb: keeps no training")
    assert explore.startswith("08_explore.ipynb: keeps no training")
    assert not (clone / "results").exists()
    finish(python(clone, "-c", FEW + "runner.main(['--profile', 'smoke', '--no-figures'])"))
    lines = explained(clone)
    assert sum(line.startswith("reused") for line in lines) == 3
    assert re.fullmatch(rf"{len(lines) - 6} runs to train(, about .* on \d+ cores?)? \(3 reused\)", lines[-3])
    fourth = next(line for line in lines if line.startswith("trained"))
    assert "no record; the nearest record differs in " in fourth
    folder = next((clone / "results" / "smoke" / "recall").iterdir())
    (folder / "evaluation.json").unlink()
    assert any(line.startswith("evaluated") and "evaluation.json is missing" in line for line in explained(clone))


def test_what_is_asked_is_checked_without_torch(clone):
    """A mistyped option, help: they need no environment, and are answered at once."""
    alone = "import sys; sys.modules['torch'] = None\nfrom randformer.__main__ import main, told\n"
    status, _, err = finish(python(clone, "-c", alone + "sys.exit(main(['--onyl', 'recall']))"))
    assert (status, err) == (2, "randformer: unrecognized arguments: --onyl recall; --help lists what is allowed\n")
    for asked, answer in ((["--help"], 1), (["--only", "recal"], 2), (["--only", "recall"], 0)):
        assert finish(python(clone, "-c", alone + f"sys.exit(told({asked}))"))[0] == answer


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
    assert "Once that is mended, the same command without --retrain does what is missing." in out


def shell(clone, command: str, **environment) -> tuple[int, str, str]:
    """Exit status and output of a command line in a clone; $RUN is the runner."""
    run = f"{sys.executable} -m randformer"
    settings = os.environ | {"PYTHONPATH": str(clone / "lib"), "RUN": run} | environment
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return finish(subprocess.Popen(["bash", "-c", command], cwd=clone, env=settings, **pipes))


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_harm(clone, closed):
    (clone / "few.py").write_text(FEW + "raise SystemExit(runner.main())\n", encoding="utf-8")
    status, _, err = shell(clone, f"exec {sys.executable} few.py --profile smoke --no-figures --jobs 1 {closed}")
    assert (status, err) == (0, "")
    assert len(list((clone / "results" / "smoke" / "recall").iterdir())) == 3


def test_a_reader_that_has_seen_enough_ends_it_quietly(clone):
    status, out, err = shell(clone, "$RUN --profile smoke --explain | head -1")
    assert (status, err) == (0, "")
    assert out.count("\n") == 1


def test_an_error_of_the_system_is_told_with_what_goes_on_and_when(monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device", "x/.cache/lock")

    monkeypatch.setattr(runner, "run", full)
    assert runner.main([]) == 1
    assert capsys.readouterr().err == (
        "randformer: [Errno 28] No space left on device: 'x/.cache/lock'; "
        "what is done is kept, the same command without --retrain goes on once it is mended\n"
    )


def test_any_text_is_read_and_printed_in_an_ascii_locale(clone):
    page = clone / "README.md"
    page.write_text(page.read_text(encoding="utf-8") + "naïve\n", encoding="utf-8")
    code = """
from randformer import __main__ as runner
from randformer.report import claims
claims.read = lambda profile: claims.pd.DataFrame(columns=claims.COLUMNS, index=[0])
runner.registry.declared = lambda *a: print("naïve") or []
runner.figures = lambda *a: {}
raise SystemExit(runner.main(["--profile", "laptop"]))
"""
    (clone / "accents.py").write_text(code, encoding="utf-8")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    status, out, err = shell(clone, f"{sys.executable} accents.py", **locale)
    assert (status, err) == (0, "")
    assert out.startswith("na\\xefve\n")
    assert page.read_text(encoding="utf-8").endswith("naïve\n")


def test_a_notebook_is_not_executed_where_any_of_its_runs_failed(monkeypatch, capsys):
    """Whichever task they are of: other notebooks of the same task go on."""
    executed = []

    def execute(sources, profile, count):
        for source in sources:
            executed.append(source.name)
            yield source, 12.3, "no figure" if source.name.startswith("02") else None

    monkeypatch.setattr(execution, "execute", execute)
    others = [run for name in ("theory", "recall", "coloring") for run in declared("smoke", name)]
    alone = next(run for run in declared("smoke", "cost") if run not in others)
    broken = runner.figures(runner.parse(["--profile", "smoke", "--jobs", "2"]), {alone})
    assert broken == {
        "05_cost_of_randomness.ipynb": "not executed, some of its runs failed",
        "02_associative_recall.ipynb": "no figure",
    }
    every = {experiment.notebook for experiment in experiments().values()}
    assert sorted(executed) == sorted(every - {"05_cost_of_randomness.ipynb"})
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "executing notebooks, 2 at a time"
    assert "executing 01_when_randomness_helps.ipynb ... 12 s" in told
    assert "executing 02_associative_recall.ipynb ... failed" in told


def test_training_needs_torch_numpy_and_safetensors_alone(clone):
    """So that a GPU machine with nothing else can train and evaluate."""
    others = ["pandas", "scipy", "tqdm", "matplotlib", "seaborn", "papermill", "nbformat", "distributed", "pysat"]
    bare = f"import sys; sys.modules |= dict.fromkeys({others})\n"
    command = FEW + "raise SystemExit(runner.main(['--profile', 'smoke', '--no-figures', '--jobs', '1']))"
    status, out, err = finish(python(clone, "-c", bare + command))
    assert (status, err) == (0, "")
    assert "3 trained" in out
    assert out.endswith("Records are in results/smoke/.\n")


def test_the_explanation_ignores_damaged_records(clone):
    finish(python(clone, "-c", FEW + "runner.main(['--profile', 'smoke', '--no-figures'])"))
    folder = next((clone / "results" / "smoke" / "recall").iterdir())
    (folder / "run.json").write_text("{", encoding="utf-8")
    lines = explained(clone)
    assert sum("run.json is damaged" in line and line.startswith("trained") for line in lines) == 1


def test_readme_has_the_claims_of_the_librarys_notebooks_alone(monkeypatch, tmp_path, capsys):
    rows = [
        dict.fromkeys(claims.COLUMNS, "1") | {"id": "C1", "verdict": "partly", "notebook": "03_graph_coloring.ipynb"},
        dict.fromkeys(claims.COLUMNS, "1") | {"id": "X1", "notebook": "coin.ipynb"},
    ]
    (tmp_path / "docs").mkdir()
    for page, parts in readme.PAGES.items():
        marks = [mark for part in parts for mark in readme.ends(part)]
        (tmp_path / page).write_text("\n".join(marks), encoding="utf-8")
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setattr(registry, "ROOT", tmp_path)
    monkeypatch.setattr(claims, "read", lambda profile: pd.DataFrame(rows))
    runner.verdicts("laptop", whole=True)
    for page in readme.PAGES:
        text = (tmp_path / page).read_text(encoding="utf-8")
        assert "C1" in text
        assert "X1" not in text
    assert "X1" in capsys.readouterr().out
