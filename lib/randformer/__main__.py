"""The runner behind run_all.sh: records for every declared run, then every notebook, then the claims.

    python -m randformer [--profile smoke|laptop|paper] [--only NAME] [--retrain] [--jobs N] [--device cpu|cuda]
                         [--scheduler tcp://HOST:PORT] [--no-figures] [--explain]

Exit status: 0 all done, 1 something failed (named, with how to resume), 2 bad input, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from randformer.experiments import registry
from randformer.harness.checks import BadInput, at_least, one_of, shaped
from randformer.harness.files import ROOT, needs_clone, write_bytes
from randformer.harness.profiles import PROFILES

if TYPE_CHECKING:  # a mistyped option is told without waiting for torch
    from randformer.contract import Run
    from randformer.harness.workers import Outcome

SMOKE = " (too small to show anything, its verdicts mean nothing)"


def main(arguments: list[str] | None = None) -> int:
    open_streams()
    try:
        status = run(parse(arguments))
        sys.stdout.flush()
        return status
    except BadInput as error:
        print(f"randformer: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads what we print has seen enough, as head has
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        print(
            f"randformer: {error}; what is done is kept, the same command without --retrain goes on once it is mended",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(
            "\nrandformer: stopped; without --retrain the same command goes on from the last checkpoint",
            file=sys.stderr,
        )
        return 130


def open_streams() -> None:
    """Make standard output and error something to print any text on: they may be closed, or know ASCII only."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, lest a file of ours gets it
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115  until the process ends
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


class Parser(argparse.ArgumentParser):
    """argparse, with one line for an error."""

    def error(self, message: str):
        raise BadInput(f"{message}; --help lists what is allowed")


def told(arguments: list[str]) -> int:
    """Answer what no run is needed for: 1 where that was all (help), 2 where the options are bad, else 0."""
    open_streams()
    try:
        parse(arguments)
    except BadInput as error:
        print(f"randformer: {error}", file=sys.stderr)
        return 2
    except SystemExit:  # argparse has helped
        return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="run_all.sh",
        description="Regenerate every figure, training only what has no valid record; --test runs the tests, --site "
        "builds the website.",
        allow_abbrev=False,
    )
    parser.add_argument("--profile", default="laptop", help=f"{', '.join(PROFILES)}; default laptop")
    parser.add_argument("--only", help=f"one of the notebooks: {', '.join(registry.experiments())}")
    parser.add_argument("--retrain", action="store_true", help="train and evaluate all anew, valid records or not")
    parser.add_argument("--jobs", type=int, help="processes; default one per core")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; default cpu")
    parser.add_argument("--scheduler", help="tcp://HOST:PORT of a Dask cluster to train on; default processes here")
    parser.add_argument("--no-figures", dest="figures", action="store_false", help="records only, no notebook")
    parser.add_argument("--explain", action="store_true", help="say which runs would be reused or trained, and why")
    asked = parser.parse_args(arguments)
    one_of("profile", asked.profile, PROFILES)
    one_of("device", asked.device, ("cpu", "cuda"))
    if asked.jobs is not None:
        at_least("jobs", asked.jobs, 1)
    if asked.scheduler is not None:
        shaped("scheduler", asked.scheduler, r"tcp://[^/]+:\d+", "tcp://HOST:PORT of a Dask scheduler")
        if asked.jobs is not None:
            raise BadInput("jobs, scheduler: give only one, the cluster's workers say how many jobs run at once")
    if asked.only is not None:
        one_of("only", asked.only, registry.experiments())
    return asked


def run(asked: argparse.Namespace) -> int:
    from randformer.harness import workers

    runs = registry.declared(asked.profile, asked.only)
    if asked.explain:
        return explain(asked, runs)
    if asked.figures:
        needs_clone()
    began = time.monotonic()
    workers.check(asked.profile, runs, asked.device, asked.scheduler)
    with workers.exclusive_lock():
        outcome = workers.ensure_records(
            asked.profile, runs, asked.jobs or 0, asked.device, asked.retrain, asked.scheduler
        )
        broken = {}
        if asked.figures:
            broken = figures(asked, set(outcome.failed))
            verdicts(asked.profile, whole=not broken)
    return conclude(asked, outcome, broken, time.monotonic() - began)


def figures(asked: argparse.Namespace, failed: set[Run]) -> dict[str, str]:
    """Execute the notebooks; returns those that failed, and why. One whose runs failed keeps its last figures."""
    from randformer.harness.processes import cores
    from randformer.report import execution  # a machine that only trains need not have what executes them

    broken, sources = {}, []
    for name, experiment in registry.experiments().items():
        if asked.only not in (None, name):
            continue
        if failed & set(experiment.runs(asked.profile)):
            broken[experiment.notebook] = "not executed, some of its runs failed"
        else:
            sources.append(experiment.path)
    count = asked.jobs or cores()
    print(f"executing notebooks, {min(count, len(sources))} at a time", flush=True)
    for source, seconds, why in execution.execute(sources, asked.profile, count):
        print(f"executing {source.name} ... {'failed' if why else f'{seconds:.0f} s'}", flush=True)
        if why:
            broken[source.name] = why
    return broken


def verdicts(profile: str, whole: bool) -> None:
    """Print the claims; the laptop's go into the pages that show them too where no notebook failed."""
    from randformer.report import claims, readme

    table = claims.read(profile)
    if not len(table):
        return
    if profile == "laptop" and whole:
        # the library's own: those of experiments elsewhere are printed only
        own = [each for each in registry.experiments().values() if each.path.parent == ROOT / "notebooks"]
        judged = readme.Judged(own, {size: claims.read(size) for size in readme.SIZES})
        for page, text in list(readme.pages(ROOT, judged)):
            write_bytes(page, text.encode())
    print(f"\nClaims, {profile} profile{SMOKE if profile == 'smoke' else ''}:")
    print(table[["id", "ours", "low", "high", "n_runs", "verdict", "rule"]].to_string(index=False))


def conclude(asked: argparse.Namespace, outcome: Outcome, broken: dict[str, str], seconds: float) -> int:
    """Print what was reused and trained, and what failed; the exit status."""
    print(
        f"\n{len(outcome.reused)} runs reused, {len(outcome.trained)} trained, {len(outcome.evaluated)} evaluated anew,"
        f" {len(outcome.failed)} failed; {seconds:.0f} s in all"
    )
    for what, runs in (("trained", outcome.trained), ("evaluated anew", outcome.evaluated)):
        for run in runs:
            print(f"  {what}: {run} ({run.key})")
    for run, why in outcome.refused.items():
        print(f"  record not used: {run} ({run.key}): {why}")
    for run, why in outcome.failed.items():
        print(f"  failed: {run} ({run.key}): {why}")
    for name, why in broken.items():
        print(f"  failed: {name}: {why}")
    if outcome.failed or broken:
        print("What is done is kept. Once that is mended, the same command without --retrain does what is missing.")
        return 1
    drawn = f"Figures are in figures/{asked.profile}/. " if asked.figures else ""
    print(f"{drawn}Records are in results/{asked.profile}/.")
    return 0


def explain(asked: argparse.Namespace, runs: list[Run]) -> int:
    """Print for each run whether it would be reused; if not, why, and what differs from the nearest record; a sum."""
    from randformer.harness import forecast, workers
    from randformer.harness.processes import cores

    names = {run.problem for run in runs}
    stored = {name: [forecast.flat(config) for config in workers.stored_configs(asked.profile, name)] for name in names}
    reused, todo = 0, []
    for run in runs:
        need = None if asked.retrain else workers.why_stale(asked.profile, run)
        if need is None and not asked.retrain:
            reused += 1
            print(f"reused     {run.key}  {run}")
            continue
        train, why = need or (True, "asked for")
        config = forecast.flat(run.config)
        changes = [forecast.differences(old, config) for old in stored[run.problem]]
        if train and changes and (nearest := min(changes, key=len)):
            why += f"; the nearest record differs in {', '.join(nearest)}"
        print(f"{'trained' if train else 'evaluated':10} {run.key}  {run}: {why}")
        todo += [run] if train else []
    here = asked.device == "cpu" and asked.scheduler is None
    print(forecast.told(todo, reused, (asked.jobs or cores()) if here else None))
    for name, experiment in registry.experiments().items():
        if asked.only in (None, name) and not experiment.runs(asked.profile):
            print(f"{experiment.notebook}: keeps no training; what it does, it does whenever it is executed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
