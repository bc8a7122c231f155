"""What the tests of guided experiments share: two small experiments, and a reader who takes them."""

from dataclasses import replace
from typing import Any

from bntui.core.config import RunConfig
from bntui.core.snapshot import EpochReport, Phase, Snapshot
from bntui.experiments.experiment import Experiment
from bntui.experiments.library import configs_of
from bntui.experiments.reader import parse
from bntui.ui.experiments.experiment_line import ExperimentLine
from bntui.ui.experiments.progress import Experiments
from tests.ui.scripted import mid_run
from tests.ui.user import User

SMALL = (60, 16)
FILE = """
title = "Two momenta [red]:smile:"
post = 1
hypothesis = "Old values stay."
watch = "the gap between the curves."
[question]
text = "Which validates better?"
choices = [
    { text = "[b]0.99", right = "slow.val_acc > fast.val_acc" },
    { text = "0.9" },
]
[options]
width = 0.25
epochs = 2
[arm.slow]
label = "m = 0.99"
published = 4096
[arm.fast]
label = "m = 0.9"
momentum = 0.9
[[claim]]
holds = 'fast["0.9"] == fast.val_acc and fast.val_acc > slow.val_acc'
text = "A lower momentum helps: {slow.val_acc:.2f} and {fast.val_acc:.2f}."
[[claim]]
holds = "fast.updates == 99"
text = "It takes {fast.updates:.0f} updates."
[[claim]]
holds = "slow.recalibrated_to > 0.5"
text = "Recalibration helps."
"""
ALONE = """
title = "One run"
hypothesis = "Nothing happens."
watch = "nothing."
[question]
text = "Well?"
choices = [{ text = "yes", right = "run.acc > 0" }, { text = "no" }]
[arm.run]
epochs = 3
at = ["4:recalibrate"]
[[claim]]
holds = "run.acc > 0"
text = "It learns."
"""
TWO = replace(parse(FILE, name="two", file="two.toml"), number=1)
ONE = replace(parse(ALONE, name="one", file="one.toml"), number=2)


def experiments(first: Experiment | None = None, *, configs: Any = None) -> Experiments:
    return Experiments(lambda: (TWO, ONE), configs or (lambda s: configs_of(s, {})), first)


def report(epoch: int, val_acc: float) -> EpochReport:
    rows = (("0.9", val_acc),)
    return EpochReport(
        epoch, 16 * epoch, 1.0, 1.0, 0.1, 0.9, 2.0, val_acc, 0.1, 0.95, hindsight=rows
    )


def at_end(config: RunConfig, val_acc: float, **changes: Any) -> Snapshot:
    reports = tuple(report(epoch, val_acc) for epoch in range(1, config.epochs + 1))
    values: dict[str, Any] = {"phase": Phase.FINISHED, "epochs": config.epochs, "reports": reports}
    return mid_run(config, **values | changes)


async def finish(user: User, val_acc: float, **changes: Any) -> None:
    """Let the run at hand come to the end of its epochs."""
    await user.see(at_end(user.run.snapshot.config, val_acc, **changes))


async def begin(user: User, answer: str = "2") -> None:
    """Begin the first experiment of the list."""
    await user.press("g", "enter", answer)
    await see_it(user)


def experiment_lines(user: User) -> list[str]:
    """Return the two lines that say which experiment is under way."""
    area = user.app.explorer.query_one(ExperimentLine).region
    return user.text.splitlines()[area.y : area.bottom]


async def see_it(user: User) -> None:
    user.app.explorer.follower.poll()
    await user.settle()
