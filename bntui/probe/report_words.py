"""The words and figures in which every face of a report is told: text, HTML. Values only."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bntui.core.text import literal
from bntui.diagnose.health import factor
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.numbers import NOTHING, counted, figure, percent
from bntui.probe.report import CheckedLayer, Evaluation, Report

LONGEST_NAME = 300
"""Characters of a layer's name; a longer one loses its middle."""
WORST = 10
"""Layers that are shown of a large model; the rest are counted."""
MARKS = {
    Severity.UNSOUND: "✖",
    Severity.UNDECIDED: "?",
    Severity.WARNING: "!",
    Severity.REMARK: "✔",
}
TITLES = {
    Cause.NON_FINITE: "running statistics or outputs are not finite",
    Cause.PRECISION: "running statistics are kept or used in too low a precision",
    Cause.EXPORTED_DIFFERENTLY: "the other model has other outputs in eval mode",
    Cause.BATCH_DEPENDENT: "a prediction depends on the other samples of its batch",
    Cause.AVERAGED_WEIGHTS: "the weights are averaged, the running statistics belong to other weights",
    Cause.MOMENTUM_TOO_SMALL: "momentum is 0, or too small for the updates made",
    Cause.NEVER_UPDATED: "running statistics were never updated",
    Cause.PARTLY_UNTOUCHED: "running statistics of some layers were never updated",
    Cause.RANKS_DIFFER: "running statistics differ between the processes of one training",
    Cause.PADDING: "padding is counted in the statistics",
    Cause.SORTED_BATCHES: "training batches are not mixed",
    Cause.MIXED_SOURCES: "one layer gets inputs of several distributions in turn",
    Cause.FEW_VALUES: "a training batch brings too few values per channel",
    Cause.MOMENTUM_CONVENTION: "momentum follows the other convention",
    Cause.COUNTED_TWICE: "an update moves running statistics several times",
    Cause.NOT_FROZEN: "weights are frozen, their running statistics are not",
    Cause.DROPOUT_SHIFT: "dropout before batch norm shifts its statistics",
    Cause.START_VALUES: "running statistics still hold a share of their start values",
    Cause.LAG: "running statistics lag behind the weights",
    Cause.VALIDATION_DIFFERS: "validation data differ from training data",
    Cause.OVERFITTING: "the model fits its training data better than validation data",
    Cause.NOT_LEARNED: "the model has not learned yet",
    Cause.UNDECIDED: "what was measured can't tell whether batch norm does harm",
    Cause.SOUND: "nothing wrong was found with batch norm",
}
NO_FAULT = ("frozen",)
"""How remarks begin that name no fault: they move no layer to the top of the table."""
TORCHS = "torch's, the share of the new value"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of each layer."""

    title: str
    """Its words go one below the other where there is little room."""
    cell: Callable[[CheckedLayer], str]
    means: str = ""
    """What its title leaves open."""


def status(finding: Finding) -> str:
    """Return what a finding means for the model, in a word or two: colour and mark only repeat it."""
    if finding.severity is Severity.REMARK and finding.cause is not Cause.SOUND:
        return "batch norm is sound"
    return "sound" if finding.severity is Severity.REMARK else finding.severity.value


def headline(finding: Finding) -> str:
    """Return mark, severity, cause and what the cause means, in one line."""
    word, cause = status(finding), finding.cause.value
    named = word if word == cause else f"{word} · {cause}"
    return f"{MARKS[finding.severity]} {named}: {TITLES[finding.cause]}"


def standing(report: Report) -> str:
    """Return what a first verdict leaves open: a warning does not make a model unsound."""
    warned = report.verdicts and report.verdicts[0].severity is Severity.WARNING
    if report.sound and warned and report.running:
        return "No harm was seen, so the model counts as sound."
    return ""


def summary(report: Report) -> tuple[str, ...]:
    """Return scores under both statistics, flipped predictions and samples: parts of one line."""
    known = [one for one in (report.running, report.fresh) if one]
    if not known:
        return ("no sample was evaluated",)
    parts = [
        f"{literal(report.metric)}: running {_evaluated(report.running, report.metric)}",
        f"fresh {_evaluated(report.fresh, report.metric)}",
    ]
    if report.flipped is not None and math.isfinite(report.flipped):
        parts.append(f"{percent(report.flipped)} of predictions flip")
    return (*parts, counted(known[0].samples, "sample"))


def _evaluated(evaluation: Evaluation | None, metric: str) -> str:
    if evaluation is None:
        return "not measured"
    score = figure(evaluation.score, ".3f" if metric == "accuracy" else ".4g")
    return score if evaluation.loss is None else f"{score} (loss {figure(evaluation.loss, '.3g')})"


def decimals(value: float) -> str:
    """Write a gap or an error with two decimals, huge ones with an exponent."""
    return figure(value, ".2f" if abs(value) < 1000 else ".2g")


def gap(value: float) -> str:
    """Write a mean gap with its unit."""
    return NOTHING if math.isnan(value) else f"{decimals(value)} σ"


def ratio(log_ratio: float) -> str:
    """Write the log of a ratio as a factor, an infinite one too."""
    if math.isinf(log_ratio):
        return "×∞" if log_ratio > 0 else "÷∞"
    return factor(log_ratio)


KIND = Column("kind", lambda layer: literal(layer.kind))
MOMENTUM = Column("momentum", lambda layer: figure(layer.momentum, ".6g"), TORCHS)
UPDATES = Column("updates", lambda layer: figure(layer.updates, ","))
COLUMNS = (
    KIND,
    Column("channels", lambda layer: figure(layer.channels, ",")),
    Column("values", lambda layer: figure(layer.values, ","), "per channel of a training batch"),
    MOMENTUM,
    UPDATES,
    Column(
        "mean gap",
        lambda layer: gap(layer.mean_gap),
        "|running − fresh mean| in fresh standard deviations",
    ),
    Column("variance", lambda layer: ratio(layer.log_var_ratio), "running over fresh"),
    Column(
        "network error",
        lambda layer: decimals(layer.network_error),
        "of the output in eval mode, relative to that in training mode",
    ),
)


def called(layer: CheckedLayer) -> str:
    """Return the name of a layer as it is shown; a model that is itself the layer has none."""
    name = literal(layer.name) or "(the model)"
    return name if len(name) <= LONGEST_NAME else f"{name[:60]}…{name[-60:]}"


def told_columns(layers: Sequence[CheckedLayer]) -> tuple[Column, ...]:
    """Return the columns of a table: without those that hold nothing of any layer."""
    return tuple(one for one in COLUMNS if any(one.cell(layer) != NOTHING for layer in layers))


def folded(layers: Sequence[CheckedLayer]) -> tuple[tuple[Column, ...], str]:
    """Return the columns in which layers differ, and what all have in common, in words."""
    columns = told_columns(layers)
    common = [one for one in (KIND, MOMENTUM, UPDATES) if one in columns and _alike(layers, one)]
    words = ", ".join(_in_words(one, layers[0]) for one in common)
    whose = {1: "the layer", 2: "both layers"}.get(len(layers), f"all {len(layers):,} layers")
    different = tuple(one for one in columns if one not in common)
    return different, f"{whose}: {words}" if common else ""


def _alike(layers: Sequence[CheckedLayer], column: Column) -> bool:
    return len({column.cell(layer) for layer in layers}) == 1


def _in_words(column: Column, layer: CheckedLayer) -> str:
    cell = column.cell(layer)
    words = {
        KIND: cell,
        MOMENTUM: f"momentum {cell} ({TORCHS})",
        UPDATES: f"{cell} update{'s' * (cell != '1')}",
    }
    return words[column]


def legend(columns: Sequence[Column]) -> str:
    """Return what the columns mean, in one line."""
    return "; ".join(f"{one.title}: {one.means}" for one in columns if one.means)


def faults(layer: CheckedLayer) -> tuple[str, ...]:
    """Return the remarks that name a fault of the layer's state."""
    return tuple(one for one in layer.remarks if not one.startswith(NO_FAULT))


def worst_layers(layers: Sequence[CheckedLayer]) -> tuple[CheckedLayer, ...]:
    """Return the layers by how conspicuous they are: those with a fault first.

    Then those whose network error and own drift are large together. The network error alone does
    not find a culprit: it stays near 1 in all layers behind one.
    """
    return tuple(sorted(layers, key=_conspicuous, reverse=True))


def _conspicuous(layer: CheckedLayer) -> tuple[bool, float, float]:
    error, drift = (
        _size(layer.network_error),
        max(_size(layer.mean_gap), _size(layer.log_var_ratio)),
    )
    return bool(faults(layer)), max(0.0, min(error, 1.0)) + max(0.0, min(drift, 1.0)), drift


def _size(value: float) -> float:
    return -1.0 if math.isnan(value) else abs(value)


def shown_layers(
    layers: Sequence[CheckedLayer],
) -> tuple[tuple[CheckedLayer, ...], tuple[CheckedLayer, ...]]:
    """Return the layers to show and those to count: all in their order, or the worst of many."""
    if len(layers) <= WORST + 1:  # a line that counts one layer takes as much room as the layer
        return tuple(layers), ()
    ranked = worst_layers(layers)
    return ranked[:WORST], ranked[WORST:]


def table_title(shown: int, layers: int) -> str:
    """Return what the rows of the table are."""
    if not layers:
        return "no layer with running statistics"
    return f"the worst {shown} of {layers:,} layers" if shown < layers else "layers, first to last"


def rest(layers: Sequence[CheckedLayer]) -> str:
    """Return one sentence on the layers that are not shown: the largest of each figure."""
    figures = {
        "mean gap at most": (gap, [layer.mean_gap for layer in layers]),
        "variance within": (ratio, [abs(layer.log_var_ratio) for layer in layers]),
        "network error at most": (decimals, [layer.network_error for layer in layers]),
    }
    parts = []
    for words, (write, values) in figures.items():
        if known := [value for value in values if not math.isnan(value)]:
            parts.append(f"{words} {write(max(known))}")
    parts += [f"{remark} ({count:,})" for remark, count in _remarks(layers).most_common()]
    return f"{len(layers):,} more" + (f": {', '.join(parts)}" if parts else "")


def _remarks(layers: Iterable[CheckedLayer]) -> Counter[str]:
    """Return how many layers have each remark."""
    return Counter(literal(remark) for layer in layers for remark in layer.remarks)
