"""A desk at which one exercise is tried: answers are run here, in this process, one after the other."""

import copy

import numpy as np
import torch
from nbformat import NotebookNode

from reference.grade.exercises import coded, grading

MUTABLE = np.ndarray | np.random.Generator | torch.Tensor | torch.Generator | list | dict | set


class Desk:
    """What an exercise finds: the setup cells and the earlier solutions of its chapter, run once.

    Before every answer the desk is cleared: names go back to what they were, and arrays, generators and
    containers to what they held.
    """

    def __init__(self, notebook: NotebookNode, name: str):
        self.exercise = next(exercise for exercise in coded(notebook) if exercise.name == name)
        self.solution = self.exercise.solutions[0]
        self.world: dict = {"__name__": "__main__"}
        for cell in notebook.cells[: notebook.cells.index(self.solution)]:
            is_setup = "setup" in cell.metadata.get("tags", [])
            if is_setup or (cell.cell_type == "code" and grading(cell, "solution")):
                self._run(cell.source, cell.id)
        self.names = dict(self.world)
        self.held = self._contents()

    def _contents(self) -> dict:
        """Copies that share with each other what the originals share."""
        return copy.deepcopy(
            {k: v for k, v in self.names.items() if isinstance(v, MUTABLE) and k[:2] != "__"}
        )

    def try_answer(self, answer: str | None = None) -> None:
        """Run the tests on an answer, or on the chapter's own. What they raise comes through."""
        self.world.clear()  # functions of the setup cells look names up in this very dict
        self.world.update(self.names | copy.deepcopy(self.held))
        self._run(self.solution.source if answer is None else answer, self.solution.id)
        for cell in self.exercise.tests:
            self._run(cell.source, cell.id)

    def _run(self, source: str, name: str) -> None:
        exec(compile(source, f"<cell {name}>", "exec"), self.world)
