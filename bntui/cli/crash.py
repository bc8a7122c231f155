"""After a bug of bntui's own: restore the terminal, write a report to a file, print one line.

A report is the traceback and what `bntui doctor` finds without computing. Nothing is sent anywhere.
"""

import errno
import sys
import termios
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import click

from bntui.machine.libraries import why_not_loaded
from bntui.machine.places import make_folder, new_file, reports_folder, temporary_folder

STATUS = 1
"""The exit status after a bug."""
AS_BEFORE = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[0m"
"""No reports of the mouse, of focus or of pasting; the cursor shown; no colour."""


@contextmanager
def bugs_in_one_line() -> Iterator[None]:
    """End the program with one line, and a report in a file, for an error that nothing has caught.

    That also holds for other threads, whose errors do not end the program: their lines are printed
    when the block ends. Output that can't be written, to a full disk for example, is no bug and makes no
    report.
    """
    settings = _terminal_settings()
    lines: list[str] = []
    before = threading.excepthook
    threading.excepthook = lambda args: lines.append(
        save_report(
            "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
        )
    )
    try:
        yield
    except Exception as error:
        restore(settings)
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EIO, errno.EPIPE}:
            lines.append(f"Error: nothing more can be written: {error.strerror}.")
        elif isinstance(error, ImportError | MemoryError):
            lines.append(f"Error: {why_not_loaded('what bntui is made of', error)}")
        else:
            lines.append(save_report("".join(traceback.format_exception(error))))
        sys.exit(STATUS)
    finally:
        threading.excepthook = before
        for line in dict.fromkeys(lines):
            with suppress(OSError):
                click.echo(line, err=True)


def save_report(trace: str) -> str:
    """Save the report on an error with this traceback; return the line that says where it is.

    Where no file can be written, the report itself comes before that line.
    """
    from bntui.cli.doctor import anonymous

    what = anonymous(trace.strip().splitlines()[-1])
    content = report(trace)
    try:
        path = _write(content)
    except OSError as error:
        return (
            f"{content}\n\nError: bntui has a bug ({what}): please report it with what stands above, "
            f"since no file could be written: {error.strerror or error}."
        )
    return f"Error: bntui has a bug ({what}): please report it with the file {path}"


def report(trace: str) -> str:
    """Return the text of a report: the facts and the traceback, with nothing personal in it."""
    from bntui.cli.doctor import anonymous, facts, text

    return f"{text(facts(quick=True))}\n\n{anonymous(trace)}"


def restore(settings: "tuple[int, list[object]] | None") -> None:
    """Give the terminal back as it was, where there is one."""
    if settings is None:
        return
    descriptor, attributes = settings
    with suppress(OSError, ValueError, termios.error):
        termios.tcsetattr(descriptor, termios.TCSADRAIN, attributes)  # type: ignore[arg-type]
        if sys.stderr.isatty():
            sys.stderr.write(AS_BEFORE)
            sys.stderr.flush()


def _terminal_settings() -> "tuple[int, list[object]] | None":
    try:
        descriptor = sys.stdin.fileno()
        return descriptor, termios.tcgetattr(descriptor)
    except (AttributeError, OSError, ValueError, termios.error):  # no terminal, or none at all
        return None


def _write(content: str) -> Path:
    """Write a new file, if need be where temporary ones go. Raises OSError."""
    name = f"bntui-crash-{datetime.now():%Y-%m-%d-%H%M%S-%f}.txt"
    try:
        make_folder(reports_folder())
        return _written(reports_folder() / name, content)
    except OSError:
        folder = temporary_folder()
        if folder is None:
            raise
        return _written(folder / name, content)


def _written(path: Path, content: str) -> Path:
    with new_file(path) as file:
        file.write(content.encode("utf-8", "backslashreplace"))
    return path
