"""The ledger of meta-gradients: each computed in up to four ways, and how far the ways are apart.

Everything is float64, the error is |a - b| / |b| over all parameters together, and what is judged is the
NumPy engine's result: against the formula on paper, against central differences, and against PyTorch. Two
problems: a linear model, where every gradient of every step can be written down, and a network with two
hidden layers on a sinusoid, where one step of MAML is done by hand (`on_paper.py`).

First-order MAML and Reptile are no gradients of the query loss. Central differences judge them as gradients
of what they are gradients of: the query loss a fixed step away, and half the squared distance to a point.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from experiments.ledger import on_paper
from reference.episodes import Episode, Examples, SideBySide
from reference.params import Params, part
from reference.pytorch import maml as their_maml
from reference.pytorch import meta_sgd as their_meta_sgd
from reference.pytorch import nn as their_nn
from reference.pytorch import reptile as their_reptile
from reference.pytorch.machine.arrays import to_torch
from reference.results import Row
from reference.rules import Rule, RuleOf, adam, each_step, only, sgd
from reference.scratch import maml, meta_sgd, reptile
from reference.scratch.nn import init_mlp, mean_squared_error, mlp
from reference.tasks.families import Lines, Sinusoids

INNER_LR = 0.05
MOMENTUM = 0.9


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


# The rows.


def maml_entry(problem: Problem, n_steps: int, rule: Rule, by_hand: np.ndarray | None = None) -> Entry:
    """MAML through n_steps of any rule."""
    settings = {"rule": rule, "n_steps": n_steps}
    return Entry(
        flat(maml.meta_gradient(*problem, loss=loss, **settings)[0]),
        in_torch(their_maml.meta_gradient, *problem, **settings),
        small_steps(lambda p: query_loss_after_learning(p, problem.episode, **settings), problem.params),
        by_hand,
    )


def plain_entry(problem: Problem, n_steps: int) -> Entry:
    """MAML of the paper."""
    by_hand = linear_by_hand(problem, n_steps, "theta")
    if by_hand is None and n_steps == 1:
        batch_of_one = SideBySide(*(Examples(p.x[None], p.y[None]) for p in problem.episode[:2]))
        by_hand = flat(on_paper.dense_net(problem.params, batch_of_one, INNER_LR))
    return maml_entry(problem, n_steps, sgd(INNER_LR), by_hand)


def anil_entry(problem: Problem, n_steps: int) -> Entry:
    """ANIL, which adapts the last layer alone; of the linear model, its weight."""
    names = list(problem.params)[:1] if is_linear(problem) else list(problem.params)[-2:]
    rates = INNER_LR * flat({name: np.full(p.shape, name in names) for name, p in problem.params.items()})
    by_hand = linear_by_hand(problem, n_steps, "theta", rates)
    return maml_entry(problem, n_steps, only(names, sgd(INNER_LR)), by_hand)


def momentum_entry(problem: Problem, n_steps: int) -> Entry:
    """MAML whose inner steps have momentum."""
    by_hand = linear_by_hand(problem, n_steps, "theta", momentum=MOMENTUM)
    return maml_entry(problem, n_steps, sgd(INNER_LR, momentum=MOMENTUM), by_hand)


def first_order_entry(problem: Problem, n_steps: int) -> Entry:
    """First-order MAML: the gradient of the query loss a fixed step away from theta."""
    params, episode = problem
    settings = {"rule": sgd(INNER_LR), "n_steps": n_steps, "first_order": True}
    end = maml.adapted(params, episode.support, loss=loss, **settings)
    step = {name: end[name] - p for name, p in params.items()}
    return Entry(
        flat(maml.meta_gradient(*problem, loss=loss, **settings)[0]),
        in_torch(their_maml.meta_gradient, *problem, **settings),
        small_steps(lambda p: loss({name: p[name] + step[name] for name in p}, episode.query), params),
        linear_by_hand(problem, n_steps, "first order"),
    )


def linear_by_hand(
    problem: Problem, n_steps: int, what: str, rates: np.ndarray | None = None, momentum: float = 0.0
) -> np.ndarray | None:
    """One of the gradients of the linear model; None for the network."""
    if not is_linear(problem):
        return None
    theta = flat(problem.params)
    rates = np.full(theta.shape, INNER_LR) if rates is None else rates
    return on_paper.linear_model(theta, problem.episode, rates, n_steps, momentum)[what]


def meta_sgd_entries(problem: Problem, n_steps: int) -> tuple[Entry, Entry]:
    """Meta-SGD: the gradient in the weights, and that in the rates, which all differ; some are negative."""
    params = meta_sgd.with_rates(problem.params, inner_lr=INNER_LR)
    return entries_with_rates(problem, stirred(params), n_steps, sgd)


def step_rate_entries(problem: Problem, n_steps: int) -> tuple[Entry, Entry]:
    """MAML++: the same with a rate for each parameter and step."""
    params = meta_sgd.with_step_rates(problem.params, inner_lr=INNER_LR, n_steps=n_steps)
    return entries_with_rates(problem, stirred(params), n_steps, each_step)


def stirred(params: Params) -> Params:
    """The rates doubled on average in either direction, so that all differ; the weights as they are."""
    rng = np.random.default_rng(1)
    return {
        name: p * (1 + rng.normal(size=p.shape)) if name.startswith("rate.") else p
        for name, p in params.items()
    }


def entries_with_rates(
    problem: Problem, params: Params, n_steps: int, rule_of: RuleOf
) -> tuple[Entry, Entry]:
    """The gradient in the weights and that in the rates."""
    settings = {"n_steps": n_steps, "rule_of": rule_of}

    def function(p):
        rule = rule_of(part(p, "rate"))
        return query_loss_after_learning(part(p, "start"), problem.episode, rule=rule, n_steps=n_steps)

    ways = [
        flat(meta_sgd.meta_gradient(params, problem.episode, loss=loss, **settings)[0]),
        in_torch(their_meta_sgd.meta_gradient, params, problem.episode, **settings),
        small_steps(function, params),
    ]
    if is_linear(problem):
        ways.append(linear_with_rates_by_hand(problem, part(params, "rate"), n_steps))
    n = flat(problem.params).size
    return Entry(*(way[:n] for way in ways)), Entry(*(way[n:] for way in ways))


def linear_with_rates_by_hand(problem: Problem, rates: Params, n_steps: int) -> np.ndarray:
    """Both gradients, where a rate belongs to a weight, or to a parameter and a step."""
    theta, of_weights = flat(problem.params), flat(rates)
    if any(rate.shape != problem.params[name].shape for name, rate in rates.items()):
        sizes = [problem.params[name].size for name in rates]
        of_weights = np.repeat(np.stack(list(rates.values())), sizes, axis=0).T  # (n_steps, d)
    found = on_paper.linear_model(theta, problem.episode, of_weights, n_steps)
    if of_weights.ndim == 1:
        return np.concatenate([found["theta"], found["rates"].sum(0)])
    ends = np.cumsum([p.size for p in problem.params.values()])[:-1]
    in_rates = [part.sum(1) for part in np.split(found["rates"], ends, axis=1)]
    return np.concatenate([found["theta"], *in_rates])


def reptile_entry(problem: Problem, n_steps: int) -> Entry:
    """Reptile: the gradient of |theta - phi|^2 / 2, where phi stands still."""
    params, episode = problem
    settings = {"rule": sgd(INNER_LR), "n_steps": n_steps}
    phi = flat(maml.adapted(params, episode.support, loss=loss, first_order=True, **settings))
    return Entry(
        flat(reptile.meta_gradient(*problem, loss=loss, **settings)[0]),
        in_torch(their_reptile.meta_gradient, *problem, **settings),
        small_steps(lambda p: np.sum((flat(p) - phi) ** 2) / 2, params),
        linear_by_hand(problem, n_steps, "direction"),
    )


def query_loss_after_learning(params, episode, **settings) -> float:
    """L(theta'), a plain number."""
    end = maml.adapted(params, episode.support, loss=loss, first_order=True, **settings)
    return loss(end, episode.query)


def is_linear(problem: Problem) -> bool:
    return len(problem.params) == 2


def entries(problem: Problem) -> dict[str, Entry]:
    """Every row for one problem."""
    theta, alpha = meta_sgd_entries(problem, n_steps=1)
    theta_5, alpha_5 = meta_sgd_entries(problem, n_steps=5)
    theta_each, alpha_each = step_rate_entries(problem, n_steps=5)
    return {
        "MAML, 1 step": plain_entry(problem, 1),
        "MAML, 5 steps": plain_entry(problem, 5),
        "MAML through momentum, 5 steps": momentum_entry(problem, 5),
        "MAML through Adam, 5 steps": maml_entry(problem, 5, adam(INNER_LR)),
        "first-order MAML, 1 step": first_order_entry(problem, 1),
        "first-order MAML, 5 steps": first_order_entry(problem, 5),
        "ANIL, 5 steps": anil_entry(problem, 5),
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


def rows() -> list[Row]:
    """How far the engine is from each of the other ways that there are."""
    return [
        Row(
            {"meta-gradient": name, "problem": problem, "way": way},
            "relative distance",
            float(f"{relative_error(entry.engine, other):.0e}"),
            None,
            1,
        )
        for problem, make in PROBLEMS.items()
        for name, entry in entries(make()).items()
        for way, other in zip(WAYS, (entry.by_hand, entry.small_steps, entry.pytorch), strict=True)
        if other is not None
    ]
