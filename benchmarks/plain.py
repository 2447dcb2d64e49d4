"""The plain PyTorch that a good user would write: modules, inputs repeated for every seed, a loop over models.

No trick of the library is used, and nothing is done badly on purpose: sequences are batched over inputs and seeds, the
head reads the tokens that the loss reads, softmax attention is PyTorch's own. In the grid world a candidate is a module
that plays all seeds and treasures as one batch and puts the whole sequence through the network at every step; a second
variant keeps keys and values.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from randformer.core.evolution import ranks
from randformer.core.runs import NetworkRun
from randformer.problems.gridworld.task import FOUND, MOVES, STEP

from .workloads import Workload, draw


class Block(nn.Module):
    """Attention and, where wanted, an MLP, each behind a residual connection."""

    def __init__(self, network, fused: bool):
        super().__init__()
        width, inner = network.width, network.heads * network.key_size
        self.heads, self.softmax, self.fused = network.heads, network.attention == "softmax", fused
        self.norm_attention = nn.LayerNorm(width) if network.layer_norm else nn.Identity()
        self.query, self.key, self.value = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.out = nn.Linear(inner, width, bias=False)
        if network.mlp:
            self.norm_mlp = nn.LayerNorm(width) if network.layer_norm else nn.Identity()
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, mask: Tensor, past: list | None = None) -> Tensor:
        """x (N, T, D), mask (N or 1, T, T') booleans. past: earlier keys and values, brought up to date in place."""
        y = self.norm_attention(x)
        parts = (part(y).unflatten(-1, (self.heads, -1)) for part in (self.query, self.key, self.value))
        q, k, v = (part.transpose(-2, -3) for part in parts)
        if past is not None:
            k, v = (torch.cat([old, new], -2) for old, new in zip(past, (k, v), strict=True)) if past else (k, v)
            past[:] = k, v
        x = x + self.out(self.attention(q, k, v, mask.unsqueeze(-3)).transpose(-2, -3).flatten(-2))
        return x + self.mlp(self.norm_mlp(x)) if hasattr(self, "mlp") else x

    def attention(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        """What each token gets, (N, H, T, d)."""
        if self.softmax and self.fused:
            return F.scaled_dot_product_attention(q, k, v, mask)
        scores = q @ k.transpose(-1, -2)
        if self.softmax:
            return (scores * q.shape[-1] ** -0.5).masked_fill(~mask, -torch.inf).softmax(-1) @ v
        return (scores * mask) @ v


class Transformer(nn.Module):
    """Its parameters come in the order of the library's flat rows; matrices lie the other way round."""

    def __init__(self, network, token_size: int, outputs: int, fused: bool = True):
        """fused: PyTorch's own softmax attention, which torch.func.vmap would call one by one."""
        super().__init__()
        maps = [nn.Linear(network.width if i else token_size, network.width) for i in range(network.embedding)]
        self.embed = nn.Sequential(maps[0], *(layer for later in maps[1:] for layer in (nn.GELU(), later)))
        self.blocks = nn.ModuleList(Block(network, fused) for _ in range(network.layers))
        self.output = nn.Linear(network.width, outputs)

    def forward(self, tokens: Tensor, mask: Tensor, last: bool = False, past: list | None = None) -> Tensor:
        """Outputs (N, T, outputs) of tokens (N, T, I), or of the last token alone (N, outputs)."""
        x = self.embed(tokens)
        for i, block in enumerate(self.blocks):
            x = block(x, mask, past[i] if past else None)
        return self.output(x[..., -1, :] if last else x)


def module(run: NetworkRun, row: Tensor) -> Transformer:
    """The network of a run with the parameters of a flat row (P,)."""
    built = Transformer(run.network, run.task.token_size, run.task.outputs).to(row.device)
    with torch.no_grad():
        for parameter in built.parameters():
            values, row = row[: parameter.numel()], row[parameter.numel() :]
            parameter.copy_(values.view(parameter.T.shape).T if parameter.ndim == 2 else values)
    return built


def flat(tensors) -> Tensor:
    """The flat row (P,) of a module's tensors."""
    return torch.cat([(t.T if t.ndim == 2 else t).flatten() for t in tensors]).detach()


def causal(size: int, device: torch.device) -> Tensor:
    return torch.ones(1, size, size, dtype=torch.bool, device=device).tril()


def recall_losses(model: nn.Module, task, inputs: Tensor, seeds: Tensor) -> Tensor:
    """Losses (m, B) of inputs (B, n + 1), the last a key, under seeds (m, 1, seed bits)."""
    values, key = inputs[:, :-1], inputs[:, -1]
    place = torch.arange(task.bits, device=inputs.device)
    bits = (values.unsqueeze(-1) >> place & 1).float()
    order = torch.cat([torch.arange(task.n, device=inputs.device).expand_as(values), key.unsqueeze(1)], 1)
    names = torch.eye(task.n, device=inputs.device)[order]
    known = torch.cat([F.pad(bits, (0, 0, 0, 1)), names], -1)  # B, n + 1, ...
    m, batch, length = len(seeds), *known.shape[:2]
    known, seeds = known.repeat(m, 1, 1), seeds.expand(m, batch, -1).flatten(0, 1)
    tokens = torch.cat([known, seeds.unsqueeze(1).expand(-1, length, -1)], -1)
    logits = model(tokens, causal(length, tokens.device), last=True)
    right = bits[torch.arange(batch, device=key.device), key].repeat(m, 1)
    return F.binary_cross_entropy_with_logits(logits, right, reduction="none").sum(-1).view(m, batch)


def coloring_losses(model: nn.Module, task, cycles: Tensor, seeds: Tensor) -> Tensor:
    """Losses (m, B) of cycles (B, n) under seeds (m, 1, n)."""
    m, (batch, n) = len(seeds), cycles.shape
    walk = torch.eye(n, device=cycles.device)[cycles]
    step = walk.transpose(1, 2) @ walk.roll(-1, 1)  # from a vertex to the next
    mask = (step + step.transpose(1, 2)).bool().repeat(m, 1, 1)
    ids = torch.eye(n, device=cycles.device).expand(m * batch, n, n)
    tokens = torch.cat([ids, seeds.expand(m, batch, n).reshape(-1, n, 1)], -1)
    p = model(tokens, mask).softmax(-1)
    along = p.gather(1, cycles.repeat(m, 1).unsqueeze(-1).expand_as(p))
    return (along * along.roll(-1, 1)).sum((1, 2)).view(m, batch)


LOSSES = {"recall": recall_losses, "coloring": coloring_losses}


def objective(losses: Tensor, q: float) -> tuple[Tensor, Tensor]:
    """Of losses (m, B): what training descends on, and L_q."""
    mean = losses.mean(0)
    largest = mean.detach().max()
    power = ((mean / largest) ** q).mean()
    return largest * power, largest * power.detach() ** (1 / q)


class PlainStep:
    """One module and one optimizer per model, one model after the other."""

    def __init__(self, workload: Workload, device: torch.device):
        self.run, self.state, training = workload.run, workload.begin(device), workload.run.training
        self.models = [module(self.run, row) for row in self.state.parameters]
        options = {"betas": (training.beta1, training.beta2), "eps": training.eps}
        options["weight_decay"] = training.weight_decay
        self.optimizers = [torch.optim.AdamW(model.parameters(), **options) for model in self.models]
        self.steps = 0

    def step(self) -> None:
        self.update(*draw(self.run, self.state))

    def update(self, inputs: Tensor, seeds: Tensor) -> None:
        run = self.run
        self.loss = []
        for model, optimizer, x, r in zip(self.models, self.optimizers, inputs, seeds, strict=True):
            optimizer.zero_grad()
            wanted, l_q = objective(LOSSES[run.problem](model, run.task, x, r), run.objective.q)
            wanted.backward()
            nn.utils.clip_grad_norm_(model.parameters(), run.training.clip)
            optimizer.param_groups[0]["lr"] = run.training.learning_rate_at(self.steps)
            optimizer.step()
            self.loss.append(l_q)
        self.steps += 1

    def numbers(self) -> dict:
        found = {
            "loss": torch.stack(self.loss),
            "gradient": torch.stack([flat(p.grad for p in model.parameters()) for model in self.models]),
            "parameters": torch.stack([flat(model.parameters()) for model in self.models]),
        }
        return {name: value.cpu().numpy() for name, value in found.items()}


class Grids:
    """N grids played in step, each with its own treasure: a token in, a direction out."""

    def __init__(self, task, treasures: Tensor, seeds: Tensor):
        """treasures: cells (N,); seeds (N, seed_size)."""
        n, device = len(treasures), treasures.device
        self.task, self.treasures = task, treasures
        self.tokens = torch.zeros(n, task.places, task.token_size, device=device)
        self.tokens[:, 0, : task.seed_size] = seeds
        self.tokens[:, :, -task.places :] = torch.eye(task.places, device=device)
        self.cell, self.taken, self.second = (torch.zeros_like(treasures) for _ in range(3))
        self.total, self.ended, self.playing = (torch.zeros_like(treasures) for _ in range(3))
        self.playing += 1
        self.moves = torch.tensor(MOVES, device=device)
        self.write(1, torch.zeros(n, device=device))

    def write(self, at: int, reward: Tensor) -> None:
        """The token of the cell and the reward."""
        size, n = self.task.seed_size, self.task.n
        row, column = self.cell // n, self.cell % n
        self.tokens[:, at, size : size + n] = F.one_hot(row, n).float()
        self.tokens[:, at, size + n : size + 2 * n] = F.one_hot(column, n).float()
        self.tokens[:, at, size + 2 * n] = reward

    def move(self, at: int, direction: Tensor) -> None:
        """Go on where an episode is under way; put back to the start where the first has ended. Writes token at."""
        n, back = self.task.n, self.ended.bool()
        up, right = self.moves[direction].unbind(-1)
        cell = (self.cell // n + up).clamp(0, n - 1) * n + (self.cell % n + right).clamp(0, n - 1)
        self.cell = torch.where(back, 0, cell)
        self.taken = torch.where(back, 0, self.taken + 1)
        self.total = self.total + self.playing * ~back
        found = (self.cell == self.treasures) & ~back
        self.second = self.second | self.ended
        ends = (found | (self.taken == self.task.episode)).long()
        self.ended = ends * (1 - self.second)
        self.playing = self.playing * (1 - ends * self.second)
        if at < self.task.places:
            self.write(at, torch.where(back, 0.0, torch.where(found, FOUND, STEP)))


def play(task, network, seeds: Tensor, m: int) -> Tensor:
    """Share of all steps, (..., m, cells - 1); network(tokens, last) gives logits of as many sequences as seeds has.

    seeds: (N, seed_size) for N = models x m x treasures, in this order.
    """
    count = task.cells - 1
    treasures = torch.arange(1, task.cells, device=seeds.device).repeat(len(seeds) // count)
    grids = Grids(task, treasures, seeds)
    for at in range(2, task.places + 1):
        logits = network(grids.tokens[:, :at])
        grids.move(at, logits.argmax(-1))
        if not grids.playing.any():
            break
    return grids.total.view(-1, m, count) / (2 * task.episode)


class PlainGeneration:
    """A loop over the candidates, q = inf; PGPE itself is the library's, a few lines on vectors."""

    def __init__(self, workload: Workload, device: torch.device):
        self.run, self.state = workload.run, workload.begin(device)

    def step(self) -> None:
        self.update(*draw(self.run, self.state))

    def update(self, noise: Tensor, seeds: Tensor) -> None:
        candidates = self.state.parameters + torch.cat([noise, -noise])
        with torch.no_grad():
            self.losses = self.rollout(candidates, seeds[0, :, 0])
        l_q = self.losses.mean(1).amax(1)
        self.loss = l_q.mean()
        self.run.training.move(self.state, noise.unsqueeze(0), ranks(l_q.unsqueeze(0)))

    def rollout(self, candidates: Tensor, seeds: Tensor) -> Tensor:
        """Losses (candidates, m, cells - 1), under seeds (m, seed_size)."""
        task, repeated = self.run.task, seeds.repeat_interleave(self.run.task.cells - 1, 0)
        return torch.cat([play(task, self.network(row), repeated, len(seeds)) for row in candidates])

    def network(self, row: Tensor) -> Callable[[Tensor], Tensor]:
        """From all tokens so far (N, T, I) to the logits at the last one."""
        model, mask = module(self.run, row), causal(self.run.task.places, row.device)
        return lambda tokens: model(tokens, mask[:, : tokens.shape[1], : tokens.shape[1]], last=True)

    def numbers(self) -> dict:
        state, beta1 = self.state, self.run.training.beta1
        found = {"loss": self.loss.view(1), "gradient": state.exp_avg / (1 - beta1), "parameters": state.parameters}
        found |= {"std": state.std, "losses": self.losses}
        return {name: value.cpu().numpy() for name, value in found.items()}


class CachedGeneration(PlainGeneration):
    """The same for who takes the trouble to keep keys and values: only new tokens go through the network."""

    def network(self, row: Tensor) -> Callable[[Tensor], Tensor]:
        model, mask = module(self.run, row), causal(self.run.task.places, row.device)
        past, seen = [[] for _ in model.blocks], 0

        def logits(tokens: Tensor) -> Tensor:
            nonlocal seen
            before, seen = seen, tokens.shape[1]
            return model(tokens[:, before:], mask[:, before:seen, :seen], last=True, past=past)

        return logits
