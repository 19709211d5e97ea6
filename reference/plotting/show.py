"""How a figure reaches a reader: as a small picture with its alternative text, on light and dark pages alike.

JupyterLab and the HTML export drop what the metadata of an image/png say. They keep the `alt` of an <img> in
HTML, and JupyterLab shows it in a notebook that it does not trust yet, too.
"""

import base64
import html
import io

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image


def show(alt: str) -> None:
    """Show the figure that was drawn last and close it; `alt` says in words what is to be seen.

    Let it be the last line of a cell. Outside a notebook, the figures are shown as plt.show() does.
    Raises ValueError if nothing was drawn, or if `alt` is empty.
    """
    if not plt.get_fignums() or not alt.strip():
        raise ValueError("show(alt) needs a figure, drawn before, and a sentence that describes it.")
    if "inline" not in plt.get_backend():
        return plt.show()
    from IPython.display import display

    data = base64.b64encode(picture(plt.gcf())).decode()
    plt.close()
    img = f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
    display({"text/html": img, "text/plain": alt}, raw=True)


def picture(figure: Figure) -> bytes:
    """The figure as a PNG of at most 256 colours, a hundred dots to the inch, that names no software."""
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, bbox_inches="tight")
    Image.open(drawn).quantize(256).save(small, format="PNG", optimize=True)
    return small.getvalue()
