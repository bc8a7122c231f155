"""Read one experiment's file, and check it key by key; a mistake is one sentence.

`docs/experiments.md` says how to write one.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from bntui.core.estimators import ROWS
from bntui.core.settings import OPTIONS, given
from bntui.core.text import ConfigError, literal
from bntui.experiments import toml_lines
from bntui.experiments.claims import (
    RESERVED,
    ClaimError,
    Expression,
    Text,
    compile_condition,
    compile_text,
    nearest,
)
from bntui.experiments.experiment import CURVES, Arm, Choice, Claim, Curve, Experiment, Question
from bntui.experiments.outcome import published
from bntui.experiments.toml_lines import Where

MAX_BITS = 64
"""Of a whole number, as TOML has it; Python would not write out thousands of digits."""
MAX_ARMS = 20
MAX_CHOICES = 9
"""Each is answered with a digit."""
POSTS = 5

Compiled = TypeVar("Compiled", Expression, Text)


class ExperimentError(ConfigError):
    """A file is no experiment; the message is one sentence with the file, the line and the key."""


def parse(text: str, *, name: str, file: str) -> Experiment:
    """Return the experiment that `text` describes; `file` is what messages call it.

    Raises ExperimentError.
    """
    try:
        lines = toml_lines.lines(text)
        data = tomllib.loads(text)
    except toml_lines.TooManyParts as error:
        raise ExperimentError(f"{file}, line {error.line}: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).removesuffix(")").rpartition(" (at ")
        place = where.partition(",")[0].replace(
            "end of document", f"line {text.count(chr(10)) + 1}"
        )
        raise ExperimentError(f"{file}, {place}: {literal(what)}.") from None
    except ValueError:  # of Python's own: a whole number of thousands of digits
        raise ExperimentError(f"{file}: a number in it has too many digits.") from None
    except RecursionError:
        raise ExperimentError(f"{file}: its brackets are nested too deeply.") from None
    return _Reader(file, lines).experiment(data, name)


class _Reader:
    """Checks what one file says, key by key."""

    def __init__(self, file: str, lines: Mapping[Where, int]) -> None:
        self._file = file
        self._lines = lines

    def experiment(self, data: dict[str, Any], name: str) -> Experiment:
        self._only(
            data,
            (),
            ("title", "post", "hypothesis", "watch", "question", "options", "arm", "claim"),
        )
        arms = self._arms(data)
        question = self._question(self._table(data, ("question",)), arms)
        claims = tuple(
            self._claim(claim, ("claim", place), arms)
            for place, claim in enumerate(self._tables(data, ("claim",)))
        )
        expressions = [claim.holds for claim in claims]
        for claim in claims:
            expressions += claim.text.expressions
            expressions += claim.otherwise.expressions if claim.otherwise else ()
        expressions += [choice.right for choice in question.choices if choice.right]
        reads = {read for expression in expressions for read in expression.reads}
        return Experiment(
            number=0,
            name=name,
            title=self._text(data, ("title",)),
            post=self._one_of(data, ("post",), range(POSTS + 1)) or 0,
            hypothesis=self._text(data, ("hypothesis",)),
            watch=self._text(data, ("watch",)),
            question=question,
            arms=tuple(
                replace(arm, reads=frozenset(name for of, name in reads if of == arm.name))
                for arm in arms.values()
            ),
            claims=claims,
        )

    def _arms(self, data: dict[str, Any]) -> dict[str, Arm]:
        common = data.get("options", {})
        self._is(common, dict, ("options",), "a table of options")
        tables = self._table(data, ("arm",))
        if not 1 <= len(tables) <= MAX_ARMS:
            raise self._refusal(("arm",), f"give 1 to {MAX_ARMS} of them, as in [arm.large]")
        return {name: self._arm(name, arm, common) for name, arm in tables.items()}

    def _arm(self, name: str, arm: Any, common: dict[str, Any]) -> Arm:
        where: Where = ("arm", name)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name) or name in RESERVED:
            raise self._refusal(
                where, "an arm is called by small letters, digits and _, and not like a function"
            )
        self._is(arm, dict, where, "a table of options")
        own = {key: value for key, value in arm.items() if key not in {"label", "published"}}
        words: list[str] = []
        options: dict[str, Any] = {}
        for key, value in {**common, **own}.items():
            at: Where = (*where, key) if key in own else ("options", key)
            typed, parsed = self._option(at, key, value)
            words += typed
            options |= parsed
        return Arm(
            name=name,
            label=self._text(arm, (*where, "label")) if "label" in arm else name,
            options=self._judged(where, partial(given, options)),
            words=tuple(words),
            published=self._one_of(arm, (*where, "published"), published().keys()),
            reads=frozenset(),
        )

    def _option(self, where: Where, key: str, value: Any) -> tuple[list[str], dict[str, Any]]:
        """Return one option as words of a command line, and its value by its field."""
        row = OPTIONS.get(key)
        if row is None:
            known = [*OPTIONS, "label", "published"]
            raise self._refusal(where, f"there is no such option{nearest(key, known)}")
        parse = row.parse
        if parse is None:
            self._is(value, bool, where, "true or false")
            return [f"--{key}" if value else f"--no-{key}"], {row.field: value}
        words: list[str] = []
        parsed: list[Any] = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, bool) or not isinstance(item, str | int | float):
                raise self._refusal(where, "an option is a number or a text")
            if isinstance(item, int) and item.bit_length() > MAX_BITS:
                raise self._refusal(where, f"give whole numbers of at most {MAX_BITS} bits")
            text = str(item)
            words += [f"--{key}", text]
            parsed.append(self._judged(where, partial(parse, text)))
        if isinstance(row.default, tuple):
            return words, {row.field: tuple(parsed)}
        return words, {row.field: parsed[-1] if parsed else None}

    def _judged(self, where: Where, judge: Callable[[], Any]) -> Any:
        try:
            return judge()
        except ConfigError as error:
            raise self._refusal(where, str(error).rstrip(".")) from None

    def _question(self, question: dict[str, Any], arms: Collection[str]) -> Question:
        self._only(question, ("question",), ("text", "choices", "draw"))
        choices = []
        tables = self._tables(question, ("question", "choices"))
        if not 2 <= len(tables) <= MAX_CHOICES:
            raise self._refusal(("question", "choices"), f"give 2 to {MAX_CHOICES} of them")
        for place, choice in enumerate(tables):
            where: Where = ("question", "choices", place)
            self._only(choice, where, ("text", "right"))
            right = None
            if "right" in choice:
                right = self._compiled(choice, (*where, "right"), arms, compile_condition)
            elif place < len(tables) - 1:
                raise self._refusal((*where, "right"), "only the last choice can be without it")
            choices.append(Choice(self._text(choice, (*where, "text")), right))
        curve = self._curve(question, arms) if "draw" in question else None
        return Question(self._text(question, ("question", "text")), tuple(choices), curve)

    def _curve(self, question: dict[str, Any], arms: Collection[str]) -> Curve:
        """Return the curve that is to be drawn: "arm.val_acc"."""
        where: Where = ("question", "draw")
        arm, _, quantity = self._text(question, where).partition(".")
        if arm not in arms:
            raise self._refusal(where, f"there is no arm {shown(arm)}{nearest(arm, arms)}")
        if quantity not in CURVES:
            fault = f"{shown(quantity)} is no curve that can be drawn"
            raise self._refusal(where, fault + nearest(quantity, CURVES))
        return Curve(arm, quantity)

    def _claim(self, claim: dict[str, Any], where: Where, arms: Collection[str]) -> Claim:
        self._only(claim, where, ("text", "holds", "otherwise"))
        return Claim(
            holds=self._compiled(claim, (*where, "holds"), arms, compile_condition),
            text=self._compiled(claim, (*where, "text"), arms, compile_text),
            otherwise=self._compiled(claim, (*where, "otherwise"), arms, compile_text)
            if "otherwise" in claim
            else None,
        )

    def _compiled(
        self,
        table: dict[str, Any],
        where: Where,
        arms: Collection[str],
        how: Callable[[str, Collection[str], Collection[str]], Compiled],
    ) -> Compiled:
        try:
            return how(self._text(table, where), arms, ROWS)
        except ClaimError as error:
            raise self._refusal(where, str(error)) from None

    def _text(self, table: dict[str, Any], where: Where) -> str:
        """Return a text in one paragraph, with what would control a terminal written out."""
        value = table.get(str(where[-1]))
        self._is(value, str, where, "a text")
        text = " ".join(literal(word) for word in str(value).split())
        if not text:
            raise self._refusal(where, "this is empty")
        return text

    def _one_of(self, table: dict[str, Any], where: Where, known: Collection[int]) -> int | None:
        value = table.get(str(where[-1]))
        if value is None or (type(value) is int and value in known):
            return value
        raise self._refusal(where, f"give one of {', '.join(map(str, known))}")

    def _table(self, table: dict[str, Any], where: Where) -> dict[str, Any]:
        value = table.get(str(where[-1]))
        self._is(value, dict, where, "a table")
        assert isinstance(value, dict)
        return value

    def _tables(self, table: dict[str, Any], where: Where) -> list[dict[str, Any]]:
        value = table.get(str(where[-1]))
        self._is(value, list, where, "a list of tables")
        assert isinstance(value, list)
        for place, item in enumerate(value):
            self._is(item, dict, (*where, place), "a table")
        return value

    def _only(self, table: dict[str, Any], where: Where, known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                raise self._refusal((*where, key), f"there is no such key{nearest(key, known)}")

    def _is(self, value: Any, kind: type, where: Where, what: str) -> None:
        if value is None:
            raise self._refusal(where, f"it is missing: give {what}")
        if not isinstance(value, kind):
            raise self._refusal(where, f"{shown(value)} is not {what}")

    def _refusal(self, where: Where, fault: str) -> ExperimentError:
        """Return the error with the file, the line of the key or of what it is in, and the key."""
        line = next(
            (
                self._lines[where[:length]]
                for length in range(len(where), 0, -1)
                if where[:length] in self._lines
            ),
            None,
        )
        place = f"{self._file}, line {line}" if line else self._file
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in where)
        return ExperimentError(f"{place}, {literal(key[:80])}: {literal(fault)}.")


def shown(value: object) -> str:
    """Return a value as a message shows it: cut where it is long."""
    try:
        words = repr(value)
    except ValueError:  # Python writes out no whole number of thousands of digits
        return "a number of too many digits"
    return words if len(words) <= 60 else words[:59] + "…"
