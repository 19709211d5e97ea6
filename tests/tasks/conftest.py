"""What several tests of tasks share."""

import importlib.util
import itertools
import sys

import pytest

numbers = itertools.count()


@pytest.fixture(scope="session")
def as_users_meet():
    """Loads a module of `reference` anew, without the shapes that pytest enforces: it says what users read."""

    def load(name):
        spec = importlib.util.find_spec(name)
        plain = importlib.util.spec_from_file_location(f"plain_{next(numbers)}_{name}", spec.origin)
        module = importlib.util.module_from_spec(plain)
        sys.modules[plain.name] = module  # dataclasses look there
        plain.loader.exec_module(module)
        return module

    return load
