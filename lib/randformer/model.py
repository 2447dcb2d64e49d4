"""A trained model in one's hands: asked about numbers that a person types, under seeds of one's own.

    import randformer
    model = randformer.load("recall", n=20, q=100)
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]   # 20 pairs, more than fit into its memory
    model.sample((values, 7), model.seeds(5))                             # what goes with key 7, under five seeds

What a person types for a problem, and gets:

    problem     x                                      seed                           answer
    recall      (values, key): n whole numbers from    seed_bits zeros and ones       the value, a whole number
                0 to 31; a key from 0 to n - 1
    coloring    a cycle: each of 0 to n - 1 once, in   n numbers from 0 to 1, one     n colours, 0 to 2, along the walk
                walking order                          for each vertex by its id
    gridworld   the treasure's cell, 1 to cells - 1    seed_size numbers, in          (first, second): the cells of both
                                                       training normal ones           episodes, from the start on

All lists may be arrays or tensors as well. What is impossible raises BadInput, one line that says what to give.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from numbers import Number

import numpy as np
import torch
from torch import Tensor

from randformer.contract import Playable
from randformer.core.runs import NetworkRun
from randformer.core.votes import WAYS, averaged, majority
from randformer.experiments import registry
from randformer.harness import records, workers
from randformer.harness.checks import BadInput, at_least, one_of
from randformer.harness.files import needs_clone

MOST_SEEDS = 10_000  # for one question
SLICE = 64  # seeds through the network at once


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained network with P parameters.

    k seeds are a list of them or their number: then they are those of seeds(k).
    """

    run: NetworkRun  # what it is and how it was trained
    parameters: Tensor  # (1, P)
    fixed_seed: Tensor | None  # (1, 1, ...) of an A_r0, a part of the model like its weights; None for an A_R

    def __call__(self, x, seed=None):
        """Its answer to x under a seed; where none is given under its fixed one or, an A_R, under a fresh one.

        Raises BadInput for an impossible x or seed, and for any seed where the model has a fixed one.
        """
        if seed is None and self.fixed_seed is None:
            seed = self.seeds(1, secrets.randbits(63))[0]
        return self.sample(x, 1 if seed is None else [seed])[0]

    def sample(self, x, seeds) -> list:
        """Its answers to x, one for each of k seeds. A model with a fixed seed takes a number only, of equal answers.

        Raises BadInput for an impossible x or seed, no seed, or more than 10,000.
        """
        return [answer for answers in self.ask("answers_of", x, seeds) for answer in answers]

    def vote(self, x, seeds, how: str = "majority"):
        """The answer to x that k seeds elect, in one of the ways of core/votes.py.

        "majority" of whole answers; "parts": of each bit, or vertex; "probabilities" or "logits": the most probable
        answer when those are averaged. Between equals the first counts. The grid world has whole answers only.
        Raises BadInput as sample does, or for an unknown how.
        """
        task = self.run.task
        one_of("how", how, WAYS[:1] if task.binary is None else WAYS)
        if how == "majority":
            answers = self.sample(x, seeds)
            numbered = np.array([answers.index(answer) for answer in answers])  # whatever an answer is, a number for it
            return answers[majority(numbered[:, None])[0]]
        said = torch.cat(list(self.ask("probabilities_of", x, seeds)))
        return task.decided(averaged(how, said, task.binary).unsqueeze(0))[0]

    def probabilities(self, x, seeds) -> np.ndarray:
        """What its answers to x are the most probable of, under k seeds.

        Recall: P(bit = 1) (k, bits), the lowest bit first. Coloring: P(colour) (k, n, 3), along the walk. Raises
        BadInput as sample does, and in the grid world, whose agents give no probabilities.
        """
        return torch.cat(list(self.ask("probabilities_of", x, seeds))).numpy()

    def seeds(self, k: int, generator_seed: int = 0) -> list[list[float]]:
        """k random seeds as one would type them, the same at every call. Raises BadInput, with a fixed seed too."""
        self.refuse_where_fixed()
        at_least("seeds", k, 1, MOST_SEEDS)
        at_least("generator_seed", generator_seed, 0, 2**63 - 1)
        return self.run.task.draw_seeds(k, 1, torch.Generator().manual_seed(generator_seed)).squeeze(1).tolist()

    def __repr__(self) -> str:
        return f"{self.run}, {self.run.parameters} parameters"

    def ask(self, way: str, x, seeds) -> Iterator:
        """What the task's method of that name finds, slice by slice of k seeds."""
        task = self.run.task
        inputs = task.typed(x)
        for part in self.typed_seeds(seeds).split(SLICE):
            yield getattr(task, way)(self.run.network, self.parameters, inputs, part)

    def typed_seeds(self, seeds) -> Tensor:
        """k seeds (k, 1, ...)."""
        seeds = seeds.tolist() if hasattr(seeds, "tolist") else seeds
        listed = isinstance(seeds, list | tuple)
        if listed:
            self.refuse_where_fixed()
        at_least("number of seeds" if listed else "seeds", len(seeds) if listed else seeds, 1, MOST_SEEDS)
        if self.fixed_seed is not None:
            return self.fixed_seed.expand(seeds, *self.fixed_seed.shape[1:])
        return torch.cat([self.run.task.typed_seed(seed) for seed in (seeds if listed else self.seeds(seeds))])

    def refuse_where_fixed(self) -> None:
        """Raise BadInput where a seed is a part of the model."""
        if self.fixed_seed is not None:
            raise BadInput(f"seed: {self.run} has a fixed one and answers under no other; give none")


def load(problem: str, profile: str = "laptop", fixed_seed: bool = False, run: int = 0, **wanted) -> Model:
    """The trained model of a problem (recall, coloring, gridworld) with those fields, read from its record.

    fixed_seed: A_r0 instead of A_R. run: which of its repetitions, from 0. wanted: n, q, m, or any other field of
    task, network, objective and training (key_size, steps, ...). n, q and m that are not given are those of the
    paper's leading figure; where trainings differ in what is still open, the one declared first is taken, that of the
    notebook's main figure. print(model) says which it is. Raises BadInput where nothing such is trained, saying what
    is, or that there are no records at all, and RecordError where its record is missing, saying how to make it.
    """
    needs_clone()
    playable = [r for r in registry.declared(profile) if isinstance(r, NetworkRun) and isinstance(r.task, Playable)]
    one_of("problem", problem, dict.fromkeys(r.problem for r in playable))
    left = [r for r in playable if r.problem == problem]
    leading = dict(left[0].task.leading)
    if fixed_seed is True:  # which sees one seed a step
        del leading["m"]
    found = chosen(left, {"fixed_seed": fixed_seed} | leading | wanted, run)
    try:
        record = records.read_record(workers.folder(profile, found), found)
    except records.RecordError as error:
        declaring = [name for name, experiment in registry.experiments().items() if found in experiment.runs(profile)]
        only = problem if problem in declaring else declaring[0]
        how = f"./run_all.sh --profile {profile} --only {only} trains it"
        raise records.RecordError(f"{found}: {error}; {how}") from None
    return Model(found, record["parameters"], record["seed"])


def chosen(runs: list[NetworkRun], wanted: dict, run_index: int) -> NetworkRun:
    """The first of a problem's runs with those values of its fields, and of its repetitions that one.

    Raises BadInput for an unknown field, and for the first value that no run has which has the values before it.
    """
    known = list(dict.fromkeys(name for run in runs for name in described(run)))
    for name in wanted:
        one_of("field", name, known)
    seen = {}
    for name, value in wanted.items():
        runs, seen = having(runs, seen, name, value), seen | {name: value}
    alike = [run for run in runs if replace(run, run_index=0) == replace(runs[0], run_index=0)]
    return having(alike, seen, "run", run_index)[0]


def having(runs: list[NetworkRun], seen: dict, name: str, value) -> list[NetworkRun]:
    """Those with that value of that field; BadInput, saying which values there are, where none has it."""
    kept = [run for run in runs if same(described(run).get(name), value)]
    if not kept:
        there = sorted({described(run)[name] for run in runs if name in described(run)})
        before = " and ".join(f"{field} = {shown(one)}" for field, one in seen.items() if one is not False)
        what = f"{runs[0].problem} with {before}" if before else runs[0].problem
        raise BadInput(f"{name} = {value!r}: {what} is trained on {name} = {', '.join(map(shown, there)) or 'nothing'}")
    return kept


def described(run: NetworkRun) -> dict:
    """A run's fields by name, whichever part they are of."""
    parts = (run.task, run.network, run.objective, run.training)
    return {field.name: getattr(part, field.name) for part in parts for field in fields(part)} | {"run": run.run_index}


def same(value, asked) -> bool:
    """Whether a field has the value asked for: 100 is 100.0, and neither True is 1 nor an array anything."""
    plain = isinstance(asked, Number | str)
    return plain and isinstance(value, bool) == isinstance(asked, bool) and value == asked


def shown(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
