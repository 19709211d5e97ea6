"""Chapters 01 to 03: what the figures say of what they are given."""

import numpy as np

from reference.episodes import Episode, Examples
from reference.figures import show_backward, show_episode, show_interval

VALUES = np.random.default_rng(0).binomial(75, 0.8, size=600) / 75
POSITIONS = {"x": (0, 0), "square": (1, 0), "sum": (2, 0)}
EDGES = [("x", "square"), ("square", "sum")]
GRADIENTS = {"sum": "1", "square": "1", "x": "2x"}


class Noise:
    """Few-shot tasks whose images are noise."""

    def __init__(self, *, n_way, k_shot, n_query):
        self.sizes = n_way, k_shot, n_query

    def sample(self, rng):
        n_way, k_shot, n_query = self.sizes

        def examples(n_each):
            y = rng.permutation(np.repeat(np.arange(n_way), n_each))
            return Examples(rng.random((len(y), 1, 8, 8)), y)

        return Episode(examples(k_shot), examples(n_query))

    def sample_batch(self, rng, n_tasks):
        raise NotImplementedError


SHOWN = [  # a figure, what it is given, and its sliders as (low, high, start)
    (
        show_episode,
        (Noise,),
        {"n_way": (2, 12, 5), "k_shot": (1, 5, 1), "n_query": (1, 5, 3), "seed": (0, 9, 0)},
    ),
    (show_interval, (VALUES,), {"n_episodes": (2, 600, 100)}),
    (show_backward, (POSITIONS, EDGES, GRADIENTS), {"step": (0, 3, 1)}),
]


def test_the_same_sliders_show_the_same_episode():
    first, again, other = (
        show_episode(Noise, n_way=3, k_shot=1, n_query=2, seed=seed)[1].images[0].get_array().filled(-1)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_last_mean_drawn_is_the_mean_of_that_many_episodes():
    ax = show_interval(VALUES, n_episodes=200)
    assert ax.lines[0].get_xydata()[-1].tolist() == [200, VALUES[:200].mean()]
    assert ax.get_title().endswith("(95% CI, 200 episodes)")


def test_a_backward_pass_goes_from_the_loss_to_the_input():
    ax = show_backward(POSITIONS, EDGES, GRADIENTS, step=2)
    filled = [t.get_text() for t in ax.texts if t.get_bbox_patch() is not None and t.get_color() == "white"]
    assert filled == ["square", "sum"]
    assert ax.get_title() == "backward pass: 2 of 3 gradients are known"
