"""Made-up reports: what a check could find."""

import math
from dataclasses import replace

from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.report import CheckedLayer, Evaluation, Report

NAN = math.nan
SOUND = Finding(
    Cause.SOUND,
    Severity.REMARK,
    ("Running and fresh statistics give the same accuracy within 0.4 points on 512 samples.",),
)
START_VALUES = Finding(
    Cause.START_VALUES,
    Severity.UNSOUND,
    (
        "Accuracy is 0.113 under running statistics and 0.984 under fresh ones, of the same weights on"
        " the same 512 samples.",
        "Without their start values the running statistics give 0.979: 86 % of the start value is left"
        " after 15 updates at torch's momentum 0.01.",
    ),
    (
        "bntui.recalibrate(model, training_loader)",
        "Train on with a larger momentum:\n"
        "for layer in model.modules():\n"
        "    if isinstance(layer, torch.nn.BatchNorm2d):\n"
        "        layer.momentum = 0.1",
    ),
    "Lag gives the same numbers; statistics without their start value would then not help.",
)
NOT_FROZEN = Finding(
    Cause.NOT_FROZEN,
    Severity.WARNING,
    (
        "3 layers have weights without gradient and are in training mode: layer1.0.bn1 and 2 more.",
        "Validation did not suffer.",
    ),
    ("layer.eval()", "Call it after every model.train()."),
)
FEW_VALUES = Finding(
    Cause.FEW_VALUES, Severity.WARNING, ("A batch brings layer4.1.bn2 8 values per channel.",)
)


def layer(name: str, **facts: object) -> CheckedLayer:
    """Return a layer without a fault, but for the facts given."""
    healthy = CheckedLayer(name, "BatchNorm2d", 64, 8192, 0.1, 1200, 0.031, 0.04, 0.052)
    return replace(healthy, **facts)  # type: ignore[arg-type]


def report(*verdicts: Finding, **facts: object) -> Report:
    """Return a report of a small sound model, but for the facts given."""
    sound = Report(
        verdicts or (SOUND,),
        Evaluation(0.982, 0.0612, 512),
        Evaluation(0.984, 0.06, 512),
        0.004,
        tuple(layer(f"features.{n}.norm") for n in range(3)),
        ("512 validation samples and 16 training batches of 32 were used; seed 0.",),
    )
    return replace(sound, **facts)  # type: ignore[arg-type]


def unsound() -> Report:
    """Return a report of stale statistics, with three verdicts."""
    return report(
        START_VALUES,
        NOT_FROZEN,
        FEW_VALUES,
        running=Evaluation(0.113, 12.5, 512),
        flipped=0.871,
        layers=(
            layer(
                "conv1.norm",
                channels=32,
                values=25088,
                momentum=0.01,
                updates=15,
                mean_gap=0.4212,
                log_var_ratio=2.65,
                network_error=0.81,
            ),
            layer(
                "conv2.norm",
                channels=64,
                values=6272,
                momentum=0.01,
                updates=15,
                mean_gap=0.93,
                log_var_ratio=-0.7,
                network_error=0.93,
                remarks=("frozen",),
            ),
            layer(
                "head.norm",
                kind="BatchNorm1d",
                channels=128,
                values=32,
                momentum=None,
                updates=0,
                mean_gap=1.7,
                log_var_ratio=4.1,
                network_error=0.99,
                remarks=("untouched", "float16 buffers"),
            ),
        ),
    )


def large(layers: int = 200) -> Report:
    """Return a report of a deep model: one untouched layer, one drifted, behind which errors are large."""
    rows = [
        layer(
            f"backbone.stage{n // 50}.block{n}.norm",
            channels=2 ** (6 + n // 50),
            values=2 ** (14 - n // 50),
            mean_gap=0.0004 * (n % 100),
            log_var_ratio=0.001 * (n % 90),
            network_error=0.03 if n < 60 else 0.9 + 0.0003 * n,
            remarks=("frozen",) if n < 12 else (),
        )
        for n in range(layers)
    ]
    rows[60] = replace(rows[60], mean_gap=2.3, log_var_ratio=-1.2, network_error=0.85)
    rows[130] = replace(rows[130], updates=0, remarks=("untouched",))
    return report(
        START_VALUES, layers=tuple(rows), running=Evaluation(0.51, 2.25, 512), flipped=0.46
    )


def unmeasured() -> Report:
    """Return a report in which no number is one."""
    nothing = layer(
        "norm",
        momentum=NAN,
        values=None,
        updates=None,
        mean_gap=NAN,
        log_var_ratio=NAN,
        network_error=NAN,
    )
    return report(
        Finding(Cause.UNDECIDED, Severity.UNDECIDED, ("No training batches were given.",)),
        running=Evaluation(NAN, NAN, 0),
        fresh=None,
        flipped=NAN,
        layers=(nothing, replace(nothing, name="last", mean_gap=math.inf, log_var_ratio=math.inf)),
    )


def hostile() -> Report:
    """Return a report whose texts are markup, code, escapes, wide and very long."""
    evil = "[red]a[/red]<script>alert('&')</script>\x1b[31m"
    return report(
        Finding(Cause.LAG, Severity.UNSOUND, (evil,), (evil,), evil),
        Finding(Cause.FEW_VALUES, Severity.WARNING, (evil,), (evil,), evil),
        metric="</svg><b>F1",
        layers=(
            layer("[red]norm[/red]", kind="<b>Norm", remarks=("<i>odd",)),
            layer("<script>alert(1)</script>"),
            layer("层.归一化." * 9 + "末"),
            layer("x" * 3000),
            layer(""),
        ),
        notes=(evil,),
    )
