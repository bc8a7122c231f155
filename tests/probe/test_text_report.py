"""A report reads well as text: at any width, with any names, however many layers there are."""

import io
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from bntui.core.cells import cell_len
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.numbers import figure, percent
from bntui.probe.report import Report
from bntui.probe.report_words import TITLES, ratio, worst_layers
from bntui.probe.text_report import plain
from tests.probe import reports

ALL = [reports.report, reports.unsound, reports.large, reports.unmeasured, reports.hostile]


def printed(report: Report, width: int, *, colours: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=colours).print(report)
    return out.getvalue()


def test_an_unsound_report_at_80_columns() -> None:
    assert plain(reports.unsound(), 80).splitlines() == [
        "✖ unsound · start-values: running statistics still hold a share of their start",
        "  values",
        "  accuracy: running 0.113 (loss 12.5) · fresh 0.984 (loss 0.06)",
        "  87 % of predictions flip · 512 samples",
        "",
        "  Accuracy is 0.113 under running statistics and 0.984 under fresh ones, of the",
        "  same weights on the same 512 samples.",
        "  Without their start values the running statistics give 0.979: 86 % of the",
        "  start value is left after 15 updates at torch's momentum 0.01.",
        "",
        "what to do",
        "  → bntui.recalibrate(model, training_loader)",
        "  → Train on with a larger momentum:",
        "    for layer in model.modules():",
        "        if isinstance(layer, torch.nn.BatchNorm2d):",
        "            layer.momentum = 0.1",
        "",
        "what would tell it from other causes",
        "  Lag gives the same numbers; statistics without their start value would then",
        "  not help.",
        "",
        "also",
        "  ! warning · not-frozen: weights are frozen, their running statistics are not",
        "    3 layers have weights without gradient and are in training mode:",
        "    layer1.0.bn1 and 2 more.",
        "    Validation did not suffer.",
        "    → layer.eval()",
        "  ! warning · few-values: a training batch brings too few values per channel",
        "    A batch brings layer4.1.bn2 8 values per channel.",
        "",
        "layers, first to last",
        "                                                        mean            network",
        "  layer       kind         values  momentum  updates     gap  variance    error",
        "  conv1.norm  BatchNorm2d  25,088      0.01       15  0.42 σ     ×14.2     0.81",
        "  conv2.norm  BatchNorm2d   6,272      0.01       15  0.93 σ     ÷2.01     0.93",
        "      frozen",
        "  head.norm   BatchNorm1d      32         –        0  1.70 σ     ×60.3     0.99",
        "      untouched; float16 buffers",
        "  values: per channel of a training batch; momentum: torch's, the share of the",
        "  new value; mean gap: |running − fresh mean| in fresh standard deviations;",
        "  variance: running over fresh; network error: of the output in eval mode,",
        "  relative to that in training mode",
        "",
        "notes",
        "  · 512 validation samples and 16 training batches of 32 were used; seed 0.",
    ]


def test_its_table_at_120_columns_has_every_column() -> None:
    text = plain(reports.unsound(), 120).splitlines()
    start = text.index("layers, first to last")
    assert text[start + 1 : start + 6] == [
        "                                                                  mean            network",
        "  layer       kind         channels  values  momentum  updates     gap  variance    error  remarks",
        "  conv1.norm  BatchNorm2d        32  25,088      0.01       15  0.42 σ     ×14.2     0.81",
        "  conv2.norm  BatchNorm2d        64   6,272      0.01       15  0.93 σ     ÷2.01     0.93  frozen",
        "  head.norm   BatchNorm1d       128      32         –        0  1.70 σ     ×60.3     0.99  untouched; float16 buffers",
    ]


def test_what_all_layers_have_in_common_is_said_once() -> None:
    text = plain(reports.large(), 120).splitlines()
    start = text.index("the worst 10 of 200 layers")
    assert text[start + 1 : start + 6] == [
        "  all 200 layers: BatchNorm2d, momentum 0.1 (torch's, the share of the new value)",
        "  layer                          channels  values  updates  mean gap  variance  network error  remarks",
        "  backbone.stage2.block130.norm       256   4,096        0    0.01 σ     ×1.04           0.94  untouched",
        "  backbone.stage1.block60.norm        128   8,192    1,200    2.30 σ     ÷3.32           0.85",
        "  backbone.stage3.block179.norm       512   2,048    1,200    0.03 σ     ×1.09           0.95",
    ]
    assert text[start + 13] == (
        "  190 more: mean gap at most 0.04 σ, variance within ×1.09, network error at most 0.96, frozen (12)"
    )


def test_the_drifted_layer_comes_before_those_that_only_stand_behind_it() -> None:
    first, second, *_ = worst_layers(reports.large().layers)
    assert first.remarks == ("untouched",)
    assert second.mean_gap == 2.3
    assert not any(
        layer.remarks == ("frozen",) for layer in worst_layers(reports.large().layers)[:50]
    )


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("made", ALL)
def test_no_line_is_longer_than_the_console(made: Callable[[], Report], width: int) -> None:
    lines = plain(made(), width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert lines == [line.rstrip() for line in lines]
    assert len(lines) < 90


@pytest.mark.parametrize("width", [1, 10, 30, 45])
@pytest.mark.parametrize("made", ALL)
def test_a_narrow_console_gets_all_verdicts(made: Callable[[], Report], width: int) -> None:
    report = made()
    text = plain(report, width).replace("\n", "").replace(" ", "")
    assert all(one.cause in text for one in report.verdicts)
    assert plain(replace(report, layers=report.layers * 3, metric="m" * 99), width)


@pytest.mark.parametrize("made", ALL)
def test_rich_prints_what_print_does(made: Callable[[], Report]) -> None:
    assert str(made()) == plain(made(), 100)
    assert printed(made(), 100) == f"{made()}\n"
    assert "\x1b[1;31m" in printed(reports.unsound(), 100, colours=True)


def test_texts_of_the_user_are_printed_literally() -> None:
    text = printed(reports.hostile(), 160)
    for written in ("[red]norm[/red]", "<script>alert(1)</script>", r"</script>\x1b[31m", "<i>odd"):
        assert written in text
    assert "\x1b" not in text
    assert "(the model)" in text


def test_a_long_name_is_broken_behind_dots_and_loses_nothing() -> None:
    name = "backbone.features.denseblock3.denselayer12.norm1"
    report = reports.report(
        layers=(reports.layer("a"), reports.layer(name, momentum=0.5, updates=3))
    )
    lines = plain(report, 80).splitlines()
    start = next(n for n, line in enumerate(lines) if "backbone" in line)
    pieces = [lines[start].split()[0], *(line.strip() for line in lines[start + 1 : start + 3])]
    assert "".join(pieces).startswith(name)
    assert all(piece.endswith(".") for piece in pieces if piece not in {pieces[-1], "norm1"})


def test_an_endless_name_keeps_its_end() -> None:
    text = plain(reports.report(layers=(reports.layer("x" * 3000 + ".norm"),)), 80)
    assert "…" in text
    assert "x.norm\n" in text
    assert len(text.splitlines()) < 25


def test_eleven_layers_are_shown_in_their_order() -> None:
    layers = tuple(reports.layer(f"n{n}", mean_gap=n) for n in range(11))
    shown = [
        line.split()[0] for line in str(reports.report(layers=layers)).splitlines() if "×" in line
    ]
    assert shown == [f"n{n}" for n in range(11)]
    twelve = (*layers, reports.layer("n11", mean_gap=11))
    assert "\n  2 more: " in str(reports.report(layers=twelve))


def test_nothing_measured_makes_no_columns_of_dashes() -> None:
    bare = reports.layer(
        "bn", values=None, mean_gap=math.nan, log_var_ratio=math.nan, network_error=math.nan
    )
    text = str(reports.report(layers=(bare,), running=None, fresh=None, flipped=None))
    assert "  no sample was evaluated\n" in text
    assert "  layer  kind         channels  momentum  updates\n" in text
    assert "–" not in text
    assert "no layer with running statistics" in str(reports.report(layers=()))
    many = tuple(replace(bare, name=f"bn{n}") for n in range(30))
    assert "\n  20 more\n" in str(reports.report(layers=many))


@pytest.mark.parametrize(
    ("severity", "cause", "says"),
    [
        (Severity.REMARK, Cause.SOUND, "✔ sound: nothing wrong was found with batch norm"),
        (Severity.REMARK, Cause.OVERFITTING, "✔ batch norm is sound · overfitting: the model fits"),
        (Severity.WARNING, Cause.PADDING, "! warning · padding: padding is counted"),
        (Severity.UNDECIDED, Cause.UNDECIDED, "? undecided: what was measured can't tell"),
        (Severity.UNSOUND, Cause.LAG, "✖ unsound · lag: running statistics lag"),
    ],
)
def test_the_first_line_says_severity_and_cause_in_words(
    severity: Severity, cause: Cause, says: str
) -> None:
    text = str(reports.report(Finding(cause, severity, ())))
    assert text.startswith(says)
    assert ("so the model counts as sound" in text) is (severity is Severity.WARNING)


def test_every_cause_has_its_words() -> None:
    assert set(TITLES) == set(Cause)


def test_figures() -> None:
    assert [percent(share) for share in (0, 0.0001, 0.004, 0.871, 0.9999, 1)] == [
        "0 %", "0.1 %", "0.4 %", "87 %", "99.9 %", "100 %",
    ]  # fmt: skip
    assert [figure(one, ".3g") for one in (None, math.nan, math.inf, -math.inf, -2.5)] == [
        "–", "–", "∞", "−∞", "−2.5",
    ]  # fmt: skip
    assert [ratio(one) for one in (math.nan, math.inf, -math.inf, math.log(2))] == [
        "–",
        "×∞",
        "÷∞",
        "×2",
    ]


def test_another_metric_is_called_by_its_name() -> None:
    running = replace(reports.report(), metric="−MSE").running
    assert running is not None
    report = reports.report(
        metric="−MSE",
        running=replace(running, score=-0.012345, loss=None),
        fresh=None,
        flipped=None,
    )
    assert "  −MSE: running −0.01235 · fresh not measured · 512 samples\n" in str(report)
