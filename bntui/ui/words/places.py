"""Which terms stand where on the screen: the one table that `?` looks up what has the focus in.

A key is the id of a widget, or the name of a class of widgets or screens. The help explains the terms
of the widget with the focus first, then those of what it lies in, up to the screen.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from textual.dom import DOMNode

from bntui.ui import course_keys, key_table, run_keys, sweep_keys
from bntui.ui.key_lines import ScreenKeys
from bntui.ui.sweeps.explanation import PARAGRAPHS as SWEEP_IN_WORDS
from bntui.ui.toy.explanation import PARAGRAPHS as TOY_IN_WORDS


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the screen, or a whole one."""

    title: str
    terms: tuple[str, ...]
    """Their keys in `terms.TERMS`, in the order in which a reader meets them."""
    about: tuple[str, ...] = ()
    """What there is to read before the terms: paragraphs."""
    of_this_run: bool = True
    """Whether it shows the run under way, whose numbers then are put into formulas."""


_OWN_ESTIMATORS = ("bias-corrected", "cumulative", "warm-up", "scaled")
_KNOBS = (
    *("momentum", "torch's", "remembers", "start", "batch size", "update", "epoch", "batch norm"),
    *("estimator", *_OWN_ESTIMATORS, "learning rate", "pace", "noise scale", "activations"),
)
_CURVES = ("train", "fresh", "running", "lost", "stale", "update", "epoch")
_BESIDE = ("twin", "apart", "ghost", "▲", "crosshair")
_EVIDENCE = (
    *(
        "running",
        "fresh",
        "lost",
        "stale",
        "averages",
        "start",
        "lag",
        "recalibration",
        "momentum",
        "hindsight",
    ),
    *("alone", "sound in", "flips", "±", "noise scale", "σ"),
)
_DRIFT = (
    *(
        "alone",
        "sound in",
        "variance ×",
        "mean gap",
        "worst",
        "σ",
        "start",
        "network error",
        "channels",
    ),
    *("trend", "harms, joint, unsure", "drift", "dead", "stale", "lag"),
)
_LAYER = (
    *("mean gap", "worst", "variance ×", "σ", "start", "lag", "drift", "alone", "sound in"),
    *(
        "output error",
        "network error",
        "dead",
        "not finite",
        "harms, joint, unsure",
        "ε",
        "channels",
    ),
)
_MAP = (
    *("hindsight", "momentum", "remembers", "bias-corrected", "cumulative", "warm-up", "what if"),
    *("estimator", "update", "measuring", "fresh", "running", "▲"),
)
_WHAT_IF = (
    *("what if", "momentum", "hindsight", "fresh", "running", "bias-corrected", "cumulative"),
    *("warm-up", "estimator", "remembers"),
)
_KEPT = (
    *("val_acc", "fresh", "running", "batch size", "momentum", "estimator", "learning rate"),
    *("width", "update", "ghost", "over the charts", "pinned", "A, B"),
)
_STRUCTURE = (
    *("batch norm", "ghost batch norm", "batch renorm", "group norm, layer norm", "momentum"),
    *("batch size", "learning rate", "update", "epoch", "width", "seed", "twin"),
)
_COURSE = ("post", "prediction", "claim", "running", "fresh", "stale", "start", "epoch", "update")

_TOY = (
    *("running", "fresh", "momentum", "torch's", "remembers", "start", "lag", "recalibration", "σ"),
    *("ε", "hindsight"),
)

_SWEEP = (
    *("gap", "updates until sound", "running", "fresh", "momentum", "start", "hindsight"),
    *("bias-corrected", "cumulative", "warm-up", "batch size", "seed", "epoch", "update"),
)

PLACES: dict[str, Place] = {
    # The knobs, each under its own id, and the panels of the explorer.
    "batch-size": Place("batch size", ("batch size", "update", "epoch", "start", "noise scale")),
    "norm": Place("batch norm", ("batch norm", "running", "fresh")),
    "momentum": Place("momentum", ("momentum", "torch's", "remembers", "start", "lag")),
    "estimator": Place("estimator", ("estimator", *_OWN_ESTIMATORS, "start")),
    "learning-rate": Place("learning rate", ("learning rate", "start")),
    "pace": Place("pace", ("pace", "update")),
    "width": Place("width", ("width",)),
    "seed": Place("seed", ("seed",)),
    "epochs": Place("epochs", ("epoch", "update")),
    "knobs": Place("knobs", _KNOBS),
    "facts": Place("this run", (*_KNOBS, "measuring")),
    "panel-1": Place("accuracy", (*_CURVES, *_BESIDE)),
    "panel-2": Place("loss", ("loss", "noise scale", *_CURVES, *_BESIDE)),
    "panel-3": Place("every momentum, in hindsight", _MAP),
    "panel-4": Place("drift", _DRIFT),
    "panel-5": Place("predictions", ("predictions", "running", "fresh", "stale", "flips")),
    "panel-6": Place("evidence", _EVIDENCE),
    # Other screens.
    "LayerScreen": Place("a layer", _LAYER),
    "ChannelScreen": Place("a channel", ("momentum", *_LAYER)),
    "MomentScreen": Place("a moment of the past", ("update", "running", "fresh", *_DRIFT)),
    "WhatIfScreen": Place("what if", _WHAT_IF),
    "RunsScreen": Place("runs that are kept", _KEPT, of_this_run=False),
    "ComparisonScreen": Place("two runs compared", ("A, B",), of_this_run=False),
    "SweepScreen": Place("phase diagram", _SWEEP, about=SWEEP_IN_WORDS, of_this_run=False),
    "RunsBehindScreen": Place("runs behind a tile", ("val_acc", *_SWEEP), of_this_run=False),
    "BranchScreen": Place("moments to return to", ("branch", "update", "epoch", "▲")),
    "StructureScreen": Place("structure of a new run", _STRUCTURE, of_this_run=False),
    "ExperimentsScreen": Place("experiments", _COURSE, of_this_run=False),
    "PencilScreen": Place("a line for your prediction", _COURSE, of_this_run=False),
    "QuestionScreen": Place("a question", _COURSE, of_this_run=False),
    "ConclusionScreen": Place("a conclusion", _COURSE, of_this_run=False),
    "ToyScreen": Place("the mechanism", _TOY, about=TOY_IN_WORDS, of_this_run=False),
}
"""Every place that has words of its own."""

ANYWHERE = Place("words", ("running", "fresh", "stale", "start", "momentum", "update"))
"""Where no place has the focus."""

KEYS: dict[str, ScreenKeys] = {
    "LayerScreen": key_table.LAYER,
    "ChannelScreen": key_table.CHANNEL,
    "MomentScreen": key_table.MOMENT,
    "WhatIfScreen": key_table.WHAT_IF,
    "RunsScreen": run_keys.RUNS,
    "ComparisonScreen": run_keys.COMPARISON,
    "SweepScreen": sweep_keys.SWEEP,
    "RunsBehindScreen": sweep_keys.BEHIND,
    "BranchScreen": key_table.BRANCH,
    "StructureScreen": key_table.NEW_RUN,
    "ExperimentsScreen": course_keys.EXPERIMENTS,
    "PencilScreen": course_keys.PENCIL,
    "QuestionScreen": course_keys.QUESTION,
    "ConclusionScreen": course_keys.CONCLUSION,
    "ToyScreen": course_keys.TOY,
}
"""The keys of every screen but the explorer, by the name of its class."""


def places(node: DOMNode) -> list[Place]:
    """Return the places that a widget, or a screen, lies in: its own first."""
    return list(_places(node)) or [ANYWHERE]


def _places(node: DOMNode) -> Iterator[Place]:
    for one in node.ancestors_with_self:
        for name in (one.id, type(one).__name__):
            if name in PLACES:
                yield PLACES[name]
