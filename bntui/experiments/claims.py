"""The language of an experiment's claims: expressions of what its runs measured.

    large.val_acc_fresh - large.val_acc >= 0.25          an arm's quantity at the end of its run
    large["0.9"] > large["0.99"]                         a row of the map of momenta, at the end
    highest(large.val_acc, 4, 10) < 0.6 and not …        over epochs 4 to 10

Numbers, + - * /, comparisons, and, or, not, `min`, `max`, `abs`, and the functions of `HISTORY`.
Everything is checked when it is compiled, before a run begins. A comparison with what was not
measured (NaN) is neither true nor false.
"""

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from bntui.experiments.outcome import PUBLISHED_QUANTITIES, QUANTITIES, THREAD, RunOutcome

MAX_LENGTH = 500
MAX_DEPTH = 40

Outcomes = Mapping[str, RunOutcome]
Evaluator = Callable[[Outcomes], float]


class ClaimError(ValueError):
    """An expression or a text with expressions can't be understood; the message says why."""


class NotMeasured(Exception):  # noqa: N818 (an answer, not an error)
    """A quantity that an expression reads has no value in this run."""


def _lowest(history: Sequence[float], first: float, last: float) -> float:
    return min((_measured(value) for value in _epochs(history, first, last)), default=math.nan)


def _highest(history: Sequence[float], first: float, last: float) -> float:
    return max((_measured(value) for value in _epochs(history, first, last)), default=math.nan)


def _at(history: Sequence[float], epoch: float) -> float:
    return _lowest(history, epoch, epoch)


def _epochs_to(history: Sequence[float], level: float) -> float:
    """Return the first epoch at whose end the level is reached, infinity if there is none."""
    reached = (epoch for epoch, value in enumerate(history, start=1) if _measured(value) >= level)
    return next(reached, math.inf) if history else math.nan


def _epochs(history: Sequence[float], first: float, last: float) -> Sequence[float]:
    if math.isinf(first) or math.isinf(last):  # as `epochs_to` gives for what was never reached
        raise NotMeasured
    return history[max(0, math.ceil(first) - 1) : max(0, math.floor(last))]


HISTORY: dict[str, tuple[int, Callable[..., float], str]] = {
    "lowest": (2, _lowest, "lowest(arm.val_acc, 4, 10): the lowest value at the ends of those of epochs 4 to 10 that the run has"),
    "highest": (2, _highest, "highest(arm.val_acc, 4, 10): the highest of them"),
    "at": (1, _at, "at(arm.val_acc, 4): the value at the end of epoch 4"),
    "epochs_to": (1, _epochs_to, "epochs_to(arm.acc, 0.9): the first epoch that reaches 0.9; never is infinite"),
}  # fmt: skip
"""Functions of a quantity over the epochs: how many numbers they take beside it, the function, its description."""

NUMBERS: dict[str, Callable[..., float]] = {"min": min, "max": max, "abs": abs}
ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISONS: dict[type, Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
RESERVED = {*HISTORY, *NUMBERS, *THREAD, "and", "or", "not"}
"""Names that no arm can have."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: a number, or a condition."""

    source: str
    is_condition: bool
    reads: frozenset[tuple[str, str]]
    """The arms that it reads, each with the quantity or the row of the map of momenta."""
    _evaluate: Evaluator = field(compare=False, repr=False)

    def number(self, outcomes: Outcomes) -> float:
        """Return the value; NaN where something was not measured."""
        try:
            return _measured(self._evaluate(outcomes))
        except NotMeasured:
            return math.nan

    def judge(self, outcomes: Outcomes) -> bool | None:
        """Tell whether the condition holds; None where something was not measured."""
        try:
            return bool(self._evaluate(outcomes))
        except NotMeasured:
            return None


@dataclass(frozen=True, slots=True)
class Text:
    """A text with measured values in it: {arm.val_acc:.3f}."""

    parts: tuple[str | tuple[Expression, str], ...]

    def written(self, outcomes: Outcomes) -> str:
        """Return the text with the values of one run."""
        return "".join(
            part if isinstance(part, str) else _written(part[0].number(outcomes), part[1])
            for part in self.parts
        )

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions in it."""
        return tuple(part[0] for part in self.parts if not isinstance(part, str))


def compile_condition(source: str, arms: Collection[str], rows: Collection[str]) -> Expression:
    """Compile a condition. Raises ClaimError.

    `arms` and `rows` are the names that it may use, of arms and of rows of the map of momenta.
    """
    expression = _compile(source, arms, rows)
    if not expression.is_condition:
        raise ClaimError(f"{_quoted(source)} is a number: compare it with another, as in x >= 0.9")
    return expression


def compile_text(source: str, arms: Collection[str], rows: Collection[str]) -> Text:
    """Compile a text with {expression:format}; {{ and }} are braces. Raises ClaimError."""
    parts: list[str | tuple[Expression, str]] = []
    for literal, value in re.findall(r"((?:[^{}]|\{\{|\}\})+)|(\{[^{}]*\}|[{}])", source):
        if literal:
            parts.append(literal.replace("{{", "{").replace("}}", "}"))
            continue
        inner, _, form = value[1:-1].partition(":")
        if not inner.strip():
            raise ClaimError("a brace is without a partner or empty: write {{ or }} for a brace")
        if not re.fullmatch(r",?(\.\d)?[fge%]", form):
            raise ClaimError(
                f"{_quoted(value)} has no format that is understood: "
                "give one such as {x:.3f}, {x:.0%} or {x:,.0f}"
            )
        expression = _compile(inner, arms, rows)
        if expression.is_condition:
            raise ClaimError(f"{_quoted(inner)} is no number")
        parts.append((expression, form))
    return Text(tuple(parts))


def _written(value: float, form: str) -> str:
    if math.isnan(value):
        return "(not measured)"
    return "never" if math.isinf(value) else format(value, form)


def _measured(value: float) -> float:
    if math.isnan(value):
        raise NotMeasured
    return value


def _compile(source: str, arms: Collection[str], rows: Collection[str]) -> Expression:
    source = " ".join(source.split())
    if len(source) > MAX_LENGTH:
        raise ClaimError(f"an expression has {len(source):,} characters, and may have {MAX_LENGTH}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on code that is refused anyway
            tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ClaimError(f"{_quoted(source)} is not an expression") from None
    reader = _Reader(arms, rows)
    try:
        is_condition, evaluate = reader.read(tree.body, 0)
    except RecursionError:  # from ast.unparse, for a message about what is not understood anyway
        raise ClaimError("an expression is nested too deeply") from None
    return Expression(source, is_condition, frozenset(reader.reads), evaluate)


class _Reader:
    """Turns the syntax tree of one expression into a function, and refuses what it doesn't know."""

    def __init__(self, arms: Collection[str], rows: Collection[str]) -> None:
        self._arms = arms
        self._rows = rows
        self.reads: set[tuple[str, str]] = set()

    def read(self, node: ast.expr, depth: int) -> tuple[bool, Evaluator]:
        """Return whether the node is a condition, and the function that evaluates it."""
        if depth > MAX_DEPTH:
            raise ClaimError("an expression is nested too deeply")
        match node:
            case ast.BoolOp(op=joint, values=values):
                parts = [self._condition(value, depth) for value in values]
                every = all if isinstance(joint, ast.And) else any
                # A list, not a generator: every part is evaluated, so that NotMeasured is raised for any of them.
                return True, lambda outcomes: every([part(outcomes) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inside = self._condition(operand, depth)
                return True, lambda outcomes: not inside(outcomes)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return True, self._comparison([left, *others], ops, depth)
            case _:
                return False, self._number(node, depth)

    def _condition(self, node: ast.expr, depth: int) -> Evaluator:
        is_condition, evaluate = self.read(node, depth + 1)
        if not is_condition:
            raise ClaimError(f"{_quoted(ast.unparse(node))} is a number and neither true nor false")
        return evaluate

    def _comparison(
        self, nodes: Sequence[ast.expr], ops: Sequence[ast.cmpop], depth: int
    ) -> Evaluator:
        sides = [self._number(node, depth + 1) for node in nodes]
        for op in ops:
            if type(op) not in COMPARISONS:
                raise ClaimError("numbers are compared with <, <=, >, >=, == and != only")
        tests = [COMPARISONS[type(op)] for op in ops]

        def evaluate(outcomes: Outcomes) -> bool:
            values = [_measured(side(outcomes)) for side in sides]
            pairs = zip(tests, values, values[1:], strict=False)
            return all(test(left, right) for test, left, right in pairs)

        return evaluate

    def _number(self, node: ast.expr, depth: int) -> Evaluator:
        if depth > MAX_DEPTH:
            raise ClaimError("an expression is nested too deeply")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._constant(value)
            case ast.Attribute() | ast.Subscript():
                arm, name = self._quantity(node)
                return lambda outcomes: _measured(outcomes[arm].final(name))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inside = self._number(operand, depth + 1)
                return lambda outcomes: -inside(outcomes)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                a, b = self._number(left, depth + 1), self._number(right, depth + 1)
                return _arithmetic(ARITHMETIC[type(op)], a, b)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in NUMBERS:
                parts = [self._number(arg, depth + 1) for arg in args]
                if not parts or (name == "abs") != (len(parts) == 1):
                    raise ClaimError(f"{name} takes {'one number' if name == 'abs' else 'several'}")
                function = NUMBERS[name]
                return lambda outcomes: function(*(_measured(part(outcomes)) for part in parts))
            case ast.Call(func=ast.Name(id=name), args=[of, *args], keywords=[]) if name in HISTORY:
                count, over_epochs, words = HISTORY[name]
                arm, quantity = self._quantity(of)
                limits = [self._number(arg, depth + 1) for arg in args]
                if len(limits) != count:
                    raise ClaimError(f"{name} is used so: {words}")
                return lambda outcomes: over_epochs(
                    outcomes[arm].history(quantity),
                    *(_measured(limit(outcomes)) for limit in limits),
                )
            case _:
                raise ClaimError(f"{_quoted(ast.unparse(node))} is not understood")

    def _constant(self, value: int | float) -> Evaluator:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            raise ClaimError("a number is too large")
        return lambda _: number

    def _quantity(self, node: ast.expr) -> tuple[str, str]:
        match node:
            case ast.Attribute(value=ast.Name(id=arm), attr=name):
                known = PUBLISHED_QUANTITIES if arm in THREAD else tuple(QUANTITIES)
                fault = f"{_quoted(name)} is no measured quantity of {_quoted(arm)}"
            case ast.Subscript(value=ast.Name(id=arm), slice=ast.Constant(value=str() as name)):
                known = () if arm in THREAD else tuple(self._rows)
                fault = f"{_quoted(name)} is no row of the map of momenta of {_quoted(arm)}"
            case _:
                raise ClaimError(
                    f"{_quoted(ast.unparse(node))} is not understood: "
                    'give a quantity such as arm.val_acc or arm["0.9"]'
                )
        if arm not in self._arms and arm not in THREAD:
            raise ClaimError(f"there is no arm {_quoted(arm)}{nearest(arm, self._arms)}")
        if name not in known:
            raise ClaimError(fault + nearest(name, known))
        self.reads.add((arm, name))
        return arm, name


def _arithmetic(op: Callable[[float, float], float], a: Evaluator, b: Evaluator) -> Evaluator:
    def evaluate(outcomes: Outcomes) -> float:
        try:
            return _measured(op(a(outcomes), b(outcomes)))
        except (ZeroDivisionError, OverflowError):
            raise NotMeasured from None

    return evaluate


def nearest(name: str, known: Collection[str]) -> str:
    """Return what a message says of the nearest known name, or of all."""
    close = get_close_matches(name, list(known), 1)
    if close:
        return f"; the nearest is {close[0]}"
    return f"; there are {', '.join(known)}" if known else ""


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
