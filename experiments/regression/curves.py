"""What learners of curves share: tasks as tensors, the errors of many tasks at once, and those on the way."""

import numpy as np
import torch
from torch import Tensor

from reference.episodes import Episode, Examples
from reference.params import Params
from reference.pytorch.machine.arrays import to_torch
from reference.pytorch.nn import mlp
from reference.pytorch.unroll import take_step
from reference.rules import Rule, sgd
from reference.tasks.families import Curves

TUNED = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)  # step sizes that are tried


def sample(tasks: Curves, rng: np.random.Generator, *, n_tasks: int, device: torch.device) -> Episode:
    """A batch of tasks as float32 tensors, with the functions that were drawn."""
    support, query, task = tasks.sample_batch(rng, n_tasks)
    parts = (Examples(part.x.astype(np.float32), part.y.astype(np.float32)) for part in (support, query))
    return to_torch(Episode(*parts, task), device)


def with_truth(episode: Episode) -> Episode:
    """The episodes with amplitude and phase as second and third input."""
    truth = torch.from_numpy(np.stack(episode.task, axis=-1)).to(episode.query.x)[..., None, :]

    def extend(examples: Examples) -> Examples:
        x = torch.cat([examples.x, truth.expand(*examples.x.shape[:-1], 2)], dim=-1)
        return Examples(x, examples.y)

    return Episode(extend(episode.support), extend(episode.query))


def errors(params: Params, examples: Examples) -> Tensor:
    """The mean squared error of each task, (n_tasks,)."""
    return ((mlp(params, examples.x) - examples.y) ** 2).mean((-2, -1))


def curve(params: Params, episodes: Episode, rule: Rule, n_steps: int) -> np.ndarray:
    """The query error of every task before and after each of n_steps, (n_steps + 1, n_tasks)."""
    n_tasks = len(episodes.query.x)
    own, found = {name: p.expand(n_tasks, *p.shape) for name, p in params.items()}, []
    state = rule.init(own)
    for _ in range(n_steps + 1):
        with torch.no_grad():
            found.append(errors(own, episodes.query).double().cpu().numpy())
        own, state = take_step(
            lambda p: errors(p, episodes.support).sum(), own, rule, state, first_order=True
        )
    return np.stack(found)


def tuned_lr(params: Params, episodes: Episode, n_steps: int) -> float:
    """The step size with the least error after the last step, of those that are tried."""
    found = {lr: curve(params, episodes, sgd(lr), n_steps)[-1].mean() for lr in TUNED}
    return min(found, key=lambda lr: found[lr] if np.isfinite(found[lr]) else np.inf)
