"""What a trained searcher does on its grid, and how long the adversary's cell takes it (section 3.4).

The adversary hides the treasure in the cell that takes most steps on one set of seeds, and is scored on another.
"""

from collections import Counter
from math import comb

from torch import Tensor

from randformer.core.adversary import PERCENTILE, judging_generator, rounded, score_at_percentile
from randformer.core.runs import NetworkRun
from randformer.problems.gridworld.task import EVALUATION_SEEDS, Episodes, distances


def evaluate(run: NetworkRun, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
    """All that the figures need of one model (1, P), as JSON numbers: steps are of both episodes, shares of 1.

    A model with a fixed seed always walks the same: choosing and scoring coincide.
    """
    task, generator = run.task, judging_generator(run)
    if run.objective.fixed_seed:
        seeds_of_both = [fixed_seed] * 2
    else:
        seeds_of_both = [task.draw_seeds(EVALUATION_SEEDS, 1, generator) for _ in range(2)]
    choose, score = (task.play(run.network, parameters, seeds.unsqueeze(0)) for seeds in seeds_of_both)
    steps = [search.steps[0, :, 1:].double().mean(0).numpy() for search in (choose, score)]
    found, again = score.found[0, :, 1:].numpy(), score.again[0, :, 1:].numpy()
    shortest = again == distances(task.n)[1:]
    walks = Counter(map(tuple, score.first[0].tolist()))
    return rounded(
        {
            "inputs": task.cells - 1,
            "seeds": len(score.first[0]),
            "steps": {
                "average": float(steps[1].mean()),
                "percentile95": -score_at_percentile(-steps[0], -steps[1], PERCENTILE),
                "worst": -score_at_percentile(-steps[0], -steps[1], 1.0),
            },
            "steps_by_cell": [float(x) for x in steps[1]],
            "visits": [float(x) for x in score.visits[0].double().mean(0)],  # of the start too: 0, it is found at once
            "found": float(found.mean()),
            "found_by_cell": [float(x) for x in found.mean(0)],
            "shortest": float(shortest[found].mean()) if found.any() else 0.0,  # of pairs (seed, cell) found before
            "walks": sorted(walks.values(), reverse=True),  # seeds that share each distinct walk of the first episode
            "ways": ways(task.n, score),
        }
    )


def ways(n: int, search: Episodes) -> list[dict]:
    """Of each cell that has several shortest ways: how many there are, and how many the seeds use in episode 2.

    Only seeds that found the cell in the first episode and then went a shortest way are counted (pairs).
    """
    found = []
    for cell, distance in enumerate(distances(n).tolist()):
        exist = comb(distance, cell // n)
        if exist < 2:
            continue
        there = search.found[0, :, cell] & (search.again[0, :, cell] == distance)
        used = Counter(map(tuple, search.second[0, there, cell, :distance].tolist()))
        found.append({"cell": cell, "exist": exist, "pairs": int(there.sum()), "used": len(used)})
    return found
