"""Families of small tasks whose every answer can be written down: sinusoids, lines, quadratic losses.

A regression task is a function; an episode is points of it. A quadratic task is a loss itself, so that
what a learner of tasks does to it can be followed with a pencil.
Paper: Finn et al. 2017 (arXiv:1703.03400), section 5.1, for the sinusoids.

Differs from the paper: nothing for the sinusoids; lines and quadratics are ours.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from reference import contracts
from reference.episodes import Episode, Examples

INPUTS = (-5.0, 5.0)  # Finn et al. 2017, section 5.1, as are the next two
AMPLITUDES = (0.1, 5.0)
PHASES = (0.0, np.pi)


class Sinusoid(NamedTuple):
    """x -> amplitude * sin(x - phase). A batch of them has arrays of shape (n_tasks,)."""

    amplitude: Float64[np.ndarray, "*batch"]
    phase: Float64[np.ndarray, "*batch"]

    def __call__(self, x: Float[np.ndarray, "*batch n 1"]) -> Float[np.ndarray, "*batch n 1"]:
        amplitude, phase = _beside(x, self)
        return amplitude * np.sin(x - phase)


class Line(NamedTuple):
    """x -> slope * x + intercept. A batch of them has arrays of shape (n_tasks,)."""

    slope: Float64[np.ndarray, "*batch"]
    intercept: Float64[np.ndarray, "*batch"]

    def __call__(self, x: Float[np.ndarray, "*batch n 1"]) -> Float[np.ndarray, "*batch n 1"]:
        slope, intercept = _beside(x, self)
        return slope * x + intercept


class Quadratic(NamedTuple):
    """The loss theta -> (theta - centre)' curvature (theta - centre) / 2. A batch has leading axes."""

    centre: Float64[np.ndarray, "*batch d"]  # c, the optimum
    curvature: Float64[np.ndarray, "*batch d d"]  # A, symmetric positive definite: the Hessian

    def loss(self, theta):
        """The loss (*batch,) at theta (d,) or (*batch, d); theta may be an array or a scratch Tensor."""
        gradient = self.gradient(theta)  # first: it looks at theta's shape
        return np.sum((theta - self.centre) * gradient, axis=-1) / 2

    def gradient(self, theta):
        """The gradient A (theta - c) (*batch, d). ValueError for a theta of another dimension."""
        if np.shape(theta)[-1:] != np.shape(self.centre)[-1:]:
            raise ValueError(f"theta has shape {np.shape(theta)}, but centre {np.shape(self.centre)}.")
        return np.sum(self.curvature * (theta - self.centre)[..., None, :], axis=-1)


@dataclass(frozen=True)
class Curves:
    """Tasks that are functions: `draw(rng, batch_shape)` draws them, an episode is points of one.

    x is uniform in [-5, 5]; x and y have shape (k_shot, 1) and (n_query, 1), float64; `episode.task` is the
    function. ValueError when k_shot or n_query is less than 1.
    """

    draw: Callable[[np.random.Generator, tuple[int, ...]], Sinusoid | Line]
    _: KW_ONLY
    k_shot: int
    n_query: int

    def __post_init__(self):
        if not callable(self.draw):
            raise ValueError(
                f"draw must be a function draw(rng, batch_shape), got {contracts.shown(self.draw)}."
            )
        for name in ("k_shot", "n_query"):
            object.__setattr__(self, name, contracts.whole(name, getattr(self, name)))  # the class is frozen

    def sample(self, rng: np.random.Generator) -> Episode:
        """One function and its points."""
        return self._points(rng, ())

    def sample_batch(self, rng: np.random.Generator, n_tasks: int) -> Episode:
        """n_tasks functions: x and y of shape (n_tasks, k_shot, 1) and (n_tasks, n_query, 1)."""
        return self._points(rng, (contracts.whole("n_tasks", n_tasks),))

    def _points(self, rng: np.random.Generator, batch: tuple[int, ...]) -> Episode:
        contracts.generator(rng)
        if not callable(task := self.draw(rng, batch)):
            raise ValueError(f"draw must give a function of x, gave {contracts.shown(task)}.")
        x = rng.uniform(*INPUTS, (*batch, self.k_shot + self.n_query, 1))
        support, query = x[..., : self.k_shot, :], x[..., self.k_shot :, :]
        return Episode(Examples(support, task(support)), Examples(query, task(query)), task)


def Sinusoids(*, k_shot: int, n_query: int) -> Curves:
    """Sinusoids with amplitude uniform in [0.1, 5] and phase in [0, pi] (Finn et al. 2017, section 5.1)."""

    def draw(rng: np.random.Generator, batch: tuple[int, ...]) -> Sinusoid:
        amplitude, phase = rng.uniform(*AMPLITUDES, batch), rng.uniform(*PHASES, batch)
        return Sinusoid(np.asarray(amplitude), np.asarray(phase))

    return Curves(draw, k_shot=k_shot, n_query=n_query)


def Lines(*, k_shot: int, n_query: int) -> Curves:
    """Lines with slope and intercept standard normal."""

    def draw(rng: np.random.Generator, batch: tuple[int, ...]) -> Line:
        return Line(np.asarray(rng.standard_normal(batch)), np.asarray(rng.standard_normal(batch)))

    return Curves(draw, k_shot=k_shot, n_query=n_query)


@dataclass(frozen=True, kw_only=True)
class Quadratics:
    """Quadratic losses in `dimension` unknowns: centre standard normal, curvature turned at random, with
    eigenvalues whose logarithm is uniform between those of `curvatures`.

    A draw is the task itself, a Quadratic: such a task has no examples, its loss is known.
    """

    dimension: int = 2
    curvatures: tuple[float, float] = (0.5, 2.0)

    def __post_init__(self):
        object.__setattr__(self, "dimension", contracts.whole("dimension", self.dimension))
        given = contracts.rectangle("curvatures", self.curvatures)
        if given.shape != (2,) or given.dtype.kind not in "iuf" or not 0 < given[0] <= given[1] < np.inf:
            raise ValueError(f"curvatures must be two positive numbers, least first; got {self.curvatures}.")

    def sample(self, rng: np.random.Generator) -> Quadratic:
        """One loss: centre (d,), curvature (d, d)."""
        return Quadratic(*(part[0] for part in self.sample_batch(rng, 1)))

    def sample_batch(self, rng: np.random.Generator, n_tasks: int) -> Quadratic:
        """n_tasks losses: centre (n_tasks, d), curvature (n_tasks, d, d)."""
        contracts.generator(rng)
        d, n_tasks = self.dimension, contracts.whole("n_tasks", n_tasks)
        centre = rng.standard_normal((n_tasks, d))
        axes = np.linalg.qr(rng.standard_normal((n_tasks, d, d))).Q
        eigenvalues = np.exp(rng.uniform(*np.log(self.curvatures), (n_tasks, d)))
        curvature = (axes * eigenvalues[:, None, :]) @ axes.swapaxes(1, 2)
        return Quadratic(centre, (curvature + curvature.swapaxes(1, 2)) / 2)  # symmetric to the last bit


def _beside(x, numbers: tuple) -> list:
    """A curve's numbers with the two axes of its points; ValueError for points in another shape."""
    if np.shape(x)[-1:] != (1,) or np.ndim(x) < 2:
        raise ValueError(f"x has shape {np.shape(x)}; points of shape (..., n, 1) are needed.")
    numbers = (np.float64(n) if isinstance(n, (int, float)) else n for n in numbers)
    return [number[..., None, None] for number in numbers]
