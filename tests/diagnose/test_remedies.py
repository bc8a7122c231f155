"""Remedies as values, and what is the same of their words in every face."""

from bntui.diagnose.remedies import WORDS, Measured, Remedy, RemedyName, sentence, values

TRIED = Remedy(
    RemedyName.APPLY_RECALIBRATION,
    update=97,
    measured=Measured(0.9, instead_of=0.114, update=97, images=1000),
)


def test_values_are_those_that_a_remedy_has() -> None:
    assert values(Remedy(RemedyName.WAIT)) == {"name": "wait"}
    assert values(Remedy(RemedyName.SET_MOMENTUM, 0.9)) == {"name": "set-momentum", "momentum": 0.9}
    assert values(TRIED) == {
        "name": "apply-recalibration",
        "update": 97,
        "measured": {"accuracy": 0.9, "instead_of": 0.114, "update": 97, "images": 1000},
    }


def test_a_sentence_says_what_was_measured() -> None:
    words = {RemedyName.APPLY_RECALIBRATION: "do it at {update}", RemedyName.WAIT: "wait"}
    assert sentence((), words) == ""
    assert sentence((TRIED, Remedy(RemedyName.WAIT)), words) == (
        "do it at 97: 0.900 instead of 0.114 on 1,000 images at update 97; wait"
    )


def test_words_for_every_face_name_no_key_and_no_option() -> None:
    for words in WORDS.values():
        assert "[" not in words
        assert "--" not in words
