"""A sweep as one HParams view of TensorBoard, a folder a run. Imports torch when it is used."""

import math
from pathlib import Path

from bntui.core.estimators import ROWS
from bntui.core.settings import SETTINGS, value_of
from bntui.core.sweep import CellState, EpochOutcome, SweepView
from bntui.core.text import ConfigError

_ACCURACIES = ("val_acc", "val_acc_fresh", "gap")
"""With running statistics, with fresh ones, and the difference: as a run's own series are called."""


def write_hparams(view: SweepView, folder: Path) -> None:
    """Write each cell of which something is measured into a folder named by its run.

    Hyperparameters are the settings that the sweep varies, and the seed. Metrics are validation accuracies
    over updates, and the gap under each of `estimators.ROWS`; TensorBoard's table shows the last of each.
    Values are float32, TensorBoard's own. Raises ConfigError where tensorboard is not installed, or nothing is
    measured yet, and OSError.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams
    except ImportError:
        raise ConfigError(
            "TensorBoard's files need the package tensorboard: pip install 'bntui[tensorboard]'."
        ) from None
    measured = [one for one in view.cells if one.epochs]
    if not measured:
        raise ConfigError(
            f"sweep {view.name} has nothing measured yet: wait until an epoch has ended."
        )
    for state in measured:
        with SummaryWriter(str(folder / state.cell.id)) as writer:
            tags = metrics(state, state.epochs[-1])
            for summary in hparams(hyperparameters(view, state), tags):
                writer.file_writer.add_summary(summary)
            for outcome in state.epochs:
                for tag, value in metrics(state, outcome).items():
                    writer.add_scalar(tag, value, outcome.update)


def hyperparameters(view: SweepView, state: CellState) -> dict[str, bool | float | str]:
    """Return the settings of a cell that the sweep varies, and its seed, by their options' names."""
    settings = [axis.setting for axis in view.design.axes if len(axis.values) > 1]
    rows = [SETTINGS[name] for name in (*settings, "seed")]
    values = [(row, value_of(state.cell.config, row.field)) for row in rows]
    return {
        row.flag: value if isinstance(value, bool | int | float) else row.show(value)
        for row, value in values
    }


def metrics(state: CellState, outcome: EpochOutcome) -> dict[str, float]:
    """Return what was measured of a cell at an epoch's end, by tag."""
    config = state.cell.config
    gap = outcome.fresh - outcome.own if config.has_statistics else math.nan
    values = dict(zip(_ACCURACIES, (outcome.own, outcome.fresh, gap), strict=True))
    if config.has_hindsight:
        for row, running in zip(ROWS, outcome.rows, strict=False):
            values[f"gap/{row}"] = outcome.fresh - running
    return {tag: value for tag, value in values.items() if not math.isnan(value)}
