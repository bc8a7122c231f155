"""What a guided experiment is, and what it concludes from the outcomes of its runs.

`reader` reads one. Imports neither torch nor textual.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bntui.core.config import Observation
from bntui.core.estimators import ROWS
from bntui.core.text import literal
from bntui.experiments.claims import Expression, Outcomes, Text
from bntui.experiments.outcome import THREAD, RunOutcome, published


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to the question."""

    text: str
    right: Expression | None
    """The condition under which it is right; the last may have none: it is right where no other is."""


CURVES = {
    "acc": ("train_acc", "training accuracy"),
    "val_acc": ("val_acc", "validation accuracy with running statistics"),
    "val_acc_fresh": ("fresh_acc", "validation accuracy with fresh statistics"),
}
"""The quantities that can be drawn beforehand: a run's series, and what it is called."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of the chart of accuracy: an arm by its name, and one of `CURVES`."""

    arm: str
    quantity: str

    @property
    def series(self) -> str:
        """The name of the series in a run's snapshot."""
        return CURVES[self.quantity][0]

    @property
    def words(self) -> str:
        """What it is called."""
        return CURVES[self.quantity][1]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before the experiment runs."""

    text: str
    choices: tuple[Choice, ...]
    draw: Curve | None = None
    """The curve that the reader draws as well, if any."""

    def right(self, outcomes: Outcomes) -> int | None:
        """Return the number from 1 of the first choice that is right, 0 if none is.

        None where what decides it was not measured.
        """
        for number, choice in enumerate(self.choices, start=1):
            judged = choice.right.judge(outcomes) if choice.right else True
            if judged is not False:
                return number if judged else None
        return 0


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the runs that an experiment compares."""

    name: str
    """As expressions call it."""
    label: str
    options: Mapping[str, Any]
    """Its options, as the command line parses them."""
    words: tuple[str, ...]
    """The same as they are typed."""
    published: int | None
    """The thread's run that this one repeats, by batch size."""
    reads: frozenset[str]
    """The quantities that expressions read of it."""

    def observation(self, asked: Observation) -> Observation:
        """Return what is to be measured: what was asked for, and what expressions read."""
        return replace(
            asked,
            hindsight=asked.hindsight or not self.reads.isdisjoint(ROWS),
            epoch_noise=asked.epoch_noise
            or any(name.startswith("noise_scale") for name in self.reads),
        )

    @property
    def settings(self) -> tuple[str, ...]:
        """Its options to read, in their order: "norm none", "momentum 0.99"."""
        lines: list[list[str]] = []
        for word in self.words:
            if word.startswith("--"):
                lines.append([word.removeprefix("--")])
            else:
                lines[-1].append(word)
        return tuple(literal(" ".join(line)) for line in lines)


@dataclass(frozen=True, slots=True)
class Claim:
    """A condition, the text where it holds, and the one where it doesn't."""

    holds: Expression
    text: Text
    otherwise: Text | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """One guided experiment."""

    number: int
    """Its place in the list, 0 for a file of the user's."""
    name: str
    """What it is called on the command line."""
    title: str
    post: int
    """The post of the thread that it answers, 0 for none."""
    hypothesis: str
    watch: str
    question: Question
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]

    @property
    def heading(self) -> str:
        """Its number, if it has one, and its title."""
        return f"{self.number}. {self.title}" if self.number else self.title

    def note(self, arm: Arm) -> str:
        """Return what the store keeps beside the run of `arm`."""
        number = f"{self.number:02} " if self.number else ""
        return f"{number}{self.name} · {arm.label}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim as it was judged, with the measured values in its text."""

    text: str
    holds: bool | None
    """None where the claim reads something that was not measured."""
    contrary: bool = False
    """Whether the text says what is so instead of a claim that does not hold."""


@dataclass(frozen=True, slots=True)
class ThreadComparison:
    """An arm beside the thread's run that it repeats, both at their end."""

    arm: Arm
    batch: int
    here: RunOutcome
    there: RunOutcome


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What came out of an experiment once all of its arms have run."""

    findings: tuple[Finding, ...]
    chosen: int | None
    """The reader's prediction: the number from 1 of a choice."""
    right: int | None
    """The number of the choice that was right, 0 for none; None where that was not measured."""
    comparisons: tuple[ThreadComparison, ...]
    outcomes: tuple[tuple[str, RunOutcome], ...]
    """Every arm's, under its label."""

    @property
    def runs(self) -> tuple[tuple[str, RunOutcome], ...]:
        """The thread's runs that arms repeat, and below them every arm, by name."""
        there = {
            f"the thread, batch {one.batch}, {len(one.there.history('acc'))} epochs": one.there
            for one in self.comparisons
        }
        return (*there.items(), *self.outcomes)

    @property
    def as_predicted(self) -> bool | None:
        """Whether the prediction was right; None where there was none, or what decides was not measured."""
        if self.chosen is None or self.right is None:
            return None
        return self.chosen == self.right

    def outcome(self, question: Question) -> str:
        """Say which answer was right."""
        if self.right is None:
            return "Which answer is right was not measured"
        if not self.right:
            return "None of the answers was right on this run"
        return f"The answer was [{self.right}] {question.choices[self.right - 1].text}"

    def prediction(self, question: Question) -> str:
        """Say what the reader predicted; nothing if that was nothing."""
        if self.chosen is None:
            return ""
        return f"you predicted [{self.chosen}] {question.choices[self.chosen - 1].text}"

    def answer(self, question: Question) -> str:
        """Say which answer was right, and which the reader predicted."""
        outcome = self.outcome(question)
        if self.chosen is None:
            return outcome
        if self.as_predicted:
            return f"{outcome}, as you predicted"
        return f"{outcome}; {self.prediction(question)}"


def conclude(experiment: Experiment, outcomes: Outcomes, chosen: int | None) -> Conclusion:
    """Judge every claim by the `outcomes` of the arms, which are by name.

    Of an arm without one nothing was measured.
    """
    outcomes = {arm.name: outcomes.get(arm.name, RunOutcome({})) for arm in experiment.arms}
    known = {**outcomes, **{name: published()[batch] for name, batch in THREAD.items()}}
    findings = []
    for claim in experiment.claims:
        holds = claim.holds.judge(known)
        otherwise = claim.otherwise if holds is False else None
        text = (otherwise or claim.text).written(known)
        findings.append(Finding(text, holds, contrary=otherwise is not None))
    comparisons = tuple(
        ThreadComparison(arm, arm.published, outcomes[arm.name], published()[arm.published])
        for arm in experiment.arms
        if arm.published
    )
    labelled = tuple((arm.label, outcomes[arm.name]) for arm in experiment.arms)
    right = experiment.question.right(known)
    return Conclusion(tuple(findings), chosen, right, comparisons, labelled)
