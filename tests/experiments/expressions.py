"""What an expression of an experiment is made of, for tests that hold texts and figures against it."""

import ast
from collections.abc import Iterator

from bntui.core.estimators import ROWS
from bntui.experiments.claims import HISTORY, Outcomes, compile_text


def parts(source: str) -> set[str]:
    """Return every expression that is part of it. `a.acc` is none of `at(a.acc, 2)`."""
    return {ast.unparse(node) for node in _nodes(ast.parse(source, mode="eval").body)}


def quantities(source: str) -> set[str]:
    """Return every measured value in it, such as `a.acc`, `a["0.9"]` and `at(a.acc, 2)`."""
    nodes = _nodes(ast.parse(source, mode="eval").body)
    return {ast.unparse(node) for node in nodes if isinstance(node, _VALUES) or _of_history(node)}


def numbers(source: str) -> set[str]:
    """Return every number that is written in it, names of rows of the map of momenta included."""
    constants = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {f"{node.value:g}" if isinstance(node.value, float) else str(node.value) for node in constants}  # fmt: skip


def comparisons(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield the left side, the sign and the right side of every comparison in it."""
    signs = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
    for node in ast.walk(ast.parse(source, mode="eval")):
        if isinstance(node, ast.Compare):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            for left, op, right in zip(sides, node.ops, sides[1:], strict=False):
                yield left, signs[type(op)], right


def value(source: str, outcomes: Outcomes) -> str:
    """Return a number that was measured, to be read."""
    return compile_text(f"{{{source}:.3f}}", tuple(outcomes), ROWS).written(outcomes)


_VALUES = (ast.Attribute, ast.Subscript)


def _of_history(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in HISTORY


def _nodes(node: ast.expr) -> Iterator[ast.expr]:
    yield node
    for child in () if _of_history(node) else ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _nodes(child)
