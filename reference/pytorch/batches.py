"""Many tasks at once, in two ways; the third, `reference.meta_train.mean_over_tasks`, takes one by one.

Small dense networks spend most of their time on starting operations, so all tasks at once are many times
faster. Convolutions on a CPU are slower that way, because each task's kernels become a group of their own;
for them take one task after the other. Measured in `experiments/speed/maml.py` and `maml_images.py`.

Differs from the paper: no paper.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from reference.episodes import Episode, SideBySide
from reference.params import Params
from reference.pytorch.unroll import naming_the_remedy


def mean_over_batch(meta_gradient: Callable) -> Callable[..., tuple[Params, Tensor]]:
    """The mean over a batch of episodes of meta_gradient(params, episode, loss=..., ...), and of its loss.

    The network broadcasts over a leading task axis (`mlp` does) and the loss gives one number for each task,
    (n_tasks,). No task touches another's copy of the parameters, so the gradient of the sum of all losses
    holds, copy by copy, the gradient of each. The mean of the losses in its place would divide every inner
    gradient by n_tasks. Raises ValueError where the loss does not give one number for each task.
    """

    def mean_meta_gradient(params: Params, episodes: Episode, *, loss, **settings) -> tuple[Params, Tensor]:
        n_tasks = len(episodes.query[0])

        def sum_of_losses(own, examples):
            losses = loss(own, examples)
            if losses.shape != (n_tasks,):
                needed = f"a batch of {n_tasks} tasks needs one number for each, ({n_tasks},)"
                raise ValueError(f"loss: got shape {tuple(losses.shape)}; {needed}.")
            return losses.sum()

        own = {name: p.expand(n_tasks, *p.shape) for name, p in params.items()}
        gradients, total = meta_gradient(own, SideBySide(*episodes), loss=sum_of_losses, **settings)
        return {name: g.mean(0) for name, g in gradients.items()}, total / n_tasks

    return mean_meta_gradient


def mean_by_vmap(meta_gradient: Callable) -> Callable[..., tuple[Params, Tensor]]:
    """The same for any network and a loss of one task, by `torch.func.vmap`.

    What is mapped must be differentiated by torch.func: pass `torch.func.grad_and_value(maml.task_loss)`, or
    `reptile.meta_gradient`. The gradient is taken inside and the mean outside. The other way round, the
    gradient of the mean of mapped losses, is wrong without a word where nn.BatchNorm2d, nn.InstanceNorm2d or
    nn.LayerNorm with a learned scale is in the network: in torch 2.13 the mapped gradient in the norm's scale
    takes the mean and the deviation for constants.
    Raises RuntimeError, with the remedy, where torch cannot map the network.

    A relative of this trap: torch's second derivative of `torch.nn.utils.parametrizations.weight_norm` is
    wrong, mapped or not.
    """

    def mean_meta_gradient(params: Params, episodes: Episode, **settings) -> tuple[Params, Tensor]:
        def of_one(support, query):
            return meta_gradient(params, Episode(support, query), **settings)

        with naming_the_remedy():
            gradients, losses = torch.func.vmap(of_one)(episodes.support, episodes.query)
        return {name: g.mean(0) for name, g in gradients.items()}, losses.mean()

    return mean_meta_gradient
