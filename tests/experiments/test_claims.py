"""The language of claims: what it computes, and what it refuses before anything runs."""

import math

import pytest

from bntui.experiments.claims import MAX_LENGTH, ClaimError, compile_condition, compile_text
from bntui.experiments.outcome import QUANTITIES, RunOutcome, published

ROWS = ("0.9", "0.99")
A = RunOutcome({"val_acc": (0.5, 0.2, 0.4), "acc": (0.9, 0.95, 1.0), "0.9": (0.1, 0.7, 0.8)})
B = RunOutcome({"val_acc": (0.8, 0.9, 0.95), "loss": (math.nan,) * 3})
OUTCOMES = {"a": A, "b": B, "thread_64": published()[64]}


def judged(source: str) -> bool | None:
    return compile_condition(source, ("a", "b"), ROWS).judge(OUTCOMES)


def written(source: str) -> str:
    return compile_text(source, ("a", "b"), ROWS).written(OUTCOMES)


def refusal(source: str) -> str:
    with pytest.raises(ClaimError) as caught:
        compile_condition(source, ("a", "b"), ROWS)
    return str(caught.value)


class TestValues:
    @pytest.mark.parametrize(
        ("source", "value"),
        [
            ("a.val_acc", "0.40"),
            ('a["0.9"]', "0.80"),
            ("b.val_acc - a.val_acc", "0.55"),
            ("-a.val_acc * 2 + 1", "0.20"),
            ("(a.acc + a.val_acc) / 2", "0.70"),
            ("min(a.acc, b.val_acc, 2)", "0.95"),
            ("max(a.acc, b.val_acc)", "1.00"),
            ("abs(a.val_acc - 1)", "0.60"),
            ("lowest(a.val_acc, 1, 3)", "0.20"),
            ("lowest(a.val_acc, 3, 9)", "0.40"),
            ("highest(a.val_acc, 2, 3)", "0.40"),
            ('highest(a["0.9"], 1, 2)', "0.70"),
            ("at(a.val_acc, 1)", "0.50"),
            ("epochs_to(b.val_acc, 0.9)", "2.00"),
            ("epochs_to(b.val_acc, 0.99)", "never"),
            ("thread_64.val_acc", "0.99"),
            ("lowest(a.val_acc, 4, 9)", "(not measured)"),
            ("b.loss", "(not measured)"),
            ("b.log_var_ratio", "(not measured)"),
            ("epochs_to(b.seconds, 1)", "(not measured)"),
            ("lowest(a.val_acc, 1, epochs_to(a.acc, 2))", "(not measured)"),
            ("highest(a.val_acc, epochs_to(a.acc, 2), 3)", "(not measured)"),
            ("at(a.val_acc, epochs_to(a.acc, 2))", "(not measured)"),
            ("at(a.val_acc, -epochs_to(a.acc, 2))", "(not measured)"),
            ("lowest(a.val_acc, 1, 1e308 * 10)", "(not measured)"),
            ("lowest(a.val_acc, epochs_to(b.seconds, 1), 3)", "(not measured)"),
            ("at(a.val_acc, lowest(a.val_acc, 8, 9))", "(not measured)"),
            ("epochs_to(a.acc, at(a.acc, 9))", "(not measured)"),
            ("at(a.val_acc, epochs_to(a.acc, 0.95))", "0.20"),
            ("lowest(a.val_acc, -1e300, 1e300)", "0.20"),
            ("1 / (a.acc - 1)", "(not measured)"),
        ],
    )
    def test_a_text_has_the_measured_values_in_it(self, source: str, value: str) -> None:
        assert written(f"so {{{source}:.2f}}.") == f"so {value}."

    def test_formats_and_braces(self) -> None:
        assert written("{{x}} {a.val_acc:.0%} {a.val_acc * 10000:,.0f} {a.val_acc:g}") == (
            "{x} 40% 4,000 0.4"
        )

    @pytest.mark.parametrize(
        ("source", "true"),
        [
            ("a.val_acc < b.val_acc", True),
            ("a.val_acc > b.val_acc", False),
            ("0.3 < a.val_acc <= 0.4 < 0.5", True),
            ("0.3 < a.val_acc < 0.35 < 0.5", False),
            ("a.acc >= 1 and not a.val_acc >= 1", True),
            ("a.acc < 1 or a.val_acc < 1", True),
            ("a.acc < 1 or a.val_acc > 1", False),
            ("epochs_to(b.val_acc, 0.8) < epochs_to(a.val_acc, 0.8)", True),
            ("epochs_to(a.val_acc, 0.8) < epochs_to(a.val_acc, 0.9)", False),
        ],
    )
    def test_what_is_true_of_the_outcomes_holds(self, source: str, true: bool) -> None:
        assert judged(source) is true

    @pytest.mark.parametrize(
        "source",
        [
            "b.loss < 1",
            "not b.loss < 1",
            "b.loss != b.loss",
            "b.loss < 1 or a.acc > 0",
            "a.acc > 0 or b.loss < 1",
            "not (a.acc < 0 and b.loss < 1)",
            "min(b.loss, 1) <= 1",
            "max(1, b.loss) >= 1",
            "lowest(b.loss, 1, 3) < 1 or a.acc > 0",
            "a.acc / 0 > 0",
            "not a.acc / 0 > 0",
        ],
    )
    def test_what_was_not_measured_is_neither_true_nor_false(self, source: str) -> None:
        assert judged(source) is None

    def test_an_expression_tells_what_it_reads(self) -> None:
        expression = compile_condition('a["0.9"] > lowest(b.val_acc, 1, 2)', ("a", "b"), ROWS)
        assert expression.reads == {("a", "0.9"), ("b", "val_acc")}

    def test_every_quantity_can_be_spoken_of(self) -> None:
        for name in QUANTITIES:
            compile_condition(f"a.{name} > 0", ("a",), ROWS)


class TestRefusals:
    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("a.vall_acc > 0", "the nearest is val_acc"),
            ("c.val_acc > 0", "there is no arm 'c'"),
            ('a["0.91"] > 0', "the nearest is 0.9"),
            ("thread_64.val_acc_fresh > 0", "the nearest is val_acc"),
            ('thread_64["0.9"] > 0', "no row"),
            ("a.val_acc", "is a number"),
            ("a.val_acc and a.acc > 0", "neither true nor false"),
            ("lowest(a.val_acc, 1) > 0", "used so"),
            ("lowest(0.5, 1, 2) > 0", "give a quantity"),
            ("abs() > 0", "abs takes one number"),
            ("abs(1, 2) > 0", "abs takes one number"),
            ("min() > 0", "min takes several"),
            ("1e999 > 0", "too large"),
            ("9" * 400 + " > 0", "too large"),
            ("1 <", "not an expression"),
            ("", "not an expression"),
            ("1 > \0", "not an expression"),
            ("(" * 300, "not an expression"),
            ("a[" + "-" * 490 + "1] > 0", "nested too deeply"),
            ("f(" + "-" * 480 + "1) > 0", "nested too deeply"),
            ("1 > " + "-" * 100 + "1", "nested too deeply"),
            ("not " * 100 + "1 > 0", "nested too deeply"),
            ("1 > " + "1 +" * MAX_LENGTH + "1", "characters"),
        ],
    )
    def test_what_cant_be_meant_is_said(self, source: str, said: str) -> None:
        assert said in refusal(source)

    @pytest.mark.parametrize(
        "source",
        [
            "__import__('os').system('true') > 0",
            "open('/etc/passwd') > 0",
            "a.__class__ > 0",
            "a.val_acc.real > 0",
            "a.values['acc'] > 0",
            "(lambda: 1)() > 0",
            "[x for x in (1, 2)] > 0",
            "2 ** 9 > 0",
            "1 << 9 > 0",
            "'a' < 'b'",
            "True > 0",
            "None == 1",
            "a == b",
            "a.acc is 1",
            "a.acc in (1, 2)",
            "min(*a) > 0",
            "min(1, 2, key=abs) > 0",
            "lowest(a.acc, first=1, last=2) > 0",
            "a['acc':'loss'] > 0",
            "(x := 1) > 0",
            "1 if a.acc > 0 else 2",
            'f"{a}" > 0',
            "1j > 0",
        ],
    )
    def test_nothing_else_of_python_is_understood(self, source: str) -> None:
        assert refusal(source)

    @pytest.mark.parametrize(
        "text",
        [
            "{",
            "}",
            "{}",
            "{ }",
            "{a.val_acc",
            "{a.val_acc}",
            "{a.val_acc:}",
            "{a.val_acc:>99999999999}",
            "{a.val_acc:.99f}",
            "{a.val_acc!r:.3f}",
            "{a.acc > 0:.3f}",
            "{a.no_such:.3f}",
            "{{a.acc:.3f}",
            "{a.{b}:.3f}",
        ],
    )
    def test_a_text_that_cant_be_filled_in_is_refused(self, text: str) -> None:
        with pytest.raises(ClaimError):
            compile_text(text, ("a",), ROWS)
