"""The trained networks that 01_when_randomness_helps.ipynb holds against theory: all that other notebooks train."""

from randformer.core.runs import NetworkRun
from randformer.experiments import registry
from randformer.experiments.recall import sweep as recall


def runs(profile: str) -> dict[str, list[NetworkRun]]:
    """{problem: all networks trained on it; "q": recall's sweep over q}, with random seeds. Raises BadInput."""
    others = [experiment for experiment in registry.experiments().values() if experiment.package != __package__]
    every = dict.fromkeys(run for experiment in others for run in experiment.runs(profile))
    networks = [run for run in (*every, *recall.runs(profile)["q"]) if isinstance(run, NetworkRun)]
    drawn = dict.fromkeys(run for run in networks if not run.objective.fixed_seed)
    parts = {name: [run for run in drawn if run.problem == name] for name in dict.fromkeys(r.problem for r in drawn)}
    return parts | {"q": [run for run in recall.runs(profile)["q"] if not run.objective.fixed_seed]}
