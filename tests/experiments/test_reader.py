"""Experiments as files: what is read, and what is refused with the file, the line and the key."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bntui.core.config import Change, Knobs, Observation
from bntui.core.estimators import ROWS
from bntui.experiments.claims import HISTORY
from bntui.experiments.experiment import Curve, Experiment, conclude
from bntui.experiments.library import built_in, config_of
from bntui.experiments.outcome import QUANTITIES, RunOutcome
from bntui.experiments.reader import parse
from bntui.experiments.toml_file import FileError
from bntui.measure.validation import HINDSIGHT_NAMES

GOOD = '''\
title = "Two momenta"
post = 1
hypothesis = """
Old values stay
for long."""
watch = "the gap"

[question]
text = "Which is better?"
choices = [
    { text = "0.99", right = "slow.val_acc > fast.val_acc" },
    { text = "0.9", right = "slow.val_acc < fast.val_acc" },
    { text = "neither" },
]

[options]
width = 0.25
at = ["3:momentum=0.5", "4:recalibrate"]

[arm.slow]
momentum = 0.99
published = 4096

[arm.fast]
label = "m = 0.9"
momentum = 0.9
bn = true
at = "5:lr=0.1"

[[claim]]
holds = "fast.val_acc > slow.val_acc"
text = "{fast.val_acc:.2f} is more than {slow.val_acc:.2f}"
otherwise = "{fast.val_acc:.2f} is no more than {slow.val_acc:.2f}"

[[claim]]
holds = 'slow["0.9"] > 0.5 and thread_4096.val_acc < 0.2'
text = "{slow.acc:.2f}"
'''


def read(text: str) -> Experiment:
    return parse(text, name="two", file="two.toml")


def refusal(text: str) -> str:
    with pytest.raises(FileError) as caught:
        read(text)
    sentence = str(caught.value)
    assert re.fullmatch(r"two\.toml(, line \d+)?[,:] .+\.", sentence), sentence
    assert sentence.isprintable()
    return sentence


def with_curve(draw: str) -> str:
    """Return an experiment whose question has `draw` set to this."""
    return GOOD.replace('text = "Which is better?"', f'text = "Which is better?"\ndraw = {draw}')


def line_of(fragment: str, text: str = GOOD) -> str:
    return f"line {text[: text.index(fragment)].count(chr(10)) + 1}, "


class TestReading:
    def test_a_file_becomes_an_experiment(self) -> None:
        experiment = read(GOOD)
        assert (experiment.name, experiment.title, experiment.post) == ("two", "Two momenta", 1)
        assert experiment.hypothesis == "Old values stay for long."
        assert [choice.text for choice in experiment.question.choices] == ["0.99", "0.9", "neither"]
        slow, fast = experiment.arms
        assert (slow.name, slow.label, slow.published) == ("slow", "slow", 4096)
        assert (fast.name, fast.label, fast.published) == ("fast", "m = 0.9", None)

    def test_what_expressions_read_is_measured(self) -> None:
        slow, fast = read(GOOD.replace("fast.val_acc > slow", "fast.noise_scale > slow")).arms
        asked = Observation(live=False)
        assert slow.observation(asked) == replace(asked, hindsight=True)
        assert fast.observation(asked) == replace(asked, epoch_noise=True)

    def test_an_arm_is_a_command_line_over_the_common_options(self) -> None:
        slow, fast = read(GOOD).arms
        assert slow.words == (
            *("--width", "0.25", "--at", "3:momentum=0.5", "--at", "4:recalibrate"),
            *("--momentum", "0.99"),
        )
        assert config_of(slow, {}).at == (Change(3, "momentum", 0.5), Change(4, "recalibrate"))
        assert config_of(fast, {}).at == (Change(5, "learning_rate", 0.1),)
        assert "--bn" in fast.words
        assert (config_of(fast, {}).width, config_of(fast, {}).knobs) == (0.25, Knobs(momentum=0.9))

    def test_options_of_the_command_line_go_over_an_arms_own(self) -> None:
        (arm, _) = read(GOOD).arms
        config = config_of(arm, {"width": 1.0, "seed": 7, "momentum": 0.5})
        assert (config.width, config.seed, config.knobs.momentum) == (1.0, 7, 0.5)

    @pytest.mark.parametrize(
        ("quantity", "series"),
        [("acc", "train_acc"), ("val_acc", "val_acc"), ("val_acc_fresh", "fresh_acc")],
    )
    def test_a_curve_of_accuracy_may_be_drawn_beforehand(self, quantity: str, series: str) -> None:
        curve = read(with_curve(f'"fast.{quantity}"')).question.draw
        assert curve == Curve("fast", quantity)
        assert curve.series == series
        assert read(GOOD).question.draw is None

    def test_hostile_text_is_shown_and_does_nothing(self) -> None:
        long = "x" * 10_000
        text = GOOD.replace("Two momenta", f"[red]\\u001b[31m:smile:\\u0000\\u202e {long}")
        assert read(text).title == rf"[red]\x1b[31m:smile:\x00\u202e {long}"


class TestConclusion:
    OUTCOMES = {
        "slow": RunOutcome({"val_acc": (0.1, 0.2), "acc": (1.0, 1.0), "0.9": (0.0, 0.9)}),
        "fast": RunOutcome({"val_acc": (0.1, 0.9)}),
    }

    def test_claims_that_hold(self) -> None:
        conclusion = conclude(read(GOOD), self.OUTCOMES, 1)
        assert [(found.text, found.holds) for found in conclusion.findings] == [
            ("0.90 is more than 0.20", True),
            ("1.00", True),
        ]
        assert (conclusion.chosen, conclusion.right) == (1, 2)
        (comparison,) = conclusion.comparisons
        assert (comparison.arm.name, comparison.batch) == ("slow", 4096)
        assert comparison.there.final("val_acc") == 0.1141

    def test_a_claim_that_doesnt_hold_says_the_contrary_or_itself(self) -> None:
        outcomes = {"slow": self.OUTCOMES["fast"], "fast": self.OUTCOMES["slow"]}
        first, second = conclude(read(GOOD), outcomes, None).findings
        assert (first.text, first.holds) == ("0.20 is no more than 0.90", False)
        assert (first.contrary, second.contrary) == (True, False)
        assert (second.text, second.holds) == ("(not measured)", None)
        low = RunOutcome({"val_acc": (0.9,), "acc": (1.0,), "0.9": (0.1,)})
        _, second = conclude(read(GOOD), {**outcomes, "slow": low}, None).findings
        assert (second.text, second.holds) == ("1.00", False)

    def test_without_a_measurement_no_answer_is_right_and_no_contrary_is_said(self) -> None:
        conclusion = conclude(read(GOOD), {"slow": RunOutcome({}), "fast": RunOutcome({})}, 3)
        assert (conclusion.right, conclusion.as_predicted) == (None, None)
        question = read(GOOD).question
        assert conclusion.answer(question) == (
            "Which answer is right was not measured; you predicted [3] neither"
        )
        assert conclusion.findings[0].text == "(not measured) is more than (not measured)"
        assert not conclusion.findings[0].contrary

    def test_an_arm_that_did_not_run_was_not_measured(self) -> None:
        conclusion = conclude(read(GOOD), {"slow": self.OUTCOMES["slow"]}, None)
        assert [found.holds for found in conclusion.findings] == [None, True]
        assert [label for label, _ in conclusion.outcomes] == ["slow", "m = 0.9"]

    def test_where_no_answer_is_right_a_prediction_is_wrong(self) -> None:
        without = GOOD.replace('    { text = "neither" },\n', "")
        same = {**self.OUTCOMES, "fast": self.OUTCOMES["slow"]}
        conclusion = conclude(read(without), same, 1)
        assert (conclusion.right, conclusion.as_predicted) == (0, False)
        assert conclusion.answer(read(without).question) == (
            "None of the answers was right on this run; you predicted [1] 0.99"
        )

    def test_the_last_choice_is_right_where_no_other_is(self) -> None:
        same = {**self.OUTCOMES, "fast": self.OUTCOMES["slow"]}
        assert conclude(read(GOOD), same, 3).right == 3


class TestRefusals:
    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('title = "Two momenta"', "title = 3", "title: 3 is not a text"),
            ('title = "Two momenta"', 'title = " "', "title: this is empty"),
            ("post = 1", "post = 6", "post: give one of 0, 1, 2, 3, 4, 5"),
            ("post = 1", "post = true", "post: give one of"),
            ("post = 1", "posst = 1", "posst: there is no such key; the nearest is post"),
            ("published = 4096", "published = 128", "arm.slow.published: give one of 4096, 64"),
            ("momentum = 0.9\n", "momentun = 0.9\n", "arm.fast.momentun: there is no such option; the nearest is momentum"),
            ("momentum = 0.99", "momentum = 1.5", "arm.slow.momentum: momentum 1.5 is out of range"),
            ("momentum = 0.99", "momentum = true", "arm.slow.momentum: an option is a number"),
            ("momentum = 0.99", "momentum = {}", "arm.slow.momentum: an option is a number"),
            ("momentum = 0.99", "momentum = 1979-05-27", "arm.slow.momentum: an option"),
            ("bn = true", "bn = 1", "arm.fast.bn: 1 is not true or false"),
            ("width = 0.25", "width = 99", "options.width: width 99 is out of range"),
            ('at = "5:lr=0.1"', 'at = "5:lr"', "arm.fast.at: change '5:lr' is not understood"),
            ("[arm.slow]", "[arm.Slow]", "arm.Slow: an arm is called by small letters"),
            ("[arm.slow]", "[arm.lowest]", "arm.lowest: an arm is called by small letters"),
            ("[arm.slow]", "[arm.sloww]", "question.choices.1.right: there is no arm 'slow'; the nearest is sloww"),
            ("fast.val_acc > slow.val_acc", "fast.vall_acc > slow.val_acc", "claim.1.holds: 'vall_acc' is no measured quantity of 'fast'; the nearest is val_acc"),
            ("{slow.acc:.2f}", "{slow.acc}", "claim.2.text: '{slow.acc}' has no format"),
            ("otherwise =", "otherwize =", "claim.1.otherwize: there is no such key; the nearest is otherwise"),
            ('text = "Which is better?"', "", "question.text: it is missing"),
        ],
    )  # fmt: skip
    def test_a_mistake_is_named_with_its_line_and_key(self, old: str, new: str, said: str) -> None:
        text = GOOD.replace(old, new, 1)
        assert text != GOOD
        sentence = refusal(text)
        assert said in sentence
        if "missing" not in said and "choices" not in said:
            assert line_of(new, text) in sentence

    def test_a_key_of_an_inline_table_has_the_line_of_the_list(self) -> None:
        text = GOOD.replace('text = "0.99", right', 'text = "0.99", rihgt')
        assert f"{line_of('choices')}question.choices.1.rihgt" in refusal(text)

    @pytest.mark.parametrize(
        ("draw", "said"),
        [
            ("3", "3 is not a text"),
            ('["slow.val_acc"]', "['slow.val_acc'] is not a text"),
            ('""', "this is empty"),
            ('"val_acc"', "there is no arm 'val_acc'; there are slow, fast"),
            ('"sloww.val_acc"', "there is no arm 'sloww'; the nearest is slow"),
            ('"slow"', "'' is no curve that can be drawn; there are acc, val_acc, val_acc_fresh"),
            ('"slow.val_loss"', "'val_loss' is no curve that can be drawn; there are acc, "),
            (
                '"slow.val_acc.fresh"',
                "'val_acc.fresh' is no curve that can be drawn; the nearest is",
            ),
            ('"\\u001b[2J.val_acc"', "there is no arm"),
        ],
    )
    def test_only_a_curve_of_an_arm_can_be_drawn(self, draw: str, said: str) -> None:
        text = with_curve(draw)
        sentence = refusal(text)
        assert f"question.draw: {said}" in sentence
        assert line_of("draw =", text) in sentence

    def test_only_the_last_choice_may_be_right_without_a_reason(self) -> None:
        text = GOOD.replace(', right = "slow.val_acc > fast.val_acc"', "")
        assert "question.choices.1.right: only the last" in refusal(text)

    def test_keys_in_texts_of_many_lines_are_no_keys(self) -> None:
        text = GOOD.replace("for long.", "post = 9\n[arm.slow]\n").replace("post = 1", "post = 8")
        assert line_of("post = 8", text) in refusal(text)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("title = ", "two.toml, line 1: Invalid value."),
            ("a = 1\nb = = 2", "two.toml, line 2: "),
            ("title = 'x", "two.toml, "),
            ("a = 1\na = 2", "two.toml, "),
            ("a = '\x00'", "two.toml, line 1: "),
            ("a = " + "[" * 100_000, "nested too deeply"),
            ("", "arm: it is missing"),
            ("arm = 3", "line 1, arm: 3 is not a table"),
            ("[arm]", "line 1, arm: give 1 to 20"),
            ("[arm.x]\n[[options]]", "line 2, options: [{}] is not a table"),
            ("[arm.x]\nclaim = 3", "arm.x.claim: there is no such option"),
            ("claim = 3\n" + GOOD.partition("[[claim]]")[0], "line 1, claim: 3 is not a list"),
            ("claim = [3]\n" + GOOD.partition("[[claim]]")[0], "line 1, claim.1: 3 is not a table"),
            ('"\\u001b[31m" = 1\n', r"\x1b[31m: there is no such key"),
            ("'" + "k" * 5000 + "' = 1\n", "there is no such key"),
            (GOOD.replace('"Two momenta"', "[0x" + "f" * 5000 + "]"), "title: a number of too"),
            *(
                (text % ("a." * 20_000), "a key has more than 10 parts")
                for text in ("%sa = 1", "[%sa]", "[[%sa]]", "x = {%sa = 1}", "x = [{%s'a' = 1}]")
            ),
            ('"a" . ' * 20_000 + "a = 1", "a key has more than 10 parts"),
        ],
    )
    def test_what_is_no_experiment_is_refused_in_one_sentence(self, text: str, said: str) -> None:
        sentence = refusal(text)
        assert said in sentence
        assert len(sentence) < 400

    @pytest.mark.parametrize(
        "text",
        [
            *(mark * 50_000 for mark in ("0", "[", "[ ", '"', "'", "a ", ". .", "{", "\\", "#")),
            *(f"a = {mark * 50_000}" for mark in ("0", "1", "[", '"', "'", "a.", "{a=")),
            "a = [\n" + "1" * 24 + "0" * 24 + "\n]",
            "[" + " " * 50_000,
            "a = " + '"""\\' * 50_000,
            "a = " + "'''a" * 50_000,
        ],
        ids=lambda text: ascii(text[:9]),
    )
    def test_the_time_to_refuse_grows_as_the_text_does(self, text: str) -> None:
        begun = time.process_time()
        assert len(refusal(text)) < 400
        assert time.process_time() - begun < 10  # a second is plenty, and what it guards was hours

    def test_lines_are_counted_as_tomllib_counts_them(self) -> None:
        odd = 'for \\""" \u2028 \x85 "" long.'
        text = GOOD.replace("for long.", odd).replace("post = 1", "post = 8")
        assert line_of("post = 8", text) in refusal(text)
        text = text.replace("post = 8", "post = 1").replace("published = 4096", "published = 8")
        assert line_of("published = 8", text) in refusal(text)

    def test_too_many_arms(self) -> None:
        assert "arm: give 1 to 20" in refusal("".join(f"[arm.a{i}]\n" for i in range(21)))


class TestDocs:
    DOCS = (Path(__file__).parents[2] / "docs/experiments.md").read_text(encoding="utf-8")

    def test_its_example_is_an_experiment(self) -> None:
        (example,) = re.findall(r"```toml\n(.*?)```", self.DOCS, re.DOTALL)
        assert len(read(example).arms) == 2

    def test_it_lists_the_built_in_experiments(self) -> None:
        for experiment in built_in():
            row = f"| {experiment.number} | `{experiment.name}` | {experiment.post} | {experiment.title} |"
            assert row in self.DOCS

    def test_it_documents_every_quantity_function_and_row(self) -> None:
        for name, what in QUANTITIES.items():
            assert f"| `{name}` | {what} |" in self.DOCS
        for _, _, words in HISTORY.values():
            form, _, what = words.partition(": ")
            assert f"| `{form}` | {what} |" in self.DOCS
        for row in ROWS:
            assert row in self.DOCS


def test_the_rows_are_those_that_a_run_measures() -> None:
    assert ROWS == HINDSIGHT_NAMES
