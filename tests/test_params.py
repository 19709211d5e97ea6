"""Parameters in one dict and apart again."""

import numpy as np
import pytest

from reference.params import join, part

W, B, R = np.zeros(2), np.ones(3), np.full(2, 0.1)


def test_parts_come_back_under_their_own_names_in_their_own_order():
    joined = join(start={"layers.0.w": W, "b": B}, rate={"layers.0.w": R})
    assert list(joined) == ["start.layers.0.w", "start.b", "rate.layers.0.w"]
    assert list(part(joined, "start")) == ["layers.0.w", "b"]
    assert part(joined, "start")["layers.0.w"] is W and part(joined, "rate")["layers.0.w"] is R


def test_a_name_that_begins_alike_is_another_part():
    assert part(join(start={"w": W}, start2={"w": B}), "start") == {"w": W}


def test_parts_can_hold_parts():
    twice = join(maml=join(start={"w": W}))
    assert part(part(twice, "maml"), "start")["w"] is W


def test_a_part_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"^name: got 'rates'; the parts are \['rate', 'start'\]\.$"):
        part(join(start={"w": W}, rate={"w": R}), "rates")
