"""What a conclusion says must be what its claim checks: of every built-in experiment, without a run."""

import re
from collections.abc import Iterator

import pytest

from bntui.experiments.claims import Expression, Text
from bntui.experiments.experiment import Claim, Experiment
from bntui.experiments.library import built_in
from tests.experiments.expressions import numbers, parts, quantities

GIVEN = {"epochs", "updates", "images"}
"""Quantities that the settings alone decide."""
WORDS = {
    **dict(
        zip(
            ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
            range(2, 11),
            strict=True,
        )
    ),
    **dict(zip(["second", "third", "fourth", "fifth", "sixth"], range(2, 7), strict=True)),
    "twice": 2,
    "sixteen": 16,
    "twenty": 20,
    "hundred": 100,
}
COMPARING = re.compile(
    r"\b(better|worse|best|higher|lower(?! end)|larger|largest|smaller|faster|slower|nearer|sooner"
    r"|more|less|than|instead|against|as well|neither)\b",
    re.IGNORECASE,
)
CLAIMS = [
    pytest.param(experiment, claim, id=f"{experiment.name}-{place}")
    for experiment in built_in()
    for place, claim in enumerate(experiment.claims, start=1)
]


def texts(claim: Claim) -> Iterator[Text]:
    yield claim.text
    if claim.otherwise:
        yield claim.otherwise


def stated(prose: str) -> set[str]:
    """Return the numbers in a prose, also those in words."""
    prose = re.sub(r"[Pp]ost \d", "", prose)
    digits = {
        match.replace(",", "").rstrip(".") for match in re.findall(r"(?<!\w)\d[\d,.]*", prose)
    }
    words = {str(WORDS[word]) for word in re.findall(r"[a-z]+", prose.lower()) if word in WORDS}
    return {
        number.rstrip("0").rstrip(".") if "." in number else number for number in digits | words
    }


def given(experiment: Experiment) -> set[str]:
    """Return the numbers in the settings of an experiment's runs, and those that are arms' names."""
    words = " ".join(word for arm in experiment.arms for word in arm.words)
    names = {str(WORDS[arm.name]) for arm in experiment.arms if arm.name in WORDS}
    return names | set(re.findall(r"\d+(?:\.\d+)?", words))


def judged(experiment: Experiment, claim: Claim, shown: Expression) -> bool:
    """Tell whether the claim compares a number that its text shows, or nobody measured it."""
    of_runs = {
        (arm, name)
        for arm, name in shown.reads
        if name not in GIVEN and arm in {arm.name for arm in experiment.arms}
    }
    return not of_runs or not parts(shown.source).isdisjoint(parts(claim.holds.source))


@pytest.mark.parametrize(("experiment", "claim"), CLAIMS)
def test_every_number_that_a_conclusion_shows_is_compared_by_its_claim(
    experiment: Experiment, claim: Claim
) -> None:
    for text in texts(claim):
        unchecked = [
            shown.source for shown in text.expressions if not judged(experiment, claim, shown)
        ]
        assert not unchecked


@pytest.mark.parametrize(("experiment", "claim"), CLAIMS)
def test_no_conclusion_states_a_number_that_neither_settings_nor_claim_have(
    experiment: Experiment, claim: Claim
) -> None:
    known = given(experiment) | numbers(claim.holds.source)
    for text in texts(claim):
        for expression in text.expressions:
            known |= numbers(expression.source)
        prose = " ".join(part for part in text.parts if isinstance(part, str))
        assert stated(prose) <= known


@pytest.mark.parametrize(("experiment", "claim"), CLAIMS)
def test_a_conclusion_that_compares_has_two_measured_values_in_its_claim(
    experiment: Experiment, claim: Claim
) -> None:
    for text in texts(claim):
        prose = " ".join(part for part in text.parts if isinstance(part, str))
        assert not COMPARING.search(prose) or len(quantities(claim.holds.source)) >= 2


def test_numbers_are_found_in_digits_and_in_words() -> None:
    assert stated("Batch 4,096, 0.990 and 16. Twice the third; m=5, conv1_bn") == {
        *("4096", "0.99", "16", "2", "3"), "5"
    }  # fmt: skip


def test_a_final_value_is_not_that_of_an_epoch() -> None:
    source = 'at(a.acc, 2) - b["0.9"] >= 0.25 and max(c.acc, 1) < 3'
    assert {"at(a.acc, 2)", "b['0.9']", "c.acc", "max(c.acc, 1)"} <= parts(source)
    assert "a.acc" not in parts(source)
    assert quantities(source) == {"at(a.acc, 2)", "b['0.9']", "c.acc"}
    assert numbers(source) == {"2", "0.9", "0.25", "1", "3"}
