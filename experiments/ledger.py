"""The ledger of meta-gradients: each computed in up to four ways, and how far the ways are apart.

    python -m experiments.ledger

Prints a table. Everything is float64, the error is |a - b| / |b| over all parameters together, and what is
judged is the NumPy engine's result: against the formula on paper, against central differences, and against
PyTorch. Two problems: a linear model, where every gradient of every step can be written down, and a network
with two hidden layers on a sinusoid, where one step of MAML is done by hand (`experiments/speed/maml.py`).

First-order MAML and Reptile are no gradients of the query loss. Central differences judge them as gradients
of what they are gradients of: the query loss a fixed step away, and half the squared distance to a point.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from experiments.speed.maml import by_hand
from reference.episodes import Episode, Examples
from reference.pytorch import maml as their_maml
from reference.pytorch import meta_sgd as their_meta_sgd
from reference.pytorch import nn as their_nn
from reference.pytorch import reptile as their_reptile
from reference.pytorch import unroll as their_unroll
from reference.pytorch.episodes import to_torch
from reference.scratch import maml, meta_sgd, reptile
from reference.scratch.losses import mean_squared_error
from reference.scratch.nn import Params, init_mlp, mlp
from reference.scratch.unroll import sgd
from reference.tasks.families import Lines, Sinusoids

INNER_LR = 0.05


class Problem(NamedTuple):
    """A dense network and a task for it."""

    params: Params
    episode: Episode


class Entry(NamedTuple):
    """One row: a meta-gradient from the engine, from PyTorch, from small steps, and by hand if it can be."""

    engine: np.ndarray
    pytorch: np.ndarray
    small_steps: np.ndarray
    by_hand: np.ndarray | None = None


def linear_model() -> Problem:
    return _problem([1, 1], Lines(k_shot=6, n_query=9))


def network() -> Problem:
    return _problem([1, 8, 8, 1], Sinusoids(k_shot=6, n_query=9))


def _problem(sizes, tasks) -> Problem:
    rng = np.random.default_rng(0)
    params = {name: p.astype(np.float64) for name, p in init_mlp(rng, sizes).items()}
    return Problem(params, tasks.sample(rng))


def loss(params, examples):
    return mean_squared_error(mlp(params, examples.x), examples.y)


def their_loss(params, examples):
    return torch.nn.functional.mse_loss(their_nn.mlp(params, examples.x), examples.y)


# Vectors in the place of dicts, so that there is one error and one small step.


def flat(params: Params) -> np.ndarray:
    return np.concatenate([np.ravel(p) for p in params.values()])


def like(params: Params, vector: np.ndarray) -> Params:
    ends = np.cumsum([p.size for p in params.values()])[:-1]
    parts = zip(params.items(), np.split(vector, ends), strict=True)
    return {name: part.reshape(p.shape) for (name, p), part in parts}


def small_steps(function: Callable[[Params], float], params: Params, step: float = 1e-5) -> np.ndarray:
    """The gradient of function at params by central differences."""
    at = flat(params)
    ends = (at + h * unit for unit in np.eye(at.size) for h in (step, -step))
    ahead, behind = np.reshape([function(like(params, end)) for end in ends], (-1, 2)).T
    return (ahead - behind) / (2 * step)


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def in_torch(meta_gradient: Callable, params: Params, episode: Episode, **settings) -> np.ndarray:
    params = {name: torch.tensor(p) for name, p in params.items()}
    gradient, _ = meta_gradient(params, to_torch(episode), loss=their_loss, **settings)
    return flat({name: g.numpy() for name, g in gradient.items()})


# The formulas, for a linear model: its loss is quadratic, with gradient H theta - b.


def normal_equations(examples) -> tuple[np.ndarray, np.ndarray]:
    """H = 2 X'X / n and b = 2 X'y / n, where the last column of X is 1, for the bias."""
    x = np.concatenate([examples.x, np.ones((len(examples.x), 1))], axis=1)
    return 2 * x.T @ x / len(x), 2 * x.T @ examples.y[:, 0] / len(x)


def linear_by_hand(problem: Problem, rates: np.ndarray, n_steps: int) -> dict[str, np.ndarray]:
    """All there is to know: the gradients in theta and in the rates, first order, and theta - phi.

    A step is theta <- theta - rates * (H theta - b), of Jacobian J = I - diag(rates) H. A gradient g of the
    query loss at the end reaches theta as J'^k g; step j adds -(H theta_j - b) * J'^(k-1-j) g to the rates'.
    """
    H, b = normal_equations(problem.episode.support)
    theta = flat(problem.params)
    path = [theta]
    for _ in range(n_steps):
        path.append(path[-1] - rates * (H @ path[-1] - b))
    query_H, query_b = normal_equations(problem.episode.query)
    g = first_order = query_H @ path[-1] - query_b
    in_rates = np.zeros_like(theta)
    for theta_j in reversed(path[:-1]):
        in_rates -= (H @ theta_j - b) * g
        g = g - H @ (rates * g)  # J' g
    return {"theta": g, "rates": in_rates, "first order": first_order, "direction": theta - path[-1]}


# The rows.


def maml_entry(problem: Problem, n_steps: int, *, names: list[str] | None = None) -> Entry:
    """MAML; with names, ANIL, which adapts these alone."""
    ours, theirs = sgd(INNER_LR), their_unroll.sgd(INNER_LR)
    if names:
        ours, theirs = maml.only(names, ours), their_maml.only(names, theirs)
    settings = {"loss": loss, "update": ours, "n_steps": n_steps}
    chosen = {name: np.full(p.shape, name in (names or problem.params)) for name, p in problem.params.items()}
    return Entry(
        flat(maml.meta_gradient(*problem, **settings)[0]),
        in_torch(their_maml.meta_gradient, *problem, update=theirs, n_steps=n_steps),
        small_steps(lambda p: query_loss_after_learning(p, problem.episode, **settings), problem.params),
        maml_by_hand(problem, INNER_LR * flat(chosen), n_steps),
    )


def maml_by_hand(problem: Problem, rates: np.ndarray, n_steps: int) -> np.ndarray | None:
    """The formula of the linear model; that of any dense net for one step of all its parameters."""
    if is_linear(problem):
        return linear_by_hand(problem, rates, n_steps)["theta"]
    if n_steps == 1 and rates.all():
        support, query, _ = problem.episode
        batch_of_one = Episode(*(Examples(part.x[None], part.y[None]) for part in (support, query)))
        return flat(by_hand(problem.params, batch_of_one, INNER_LR))
    return None


def first_order_entry(problem: Problem, n_steps: int) -> Entry:
    """First-order MAML: the gradient of the query loss a fixed step away from theta."""
    params, episode = problem
    settings = {"loss": loss, "n_steps": n_steps, "first_order": True}
    end = maml.adapted(params, episode.support, update=sgd(INNER_LR), **settings)
    step = {name: end[name] - p for name, p in params.items()}
    rates = np.full(flat(params).shape, INNER_LR)
    return Entry(
        flat(maml.meta_gradient(*problem, update=sgd(INNER_LR), **settings)[0]),
        in_torch(
            their_maml.meta_gradient,
            *problem,
            update=their_unroll.sgd(INNER_LR),
            n_steps=n_steps,
            first_order=True,
        ),
        small_steps(lambda p: loss({name: p[name] + step[name] for name in p}, episode.query), params),
        linear_by_hand(problem, rates, n_steps)["first order"] if is_linear(problem) else None,
    )


def meta_sgd_entries(problem: Problem, n_steps: int) -> tuple[Entry, Entry]:
    """Meta-SGD: the gradient in the weights, and that in the rates, which all differ; some are negative."""
    params = meta_sgd.with_rates(problem.params, inner_lr=INNER_LR)
    rng, n = np.random.default_rng(1), flat(problem.params).size
    params = like(params, flat(params) + np.repeat([0.0, INNER_LR], n) * rng.normal(size=2 * n))
    settings = {"loss": loss, "n_steps": n_steps}

    def function(p):
        update = sgd(meta_sgd.part(p, "rate"))
        return query_loss_after_learning(
            meta_sgd.part(p, "start"), problem.episode, update=update, **settings
        )

    ways = [
        flat(meta_sgd.meta_gradient(params, problem.episode, **settings)[0]),
        in_torch(their_meta_sgd.meta_gradient, params, problem.episode, n_steps=n_steps),
        small_steps(function, params),
    ]
    if is_linear(problem):
        by_hand = linear_by_hand(problem, flat(params)[n:], n_steps)
        ways.append(np.concatenate([by_hand["theta"], by_hand["rates"]]))
    return Entry(*(way[:n] for way in ways)), Entry(*(way[n:] for way in ways))


def reptile_entry(problem: Problem, n_steps: int) -> Entry:
    """Reptile: the gradient of |theta - phi|^2 / 2, where phi stands still."""
    params, episode = problem
    settings = {"loss": loss, "n_steps": n_steps}
    phi = flat(maml.adapted(params, episode.support, update=sgd(INNER_LR), first_order=True, **settings))
    rates = np.full(phi.shape, INNER_LR)
    return Entry(
        flat(reptile.meta_gradient(*problem, update=sgd(INNER_LR), **settings)[0]),
        in_torch(their_reptile.meta_gradient, *problem, update=their_unroll.sgd(INNER_LR), n_steps=n_steps),
        small_steps(lambda p: np.sum((flat(p) - phi) ** 2) / 2, params),
        linear_by_hand(problem, rates, n_steps)["direction"] if is_linear(problem) else None,
    )


def query_loss_after_learning(params, episode, **settings) -> float:
    """L(theta'), a plain number."""
    return loss(maml.adapted(params, episode.support, first_order=True, **settings), episode.query)


def is_linear(problem: Problem) -> bool:
    return len(problem.params) == 2


def entries(problem: Problem) -> dict[str, Entry]:
    """Every row for one problem."""
    head = list(problem.params)[-2:] if not is_linear(problem) else list(problem.params)[:1]
    theta, alpha = meta_sgd_entries(problem, n_steps=1)
    theta_5, alpha_5 = meta_sgd_entries(problem, n_steps=5)
    return {
        "MAML, 1 step": maml_entry(problem, 1),
        "MAML, 5 steps": maml_entry(problem, 5),
        "first-order MAML, 1 step": first_order_entry(problem, 1),
        "first-order MAML, 5 steps": first_order_entry(problem, 5),
        "ANIL, 5 steps": maml_entry(problem, 5, names=head),
        "Meta-SGD, weights, 1 step": theta,
        "Meta-SGD, rates, 1 step": alpha,
        "Meta-SGD, weights, 5 steps": theta_5,
        "Meta-SGD, rates, 5 steps": alpha_5,
        "Reptile, 5 steps": reptile_entry(problem, 5),
    }


PROBLEMS: dict[str, Callable[[], Problem]] = {"linear model": linear_model, "network": network}


def table() -> str:
    """The errors of the engine against the three other ways, in Markdown."""
    lines = [
        "| meta-gradient | problem | by hand | central differences | PyTorch |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for problem, make in PROBLEMS.items():
        for name, entry in entries(make()).items():
            others = (entry.by_hand, entry.small_steps, entry.pytorch)
            errors = ["" if way is None else f"{relative_error(entry.engine, way):.0e}" for way in others]
            lines.append(f"| {name} | {problem} | {' | '.join(errors)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
