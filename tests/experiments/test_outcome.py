"""What an experiment may speak of, against reports whose figures are known."""

import math
from dataclasses import replace
from typing import Any

import pytest

from bntui.core.measured import LayerDrift, Noise, Recalibration
from bntui.core.snapshot import EpochReport, Snapshot
from bntui.experiments.outcome import QUANTITIES, RunOutcome, outcome, published, table
from tests.ui.scripted import facts, layers


def report(epoch: int, **figures: object) -> EpochReport:
    base = EpochReport(
        epoch=epoch,
        update=16 * epoch,
        seconds=2.0,
        images_per_s=100.0,
        loss=0.5,
        acc=0.5 * epoch,
        val_loss=2.0,
        val_acc=0.1 * epoch,
        val_loss_fresh=0.3,
        val_acc_fresh=0.9,
        layers=(layer(), layer(log_var_off=1.5, network_error=0.7)),
    )
    return replace(base, **figures)  # type: ignore[arg-type]


def layer(
    log_var_off: float = 0.4, network_error: float = 0.2, start_left: float = 0.3
) -> LayerDrift:
    return replace(
        layers()[0],
        log_var_ratio=-0.004,  # of channels that cancel out
        log_var_off=log_var_off,
        network_error=network_error,
        start_left=start_left,
    )


def ended(*reports: EpochReport, **changes: Any) -> RunOutcome:
    """Return what a run with these reports showed at its end."""
    values: dict[str, Any] = {"facts": facts(), "images": 8_000, "reports": reports}
    return outcome(Snapshot(**values | changes))


def test_a_history_has_a_value_an_epoch_and_ends_with_the_final_one() -> None:
    result = ended(report(1), report(2))
    assert result.history("val_acc") == [0.1, 0.2]
    assert result.final("val_acc") == 0.2
    assert result.history("acc") == [0.5, 1.0]
    assert result.history("updates") == [16, 32]
    assert result.history("epochs") == [1, 2]
    assert result.history("seconds") == [2.0, 4.0]
    assert result.history("images") == [4_000, 8_000]


def test_layers_are_summed_up_by_their_worst_first_and_last() -> None:
    result = ended(report(1))
    assert result.final("log_var_ratio") == 1.5
    assert result.final("first_error") == 0.2
    assert result.final("network_error") == 0.7
    assert result.final("start_left") == 0.3


def test_the_error_of_the_logits_is_the_network_s() -> None:
    assert ended(report(1, logits_error=4.1), report(2, logits_error=math.inf)).history(
        "logits_error"
    ) == [4.1, math.inf]


def test_a_single_layer_is_the_first_and_the_last() -> None:
    result = ended(report(1, layers=(layer(),)))
    assert result.final("first_error") == result.final("network_error") == 0.2


def test_a_dead_layer_is_not_the_worst() -> None:
    dead = layer(log_var_off=math.nan)
    assert ended(report(1, layers=(dead, layer()))).final("log_var_ratio") == 0.4
    assert math.isnan(ended(report(1, layers=(dead,))).final("log_var_ratio"))


def test_what_was_not_measured_is_nan() -> None:
    result = ended(report(1, layers=()))
    for name in (
        *("start_left", "log_var_ratio", "first_error", "network_error"),
        *("noise_scale", "recalibrated_from", "recalibrated_to", "0.9"),
    ):
        assert math.isnan(result.final(name))
    for name in QUANTITIES:
        assert math.isnan(outcome(Snapshot()).final(name))


def test_hindsight_noise_scale_and_recalibration() -> None:
    noise = Noise(16, 900.0, 1024, 3, low=700.0)
    measured = report(1, hindsight=(("0.9", 0.7), ("0.99", 0.1)), noise=noise)
    result = ended(measured, recalibrated=Recalibration(16, 0.1, 0.9, True))
    assert (result.final("0.9"), result.final("0.99")) == (0.7, 0.1)
    assert result.final("noise_scale") == 900.0
    assert (result.final("noise_scale_low"), result.final("noise_scale_high")) == (700.0, math.inf)
    assert (result.final("recalibrated_from"), result.final("recalibrated_to")) == (0.1, 0.9)
    peek = ended(measured, recalibration=Recalibration(16, 0.1, 0.9, False))
    assert math.isnan(peek.final("recalibrated_to"))


def test_epochs_without_a_report_were_not_measured() -> None:
    result = ended(report(3), report(4), images=16_000)
    for name in ("val_acc", "updates", "log_var_ratio"):
        assert [math.isnan(value) for value in result.history(name)] == [True, True, False, False]
    assert result.history("images") == [4_000, 8_000, 12_000, 16_000]
    assert all(math.isnan(seconds) for seconds in result.history("seconds"))


@pytest.mark.parametrize(
    ("batch", "last", "first_val_acc", "seconds"),
    [(4096, 0.1141, 0.1135, 61), (64, 0.9949, 0.9904, 331)],
)
def test_the_threads_own_runs(
    batch: int, last: float, first_val_acc: float, seconds: float
) -> None:
    run = published()[batch]
    assert len(run.history("acc")) == 10
    assert run.final("val_acc") == last
    assert run.history("val_acc")[0] == first_val_acc
    assert run.final("seconds") == seconds
    assert math.isnan(run.final("val_acc_fresh"))


def test_a_table_has_a_line_for_every_run_and_a_dash_for_what_was_not_measured() -> None:
    with_bn = RunOutcome({"acc": (0.5, 1.0), "val_acc": (0.1, 0.117), "val_loss": (9.0, 13.25)})
    bare = RunOutcome({"acc": (0.9,), "val_acc": (0.958,), "val_acc_fresh": (0.958,)})
    runs = [
        ("with batch norm", with_bn),
        ("without, and a label that is long", bare),
        ("never run", RunOutcome({})),
    ]
    assert table(runs, 60).splitlines() == [
        "at the end                    acc  val_acc val_loss    fresh",
        "with batch norm            1.0000   0.1170  13.2500        –",
        "without, and a label       0.9000   0.9580        –   0.9580",
        " that is long",
        "never run                                       not measured",
    ]
