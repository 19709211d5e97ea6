"""A claim is printed where it holds, and fails with its evidence."""

import numpy as np
import pytest

from reference.checks import claim


def test_a_claim_that_holds_is_printed(capsys):
    claim("One is less than two.", 1 < 2, "no", "evidence", "needed")
    assert capsys.readouterr().out == "One is less than two.\n"


def test_a_claim_that_fails_shows_its_evidence(capsys):
    with pytest.raises(AssertionError, match=r"does not hold here: Two is less than one. \| 2 \| 1.5"):
        claim("Two is less than one.", np.bool_(False), 2, 1.5)
    assert capsys.readouterr().out == ""
