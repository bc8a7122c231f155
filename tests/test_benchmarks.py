"""What every benchmark stands on: programs in processes and terminals, operations counted, tables."""

import json
import os
import subprocess
import sys
from math import nan
from pathlib import Path

import pytest

from benchmarks.common import Effort, Table, as_json, as_markdown, in_process, median_ratio
from benchmarks.driver import Terminal
from benchmarks.recommendation import Found
from benchmarks.start import HERE, moments_of
from benchmarks.throughput import flops_per_image
from bntui.core.config import Knobs

ECHO = r"""
import os, tty
tty.setraw(0)
print("\x1b[2J\x1b[?2026$p\x1b[3;5Hready", end="", flush=True)
answer = b""
while not answer.endswith(b"$y"):
    answer += os.read(0, 1)
while (key := os.read(0, 1)) != b"q":
    print("\x1b[H" + key.decode(), end="", flush=True)
"""
"""Asks the terminal a question, shows each key at the top left, and ends with q."""


def give_back(value: object) -> object:
    return [value, os.environ["OF_ITS_OWN"], os.get_terminal_size().columns]


def fail() -> None:
    raise ValueError("what went wrong")


def test_a_function_in_a_process_of_its_own() -> None:
    outcome = in_process(give_back, {"a": 1}, OF_ITS_OWN="yes")
    assert outcome.value == [{"a": 1}, "yes", 120]
    assert 5 < outcome.peak < 2000


def test_a_failure_in_another_process_is_told() -> None:
    with pytest.raises(RuntimeError, match="what went wrong"):
        in_process(fail)


def test_a_terminal_shows_keys_and_their_effect() -> None:
    with Terminal([sys.executable, "-c", ECHO], os.environ, (20, 4)) as terminal:
        shown = terminal.until(lambda text: "ready" in text)
        assert shown > terminal.started
        assert terminal.text.splitlines()[2] == "    ready" + 11 * " "
        pressed = terminal.press("k")
        assert terminal.until(lambda text: text.startswith("k")) > pressed
        assert terminal.sent > len("ready")
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.usage is not None
        with pytest.raises(RuntimeError, match="ended with 0"):
            terminal.alive()


def test_what_never_comes_is_told_with_the_screen() -> None:
    command = [sys.executable, "-c", "print('something else')"]
    with (
        Terminal(command, os.environ, (20, 4)) as terminal,
        pytest.raises(TimeoutError, match="something else"),
    ):
        terminal.until(lambda text: "this" in text)


def test_operations_of_the_thread_s_network() -> None:
    convolutions = 784 * (9 * 32 + 9 * 32 * 32) + 196 * (9 * 32 * 64 + 9 * 64 * 64)
    dense = 3136 * 512 + 512 * 10
    assert flops_per_image(1.0) == 3 * 2 * (convolutions + dense)


def test_ratios_are_taken_round_by_round() -> None:
    assert median_ratio([10.0, 40.0, 90.0], [10.0, 20.0, 30.0]) == 2.0


def test_a_table_as_markdown_and_json() -> None:
    table = Table("Speed", {"what": "", "x/s": ",.0f"}, [("a", 1234.5), ("b", None), ("c", nan)])
    facts: dict[str, str | float] = {
        "cpu": "C",
        "cores": 2,
        "memory_gb": 8,
        "system": "S",
        "load": 0.5,
        "date": "today",
    }
    markdown = as_markdown(facts, Effort(), [table])
    assert "| what | x/s |\n| --- | ---: |\n| a | 1,234 |\n| b | – |\n| c | – |" in markdown
    assert "load before: 0.5" in markdown
    content = json.loads(as_json(facts, Effort(), [table]))
    rows = [{"what": "a", "x/s": 1234.5}, {"what": "b", "x/s": None}, {"what": "c", "x/s": None}]
    assert content["tables"][0]["rows"] == rows


def test_recommendations_that_change_are_counted() -> None:
    said = (None, None, 0.5, 0.5, None, 0.5, 0.8, 0.5, None)
    found = Found(Knobs(), 0, said, 5, ())
    assert found.changes == 2
    assert found.flickers == 5
    assert Found(Knobs(), 0, (None,), 0, ()).changes == 0


def test_the_start_of_another_checkout_is_that_checkout_s(tmp_path: Path) -> None:
    package = tmp_path / "bntui"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("raise SystemExit(7)")
    assert moments_of(HERE)["bntui --version"]() > 0
    with pytest.raises(subprocess.CalledProcessError, match="exit status 7"):
        moments_of(tmp_path)["bntui --version"]()
