"""Files that somebody hands over, changed at random, through every door that reads them.

None ends in anything but success or one sentence, whatever it says. A file's number is its seed: what
`changed` says of it is what a failure shows.
"""

import math
import os
import random
import shutil
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bntui.cli import report
from bntui.cli.main import cli
from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.estimators import ROWS
from bntui.core.run import Command
from bntui.core.run_request import Branch, RunRequest
from bntui.core.snapshot import Mark, Phase
from bntui.core.text import ConfigError
from bntui.experiments.experiment import conclude
from bntui.experiments.library import configs_of, find
from bntui.experiments.outcome import RunOutcome
from bntui.store.archive import KeptRuns
from bntui.store.database import Store
from bntui.store.listing import SORTED_BY
from bntui.store.recorder import StoreRecorder
from bntui.train.runner import Runner
from bntui.train.session import Session
from tests.fuzz import mutations
from tests.fuzz.test_commands import judge
from tests.store.measured import everything
from tests.store.recorded import keep
from tests.ui.user import FULL, opened

TINY = RunConfig(
    width=1 / 32, train_size=48, device="cpu", threads=1, epochs=2, knobs=Knobs(batch_size=16)
)
FEW, PART = 480, 60
"""Files that `make test` tries, and so many in each test."""
EXPERIMENT, TRAINED, RESUMED, SHOWN = 0.25, 0.1, 0.2, 0.1
"""Shares: of files that are experiments, of these that are trained; of stores whose runs are resumed,
and are shown on the screen."""
TO_RESUME = ("checkpoints", "checkpoints", "checkpoints", *mutations.TABLES)
PER_SITTING = 40
"""Stores that one app looks at."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with a run that can be gone on with, one that has finished, and a branch."""
    path = tmp_path_factory.mktemp("sound") / "runs.sqlite"
    recorder = StoreRecorder(path)
    runner = Runner(
        RunRequest(TINY, Observation(hindsight=True, noise_scale=True)), recorder=lambda: recorder
    )
    runner.pause()
    runner.start()
    for command in (*[Command.STEP] * 4, Command.RECALIBRATE, Command.KEEP_WEIGHTS):
        runner.command(command)
    while runner.snapshot.recalibrated is None or runner._commands:
        assert runner.snapshot.phase is not Phase.FAILED, runner.snapshot.message
        time.sleep(0.01)
    assert runner.leave(60)
    marks = (Mark(7, "momentum 0.97→0.9", "momentum=0.9"), Mark(9, "recalibrated", "recalibrate"))
    keep(path, updates=40, marks=marks, **everything(40))
    with Store(path) as store:
        begin = store.last_checkpoint(recorder.run)
        assert begin
    branch = StoreRecorder(path, origin=Branch(begin))
    request = RunRequest(TINY, Observation(live=False), Branch(begin), paused=True)
    last = Runner(request, recorder=lambda: branch)
    last.start()
    last.command(Command.STEP)
    while last.snapshot.update < begin.update + 1:
        time.sleep(0.01)
    assert last.leave(60)
    assert not Path(f"{path}-wal").exists()
    return path


class Brief(Session):
    """Ends after one more update, wherever it begins."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._begun: int | None = None
        super().__init__(*arguments, **options)
        self._begun = self.trainer.update
        self.knobs = replace(self.knobs, pace=math.inf)

    @property
    def finished(self) -> bool:
        return self._begun is not None and self.trainer.update > self._begun


class Small(Runner):
    """Trains what is asked for where that is little, and something small in place of the rest."""

    def __init__(self, request: RunRequest, **options: Any) -> None:
        config = request.config
        little = config.width <= 2 * TINY.width and config.depth < 4
        known = config.dataset in {"digits", "photos"} or "/" in config.dataset
        if not little or not known or (config.threads or 1) > 4 or config.compile or config.twin:
            config = TINY
        knobs = replace(config.knobs, pace=math.inf)
        config = replace(config, at=config.at[:3], knobs=knobs)
        super().__init__(replace(request, config=config), **options)


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bntui.train.session.Session", Brief)
    monkeypatch.setattr(report, "Runner", Small)
    monkeypatch.setattr(report, "POLL_SECONDS", 0.002)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def bntui(*words: str) -> None:
    judge(list(words), CliRunner().invoke(cli, words, prog_name="bntui"))


def lay(sound: Path, rng: random.Random, tables: tuple[str, ...] = mutations.TABLES) -> str:
    """Put a store that was changed in the place of the user's; return what was done."""
    path = Path(os.environ["BNTUI_STORE"])
    for file in path.parent.glob(f"{path.name}*"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    shutil.copy(sound, path)
    return mutations.store(rng, path, tables)


def read(rng: random.Random, *, resumed: bool) -> None:
    """Have the store listed, each of its runs shown, one of them written, and maybe resumed."""
    archive = KeptRuns()
    try:
        runs = archive.runs()
    except ConfigError:
        runs = []
    bntui("runs", "--sort", rng.choice(SORTED_BY), *rng.choice(((), ("--json",))))
    names = [*(run.id for run in runs), "last", "0"]
    for name in names[:-1]:
        bntui("show", name)
    kind = rng.choice(("csv", "jsonl", "svg", "weights"))
    bntui("export", rng.choice(names), "--format", kind, "--to", "written", "--force")
    if resumed:
        able = [run.id for run in runs if run.checkpoint is not None]
        bntui("run", "--resume", rng.choice(able or names))


def tried(seeds: range, how: Callable[[random.Random, Callable[[str], None]], None]) -> None:
    """Have files tried, each by its number; of every kind of failure, say which it was and why."""
    failures: dict[str, str] = {}
    for seed in seeds:
        done: list[str] = []
        try:
            how(random.Random(seed), done.append)
        except Exception:
            trace = traceback.format_exc()
            failures.setdefault("".join(trace.splitlines()[-3:]), f"file {seed}: {done}\n{trace}")
    assert not failures, "\n".join(failures.values())


def any_file(sound: Path, texts: list[str], tmp_path: Path) -> Any:
    def each(rng: random.Random, tell: Callable[[str], None]) -> None:
        if rng.random() < EXPERIMENT:
            text = mutations.experiment(rng, rng.choice(texts))
            tell(text[:3000])
            perform(text, tmp_path / "own.toml", rng)
        else:
            resumed = rng.random() < RESUMED
            tell(lay(sound, rng, TO_RESUME if resumed else mutations.TABLES))
            read(rng, resumed=resumed)

    return each


def perform(text: str, path: Path, rng: random.Random) -> None:
    """Have an experiment read, and concluded from some outcome of its runs."""
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        experiment = find(str(path))
        configs_of(experiment, {})
    except ConfigError:
        bntui("run", "--experiment", str(path))
        return
    if rng.random() < TRAINED and len(experiment.arms) < 4:
        bntui("run", "--experiment", str(path))
    outcomes = {arm.name: outcome(rng) for arm in experiment.arms}
    conclude(experiment, outcomes, rng.choice((None, 1))).answer(experiment.question)


def outcome(rng: random.Random) -> RunOutcome:
    epochs = rng.choice((0, 1, 3))
    names = ("acc", "loss", "val_acc", "val_acc_fresh", "epochs", "updates", "seconds", *ROWS)
    return RunOutcome(
        {name: [float(rng.choice(mutations.NUMBERS)) for _ in range(epochs)] for name in names}
    )


@pytest.fixture
def texts() -> list[str]:
    from importlib import resources

    files = resources.files("bntui.experiments.built_in").iterdir()
    return sorted(file.read_text(encoding="utf-8") for file in files if file.name.endswith(".toml"))


async def looked_at(sound: Path, seeds: range, done: list[str]) -> None:
    """Have one app list, lay over, compare and repeat the runs of one store after the other."""
    async with opened(FULL, archive=KeptRuns()) as user:
        for seed in seeds:
            rng = random.Random(f"shown {seed}")
            done[:] = [f"file {seed}", lay(sound, rng)]
            await user.press("o")
            await user.until(lambda: "reading the runs that are kept" not in user.text)
            for key in ("s", "down", "space", "up", "equals_sign", "escape", "y", "escape"):
                await user.press(key)
            await user.press("slash", "0", "escape", "end", "R", "enter")
            while len(user.app.screen_stack) > 2:
                await user.press("escape")
            user.app.clear_notifications()
            assert user.app._exception is None


async def shown(sound: Path, seeds: range) -> None:
    """Have stores looked at, a new app each `PER_SITTING`; a failure says what was in the last."""
    done: list[str] = []
    for first in range(seeds.start, seeds.stop, PER_SITTING):
        try:
            await looked_at(sound, range(first, min(first + PER_SITTING, seeds.stop)), done)
        except Exception as error:
            raise AssertionError(f"{done}\n{traceback.format_exc()}") from error


@pytest.mark.parametrize("first", range(0, FEW, PART))
def test_no_file_of_some_hundred_ends_in_anything_but_success_or_a_sentence(
    sound: Path, texts: list[str], tmp_path: Path, first: int
) -> None:
    tried(range(first, first + PART), any_file(sound, texts, tmp_path))


async def test_no_store_of_some_breaks_the_list_of_runs(sound: Path) -> None:
    await shown(sound, range(PART // 3))


@pytest.mark.long
@pytest.mark.timeout(0)
def test_no_file_ends_in_anything_but_success_or_a_sentence(
    sound: Path, texts: list[str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    number = request.config.getoption("--files")
    tried(range(FEW, number), any_file(sound, texts, tmp_path))
    print(f"{number:,} files")


@pytest.mark.long
@pytest.mark.timeout(0)
async def test_no_store_breaks_the_list_of_runs(
    sound: Path, request: pytest.FixtureRequest
) -> None:
    await shown(sound, range(PART, int(SHOWN * request.config.getoption("--files"))))
