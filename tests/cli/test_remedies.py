"""Remedies in options of `bntui run`."""

import pytest

from bntui.cli.main import run
from bntui.cli.remedies import OPTION_WORDS, in_options
from bntui.diagnose.remedies import Remedy, RemedyName

OF_RUN = {option for param in run.params for option in param.opts}


@pytest.mark.parametrize("name", RemedyName)
def test_every_remedy_has_words_with_options_that_there_are_and_no_key(name: RemedyName) -> None:
    said = in_options([Remedy(name, momentum=0.9, update=97)])
    assert said
    assert "[" not in said
    assert {word.strip("()") for word in said.split() if word.strip("(").startswith("--")} <= OF_RUN


def test_arguments_are_written_as_they_are_typed() -> None:
    assert in_options([Remedy(RemedyName.SET_MOMENTUM, 0.995)]) == "--momentum 0.995"
    recalibrate = Remedy(RemedyName.RECALIBRATE, update=97)
    assert in_options([recalibrate]) == "recalibrate (--at 97:recalibrate)"


def test_nothing_is_worded_that_no_verdict_names() -> None:
    assert OPTION_WORDS.keys() == set(RemedyName)
