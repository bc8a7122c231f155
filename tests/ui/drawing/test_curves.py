"""Which curves of a run a chart has."""

import pytest

from bntui.core.config import RunConfig
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.curves import curves
from bntui.ui.drawing.view import Axis, View
from tests.ui.scripted import history, mid_run


class TestCurves:
    @staticmethod
    def run() -> Snapshot:
        snapshot = mid_run(RunConfig())
        extra = {
            "smooth_acc": history([0.5] * 97),
            "images": history([256 * update for update in range(1, 98)]),
        }
        return mid_run(RunConfig(), series={**snapshot.series, **extra})

    def test_three_lines_of_a_run(self) -> None:
        run = self.run()
        lines = curves("loss", run, View())
        assert [line.label for line in lines] == ["train", "fresh", "running"]
        names = ("train_loss", "fresh_loss", "val_loss")
        assert [line.view for line in lines] == [run.series[name] for name in names]

    def test_a_run_without_data_has_them_empty(self) -> None:
        assert [len(line.view) for line in curves("acc", Snapshot(), View())] == [0, 0, 0]

    def test_smooth_puts_the_raw_line_behind(self) -> None:
        run = self.run()
        raw, smooth, *_ = curves("acc", run, View(smooth=True))
        assert (raw.label, raw.style, raw.ghost) == ("", "train ghost", True)
        assert raw.view is run.series["train_acc"]
        assert (smooth.label, smooth.style) == ("train", "train")
        assert smooth.view is run.series["smooth_acc"]

    def test_ghosts_are_named_and_have_clocks_of_their_own(self) -> None:
        slow = mid_run(RunConfig())
        slow = mid_run(RunConfig(), series={**slow.series, "images": history([50], every=97)})
        lines = curves("acc", self.run(), View(axis=Axis.IMAGES), [("was", slow), ("pin", slow)])
        assert [(line.label, line.style) for line in lines[:4]] == [
            ("was fresh", "fresh ghost"),
            ("was running", "running ghost"),
            ("pin fresh", "fresh ghost"),
            ("pin running", "running ghost"),
        ]
        assert lines[1].view.x[-1] == pytest.approx(50 * 95 / 97)
        assert lines[-1].view.x[-1] == 256 * 95
        assert lines[-1].view.last[-1] == 0.114
