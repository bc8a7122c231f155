"""A sweep as one HParams view, read back as TensorBoard reads it."""

import sys
from pathlib import Path

import pytest

from bntui.core.sweep import Standing
from bntui.core.text import ConfigError
from bntui.sweeps.export.hparams import write_hparams
from tests.sweeps.made_up import design, outcome, view, waiting, with_cell

OF = view(
    design(
        ("batch_size", (64, 256)),
        ("norm", ("batch", "layer")),
        ("train_size", (None, 500)),
        seeds=2,
    ),
    lambda cell, epoch: outcome(cell, epoch, 0.9, 0.25),
    epochs=2,
)


def test_each_run_has_a_folder_with_what_varies_and_what_was_measured(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import SESSION_START_INFO_TAG
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    of = with_cell(OF, 3, standing=Standing.WAITING, epochs=())
    write_hparams(of, tmp_path)
    written = {folder.name for folder in tmp_path.iterdir()}
    assert written == {one.cell.id for number, one in enumerate(of.cells) if number != 3}
    events = EventAccumulator(str(tmp_path / of.cells[0].cell.id)).Reload()
    content = HParamsPluginData.FromString(
        events.summary_metadata[SESSION_START_INFO_TAG].plugin_data.content
    )
    told = {
        name: value.WhichOneof("kind") for name, value in content.session_start_info.hparams.items()
    }
    assert told == {
        "batch-size": "number_value",
        "norm": "string_value",
        "train-size": "string_value",
        "seed": "number_value",
    }
    assert content.session_start_info.hparams["train-size"].string_value == "all"
    assert [one.step for one in events.Scalars("gap")] == [63, 126]
    assert events.Scalars("gap/0.9")[-1].value == pytest.approx(0.9 - 0.253)
    assert events.Scalars("val_acc_fresh")[-1].value == pytest.approx(0.9)


def test_a_norm_without_running_statistics_has_no_gap(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write_hparams(OF, tmp_path)
    layer = next(one for one in OF.cells if one.cell.config.norm == "layer")
    events = EventAccumulator(str(tmp_path / layer.cell.id)).Reload()
    assert set(events.Tags()["scalars"]) == {"val_acc", "val_acc_fresh"}


def test_without_tensorboard_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"pip install 'bntui\[tensorboard\]'"):
        write_hparams(OF, tmp_path)


def test_nothing_measured_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sweep made up has nothing measured yet"):
        write_hparams(waiting(OF.design), tmp_path)
    assert not list(tmp_path.iterdir())
