"""A figure reaches a notebook as a small picture that says in words what is to be seen."""

import io

import IPython.display
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from reference import plotting
from reference.plotting.show import picture

ALT = 'A line that rises, "steep" at first & flat later.'


@pytest.fixture
def shown(monkeypatch):
    """What a notebook is given to display."""
    bundles = []
    monkeypatch.setattr(plt, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    monkeypatch.setattr(IPython.display, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def test_a_notebook_gets_one_picture_with_its_words_and_the_figure_is_closed(shown):
    plotting.curves(np.arange(3.0), {"up": np.arange(3.0)})
    plotting.show(ALT)
    (bundle,) = shown
    assert bundle["text/plain"] == ALT
    escaped = "A line that rises, &quot;steep&quot; at first &amp; flat later."
    assert bundle["text/html"].startswith(f'<img alt="{escaped}" src="data:image/png;base64,')
    assert plt.get_fignums() == []


def test_a_script_shows_figures_as_ever(monkeypatch):
    calls = []
    monkeypatch.setattr(plt, "show", lambda: calls.append(plt.get_fignums()))
    plt.figure(7)
    plotting.show(ALT)
    assert calls == [[7]]


def test_nothing_to_show_or_to_say_is_refused(ax):
    with pytest.raises(ValueError, match="a sentence that describes it"):
        plotting.show(" ")
    plt.close("all")
    with pytest.raises(ValueError, match="needs a figure"):
        plotting.show(ALT)


def test_a_picture_is_small_has_no_ground_and_names_no_software():
    with plt.style.context(plotting.STYLE):
        ax = plotting.curves(np.arange(3.0), {"up": np.arange(3.0)})
        raw, exact = picture(ax.figure), io.BytesIO()
        ax.figure.savefig(exact, dpi=100, bbox_inches="tight")
    small = Image.open(io.BytesIO(raw))
    assert small.mode == "P" and small.info.keys() <= {"transparency"}
    assert len(raw) < len(exact.getvalue()) / 2
    assert 550 < small.width < 620  # six inches of a hundred dots, trimmed
    pixels, wanted = (np.asarray(image.convert("RGBA"), float) for image in (small, Image.open(exact)))
    assert pixels[0, 0, 3] == 0
    seen, right = (p[..., :3] * p[..., 3:] / 255 for p in (pixels, wanted))  # on black
    assert abs(seen - right).mean() < 1
