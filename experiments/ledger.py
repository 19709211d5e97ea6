"""The ledger of meta-gradients: each computed in up to four ways, and how far the ways are apart.

    python -m experiments.ledger

Writes ledger.json beside it, of which README.md shows a table. Everything is float64, the error is
|a - b| / |b| over all parameters together, and what is judged is the NumPy engine's result: against the
formula on paper, against central differences, and against PyTorch. Two problems: a linear model, where every
gradient of every step can be written down, and a network with two hidden layers on a sinusoid, where one step
of MAML is done by hand (`experiments/speed/by_hand.py`).

First-order MAML and Reptile are no gradients of the query loss. Central differences judge them as gradients
of what they are gradients of: the query loss a fixed step away, and half the squared distance to a point.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from experiments.runs import versions, write

from experiments.speed import by_hand
from reference.episodes import Episode, Examples
from reference.pytorch import maml as their_maml
from reference.pytorch import meta_sgd as their_meta_sgd
from reference.pytorch import nn as their_nn
from reference.pytorch import reptile as their_reptile
from reference.pytorch import unroll as their_unroll
from reference.pytorch.machine.arrays import to_torch
from reference.scratch import maml, meta_sgd, reptile
from reference.scratch.nn import Params, init_mlp, mlp
from reference.scratch.nn.losses import mean_squared_error
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
    """A weight and a bias, and points of a line: what a pencil can do."""
    return _problem([1, 1], Lines(k_shot=6, n_query=9))


def network() -> Problem:
    """A dense net 1-8-8-1 and points of a sinusoid."""
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
    """All parameters in a row, (n,)."""
    return np.concatenate([np.ravel(p) for p in params.values()])


def like(params: Params, vector: np.ndarray) -> Params:
    """The row (n,) cut into the shapes of params."""
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
    """The distance of two rows, over the length of the second."""
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

    Step j is theta <- theta - rates_j * (H theta - b), of Jacobian J_j = I - diag(rates_j) H. A gradient g of
    the query loss at the end reaches theta as J_0' ... J_(k-1)' g, and rates_j, on its way, as
    -(H theta_j - b) * J_(j+1)' ... J_(k-1)' g. The rates (d,) are those of all steps, (n_steps, d) of each.
    """
    H, b = normal_equations(problem.episode.support)
    theta = flat(problem.params)
    rates = np.broadcast_to(rates, (n_steps, len(theta)))
    path = [theta]
    for rate in rates:
        path.append(path[-1] - rate * (H @ path[-1] - b))
    query_H, query_b = normal_equations(problem.episode.query)
    g = first_order = query_H @ path[-1] - query_b
    in_rates = np.empty_like(rates)
    for j in reversed(range(n_steps)):
        in_rates[j] = -(H @ path[j] - b) * g
        g = g - H @ (rates[j] * g)  # J_j' g
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
        return flat(by_hand.meta_gradient(problem.params, batch_of_one, INNER_LR))
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
    return entries_with_rates(problem, stirred(params), n_steps, sgd, their_unroll.sgd)


def step_rate_entries(problem: Problem, n_steps: int) -> tuple[Entry, Entry]:
    """MAML++: the same with a rate for each parameter and step."""
    params = meta_sgd.with_step_rates(problem.params, inner_lr=INNER_LR, n_steps=n_steps)
    step_by, their_step_by = meta_sgd.each_step, their_meta_sgd.each_step
    return entries_with_rates(problem, stirred(params), n_steps, step_by, their_step_by)


def stirred(params: Params) -> Params:
    """The rates doubled on average in either direction, so that all differ; the weights as they are."""
    rng = np.random.default_rng(1)
    return {
        name: p * (1 + rng.normal(size=p.shape)) if name.startswith("rate.") else p
        for name, p in params.items()
    }


def entries_with_rates(
    problem: Problem, params: Params, n_steps: int, step_by: Callable, their_step_by: Callable
) -> tuple[Entry, Entry]:
    """The gradient in the weights and that in the rates."""
    settings = {"loss": loss, "n_steps": n_steps}

    def function(p):
        update = step_by(meta_sgd.part(p, "rate"))
        return query_loss_after_learning(
            meta_sgd.part(p, "start"), problem.episode, update=update, **settings
        )

    meta_gradient = partial(their_meta_sgd.meta_gradient, step_by=their_step_by)
    ways = [
        flat(meta_sgd.meta_gradient(params, problem.episode, step_by=step_by, **settings)[0]),
        in_torch(meta_gradient, params, problem.episode, n_steps=n_steps),
        small_steps(function, params),
    ]
    if is_linear(problem):
        ways.append(linear_with_rates_by_hand(problem, meta_sgd.part(params, "rate"), n_steps))
    n = flat(problem.params).size
    return Entry(*(way[:n] for way in ways)), Entry(*(way[n:] for way in ways))


def linear_with_rates_by_hand(problem: Problem, rates: Params, n_steps: int) -> np.ndarray:
    """Both gradients, where a rate belongs to a weight, or to a parameter and a step."""
    if all(rate.shape == problem.params[name].shape for name, rate in rates.items()):
        found = linear_by_hand(problem, flat(rates), n_steps)
        return np.concatenate([found["theta"], found["rates"].sum(0)])
    of_steps = [np.repeat(rate[:, None], problem.params[name].size, axis=1) for name, rate in rates.items()]
    found = linear_by_hand(problem, np.concatenate(of_steps, axis=1), n_steps)
    sizes = np.cumsum([p.size for p in problem.params.values()])[:-1]
    in_rates = [part.sum(1) for part in np.split(found["rates"], sizes, axis=1)]
    return np.concatenate([found["theta"], *in_rates])


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
    theta_each, alpha_each = step_rate_entries(problem, n_steps=5)
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
        "MAML++, weights, 5 steps": theta_each,
        "MAML++, rates of each step, 5 steps": alpha_each,
        "Reptile, 5 steps": reptile_entry(problem, 5),
    }


PROBLEMS: dict[str, Callable[[], Problem]] = {"linear model": linear_model, "network": network}


WAYS = ("by hand", "central differences", "PyTorch")  # of judging the engine


def errors() -> list[dict[str, str | float | None]]:
    """How far the engine is from the three other ways, row by row."""
    return [
        {"meta-gradient": name, "problem": problem}
        | {
            way: None if other is None else float(f"{relative_error(entry.engine, other):.0e}")
            for way, other in zip(WAYS, (entry.by_hand, entry.small_steps, entry.pytorch), strict=True)
        }
        for problem, make in PROBLEMS.items()
        for name, entry in entries(make()).items()
    ]


def main() -> None:
    """Write the errors."""
    result = {"command": "python -m experiments.ledger", "versions": versions(), "errors": errors()}
    write(Path(__file__).with_suffix(".json"), result)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
