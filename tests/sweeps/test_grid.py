"""What is typed, or a TOML file, as a sweep's design; nonsense is one sentence."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bntui.core.config import Knobs, RunConfig
from bntui.core.settings import OPTIONS
from bntui.core.sweep import Axis, Design
from bntui.core.text import ConfigError
from bntui.experiments.toml_file import FileError
from bntui.sweeps.grid import design_of, parse_design, parse_seeds, read_design
from bntui.sweeps.needless import REASONS, needless_words, refuse_needless
from bntui.sweeps.values import parse_values


def typed(seeds: int | None = None, **options: Any) -> Design:
    """Return the design of options as they are typed, by their fields."""
    rows = {row.field: row for row in OPTIONS.values()}
    values: dict[str, tuple[Any, ...]] = {}
    for name, given in options.items():
        texts = given if isinstance(given, list) else [given]
        if rows[name].parse is None:
            values[name] = tuple(texts)
        else:
            values[name] = tuple(
                one for text in texts for one in parse_values(rows[name], str(text))
            )
    return design_of(values, seeds)


def refused(**options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        typed(**options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("flag", "text", "values"),
    [
        ("batch-size", "64", (64,)),
        ("batch-size", "16,64, 256", (16, 64, 256)),
        ("batch-size", "64..4096x2", (64, 128, 256, 512, 1024, 2048, 4096)),
        ("batch-size", "64..100x2", (64,)),
        ("batch-size", "8,16..64×2,100", (8, 16, 32, 64, 100)),
        ("depth", "0..8+2", (0, 2, 4, 6, 8)),
        ("depth", "3..3+1", (3,)),
        ("lr", "0.001..1x10", (0.001, 0.01, 0.1, 1.0)),
        ("lr", "1e-3..1e-1x10", (0.001, 0.01, 0.1)),
        ("lr", ".1..0.3+.1", (0.1, 0.2, 0.3)),
        ("norm", "batch,group", ("batch", "group")),
        ("norm-layers", "0..2+1,all", (0, 1, 2, None)),
        ("train-size", "all", (None,)),
        ("batch-schedule", "1:16,5:64", ("1:16,5:64",)),
        ("dataset", "digits", ("digits",)),
    ],
)
def test_values_are_listed_or_ranges(flag: str, text: str, values: tuple[object, ...]) -> None:
    parsed = parse_values(OPTIONS[flag], text)
    assert parsed == values
    assert list(map(type, parsed)) == list(map(type, values))


@pytest.mark.parametrize(
    ("flag", "text", "said"),
    [
        ("batch-size", "16,,64", "batch size '' is not a number"),
        ("batch-size", "16,0", "batch size 0 is out of range"),
        ("batch-size", "4096..64x2", "is empty: give the smaller number first."),
        ("batch-size", "64..4096x1", "never ends: give a factor above 1 and a first number above"),
        ("batch-size", "64..4096x0.5", "never ends"),
        ("lr", "0..1x2", "never ends"),
        ("lr", "-1..1x2", "never ends"),
        ("depth", "0..8+0", "never ends: give a step above 0."),
        ("depth", "0..8+-1", "never ends"),
        ("lr", "0..1+0.00001", "has over 10,000 values: give a larger step."),
        ("lr", "1..1e30+1e-30", "has over 10,000 values"),
        ("lr", "1e-999..1e999x1.0000001", "has over 10,000 values: give a larger factor."),
        ("batch-size", "1..64x1.5", "batch size 1.5 is not a whole number"),
        ("batch-size", "64..4096", "such as 64..4096x2 or 64..4096+2."),
        ("batch-size", "64..4096x", "is not understood"),
        ("batch-size", "64..4096x2x2", "is not understood"),
        ("norm", "batch,bach", "norm 'bach' is unknown"),
        ("batch-schedule", "x2/1,x4/1", "repeat the option, --batch-schedule"),
        ("dataset", "digits,photos", "repeat the option, --dataset … --dataset …."),
    ],
)
def test_no_values_are_one_sentence(flag: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_values(OPTIONS[flag], text)
    assert said in str(caught.value)
    assert str(caught.value).endswith(".")


def test_lists_become_axes_in_the_order_of_the_table() -> None:
    design = typed(3, learning_rate=["0.001", "0.01"], batch_size="64,16", seed="5", width="0.25")
    assert design == Design(
        RunConfig(width=0.25, seed=5),
        (Axis("batch_size", (64, 16)), Axis("learning_rate", (0.001, 0.01))),
        (5, 6, 7),
    )
    assert len(design.cells()) == 12


def test_a_list_of_one_is_no_axis() -> None:
    assert typed(batch_size="64") == Design(RunConfig(knobs=Knobs(batch_size=64)))


def test_seeds_may_be_listed() -> None:
    assert typed(seed="3,11,7").seeds == (3, 11, 7)
    assert refused(seed="3,3") == "--seed has 3 twice: leave one of them out."
    with pytest.raises(ConfigError, match="counts from one --seed"):
        typed(2, seed="3,11")
    with pytest.raises(ConfigError, match="are more than"):
        typed(2, seed=str(2**32 - 1))


def test_switches_are_lists_by_repeating() -> None:
    assert typed(amp=[True, False]).axes == (Axis("amp", (True, False)),)
    assert typed(bn=[True, False]).axes == (Axis("norm", ("batch", "none")),)
    assert typed(bn=[False]).base.norm == "none"
    assert typed(bn=[True], norm="batch,ghost").axes == (Axis("norm", ("batch", "ghost")),)
    assert "--no-bn and --norm batch contradict each other" in refused(bn=[False], norm="batch")
    assert "contradict each other" in refused(bn=[True], norm="batch,none")


def test_planned_changes_hold_for_all_runs() -> None:
    design = typed(at=["3:momentum=0.9", "9:recalibrate"], batch_size="16,64")
    assert len(design.base.at) == 2
    assert [axis.setting for axis in design.axes] == ["batch_size"]


def test_steps_leave_the_epochs_open_as_for_a_run() -> None:
    assert typed(steps="40").base.epochs > 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch_size": "16,64,16"}, "--batch-size has 16 twice: leave one of them out."),
        ({"learning_rate": ["0.1", "1e-1"]}, "--lr has 0.1 twice"),
        ({"momentum": "0.9,0.99"}, "--momentum 0.9 and 0.99 need no run each: one run tells of"),
        ({"momentum": "0.9,0.99", "norm": "ghost"}, "in hindsight"),
        ({"momentum": "0.9,0.99", "norm": "group,layer"}, "no such run has running statistics"),
        ({"momentum": "0.9,0.99", "norm_layers": "0"}, "no such run has running statistics"),
        ({"momentum": "0.9,0.991,0.99"}, "--momentum 0.9 and 0.99 need no run each"),
        ({"estimator": "momentum,cumulative"}, "in hindsight"),
        ({"estimator": "cumulative,scaled,warm-up"}, "--estimator cumulative and warm-up need"),
        ({"estimator": "momentum,scaled", "norm": "none"}, "no such run has running statistics"),
        ({"ghost_batch": "16,32"}, "no such run has ghost batches: add --norm ghost."),
        ({"ghost_batch": "256,512", "norm": "ghost"}, "the whole batch is normalised together"),
        ({"ghost_updates": "each,once"}, "no such run has ghost batches"),
        ({"ghost_updates": "each,once", "norm": "ghost", "batch_size": "32"}, "the whole batch"),
        ({"device": "cpu,cuda"}, "--device cpu and cuda need no run each: it changes no numbers"),
        ({"threads": "1,2"}, "changes no numbers"),
        ({"pace": "1,max"}, "--pace 1/s and max need no run each: it changes no numbers"),
        ({"data_dir": ["/a", "/b"]}, "changes no numbers"),
        ({"epochs": "5,10"}, "every run tells of all its epochs on the way: give the largest"),
        ({"steps": "5,10"}, "give the largest alone"),
        ({"twin": "momentum=0.9"}, "--twin is not for sweeps"),
        ({"norm": "batch,layer", "norm_layers": "0"}, "with --norm-layers 0 there is no norm"),
        ({"norm": "none", "norm_layers": "0,1"}, "with --norm none there are no norm layers"),
        ({"norm_layers": "4,5,all"}, "--norm-layers 5 and all need no run each"),
        ({"base_batch": "32,64"}, "it has a meaning only with --lr-rule"),
        ({"lr_rule": "sqrt,linear", "batch_size": "64"}, "a rate at the base batch is the same"),
        ({"batch_size": "16,64", "batch_schedule": "1:8,3:64"}, "sets the size from the first"),
        ({"batch_size": "100,200", "train_size": "100"}, "all training images at most"),
        ({"batch_size": "1..101+1", "learning_rate": "0.001..0.1+0.001"}, "10,100 runs, more"),
    ],
)
def test_runs_that_would_tell_nothing_are_refused(options: dict[str, Any], said: str) -> None:
    assert said in refused(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": "0.9,0.99", "norm": "renorm"},  # its statistics feed into training
        {"momentum": "0.9,0.99", "norm": "batch,renorm"},
        {"momentum": "0.985,0.992"},  # no run keeps a row of these
        {"momentum": "0.9,0.99", "estimator": "bias-corrected"},
        {"momentum": "0.9,0.99", "estimator": "scaled"},
        {"momentum": "0.9,0.99", "at": "5:momentum=0.5"},
        {"estimator": "momentum,scaled"},
        {"ghost_batch": "16,32", "norm": "batch,ghost"},
        {"ghost_batch": "16,512", "norm": "ghost"},
        {"ghost_batch": "256,512", "norm": "ghost", "batch_schedule": "x2/1"},
        {"base_batch": "32,64", "lr_rule": "none,linear"},
        {"base_batch": "32,64", "estimator": "scaled"},
        {"lr_rule": "sqrt,linear", "batch_size": "64,128"},
        {"norm_layers": "5,all", "depth": "2"},
        {"batch_size": "50,200", "train_size": "100"},
        {"norm": "batch,none"},
    ],
)
def test_runs_that_tell_something_are_not(options: dict[str, Any]) -> None:
    assert typed(**options).axes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"norm": "batch,ghost", "ghost_batch": "8,16"},
            "At least 1 of 4 runs tells nothing new, such as --norm batch --ghost-batch 16: --norm batch --ghost-batch 8 tells the same.",
        ),
        (
            {"norm": "none,batch", "norm_layers": "1,2", "batch_size": "16,32", "seed": "4,5"},
            "At least 4 of 16 runs tell nothing new, such as --norm none --norm-layers 2 --batch-size 16: --norm none --norm-layers 1 --batch-size 16 tells the same.",
        ),
        (
            {"lr_rule": "none,linear", "batch_size": "64,128"},
            "At least 1 of 4 runs tells nothing new, such as --lr-rule linear --batch-size 64: --lr-rule none --batch-size 64 tells the same.",
        ),
        (
            {"train_size": "128,512", "batch_size": "64,256,512"},
            "At least 1 of 6 runs tells nothing new, such as --train-size 128 --batch-size 512: --train-size 128 --batch-size 256 tells the same.",
        ),
        (
            {"estimator": "momentum,scaled", "momentum": "0.9,0.99"},
            "At least 1 of 4 runs tells nothing new, such as --momentum 0.99 --estimator momentum: --momentum 0.9 --estimator momentum tells",
        ),
        ({"depth": "0,1", "norm_layers": "5,6"}, "such as --norm-layers 6 --depth 0: --norm-layers 5 --depth 0 tells the same."),
        (
            {"norm": "ghost", "norm_layers": "1,2", "batch_size": "16,64", "ghost_batch": "16,32"},
            "such as --norm-layers 1 --ghost-batch 32 --batch-size 16: --norm-layers 1 --ghost-batch 16 --batch-size 16 tells the same.",
        ),
        ({"batch_size": "16,32", "learning_rate": "0.1,0.2", "seed": "0,1,2"}, ""),
        ({"seed": "0,1"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_how_many_runs_tell_nothing_new_is_said_where_others_do(
    options: dict[str, Any], said: str
) -> None:
    words = needless_words(typed(**options))
    assert said in words
    assert bool(said) == bool(words)


def test_of_runs_that_are_said_to_tell_nothing_new_there_is_one_like_each() -> None:
    """By the runs' configurations, with what has no meaning there left out."""
    design = typed(norm="batch,ghost", ghost_batch="8,16,32", learning_rate="0.1,0.2", seed="0,1")
    alike = {
        replace(cell.config, ghost_batch=8) if cell.config.norm == "batch" else cell.config
        for cell in design.cells()
    }
    assert f"At least {design.count() - len(alike)} of {design.count()} " in needless_words(design)


def test_a_batch_that_is_clipped_is_found_once_the_images_are_known() -> None:
    design = typed(batch_size="64,1024,2048")
    known = Design(RunConfig(train_size=1000), design.axes)
    with pytest.raises(ConfigError, match="--batch-size 1024 and 2048 need no run each"):
        refuse_needless(known)


def test_every_reason_is_of_a_setting() -> None:
    assert REASONS.keys() <= {row.field for row in OPTIONS.values()}


FILE = """
name = "depths"
seeds = 3

[settings]
batch-size = "64..256x2"
lr = [0.001, 0.01]
depth = ["0..2+1", 8]
amp = [true, false]
dataset = "digits"
width = 0.25
"""


def test_a_file_says_what_can_be_typed(tmp_path: Path) -> None:
    path = tmp_path / "design.toml"
    path.write_text(FILE)
    found = read_design(path)
    assert (found.name, found.seeds) == ("depths", 3)
    assert design_of(found.options, found.seeds) == typed(
        3,
        batch_size="64,128,256",
        learning_rate="0.001,0.01",
        depth="0,1,2,8",
        amp=[True, False],
        width="0.25",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seeds = 3", "design.toml, settings: it is missing: give a table."),
        ("seed = 3\n[settings]", "line 1, seed: there is no such key; the nearest is seeds."),
        (
            "seeds = 0\n[settings]",
            "line 1, seeds: seeds '0' is no number of them: give 1 to 10,000",
        ),
        ("seeds = true\n[settings]", "line 1, seeds: seeds 'True' is no number of them"),
        ('seeds = "3"\n[settings]', "line 1, seeds: '3' is not a whole number."),
        ("name = 3\n[settings]", "line 1, name: 3 is not a text."),
        ("[settings]\nbatch = 3", "line 2, settings.batch: there is no such option; the nearest"),
        ("[settings]\n\nlr = [0.1, -1]", "line 3, settings.lr: learning rate -1 is out of range"),
        ('[settings]\nlr = "1..0x2"', "line 2, settings.lr: range '1..0x2' is empty"),
        ("[settings]\namp = 1", "line 2, settings.amp: 1 is not true or false."),
        ("[settings]\nlr = {a = 1}", "line 2, settings.lr: an option is a number or a text."),
        ("[settings]\nlr = []", "line 2, settings.lr: its list is empty: give a value, or leave"),
        ("[settings]\nbn = []", "line 2, settings.bn: its list is empty: give a value, or leave"),
        ("[settings", "line 1:"),
    ],
)
def test_a_faulty_file_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(FileError) as caught:
        parse_design(text, file="design.toml")
    assert said in str(caught.value)


def test_an_unknown_option_of_a_file_is_told_those_that_sweeps_have() -> None:
    with pytest.raises(FileError) as caught:
        parse_design("[settings]\nno-bn = true", file="design.toml")
    known = str(caught.value).rstrip(".").partition("there are ")[2].split(", ")
    assert {*known, "twin"} == set(OPTIONS)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "ten", "10001", "9" * 5000, "٣"])
def test_seeds_are_counted(text: str) -> None:
    with pytest.raises(ConfigError, match="is no number of them"):
        parse_seeds(text)
