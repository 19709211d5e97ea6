"""What a claim prints, and what it says when it does not hold."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from nbval.plugin import get_sanitize_patterns

from reference.checks import claim
from reference.evaluation import Score
from reference.scratch.autodiff import Tensor

SANITIZE = Path(__file__).parent.parent / "notebooks" / "sanitize.cfg"
SENTENCE = "One is less than two."


def test_a_claim_that_holds_is_printed(capsys):
    claim(SENTENCE, 1 < 2)
    assert capsys.readouterr().out == f"{SENTENCE}\n"


def test_a_claim_that_fails_shows_its_evidence(capsys):
    with pytest.raises(AssertionError, match=r"^does not hold here: Two is less than one. \[here: 2; 1.5\]$"):
        claim("Two is less than one.", np.bool_(False), 2, 1.5)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        (0.123456, "0.123"),
        (7, "7"),
        (np.float64(1e-12), "1e-12"),
        (np.array([[0.5, 1.25], [2, 1e6]]), "0.5, 1.25, 2, 1e+06"),
        (np.arange(100) / 100, "0 to 0.99"),
        (np.arange(3), "0, 1, 2"),
        (torch.tensor([1.0, 2.5], requires_grad=True), "1, 2.5"),
        (Tensor(np.array([1.0, 2.5])), "1, 2.5"),
        (Score(np.array([0.0, 1.0] * 50)), "0.5 +- 0.0985 (95% CI, 100 episodes)"),
        ((0.1234567, 2), "0.123, 2"),
        ({"MAML": 0.987654, "Reptile": [0.5, 0.25]}, "MAML 0.988, Reptile 0.5, 0.25"),
        ({"b", "a"}, "a, b"),
        (set(), "none"),
        (np.array([]), "none"),
        ("two\n lines", "two lines"),
        (None, "None"),
    ],
)
def test_evidence_stands_behind_the_sentence_on_one_short_line(evidence, shown, capsys):
    claim(SENTENCE, True, evidence)
    assert capsys.readouterr().out == f"{SENTENCE} [here: {shown}]\n"


def _compared(text):
    """A text as nbval compares it."""
    for pattern, replacement in get_sanitize_patterns(SANITIZE.read_text(encoding="utf-8")):
        text = re.sub(pattern, replacement, text)
    return text


def test_the_test_of_a_chapter_compares_the_sentence_and_not_the_evidence(capsys):
    for evidence in (0.0104, 0.0107, [1, 2], "a ] within"):
        claim(SENTENCE, True, evidence)
        claim("Another one.", True)
        assert _compared(capsys.readouterr().out) == f"{SENTENCE}\nAnother one.\n"


def test_brackets_elsewhere_are_compared():
    assert _compared("shape [3, 4]; [here it is]\n") == "shape [3, 4]; [here it is]\n"
