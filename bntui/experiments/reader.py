"""Read one experiment's file, and check it key by key; a mistake is one sentence.

`docs/experiments.md` says how to write one.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from bntui.core.estimators import ROWS
from bntui.core.settings import OPTIONS, given
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
from bntui.experiments.toml_file import TomlFile, shown
from bntui.experiments.toml_lines import Where

MAX_ARMS = 20
MAX_CHOICES = 9
"""Each is answered with a digit."""
POSTS = 5

Compiled = TypeVar("Compiled", Expression, Text)


def parse(text: str, *, name: str, file: str) -> Experiment:
    """Return the experiment that `text` describes; `file` is what messages call it.

    Raises FileError.
    """
    return _Reader(text, file).experiment(name)


class _Reader(TomlFile):
    """Checks what one file says, key by key."""

    def experiment(self, name: str) -> Experiment:
        """Return what the file describes, under this name. Raises FileError."""
        data = self.data
        self.only(
            data,
            (),
            ("title", "post", "hypothesis", "watch", "question", "options", "arm", "claim"),
        )
        arms = self._arms(data)
        question = self._question(self.table(data, ("question",)), arms)
        claims = tuple(
            self._claim(claim, ("claim", place), arms)
            for place, claim in enumerate(self.tables(data, ("claim",)))
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
            title=self.text(data, ("title",)),
            post=self.one_of(data, ("post",), range(POSTS + 1)) or 0,
            hypothesis=self.text(data, ("hypothesis",)),
            watch=self.text(data, ("watch",)),
            question=question,
            arms=tuple(
                replace(arm, reads=frozenset(name for of, name in reads if of == arm.name))
                for arm in arms.values()
            ),
            claims=claims,
        )

    def _arms(self, data: dict[str, Any]) -> dict[str, Arm]:
        common = data.get("options", {})
        self.must_be(common, dict, ("options",), "a table of options")
        tables = self.table(data, ("arm",))
        if not 1 <= len(tables) <= MAX_ARMS:
            raise self.refusal(("arm",), f"give 1 to {MAX_ARMS} of them, as in [arm.large]")
        return {name: self._arm(name, arm, common) for name, arm in tables.items()}

    def _arm(self, name: str, arm: Any, common: dict[str, Any]) -> Arm:
        where: Where = ("arm", name)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name) or name in RESERVED:
            raise self.refusal(
                where, "an arm is called by small letters, digits and _, and not like a function"
            )
        self.must_be(arm, dict, where, "a table of options")
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
            label=self.text(arm, (*where, "label")) if "label" in arm else name,
            options=self.judged(where, partial(given, options)),
            words=tuple(words),
            published=self.one_of(arm, (*where, "published"), published().keys()),
            reads=frozenset(),
        )

    def _option(self, where: Where, key: str, value: Any) -> tuple[list[str], dict[str, Any]]:
        """Return one option as words of a command line, and its value by its field."""
        row = OPTIONS.get(key)
        if row is None:
            known = [*OPTIONS, "label", "published"]
            raise self.refusal(where, f"there is no such option{nearest(key, known)}")
        parse = row.parse
        if parse is None:
            self.must_be(value, bool, where, "true or false")
            return [f"--{key}" if value else f"--no-{key}"], {row.field: value}
        words: list[str] = []
        parsed: list[Any] = []
        for text in self.typed(where, value):
            words += [f"--{key}", text]
            parsed.append(self.judged(where, partial(parse, text)))
        if isinstance(row.default, tuple):
            return words, {row.field: tuple(parsed)}
        return words, {row.field: parsed[-1]}

    def _question(self, question: dict[str, Any], arms: Collection[str]) -> Question:
        self.only(question, ("question",), ("text", "choices", "draw"))
        choices = []
        tables = self.tables(question, ("question", "choices"))
        if not 2 <= len(tables) <= MAX_CHOICES:
            raise self.refusal(("question", "choices"), f"give 2 to {MAX_CHOICES} of them")
        for place, choice in enumerate(tables):
            where: Where = ("question", "choices", place)
            self.only(choice, where, ("text", "right"))
            right = None
            if "right" in choice:
                right = self._compiled(choice, (*where, "right"), arms, compile_condition)
            elif place < len(tables) - 1:
                raise self.refusal((*where, "right"), "only the last choice can be without it")
            choices.append(Choice(self.text(choice, (*where, "text")), right))
        curve = self._curve(question, arms) if "draw" in question else None
        return Question(self.text(question, ("question", "text")), tuple(choices), curve)

    def _curve(self, question: dict[str, Any], arms: Collection[str]) -> Curve:
        """Return the curve that is to be drawn: "arm.val_acc"."""
        where: Where = ("question", "draw")
        arm, _, quantity = self.text(question, where).partition(".")
        if arm not in arms:
            raise self.refusal(where, f"there is no arm {shown(arm)}{nearest(arm, arms)}")
        if quantity not in CURVES:
            fault = f"{shown(quantity)} is no curve that can be drawn"
            raise self.refusal(where, fault + nearest(quantity, CURVES))
        return Curve(arm, quantity)

    def _claim(self, claim: dict[str, Any], where: Where, arms: Collection[str]) -> Claim:
        self.only(claim, where, ("text", "holds", "otherwise"))
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
            return how(self.text(table, where), arms, ROWS)
        except ClaimError as error:
            raise self.refusal(where, str(error)) from None
