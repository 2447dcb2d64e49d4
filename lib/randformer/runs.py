"""One run, the unit of training and of what is stored, and the paper's tables that runs start from."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import inf, prod

from .checks import BadInput
from .evolution import Evolution
from .gradient import Training
from .objective import Model
from .records import key
from .serial import encoded
from .tasks.coloring import Coloring
from .tasks.gridworld import GridWorld
from .tasks.recall import Recall
from .transformer import Network, shapes

PROFILES = ("smoke", "laptop", "paper")


def table_1(steps: int, batch: int, warmup: int = 2000) -> Training:
    """Table 1's optimizer; the number of steps is public code's (10,000, where a comment says 30,000)."""
    return Training(steps, batch, warmup, peak=3e-3, final=3e-4, beta1=0.9, beta2=0.95, eps=1e-5, weight_decay=0.0)


TABLES = {  # task, network and training; what the tables leave open is as the calibrations in the notebooks found it
    "recall": (Recall(), Network(width=40, layers=2, heads=1, key_size=5, embedding=2), table_1(30_000, 512)),
    "coloring": (Coloring(), Network(width=16, layers=2, heads=1, key_size=16), Training(300_000, 256)),
    "gridworld": (
        GridWorld(),
        Network(width=80, layers=2, heads=4, key_size=10, attention="softmax", mlp=True, layer_norm=True),
        Evolution(25_000),
    ),
}


@dataclass(frozen=True)
class Run:
    """One training from one set of initial weights; everything that determines its numbers."""

    experiment: str
    task: Recall | Coloring | GridWorld
    network: Network
    model: Model
    training: Training | Evolution
    number: int  # 0, 1, 2 ...: repetitions, and the state the run's generator starts from

    def __post_init__(self):
        if self.model.q == inf and isinstance(self.training, Training):
            raise BadInput("q = inf: training by gradient needs a finite q, at least 1")

    @property
    def kind(self) -> type:
        """The class whose NUMERICS and EVALUATION say which records are still good."""
        return type(self.task)

    @cached_property
    def config(self) -> dict:
        """What record and key are made of, as JSON."""
        return encoded(self) | {"version": self.task.NUMERICS}

    @cached_property
    def key(self) -> str:
        return key(self.config)

    @property
    def group(self) -> "Run":
        """What runs trained side by side must have in common: all but q and number."""
        return replace(self, model=replace(self.model, q=1.0), number=0)

    @property
    def parameters(self) -> int:
        """Numbers that training learns."""
        return sum(prod(s) for s in shapes(self.network, self.task.token_size, self.task.outputs).values())

    @property
    def cost(self) -> int:
        """Sequences through the network in the whole training."""
        return self.training.steps * self.training.batch * self.model.m * self.task.branches

    def __str__(self) -> str:
        """Its model and size, and every other field in which it differs from the paper's tables."""
        parts = zip((self.task, self.network, self.training), TABLES[self.experiment], strict=True)
        differs = [
            f"{f.name}={getattr(part, f.name)}"
            for part, table in parts
            for f in fields(part)
            if f.name != "n" and getattr(part, f.name) != getattr(table, f.name, None)
        ]
        size = [f"n={self.task.n}", f"q={self.model.q:g}", *([] if self.model.fixed_seed else [f"m={self.model.m}"])]
        return " ".join([self.experiment, self.model.name, *size, *differs, f"run={self.number}"])


def changed(run: Run, change: dict[str, dict]) -> Run:
    """The run with some fields of some of its parts replaced."""
    return replace(run, **{part: replace(getattr(run, part), **fields) for part, fields in change.items()})
