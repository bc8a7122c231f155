"""Leads through the guided experiments: the list, the question, the runs, the conclusion.

What is run, and beside what, is in `progress.py`. An experiment is left as soon as a run is no longer
the one that it speaks of: with a turned knob, a recalibration or a new run of the reader's own. Whatever
does that passes through `before_leaving`, which asks first. Pauses, single steps, the pace and every look
at the run change nothing that is measured.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.screen import Screen

from bntui.core.config import RunConfig
from bntui.core.run_request import Purpose
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.ui.experiments.experiment_line import ExperimentLine
from bntui.ui.experiments.progress import ExperimentProgress, Experiments

if TYPE_CHECKING:  # the first picture needs no experiment and no other screen
    from bntui.experiments.experiment import Experiment
    from bntui.ui.experiments.conclusion import AfterConclusion
    from bntui.ui.runs.archive import Archive

LEFT_NOTICE = "The experiment is left; g begins it anew."


class ExperimentGuide:
    """Leads the reader of one explorer through experiments, and knows how far one has come."""

    def __init__(
        self,
        screen: Screen[None],
        experiments: Experiments,
        archive: "Archive | None",
        *,
        latest: Callable[[], Snapshot],
        begin: Callable[[RunConfig, Purpose], object],
        redraw: Callable[[], None],
    ) -> None:
        """`archive` has the runs that are kept.

        `latest` returns the run's snapshot; `begin` replaces the run by another; `redraw` draws what
        lies over its curves anew.
        """
        self.progress: ExperimentProgress | None = None
        """The experiment whose curves are on the screen."""
        self._screen = screen
        self._experiments = experiments
        self._archive = archive
        self._concluded: dict[str, bool | None] = {}
        """The experiments that were concluded here, and whether the prediction was right, if there was one."""
        self._latest = latest
        self._begin_run = begin
        self._redraw = redraw
        self._here = ""
        """The name of the experiment to go on with."""
        self._waiting: list[Callable[[], object]] = []
        """What is to be done if the reader, who is being asked, agrees to leave the experiment."""

    @property
    def leads(self) -> bool:
        """Whether an experiment is under way."""
        return bool(self.progress and self.progress.under_way)

    def open(self) -> None:
        """Show the conclusion at hand, also one of the runs before an experiment was left; else the list."""
        progress = self.progress
        if progress and progress.ended and not progress.under_way:
            self._conclude(progress)
        else:
            self._list()

    def ask(self, experiment: "Experiment", unanswered: Callable[[], None] = lambda: None) -> None:
        """Put the question of an experiment, and begin it with the answer."""
        from bntui.ui.experiments.question import QuestionScreen

        self._here = experiment.name

        def answered(choice: int | None) -> None:
            if choice is None:
                unanswered()
            else:
                self._draw(experiment, choice or None)

        self._screen.app.push_screen(QuestionScreen(experiment), answered)

    def follow(self, snapshot: Snapshot) -> None:
        """Begin the next run once this one has ended, and conclude after the last."""
        progress = self.progress
        if progress is None or not progress.under_way:
            return
        if snapshot.epochs > progress.config.epochs:  # it was trained on past its end
            self.changed()
        elif snapshot.phase is Phase.FINISHED:
            progress = progress.with_end(snapshot)
            if progress.over:
                self._show(progress)
                self._redraw()
                self._conclude(progress)
            else:
                self._go_on(progress)
        elif snapshot.phase is Phase.FAILED:
            self._show(replace(progress, failed=True))

    def before_leaving(self, do: Callable[[], object]) -> None:
        """Do what leaves an experiment, if one is under way only once the reader has agreed.

        They are asked once for all that was typed before they saw the question.
        """
        progress = self.progress
        if self._waiting:
            self._waiting.append(do)
            return
        if progress is None or not progress.under_way:
            do()
            return
        from bntui.ui.experiments.leave import LeaveScreen

        def answered(leaves: bool | None) -> None:
            waiting, self._waiting = self._waiting, []
            for each in waiting if leaves else ():
                each()

        self._waiting = [do]
        # Not at once: a dialog that is closing would take the answer with it.
        self._screen.call_later(
            self._screen.app.push_screen, LeaveScreen(progress.experiment), answered
        )

    def leave_by(self, change: Callable[[], object]) -> None:
        """Make a change that leaves an experiment, if the reader agrees to that."""

        def do() -> None:
            self.changed()
            change()

        self.before_leaving(do)

    def changed(self) -> None:
        """Leave: the run is no longer what the experiment made it. All curves stay in place."""
        if self.progress and self.progress.under_way:
            self._show(replace(self.progress, left=True))
            self._screen.notify(LEFT_NOTICE)

    def replaced(self) -> None:
        """Leave: a run of the reader's own begins."""
        self.changed()
        self._show(None)

    def _list(self) -> None:
        from bntui.ui.experiments.list import ExperimentsScreen, Lesson
        from bntui.ui.experiments.sheet import THE_THREAD, thread_paragraphs
        from bntui.ui.experiments.standing import standings
        from bntui.ui.toy.entry import mechanism

        experiments = self._experiments.listed()
        if not experiments:
            self._screen.notify("there are no experiments here")
            return
        latest = self._latest()
        reading = "who asked what"
        thread = Lesson(THE_THREAD, reading, thread_paragraphs(), ExperimentsScreen.read_on)
        lessons = [mechanism(), thread]
        at = next(
            (n for n, experiment in enumerate(experiments) if experiment.name == self._here), 0
        )

        def chosen(experiment: "Experiment | None") -> None:
            if experiment:
                self.before_leaving(lambda: self.ask(experiment))

        listed = ExperimentsScreen(
            [*lessons, *experiments],
            len(lessons) + at,
            latest=latest,
            known=lambda kept: standings(self._experiments, latest, kept, self._concluded),
            archive=self._archive,
        )
        self._screen.app.push_screen(listed, chosen)

    def _draw(self, experiment: "Experiment", chosen: int | None) -> None:
        """Have the reader draw a curve, if the experiment asks for one, and begin it."""
        try:
            configs = self._experiments.configs(experiment)
        except ConfigError as error:
            self._screen.notify(str(error), severity="error", markup=False)
            return
        progress = ExperimentProgress(experiment, configs, chosen)
        curve = experiment.question.draw
        if curve is None:
            self._go_on(progress)
            return
        from bntui.ui.experiments.pencil_screen import PencilScreen, length

        arm = [arm.name for arm in experiment.arms].index(curve.arm)
        self._screen.app.push_screen(
            PencilScreen(experiment, length(configs[arm], self._latest())),
            lambda pencil: self._go_on(replace(progress, pencil=pencil)),
        )

    def _go_on(self, progress: ExperimentProgress) -> None:
        """Begin the run of the next arm, at the pace that the reader watches at."""
        config = progress.config
        if "pace" not in progress.arm.options:
            pace = self._latest().knobs.pace
            config = replace(config, knobs=replace(config.knobs, pace=pace))
        self._show(progress)
        self._begin_run(config, progress.purpose)

    def _conclude(self, progress: ExperimentProgress) -> None:
        from bntui.ui.experiments.conclusion import AfterConclusion, ConclusionScreen

        if progress.over:
            self._concluded[progress.experiment.name] = progress.conclusion().as_predicted
        experiments = self._experiments.listed()
        after = experiments[experiments.index(progress.experiment) + 1 :]
        following = after[0] if after else None
        self._here = following.name if following else ""

        def then(chosen: "AfterConclusion | None") -> None:
            if chosen is AfterConclusion.LIST:
                self._list()
            elif chosen is AfterConclusion.FOLLOWING and following:
                self.ask(following)

        self._screen.app.push_screen(ConclusionScreen(progress, following), then)

    def _show(self, progress: ExperimentProgress | None) -> None:
        self.progress = progress
        self._screen.query_one(ExperimentLine).show(progress)
