"""A live chart."""

from collections.abc import Sequence

from bntui.engine.snapshot import Mark
from bntui.ui.canvas import Canvas, Picture
from bntui.ui.charts import Line, chart
from bntui.ui.scales import YRange, extent, grown, settled


class Chart(Canvas):
    """Lines over updates. Its axes stay as they are for as long as the lines fit them."""

    def __init__(
        self,
        title: str,
        *,
        y: YRange | None = None,
        log: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Without a fixed range `y` the axis follows the data, in decades if `log`."""
        super().__init__(id=id, classes=classes)
        self.border_title = title
        self._fixed = y
        self._log = log
        self._y: YRange | None = None
        self._lines: tuple[Line, ...] = ()
        self._marks: tuple[Mark, ...] = ()
        self._x = (0.0, grown(0))

    def show(
        self,
        lines: Sequence[Line],
        marks: Sequence[Mark] = (),
        *,
        x: tuple[float, float] | None = None,
    ) -> None:
        """Draw these lines; over the range `x` of updates, by default over all there are."""
        self._lines, self._marks = tuple(lines), tuple(marks)
        newest = max((float(line.view.x[-1]) for line in lines if len(line.view)), default=0.0)
        self._x = x or (0.0, grown(newest))
        self._y = settled(
            self._y, *extent((line.view for line in lines), *self._x, log=self._log), log=self._log
        )
        self.repaint()

    def draw(self, width: int, height: int) -> Picture:
        """Return the chart."""
        x_low, x_high = self._x
        y = self._fixed or self._y or settled(None, float("nan"), float("nan"), log=self._log)
        return chart(
            self._lines,
            width=width,
            height=height,
            x_low=x_low,
            x_high=x_high,
            y=y,
            marks=self._marks,
        )
