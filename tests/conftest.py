"""What many tests share."""

import pytest

from tests.sides import PYTORCH, SCRATCH, Side


@pytest.fixture(params=[SCRATCH, PYTORCH], ids=lambda side: side.name)
def side(request) -> Side:
    """Either side of the course: the test runs once for each."""
    return request.param
