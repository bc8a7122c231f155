"""What `bntui sweep` tells while its runs are made, and how it ends; with a scripted driver."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bntui.cli import ending, sweep_report
from bntui.cli.sweep_lines import SweepJson, SweepLines, progress_in_words
from bntui.core.sweep import Standing, SweepView
from bntui.store.follow_sweep import FollowedSweep
from bntui.sweeps.driver import Driver
from tests.cli.sweeping import said, sweep
from tests.sweeps.made_up import TRAIN, design, view, waiting, with_cell

pytestmark = pytest.mark.usefixtures("tried")


class Scripted:
    """A sweep's lead and source in one, that goes one view further at each look."""

    message = failure = ""
    workers = "a script"
    retrying: frozenset[str] = frozenset()

    def __init__(self, *views: SweepView, failure: str = "") -> None:
        self._views = list(views)
        self._failure = failure
        self.left: list[bool] = []

    @property
    def over(self) -> bool:
        if len(self._views) == 1:
            self.failure = self._failure
        return len(self._views) == 1

    @property
    def view(self) -> SweepView:
        return self._views.pop(0) if len(self._views) > 1 else self._views[0]

    def read(self) -> SweepView:
        return self._views[-1]

    def start(self) -> None:
        pass

    def leave(self, timeout: float, *, interrupted: bool = False) -> bool:
        self.left.append(interrupted)
        return True


def follow(script: Scripted, writer: Callable[[], SweepJson | SweepLines] = SweepLines) -> int:
    return sweep_report.follow(script, script, script.read, writer())  # type: ignore[arg-type]


def some_views() -> Iterator[SweepView]:
    made = view(design(("batch_size", (16, 64))))
    yield waiting(made.design)
    yield with_cell(made, 1, standing=Standing.RUNNING, epochs=())
    yield made


def test_a_sweep_that_finishes_ends_with_0_and_its_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert follow(Scripted(*some_views())) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        *("64", "0.400", "0.500", "0.900", "3", "1", "–")
    ]


def test_each_run_is_written_once_as_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(Scripted(*some_views()), SweepJson) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["settings"]["batch-size"] for line in lines] == [16, 64]


def test_a_run_that_is_tried_again_is_written_when_it_ends_this_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    *_, made = some_views()
    broken = with_cell(made, 1, standing=Standing.FAILED, message="memory ran out.")
    running = with_cell(made, 1, standing=Standing.RUNNING)
    for last, standings in ((made, ["finished", "finished"]), (broken, ["finished", "failed"])):
        writer = SweepJson([broken.cells[1]])
        for moment in (broken, running, last):
            writer.progress(moment)
        writer.end(last)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["standing"] for line in lines] == standings


def test_failed_runs_that_are_tried_again_wait_beside_the_bar() -> None:
    shown: list[str] = []

    class Lines(SweepLines):
        def progress(self, view: SweepView) -> None:
            super().progress(view)
            shown.append(f"{progress_in_words(view)}: {self._bar.tasks[0].completed:g}")

    *_, made = some_views()
    broken = with_cell(made, 1, standing=Standing.FAILED, images=3 * TRAIN)
    script = Scripted(broken)
    script.retrying = frozenset({made.cells[1].cell.id})
    assert follow(script, Lines) == 1
    assert shown == ["1 of 2 runs finished, 0 running: 1"]


def test_a_failed_run_is_named_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    *_, made = some_views()
    broken = with_cell(made, 1, standing=Standing.FAILED, message="memory ran out.")
    assert follow(Scripted(made, broken)) == 1
    out = capsys.readouterr().out
    run = made.cells[1].cell.id
    assert f"run {run} (batch-size 64, seed 0) failed: memory ran out." in out
    assert "`bntui sweep --resume made up --retry-failed` tries them again." in out


def test_runs_that_failed_for_one_reason_are_told_together(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = view(design(("batch_size", (8, 16, 32, 64, 128, 256))))
    for number in range(5):
        made = with_cell(made, number, standing=Standing.FAILED, message="memory ran out.")
    made = with_cell(made, 5, standing=Standing.FAILED, message="its data are gone.")
    assert follow(Scripted(made)) == 1
    first, second, third, *_, last = (one.cell.id for one in made.cells)
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("run")]
    assert told == [
        f"runs {first} (batch-size 8, seed 0), {second} (batch-size 16, seed 0), "
        f"{third} (batch-size 32, seed 0) and 2 more failed: memory ran out.",
        f"run {last} (batch-size 256, seed 0) failed: its data are gone.",
    ]


def test_a_driver_that_gives_up_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(Scripted(*some_views(), failure="no process can be started.")) == 2
    assert "Error: no process can be started." in capsys.readouterr().err


def test_a_signal_ends_it_and_keeps_what_is_under_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ending, "end_anyway", lambda *_: None)  # it would end the tests
    _, running, _ = some_views()

    class Ending(Scripted):
        """Asks for the end at its first look, and would never be over."""

        over = False

        @property
        def view(self) -> SweepView:
            os.kill(os.getpid(), signal.SIGTERM)
            return running

    script = Ending(running)
    with pytest.raises(SystemExit) as ended:
        follow(script)
    assert ended.value.code == 128 + signal.SIGTERM
    assert script.left[0]
    assert capsys.readouterr().out.endswith("`bntui sweep --resume made up` goes on.\n")


@pytest.mark.parametrize(("code", "status"), [(0, 1), (130, 130)])
def test_a_screen_ends_with_1_where_a_run_has_failed(
    monkeypatch: pytest.MonkeyPatch, code: int, status: int
) -> None:
    shown: list[dict[str, object]] = []

    def show(source: FollowedSweep, lead: Driver, **how: object) -> int:
        shown.append(how)
        return code

    def failed(path: Path, name: str) -> SweepView:
        return with_cell(waiting(design()), 0, standing=Standing.FAILED)

    monkeypatch.setattr(sweep_report, "has_terminal", lambda: True)
    monkeypatch.setattr("bntui.ui.sweeps.app.show", show)
    monkeypatch.setattr(sweep_report, "read_sweep", failed)
    result = sweep("--batch-size", "16,64", "--theme", "nord", "--ascii")
    assert result.exit_code == status, result.output
    assert (shown[0]["plain"], shown[0]["theme"]) == (True, "nord")
    assert "no theme 'nonsense'" in said(sweep("--batch-size", "16,64", "--theme", "nonsense"))
