"""The figures that chapters share or put under sliders, by part of the course.

Each `show_*` draws one figure and works without any front end, so a chapter calls it once by itself, and
`reference.widgets.sliders` puts a control to each of its keyword arguments. No state is kept.
"""

from reference.figures.adapting import show_fixed_points, show_inner_steps, show_rates
from reference.figures.comparing import show_attention, show_cells, show_descent
from reference.figures.foundations import show_backward, show_episode, show_interval
from reference.figures.remembering import show_head, show_memory_step
from reference.figures.scores import score_ladder

__all__ = [
    "score_ladder",
    "show_attention",
    "show_backward",
    "show_cells",
    "show_descent",
    "show_episode",
    "show_fixed_points",
    "show_head",
    "show_inner_steps",
    "show_interval",
    "show_memory_step",
    "show_rates",
]
