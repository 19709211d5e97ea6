"""What a learner carries from step to step besides what it learns: running statistics, an inner rule's state.

It stands among the parameters of a run, under CARRIED. Whoever computes a gradient gives its next value in
the place of a gradient, and the rule replaces it instead of taking a step. So nothing is changed in place,
and a checkpoint of the parameters holds all of it.
"""

from typing import Any

from reference.params import Params
from reference.rules import Rule

CARRIED = "carried."


def carrying(rule: Rule) -> Rule:
    """The rule for what is learned; what is carried is replaced."""

    def update(params: Params, gradient: Params, state: Any) -> tuple[Params, Any]:
        learned, state = rule.update(apart(params)[0], apart(gradient)[0], state)
        return together(learned, apart(gradient)[1]), state

    return Rule(lambda params: rule.init(apart(params)[0]), update)


def together(learned: Params, carried: Params) -> Params:
    """Both as the parameters of a run."""
    return learned | {CARRIED + name: value for name, value in carried.items()}


def apart(params: Params) -> tuple[Params, Params]:
    """What is learned, and what is carried."""
    carried = {name.removeprefix(CARRIED): p for name, p in params.items() if name.startswith(CARRIED)}
    return {name: p for name, p in params.items() if not name.startswith(CARRIED)}, carried
