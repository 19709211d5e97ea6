"""Nodes, notes and arrows of a graph."""

from matplotlib.colors import to_hex

from reference import plotting

SQUARE = {"a": (0, 0), "b": (1, 0), "c": (1, 1)}


def test_a_graph_names_its_nodes_fills_the_dark_ones_and_writes_notes(ax):
    plotting.graph(SQUARE, [("a", "b"), ("c", "b")], dark=["b"], notes={"c": "0.5"}, ax=ax)
    boxes = {text.get_text(): text for text in ax.texts if text.get_bbox_patch() is not None}
    assert {name: box.get_position() for name, box in boxes.items()} == SQUARE
    assert to_hex(boxes["b"].get_bbox_patch().get_facecolor()).upper() == plotting.COLOURS[0]
    assert boxes["a"].get_bbox_patch().get_facecolor()[-1] == 0
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert [(arrow.xyann, arrow.xy) for arrow in arrows] == [((0, 0), (1, 0)), ((1, 1), (1, 0))]
    assert "0.5" in [text.get_text() for text in ax.texts]


def test_the_arrows_of_a_graph_stop_at_the_boxes_so_that_wide_names_hide_no_head(ax):
    plotting.graph({"a": (0, 0), "a rather wide name": (1, 0)}, [("a", "a rather wide name")], ax=ax)
    boxes = {text.get_text(): text.get_bbox_patch() for text in ax.texts}
    (arrow,) = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert (arrow.patchA, arrow.patchB) == (boxes["a"], boxes["a rather wide name"])
    ax.figure.canvas.draw()
    tip = arrow.get_transform().transform(arrow.get_path().vertices)[:, 0].max()
    assert tip < boxes["a rather wide name"].get_window_extent().x0
