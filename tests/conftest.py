"""What many tests share."""

import importlib.util
import itertools
import sys

import pytest
from hypothesis import settings

from tests.sides import PYTORCH, SCRATCH, Side

# The same cases in every run, however busy the machine is.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")
numbers = itertools.count()


@pytest.fixture(params=[SCRATCH, PYTORCH], ids=lambda side: side.name)
def side(request) -> Side:
    """Either side of the course: the test runs once for each."""
    return request.param


@pytest.fixture(scope="session")
def as_users_meet():
    """Loads a module of `reference` anew without the shapes that pytest enforces: it says what users read."""

    def load(name):
        spec = importlib.util.find_spec(name)
        plain = importlib.util.spec_from_file_location(f"plain_{next(numbers)}_{name}", spec.origin)
        module = importlib.util.module_from_spec(plain)
        sys.modules[plain.name] = module  # dataclasses look there
        plain.loader.exec_module(module)
        return module

    return load
