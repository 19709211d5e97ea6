"""Enforces annotations in `reference` under pytest: shapes by jaxtyping, all else by beartype.

jaxtyping's own import hook wraps every function so that shapes can be bound, which costs a call of a small
function twenty times its own time. Here that is done only to those whose annotations hold a shape.
"""

import ast
import inspect
import sys
import typing
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader

from beartype import beartype
from jaxtyping import AbstractArray, jaxtyped

WITH_SHAPES = jaxtyped(typechecker=beartype)


def checked(thing):
    """The function, property or class, with its annotations enforced."""
    if isinstance(thing, property):
        return property(*(part and checked(part) for part in (thing.fget, thing.fset, thing.fdel)))
    if isinstance(thing, classmethod | staticmethod):
        return type(thing)(checked(thing.__func__))
    if inspect.isclass(thing):
        return WITH_SHAPES(thing)  # the arguments of a dataclass; its methods are functions
    annotations = inspect.get_annotations(thing).values()
    if inspect.isgeneratorfunction(thing) or any(map(_has_shape, annotations)):
        return WITH_SHAPES(thing)
    return beartype(thing) if annotations else thing


def _has_shape(annotation) -> bool:
    if isinstance(annotation, str) or (inspect.isclass(annotation) and issubclass(annotation, AbstractArray)):
        return True
    return any(map(_has_shape, typing.get_args(annotation)))


class _Decorate(ast.NodeTransformer):
    """Puts `checked` nearest to every function and outermost on every class."""

    def visit_FunctionDef(self, node):
        node.decorator_list.append(ast.copy_location(ast.Name("__checked__", ast.Load()), node))
        return self.generic_visit(node)

    def visit_ClassDef(self, node):
        node.decorator_list.insert(0, ast.copy_location(ast.Name("__checked__", ast.Load()), node))
        return self.generic_visit(node)


class _Loader(SourceFileLoader):
    def get_code(self, fullname):
        """The decorated code; never from a cache, which holds the bare one."""
        tree = ast.parse(self.get_data(self.path), self.path)
        return compile(_Decorate().visit(tree), self.path, "exec", dont_inherit=True)

    def exec_module(self, module):
        """Run it with `checked` at hand."""
        module.__checked__ = checked
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def __init__(self, package):
        self.package = package

    def find_spec(self, fullname, path=None, target=None):
        """The usual place, with the loader above."""
        if fullname.split(".")[0] != self.package:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def enforce(package: str) -> None:
    """From now on the modules of this package are imported with their annotations enforced."""
    sys.meta_path.insert(0, _Finder(package))
