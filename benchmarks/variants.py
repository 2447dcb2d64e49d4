"""Who takes part, and the check that all compute the same."""

import numpy as np
import torch

from randformer.harness.processes import configure_process

from .plain import CachedGeneration, PlainGeneration, PlainStep
from .vmapped import VmappedGeneration, VmappedStep
from .workloads import Ours, Workload, draw

OURS = "ours"
STEPS = {OURS: Ours, "plain PyTorch": PlainStep, "torch.func vmap": VmappedStep}
GENERATIONS = {
    OURS: Ours,
    "plain PyTorch": PlainGeneration,
    "plain PyTorch, cached": CachedGeneration,
    "torch.func vmap": VmappedGeneration,
}
JAX = ("JAX plain", "JAX ours")  # generations with evosax; processor only
ROUNDING = 2e-5  # largest difference, over the largest number of its kind
TINY = 1e-30  # where all are 0
FLIPS = 1e-3  # share of episodes in which a near tie may be decided otherwise, so that another way is walked


def names(workload: Workload, device: torch.device) -> list[str]:
    """Those of a workload on a device."""
    return [*(STEPS if workload.by_gradient else GENERATIONS), *(JAX if device.type == "cpu" else ())]


def settle_for(name: str) -> None:
    """Make this process one that runs a variant: ours as a training does, others on one thread and as they come."""
    configure_process() if name == OURS else torch.set_num_threads(1)


def build(name: str, workload: Workload, device: torch.device):
    """A variant of a workload at its start; JAX is imported only where one of its variants is asked for."""
    if name not in JAX:
        return (STEPS if workload.by_gradient else GENERATIONS)[name](workload, device)
    from . import jax_ours, jax_plain

    if workload.by_gradient:
        losses = (jax_plain.PLAIN if name == "JAX plain" else jax_ours.OURS)[workload.run.problem]
        return jax_plain.JaxStep(workload, device, losses)
    module = jax_plain if name == "JAX plain" else jax_ours
    return jax_plain.JaxGeneration(workload, device, module.search_losses)


def reference(workload: Workload, device: torch.device) -> dict[str, np.ndarray]:
    """Our numbers after one step, and of a generation the losses of all its candidates."""
    ours = Ours(workload, device)
    ours.step()
    found = ours.numbers()
    if not workload.by_gradient:
        state, run = workload.begin(device), workload.run
        noise, seeds = draw(run, state)
        candidates = state.parameters + torch.cat([noise, -noise])
        found["losses"] = run.task.losses(run.network, candidates, None, seeds).cpu().numpy()
    return found


def agreement(built, workload: Workload, device: torch.device, expected: dict) -> dict[str, float]:
    """Take one step from the start on the numbers that ours draws, and compare; raises AssertionError.

    Returns the largest differences, relative to the largest number of their kind, and "flips", the share of episodes
    of another length. Where there are any, ranks differ for cause, and nothing but the losses is compared.
    """
    built.update(*draw(workload.run, workload.begin(device)))
    found = built.numbers()
    assert found.keys() == expected.keys()
    differ = {name: float(abs(found[name] - of).max() / max(abs(of).max(), TINY)) for name, of in expected.items()}
    if "losses" in differ:
        differ["flips"] = float((abs(found["losses"] - expected["losses"]) > ROUNDING).mean())
        del differ["losses"]
    if differ.get("flips"):
        differ = {"flips": differ["flips"]}
    bound = {name: FLIPS if name == "flips" else ROUNDING for name in differ}
    wrong = {name: value for name, value in differ.items() if not value <= bound[name]}  # nor a number at all
    assert not wrong, f"{workload.name}: not the numbers of ours: {wrong}"
    return differ
