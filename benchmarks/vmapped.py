"""torch.func: the modules of plain.py, mapped over models and seeds instead of looped over and repeated."""

import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from .plain import LOSSES, PlainGeneration, Transformer, causal, flat, module, objective, play
from .workloads import Workload, draw

CHUNK = 4  # candidates at once: the attention of all at once would not fit in a cache


def skeleton(run) -> Transformer:
    """The module without its parameters, which functional_call brings."""
    return Transformer(run.network, run.task.token_size, run.task.outputs, fused=False).to("meta")


class VmappedStep:
    """All models in one call, AdamW over their stacked parameters, clipped model by model."""

    def __init__(self, workload: Workload, device: torch.device):
        self.run, self.state = workload.run, workload.begin(device)
        run, base, training = self.run, skeleton(self.run), self.run.training
        self.parameters, _ = stack_module_state([module(run, row) for row in self.state.parameters])
        losses = LOSSES[run.problem]

        def wanted(parameters: dict, inputs: Tensor, seeds: Tensor):
            def of_seed(seed: Tensor) -> Tensor:
                call = lambda *tokens, **last: functional_call(base, parameters, tokens, last)  # noqa: E731
                return losses(call, run.task, inputs, seed.unsqueeze(0))[0]

            return objective(vmap(of_seed)(seeds), run.objective.q)

        self.gradients = vmap(grad_and_value(wanted, has_aux=True))
        options = {"betas": (training.beta1, training.beta2), "eps": training.eps}
        options["weight_decay"] = training.weight_decay
        self.optimizer, self.steps = torch.optim.AdamW(self.parameters.values(), **options), 0

    def step(self) -> None:
        self.update(*draw(self.run, self.state))

    def update(self, inputs: Tensor, seeds: Tensor) -> None:
        training = self.run.training
        gradients, (_, self.loss) = self.gradients(self.parameters, inputs, seeds)
        norms = torch.cat([g.flatten(1) for g in gradients.values()], 1).norm(dim=1)
        scale = training.clip / norms.clamp_min(training.clip)
        for name, parameter in self.parameters.items():
            parameter.grad = gradients[name] * scale.view(-1, *[1] * (parameter.ndim - 1))
        self.optimizer.param_groups[0]["lr"] = training.learning_rate_at(self.steps)
        self.optimizer.step()
        self.steps += 1

    def numbers(self) -> dict:
        parameters = list(self.parameters.values())
        rows = range(len(self.loss))
        found = {
            "loss": self.loss.detach(),
            "gradient": torch.stack([flat(p.grad[k] for p in parameters) for k in rows]),
            "parameters": torch.stack([flat(p[k] for p in parameters) for k in rows]),
        }
        return {name: value.cpu().numpy() for name, value in found.items()}


class VmappedGeneration(PlainGeneration):
    """All candidates play at once."""

    def rollout(self, candidates: Tensor, seeds: Tensor) -> Tensor:
        run, base, models = self.run, skeleton(self.run), len(candidates)
        parameters, _ = stack_module_state([module(run, row) for row in candidates])
        masks = causal(run.task.places, candidates.device)
        repeated = seeds.repeat_interleave(run.task.cells - 1, 0).repeat(models, 1)

        def network(tokens: Tensor) -> Tensor:
            mask = masks[:, : tokens.shape[1], : tokens.shape[1]]
            call = vmap(lambda p, t: functional_call(base, p, (t, mask, True)), chunk_size=CHUNK)
            return call(parameters, tokens.unflatten(0, (models, -1))).flatten(0, 1)

        return play(run.task, network, repeated, len(seeds))
