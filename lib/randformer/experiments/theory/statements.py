"""Parts 5 to 8 of 01_when_randomness_helps.ipynb: the paper's statements on random games, by formula and by solver."""

from itertools import product

import numpy as np
import pandas as pd

from randformer.core.votes import votes_promised
from randformer.exact import games, propositions
from randformer.problems.coloring import game
from randformer.problems.coloring.task import all_cycles

FAILURE = 0.01  # of a vote, at most
ELECTIONS = 4000  # simulated, for each number of votes
UNCONDITIONED = {  # games that do not meet Proposition 1's condition
    "one best strategy, mixing helps": [[0.6, 0.5], [0.0, 1.0]],
    "two best with a common worst input, mixing helps all the same": [[1.0, 0.0], [1.0, 0.5], [0.0, 2.0]],
    "a saddle point, it cannot": [[0.5, 0.4], [0.9, 0.1]],
}
STRATEGIES = {  # shares of the seeds that lose, of each input (inputs,)
    "half of the inputs": np.array([0.0, 1.0]),
    "half of the seeds": np.array([0.5]),
    "70 % of the seeds": np.array([0.7]),
}
RARE = np.array([0.2] * 99 + [0.8])  # as STRATEGIES: one input in a hundred fails on most seeds
QS = (2, 10, 100)
KINDS = (  # of views: how they are told, distance, what a vertex knows, vertices of the cycles
    ("1", 1, game.unoriented, range(4, 8)),
    ("2", 2, game.unoriented, range(6, 13)),
    ("2, sums only", 2, game.summed, range(6, 9)),
)


def random_games(generator: np.random.Generator) -> pd.DataFrame:
    """What the even mixture gains in random games that meet Proposition 1's condition: a row per size, with counts."""
    rows = []
    for strategies, inputs, levels in ((2, 2, 3), (3, 3, 3), (4, 6, 4), (8, 8, 4), (6, 20, 3)):
        drawn = propositions.random_games(4000, strategies, inputs, levels, generator)
        gain = propositions.uniform_gain(drawn)
        size = {"strategies": strategies, "inputs": inputs, "levels of loss": levels, "games": len(drawn)}
        found = {"strictly better": int((gain > 0).sum()), "least gain": gain.min(), "mean gain": gain.mean()}
        rows.append(size | found)
    return pd.DataFrame(rows)


def without_condition() -> pd.DataFrame:
    """UNCONDITIONED solved: game, losses (a list per strategy), condition met, pure, value."""
    rows = []
    for name, losses in UNCONDITIONED.items():
        met = bool(propositions.condition(np.array(losses)))
        values = {"pure": games.pure(losses)[0], "value": games.solve(losses).value}
        rows.append({"game": name, "losses": losses, "condition met": met} | values)
    return pd.DataFrame(rows)


def votes() -> pd.DataFrame:
    """Votes for a failure of at most 1 %: gap (D of Proposition 2), wrong answers, promised, needed (simulated)."""
    rows = []
    for gap, wrong in product((0.05, 0.1, 0.2, 0.4), (1, 3, 31)):
        needed = propositions.votes_needed(gap, wrong, FAILURE, ELECTIONS, np.random.default_rng(0))
        promised = votes_promised(gap, wrong, FAILURE)
        rows.append({"gap": gap, "wrong answers": wrong, "promised": promised, "needed": needed})
    return pd.DataFrame(rows)


def too_many(table: pd.DataFrame) -> pd.DataFrame:
    """votes with another column, by how much the promise is too careful."""
    return table.assign(**{"times too many": (table["promised"] / table["needed"]).round(1)})


def promises_kept(table: pd.DataFrame, generator: np.random.Generator) -> list[bool]:
    """For each row of votes: with as many as promised, at most 1 % of simulated elections fail."""
    return [
        propositions.elections(row["gap"], row["wrong answers"], row["promised"], ELECTIONS, generator) >= 1 - FAILURE
        for row in table.to_dict("records")
    ]


def bias_in_m() -> pd.DataFrame:
    """The q-norm that equation 5 sees of STRATEGIES with m seeds: q, m, strategy, estimate."""
    ms = (1, 2, 5, 10, 20, 30, 50, 100, 300)
    rows = [
        {"q": q, "m": m, "strategy": name, "estimate": propositions.estimated(losing, m, q)}
        for q, m, (name, losing) in product(QS, ms, STRATEGIES.items())
    ]
    return pd.DataFrame(rows)


def bias_in_n() -> pd.DataFrame:
    """The q-norm that batches of n inputs see of RARE with 30 seeds: q, n, estimate, limit (of any n), L_q (true)."""
    rows = []
    for q, n in product(QS, (4, 16, 64, 256, 512, 2048)):
        estimate = propositions.in_batches(RARE, n, 30, q, 400, np.random.default_rng(0)).mean()
        limits = {"limit": propositions.estimated(RARE, 30, q), "L_q": games.q_norm(RARE, q)}
        rows.append({"q": q, "n": n, "estimate": estimate} | limits)
    return pd.DataFrame(rows)


def both_biases(in_m: pd.DataFrame, in_n: pd.DataFrame) -> pd.DataFrame:
    """bias_in_m, and behind it bias_in_n, with the columns of both."""
    return pd.concat([in_m, in_n])


def by_m(table: pd.DataFrame) -> pd.DataFrame:
    """bias_in_m with a row per q and strategy, a column per m."""
    return table.pivot(index=["q", "strategy"], columns="m", values="estimate")


def by_n(table: pd.DataFrame) -> pd.DataFrame:
    """bias_in_n with a row per q, a column per n, and limit and L_q."""
    wide = table.pivot(index="q", columns="n", values="estimate")
    return wide.join(table.groupby("q")[["limit", "L_q"]].first())


def local_rules() -> pd.DataFrame:
    """Is there a rule that colours every cycle of n vertices? A row per kind of view and n, with the graph's size.

    A rule for n vertices is one for fewer too, whose views and conflicts are among its own: none is looked for anew.
    """
    rows = []
    for sees, distance, seen, sizes in KINDS:
        colors, of_kind = None, []
        for n in reversed(sizes):
            every, conflicts = game.views(n, distance, seen)
            size = {"sees ids to distance": sees, "n": n, "views": len(every), "conflicts": len(conflicts)}
            colors = colors or game.rule(n, distance, seen)
            broken = "" if colors is None else game.violated(n, distance, colors, seen)
            found = {"a rule for all cycles": "none" if colors is None else "yes", "conflicts it breaks": broken}
            of_kind.append(size | found)
        rows += reversed(of_kind)
    return pd.DataFrame(rows)


def most_cycles(n: int, wrong: int) -> tuple[int, int] | None:
    """Cycles of n vertices that a rule of distance 1 colours, of how many; None: any rule fails on more than wrong."""
    colors = game.rule_for_most(n, wrong)
    return None if colors is None else (game.colored(n, colors), len(all_cycles(n)))
