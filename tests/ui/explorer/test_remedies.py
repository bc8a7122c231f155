"""Remedies in the explorer's keys."""

import re

import pytest

from bntui.diagnose.remedies import Remedy, RemedyName
from bntui.ui.explorer.remedies import KEY_WORDS, in_keys
from bntui.ui.explorer.screen import Explorer

BOUND = {
    key for binding in Explorer.BINDINGS for key in str(getattr(binding, "key", "")).split(",")
}


@pytest.mark.parametrize("name", RemedyName)
def test_every_remedy_has_words_with_keys_that_are_bound_and_no_option(name: RemedyName) -> None:
    said = in_keys([Remedy(name, momentum=0.9, update=97)])
    assert said
    assert "--" not in said
    assert set(re.findall(r"\[(\w+)\]", said)) <= BOUND


def test_arguments_are_written_as_a_knob_shows_them() -> None:
    assert in_keys([Remedy(RemedyName.SET_MOMENTUM, 0.995)]) == "momentum 0.995"


def test_nothing_is_worded_that_no_verdict_names() -> None:
    assert KEY_WORDS.keys() == set(RemedyName)
