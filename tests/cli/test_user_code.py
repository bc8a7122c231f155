"""The user's own function: how it is found, what it returns, and what it raises."""

import re
import sys

import pytest
import torch
from torch import nn

from bntui.probe.errors import ProbeError
from tests.cli.checking import (
    MODULE,
    Fake,
    check,
    raised,
    refused,
    write,
)
from tests.hostile import CONTROL, HOSTILE

pytestmark = pytest.mark.usefixtures("here")


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
