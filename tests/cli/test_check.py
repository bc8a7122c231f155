"""`bntui check`: which function it calls, what it makes of errors, and with which status it ends."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

import bntui
from bntui.cli import output, weights_file
from bntui.cli.check import EXAMPLE
from bntui.cli.main import cli
from bntui.core.text import ConfigError
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.errors import ProbeError
from bntui.probe.report import Report
from tests.children import python
from tests.test_hostile import CONTROL, HOSTILE
from tests.test_pickles import Evil

SOUND = Finding(Cause.SOUND, Severity.REMARK, ("All is well.",))
LAG = Finding(Cause.LAG, Severity.UNSOUND, ("They lag.",))
PADDING = Finding(Cause.PADDING, Severity.UNSOUND, ("Zeros count.",))
WARNED = Finding(Cause.NOT_FROZEN, Severity.WARNING, ("They move.",))
UNDECIDED = Finding(Cause.UNDECIDED, Severity.UNDECIDED, ("Nobody can tell.",))
MODULE = """
from torch import nn

def network():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))

def parts():
    return {"model": network(), "validation": [1], "training": [2]}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the current directory of the test, from which nothing stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mine.py").write_text(MODULE)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(f"{tmp_path}/"):
            del sys.modules[name]


class Fake:
    """Stands for bntui.check: keeps what it is called with, and finds what it is told to."""

    def __init__(self) -> None:
        self.verdicts: tuple[Finding, ...] = (SOUND,)
        self.calls: list[tuple[Any, ...]] = []
        self.options: dict[str, Any] = {}
        self.act: Callable[[], None] = lambda: None

    def __call__(self, *parts: Any, **options: Any) -> Report:
        self.calls.append(parts)
        self.options = options
        self.act()
        return Report(self.verdicts, None, None, None, (), ())

    @property
    def model(self) -> nn.Module:
        """The model of the last call."""
        model = self.calls[-1][0]
        assert isinstance(model, nn.Module)
        return model


@pytest.fixture
def fake(here: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put a fake in the place of bntui.check."""
    made, module = Fake(), ModuleType("bntui.probe.check")
    module.check = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bntui.probe.check", module)
    return made


def check(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["check", *arguments], prog_name="bntui")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refused(*arguments: str) -> str:
    """Return the one sentence with which a check is refused."""
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    assert not CONTROL.search(line)
    return line


def raised(*arguments: str) -> str:
    """Return what is told of an exception of the user's code."""
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert not re.search(r"bntui/(cli|probe|measure)|importlib|click", result.stderr)
    assert result.stderr.endswith(
        "Error: your own code raised this, so that nothing was checked.\n"
    )
    return result.stderr


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


# Which function


@pytest.mark.parametrize(
    "target", ["mine:parts", "mine.py:parts", "./mine.py:parts", "mine.py", "mine"]
)
def test_a_function_is_found_by_module_or_path(fake: Fake, target: str) -> None:
    assert check(target).exit_code == 0
    ((model, validation, training),) = fake.calls
    assert isinstance(model, nn.Sequential)
    assert (validation, training, fake.options) == ([1], [2], {})


def test_a_file_elsewhere_imports_what_lies_beside_it(fake: Fake) -> None:
    write("far/other.py", "from beside import network\ndef parts(): return network(), [1]\n")
    write("far/beside.py", MODULE)
    assert check("far/other.py:parts").exit_code == 0
    assert fake.calls[0][2] is None


@pytest.mark.parametrize("target", ["pack/deep/train.py:parts", "pack.deep.train:parts"])
def test_a_file_of_a_package_may_import_relatively(fake: Fake, target: str) -> None:
    write("pack/__init__.py", "")
    write("pack/deep/__init__.py", "")
    write("pack/models.py", MODULE)
    write(
        "pack/deep/train.py", "from ..models import network\ndef parts(): return network(), [1]\n"
    )
    assert check(target).exit_code == 0


@pytest.mark.parametrize("name", ["code", "random", "json", "torch", "a-b", "7"])
def test_a_file_may_have_any_name(fake: Fake, name: str) -> None:
    write(f"{name}.py", MODULE)
    assert check(f"{name}.py:parts").exit_code == 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere:parts", "there is no module nowhere, neither in the current directory"),
        ("mine.deeper:parts", "there is no module mine.deeper"),
        ("nowhere.py:parts", "nowhere.py is no file"),
        ("src/nowhere:parts", "src/nowhere is no file"),
        ("mine:part", "has no function 'part': the nearest is parts"),
        ("mine:make", "has no function 'make': it has network, parts"),
        ("empty:make", "has no function 'make', nor any other"),
        ("mine:", "'' is no name of a function"),
        (":parts", "'' is no name of a module"),
        (".mine:parts", "'.mine' is no name of a module"),
        ("mine:parts()", "'parts()' is no name of a function"),
        ("mine:nn", "is a module, not a function"),
        ("needy:parts", "needs some (missing a required argument: 'size')"),
        (HOSTILE, ""),
        (f"{HOSTILE}:parts", ""),
        (f"mine:{HOSTILE}", ""),
        (f"{HOSTILE}.py:parts", ""),
        ("x" * 3000, "there is no module x"),
        ("x" * 3000 + ".py", "is no file"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_in_a_sentence(fake: Fake, target: str, said: str) -> None:
    write("needy.py", "def parts(size): ...\n")
    write("empty.py", "")
    assert said in refused(target)


def test_without_a_function_it_says_how_to_begin() -> None:
    assert "bntui check --example" in refused()


# What the function returns


def returning(text: str) -> str:
    write("given.py", f"{MODULE}\ndef given(): return {text}\n")
    return "given:given"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("None", "returned None: return a dict"),
        ("network()", "returned a Sequential: return a dict"),
        ("(network(),)", "returned a tuple of 1: return a dict"),
        ("(1, 2, 3, 4)", "returned a tuple of 4: return a dict"),
        ("{'model': network()}", "returned no validation: a check needs both"),
        ("{}", "returned no model and no validation"),
        ("(network(), None)", "returned no validation"),
        ("{'model': 1, 'validations': []}", "'validations', which bntui.check does not take: the nearest is 'validation'"),
        ("{'model': 1, 'x': 1}", "'x', which bntui.check does not take: there are model, validation, "),
        ("{5: 1}", "returned 5, which bntui.check does not take"),
        ("(1, [2])", "returned an int as model: a check needs a torch.nn.Module"),
        ("(network, [2])", "returned a function as model"),
        (f"{{{HOSTILE!r}: 1}}", "which bntui.check does not take"),
    ],
)  # fmt: skip
def test_what_it_returns_is_judged(fake: Fake, text: str, said: str) -> None:
    assert said in refused(returning(text))
    assert not fake.calls


def test_a_dict_may_hold_all_that_a_check_takes_and_options_go_over_it(fake: Fake) -> None:
    names = ("averaged_from", "against", "samples", "fresh_batches", "seed")
    own = ", ".join(f"{name!r}: {number}" for number, name in enumerate(names))
    target = returning(
        f"dict(model=network(), validation=[1], forward=min, metric=max, **{{{own}}})"
    )
    assert check(target, "--samples", "64", "--seed", "9").exit_code == 0
    expected = {name: number for number, name in enumerate(names)} | {"samples": 64, "seed": 9}
    assert fake.options == {"forward": min, "metric": max, **expected}


def test_a_named_tuple_is_taken_by_its_names(fake: Fake) -> None:
    write("named.py", f"""{MODULE}
from collections import namedtuple
def given(): return namedtuple("Parts", "validation model metric")([1], network(), max)
""")  # fmt: skip
    assert check("named:given").exit_code == 0
    assert fake.calls[0][1:] == ([1], None)
    assert fake.options == {"metric": max}


# Options


@pytest.mark.parametrize(
    ("option", "value"),
    [("samples", "0"), ("samples", "x"), ("fresh-batches", "-1"), ("seed", "-1"), ("seed", "1e3"), ("seed", "9" * 99)],
)  # fmt: skip
def test_numbers_are_judged(option: str, value: str) -> None:
    assert f"{option} {value[:9]}" in refused("mine:parts", f"--{option}", value).replace("'", "")


def test_unknown_causes_are_refused_with_the_known_ones() -> None:
    said = refused("mine:parts", "--ignore", "tiredness")
    assert all(cause in said for cause in Cause)
    assert "is unknown" in refused("mine:parts", "--ignore", HOSTILE)


# The exit status


@pytest.mark.parametrize(
    ("verdicts", "ignore", "status"),
    [
        ((SOUND,), (), 0),
        ((LAG, WARNED), (), 1),
        ((LAG, UNDECIDED), (), 1),
        ((UNDECIDED,), (), 3),
        ((WARNED,), (), 0),
        ((LAG,), ("lag",), 0),
        ((LAG, PADDING), ("lag",), 1),
        ((LAG, PADDING), ("lag", "PADDING"), 0),
        ((LAG, UNDECIDED), ("lag",), 3),
        ((UNDECIDED,), ("undecided",), 0),
        ((LAG,), ("start_values", "undecided"), 1),
    ],
)  # fmt: skip
def test_the_status_tells_what_was_found(
    fake: Fake, verdicts: tuple[Finding, ...], ignore: tuple[str, ...], status: int
) -> None:
    fake.verdicts = verdicts
    options = [word for cause in ignore for word in ("--ignore", cause)]
    result = check("mine:parts", *options)
    assert (result.exit_code, result.stderr) == (status, "")
    assert all(one.cause in result.stdout for one in verdicts)
    assert check("mine:parts", "--json", *options).exit_code == status


def test_json_is_all_that_is_on_standard_output(fake: Fake) -> None:
    fake.verdicts = (LAG,)
    fake.act = lambda: print("from forward")
    write("noisy.py", f"print('from import')\n{MODULE}\nold = parts\ndef parts():\n    print('from parts')\n    return old()\n")  # fmt: skip
    result = check("noisy:parts", "--json")
    assert json.loads(result.stdout)["verdicts"][0]["cause"] == "lag"
    assert result.stderr.splitlines() == ["from import", "from parts", "from forward"]


def test_a_terminal_gets_lines_of_its_width(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.verdicts = (Finding(Cause.LAG, Severity.UNSOUND, ("word " * 60,)),)
    monkeypatch.setattr(output, "width", lambda: 64)
    assert max(map(len, check("mine:parts").stdout.splitlines())) in range(50, 65)


# Errors of the user's own code


def test_an_error_in_the_function_is_told_with_the_users_frames(fake: Fake) -> None:
    write("bad.py", "def parts():\n    deeper()\ndef deeper():\n    raise KeyError('gone')\n")
    said = raised("bad:parts")
    assert re.search(r'bad.py", line 2, in parts\n(?:.*\n)+?.*bad.py", line 4, in deeper', said)
    assert "KeyError: 'gone'" in said


def test_so_is_one_that_was_raised_from_another(fake: Fake) -> None:
    write(
        "bad.py",
        "def parts():\n    try: 1 / 0\n    except ZeroDivisionError as e: raise OSError('why') from e\n",
    )
    said = raised("bad:parts")
    assert "ZeroDivisionError: division by zero" in said
    assert "OSError: why" in said


def test_so_is_one_in_forward_without_the_frames_of_torchs_calls(fake: Fake) -> None:
    write("bad.py", """
from torch import nn
class Net(nn.Module):
    def forward(self, x):
        return self.inner(x)
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 3))
def parts():
    return Net(), [1]
""")  # fmt: skip
    fake.act = lambda: fake.model(torch.zeros(1, 5))
    said = raised("bad:parts")
    assert 'bad.py", line 5, in forward' in said
    assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied" in said
    assert "_call_impl" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def parts(:\n", "SyntaxError"),
        ("import not_there_at_all\n", "No module named 'not_there_at_all'"),
        ("import mine.more\n", "mine.more"),
        ("import sys\nsys.exit('enough')\n", "SystemExit: enough"),
        (f"raise ValueError({HOSTILE!r})\n", "ValueError: \\x1b[31mred"),
        ("raise Exception\n", "Exception"),
    ],
)  # fmt: skip
def test_so_is_one_while_the_module_is_imported(fake: Fake, text: str, said: str) -> None:
    write("bad.py", text)
    for target in ("bad:parts", "bad.py:parts"):
        sys.modules.pop("bad", None)
        told = raised(target)
        assert said in told
        assert re.search(r'bad.py", line \d', told)
        assert not CONTROL.search(told)


def test_a_parser_of_the_modules_own_sees_no_arguments_of_ours(fake: Fake) -> None:
    write("parsing.py", f"import argparse\nargparse.ArgumentParser().parse_args()\n{MODULE}")
    assert check("parsing:parts", "--seed", "1").exit_code == 0


def test_what_can_not_be_checked_is_one_sentence(fake: Fake) -> None:
    def refuse() -> None:
        raise ProbeError("validation is empty: give a loader with samples.")

    fake.act = refuse
    assert refused("mine:parts") == "Error: validation is empty: give a loader with samples."


# Weights of a file


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


# The example


def test_what_an_empty_file_or_dict_lacks_is_said(here: Path) -> None:
    Path("zero.pt").touch()
    with pytest.raises(ConfigError, match=r"torch\.load reads \(EOFError\): save"):
        weights_file.load("zero.pt", network())
    with pytest.raises(ConfigError, match=r"net, but nothing: save"):
        weights_file.load(saved({}), network())


def test_the_example_is_written_once_and_overwrites_nothing(here: Path) -> None:
    result = check("--example")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"wrote {EXAMPLE}; now: bntui check {EXAMPLE}:parts\n"
    (here / EXAMPLE).write_text("mine")
    assert f"{EXAMPLE} exists already" in refused("--example")
    assert (here / EXAMPLE).read_text() == "mine"
    assert check("--example", "other.py").exit_code == 0
    printed = check("--example", "-").stdout
    assert (here / "other.py").read_text() == printed
    assert "def parts()" in printed


def test_the_example_goes_where_it_can() -> None:
    assert "can't be written: No such file or directory" in refused("--example", "no/where.py")
    assert "leave out mine:parts" in refused("mine:parts", "--example")
    refused("--example", HOSTILE)


def test_the_example_is_found_unsound_as_it_is(here: Path) -> None:
    assert check("--example").exit_code == 0
    result = check(f"{EXAMPLE}:parts", "--json")
    assert result.stdout, result.stderr
    report = json.loads(result.stdout)
    assert (result.exit_code, report["exit_status"]) == (1, 1)
    assert report["verdicts"][0]["cause"] == "start-values"
    assert report["running"]["score"] < report["fresh"]["score"] - 0.2
    assert check(f"{EXAMPLE}:parts", "--ignore", "start-values").exit_code == 0


# The real bntui.check: what it refuses, and what the user's functions do wrong


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{'forward': lambda model: 1}", "can't be called as forward(model, batch)"),
        ("{'metric': lambda outputs: 1}", "can't be called as metric(outputs, targets)"),
        ("{'forward': 5}", "forward of given() is an int, not a function"),
        ("{'validation': []}", "validation loader is empty"),
        ("{'training': (x for x in [])}", "once only"),
        ("{'model': nn.Linear(2, 3)}", ""),
        ("{'forward': lambda model, batch: batch[7]}", "IndexError"),
    ],
)  # fmt: skip
def test_nothing_that_a_user_returns_is_a_bug_of_ours(given: str, said: str) -> None:
    write("odd.py", f"""{MODULE}
import torch
from torch import nn
def given():
    batch = (torch.zeros(8, 2), torch.arange(8) % 3)
    return {{"model": network(), "validation": [batch], "training": [batch] * 4, **{given}}}
""")  # fmt: skip
    result = check("odd:given")
    assert said in result.stderr, result.stderr
    assert result.exit_code in ((2,) if said else (2, 3))
    assert "bntui/" not in result.stderr


def test_every_public_name_leads_somewhere() -> None:
    for name in bntui.__all__:
        assert getattr(bntui, name) is not None, name


# Its cost to other commands


def test_the_command_line_imports_none_of_it() -> None:
    run = python(
        "import sys, bntui.cli.main\n"
        "print([name for name in sys.modules if name.startswith(('bntui.probe', 'torch', 'rich'))"
        " or name in ('bntui.cli.user_code', 'bntui.cli.weights_file')])"
    )
    assert run.stdout.strip() == "[]", run.stderr
