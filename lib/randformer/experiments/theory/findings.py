"""Parts 1 to 4 and 10 of 01_when_randomness_helps.ipynb: solved games, the q-norm in them, and trained networks.

A game is a matrix of losses (strategies, inputs). Parts 5 to 8 are in statements.py, part 9 is in searches.py.
"""

import numpy as np
import pandas as pd
import torch

from randformer.core import adversary
from randformer.core.runs import NetworkRun
from randformer.exact import games, propositions
from randformer.experiments.theory.searches import Search
from randformer.harness import workers
from randformer.problems.recall import game

Solved = dict[str, tuple[np.ndarray, games.Solution]]  # {name of the game: (losses, solution)}

RECALL = [(pairs, slots, 4) for pairs in range(2, 8) for slots in range(1, pairs)] + [
    (5, 2, 32)
]  # pairs, slots, values
ROCK_PAPER_SCISSORS = np.array([[0.5, 1, 0], [0, 0.5, 1], [1, 0, 0.5]])
LOCK = 1 - np.eye(6)
SHOWN = ("of 5 pairs", "rock", "lock", "random 0")  # in the names of the games that the notebook shows

GOOD_MEMORY = "... and a good memory"
STEADY = 4  # of its strategies, the last: those who keep the same four pairs, with any guess
QS = (1, 1.25, 1.5, 2, 4, 8, 16, 32, 64, 100, 500)  # of the norm that mixtures minimise
NORMS = (1, 2, 4, 6, 8, 10, 12, 16, 24, 32, 64, 100, 200, 500)  # that networks are measured with

# Solved games


def tiny_game() -> pd.DataFrame:
    """Two pairs and one slot: losses, a row per strategy, a column per input, named."""
    rows = [f"keep {kept}, else say {guess}" for kept in (0, 1) for guess in (0, 1)]
    columns = [f"key {key}, value {value}" for key in (0, 1) for value in (0, 1)]
    return pd.DataFrame(game.losses(2, 1, 2), rows, columns)


def recall_games() -> Solved:
    """Recall with slots, solved, for all of RECALL."""
    matrices = {
        f"recall, {slots} of {pairs} pairs, {values} values": game.losses(pairs, slots, values)
        for pairs, slots, values in RECALL
    }
    return {name: (losses, games.solve(losses)) for name, losses in matrices.items()}


def against_closed_form(recall: Solved) -> tuple[float, float]:
    """Largest error of recall_games' values, pure or mixed, and of a share of the adversary found, relative to even."""
    errors, spreads = [], []
    for sizes, (losses, solution) in zip(RECALL, recall.values(), strict=True):
        pairs, slots, values = sizes
        errors.append(abs(solution.value - game.mixed(pairs, slots, values)))
        errors.append(abs(games.pure(losses)[0] - game.pure(pairs, slots, values)))
        spreads.append(np.ptp(solution.inputs) * losses.shape[1])
    return max(errors), max(spreads)


def other_games(generator: np.random.Generator, count: int = 300) -> Solved:
    """Two games that everybody knows, and so many random ones that meet Proposition 1's condition; solved."""
    matrices = {"rock, paper, scissors": ROCK_PAPER_SCISSORS, "a lock of 6 digits, one try": LOCK}
    drawn = propositions.random_games(count, 5, 6, 4, generator)
    matrices |= {f"random {i}": losses.astype(float) for i, losses in enumerate(drawn)}
    return {name: (losses, games.solve(losses)) for name, losses in matrices.items()}


def solved_games(solved: Solved) -> pd.DataFrame:
    """A row per game: game, strategies, inputs, pure, value, proved to 1e-9 (of the largest loss)."""
    rows = [
        {
            "game": name,
            "strategies": len(losses),
            "inputs": losses.shape[1],
            "pure": games.pure(losses)[0],
            "value": solution.value,
            "proved to 1e-9": solution.high - solution.low <= 1e-9 * losses.max(),
        }
        for name, (losses, solution) in solved.items()
    ]
    return pd.DataFrame(rows)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of solved_games that a reader wants to see: recall of 5 pairs, and one of each other kind."""
    return table[[any(part in name for part in SHOWN) for name in table["game"]]]


# From the average to the worst case


def games_of_q() -> dict[str, np.ndarray]:
    """The games in which the q-norm is minimised."""
    recall = game.losses(5, 2, 4)
    return {
        "rock, paper, scissors": ROCK_PAPER_SCISSORS,
        "recall, 2 of 5 pairs": recall,
        GOOD_MEMORY: np.vstack([recall, game.losses(5, 4, 4)[:STEADY]]),
        "random, 8 x 8": np.random.default_rng(0).random((8, 8)),
    }


def mixing(matrices: dict[str, np.ndarray]) -> pd.DataFrame:
    """The mixture with the least q-norm, for each game and each of QS.

    game, q, excess (its worst case over the game's value), saved (of the q-norm of the best single strategy [%]),
    error (of the minimum, relative, at most), steady (weight of the last STEADY strategies).
    """
    rows = []
    for name, losses in matrices.items():
        value = games.solve(losses).value
        for q in QS:
            best = games.relaxed(losses, q)
            gain = 1 - best.value / min(games.q_norm(row, q) for row in losses)
            told = {"excess": (best.mixture @ losses).max() / value, "saved": 100 * gain}
            told |= {"error": (best.value - best.low) / best.value, "steady": float(best.mixture[-STEADY:].sum())}
            rows.append({"game": name, "q": q} | told)
    return pd.DataFrame(rows)


def worst_cases(path: pd.DataFrame) -> pd.DataFrame:
    """Of mixing the excess: a row per game, a column per q."""
    return path.pivot(index="game", columns="q", values="excess").loc[list(dict.fromkeys(path["game"]))]


def steady_weight(path: pd.DataFrame) -> dict[float, float]:
    """{q: weight of those who keep the same four pairs}, in GOOD_MEMORY."""
    weights = path.loc[path["game"] == GOOD_MEMORY, "steady"]
    return {q: round(weight, 2) for q, weight in zip(QS, weights, strict=True)}


def mixing_begins(matrices: dict[str, np.ndarray]) -> dict[str, float]:
    """{game: the q up to which a single strategy is best}."""
    return {name: round(games.mixing_begins(losses), 3) for name, losses in matrices.items()}


def mixing_numbers(path: pd.DataFrame, learned: pd.DataFrame) -> pd.DataFrame:
    """What figure_mixing draws: game, q, excess, saved; behind them the variance of networks: game, q, run, value."""
    variance = learned[learned["measure"] == "variance"].assign(game="trained networks: variance over seeds")
    return pd.concat([path[["game", "q", "excess", "saved"]], variance[["game", "q", "run", "value"]]])


# Trained networks as strategies


def norms_of_networks(profile: str, runs: list[NetworkRun]) -> pd.DataFrame:
    """The q-norms over inputs of each network's mean loss over seeds: trained with q (text), run, q, norm."""
    rows = []
    for run in runs:
        generator = torch.Generator().manual_seed(adversary.SEED_STREAM - 1)
        seeds = run.task.draw_seeds(adversary.OBSERVED, 1, generator)
        parameters = workers.load(profile, run)[0]["parameters"]
        seen = adversary.observe(adversary.judge(run)[0], parameters, seeds, answered=False)
        common = {"trained with q": f"{run.objective.q:g}", "run": run.run_index}
        rows += [common | {"q": q, "norm": games.q_norm(seen["loss"], q)} for q in NORMS]
    return pd.DataFrame(rows)


def mean_norms(norms: pd.DataFrame, learned: pd.DataFrame) -> pd.DataFrame:
    """norms_of_networks, means over n runs, a row per q of training and a column per q measured with.

    Before them n, and of learned, which is tidy, variance and average success [%].
    """
    groups = norms.groupby(["trained with q", "q"], sort=False)["norm"]
    wide = groups.mean().unstack()
    wide.insert(0, "n", groups.size().unstack().max(axis=1))
    kind = learned[learned["answer"] == "A_R"].assign(q=lambda table: [f"{q:g}" for q in table["q"]])
    for column, measure in enumerate(("variance", "average"), 1):
        wide.insert(column, measure, kind[kind["measure"] == measure].groupby("q")["value"].mean())
    return wide


def best_at(wide: pd.DataFrame) -> dict[int, str]:
    """{q measured with: the q that the best networks were trained with}, of mean_norms."""
    return wide[list(NORMS)].idxmin().to_dict()


# What the claims are judged by


def equation_1(solved: Solved, searches: list[Search]) -> list[bool]:
    """For each game and distribution of inputs, the adversary's and even: the best strategy no worse than the mixture.

    Of searches, for the adversary's distribution only.
    """
    slack, held = 1 + games.TOLERANCE, []
    for losses, solution in solved.values():
        for inputs in (solution.inputs, np.full(losses.shape[1], 1 / losses.shape[1])):
            held.append(bool((losses @ inputs).min() <= solution.mixture @ losses @ inputs * slack))
    return held + [search.solution.low <= search.average * slack for search in searches]


def mixing_helps(solved: Solved, searches: list[Search]) -> list[bool]:
    """For each game that meets Proposition 1's condition: the value is strictly below the pure value."""
    met = [(games.pure(losses)[0], found) for losses, found in solved.values() if propositions.condition(losses)]
    met += [(search.pure, search.solution) for search in searches if search.meets_condition]
    return [solution.high * (1 + games.TOLERANCE) < pure for pure, solution in met]


def fixed_seeds(profile: str, runs: dict[str, list[NetworkRun]]) -> pd.DataFrame:
    """Loss [%] of a fixed seed below that of random ones: problem, inputs, saved; adversary.fixed_and_random's rows."""
    rows = []
    for name in (part for part in runs if part != "q"):
        workers.load_or_train(profile, runs[name])
        for run in runs[name]:
            found = adversary.fixed_and_random(run, workers.load(profile, run)[0]["parameters"])
            for inputs, (best, mean) in found.items():
                rows.append({"problem": name, "inputs": inputs, "saved": 100 * (mean - best) / mean})
    return pd.DataFrame(rows)


def by_problem(table: pd.DataFrame) -> pd.DataFrame:
    """fixed_seeds in short: a row per problem and inputs, with networks (how many), least, median and most."""
    saved = table.groupby(["problem", "inputs"], sort=False)["saved"]
    return saved.agg(networks="size", least="min", median="median", most="max").round(
        {"least": 2, "median": 2, "most": 1}
    )
