"""Where a chapter shows what training gave; the last digits of such numbers depend on the processor.

What a cell tagged `training` binds is trained, and so is what is computed from it: through assignments,
loops, conditions, and functions that use it. The walk looks at names alone and runs nothing; it would rather
suspect too much. Counts, shapes and the names of a dict's entries are free of it.
"""

import ast
from collections.abc import Iterator

COUNTS = {"len", "isinstance", "type", "same"}
SHAPES = {"shape", "dtype", "ndim", "size", "device", "n", "keys", "numel"}
SHOWS = {"print", "display"}


class Trained:
    """The names that hold trained numbers, from the first cell to the one last read."""

    def __init__(self, names=()):
        self.names: set[str] = set(names)
        self.printers: set[str] = set()  # functions that print
        self.stops = False  # whether the cell is to fail, so that its message is shown

    def read(self, source: str, *, training: bool, stops: bool = False, has_value: bool = False) -> list[str]:
        """Take in one cell; what it shows of trained numbers, unless it is a training cell itself."""
        body = ast.parse(source).body
        self.stops = stops
        found = list(self._statements(body, training, False))
        last = body[-1] if body else None
        if has_value and isinstance(last, ast.Expr) and self.uses(last.value):
            found.append(f"shows {ast.unparse(last.value)[:60]}")
        return [] if training else found

    def uses(self, node: ast.AST | None) -> bool:
        """Whether the value of this expression rests on a trained number."""
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in COUNTS:
            return False
        if isinstance(node, ast.Attribute) and node.attr in SHAPES:
            return False
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return self._uses_in_comprehension(node)
        return node is not None and any(map(self.uses, ast.iter_child_nodes(node)))

    def _uses_in_comprehension(self, node: ast.expr) -> bool:
        """A comprehension has names of its own; what it makes counts, and how it chooses."""
        inner = Trained(self.names)
        for part in node.generators:
            inner._loop(part.target, part.iter)
        made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return any(map(inner.uses, [*made, *(test for part in node.generators for test in part.ifs)]))

    def _statements(self, body: list[ast.stmt], training: bool, inside: bool) -> Iterator[str]:
        """`inside` a condition on trained numbers even a constant tells of them."""
        for statement in body:
            yield from self._statement(statement, training, inside)

    def _statement(self, node: ast.stmt, training: bool, inside: bool) -> Iterator[str]:
        match node:
            case ast.FunctionDef():
                self._function(node)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, inside or self._is_trained(value, training))
            case ast.AnnAssign(target=target, value=value) if value:
                self._bind(target, inside or self._is_trained(value, training))
            case ast.AugAssign(target=target, value=value):
                if inside or self._is_trained(value, training) or self.uses(target):
                    self._bind(target, True)
            case ast.For(target=target, iter=iterable):
                self._loop(target, iterable)
                for _ in range(2):  # what the end of a round binds, the next round uses
                    found = list(self._statements(node.body, training, inside))
                yield from found
            case ast.While() | ast.If():
                closer = inside or self.uses(node.test)
                yield from self._statements(node.body + node.orelse, training, closer)
            case ast.With():
                for item in node.items:
                    if item.optional_vars:
                        self._bind(item.optional_vars, self.uses(item.context_expr))
                yield from self._statements(node.body, training, inside)
            case ast.Assert(msg=message) if self.stops and self.uses(message):
                yield f"writes {ast.unparse(message)[:60]}"
            case ast.Expr(value=ast.Call() as call):
                yield from self._call(call, training, inside)

    def _is_trained(self, value: ast.expr, training: bool) -> bool:
        """A training cell may bind constants, which have no call in them."""
        computed = any(isinstance(n, ast.Call) for n in ast.walk(value))
        return self.uses(value) or (training and computed)

    def _bind(self, target: ast.expr, is_trained: bool) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._bind(part, is_trained)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, is_trained)
        elif isinstance(target, ast.Name) and not is_trained:
            self.names.discard(target.id)
        elif is_trained:  # x = ..., x[i] = ..., x.part = ...
            while not isinstance(target, ast.Name):
                target = target.value if hasattr(target, "value") else ast.Name("_")
            self.names.add(target.id)

    def _loop(self, target: ast.expr, iterable: ast.expr) -> None:
        """The keys of a dict, and the count of a loop, are not trained; what stands beside them is."""
        name = getattr(
            getattr(iterable, "func", None), "attr", getattr(getattr(iterable, "func", None), "id", "")
        )
        if name in {"items", "enumerate"} and isinstance(target, ast.Tuple):
            self._bind(target.elts[0], False)
            target = target.elts[1]
        self._bind(target, self.uses(iterable))

    def _function(self, node: ast.FunctionDef) -> None:
        """A function is trained if it uses a trained name that is not its own."""
        own = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
        own |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        inner = Trained(self.names - own)
        self._bind(ast.Name(node.name), any(map(inner.uses, node.body)))
        calls = {getattr(n.func, "id", "") for n in ast.walk(node) if isinstance(n, ast.Call)}
        (self.printers.add if calls & (SHOWS | self.printers) else self.printers.discard)(node.name)

    def _call(self, call: ast.Call, training: bool, inside: bool) -> Iterator[str]:
        """A call that stands alone: it may print what it is given, or add it to what it is a method of."""
        name = getattr(call.func, "id", "")
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if name == "claim":
            given = given[:1]  # the sentence is compared, the evidence is not
        if name in SHOWS | self.printers | {"claim"} and (inside or any(map(self.uses, [call.func, *given]))):
            yield f"shows {ast.unparse(call)[:60]}"
        if isinstance(call.func, ast.Attribute) and (
            inside or any(self._is_trained(value, training) for value in given)
        ):
            self._bind(call.func.value, True)


def _called(node: ast.expr) -> str:
    """The name of the function or method that a call calls."""
    function = getattr(node, "func", None)
    return getattr(function, "attr", getattr(function, "id", ""))
