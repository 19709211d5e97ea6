"""Axes to draw into, and no figure left open."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]
