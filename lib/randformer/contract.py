"""What the parts of the library ask of each other, and all that they ask.

The harness (records, jobs, workers, cluster) asks of a computation to be a Run, the core (network, training, the
adversary) of a problem to be a Task, and of the inputs that a trained network is judged on to be an EvaluationSet.
tests/test_contract.py runs every registered one against it.

Shapes: K models, B inputs, m seeds, P parameters, X inputs of an evaluation.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from randformer.core.gradient import GradientTraining
    from randformer.core.transformer import Network

Tick = Callable[[int], None]  # hears how many more units of work are done


@dataclass(frozen=True)
class Trained:
    """What a training leaves behind."""

    tensors: dict[str, Tensor]  # by name, on the CPU
    content: dict  # what else run.json says, as JSON, the same whenever repeated: the loss history
    seconds: float  # of the processor, for the provenance
    computed_with: dict[str, str] = field(default_factory=dict)  # packages besides PyTorch, and their versions


@runtime_checkable
class Run(Protocol):
    """One seeded computation and everything that determines its numbers. Can be hashed, compared and pickled."""

    problem: str  # records go to results/<profile>/<problem>/<key>/
    run_index: int  # 0, 1, 2 ...: the repetition, and the state that the run's generator starts from
    kind: type  # the class whose NUMERICS and EVALUATION (whole numbers) are raised where results change on purpose
    config: dict  # as JSON, with "version": NUMERICS
    key: str  # records.key(config)
    point: Hashable  # equal for runs that are repetitions of one training
    group: Hashable  # equal for runs that can be trained side by side
    cost: int  # units of work of the whole training, about proportional to its time
    width: int  # units of work of one step: how many runs are worth training side by side depends on it

    def train(self, runs: list[Self], device: torch.device, cache: Path, tick: Tick) -> tuple[dict, dict]:
        """Train runs of one group, from their checkpoints in cache where there are any; tick hears of what is done.

        Returns {run: Trained}, and of those whose loss or weights are no longer finite {run: step}. Each run's numbers
        must be the same alone, beside any others, and after a kill.
        """
        ...

    def begun(self, device: torch.device, cache: Path) -> int:
        """Units of work that its checkpoint in cache holds; 0 without one."""
        ...

    def memory(self, train: bool) -> int:
        """Bytes that it takes at least, by arithmetic: of training and evaluation, or of the latter alone."""
        ...

    def restore(self, tensors: dict[str, Tensor]) -> dict:
        """What a reader of a record gets beside run.json. Raises KeyError, ValueError where the tensors do not fit."""
        ...

    def evaluate(self, record: dict) -> dict:
        """What the figures need of a record, as restored: JSON numbers."""
        ...


@runtime_checkable
class Task(Protocol):
    """A problem that the network learns: a frozen dataclass whose fields all have defaults, the paper's sizes.

    Raises BadInput where a field has an impossible value. An input may be any row of whole numbers.
    """

    NUMERICS: ClassVar[int]  # raised when a training comes out differently on purpose: its records are made anew
    EVALUATION: ClassVar[int]  # raised when a stored evaluation would come out differently: it is made anew
    name: ClassVar[str]  # of the folder of its records
    n: int  # its size: what is swept
    token_size: int  # numbers in a token
    outputs: int  # numbers that the network says at a token
    sequences_per_seed: (
        int  # sequences that one seed of an input stands for: more than 1 where a loss plays several games
    )

    @classmethod
    def standard(cls) -> tuple["Task", "Network", "GradientTraining"]:
        """Task, network and training as the paper's tables have them; a run's name says what differs."""
        ...

    def draw_inputs(self, batch: int, generator: torch.Generator) -> Tensor:
        """A step's inputs (B, ...), B = batch, whole numbers on the generator's device.

        A row may stand for several inputs, and a step may take all that there are, whatever the batch; losses has one
        for each.
        """
        ...

    def draw_seeds(self, m: int, batch: int, generator: torch.Generator) -> Tensor:
        """A step's seeds (m, 1 or B, ...), floats: 1 where all inputs share them, as in equation 5."""
        ...

    def losses(self, network: "Network", parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """Loss (K, m, B) of models (K, P) on inputs (K, B, ...) under seeds (K, m, 1 or B, ...); 0 is perfect.

        A model's losses must not depend on the other models, to the last bit.
        """
        ...

    def evaluate(self, run: Run, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
        """What a trained model (1, P) does, as JSON numbers; fixed_seed (1, 1, ...) where it has one.

        adversary.evaluate where the task has an evaluation_set.
        """
        ...


@runtime_checkable
class Sized(Protocol):
    """A task whose sizes a person may set to what no machine can hold. Optional: others are not refused for memory."""

    def training_bytes(self, run: Run) -> int:
        """Bytes that a step of training takes at least, beyond what every network's does."""
        ...

    def evaluation_bytes(self, run: Run) -> int:
        """Bytes that the evaluation takes at least."""
        ...


@runtime_checkable
class Compiled(Protocol):
    """A task whose losses another package computes than PyTorch, where it can be had. Optional."""

    def computed_with(self, network: "Network", device: torch.device) -> dict[str, str]:
        """Packages besides PyTorch that losses takes on that device, and their versions: records say them."""
        ...


@runtime_checkable
class Playable(Protocol):
    """What a task has besides where a person may load a trained model and ask it: randformer.load.

    x and seed are what a person types; typed and typed_seed raise BadInput, one line that says what to give.
    """

    leading: ClassVar[dict]  # fields (n, q, m) of the model that is meant where none is named: the paper's leading one
    binary: ClassVar[bool | None]  # as in EvaluationSet, of probabilities_of; None where a task has none

    def typed(self, x) -> Tensor:
        """x as inputs (1, ...) like those of draw_inputs."""
        ...

    def typed_seed(self, seed) -> Tensor:
        """A seed (1, 1, ...), of a list of numbers as they stand in draw_seeds(1, 1, generator)[0, 0]."""
        ...

    def answers_of(self, network: "Network", parameters: Tensor, inputs: Tensor, seeds: Tensor) -> list:
        """m answers, in numbers, lists and tuples, to an input (1, ...) of one model (1, P) under seeds (m, 1, ...)."""
        ...

    def decided(self, probabilities: Tensor) -> list:
        """m answers from probabilities (m, ...), as probabilities_of has them: the most probable ones."""
        ...

    def probabilities_of(self, network: "Network", parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """What these answers are the most probable of, (m, ...). Raises BadInput where a task has none."""
        ...


@runtime_checkable
class EvaluationSet(Protocol):
    """The inputs that a trained network is judged on, X in all, and how its answers are read. Numbers them 0 to X - 1.

    A task has one where it has the method evaluation_set(network, generator); inputs that are not all there are come
    from that generator, the run's own. Those that subclass this get what has a default. What the network says of all
    inputs, (V, ...), need not have a row for each.
    """

    inputs: int  # X
    wrong_answers: int  # how many answers to an input are wrong: W of Proposition 2
    seeds: Tensor | None = None  # (m, 1, ...): all there are, one as probable as the other, where they can be listed
    groups: np.ndarray | None = None  # (X,): a coarser kind of each input, 0, 1, ..., where there is one
    binary: ClassVar[bool] = False  # whether a probability stands for itself, or those of the last axis add up to 1
    checkable: ClassVar[bool] = False  # whether who gets an answer can tell if it is right, and ask again if not

    def probabilities(self, parameters: Tensor, seeds: Tensor) -> Tensor:
        """What one model (1, P) says under seeds (m, 1, ...), (m, V, ...): what the methods below read."""
        ...

    def answers(self, probabilities: Tensor) -> np.ndarray:
        """Whole answers (m, X), whole numbers, from probabilities (m, V, ...): the most probable ones."""
        ...

    def probabilities_to(self, index: int, parameters: Tensor, seeds: Tensor) -> Tensor:
        """What it says of the one input of that index, under seeds (m, 1, ...): (m, ...), what decided reads."""
        ...

    def decided(self, probabilities: Tensor) -> np.ndarray:
        """Whole answers (...), whole numbers, from what is said of single inputs: the most probable ones."""
        ...

    def right(self, answers: np.ndarray, inputs: int | slice = slice(None)) -> np.ndarray:
        """Whether answers (..., inputs) are right."""
        ...

    def loss(self, probabilities: Tensor) -> np.ndarray:
        """Loss (X,), in the unit of the figures, mean over the m seeds of probabilities (m, V, ...)."""
        ...

    def sampled(self, probabilities: Tensor) -> np.ndarray:
        """Exact P(right), (X,), of an answer sampled from one seed's probabilities (V, ...)."""
        ...

    def details(self, probabilities: Tensor, measured: dict) -> dict:
        """What else the figures show, of probabilities (m, V, ...) and of success (X,) by way of answering."""
        return {}
