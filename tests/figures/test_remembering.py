"""Chapter 10: the bars are the weights after each step."""

import numpy as np

from reference.figures import show_head


def stages(*, key, strength, gate, shift_by, sharpness):
    return {
        "content": np.eye(4)[key],
        "gate": np.full(4, gate / 4),
        "the rest": np.array([strength / 20, shift_by**2, 1 / sharpness, 0]),
    }


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
]


def test_each_stage_has_its_bars():
    axes = show_head(stages, key=2, strength=5.0, gate=1.0, shift_by=0.5, sharpness=2.0)
    assert [ax.get_title() for ax in axes] == ["content", "gate", "the rest"]
    heights = [[bar.get_height() for bar in ax.patches] for ax in axes]
    assert heights == [[0, 0, 1, 0], [0.25] * 4, [0.25, 0.25, 0.5, 0]]
