"""What others write to the terminal while the explorer has it."""

from bntui.ui.terminal.captured_output import notice
from tests.children import started

WRITES = """
import os, sys, threading, time
from bntui.ui.terminal.captured_output import captured_output

told, heard = [], threading.Event()
def tell(text):
    told.append(text)
    heard.set()

os.dup2(1, 2)
with captured_output(tell) as terminal:
    os.write(2, b"libgomp: no such number\\n")
    os.system("echo a child >&2")
    print("Python", file=sys.__stderr__)
    terminal.write("the screen\\n")
    terminal.flush()
    heard.wait(60)
    {more}
    end = len(told)
print(end, told[0].splitlines())
"""


def output(more: str = "pass") -> list[str]:
    with started(WRITES.format(more=more)) as program:
        text, _ = program.communicate(timeout=200)
    assert program.returncode == 0
    return text.splitlines()


def test_it_is_told_at_once_and_written_afterwards() -> None:
    lines = ["libgomp: no such number", "a child", "Python"]
    assert output() == ["the screen", *lines, f"1 {lines}"]


def test_a_library_that_writes_without_end_neither_waits_nor_fills_the_screen() -> None:
    flood = 'for _ in range(400): os.write(1, b"x" * 999 + b"\\n"); time.sleep(0.002)'
    screen, *written, last = output(flood)
    assert screen == "the screen"
    assert written[-1].endswith("more bytes")
    assert sum(map(len, written)) < 70_000
    assert last.startswith("1 ")


def test_what_would_move_the_cursor_is_written_as_an_escape() -> None:
    *_, moved, last = output('os.write(2, b"\\x1b[2J\\n")')
    assert moved == "\\x1b[2J"
    assert last.startswith("1 ")


def test_a_notice_is_one_sentence() -> None:
    assert notice("\n one\n\n") == "a library wrote: one; it is printed again after q."
    assert notice("a\nb\nc") == (
        "a library wrote: a (and 2 more lines); it is printed again after q."
    )
