"""What a shell completes, and that asking for it loads nothing that takes long."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bntui.cli.main import cli
from bntui.core.parsers import DATASETS
from bntui.experiments.library import built_in
from bntui.ui.themes import names
from tests.children import environment
from tests.imported import loaded_after


def completed(line: str) -> list[str]:
    """Return what is offered for the last word of a line, with the kind of each in front."""
    words = line.split(" ")
    asked = {
        "_BNTUI_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    result = CliRunner().invoke(cli, [], prog_name="bntui", env=asked)
    assert result.exit_code == 0, result.output
    return result.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("bntui --the", ["plain,--theme"]),
        ("bntui run --mom", ["plain,--momentum"]),
        ("bntui exp", ["plain,experiments", "plain,export"]),
        ("bntui --theme so", ["plain,solarized-dark", "plain,solarized-light"]),
        ("bntui run --dataset CI", ["plain,cifar10"]),
        ("bntui run --dataset ./my", ["file,./my"]),
        ("bntui run --data-dir /da", ["dir,/da"]),
        ("bntui run --device c", ["plain,cpu", "plain,cuda"]),
        ("bntui experiments large", ["plain,large-batch"]),
        ("bntui run --experiment ./mine", ["file,./mine"]),
        ("bntui run --momentum 0", []),
    ],
)
def test_what_is_offered(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_all_names_are_offered_where_none_is_begun() -> None:
    assert completed("bntui --theme ") == [f"plain,{name}" for name in names()]
    assert completed("bntui run --dataset ") == [f"plain,{name}" for name in DATASETS]
    experiments = [f"plain,{experiment.name}" for experiment in built_in()]
    assert completed("bntui --experiment ") == experiments


@pytest.mark.parametrize(
    ("line", "loads"),
    [("bntui --the", set()), ("bntui experiments ", set()), ("bntui --theme ", {"textual"})],
)
def test_asking_loads_neither_torch_nor_more_than_it_needs(line: str, loads: set[str]) -> None:
    loaded = loaded_after(
        "import os",
        "os.environ['_BNTUI_COMPLETE'] = 'bash_complete'",
        f"os.environ |= {{'COMP_WORDS': {line!r}, 'COMP_CWORD': '{line.count(' ')}'}}",
        "sys.argv = ['bntui']",
        "from bntui.__main__ import main",
        "try: main()",
        "except SystemExit as end: assert not end.code",
    )
    assert loaded & {"torch", "torchvision", "textual", "sqlite3"} == loads


def test_bash_completes_with_what_setup_says(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash, which is not installed here")
    program = tmp_path / "bntui"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bntui "$@"\n')
    program.chmod(0o755)
    setup = (Path(__file__).parents[2] / "docs/setup.md").read_text(encoding="utf-8")
    (line,) = (line.strip() for line in setup.splitlines() if "bash_source" in line)
    line = line.partition("#")[0]
    asked = f"{line}\nCOMP_WORDS=(bntui --the)\nCOMP_CWORD=1\n_bntui_completion bntui\n"
    done = subprocess.run(
        [bash, "--norc", "-c", f'{asked}echo "${{COMPREPLY[@]}}"'],
        capture_output=True, text=True, timeout=200,
        env=environment(PATH=f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"),
    )  # fmt: skip
    if "Shell completion is not supported" in done.stderr:
        pytest.skip("needs a bash of this century")
    assert (done.stdout, done.stderr) == ("--theme\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(shell: str) -> None:
    asked = {"_BNTUI_COMPLETE": f"{shell}_source"}
    result = CliRunner().invoke(cli, [], prog_name="bntui", env=asked)
    assert result.exit_code == 0
    assert "_BNTUI_COMPLETE" in result.stdout
