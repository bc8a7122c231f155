"""`bntui sweep` called as a user does, on a machine where each run takes ten minutes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from click.testing import CliRunner, Result

from bntui.cli.main import cli
from bntui.core.snapshot import RunFacts
from bntui.core.sweep import Design
from bntui.experiments.duration import Took
from bntui.store.database import Store
from bntui.sweeps.forecast import Workers

FACTS = RunFacts(
    device="cpu",
    dataset="digits",
    train=1000,
    validation=100,
    parameters=1000,
    class_names=("0", "1"),
    activation_bytes=1000,
    threads=1,
)
TINY = (
    *("--dataset", "digits", "--train-size", "64", "--width", "0.03125", "--device", "cpu"),
    *("--epochs", "1", "--batch-size", "16,64"),
)


def quick_trial(device: str = "cpu") -> Callable[..., list[Took]]:
    """Return a trial that takes no time, by which each run takes ten minutes on a device."""

    def trial(pairs: list[Any], workers: Workers, *_: object) -> list[Took]:
        facts = replace(FACTS, device=device, threads=workers.threads)
        return [Took(one, facts, 100, 1000, 600.0) for pair in pairs for one in pair]

    return trial


def sweep(*words: str) -> Result:
    return CliRunner().invoke(cli, ["sweep", *words], prog_name="bntui")


def said(result: Result) -> str:
    """Return the one sentence that a refused command says."""
    assert result.exit_code == 2, result.output
    *before, sentence = result.stderr.splitlines()
    assert before in ([], ["A short trial tells how long they take …"])
    return sentence


def keep(of: Design, name: str) -> None:
    with Store() as store:
        store.put_sweep(name, of)
