"""What is taken for trained, and where it is shown."""

import pytest

from tests.notebooks.trained import Trained

TRAINING = "learned = fit(3)\nROUNDS = 4\ntable = {'a': fit(1)}\nfor k in range(3):\n    curve.append(fit(k))"


def shown(*cells, **about):
    """What the last of these cells shows, after a training cell and the others."""
    trained = Trained()
    assert trained.read(TRAINING + "\nprint(learned)", training=True) == []
    for cell in cells[:-1]:
        trained.read(cell, training=False)
    return trained.read(cells[-1], training=False, **about)


@pytest.mark.parametrize(
    "cells",
    [
        ["print(learned)"],
        ["print(f'{learned:.3f}')"],
        ["print(curve[-1])"],
        ["mean = learned.mean()\nprint(mean)"],
        ["a, (b, *c) = 1, learned\nprint(c)"],
        ["total = 0", "total += learned\nprint(total)"],
        ["x = {}\nx['a'] = learned\nprint(x)"],
        ["x = []\nx.append(learned)\nprint(x)"],
        ["for value in learned:\n    print(value)"],
        ["for name, value in table.items():\n    print(name, value)"],
        ["last = 0\nfor k in range(3):\n    print(last)\n    last = learned"],
        ["print([round(x, 2) for x in learned])"],
        ["print({name: value for name, value in table.items()})"],
        ["print([k for k in range(9) if k > learned])"],
        ["def test(x):\n    return x @ learned", "print(test(3))"],
        ["def test(x):\n    return x @ learned", "def twice(x):\n    return test(x) * 2", "print(twice(3))"],
        ["def show(x):\n    print(x)", "show(learned)"],
        ["def show():\n    print(learned)", "show()"],
        ["if learned > 3:\n    print('it is')"],
        ["if learned > 3:\n    word = 'yes'\nelse:\n    word = 'no'", "print(word)"],
        ["with torch.no_grad():\n    y = net(learned)\nprint(y)"],
        ["display(learned)"],
        ["claim(f'It is {learned}.', True, 1)"],
        ["text = str(learned)", "print(text)"],
    ],
)
def test_a_trained_number_that_is_shown_is_found(cells):
    assert shown(*cells)


@pytest.mark.parametrize(
    "cells",
    [
        ["print(ROUNDS)"],
        ["print(len(curve), learned.shape, learned.numel())"],
        ["claim('It is small.', learned < 3, learned)"],
        ["ax.set_title(f'{learned:.3f}')\nplt.show()"],
        ["learned = 3\nprint(learned)"],
        ["def learned():\n    return 3", "print(learned())"],
        ["for name, value in table.items():\n    print(name)"],
        ["for k, value in enumerate(learned):\n    print(k)"],
        ["print([learned for learned in range(3)])"],
        ["print(sum(x.numel() for x in learned))"],
        ["def test(learned):\n    return learned + 1", "print(test(3))"],
        ["assert learned < 3, f'it is {learned}'"],
        ["learned"],
        ["same(mine, theirs, learned)"],
    ],
)
def test_what_does_not_rest_on_training_or_is_not_compared_passes(cells):
    assert shown(*cells) == []


def test_a_last_value_and_the_message_of_a_cell_that_stops_are_shown():
    assert shown("learned", has_value=True)
    assert not shown("3", has_value=True)
    assert shown("assert learned < 3, f'it is {learned}'", stops=True)
