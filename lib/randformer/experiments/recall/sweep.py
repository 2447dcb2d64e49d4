"""The runs behind 02_associative_recall.ipynb; sizes per profile. To change what is trained, change it here."""

from dataclasses import dataclass, replace

from randformer.core.gradient import GradientTraining
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun, sketch
from randformer.core.transformer import Network
from randformer.harness.checks import at_least, one_of
from randformer.harness.sizes import sized
from randformer.problems.recall.task import Recall, table_1

_, NETWORK, TABLE_1 = Recall.standard()  # the network was chosen by the table in the notebook's appendix alone


@dataclass(frozen=True)
class Sizes:
    """How large associative recall is in a profile; the defaults are table 1 and the points of the paper's figures."""

    training: GradientTraining = TABLE_1
    long: GradientTraining = TABLE_1  # of at least long_from pairs, where randomness emerges late
    long_from: int = 16
    screening: GradientTraining = TABLE_1  # of all the blocks that might be the paper's
    queries: str = "one"  # "all": the batch is of memories, each of which makes n inputs
    m: int = 30
    ns: tuple[int, ...] = (10, 11, 12, 14, 16, 18, 20)  # pairs, figures 1 and 3
    n: int = 15  # pairs of the sweeps over q and m, figures 2, 3C and 8
    qs: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64, 100, 500)
    ms: tuple[int, ...] = (1, 5, 10, 20, 30, 50)
    calibration_ns: tuple[int, ...] = (10, 11, 12, 14, 16, 20)
    claim_ns: tuple[int, int] = (12, 20)  # of R1 to R4 and R7
    claim_ms: tuple[int, int] = (1, 20)  # of R6
    runs: int = 5  # per point
    claim_runs: int = 5  # per point that carries a claim
    largest_runs: int = 5  # of the q-norm at the largest N: figure 1B, R2 to R4 and R7
    screening_runs: int = 5


SIZES = {
    "smoke": Sizes(
        training=table_1(40, 2, 10),
        long=table_1(60, 2, 10),
        long_from=4,
        screening=table_1(40, 2, 10),
        queries="all",
        m=3,
        ns=(3, 4),
        n=3,
        qs=(1, 100),
        ms=(1, 3),
        calibration_ns=(3, 4),
        claim_ns=(3, 4),
        claim_ms=(1, 3),
        runs=2,
        claim_runs=2,
        largest_runs=2,
        screening_runs=1,
    ),
    "laptop": Sizes(
        training=table_1(12_000, 16),
        long=table_1(20_000, 32),
        screening=table_1(4_000, 16),
        queries="all",
        runs=2,
        claim_runs=3,
        screening_runs=1,
    ),
    "paper": Sizes(),
}
Q = 100.0  # of the models "trained on the q-norm", table 1
FINALISTS = (  # of the screening, closest to the paper's curve first: trained again, as long as everything else
    "embedding of 40, MLP",
    "embedding of 40",
    "raw token, LayerNorm",
    "raw token, MLP",
    "raw token, MLP, LayerNorm",
)
SMALL_Q, LARGE_Q = 4.0, 32.0  # R5: no randomness up to the one, and much from the other on


def networks(task: Recall) -> dict[str, Network]:
    """Blocks that the text allows, tried with q = 1 and a fixed seed to match capacity: {name: network}."""
    found = {}
    for before, width in (("raw token", 0), ("embedding of 15", 15), ("embedding of 40", 40)):
        network = Network(width or task.token_size, layers=2, heads=1, key_size=5, embedding=2 if width else 0)
        found |= {
            before: network,
            f"{before}, LayerNorm": replace(network, layer_norm=True),
            f"{before}, MLP": replace(network, mlp=True),
            f"{before}, MLP, LayerNorm": replace(network, mlp=True, layer_norm=True),
        }
    return found


def block(run: NetworkRun) -> str:
    """Which of networks a run trains, whatever its key size."""
    every = networks(run.task).items()
    return next(name for name, n in every if replace(n, key_size=run.network.key_size) == run.network)


@sized
def runs(
    profile: str,
    pairs: int | None = None,
    memory: int | None = None,
    bits: int = 5,
    seed_bits: int = 10,
    q: float = Q,
    m: int | None = None,
    quick: bool = False,
) -> dict[str, list[NetworkRun]]:
    """The runs behind 02_associative_recall.ipynb, as {part: runs}.

    "size": over N; "q", "m": the sweeps; "screening": every block; "final": the blocks closest to the paper's;
    "longer": claims that more training might mend; "one query": of each memory, as table 1 has it.
    pairs (of the sweeps over q and m), memory (key size) and m replace the profile's; q is that of the trained q-norm.
    quick: a run a point, and short trainings. Raises BadInput for an unknown profile or impossible sizes.
    """
    one_of("quick", quick, (False, True))
    if memory is not None:
        at_least("memory (key size)", memory, 1)
    sizes = SIZES[profile]
    network = NETWORK if memory is None else replace(NETWORK, key_size=memory)
    m = sizes.m if m is None else m
    expected, worst = Objective(1, m), Objective(q, m)
    fixed = [Objective(model.q, 1, fixed_seed=True) for model in (expected, worst)]

    def models_at(
        n: int,
        models: list[Objective],
        count: int,
        network: Network = network,
        training: GradientTraining | None = None,
    ):
        task = Recall(n, bits, seed_bits, sizes.queries)
        training = training or (sizes.long if n >= sizes.long_from else sizes.training)
        training = replace(training, batch=training.batch * (n if sizes.queries == "all" else 1))
        return [NetworkRun(task, network, model, training, number) for model in models for number in range(count)]

    def count(carries_claim: bool) -> int:
        return sizes.claim_runs if carries_claim else sizes.runs

    size, over_q, over_m, screening, final = [], [], [], [], []
    for n in sizes.ns:
        few = count(n in sizes.claim_ns)
        size += models_at(n, [fixed[0], expected], few)
        size += models_at(n, [fixed[1], worst], sizes.largest_runs if n == max(sizes.ns) else few)
    n = sizes.n if pairs is None else pairs
    for power in sizes.qs:
        over_q += models_at(n, [Objective(power, 1, fixed_seed=True)], sizes.runs)
        over_q += models_at(n, [Objective(power, m)], count(not SMALL_Q < power < LARGE_Q))
    for seeds in dict.fromkeys((*sizes.ms, m)):
        over_m += models_at(n, [Objective(q, seeds)], count(seeds in (*sizes.claim_ms, m)))
    over_m += models_at(n, [fixed[1]], sizes.runs)
    worst_sweep = [run for seeds in sizes.claim_ms for run in models_at(n, [Objective(q, seeds)], sizes.claim_runs)]
    longer = [lengthened(run) for run in models_at(min(sizes.claim_ns), fixed[:1], sizes.claim_runs) + worst_sweep]
    longer += [lengthened(run) for run in models_at(max(sizes.claim_ns), [worst], sizes.runs)]
    one_query = [replace(run, task=replace(run.task, queries="one")) for run in models_at(n, [worst], sizes.runs)]
    for n in sizes.calibration_ns:
        for name, other in networks(Recall(n, bits, seed_bits)).items():
            other = replace(other, key_size=network.key_size)
            screening += models_at(n, fixed[:1], sizes.screening_runs, other, sizes.screening)
            final += models_at(n, fixed[:1], sizes.runs, other) if name in FINALISTS else []
    size = list(dict.fromkeys(size))  # with q = 1 the two norms are one
    parts = {"size": size, "q": over_q, "m": over_m, "screening": screening, "final": final}
    parts |= {"longer": longer, "one query": one_query}
    return sketch(parts) if quick else parts


def lengthened(run: NetworkRun) -> NetworkRun:
    """The same with 2.5 times the steps, from its first step on: the learning rate falls over the whole length."""
    return replace(run, training=replace(run.training, steps=5 * run.training.steps // 2))
