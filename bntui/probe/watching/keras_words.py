"""What is found of a Keras model, with momentum as Keras's user sets it: the share of the old value.

Findings speak of torch's, and say so where they do; a remedy for Keras must not.
"""

import re
from dataclasses import replace
from typing import TypeVar

from bntui.core.config import torch_momentum
from bntui.core.text import exact
from bntui.core.watched import Found
from bntui.probe.causes import Finding

Either = TypeVar("Either", Found, Finding)

_NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_STATED = re.compile(rf"torch's momentum((?: is| been)? )({_NUMBER}(?:(?:, | to ){_NUMBER})*)")
_MOVE = re.compile(rf"(?<=move with momentum ){_NUMBER}")
_ADVISED = re.compile(rf"(?<=layer\.momentum = ){_NUMBER}(?=(?: \(|: )torch's)")
_TERMS = {
    "(torch's: the share of the new value)": "(Keras's: the share of the old value)",
    "(torch's)": "(Keras's)",
    "torch's is the share of the new value, Keras's that of the old one": "Keras's is the share of the "
    "old value, torch's that of the new one",
    "raise torch's momentum": "lower Keras's momentum",
    "or a larger momentum": "or a smaller momentum",
}


def in_keras(found: Either) -> Either:
    """Return a finding in Keras's convention."""
    return replace(
        found,
        evidence=tuple(map(spoken, found.evidence)),
        remedies=tuple(map(spoken, found.remedies)),
    )


def spoken(text: str) -> str:
    """Return a sentence with Keras's momentum for torch's; one that is of Keras's already as it is."""
    if _STATED.search(text):
        text = _MOVE.sub(_converted, text)
    text = _STATED.sub(
        lambda found: f"Keras's momentum{found[1]}{re.sub(_NUMBER, _converted, found[2])}", text
    )
    text = _ADVISED.sub(_converted, text)
    for torchs, kerass in _TERMS.items():
        text = text.replace(torchs, kerass)
    return text


def _converted(number: re.Match[str]) -> str:
    return exact(torch_momentum(float(number[0])))
