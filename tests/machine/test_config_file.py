"""The file of choices: whatever stands there is read or refused in a sentence, and nothing of it is lost."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bntui.core.text import ConfigError
from bntui.machine import config_file
from bntui.machine.config_file import Damaged, can_be_changed, change, read
from tools.faults import Fault

BY_HAND = """\
# mine: the projector wants light

theme = "nord"   # for now
"log-loss" = true
[later]
theme = "of another bntui"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made/on demand/config.toml"


def at(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_where_nothing_is_nothing_is_said_and_nothing_made(path: Path) -> None:
    assert read(path) == {}
    assert not path.parent.exists()


def test_what_is_written_is_read_and_only_its_owner_s(path: Path) -> None:
    values: dict[str, Any] = {"theme": 'a "b" \\ c', "smooth": True, "pace": 0.5}
    assert change(path, values) == ""
    assert read(path) == values
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["config.toml"]


def test_comments_order_and_what_is_not_known_stay(path: Path) -> None:
    at(path, BY_HAND)
    change(path, {"theme": "dracula", "smooth": True})
    assert path.read_text() == BY_HAND.replace('"nord"   #', '"dracula"   #').replace(
        "\n\ntheme", "\n\nsmooth = true\ntheme"
    )


def test_two_programs_lose_nothing_of_each_other(path: Path) -> None:
    change(path, {"theme": "nord"})
    change(path, {"smooth": True})
    change(path, {"theme": "dracula"})
    assert read(path) == {"theme": "dracula", "smooth": True}


def test_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    real = at(tmp_path / "dotfiles/bntui.toml", 'theme = "nord"\n')
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    change(path, {"theme": "dracula"})
    assert path.is_symlink()
    assert read(real) == {"theme": "dracula"}


DAMAGED = {
    "no TOML": 'theme = "nord',
    "twice": "a = 1\na = 2\n",
    "NUL": 'theme = "no\0rd"\n',
    "not UTF-8": b"theme = '\xff'\n",
    "UTF-16": "theme = 'nord'\n".encode("utf-16"),
    "binary": bytes(range(256)),
    "huge": "# long\n" * 20_000,
    "a long line": "a" * 2_000 + " = 1\n",
    "many parts": ".".join("a" * 2_000) + " = 1\n",
    "brackets": "\n".join(["a = ", *["["] * 5_000]),
    "digits": "a = " + "9" * 900 + "\n" + "b = 0x" + "f" * 990 + "f" * 5_000 + "\n",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_one_is_refused_in_a_sentence_and_set_aside_when_one_is_needed(
    path: Path, content: str | bytes
) -> None:
    at(path, content)
    before = path.read_bytes()
    with pytest.raises(Damaged) as refused:
        read(path)
    said = str(refused.value)
    assert said.startswith(str(path))
    assert said.endswith(".")
    assert said.isprintable()
    assert len(said) < 400
    assert path.read_bytes() == before
    told = change(path, {"smooth": True})
    assert told == f"{said.removesuffix('.')}; it is set aside as config.toml.damaged-1."
    assert read(path) == {"smooth": True}
    assert path.with_name("config.toml.damaged-1").read_bytes() == before


@pytest.mark.fault(
    "the file of choices is no file",
    injected="a folder, a pipe, a device, a loop of links in its place",
)
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "loop", "below a file"])
def test_what_is_no_file_is_left_alone(path: Path, kind: str, fault: Fault) -> None:
    path.parent.mkdir(parents=True)
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path = at(path, "") / "config.toml"
    with pytest.raises(ConfigError, match=r"can't be read \(.*\)\.$") as refused:
        read(path)
    assert not isinstance(refused.value, Damaged)
    with pytest.raises(ConfigError, match="can't be read"):
        change(path, {"smooth": True})
    assert not can_be_changed(path)
    assert not list(path.parent.parent.rglob("*.damaged-1"))
    fault.saw = "one sentence with the reason; the explorer as at the first start"
    fault.lost = "nothing"


def test_nothing_can_be_made_below_proc() -> None:
    path = Path("/proc/missing/config.toml")
    assert read(path) == {}
    with pytest.raises(ConfigError, match=r"can't be written \(.*\)\.$"):
        change(path, {"smooth": True})


def test_the_null_device_remembers_nothing_without_a_word() -> None:
    path = Path(os.devnull)
    assert (read(path), change(path, {"smooth": True}), can_be_changed(path)) == ({}, "", False)


@pytest.mark.parametrize(
    "text",
    [
        'note = """\ntheme = "inside"\n[later]\n"""\n',
        'list = [\n"a",\n[ "theme" ]]\n',
        "note = '''\n# no comment\n'''\n",
        'theme = "nord"',
        "theme='#1'\r\nb=2\r\n",
        "\ttheme\t=\t1_000 # [bold]\n",
        "# only a remark",
        "\n\n# a\n# b\n[table]\ntheme = 1\n",
        '[[tables]]\ntheme = "nord"\n',
        "mine = nan\ntheme = 1\n",
    ],
    ids=range(10),
)
def test_no_form_of_toml_is_misread_by_the_change_of_a_line(path: Path, text: str) -> None:
    at(path, text)
    old = tomllib.loads(text)
    change(path, {"theme": "dracula"})
    assert repr(sorted(read(path).items())) == repr(sorted({**old, "theme": "dracula"}.items()))


@pytest.mark.parametrize("text", ['theme = """\nnord"""\n', "theme = [\n1 ]\n", "theme.dark = 1\n"])
def test_a_line_that_can_t_be_changed_is_left_and_that_is_said(path: Path, text: str) -> None:
    at(path, text)
    with pytest.raises(ConfigError, match="its line of theme can only be changed by hand"):
        change(path, {"theme": "dracula"})
    assert path.read_text() == text


def test_a_write_that_fails_leaves_the_old_one_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(path, BY_HAND)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"can't be written \(No space left on device\)"):
        change(path, {"theme": "dracula"})
    assert path.read_text() == BY_HAND
    assert [one.name for one in path.parent.iterdir()] == ["config.toml"]


SOME = st.dictionaries(
    st.sampled_from(["theme", "smooth", "pace", "x-axis"]),
    st.booleans()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20),
)


@given(changes=st.lists(SOME, max_size=4))
def test_any_changes_one_after_the_other(changes: list[dict[str, Any]]) -> None:
    text, said = BY_HAND, tomllib.loads(BY_HAND)
    for values in changes:
        text = config_file.changed(text, said, values)
        said = {**said, **values}
        assert tomllib.loads(text) == said
