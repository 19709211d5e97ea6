"""The nouns hold what they say and learn nothing by themselves."""

import typing

from reference.episodes import Adapt, Episode, Examples


def test_an_episode_unpacks_into_support_query_and_what_was_drawn():
    support, query, task = Episode(Examples(1, 2), Examples(3, 4), task="amplitude 2")
    assert (support, query, task) == (Examples(x=1, y=2), Examples(x=3, y=4), "amplitude 2")


def test_the_task_is_optional():
    assert Episode(Examples(1, 2), Examples(3, 4)).task is None


def test_adapt_is_given_the_support_set_alone():
    arguments, _ = typing.get_args(Adapt)
    assert arguments == [Examples]
