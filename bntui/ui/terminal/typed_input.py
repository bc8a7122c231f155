"""Cuts a terminal's input into whole pieces, and gives Textual those that it understands.

Textual's own reading ends with an exception at a byte that is no UTF-8, takes a sequence that it does
not know for keys, and waits for ever for the end of a paste.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.message import Message
from textual.messages import InBandWindowResize

REST_SECONDS = 0.5
"""How long to wait for the rest of a paste or of a string."""
LONGEST_PIECE = 1 << 16
"""Bytes of a piece that are kept; no field takes as many."""
LONGEST_SEQUENCE = 32
"""Bytes of a sequence that may mean something; Textual takes a longer one for keys."""
_STRING = rb"\x1b[P\]X^_][\x08-\x0d -~\x80-\xff]*"
"""Device control, operating system, start of string, privacy and application program commands."""
_WHOLE = re.compile(
    rb"(?P<text>[^\x1b]+)"
    rb"|\x1b\[200~(?P<paste>.*?)\x1b\[201~"
    rb"|(?P<string>" + _STRING + rb"(?:\x07|\x1b\\))"
    rb"|(?P<mouse>\x1b\[M[ -\xff]{3})"  # X10's: a button and a place
    rb"|(?P<sequence>\x1b\[(?!200~|M)(?:\[[A-E]|\d+\$(?!y)|[-0-?]*[ -/]*[@-Z\\-~])|\x1bO[\d;]*[A-Za-z])"
    rb"|(?P<alt>\x1b(?:[^\x03\x1b\[OP\]X^_\x80-\xff]|[\xc2-\xf4][\x80-\xbf]{1,3}))",
    re.DOTALL,
)
_BEGUN = re.compile(
    _STRING + rb"(?:\x1b\Z)?|\x1b(?:\[200~.*|\[(?:M[ -\xff]{0,2}|\[|[-0-?]*[ -/]*)|O[\d;]*|)",
    re.DOTALL,
)
# A size comes from the terminal's driver, where it can't be typed; the others are not asked for.
_IGNORED = (events.Resize, events.CursorPosition, InBandWindowResize)


class TypedInput:
    """Reads input piece by piece. What is no whole piece waits for its rest, for `patience` seconds."""

    def __init__(self) -> None:
        self._rest = b""
        self._decoder = getincrementaldecoder("utf-8")(errors="ignore")
        self._parser = XTermParser()

    @property
    def patience(self) -> float | None:
        """How long to wait for the rest of what has begun before `give_up`; None if nothing has."""
        if not self._rest:
            return None
        long = self._rest.startswith(b"\x1b[200~") or self._rest[1:2] in b"P]X^_"
        return REST_SECONDS if long and len(self._rest) > 2 else constants.ESCAPE_DELAY

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield what is whole now; what is nothing that a terminal sends is dropped."""
        data, at = self._rest + data, 0
        self._rest = b""
        while at < len(data):
            if whole := _WHOLE.match(data, at):
                at = whole.end()
                yield from self._read(whole)
                continue
            begun = _BEGUN.match(data, at)
            assert begun  # everything but text begins with an escape
            if begun.end() == len(data):
                rest = data[at:]
                self._rest = (
                    rest if len(rest) <= LONGEST_PIECE else rest[:LONGEST_PIECE] + rest[-5:]
                )
                return
            at = begun.end()  # the other half will never come
            if begun[0] == b"\x1b":
                yield from self._understood("\x1b")

    def give_up(self) -> Iterator[Message]:
        """Wait no longer for the rest: a key that looked like a beginning, the half of a paste."""
        rest, self._rest = self._rest, b""
        if rest.startswith(b"\x1b[200~"):
            yield events.Paste(_decoded(rest.removeprefix(b"\x1b[200~")))
        elif len(rest) <= 2:
            yield from self._understood(rest.decode("ascii"))

    def _read(self, piece: re.Match[bytes]) -> Iterator[Message]:
        if piece["text"]:
            yield from self._understood(self._decoder.decode(piece["text"]))
            return
        self._decoder.reset()
        if piece["paste"] is not None:
            yield events.Paste(_decoded(piece["paste"]))
        elif (piece["sequence"] or piece["alt"]) and len(piece[0]) <= LONGEST_SEQUENCE:
            yield from self._understood(_decoded(piece[0]))

    def _understood(self, piece: str) -> list[Message]:
        """Return what Textual makes of a piece: a sequence that leaves it waiting means nothing to it."""
        parser = XTermParser()
        parser.last_x, parser.last_y = self._parser.last_x, self._parser.last_y
        self._parser = parser
        try:
            found = [*parser.feed(piece)] if piece else []
            waiting = [*parser.feed("")]
        except Exception:  # whatever is typed: numbers with too many digits, no character, …
            return []
        if len(piece) <= 2:  # an escape alone, or alt and a key
            found += waiting
        return [one for one in found if not isinstance(one, _IGNORED) and _encodable(one)]


def _decoded(data: bytes) -> str:
    return data[:LONGEST_PIECE].decode("utf-8", "ignore").replace("\x00", "")


def _encodable(message: Message) -> bool:
    """Tell whether a key is one of half a surrogate pair, which no terminal shows."""
    character = message.character if isinstance(message, events.Key) else None
    return not any("\ud800" <= one <= "\udfff" for one in character or "")
