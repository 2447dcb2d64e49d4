"""What the machine can do at most, and how long a step of ours would take at that.

A step's attainable time is the larger of its floating-point operations over the peak of a matrix product, and its bytes
over the bandwidth of memory, both measured on the core that the steps run on. Counted are the operations of our
algorithm as it stands (a multiplication with an addition is 2; exponentials, GELUs and optimizer are left out), its
one-hot products included. Bytes: parameters, moments and gradient, and every intermediate that the backward pass, or a
later step of an episode, needs: written once and read once, as if caches held all else. So the time is a lower bound
that element-wise work, which cannot run at the speed of a matrix product, does not come near.
"""

import time

import torch

from .workloads import Workload, draw

FLOAT = 4  # bytes
REPEATS = 7


def best(function) -> float:
    """Seconds of the fastest of a few calls."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def machine(size: int = 2048, length: int = 2**25) -> tuple[float, float]:
    """Operations a second of a product of square matrices, and bytes a second of a triad a = b + s c, one core."""
    left, right, out = torch.randn(3, size, size)
    product = best(lambda: torch.mm(left, right, out=out))
    a, b, c = torch.randn(3, length)
    triad = best(lambda: torch.add(b, c, alpha=2.0, out=a))
    return 2 * size**3 / product, 3 * FLOAT * length / triad


def recall(workload: Workload) -> tuple[int, int]:
    """Operations and floats of one model's step. A pair or query has columns read off it, d wide each."""
    run, task, network = workload.run, workload.run.task, workload.run.network
    n, width, d, layers, m = task.n, network.width, network.key_size, network.layers, run.objective.m
    batch, values = run.training.batch, 2**task.bits
    sequences, columns = m * batch, 3 * layers * d + task.bits  # of a query; a pair's end before the last layer's query
    few = (3 * layers - 1) * d
    products = 2 * n * m * width * (values * few + columns)  # tables of all tokens
    products += sequences * (2 * n * d * d + layers * 2 * d * d)  # the last memory, and all answers
    for i in range(1, layers):
        products += 2 * sequences * d * (n * (few - 3 * d * i) + columns - 3 * d * i)  # what a layer adds, to the next
    chosen = 2 * n * m * batch * (values * few + columns)  # by products with one-hot values and keys
    recurrence = 14 * (layers - 1) * n * d * d * sequences  # 4 forwards, 10 backwards
    floats = 2 * n * m * width * (values + 1) + sequences * (columns + layers * (d * d + d))
    floats += sequences * n * d * (4 * (layers - 1) + 2)  # keys, values, queries, results
    return 3 * products + 2 * chosen + recurrence, floats  # backwards a product takes two; one-hots have no gradient


def coloring(workload: Workload) -> tuple[int, int]:
    """Operations and floats of one model's step: of tokens, ordered pairs and paths of four vertices, and of cycles."""
    run, task, d, colors = workload.run, workload.run.task, workload.run.network.key_size, workload.run.task.outputs
    n, width, m, batch = task.n, workload.run.network.width, run.objective.m, run.training.batch
    reads = 2 * d + 2 * colors  # columns that the second layer and the output read off a vertex
    sequences, tokens, pairs, paths = m * batch, m * n, m * n**2, m * n**4
    products = tokens * 2 * width * (task.token_size + 2 * d + 2 * reads) + pairs * (2 * d + 2 * reads)
    products += paths * 2 * (d + 1)  # scores, and what is added to each
    products += 2 * colors * n * pairs + sequences * n * 6 * colors  # views; logits and what neighbours have in common
    floats = tokens * (width + 2 * reads) + pairs * (1 + reads) + sequences * n * (2 + 3 * colors)
    return 3 * products, floats


def search(workload: Workload) -> tuple[int, int]:
    """Operations and floats of a generation from the start: of the tokens that its candidates really see."""
    run, network, task = workload.run, workload.run.network, workload.run.task
    state = workload.begin(torch.device("cpu"))
    noise, seeds = draw(run, state)
    done = task.play(network, state.parameters + torch.cat([noise, -noise]), seeds)
    width, inner, layers = network.width, network.heads * network.key_size, network.layers
    first = run.training.batch * run.objective.m * (task.episode + 1)  # tokens
    found, again, visits = (x.double() for x in (done.found, done.again, done.visits))
    lost = (~done.found[..., 1:]).any(-1).sum()  # one more branch each, to the end
    second = (found * (1 + again)).sum() + lost * (task.episode + 1)
    pairs = first * (task.episode + 2) / 2 + (found * (1 + again) * (1 + visits + (2 + again) / 2)).sum()
    pairs += lost * (task.episode + 1) * (task.episode + 1 + (task.episode + 2) / 2)  # of a token and one it sees
    token = layers * 2 * (4 * width * inner + 8 * width * width) + 2 * width * task.outputs
    tokens = int(first + second)
    return tokens * token + layers * 4 * inner * int(pairs), tokens * layers * 2 * inner


def work(workload: Workload) -> tuple[int, int]:
    """Operations and bytes of a step of all its models."""
    count = {"recall": recall, "coloring": coloring, "gridworld": search}[workload.run.problem]
    flops, floats = count(workload)
    candidates = 1 if workload.by_gradient else workload.run.training.batch
    kept = workload.run.parameters * (7 if workload.by_gradient else candidates)  # read and written: w, m, v; gradient
    return workload.models * flops, workload.models * FLOAT * (2 * floats + kept)
