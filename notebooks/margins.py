"""How far the comparisons that decide a chapter's claims are from coming out otherwise.

A chapter's text knows nothing of this: it is rewritten as it is read. Claims record instead of raising, each
comparison that a claim rests on gives its margin, and the seeds of the chapter's cells can be moved.
"""

import ast
import operator
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from nbformat import NotebookNode

from notebooks.build import read_source

CLOSE = {"isclose", "allclose"}  # np.isclose(a, b) asks whether abs(a - b) <= atol + rtol * abs(b)
SEEDED = {"default_rng", "manual_seed"}

# Reading a chapter: what its comparisons become


class Rewrite(ast.NodeTransformer):
    """Claims record, the comparisons that decide them are measured, and seeds can be moved."""

    def __init__(self, tree: ast.AST):
        self.measured = _deciding(tree)  # functions and names whose comparisons decide a claim
        self.depth = 0

    def visit_Compare(self, node):
        self.generic_visit(node)
        if not self.depth:
            return node
        operators = ast.Tuple([ast.Constant(type(op).__name__) for op in node.ops], ast.Load())
        return _call("compare", operators, node.left, *node.comparators)

    def visit_Call(self, node):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name == "claim":
            return self._claim(node)
        self.generic_visit(node)
        if name in CLOSE and self.depth:
            return _call("close", node.func, *node.args, keywords=node.keywords)
        if name in SEEDED and node.args:
            node.args[0] = _call("seed", node.args[0])
        return node

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        return _call("negate", _later(node.operand)) if isinstance(node.op, ast.Not) and self.depth else node

    def visit_Assign(self, node):
        names = [n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        decided = [name for name in names if name in self.measured]
        self._visit_inside(node, enter=bool(decided))
        if decided:
            node.value = _call("keep", ast.Constant(" ".join(decided)), _later(node.value))
        return node

    def visit_FunctionDef(self, node):
        self._visit_inside(node, enter=node.name in self.measured)
        return node

    def _claim(self, node):
        sentence, holds = node.args[:2]
        names = sorted(_names(holds) & self.measured)
        self.depth += 1
        holds = self.visit(holds)
        self.depth -= 1
        return _call("claim", sentence, _later(holds), ast.Constant(" ".join(names)))

    def _visit_inside(self, node, *, enter):
        self.depth += enter
        self.generic_visit(node)
        self.depth -= enter


def _call(name: str, *arguments: ast.expr, keywords=()) -> ast.Call:
    margins = ast.Attribute(ast.Name("__margins__", ast.Load()), name, ast.Load())
    return ast.Call(margins, list(arguments), list(keywords))


def _later(value: ast.expr) -> ast.Lambda:
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), value)


def _deciding(tree: ast.AST) -> set[str]:
    """The names that the conditions of claims use, and the functions that these are made with."""
    made: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            made.setdefault(node.name, set()).update(_names(node))
        elif isinstance(node, ast.Assign):
            for name in {name for target in node.targets for name in _names(target)}:
                made.setdefault(name, set()).update(_names(node.value))
    claims = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "claim"]
    used = {name for claim in claims for name in _names(claim.args[1])} & made.keys()
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return used | {name for first in used for name in made[first] & functions}


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


# Running it: what the rewritten comparisons do

_SIGNS = {"Lt": -1, "LtE": -1, "Gt": 1, "GtE": 1}
_OPERATORS = {
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Is": operator.is_,
    "IsNot": operator.is_not,
    "In": lambda item, holder: item in holder,
    "NotIn": lambda item, holder: item not in holder,
}


class Margins:
    """What a running chapter's comparisons come to: [margin, margin as a part of the larger side], each."""

    def __init__(self, shift: int):
        self.shift, self.open, self.kept, self.claims = shift, [], {}, []

    def seed(self, seed):
        """The seed, moved; a list of numbers has its first moved."""
        if isinstance(seed, list | tuple):
            return type(seed)([seed[0] + self.shift, *seed[1:]])
        return seed + self.shift if isinstance(seed, int) else seed

    def compare(self, operators, *sides):
        """What the comparison gives; its margin goes to the claim that is being decided."""
        result = True
        for name, (left, right) in zip(operators, pairwise(sides), strict=True):
            result = _OPERATORS[name](left, right)
            if name in _SIGNS:
                self._note(left, right, _SIGNS[name])
            if len(operators) > 1 and not result:
                break
        return result

    def close(self, function, a, b, **how):
        """What np.isclose and its like give; the margin is the part of the tolerance that is left."""
        allowed = how.get("atol", 1e-8) + how.get("rtol", 1e-5) * abs(_numbers(b))
        self._note(abs(_numbers(a) - _numbers(b)) / allowed, 1, -1)
        return function(a, b, **how)

    def negate(self, condition):
        """The opposite of the condition; so are its margins."""
        if not self.open:
            return not condition()
        value, found = self._watch(condition)
        self.open[-1] += [[-margin, -part] for margin, part in found]
        return not value

    def keep(self, names, value):
        """The value; the margins that came up while it was made wait for a claim that names it."""
        value, found = self._watch(value)
        self.kept.update(dict.fromkeys(names.split(), found))
        return value

    def claim(self, sentence, holds, names):
        """Record whether the claim holds, and its smallest margin of those that agree with that."""
        value, found = self._watch(holds)
        found = found or [pair for name in names.split() for pair in self.kept.get(name, [])]
        agreeing = [pair for pair in found if (pair[0] >= 0) == bool(value)]
        margin, part = min(agreeing, key=lambda pair: abs(pair[0]), default=(None, None))
        self.claims.append({"claim": sentence, "holds": bool(value), "margin": margin, "part": part})

    def fails(self, what):
        """Record something that should not happen."""
        self.claims.append({"claim": what, "holds": False, "margin": None, "part": None})

    def _watch(self, value):
        self.open.append([])
        try:
            return value(), self.open[-1]
        finally:
            self.open.pop()

    def _note(self, left, right, sign):
        if not self.open:
            return
        try:
            left, right = _numbers(left), _numbers(right)
            margin = sign * (left - right)
        except (TypeError, ValueError):
            return  # sets, strings: equal or not, without a margin
        with np.errstate(invalid="ignore"):  # a side that went off to infinity has no size to compare with
            part = margin / np.maximum(np.maximum(abs(left), abs(right)), 1e-300)
        if np.size(part):
            at = np.argmin(margin)
            self.open[-1].append([float(np.ravel(margin)[at]), float(np.ravel(part)[at])])


def _numbers(x) -> np.ndarray:
    x = x.detach().cpu() if hasattr(x, "detach") else getattr(x, "value", x)
    return np.asarray(x, dtype=float)


def measured(source: Path, *, moved: bool = False) -> Iterator[tuple[NotebookNode, ast.Module]]:
    """The code cells of a chapter, and what is run for them. Where seeds move, exercises keep theirs."""
    code = [cell for cell in read_source(source).cells if cell.cell_type == "code"]
    rewrite = Rewrite(ast.parse("\n".join(cell.source for cell in code)))
    for cell in code:
        if "interactive" in cell.metadata.get("tags", []):
            continue
        tree = ast.parse(cell.source)
        if not (moved and "nbgrader" in cell.metadata):
            tree = ast.fix_missing_locations(rewrite.visit(tree))
        yield cell, tree


def run(source: Path, shift: int = 0) -> list[dict]:
    """The claims of a chapter as they come out here; a cell that stops or warns is one that does not hold."""
    margins = Margins(shift)
    world = {"__name__": "__main__", "__margins__": margins}
    for cell, tree in measured(source, moved=bool(shift)):
        with warnings.catch_warnings(record=True) as warned:
            try:
                exec(compile(tree, f"<cell {cell.id}>", "exec"), world)
            except BrokenPipeError:  # who asked for the run is gone: no fault of the chapter
                raise
            except Exception as error:
                if "raises-exception" not in cell.metadata.get("tags", []):
                    margins.fails(f"Cell {cell.id} stops: {type(error).__name__}: {str(error)[:300]}")
        for warning in warned:
            margins.fails(f"Cell {cell.id} warns: {warning.message}")
    return margins.claims
