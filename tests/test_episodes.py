"""The nouns hold what they say and learn nothing by themselves."""

import typing

import numpy as np

from reference.episodes import Adapt, Episode, Examples, one_by_one


def test_an_episode_unpacks_into_support_query_and_what_was_drawn():
    support, query, task = Episode(Examples(1, 2), Examples(3, 4), task="amplitude 2")
    assert (support, query, task) == (Examples(x=1, y=2), Examples(x=3, y=4), "amplitude 2")


def test_the_task_is_optional():
    assert Episode(Examples(1, 2), Examples(3, 4)).task is None


def test_adapt_is_given_the_support_set_alone():
    arguments, _ = typing.get_args(Adapt)
    assert arguments == [Examples]


def test_a_batch_is_its_episodes_one_by_one():
    part = lambda first: Examples(np.arange(first, first + 6).reshape(2, 3), np.arange(2))  # noqa: E731
    one, other = one_by_one(Episode(part(0), part(10), task=["first", "second"]))
    assert one.support.x.tolist() == [0, 1, 2] and other.support.x.tolist() == [3, 4, 5]
    assert one.query.x.tolist() == [10, 11, 12] and (other.query.y, other.task) == (1, None)
