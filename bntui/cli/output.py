"""Standard output and error: what stands for characters that they can't write, and the terminal's width.

Every start of bntui imports this module: what takes long to load is imported where it is used.
"""

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

ASCII = "bntui-ascii"
"""ASCII under another name: click takes a stream of that name for a mistake, and writes UTF-8."""
LENIENT = "bntui-lenient"
OF_THE_USER = {"ignore", "replace", "xmlcharrefreplace", "namereplace"}
"""Error handlers that only a user can have chosen, in PYTHONIOENCODING: they are kept."""


def prepare() -> None:
    """Have what standard output and error can't write replaced by ASCII forms: … by a dot, é by e."""
    codecs.register_error(LENIENT, _ascii_forms)
    codecs.register(lambda name: _ascii() if name.replace("_", "-") == ASCII else None)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            plain = codecs.lookup(stream.encoding).name == "ascii"
            errors = stream.errors if stream.errors in OF_THE_USER else LENIENT
            stream.reconfigure(encoding=ASCII if plain else None, errors=errors)


def _ascii_forms(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from bntui.ui.terminal.glyphs import ascii_cells

    return ascii_cells(error.object[error.start : error.end]), error.end


def _ascii() -> codecs.CodecInfo:
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        name=ASCII,
        encode=ascii_.encode,
        decode=ascii_.decode,
        incrementalencoder=ascii_.incrementalencoder,
        incrementaldecoder=ascii_.incrementaldecoder,
    )


def width() -> int | None:
    """Return the cells of a line of the terminal that standard output is; None if it is none.

    The terminal itself is asked: COLUMNS may speak of another one.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80  # 0 where nobody has set it
    except (OSError, ValueError):  # isatty said so of what is no terminal
        return None


def console() -> "Console":
    """Return standard output for text that is neither markup nor wrapped: plain in a pipe."""
    from bntui.cli.console import OutputConsole

    return OutputConsole(highlight=False, markup=False, emoji=False, soft_wrap=True)
