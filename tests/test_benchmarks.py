import csv
import importlib.util
import sys
from dataclasses import replace
from math import inf

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from clones import ROOT
from helpers import TINY, TINY_GRIDWORLD, TINY_RECALL

sys.path.insert(0, str(ROOT))
from benchmarks import roofline, variants
from benchmarks.apart import Apart
from benchmarks.workloads import Workload, named, workloads

CPU = torch.device("cpu")
ONE_QUERY = replace(TINY_RECALL, task=replace(TINY_RECALL.task, queries="one"))
WORST = replace(  # with candidates that differ in their worst cell, so that there is a gradient
    TINY_GRIDWORLD,
    task=replace(TINY_GRIDWORLD.task, n=2),
    objective=replace(TINY_GRIDWORLD.objective, q=inf),
    training=replace(TINY_GRIDWORLD.training, population=16, std=0.5),
)
TINY_WORKLOADS = [Workload("recall", ONE_QUERY, 2), Workload("coloring", TINY, 2), Workload("search", WORST)]
CASES = [(workload, name) for workload in TINY_WORKLOADS for name in variants.names(workload, CPU)[1:]]


@pytest.mark.parametrize(("workload", "name"), CASES, ids=lambda value: getattr(value, "name", value))
def test_every_variant_gives_our_numbers(workload, name):
    if name in variants.JAX and not importlib.util.find_spec("evosax"):
        pytest.skip("JAX is installed in the benchmarks' own environment alone")
    built = variants.build(name, workload, CPU)
    differ = variants.agreement(built, workload, CPU, variants.reference(workload, CPU))
    assert not differ.get("flips")
    assert {"loss", "gradient", "parameters"} <= differ.keys()
    assert abs(built.numbers()["gradient"]).max() > 0


@pytest.mark.parametrize("workload", TINY_WORKLOADS, ids=lambda workload: workload.name)
def test_a_variant_that_computes_something_else_is_found(workload):
    expected = variants.reference(workload, CPU)
    other = replace(workload, run=replace(workload.run, objective=replace(workload.run.objective, q=2.0)))
    if workload.by_gradient:
        with pytest.raises(AssertionError, match="not the numbers of ours"):
            variants.agreement(variants.build("plain PyTorch", other, CPU), workload, CPU, expected)
    else:
        expected["losses"] = np.roll(expected["losses"], 1)
        with pytest.raises(AssertionError, match="flips"):
            variants.agreement(variants.build("plain PyTorch", workload, CPU), workload, CPU, expected)


@pytest.mark.parametrize("name", ["recall step", "colouring step"])
def test_the_roofline_counts_what_a_step_does(name):
    """Its matrix products, as PyTorch counts them, and not much else."""
    workload = named(name)
    ours = variants.build(variants.OURS, workload, CPU)
    with FlopCounterMode(display=False) as products:
        ours.step()
    operations, _ = roofline.work(workload)
    assert products.get_total_flops() <= operations <= 1.3 * products.get_total_flops()


def test_what_is_timed_is_what_was_asked_for():
    """Table 1's recall step, table 2's colouring step, and a generation."""
    recall, recalls, coloring, colorings, search = workloads()
    assert (recall.run.task.n, recall.run.task.queries, recall.run.objective.m, recall.run.training.batch) == (
        20,
        "one",
        30,
        512,
    )
    assert (coloring.run.task.n, coloring.run.objective.m, coloring.run.training.batch) == (10, 10, 256)
    assert (recall.models, recalls.models, coloring.models, colorings.models, search.models) == (1, 5, 1, 5, 1)
    assert not search.by_gradient


def test_the_table_has_the_columns_that_were_asked_for():
    path = ROOT / "benchmarks" / "results.csv"
    if not path.exists():
        pytest.skip("not run yet")
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    wanted = "workload,variant,device,cpu_seconds_median,wall_seconds_median,spread,times_ours,peak_bytes"
    assert header == wanted.split(",")
    on_cpu = [(row[0], row[1]) for row in rows if row[2] == "cpu"]
    assert on_cpu == [(workload.name, name) for workload in workloads() for name in variants.names(workload, CPU)]


def test_a_variant_in_a_process_of_its_own_steps_when_told_to():
    workload = named("colouring step")
    ours, plain = (Apart(workload, name, CPU) for name in (variants.OURS, "plain PyTorch"))
    assert not ours.differ
    assert plain.differ["gradient"] > 0
    for variant in (ours, plain, ours):
        assert min(variant.step()) > 0
    for variant in (ours, plain):
        variant.end()
        assert variant.process.returncode == 0
        with pytest.raises((RuntimeError, ValueError)):
            variant.step()
