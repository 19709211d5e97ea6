"""Many tasks at once: every task gets its own copy of the parameters, and all are computed side by side.

Differs from the paper: no paper; this is what `torch.func.vmap` does by itself, done by hand.
"""

from collections.abc import Callable

import numpy as np

from reference.episodes import Episode, SideBySide
from reference.params import Params
from reference.scratch.autodiff import Array


def mean_over_batch(meta_gradient: Callable) -> Callable[..., tuple[Params, Array]]:
    """The mean over a batch of episodes of meta_gradient(params, episode, loss=..., ...), and of its loss.

    The network broadcasts over a leading task axis (`mlp` does) and the loss gives one number for each task,
    (n_tasks,). No task touches another's copy of the parameters, so the gradient of the sum of all losses
    holds, copy by copy, the gradient of each. The mean of the losses in its place would divide every inner
    gradient by n_tasks. Raises ValueError where the loss does not give one number for each task.
    """

    def mean_meta_gradient(params: Params, episodes: Episode, *, loss, **settings) -> tuple[Params, Array]:
        n_tasks = len(episodes.query[0])

        def sum_of_losses(own, examples):
            losses = loss(own, examples)
            if losses.shape != (n_tasks,):
                needed = f"a batch of {n_tasks} tasks needs one number for each, ({n_tasks},)"
                raise ValueError(f"loss: got shape {losses.shape}; {needed}.")
            return np.sum(losses)

        own = {name: np.broadcast_to(p, (n_tasks, *p.shape)) for name, p in params.items()}
        gradients, total = meta_gradient(own, SideBySide(*episodes), loss=sum_of_losses, **settings)
        return {name: g.mean(axis=0) for name, g in gradients.items()}, total / n_tasks

    return mean_meta_gradient
