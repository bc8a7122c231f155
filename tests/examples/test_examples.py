"""The examples run, and show what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import environment, only_run

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "options", "updates"),
    [
        ("resnet_on_photos", ("--images", "512", "--batch-size", "64"), 8),
        ("keras_digits", ("--batch-size", "512"), 8),
    ],
)
def test_an_example_fails_validation_early_and_is_told_why(
    name: str, options: tuple[str, ...], updates: int
) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), "--epochs", "1", *options],
        capture_output=True,
        text=True,
        timeout=220,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr
    run = only_run()
    assert (run.state, run.updates) == ("finished", updates)
    assert run.watched
    assert run.watched.findings[0].severity == "unsound"
    assert run.watched.findings[0].title[1:] in done.stderr  # it begins a sentence
    assert run.watched.score == "accuracy"


def test_the_readme_names_every_example() -> None:
    said = (EXAMPLES / "README.md").read_text()
    assert all(f"({path.name})" in said for path in EXAMPLES.glob("*.py"))
