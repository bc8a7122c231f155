"""Weights that `bntui check --checkpoint` loads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bntui.cli import weights_file
from bntui.core.text import ConfigError
from tests.cli.checking import MODULE, Fake, check, refused, write
from tests.hostile import HOSTILE
from tests.test_pickles import Evil

pytestmark = pytest.mark.usefixtures("here")


def network() -> nn.Sequential:
    torch.manual_seed(1)
    made = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    made(torch.randn(8, 2))
    return made


def saved(content: object) -> str:
    torch.save(content, "last.pt")
    return "last.pt"


def prefixed(prefix: str) -> dict[str, Any]:
    return {prefix + key: value for key, value in network().state_dict().items()}


FORMS: dict[str, Callable[[], object]] = {
    "alone": lambda: network().state_dict(),
    "state_dict": lambda: {"epoch": 3, "state_dict": network().state_dict()},
    "model": lambda: {"model": network().state_dict(), "optimizer": {"state": {}}},
    "model_state_dict": lambda: {"model_state_dict": network().state_dict()},
    "net": lambda: {"net": network().state_dict(), "acc": 0.9},
    "nested": lambda: {"model": {"state_dict": network().state_dict()}},
    "parallel": lambda: prefixed("module."),
    "compiled": lambda: prefixed("_orig_mod."),
    "both": lambda: {"state_dict": prefixed("module._orig_mod.")},
    "averaged": lambda: torch.optim.swa_utils.AveragedModel(network()).state_dict(),
    "half": lambda: {key: value.half() for key, value in network().state_dict().items()},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_state_dict_is_found_where_scripts_put_it(fake: Fake, form: str) -> None:
    result = check("mine:parts", "--checkpoint", saved(FORMS[form]()))
    assert (result.exit_code, result.stderr) == (0, "")
    for key, value in network().state_dict().items():
        assert torch.allclose(fake.model.state_dict()[key], value, atol=1e-3), key


def test_a_model_in_a_wrapper_takes_the_weights_of_the_bare_one(fake: Fake) -> None:
    write("wrapped.py", f"{MODULE}\nfrom torch.optim.swa_utils import AveragedModel\n"
          "def given(): return AveragedModel(network()), [1]\n")  # fmt: skip
    lacking = refused("wrapped:given", "--checkpoint", saved(network().state_dict()))
    assert "lacks n_averaged" in lacking
    assert check("wrapped:given", "--checkpoint", saved(FORMS["averaged"]())).exit_code == 0
    weight = network().state_dict()["0.weight"]
    assert torch.equal(fake.model.state_dict()["module.0.weight"], weight)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (("running_mean", "running_var", "num_batches_tracked"), "running_mean, running_var and num_batches_tracked"),
        (("num_batches_tracked",), "num_batches_tracked"),
    ],
)  # fmt: skip
def test_a_file_may_lack_running_statistics_and_that_is_said(
    fake: Fake, gone: tuple[str, ...], said: str
) -> None:
    kept = {k: v for k, v in network().state_dict().items() if k.rpartition(".")[2] not in gone}
    result = check("mine:parts", "--checkpoint", saved(kept))
    assert (result.exit_code, result.stderr) == (
        0,
        f"last.pt lacks {said} of 1 of 1 layers: these keep the values that the model was made with.\n",
    )
    assert torch.equal(fake.model.state_dict()["0.weight"], kept["0.weight"])
    assert fake.model.state_dict()["1.num_batches_tracked"] == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"0.weight": torch.zeros(3, 2)}, "lacks 0.bias, 1.weight, 1.bias: make"),
        (prefixed("") | {"2.weight": torch.zeros(1)}, "has 2.weight, which the model does not have"),
        (prefixed("") | {"0.weight": torch.zeros(3, 9)}, "0.weight is (3, 9) in the file and (3, 2) in the model"),
        (prefixed("backbone."), "it lacks 0.weight, 0.bias, 1.weight and 1 more, and has backbone.0.weight"),
        (prefixed("") | {HOSTILE: torch.zeros(1)}, "which the model does not have"),
        ({"epoch": 1}, "holds no state dict, neither by itself nor under state_dict, model, "),
        ([1, 2], "but list"),
        (torch.zeros(1), "but Tensor"),
        ({}, "holds no state dict"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused(fake: Fake, content: object, said: str) -> None:
    assert said in refused("mine:parts", "--checkpoint", saved(content))
    assert not fake.calls


def test_a_file_that_would_run_code_is_refused(fake: Fake, here: Path) -> None:
    said = refused("mine:parts", "--checkpoint", saved({"model": Evil(here / "trace")}))
    assert "can't be read as tensors alone" in said
    assert not (here / "trace").exists()
    assert "can't be read as tensors alone" in refused(
        "mine:parts", "--checkpoint", saved(network())
    )


def test_a_file_that_is_none_is_refused(fake: Fake, here: Path) -> None:
    assert "No such file" in refused("mine:parts", "--checkpoint", "none.pt")
    assert "Is a directory" in refused("mine:parts", "--checkpoint", str(here))
    for content in (b"", b"text of some kind", b"PK\3\4 and no more"):
        Path("odd.pt").write_bytes(content)
        assert "odd.pt" in refused("mine:parts", "--checkpoint", "odd.pt")
    refused("mine:parts", "--checkpoint", HOSTILE)


def test_what_an_empty_file_or_dict_lacks_is_said(here: Path) -> None:
    Path("zero.pt").touch()
    with pytest.raises(ConfigError, match=r"torch\.load reads \(EOFError\): save"):
        weights_file.load("zero.pt", network())
    with pytest.raises(ConfigError, match=r"net, but nothing: save"):
        weights_file.load(saved({}), network())
