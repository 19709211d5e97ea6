"""Chapter 10: the bars are the weights after each step. 11: those of one step of a stream."""

import numpy as np

from reference.figures import show_head, show_memory_step


def stages(*, key, strength, gate, shift_by, sharpness):
    return {
        "content": np.eye(4)[key],
        "gate": np.full(4, gate / 4),
        "the rest": np.array([strength / 20, shift_by**2, 1 / sharpness, 0]),
    }


STREAM = (
    np.arange(4 * 9).reshape(4, 3, 3),
    np.array([1, 0, 1, 0]),
    np.array([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8], [1.0, 0.0]]),
    *(np.arange(20.0).reshape(4, 5) / divisor for divisor in (20, 40, 10)),
)
SHOWN = [  # a figure, what it is given, and its sliders as (low, high, start)
    (
        show_head,
        (stages,),
        {
            "key": (0, 3, 1),
            "strength": (0.0, 20.0, 5.0),
            "gate": (0.0, 1.0, 0.5),
            "shift_by": (-1.0, 1.0, 0.0),
            "sharpness": (1.0, 10.0, 2.0),
        },
    ),
    (show_memory_step, STREAM, {"step": (0, 3, 1)}),
]


def test_each_stage_has_its_bars():
    axes = show_head(stages, key=2, strength=5.0, gate=1.0, shift_by=0.5, sharpness=2.0)
    assert [ax.get_title() for ax in axes] == ["content", "gate", "the rest"]
    heights = [[bar.get_height() for bar in ax.patches] for ax in axes]
    assert heights == [[0, 0, 1, 0], [0.25] * 4, [0.25, 0.25, 0.5, 0]]


def test_a_step_of_a_stream_shows_what_was_told_said_written_and_read():
    axes = show_memory_step(*STREAM, step=2)
    assert [ax.get_title() for ax in axes] == ["told: 0", "is: 1, says:", "written", "read", "used"]
    heights = [[bar.get_height() for bar in ax.patches] for ax in axes[1:]]
    assert heights[0] == [0.2, 0.8]
    for given, divisor in zip(heights[1:], (20, 40, 10), strict=True):
        assert given == [n / divisor for n in range(10, 15)]
    assert show_memory_step(*STREAM, step=0)[0].get_title() == "told: -"
