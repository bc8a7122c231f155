"""The JSON of a report is strict, keeps to its schema, and every key of it is explained in docs/check.md."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.json_report import as_values
from bntui.probe.report import Report
from tests.probe import reports
from tests.test_json_docs import keys

DOCS = Path(__file__).parent.parent.parent / "docs" / "check.md"
UNDECIDED = Finding(Cause.UNDECIDED, Severity.UNDECIDED, ("20 samples can't tell.",))


def strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_whole_of_a_small_report() -> None:
    report = reports.report(
        reports.FEW_VALUES, layers=(reports.layer("bn", remarks=("frozen",)),), notes=("seed 0",)
    )
    assert strict(report.to_json()) == {
        "schema": 1,
        "sound": True,
        "exit_status": 0,
        "verdicts": [
            {
                "cause": "few-values",
                "severity": "warning",
                "evidence": ["A batch brings layer4.1.bn2 8 values per channel."],
                "remedies": [],
                "told_apart": "",
            }
        ],
        "metric": "accuracy",
        "running": {"score": 0.982, "loss": 0.0612, "samples": 512},
        "fresh": {"score": 0.984, "loss": 0.06, "samples": 512},
        "flipped": 0.004,
        "layers": [
            {
                "name": "bn",
                "kind": "BatchNorm2d",
                "channels": 64,
                "values": 8192,
                "momentum": 0.1,
                "updates": 1200,
                "mean_gap": 0.031,
                "log_var_ratio": 0.04,
                "network_error": 0.052,
                "remarks": ["frozen"],
            }
        ],
        "notes": ["seed 0"],
    }


def test_every_key_is_in_the_docs() -> None:
    found = set(keys(strict(reports.unsound().to_json())))
    assert {"schema", "told_apart", "samples", "log_var_ratio"} <= found
    section = DOCS.read_text().partition("## JSON")[2].partition("\n## ")[0]
    assert found - set(re.findall(r"`(\w+)`", section)) == set()


@pytest.mark.parametrize(
    "made", [reports.unsound, reports.large, reports.unmeasured, reports.hostile]
)
def test_it_is_one_line_of_strict_ascii(made: Any) -> None:
    text = made().to_json()
    assert text.isascii()
    assert "\n" not in text
    assert strict(text) == as_values(made())


def test_what_is_no_number_is_null() -> None:
    values = strict(reports.unmeasured().to_json())
    assert values["running"] == {"score": None, "loss": None, "samples": 0}
    assert values["fresh"] is None
    assert values["flipped"] is None
    assert values["layers"][0]["momentum"] is None
    assert values["layers"][1]["mean_gap"] is None
    assert values["layers"][1]["log_var_ratio"] is None


def test_numbers_of_numpy_are_numbers_too() -> None:
    odd = reports.layer(
        "bn", mean_gap=np.float32(0.5), channels=np.int64(3), network_error=np.float64(math.inf)
    )
    (row,) = strict(reports.report(layers=(odd,), flipped=np.float32(0.25)).to_json())["layers"]
    assert (row["mean_gap"], row["channels"], row["network_error"]) == (0.5, 3, None)


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (reports.report(), 0),
        (reports.report(reports.NOT_FROZEN), 0),
        (reports.unsound(), 1),
        (reports.report(UNDECIDED, reports.FEW_VALUES), 3),
        (reports.report(reports.START_VALUES, UNDECIDED), 1),
    ],
)
def test_the_exit_status_says_what_sound_says(report: Report, status: int) -> None:
    values = strict(report.to_json())
    assert values["exit_status"] == report.exit_status == status
    assert values["sound"] is (status == 0)


def test_surrogates_of_undecodable_names_survive() -> None:
    name = b"n\xe9".decode(errors="surrogateescape")
    report = replace(reports.report(), layers=(reports.layer(name),))
    assert strict(report.to_json())["layers"][0]["name"] == name
