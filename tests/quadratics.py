"""Tasks whose loss is a quadratic of the parameters: where each way to train stops, worked out on paper."""

from functools import partial

import numpy as np

from reference.episodes import Episode, Examples
from reference.rules import sgd
from reference.tasks.families import Quadratic, Quadratics
from tests.sides import Side

RATE = 0.3  # a, with curvatures up to 2, so that I - a A stays positive
N_STEPS = 3


def six_tasks() -> Quadratic:
    """Six losses in two unknowns."""
    return Quadratics(dimension=2).sample_batch(np.random.default_rng(0), 6)


def quadratic_loss(params, task):
    """(theta - c)' A (theta - c) / 2, task by task. What stands for examples is the loss itself, c and A."""
    apart = params["theta"] - task.x
    return (apart * (task.y * apart[..., None, :]).sum(-1)).sum(-1) / 2


def as_episode(tasks: Quadratic) -> Episode:
    """Learning and judging by the same loss."""
    return Episode(Examples(*tasks), Examples(*tasks))


def weighted_mean_of_centres(weights, tasks):
    """(sum W_i)^-1 sum W_i c_i: where the sum of W_i (theta - c_i) is zero."""
    return np.linalg.solve(weights.sum(0), (weights @ tasks.centre[..., None]).sum(0))[:, 0]


def fixed_points(tasks: Quadratic, n_steps: int) -> dict[str, np.ndarray]:
    """Where each way to train stops.

    n_steps of rate a bring theta to phi = c + S (theta - c), with S = (I - a A)^n_steps. The direction is
    joint training:    A (theta - c)         the gradient of the loss itself
    MAML:              S A S (theta - c)     the gradient of the loss at phi, through S
    first-order MAML:  A S (theta - c)       the same without the outer S
    Reptile:           (I - S) (theta - c)   theta - phi
    and training stops where these sum to zero over the tasks. With one step S A S is (I - aA) A (I - aA).
    """
    A, identity = tasks.curvature, np.eye(2)
    S = np.linalg.matrix_power(identity - RATE * A, n_steps)
    return {
        "joint training": weighted_mean_of_centres(A, tasks),
        "MAML": weighted_mean_of_centres(S @ A @ S, tasks),
        "first-order MAML": weighted_mean_of_centres(A @ S, tasks),
        "Reptile": weighted_mean_of_centres(identity - S, tasks),
    }


WAYS = ("joint training", "MAML", "first-order MAML", "Reptile")


def direction(side: Side, way: str, n_steps: int):
    """(params, episodes) -> the direction in which this way trains, and its loss."""
    approach = side.reptile if way == "Reptile" else side.maml
    settings = {"first_order": True} if way == "first-order MAML" else {}
    n_steps = 0 if way == "joint training" else n_steps
    of_batch = side.batches.mean_over_batch(approach.meta_gradient)
    return partial(of_batch, loss=quadratic_loss, rule=sgd(RATE), n_steps=n_steps, **settings)
