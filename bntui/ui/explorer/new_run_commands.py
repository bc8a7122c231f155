"""The keys that begin another run in the place of the one under way.

The screens that they open are imported by then: the first picture needs none of them.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual.screen import Screen

from bntui.core.config import RunConfig
from bntui.core.parsers import MAX_SEED
from bntui.core.row import Value
from bntui.core.run_request import Branch, Follow, Resume
from bntui.core.settings import SETTINGS, with_values
from bntui.core.snapshot import Checkpoint
from bntui.ui.explorer.current_run import CurrentRun
from bntui.ui.runs.archive import Archive
from bntui.ui.widgets.knob import Knob

if TYPE_CHECKING:
    from bntui.ui.new_run.screen import Changes

TWIN_HINT = "Both start at update 0 with the same seed and the same batches. Nothing else differs."


class BeginRun(Protocol):
    """Replaces the run by another: one from its start, unless it has another origin."""

    def __call__(
        self,
        config: RunConfig,
        origin: Branch | Resume | Follow | None = None,
        *,
        begun: Callable[[], object] = lambda: None,
    ) -> None:
        """Begin the new run and then call `begun`, or say why it can't be.

        Where that would leave an experiment, the reader is asked first.
        """


def restart(current: CurrentRun, begin: BeginRun, *, seeds: int) -> None:
    """Begin again with a seed that is `seeds` higher."""
    config = current.config
    begin(replace(config, seed=(config.seed + seeds) % (MAX_SEED + 1)))


def use_digits(current: CurrentRun, begin: BeginRun) -> None:
    """After a failure, go on with the data set that is always there."""
    begin(replace(current.config, dataset="digits", data_dir=None, train_size=None, device="auto"))


def ask_structure(screen: Screen[None], current: CurrentRun, begin: BeginRun) -> None:
    """Open the settings that take a new run, and begin it with those that were changed."""
    from bntui.ui.new_run.screen import StructureScreen

    def closed(changes: "Changes | None") -> None:
        if changes is not None:
            current.choose(changes.keys())
            begin(with_values(current.config, changes))

    screen.app.push_screen(StructureScreen(current.config, current.snapshot), closed)


def ask_twin(screen: Screen[None], current: CurrentRun, begin: BeginRun) -> None:
    """Begin again beside a twin that differs in the chosen knob; with a twin, without."""
    from bntui.ui.dialogs.value import ValueScreen

    config, knob = current.config, screen.focused
    if config.twin:
        begin(replace(config, twin=""))
        return
    if not isinstance(knob, Knob) or not SETTINGS[knob.spec.name].twin:
        screen.notify("choose a knob first: a twin is a second run that differs in one knob.")
        return
    spec, option = knob.spec, SETTINGS[knob.spec.name].name
    other = spec.step(knob.wanted, -1)
    if other == knob.wanted:
        other = spec.step(knob.wanted, 1)

    def take(value: Value) -> None:
        # The config as it is by then: it may have been fitted to the machine meanwhile.
        begin(replace(current.config, twin=f"{option}={value}"))

    title = f"a twin with another {spec.label}"
    screen.app.push_screen(ValueScreen(spec, other, take, title=title, hint=TWIN_HINT))


def ask_branch(
    screen: Screen[None], current: CurrentRun, begin: BeginRun, *, near: float | None
) -> None:
    """Return to a checkpoint, and wait there for other knobs; `near` is the crosshair's update."""
    from bntui.ui.explorer.branch import BranchScreen

    def closed(checkpoint: Checkpoint | None) -> None:
        if checkpoint is not None:
            without = ", without the twin" if current.snapshot.config.twin else ""
            said = (
                f"back at update {checkpoint.update}{without}: turn knobs, then press space to go on "
                "from there."
            )
            begin(checkpoint.config, Branch(checkpoint), begun=lambda: screen.notify(said))

    screen.app.push_screen(BranchScreen(current.snapshot.checkpoints, near), closed)


def resume_interrupted(screen: Screen[None], archive: Archive | None, begin: BeginRun) -> None:
    """Go on with the run that was interrupted last."""
    from bntui.ui.explorer.resume_offer import accepted, find

    async def resume() -> None:
        if checkpoint := await find(screen, archive):
            begun = partial(accepted, screen, checkpoint)
            begin(checkpoint.config, Resume(checkpoint), begun=begun)

    screen.run_worker(resume(), exclusive=True, group="resume")
