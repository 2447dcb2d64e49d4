"""Part 9 of 01_when_randomness_helps.ipynb: searching a grid, solved. Cells are numbered row by row from the start."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd

from randformer.exact import games, propositions
from randformer.problems.gridworld import game

EPISODE = 25  # steps, the paper's
Shown = dict[str, tuple[list, np.ndarray, np.ndarray]]  # {title: (walks, mixture (walks,), mean first visits (cells,))}


@dataclass(frozen=True)
class Search:
    """A solved game of one or two episodes, without a last step."""

    size: int  # cells a side
    episodes: int
    solution: games.Solution
    walks: list[tuple[int, ...]]  # of the best mixture
    pure: float  # worst case of the best single walk, in steps
    single: tuple[int, ...]  # that walk

    @cached_property
    def visits(self) -> np.ndarray:
        """Step at which each walk of the mixture first enters each cell, (walks, cells)."""
        return np.array([game.first_visits(self.size, walk) for walk in self.walks])

    @cached_property
    def costs(self) -> np.ndarray:
        """Mean steps of all episodes for a treasure in each cell but the start, (cells - 1,)."""
        return (self.solution.mixture @ self.visits + game.cost_of_return(self.size, self.episodes))[1:]

    @property
    def average(self) -> float:
        """Mean steps of the mixture against the adversary's distribution of treasures."""
        return float(self.costs @ self.solution.inputs)

    @cached_property
    def meets_condition(self) -> bool:
        """Proposition 1's, of the best single walk and its mirror image."""
        both = (self.single, game.reflected(self.size, self.single))
        visits = np.array([game.first_visits(self.size, walk) for walk in both])
        return bool(propositions.condition((visits + game.cost_of_return(self.size, self.episodes))[:, 1:]))

    def worst_within(self, episode: int) -> float:
        """Worst case of the mixture [steps] where each episode ends after so many."""
        cut = [game.truncated(self.size, walk, self.episodes, episode) for walk in self.walks]
        return float((self.solution.mixture @ np.array(cut))[1:].max())

    def row(self) -> dict:
        """What the table tells; steps and, of the cell where it is largest, the share [%] of late first visits."""
        late = (self.solution.mixture @ (self.visits > EPISODE)).max()
        return {
            "grid": f"{self.size} x {self.size}",
            "episodes": self.episodes,
            "pure": self.pure,
            "value": self.solution.value,
            "proved to 1e-9": self.solution.high - self.solution.low <= 1e-9 * self.size**2,
            "walks": len(self.walks),
            "average of the mixture": self.costs.mean(),
            "found late [%]": 100 * late,
            f"worst, {EPISODE} steps each": self.worst_within(EPISODE),
            "Proposition 1": self.meets_condition,
        }


def solved(sizes: tuple[int, ...]) -> list[Search]:
    """Both games, of one episode and of two, on grids of each size."""
    found = []
    for size, episodes in product(sizes, (1, 2)):
        solution, walks = game.proved(size, episodes)
        found.append(Search(size, episodes, solution, walks, *game.pure(size, episodes)))
    return found


def table(searches: list[Search]) -> pd.DataFrame:
    """A row per game, with the columns of Search.row."""
    return pd.DataFrame([search.row() for search in searches])


def counting_bounds(size: int) -> tuple[float, float]:
    """Least mean steps of any walk to a uniform treasure, in one episode and in two.

    New cells are entered at steps 1, 2, ... at the earliest; a second episode takes the shortest way.
    """
    first = size**2 / 2
    return first, first + float(game.distances(size)[1:].mean())


def on_grid(searches: list[Search], size: int) -> Shown:
    """The mixtures of both games on the grid of that size, for figure_gridworld."""
    return {
        ("one episode", "two episodes")[search.episodes - 1]: (
            search.walks,
            search.solution.mixture,
            search.solution.mixture @ search.visits,
        )
        for search in searches
        if search.size == size
    }


def numbers(shown: Shown) -> pd.DataFrame:
    """What figure_gridworld draws: game, probability and walk; behind these game, cell and first visit (mean step)."""
    drawn = [
        {"game": title, "probability": chance, "walk": " ".join(map(str, walk))}
        for title, (walks, mixture, _) in shown.items()
        for walk, chance in zip(walks, mixture, strict=True)
    ]
    visits = [
        {"game": title, "cell": cell, "first visit": step}
        for title, (_, _, times) in shown.items()
        for cell, step in enumerate(times)
    ]
    return pd.DataFrame(drawn + visits)
