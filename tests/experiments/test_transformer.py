"""A step sees itself and what came before it, nothing later and no other sequence; an order is known."""

import numpy as np
import torch

from experiments.transformer import Block, Transformer, sines
from reference.pytorch.nn import init_params


def net():
    made = Transformer(3, 2, width=8, n_heads=2, n_blocks=2)
    made.load_state_dict(init_params(np.random.default_rng(0), made))
    return made


def test_a_step_sees_nothing_later():
    x = torch.randn(6, 2, 3, generator=torch.Generator().manual_seed(0))
    whole = net()(x)
    assert whole.shape == (6, 2, 2)
    torch.testing.assert_close(net()(x[:4]), whole[:4])
    later = x.clone()
    later[4:] += 1
    torch.testing.assert_close(net()(later)[:4], whole[:4])
    assert (net()(later)[4:] - whole[4:]).abs().min() > 1e-5


def test_a_step_sees_all_before_it():
    x = torch.randn(5, 1, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)
    net()(x)[-1].sum().backward()
    assert (x.grad.abs().sum((1, 2)) > 0).all()


def test_no_sequence_meets_another():
    x = torch.randn(5, 3, 3, generator=torch.Generator().manual_seed(2))
    among = net()(x)
    for b in range(3):
        torch.testing.assert_close(net()(x[:, [b]])[:, 0], among[:, b])


def test_the_order_of_what_came_before_matters():
    x = torch.randn(4, 1, 3, generator=torch.Generator().manual_seed(3))
    assert (net()(x)[-1] - net()(x[[1, 0, 2, 3]])[-1]).abs().max() > 1e-4


def test_attention_by_loops():
    block = Block(4, n_heads=2)
    block.load_state_dict(init_params(np.random.default_rng(4), block))
    h = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(4))
    found = block.attend(h)
    parts = block.ask(h).reshape(2, 3, 3, 2, 2)  # batch, step, which of three, head, number
    for b in range(2):
        for t in range(3):
            for head in range(2):
                query = parts[b, t, 0, head]
                scores = torch.stack([query @ parts[b, s, 1, head] for s in range(t + 1)]) / 2**0.5
                expected = sum(w * parts[b, s, 2, head] for s, w in enumerate(scores.softmax(0)))
                torch.testing.assert_close(found[b, t, 2 * head : 2 * head + 2], expected)


def test_sines_are_those_of_the_paper():
    found = sines(7, 6).numpy()
    for position in range(7):
        for i in range(3):
            angle = position / 1e4 ** (2 * i / 6)
            np.testing.assert_allclose(
                found[position, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)], atol=1e-6
            )
