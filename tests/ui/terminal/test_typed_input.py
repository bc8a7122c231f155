"""What a terminal sends, cut into pieces: keys, pastes, the mouse, and whatever else stands there."""

import random

import pytest
from textual import events
from textual.message import Message

from bntui.ui.terminal.typed_input import LONGEST_PIECE, TypedInput


def said(message: Message) -> str:
    if isinstance(message, events.Key):
        return message.key
    return repr(message.text) if isinstance(message, events.Paste) else type(message).__name__


def read(*chunks: bytes) -> list[str]:
    """Return what comes of chunks, and of a pause after them."""
    typed = TypedInput()
    messages = [message for chunk in chunks for message in typed.feed(chunk)]
    return [said(one) for one in (*messages, *typed.give_up())]


@pytest.mark.parametrize(
    ("chunks", "seen"),
    [
        ([b"q"], ["q"]),
        (["é漢".encode()], ["é", "漢"]),
        ([b"\xc3", b"\xa9"], ["é"]),
        ([b"\x1b"], ["escape"]),
        ([b"\x1b\x1b"], ["escape", "escape"]),
        ([b"\x1b[A\x1b[1;5C"], ["up", "ctrl+right"]),
        ([b"\x1b[", b"A"], ["up"]),
        ([b"\x1bOP"], ["f1"]),
        ([b"\x1b[[A"], ["f1"]),
        ([b"\x1b[3$q"], ["shift+delete", "q"]),
        ([b"\x1b\xc3\xa9"], ["alt+é"]),
        ([b"\x1bP"], ["alt+shift+p"]),
        ([b"\x1b[99;5u"], ["ctrl+c"]),
        ([b"\x1b[I\x1b[O"], ["AppFocus", "AppBlur"]),
        ([b"\x1b[<0;10;10Mq"], ["MouseDown", "q"]),
        ([b"\x1b[200~ab\xc3\xa9\x1b[A\x1b[20", b"1~q"], ["'abé\\x1b[A'", "q"]),
        ([b"\x1b[200~\x1b[201~q"], ["''", "q"]),
        ([b"\x1b[?2026;2$yq"], ["TerminalSupportsSynchronizedOutput", "q"]),
    ],
)
def test_what_terminals_send_is_understood(chunks: list[bytes], seen: list[str]) -> None:
    assert read(*chunks) == seen


@pytest.mark.parametrize(
    "dropped",
    [
        b"\xff",
        b"\xe9",  # Latin-1's é
        b"\xf0\x9f\x98",
        b"\x1b[M \x9f\xff",  # the mouse as X10 told it, beyond column 95
        b"\x1b[Mq\xc3\xa9",
        b"\x1b[32;40;50M",
        b"\x1b[?62;22c",  # answers that nobody has asked for
        b"\x1b[5;10R",
        b"\x1b[48;0;0;0;0t",
        b"\x1b[48;99999;99999;1;1t",
        b"\x1b[?2048;1$y",
        b"\x1b[99999999999u",  # no character
        b"\x1b[55296;1;55296u",
        b"\x1b[" + b"1" * 9_999 + b"u",
        b"\x1b[<" + b"9" * 40 + b";1;1M",
        b"\x1b[<0;-1;-1M",
        b"\x1b[12;34;56;78x",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b]52;c;cXVpdA==\x07",
        b"\x1b]11;rgb:ff/ff/ff\x1b\\",
        b"\x1b_Gi=1;OK\x1b\\",
        b"\x1bXq\x1b\\",
        b"\x1b^q\x1b\\",
    ],
)
def test_what_means_nothing_is_dropped_and_the_next_key_works(dropped: bytes) -> None:
    assert read(dropped + b"q") == ["q"]
    assert read(*(bytes([one]) for one in dropped + b"q")) == ["q"]


@pytest.mark.parametrize(
    "half",
    [
        b"\x1b[1;",
        b"\x1b[<0;1",
        b"\x1b[M \x9f",
        b"\x1bP1;2q",
        b"\x1b]52;c;",
        b"\x1b_G",
        b"\x1b[200~",
    ],
)
def test_a_half_is_waited_for_and_then_given_up(half: bytes) -> None:
    typed = TypedInput()
    assert [*typed.feed(half)] == []
    assert typed.patience is not None
    assert 0.0 < typed.patience <= 1.0
    assert [said(one) for one in typed.give_up()] == (["''"] if half == b"\x1b[200~" else [])
    assert typed.patience is None
    assert [said(one) for one in typed.feed(b"q")] == ["q"]
    if half != b"\x1b[200~":  # in a paste it may be text
        assert read(half, b"\x1b[A") == ["up"]


@pytest.mark.parametrize("half", [b"\x1b", b"\x1b[1;1", b"\x1bP1", b"\x1b]52;c;ab", b"\xe9"])
def test_ctrl_c_is_seen_in_the_middle_of_anything(half: bytes) -> None:
    assert read(half + b"\x03")[-1] == "ctrl+c"


def test_a_paste_without_an_end_is_a_paste_of_what_has_come() -> None:
    assert read(b"\x1b[200~0.9", b"5") == ["'0.95'"]


@pytest.mark.parametrize("begun", [b"\x1b[200~", b"\x1bP", b"\x1b]", b"\x1b[", b"\x1b[?"])
def test_what_never_ends_takes_no_memory(begun: bytes) -> None:
    typed = TypedInput()
    for chunk in [begun, *[b"1" * 4096] * 100]:
        assert [*typed.feed(chunk)] == []
    assert len(typed._rest) <= LONGEST_PIECE + 5 + 4096
    (*_,) = typed.give_up()
    assert [said(one) for one in typed.feed(b"q")] == ["q"]


def test_nothing_raises_and_everything_ends() -> None:
    dice = random.Random(14)
    parts = [
        *(b"\x1b", b"\x1b[", b"\x1b[<", b"\x1b[M", b"\x1b[200~", b"\x1b[201~", b"\x1bP", b"\x1b]"),
        *(b"\x1b_", b"\x1b\\", b"\x07", b"\x1bO", b";", b":", b"$", b"?", b"u", b"~", b"M", b"t"),
        *(b"0", b"9999999999", b"-1", b"\xc3", b"\xa9", b"\xff", b"\x00", b"q", b"\r", b"\x7f"),
    ]
    for _ in range(3_000):
        typed = TypedInput()
        for _ in range(dice.randint(1, 12)):
            some = [*dice.choices(parts, k=dice.randint(1, 4)), dice.randbytes(dice.randint(0, 2))]
            list(typed.feed(b"".join(some)))
        list(typed.give_up())
        assert [said(one) for one in typed.feed(b"q")] == ["q"]
