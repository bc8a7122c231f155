"""What a user names of a sweep's diagram, and the sentences where there is no such thing."""

from dataclasses import replace
from itertools import product

import pytest

from bntui.core.settings import SETTINGS
from bntui.core.sweep import SweepView
from bntui.core.text import ConfigError
from bntui.sweeps import phase
from bntui.sweeps.axes import SAME
from bntui.sweeps.named import axis_named, choice_named
from bntui.sweeps.phase import MOMENTUM, NO_AXIS, UPDATES, Choice, Value, axes, first_choice
from tests.sweeps.made_up import BASE, design, view, waiting

OF = view(
    design(("batch_size", (64, 256)), ("learning_rate", (0.001, 0.01)), ("train_size", (500, None)))
)
OWN = view(design(("momentum", (0.9, 0.99))))


def test_nothing_named_is_the_first_choice() -> None:
    assert choice_named(OF) == first_choice(OF) == Choice("batch_size", MOMENTUM)


def test_an_axis_has_the_name_of_its_option() -> None:
    names = ("batch-size", "batch_size", "LR", "updates", "momentum", "hindsight", "train-size")
    assert [axis_named(OF, name) for name in names] == [
        *("batch_size", "batch_size", "learning_rate", UPDATES, MOMENTUM, MOMENTUM, "train_size")
    ]
    assert [axis_named(OWN, name) for name in ("momentum", "hindsight")] == ["momentum", MOMENTUM]


def test_all_can_be_chosen() -> None:
    chosen = choice_named(
        OF,
        x="lr",
        y="updates",
        value="running",
        epoch=2,
        at=("train-size=all", "momentum=0.9"),
    )
    assert chosen == Choice(
        "learning_rate", UPDATES, Value.RUNNING, 2, {"train_size": 1, MOMENTUM: 3}
    )


def test_one_axis_named_leaves_the_other_at_its_first_choice() -> None:
    assert choice_named(OF, x="lr") == Choice("learning_rate", MOMENTUM)
    assert choice_named(OF, y="lr") == Choice("batch_size", "learning_rate")
    assert choice_named(OF, x="momentum") == Choice(MOMENTUM, "batch_size")
    assert choice_named(OF, y="batch-size") == Choice(MOMENTUM, "batch_size")
    alone = view(design())
    assert choice_named(alone, y="momentum") == Choice(NO_AXIS, MOMENTUM)


KINDS = {
    "one run": design(),
    "one run without statistics": design(base=replace(BASE, norm="none")),
    "seeds alone": design(seeds=2),
    "batch sizes": design(("batch_size", (64, 256))),
    "rates": design(("learning_rate", (0.001, 0.01))),
    "rates without statistics": design(("norm", ("none", "layer")), ("learning_rate", (0.1, 0.01))),
    "the runs' own momentum": design(("momentum", (0.9, 0.99)), ("batch_size", (64, 256))),
    "three settings": OF.design,
}


@pytest.mark.parametrize("of", list(map(view, KINDS.values())), ids=list(KINDS))
def test_whatever_axes_are_named_of_a_sweep_there_is_a_diagram_of_two(of: SweepView) -> None:
    names = [None, *axes(of)]
    for x, y in product(names, names):
        flags = [one and (SETTINGS[one].flag if one in SETTINGS else one) for one in (x, y)]
        if x and y and x in {y, SAME.get(y)}:
            with pytest.raises(ConfigError, match="are one axis"):
                choice_named(of, x=flags[0], y=flags[1])
            continue
        choice = choice_named(of, x=flags[0], y=flags[1])
        assert (choice.x, choice.y) == (x or choice.x, y or choice.y)
        assert choice.x == choice.y == NO_AXIS or choice.x not in {choice.y, SAME.get(choice.y)}
        assert phase.diagram(of, choice).tiles


def test_values_are_understood_as_options_are() -> None:
    assert choice_named(OF, at=("lr=1e-2",)).at == {"learning_rate": 1}
    of = view(design(("batch_size", (2, 256)), ("norm", ("batch", "ghost"))))
    by_updates = choice_named(of, x="momentum", y="norm", at=("updates=2000",))
    assert by_updates.at == {UPDATES: 1}
    assert choice_named(of, x="momentum", y="norm", at=("batch-size=256",)).at == {"batch_size": 1}


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"x": "width"}, "axis 'width' is none of this sweep's; it has batch-size, updates, lr, train-size, momentum."),
        ({"x": "lr", "y": "lr"}, "--x lr and --y lr are one axis: name another."),
        ({"x": "updates", "y": "batch-size"}, "--x updates and --y batch-size are one axis: name another."),
        ({"value": "loss"}, "value 'loss' is unknown: choose one of gap, running, fresh, updates-until-sound."),
        ({"epoch": 4}, "epoch 4 is not measured: of sweep made up 1 to 3 are."),
        ({"at": ("lr",)}, "--at 'lr' is not understood: give NAME=VALUE, such as lr=0.01."),
        ({"at": ("lr=0.5",)}, "lr '0.5' is not in this sweep: 0.001, 0.01 are."),
        ({"at": ("batch-size=64",)}, "--at batch-size=… is of an axis that is drawn whole."),
        ({"at": ("momentum=0.9",)}, "--at momentum=… is of an axis that is drawn whole."),
        ({"at": ("updates=63",)}, "--at updates=… is of an axis that is drawn whole."),
        ({"at": ("lr=0.01", "lr=0.001")}, "--at has lr twice: leave one of them out."),
        ({"x": "lr", "at": ("batch-size=64", "updates=63")}, "--at has batch-size and updates, one axis: leave one of them out."),
        ({"value": "updates-until-sound", "epoch": 2}, "updates until sound are found over all epochs: leave out --epoch."),
        ({"at": ("lr=fast",)}, "learning rate 'fast' "),
    ],
)  # fmt: skip
def test_what_is_not_there_is_one_sentence(named: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        choice_named(OF, **named)  # type: ignore[arg-type]
    assert str(refusal.value).startswith(sentence)


def test_before_anything_is_measured_no_epoch_can_be_named() -> None:
    with pytest.raises(ConfigError, match="of sweep made up none is"):
        choice_named(waiting(OF.design), epoch=1)
