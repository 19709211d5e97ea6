"""The nouns hold what they say and learn nothing by themselves."""

import inspect
import typing

import numpy as np

from reference import episodes
from reference.episodes import Adapt, Episode, Examples


def test_an_episode_unpacks_into_support_query_and_what_was_drawn():
    support, query, task = Episode(Examples(1, 2), Examples(3, 4), task="amplitude 2")
    assert (support, query, task) == (Examples(x=1, y=2), Examples(x=3, y=4), "amplitude 2")


def test_the_task_is_optional():
    assert Episode(Examples(1, 2), Examples(3, 4)).task is None


def test_adapt_is_given_the_support_set_alone():
    arguments, _ = typing.get_args(Adapt)
    assert arguments == [Examples]


def test_any_class_with_the_two_verbs_is_a_task_distribution():
    class Fixed:
        def sample(self, rng: np.random.Generator) -> Episode:
            return Episode(Examples(1, 2), Examples(3, 4))

        def sample_batch(self, rng: np.random.Generator, n_tasks: int) -> Episode:
            return Episode(Examples(1, 2), Examples(3, 4))

    for verb in ("sample", "sample_batch"):
        promised = inspect.signature(getattr(episodes.Tasks, verb))
        assert list(promised.parameters) == list(inspect.signature(getattr(Fixed, verb)).parameters)
