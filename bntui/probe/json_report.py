"""A report as JSON. The schema is documented in docs/check.md and changes only with its number."""

import json
import math
from typing import Any

from bntui.probe.causes import Finding
from bntui.probe.report import CheckedLayer, Evaluation, Report

SCHEMA = 1
"""Rises when a key goes or changes its meaning; a new key leaves it as it is."""


def to_json(report: Report) -> str:
    """Return the report as one line of strict JSON, in ASCII."""
    return json.dumps(as_values(report), allow_nan=False)


def as_values(report: Report) -> dict[str, Any]:
    """Return the report as what JSON has: objects, lists, texts, numbers, null for what is none."""
    return {
        "schema": SCHEMA,
        "sound": report.sound,
        "exit_status": report.exit_status,
        "verdicts": [_verdict(one) for one in report.verdicts],
        "metric": report.metric,
        "running": _evaluation(report.running),
        "fresh": _evaluation(report.fresh),
        "flipped": _number(report.flipped),
        "layers": [_layer(one) for one in report.layers],
        "notes": list(report.notes),
    }


def _verdict(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause.value,
        "severity": finding.severity.value,
        "evidence": list(finding.evidence),
        "remedies": list(finding.remedies),
        "told_apart": finding.told_apart,
    }


def _evaluation(evaluation: Evaluation | None) -> dict[str, Any] | None:
    if evaluation is None:
        return None
    return {
        "score": _number(evaluation.score),
        "loss": _number(evaluation.loss),
        "samples": int(evaluation.samples),
    }


def _layer(layer: CheckedLayer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.kind,
        "channels": int(layer.channels),
        "values": _whole(layer.values),
        "momentum": _number(layer.momentum),
        "updates": _whole(layer.updates),
        "mean_gap": _number(layer.mean_gap),
        "log_var_ratio": _number(layer.log_var_ratio),
        "network_error": _number(layer.network_error),
        "remarks": list(layer.remarks),
    }


def _number(value: float | None) -> float | None:
    """Return a number as Python's own, whatever library it comes from; None where JSON has none."""
    return None if value is None or not math.isfinite(value) else float(value)


def _whole(value: int | None) -> int | None:
    return None if value is None else int(value)
