"""What is carried is replaced and never stepped, and its names come back as they were."""

import numpy as np

from experiments.carried import apart, carrying, together
from reference.rules import adam, sgd

LEARNED, CARRIED = {"w": np.array([1.0, 2.0])}, {"w": np.array([5.0]), "count": np.array(3)}


def test_apart_undoes_together():
    params = together(LEARNED, CARRIED)
    assert len(params) == 3
    assert apart(params) == (LEARNED, CARRIED)
    assert apart(LEARNED) == (LEARNED, {})


def test_the_rule_steps_what_is_learned_and_replaces_what_is_carried():
    rule, params = carrying(sgd(0.5)), together(LEARNED, CARRIED)
    news = {"w": np.array([7.0]), "count": np.array(4)}
    new, state = rule.update(params, together({"w": np.array([2.0, 0.0])}, news), rule.init(params))
    learned, carried = apart(new)
    np.testing.assert_array_equal(learned["w"], [0.0, 2.0])
    assert carried == news and state.step == 1
    assert apart(params) == (LEARNED, CARRIED)


def test_the_rules_state_is_about_what_is_learned_alone():
    rule = carrying(adam(0.1))
    assert rule.init(together(LEARNED, CARRIED)).mean.keys() == {"w"}
