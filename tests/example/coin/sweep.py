"""The runs: five with a fixed seed, five with random ones, in every profile."""

from coin.task import Coin
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun


def runs(profile):
    task, network, training = Coin.standard()
    models = Objective(20, 1, fixed_seed=True), Objective(20, 16)
    return {"models": [NetworkRun(task, network, model, training, i) for model in models for i in range(5)]}
