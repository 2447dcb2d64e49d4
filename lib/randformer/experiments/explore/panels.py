"""What one plays with in 08_explore.ipynb: a model with a fixed seed beside one with random seeds, one panel a problem.

A panel holds what is asked and under which seeds, draws it as a figure, and has a view of sliders and buttons, each of
which changes something and draws anew. All that is random comes from the panel's generator: a notebook shows the same
at every execution.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from randformer.core.adversary import judge
from randformer.core.votes import majority
from randformer.experiments.coloring.figures import ring
from randformer.experiments.theory.figures import draw_walk
from randformer.harness.checks import BadInput
from randformer.report.plots import LABELS, PALETTE

if TYPE_CHECKING:
    from randformer.model import Model

SEEDS = 30  # that vote, as in the paper
KINDS = ("A_r0", "A_R")
NAMES = {"A_r0": "fixed seed", "A_R": "random seeds"}  # in what is told; figures have symbols


class Panel:
    """Two models of a problem, what they are asked (x of each), and seeds (m, 1, ...): the last one is shown."""

    def __init__(self, fixed: Model, random: Model):
        if fixed.fixed_seed is None or random.fixed_seed is not None:
            raise BadInput(
                "fixed, random: give a model with a fixed seed (load(..., fixed_seed=True)), then one without"
            )
        self.models = dict(zip(KINDS, (fixed, random), strict=True))
        self.task = random.run.task
        self.generator = torch.Generator().manual_seed(0)
        self.said = ""  # by the adversary
        self.image = ipywidgets.Image(format="png")
        self.message = ipywidgets.HTML()
        self.draw_seeds(1)

    def draw_seeds(self, count: int = SEEDS) -> None:
        """New random seeds; as many times the fixed one."""
        drawn = self.task.draw_seeds(count, 1, self.generator)
        fixed = self.models["A_r0"].fixed_seed
        self.seeds = {"A_r0": fixed.expand(count, *fixed.shape[1:]), "A_R": drawn}

    def use(self, seed: Tensor) -> None:
        """One random seed, (...), as a person sets it."""
        self.draw_seeds(1)
        self.seeds["A_R"] = seed.view(1, 1, -1)

    def view(self, *inputs: ipywidgets.Widget, **buttons: Callable[[], None]) -> ipywidgets.VBox:
        """All of the panel: buttons that do something and draw, inputs, what the adversary says, and the figure."""
        row = []
        for name, action in buttons.items():
            row.append(ipywidgets.Button(description=name.replace("_", " ")))
            row[-1].on_click(lambda _, action=action: self.after(action))
        self.after(lambda: None)
        return ipywidgets.VBox([ipywidgets.HBox(row), *inputs, self.message, self.image])

    def after(self, action: Callable[[], None]) -> None:
        """Do that, and draw. What a person typed wrongly is told in its line."""
        self.said = ""
        try:
            action()
        except BadInput as error:
            self.said = str(error)
        figure, buffer = self.draw(), io.BytesIO()
        figure.savefig(buffer, format="png")
        plt.close(figure)
        self.image.value, self.message.value = buffer.getvalue(), self.said.replace("\n", "<br>")

    def draw(self) -> Figure:
        """What both models do now."""
        raise NotImplementedError


class Recall(Panel):
    """Twenty values: which of them each model has, under the seed that is shown and how often under all drawn."""

    def __init__(self, fixed: Model, random: Model):
        super().__init__(fixed, random)
        self.shuffle()

    def shuffle(self) -> None:
        self.values = self.task.draw_inputs(self.task.n, self.generator)[0, : self.task.n]

    def attack(self) -> None:
        """Say the key that each model recalls under the fewest of all seeds there are."""
        count = 2**self.task.seed_bits
        listed = (torch.arange(count).view(-1, 1, 1) >> torch.arange(self.task.seed_bits) & 1).float()
        self.seeds = {"A_r0": self.seeds["A_r0"][:1], "A_R": listed}
        told = []
        for kind in KINDS:
            share = self.right(kind).mean(0)
            told.append(f"{NAMES[kind]}: key {share.argmin()}, right under {100 * share.min():.0f} % of its seeds")
        self.said = "\n".join(told)

    def answers(self, kind: str) -> np.ndarray:
        """Values recalled, (m, n)."""
        model, parts = self.models[kind], []
        with torch.no_grad():
            for part in self.seeds[kind].split(64):
                logits = self.task.logits(model.run.network, model.parameters, self.values.view(1, 1, -1), part[None])
                parts.append(self.task.join(logits[0, :, 0] > 0))
        return torch.cat(parts).numpy()

    def right(self, kind: str) -> np.ndarray:
        """Whether they are right, (m, n)."""
        return self.answers(kind) == self.values.numpy()

    def draw(self) -> Figure:
        figure, axes = plt.subplots(2, 2, figsize=(11, 4), sharex=True, layout="constrained", height_ratios=(2, 1))
        for (top, bottom), kind in zip(axes.T, KINDS, strict=True):
            answers, right = self.answers(kind), self.right(kind)
            bits = self.task.split(torch.from_numpy(answers[-1].astype(np.int64))) == self.task.split(self.values)
            top.imshow(bits.T.numpy(), cmap="Greys", vmin=0, vmax=2, aspect="auto", origin="lower")
            for key, value in enumerate(answers[-1]):
                top.text(key, self.task.bits, f"{'✓' if right[-1, key] else '✗'}\n{value}", ha="center", fontsize=8)
            top.set(
                title=f"{LABELS[kind]}: {right[-1].sum()} of {self.task.n} pairs", ylim=(-0.5, self.task.bits + 0.9)
            )
            top.set_yticks(range(self.task.bits), [f"bit {i + 1}" for i in range(self.task.bits)])
            top.grid(False)
            bottom.bar(range(self.task.n), 100 * right.mean(0), color=PALETTE[kind])
            voted = majority(answers) == self.values.numpy()
            bottom.plot(np.flatnonzero(voted), np.full(voted.sum(), 107), "k|", ms=6)
            bottom.set(ylim=(0, 115), xlabel="key", ylabel=f"right [% of {len(answers)}]", xticks=range(self.task.n))
        return figure

    def whole(self) -> ipywidgets.VBox:
        """The panel with its sliders and buttons."""
        typed = ipywidgets.Text(" ".join(map(str, self.values.tolist())), description="values", continuous_update=False)
        bits = [ipywidgets.ToggleButton(bool(bit), description=str(i)) for i, bit in enumerate(self.seeds["A_R"][0, 0])]
        for bit in bits:
            bit.layout.width = "3em"
            bit.observe(lambda _: self.after(lambda: self.use(torch.tensor([float(b.value) for b in bits]))), "value")

        def retype(_) -> None:
            self.after(lambda: setattr(self, "values", self.typed(typed.value)))

        typed.observe(retype, "value")
        row = ipywidgets.HBox([ipywidgets.Label("seed"), *bits])
        buttons = {"Shuffle": self.shuffle, "New_seed": lambda: self.draw_seeds(1), "30_seeds": self.draw_seeds}
        return self.view(typed, row, **buttons, Attack=self.attack)

    def typed(self, text: str) -> Tensor:
        """Values (n,) of a text with numbers. Raises BadInput."""
        numbers = [int(word) if word.isdecimal() else word for word in text.replace(",", " ").split()]
        return self.task.typed((numbers, 0))[0, : self.task.n]


class Coloring(Panel):
    """A cycle for each model, coloured under the seed that is shown; how many of the seeds drawn colour it."""

    def __init__(self, fixed: Model, random: Model):
        super().__init__(fixed, random)
        self.shuffle()

    def shuffle(self) -> None:
        self.cycles = dict.fromkeys(KINDS, self.task.draw_inputs(1, self.generator))

    def attack(self) -> None:
        """The worst of all cycles for each model: by 30 seeds, and said is how many of 30 others colour it."""
        told = []
        for kind in KINDS:
            self.draw_seeds()
            evaluation_set, _ = judge(self.models[kind].run)
            said = evaluation_set.probabilities(self.models[kind].parameters, self.seeds[kind])
            index = int(evaluation_set.right(evaluation_set.answers(said)).mean(0).argmin())
            views = evaluation_set.view_of[index].long()
            self.cycles = self.cycles | {kind: evaluation_set.views[views, evaluation_set.views.shape[1] // 2][None]}
        self.draw_seeds()
        for kind in KINDS:
            told.append(f"{NAMES[kind]}: its worst cycle, coloured under {self.valid(kind).sum()} of {SEEDS} new seeds")
        self.said = "\n".join(told)

    def colors(self, kind: str) -> np.ndarray:
        """Colours along the walk, (m, n)."""
        model = self.models[kind]
        answers = self.task.answers_of(model.run.network, model.parameters, self.cycles[kind], self.seeds[kind])
        return np.array(answers)

    def valid(self, kind: str) -> np.ndarray:
        """Whether they are a valid colouring, (m,)."""
        colors = self.colors(kind)
        return (colors != np.roll(colors, 1, 1)).all(1)

    def draw(self) -> Figure:
        figure, axes = plt.subplots(1, 2, figsize=(8, 4.2), layout="constrained")
        for axis, kind in zip(axes, KINDS, strict=True):
            ring(axis, self.cycles[kind][0].tolist(), self.colors(kind)[-1].tolist())
            valid = self.valid(kind)
            axis.set_title(f"{LABELS[kind]}\n{valid.sum()} of {len(valid)} seeds colour it")
        return figure

    def whole(self) -> ipywidgets.VBox:
        """The panel with its sliders and buttons."""
        bounds = {"min": 0, "max": 1, "step": 0.01, "continuous_update": False}
        start = self.seeds["A_R"][0, 0].tolist()
        sliders = [ipywidgets.FloatSlider(value, description=f"seed of {i}", **bounds) for i, value in enumerate(start)]
        for slider in sliders:
            slider.observe(lambda _: self.after(lambda: self.use(torch.tensor([s.value for s in sliders]))), "value")
        columns = [ipywidgets.VBox(sliders[::2]), ipywidgets.VBox(sliders[1::2])]
        buttons = {"Shuffle": self.shuffle, "New_seed": lambda: self.draw_seeds(1), "30_seeds": self.draw_seeds}
        return self.view(ipywidgets.HBox(columns), **buttons, Attack=self.attack)


class Gridworld(Panel):
    """A treasure: both episodes under the seed that is shown, and the mean step of first visits over all drawn."""

    treasure = 1

    def attack(self) -> None:
        """The treasure where the fixed seed finds it last."""
        self.draw_seeds()
        worst = {kind: self.visits(kind)[1:].argmax() + 1 for kind in KINDS}
        told = [
            f"{NAMES[kind]}: found last is cell {cell}, after {self.visits(kind)[cell]:.1f} steps"
            for kind, cell in worst.items()
        ]
        self.treasure, self.said = int(worst["A_r0"]), "\n".join(told)

    def played(self, kind: str):
        model = self.models[kind]
        return self.task.play(model.run.network, model.parameters, self.seeds[kind][None])

    def visits(self, kind: str) -> np.ndarray:
        """Mean step of the first visit, (cells,); of all steps where there is none."""
        return self.played(kind).visits[0].float().mean(0).numpy()

    def draw(self) -> Figure:
        n, last = self.task.n, self.task.episode
        figure, axes = plt.subplots(1, 4, figsize=(13, 3.8), layout="constrained")
        for (walks, heat), kind in zip((axes[:2], axes[2:]), KINDS, strict=True):
            first, second = self.played(kind).walks(0, -1, self.treasure)
            draw_walk(walks, n, first, last)
            walks.plot(np.array(second) % n, np.array(second) // n, "k:", lw=2)
            walks.plot(self.treasure % n, self.treasure // n, "*", color=PALETTE["A_r0-sampled"], ms=18, mec="black")
            walks.set_title(f"{LABELS[kind]}\n{len(first) - 1} steps, then {len(second) - 1} (dotted)")
            visits = self.visits(kind).reshape(n, n)
            heat.imshow(visits, cmap="Blues", vmin=0, vmax=last, origin="lower")
            for (row, column), step in np.ndenumerate(visits):
                heat.text(column, row, f"{step:.0f}", ha="center", color="white" if step > 0.6 * last else "black")
            heat.set(title=f"mean step of the first visit,\n{len(self.seeds[kind])} seeds", xticks=[], yticks=[])
            heat.grid(False)
        return figure

    def whole(self) -> ipywidgets.VBox:
        """The panel with its sliders and buttons."""
        cell = ipywidgets.IntSlider(self.treasure, 1, self.task.cells - 1, description="treasure")
        cell.observe(lambda change: self.after(lambda: setattr(self, "treasure", change["new"])), "value")
        buttons = {"New_seed": lambda: self.draw_seeds(1), "30_seeds": self.draw_seeds, "Attack": self.attack}
        return self.view(cell, **buttons)
