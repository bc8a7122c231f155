"""What importing a part of the program loads, each time in a fresh process.

The command line answers at once because it loads neither torch nor textual; a screen opens before
torch is there; and training never needs a screen.
"""

import pkgutil

import pytest

import bntui
from tests.imported import loaded_after

MODULES = sorted(module.name for module in pkgutil.walk_packages(bntui.__path__, "bntui."))
STORE = [name for name in MODULES if name.startswith("bntui.store.")]
CALLBACKS = "bntui.probe.callbacks."
"""Each module here loads a user's library, which loads what it likes: Keras loads the user's backend."""
TRAINING = [
    name
    for name in MODULES
    if name.split(".")[1] in ("core", "machine", "data", "measure", "diagnose", "train", "probe")
    and not name.startswith(CALLBACKS)
]
HEAVY = {"torch", "torchvision", "textual", "rich", "sqlite3"}
TINY = ("run", "--width", "0.0625", "--train-size", "64", "--batch-size", "16", "--epochs", "2")


def heavy_after(*statements: str) -> set[str]:
    """Return which of the heavy packages a fresh process has loaded after some statements."""
    return HEAVY & loaded_after(*statements)


def command(*words: str) -> list[str]:
    """Return the statements that run a command of bntui."""
    return [
        f"sys.argv = {['bntui', *words]}",
        "from bntui.__main__ import main",
        "try: main()",
        "except SystemExit as end: assert not end.code",
    ]


def test_importing_bntui_loads_nothing_heavy() -> None:
    assert heavy_after("import bntui", "bntui.RunConfig, bntui.Knobs") == set()


def test_asking_for_the_version_loads_nothing_heavy_and_no_numpy() -> None:
    assert (
        heavy_after(
            "sys.modules['numpy'] = None  # so that importing it raises",
            *command("--version"),
        )
        == set()
    )


def test_training_and_measuring_load_no_screen() -> None:
    assert {"bntui.train.runner", "bntui.train.session"} <= set(TRAINING)
    loaded = heavy_after(*(f"import {name}" for name in TRAINING))
    assert "torch" in loaded
    assert not loaded & {"textual"}


def test_all_of_the_store_loads_neither_torch_nor_a_screen() -> None:
    assert {"bntui.store.recorder", "bntui.store.export.tensorboard"} <= set(STORE)
    assert heavy_after(*(f"import {name}" for name in STORE)) == {"sqlite3"}


def test_a_run_can_be_made_before_torch_is_loaded() -> None:
    assert heavy_after("import bntui", "bntui.Runner(bntui.RunRequest(bntui.RunConfig()))") == set()


@pytest.mark.parametrize("module", ["app", "explorer.screen"])
def test_importing_the_screen_loads_no_torch(module: str) -> None:
    loaded = heavy_after(f"import bntui.ui.{module}")
    assert "textual" in loaded
    assert not loaded & {"torch", "torchvision"}


def test_the_first_picture_loads_no_other_screen_no_experiment_and_no_store() -> None:
    loaded = loaded_after("import bntui.store.archive, bntui.train.runner, bntui.ui.app")
    others = ("branch", "evidence", "layer", "whatif")
    assert not loaded & {f"bntui.ui.explorer.{name}" for name in others}
    assert not loaded & {
        "bntui.ui.runs.screen",
        "bntui.ui.new_run.screen",
        "bntui.ui.dialogs.value",
    }
    assert not loaded & {
        f"bntui.ui.experiments.{name}" for name in ("conclusion", "leave", "list", "question")
    }
    assert not {name for name in loaded if name.startswith("bntui.experiments.")}
    assert {name for name in loaded if name.startswith("bntui.store")} == {
        "bntui.store",
        "bntui.store.archive",
    }
    assert "sqlite3" not in loaded


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_loads_no_compiler_of_torch_and_no_torchvision(optimizer: str) -> None:
    loaded = loaded_after(*command(*TINY, "--device", "cpu", "--optimizer", optimizer))
    assert "torch" in loaded
    assert not loaded & {"torch._dynamo", "torch._inductor", "sympy", "torchvision", "PIL"}
