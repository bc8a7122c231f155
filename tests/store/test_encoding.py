"""Settings and results of other versions."""

import json
import math
from dataclasses import dataclass, field
from enum import StrEnum

import pytest

from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.measured import Noise
from bntui.core.settings import values_of
from bntui.store.encoding import finite, read, read_config, read_facts, read_report, write

FIRST_CONFIG = (
    '{"dataset": "digits", "data_dir": null, "train_size": null, "norm": "batch", "width": 0.25,'
    ' "seed": 3, "device": "auto", "threads": null, "epochs": 10, "steps": null, "knobs":'
    ' {"batch_size": 64, "momentum": 0.97, "learning_rate": 0.001, "pace": "inf"}, "at":'
    ' [{"update": 97, "setting": "momentum", "value": 0.9}, {"update": 98, "setting": "estimator",'
    ' "value": "warm-up"}]}'
)
"""As the first version that kept runs wrote it."""
FIRST_FACTS = (
    '{"device": "cpu", "dataset": "digits", "train": 4000, "validation": 1000, "parameters": 107722,'
    ' "class_names": ["1", "7"], "activation_bytes": 350000, "threads": 2}'
)
FIRST_REPORT = (
    '{"epoch": 2, "update": 32, "seconds": 1.6, "images_per_s": 640.0, "loss": 0.5, "acc": 0.75,'
    ' "val_loss": "nan", "val_acc": 0.114, "val_loss_fresh": 0.25, "val_acc_fresh": 0.97, "layers":'
    ' [{"name": "conv1_bn", "channels": 8, "positions": 784, "mean_gap": 0.42, "mean_gap_max": 1.9,'
    ' "log_var_ratio": 1.6, "output_error": 0.6, "network_error": 0.8, "start_left": 0.38,'
    ' "start_share": 0.9, "dead": 0, "non_finite": 0, "untouched": false}], "hindsight":'
    ' [["0.9", 0.8]]}'
)
FIRST_NOISE = (
    '{"update": 32, "scale": 912.4, "error": 123.4, "suggested_batch": 1024, "measurements": 4}'
)
"""Without an interval: its gate let through what was lucky."""


class Norm(StrEnum):
    BATCH = "batch"
    GROUP = "group"


@dataclass(frozen=True)
class Schedule:
    factor: float
    points: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Later:
    """What settings may look like one day."""

    norm: Norm = Norm.BATCH
    schedule: Schedule | None = None
    sizes: tuple[int, ...] = ()
    limit: float | str | None = None
    knobs: Knobs = field(default_factory=Knobs)


def test_what_the_first_version_wrote_is_read() -> None:
    config, unknown = read_config(FIRST_CONFIG)
    knobs = Knobs(batch_size=64, momentum=0.97)
    at = (Change(97, "momentum", 0.9), Change(98, "estimator", "warm-up"))
    assert config == RunConfig(width=0.25, seed=3, knobs=knobs, at=at)
    assert unknown == ()
    facts = read_facts(FIRST_FACTS)
    assert (facts.train, facts.threads, facts.class_names) == (4000, 2, ("1", "7"))
    report = read_report(FIRST_REPORT)
    assert (report.epoch, report.hindsight) == (2, (("0.9", 0.8),))
    assert math.isnan(report.val_loss)
    assert report.layers[0].log_var_ratio == 1.6


def test_a_first_reports_noise_scale_tells_nothing() -> None:
    report = read_report(f'{FIRST_REPORT[:-1]}, "noise": {FIRST_NOISE}}}')
    assert report.noise == Noise(32, 912.4, 1024, 4, low=0.0, high=math.inf)


@pytest.mark.parametrize(
    "thing",
    [
        Later(),
        Later(Norm.GROUP, Schedule(2.0, ((10, 1.0), (20, math.inf))), (1, 2), 7.0, Knobs(pace=3.0)),
        Later(schedule=Schedule(1)),
        *(Later(limit=limit) for limit in ("none", math.inf, 0.5)),
    ],
)
def test_nested_and_optional_settings_come_back(thing: Later) -> None:
    assert read(Later, write(thing)) == (thing, ())


def test_what_is_missing_has_its_default() -> None:
    assert read_config('{"seed": 5, "knobs": {"momentum": 0.5}}') == (
        RunConfig(seed=5, knobs=Knobs(momentum=0.5)),
        (),
    )


def test_what_is_not_known_is_named() -> None:
    text = '{"seed": 5, "shape": "flat", "knobs": {"momentum": 0.5, "warmth": 3}}'
    config, unknown = read_config(text)
    assert config == RunConfig(seed=5, knobs=Knobs(momentum=0.5))
    assert sorted(unknown) == ["shape", "warmth"]


@pytest.mark.parametrize(
    "text",
    ['{"norm": "spectral"}', '{"schedule": {"points": []}}', '{"sizes": 3}', '{"sizes": ["a"]}'],
)
def test_what_is_not_understood_has_its_default_and_is_named(text: str) -> None:
    later, unknown = read(Later, text)
    assert later == Later()
    assert unknown == tuple(json.loads(text))


def test_settings_are_flat() -> None:
    flat = values_of(RunConfig(seed=5, knobs=Knobs(momentum=0.5)))
    assert (flat["seed"], flat["momentum"]) == (5, 0.5)
    assert "knobs" not in flat


def test_numbers_that_are_not_finite_are_null() -> None:
    assert finite({"a": [math.nan, 1.0], "b": Schedule(math.inf)}) == {
        "a": [None, 1.0],
        "b": {"factor": None, "points": []},
    }
